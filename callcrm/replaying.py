"""`callcrm replay`: captured streams as calls, for programs or for reading."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callcrm.calls.replay import replay_file
from callcrm.kernel.errors import CallcrmError

_COLUMNS = (
    "at",
    "direction",
    "client",
    "called",
    "rang",
    "answered by",
    "wait",
    "talk",
    "total",
    "outcome",
    "recordings",
)


def show(files: Sequence[Path], *, trunks: str, operators: str, classes: str, as_json: bool) -> None:
    """Prints every file's calls; a file that cannot be opened ends it with a sentence."""
    seen = [one.strip().lower() for one in classes.split(",") if one.strip()] or None
    for path in files:
        try:
            told = replay_file(path, trunks=trunks, operators=operators, classes=seen)
        except OSError as error:
            raise CallcrmError(f"{path} cannot be read ({error.strerror or error}); give a captured stream.") from error
        if as_json:
            _write_line(told)
        else:
            _print_table(told)


def _write_line(told: dict[str, Any]) -> None:
    """One line of JSON in UTF-8, whatever the terminal is set to; bytes that were no text come out escaped."""
    line = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.flush()
    sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def _print_table(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(*_COLUMNS, title=Text(f"{told['file']}: {len(told['calls'])} calls, {told['events']} events"))
    for call in told["calls"]:
        table.add_row(*(Text(printable(cell)) for cell in _cells(call)))
    console.print(table)
    for anomaly in told["anomalies"]:
        console.print(Text(printable(f"{anomaly['kind']}: {anomaly['detail']}")))


def _cells(call: dict[str, Any]) -> list[str]:
    talk = [one["talk_s"] for one in call["talks"] if one["talk_s"] is not None]
    fate = " ".join(filter(None, [call["outcome"] or "open", call["why"], *(one["kind"] for one in call["transfers"])]))
    return [
        _seconds(call["at"]),
        call["direction"],
        call["client"] or call["caller"] or "",
        call["called"] or "",
        ", ".join(one["operator"] or "?" for one in call["rang"]),
        ", ".join(call["answered_by"]),
        _seconds(call["wait_s"]),
        _seconds(sum(talk) if talk else None),
        _seconds(call["total_s"]),
        fate,
        ", ".join(one["file"] for one in call["recordings"]),
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def printable(text: str) -> str:
    """Nothing that a terminal would take for a command of its own."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
