"""What the service says about itself: one line an event, as text or JSON, on standard error.

Each line carries what `about(call=…)` bound around it. What comes from outside (names,
headers, files) cannot forge a line or a terminal's colours: control characters are
written as escapes. A log that cannot be written (disk full, pipe closed) stops nothing.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Literal, TextIO, cast

import structlog

Event = MutableMapping[str, Any]

LONGEST = 2000
#: Libraries that tell more at "info" than anybody reads.
_CHATTY = ("aiohttp.access", "alembic", "asyncio", "panoramisk", "sqlalchemy", "websockets", "aiosqlite")
#: Control characters, line separators, and those that turn the direction of writing.
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@contextmanager
def about(**what: str | int | None) -> Iterator[None]:
    """Every line within carries `what`: call="…", pbx="…", user=7."""
    with structlog.contextvars.bound_contextvars(**what):
        yield


def configure(level: str = "info", style: Literal["text", "json"] = "text", stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging alike; called once, by the daemon or a command."""
    out = cast(TextIO, Unbreakable(stream or sys.stderr))
    least = getattr(logging, level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        escaped,
    ]
    render = _renderer(style)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))


def escaped(_logger: object, _method: str, event: Event) -> Event:
    """Make every text of `event` one harmless line of at most LONGEST characters (stack traces keep their lines)."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _trace(value) if key == "exception" else harmless(value)
        elif not isinstance(value, (int, float, bool, type(None))):
            event[key] = harmless(str(value))
    return event


def harmless(text: str) -> str:
    """`text` with its control characters written as escapes, cut at LONGEST."""
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return _HIDDEN.sub(lambda found: found.group().encode("unicode_escape").decode(), cut)


def _trace(text: str) -> str:
    return "\n".join(harmless(line) for line in text.splitlines())


def _renderer(style: Literal["text", "json"]) -> structlog.typing.Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


class Unbreakable:
    """A stream whose failure to write is nobody's failure."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if it can be."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        """Flush, if it can be."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            pass
