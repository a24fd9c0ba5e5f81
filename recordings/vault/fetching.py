"""Brings a file from where it was recorded into a folder here: whole or not at all, and again when it has changed."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recordings.vault.errors import StoreFull, VaultError, of_os
from recordings.vault.strays import File

#: Nothing longer is a recording: a day of stereo in 16 bits at 16 kHz.
LARGEST = 6 << 30


class FetchFailed(VaultError):
    """The other side does not answer, does not let us in, or gave less than it promised; told in one sentence."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What is known of a file over there: `size` in bytes (None: not told), `changed` in seconds since the epoch."""

    size: int | None
    changed: float


class Source(Protocol):
    """Where files are fetched from, by their names under its folder."""

    async def fetch(self, name: str, target: Path) -> bool:
        """Bring `name` to `target` unless it lies there unchanged; False: there is no such file. Raises VaultError."""

    def files(self) -> AsyncIterator[File] | None:
        """Every sound file there, folder by folder; None where nobody tells what there is. Raises VaultError."""

    async def close(self) -> None:
        """Hang up."""


def unchanged(target: Path, remote: Remote) -> bool:
    """Whether what lies here is what lies there."""
    try:
        status = target.stat()
    except OSError:
        return False
    return status.st_size == remote.size and abs(status.st_mtime - remote.changed) < 1.5


def changed_at(target: Path) -> float | None:
    """When what lies here was changed over there; None when nothing does."""
    try:
        return target.stat().st_mtime
    except OSError:
        return None


async def receive(blocks: AsyncIterator[bytes], target: Path, remote: Remote) -> None:
    """Write what comes to a file beside `target`, and give it its name and time when it is whole. Raises VaultError."""
    part = target.with_name(f"{target.name}.part")
    try:
        await asyncio.to_thread(target.parent.mkdir, 0o750, True, True)
        with await asyncio.to_thread(part.open, "wb") as file:
            came = 0
            async for block in blocks:
                came += len(block)
                if came > LARGEST:
                    raise FetchFailed(f"{target.name} is longer than any recording: it is left where it is.")
                await asyncio.to_thread(file.write, block)
        if remote.size is not None and came != remote.size:
            raise FetchFailed(f"Only {came} of {remote.size} bytes came of {target.name}; it is tried again by itself.")
        os.utime(part, (remote.changed, remote.changed))
        part.replace(target)
    except OSError as error:
        failed = of_os(error, target.parent)
        raise failed if isinstance(failed, StoreFull) else FetchFailed(str(failed)) from error
    finally:
        part.unlink(missing_ok=True)
