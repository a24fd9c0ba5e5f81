"""A recording for HTTP: which bytes a Range header asks for, and those bytes in blocks, never the whole file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 64 << 10
_ONE = re.compile(r"bytes=(\d*)-(\d*)")

#: Media types by suffix, for what PBXes write.
TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".gsm": "audio/x-gsm",
}


class NotSatisfiable(ValueError):
    """The range lies outside the file: HTTP 416."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `begin` up to and without `end` of `size`; `whole` when no range was asked for."""

    begin: int
    end: int
    size: int
    whole: bool

    @property
    def content_range(self) -> str:
        """The Content-Range header's value."""
        return f"bytes {self.begin}-{self.end - 1}/{self.size}"


def part_of(size: int, header: str | None) -> Part:
    """What a Range header means for a file of this size.

    What is not understood, or asks for several ranges, is answered with the whole file, as HTTP allows.
    Raises NotSatisfiable.
    """
    found = _ONE.fullmatch(header.strip()) if header and len(header) < 100 else None
    if found is None or found[1] == found[2] == "":
        return Part(0, size, size, whole=True)
    if found[1] == "":
        begin, end = max(0, size - int(found[2])), size
    else:
        begin = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < begin:
            return Part(0, size, size, whole=True)
    if begin >= size or begin >= end:
        raise NotSatisfiable(f"bytes */{size}")
    return Part(begin, end, size, whole=False)


def blocks(file: BinaryIO, part: Part, block: int = BLOCK) -> Iterator[bytes]:
    """The bytes of a part; ends early when the file was cut meanwhile. Blocks: use it in a thread."""
    file.seek(part.begin)
    left = part.end - part.begin
    while left > 0 and (data := file.read(min(block, left))):
        left -= len(data)
        yield data


def media_type(path: Path) -> str:
    """The media type of a recording by its suffix; `application/octet-stream` for an unknown one."""
    return TYPES.get(path.suffix.lower(), "application/octet-stream")
