"""Compares what a replay says with what the phones of a recorded scenario saw."""

import json
from pathlib import Path
from typing import Any

TRACES = Path(__file__).parents[1] / "traces"
#: What the AMI user that the guide asks for may read.
CALLCRM = ("system", "call", "agent", "cdr", "user")
TOLERANCE = 0.15


def traces(kind: str) -> list[Path]:
    """Every recorded stream of this kind (`jsonl.gz`, `raw.gz`), of both versions."""
    return sorted(path for path in TRACES.glob(f"[0-9]*/*.{kind}"))


def scenario(path: Path) -> dict[str, Any]:
    """What truly happened in the scenario of this stream."""
    name = path.name.split(".")[0]
    found: dict[str, Any] = json.loads((path.parent / f"{name}.expected.json").read_text())
    return found


def differences(expected: Any, got: Any, *, timed: bool, knowable: bool, at: str = "call") -> list[str]:
    """Where the two differ; seconds to the tolerance, or null where the stream has no times."""
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return [f"{at}: {expected} is {got}"]
        return [
            line
            for key, value in expected.items()
            for line in differences(value, got.get(key), timed=timed, knowable=knowable, at=f"{at}.{key}")
        ]
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return [f"{at}: {expected} is {got}"]
        return [
            line
            for n, value in enumerate(expected)
            for line in differences(value, got[n], timed=timed, knowable=knowable, at=f"{at}[{n}]")
        ]
    if at.endswith(("_s", ".at")):
        return _seconds(expected, got, timed=timed, knowable=knowable, at=at)
    return [] if expected == got else [f"{at}: {expected!r} is {got!r}"]


def _seconds(expected: Any, got: Any, *, timed: bool, knowable: bool, at: str) -> list[str]:
    if not timed:
        return [] if got is None else [f"{at}: {got} of a stream without times"]
    if not knowable:
        return [] if got is None or abs(expected - got) <= 1.0 else [f"{at}: {expected} is {got}"]
    close = got is not None and abs(expected - got) <= TOLERANCE
    return [] if close else [f"{at}: {expected} is {got}"]


def disagreements(truth: dict[str, Any], found: dict[str, Any], *, timed: bool) -> list[str]:
    """All that is wrong with a replay of a scenario."""
    wrong = []
    if len(truth["calls"]) != len(found["calls"]):
        wrong.append(f"{len(truth['calls'])} calls are {len(found['calls'])}")
    for expected, got in zip(truth["calls"], found["calls"], strict=False):
        wrong += differences(expected, got, timed=timed, knowable=expected["at"] >= 0)
    sounding = {Path(name).name for name, seconds in truth["recordings"].items() if seconds > 0}
    linked = {Path(one["file"]).name for call in found["calls"] for one in call["recordings"]}
    return wrong if sounding == linked else [*wrong, f"recordings {sounding} are {linked}"]
