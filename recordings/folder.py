"""Where a recording lies: finds a file by the name that a PBX reported, under one folder and never outside it.

Names come from a PBX and are hostile until they are resolved: `..`, absolute paths, links that lead
out, NUL, names that are too long. A name that leads outside is `missing` with the reason, never opened.
"""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

State = Literal["writing", "present", "late", "empty", "partial", "missing", "unknown"]

#: A WAV header without sound: what MixMonitor leaves of a call that nobody answered.
HEADER_BYTES = 44
#: A file that has changed within this many seconds may still be written.
WRITING_S = 2.0
_LONGEST_NAME = 1000


class Outside(ValueError):
    """The name does not lie in the folder; told in one sentence."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of recordings: `root` here, `reported_as` how the PBX names the same folder (empty: the same)."""

    root: Path
    reported_as: str = ""

    def path_of(self, name: str) -> Path:
        """The path that a reported name stands for; the file need not exist.

        A relative name lies under the folder; an absolute one must begin with the folder as the PBX names it
        (or as it is named here). Raises Outside.
        """
        relative = self._relative(name)
        path = self.root.joinpath(*relative.parts)
        root = self.root.resolve()
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError) as error:
            raise Outside(f"The name cannot be resolved ({_short(error)}).") from error
        if not resolved.is_relative_to(root):
            raise Outside("The name leads out of the recordings folder, through a link.")
        return resolved

    def _relative(self, name: str) -> PurePosixPath:
        if not name or "\0" in name or not name.isprintable():
            raise Outside("The PBX reported no usable file name.")
        if len(name) > _LONGEST_NAME or any(len(part.encode()) > 255 for part in name.split("/")):
            raise Outside("The reported file name is too long.")
        reported = PurePosixPath(name)
        if reported.is_absolute():
            reported = self._below(reported)
        if ".." in reported.parts:
            raise Outside("The reported name steps out of its folder with '..'.")
        if not reported.parts:
            raise Outside("The PBX reported the folder itself, not a file.")
        return reported

    def _below(self, reported: PurePosixPath) -> PurePosixPath:
        for prefix in (self.reported_as, str(self.root), str(self.root.absolute())):
            if prefix and reported.is_relative_to(prefix):
                return reported.relative_to(prefix)
        known = self.reported_as or str(self.root)
        raise Outside(f"The PBX reported {_cut(str(reported))}, which does not lie in {known}.")


@dataclass(frozen=True, slots=True)
class Found:
    """How a recording stands: its state, a sentence for a person, and the file when it may be read."""

    state: State
    cause: str = ""
    path: Path | None = None
    size: int | None = None


def find(folder: Folder | None, name: str, *, talk_s: float | None = None, since_end_s: float | None = None) -> Found:
    """Look for a recording on the disk.

    `talk_s`: how long there must be sound, if known; 0 when nobody talked. `since_end_s`: seconds since the call
    ended, None while it runs. Never raises.
    """
    if folder is None:
        return Found("unknown", "No recordings folder is set for this PBX.")
    try:
        path = folder.path_of(name)
        status = path.stat()
    except Outside as error:
        return Found("missing", str(error))
    except FileNotFoundError:
        return _absent(folder, path, since_end_s, talk_s)
    except OSError as error:
        return Found("unknown", f"The recordings folder cannot be read: {_short(error)}.")
    if not stat.S_ISREG(status.st_mode):
        return Found("missing", "The reported name is not a file.")
    if not os.access(path, os.R_OK):
        return Found(
            "unknown", "The file may not be read by this service: check its owner and rights.", size=status.st_size
        )
    return _state_of(path, status, since_end_s)


def _absent(folder: Folder, path: Path, since_end_s: float | None, talk_s: float | None) -> Found:
    if not folder.root.is_dir():
        return Found("unknown", f"The recordings folder {folder.root} is not there: is it mounted?")
    if since_end_s is None:
        return Found("writing", "The call is going on.")
    if talk_s == 0:
        return Found("empty", "Nobody talked, and the PBX left no file.")
    if path.with_suffix(".raw").is_file():
        return Found(
            "late", "The two voices lie there as .raw: the command after MixMonitor has not made a WAV of them."
        )
    return Found("late", "The file has not arrived yet.")


def _state_of(path: Path, status: os.stat_result, since_end_s: float | None) -> Found:
    size = status.st_size
    if since_end_s is None:
        return Found("writing", "The call is going on.", path, size)
    if size <= HEADER_BYTES:
        return Found("empty", "The file holds no sound: nobody was connected.", path, size)
    if time.time() - status.st_mtime < WRITING_S and since_end_s < WRITING_S:
        return Found("writing", "The file is still being written.", path, size)
    return Found("present", "", path, size)


def _short(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:120]


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
