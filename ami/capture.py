"""Captured AMI streams: reads what was recorded of a connection, whatever became of the file, and writes such files.

Four kinds: `.raw` and `.raw.gz` are the bytes from the banner on (a banner in mid-stream is a new
connection); `.jsonl` and `.jsonl.gz` are lines `{"t": seconds, "msg": {header: value or list}}`, also
`{"t": …, "banner": text}` and `{"t": …, "closed": true}`.
"""

import gzip
import json
import math
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from ami.messages import Decoder, Message, add_header, first, is_banner

_CHUNK = 1 << 16
_MAX_JSON_LINE = 8 << 20


@dataclass(frozen=True, slots=True)
class Captured:
    """One thing of a stream: `t` in seconds (of the stream for .jsonl, since the epoch for raw bytes), if known."""

    t: float | None
    message: Message | None
    kind: Literal["banner", "message", "closed"] = "message"
    text: str = ""


class Capture:
    """A captured stream to iterate over; it never raises on what the file holds.

    After (and while) iterating, `anomalies` counts by kind what was passed over. A file that cannot
    be opened raises OSError, as that is the caller's mistake and not the stream's.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.anomalies: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Captured]:
        with self.path.open("rb") as file:
            chunks = self._inflated(file)
            head = next(chunks, b"")
            whole = _with_head(head, chunks)
            lines = ".jsonl" in self.path.suffixes or head.lstrip()[:1] == b"{"
            yield from self._of_lines(whole) if lines else self._of_bytes(whole)

    def _inflated(self, file: IO[bytes]) -> Iterator[bytes]:
        chunks = iter(lambda: file.read(_CHUNK), b"")
        head = next(chunks, b"")
        whole = _with_head(head, chunks)
        yield from self._gunzip(whole) if head.startswith(b"\x1f\x8b") else whole

    def _gunzip(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Every byte that can be had of a gzip file, also of one that was cut or damaged."""
        member = zlib.decompressobj(wbits=31)
        fed = False
        try:
            for chunk in chunks:
                rest = chunk
                while rest:
                    if member.eof:
                        member = zlib.decompressobj(wbits=31)
                    yield member.decompress(rest)
                    fed, rest = True, member.unused_data
            tail = member.flush()
        except zlib.error:
            self.anomalies["damaged file"] += 1
            return
        if tail:
            yield tail
        if fed and not member.eof:
            self.anomalies["truncated file"] += 1

    def _of_bytes(self, chunks: Iterable[bytes]) -> Iterator[Captured]:
        decoder = Decoder()
        for chunk in chunks:
            for block in decoder.blocks(chunk):
                if is_banner(block):
                    yield Captured(None, None, "banner", block.decode("utf-8", "replace"))
                    continue
                message = decoder.parse(block)
                if message is not None:
                    yield Captured(_stamped(message), message)
        decoder.end()
        self.anomalies.update(decoder.counts)

    def _of_lines(self, chunks: Iterable[bytes]) -> Iterator[Captured]:
        for line in self._lines(chunks):
            if not line.strip():
                continue
            captured = captured_line(line)
            if captured is None:
                self.anomalies["unreadable line"] += 1
            else:
                yield captured

    def _lines(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        rest = b""
        for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > _MAX_JSON_LINE:
                self.anomalies["line too long"] += 1
                rest = b""
        if rest:
            yield rest


def read_capture(path: Path | str) -> Capture:
    """A captured stream of any of the four kinds, told apart by content and suffix."""
    return Capture(path)


def visible_to(message: Message, classes: Collection[str]) -> bool:
    """Whether a user who reads only these classes would be sent this message.

    It has one of them in `Privilege` (case ignored), or no `Privilege` at all, as responses have.
    """
    privilege = message.get("Privilege")
    if privilege is None:
        return True
    if isinstance(privilege, list):
        privilege = ",".join(privilege)
    theirs = {word.strip() for word in privilege.lower().split(",")}
    return any(name.lower() in theirs for name in classes)


class CaptureWriter:
    """Writes a stream as `.jsonl` or `.jsonl.gz`, a line a message; `t` counts from the stream's beginning."""

    def __init__(self, path: Path | str) -> None:
        target = Path(path)
        self._file: IO[str] = (
            gzip.open(target, "wt", encoding="utf-8")  # noqa: SIM115
            if target.suffix == ".gz"
            else target.open("w", encoding="utf-8")
        )

    def write(self, captured: Captured) -> None:
        """One more line."""
        line: dict[str, Any] = {"t": captured.t}
        if captured.kind == "banner":
            line["banner"] = captured.text
        elif captured.kind == "closed":
            line["closed"] = True
        else:
            line["msg"] = captured.message
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def to_bytes(message: Message) -> bytes:
    """A message as Asterisk would send it; line ends within values become blanks."""
    lines = [
        f"{key}: {one}".replace("\r", " ").replace("\n", " ")
        for key, value in message.items()
        for one in ([value] if isinstance(value, str) else value)
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def _with_head(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _stamped(message: Message) -> float | None:
    """An event's own time. A ping's answer has one too, but says nothing of the events around it."""
    return _seconds(first(message, "Timestamp")) if "Event" in message else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def captured_line(line: bytes) -> Captured | None:
    """One line of a `.jsonl` stream; None when it is none."""
    try:
        record = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    t = _seconds(record.get("t"))
    if isinstance(record.get("msg"), dict):
        message = _message_from(record["msg"])
        return Captured(t, message) if message else None
    if "banner" in record:
        return Captured(t, None, "banner", _text(str(record["banner"]))[:200])
    return Captured(t, None, "closed") if record.get("closed") else None


def _message_from(headers: dict[str, Any]) -> Message:
    message: Message = {}
    for key, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int | float):
                add_header(message, _text(key), _text(str(one)))
    return message


def _text(text: str) -> str:
    """Without what no database and no socket takes: lone surrogates and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
