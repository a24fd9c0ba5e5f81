"""Every sound file under a folder, in pieces: what the finder of strays goes through. Blocks: use a thread."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".wav", ".wav49", ".gsm", ".mp3", ".ogg", ".opus", ".flac", ".ulaw", ".alaw", ".sln", ".sln16"})
#: Folders below this depth are no PBX's.
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class File:
    """A sound file: its name under the folder, its size, and when it was last changed (seconds since the epoch)."""

    name: str
    size: int
    changed: float


def sound_files(root: Path) -> Iterator[File]:
    """Every sound file, folder by folder in order of names; links and hidden names are passed over. Raises OSError."""
    waiting = [(root, "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        inner = []
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST:
                        inner.append((folder / entry.name, f"{prefix}{entry.name}/", depth + 1))
                elif entry.is_file(follow_symlinks=False) and is_sound(entry.name):
                    status = entry.stat(follow_symlinks=False)
                    yield File(prefix + entry.name, status.st_size, status.st_mtime)
        waiting.extend(reversed(inner))


def is_sound(name: str) -> bool:
    """Whether a file of this name is one."""
    return os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122 - a hundred thousand names
