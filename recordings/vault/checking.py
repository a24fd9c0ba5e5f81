"""Checks a finished file: whether it rests, what sound it holds, and its SHA-256. All of this blocks: use a thread."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from recordings.sound import BadSound, Sound, measure

_BLOCK = 1 << 20


class StillWritten(Exception):
    """The file changes still, or did a moment ago: it is not the time to keep it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file at rest: `sound` is None where it is no sound that can be read, and `trouble` says why."""

    path: Path
    size: int
    changed_ns: int
    sha256: str
    sound: Sound | None
    trouble: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the file is still the one that was checked."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.changed_ns)


def check(path: Path, rested_s: float = 0.0) -> Checked:
    """Look through a file that was not changed for `rested_s` seconds. Raises StillWritten and OSError."""
    before = path.stat()
    if time.time() - before.st_mtime < rested_s:
        raise StillWritten(f"The file changed within the last {rested_s:g} s.")
    sha256 = checksum(path)
    sound, trouble = None, ""
    try:
        sound = measure(path)
    except BadSound as error:
        trouble = str(error)
    checked = Checked(path, before.st_size, before.st_mtime_ns, sha256, sound, trouble)
    if not checked.unchanged:
        raise StillWritten("The file changed while it was read.")
    return checked


def checksum(path: Path) -> str:
    """A file's SHA-256 in hexadecimal, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
