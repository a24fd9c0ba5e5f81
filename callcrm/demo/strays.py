"""A file or two in the demo's folder that no call told of, so that there is something to find and to link."""

import os
import shutil
import time
from pathlib import Path

#: Left by somebody who tried his telephone, and by a copy under another name.
TRIAL, COPY = "test-of-the-line.wav", "copy-of-"
_AGE_S = 2 * 3600


def leave(folder: Path) -> None:
    """Put them there once; without any recording there is nothing to copy. Blocks."""
    if (folder / TRIAL).exists():
        return
    files = sorted(folder.rglob("*.wav"))
    if not files:
        return
    shutil.copyfile(files[0], folder / TRIAL)
    shutil.copyfile(files[len(files) // 2], copy := folder / f"{COPY}{files[len(files) // 2].name}")
    for path in (folder / TRIAL, copy):
        os.utime(path, (time.time() - _AGE_S,) * 2)
