"""Where kept sounds lie. A store holds files by name; the folder tree is one kind, the bucket (bucket.py) the other."""

import asyncio
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from recordings.vault.errors import Damaged, VaultError, of_os

_COPY = 1 << 20


class Store(Protocol):
    """Files by name (`2026/11/21/….flac`). Everything raises VaultError, in words."""

    #: "folder" or "bucket", as rows name it; and where it is, for people.
    kind: str
    place: str

    async def put(self, name: str, path: Path) -> None:
        """Store a file; it is there whole or not at all, in place of one of that name."""

    async def size(self, name: str) -> int:
        """How many bytes lie there. Raises NotStored."""

    async def read(self, name: str, begin: int, end: int) -> bytes:
        """Bytes of a file, a megabyte or two at most. Raises NotStored, and Damaged when there are fewer."""

    async def remove(self, name: str) -> None:
        """Take a file away; one that is not there is no error."""

    async def probe(self) -> None:
        """Try whether it can be used at all: write, read and remove something."""

    def path(self, name: str) -> Path | None:
        """The file's path where it is one of this machine."""


class FolderStore:
    """A folder tree on a disk of this machine; files are complete (and on the disk) before they have their name."""

    kind = "folder"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)

    def path(self, name: str) -> Path:
        """The path of a name; names are made by us, and those that would lead out are refused all the same."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise Damaged(f"The name {name[:80]!r} leads out of {self.root}.")
        return path

    async def put(self, name: str, path: Path) -> None:
        """See Store."""
        await asyncio.to_thread(self._put, name, path)

    def _put(self, name: str, source: Path) -> None:
        target = self.path(name)
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
            with os.fdopen(handle, "wb") as new, source.open("rb") as old:
                shutil.copyfileobj(old, new, _COPY)
                new.flush()
                os.fsync(new.fileno())
            part.replace(target)
        except OSError as error:
            raise of_os(error, self.root) from error
        finally:
            with suppress(OSError):
                part.unlink()

    async def size(self, name: str) -> int:
        """See Store."""
        try:
            return (await asyncio.to_thread(self.path(name).stat)).st_size
        except OSError as error:
            raise self._absent(error) from error

    async def read(self, name: str, begin: int, end: int) -> bytes:
        """See Store."""
        return await asyncio.to_thread(self._read, name, begin, end)

    def _read(self, name: str, begin: int, end: int) -> bytes:
        try:
            with self.path(name).open("rb") as file:
                file.seek(begin)
                data = file.read(end - begin)
        except OSError as error:
            raise self._absent(error) from error
        if len(data) != end - begin:
            raise Damaged("The file is shorter than it was when it was kept.")
        return data

    def _absent(self, error: OSError) -> VaultError:
        """A file that is not there; or rather the whole folder, which then is not mounted."""
        if isinstance(error, FileNotFoundError) and not self.root.is_dir():
            return of_os(OSError(None, "it is not there: is it mounted?"), self.root)
        return of_os(error, self.root)

    async def remove(self, name: str) -> None:
        """See Store."""
        try:
            await asyncio.to_thread(self.path(name).unlink, missing_ok=True)
        except OSError as error:
            raise of_os(error, self.root) from error

    async def probe(self) -> None:
        """See Store."""
        await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        trial = self.root / ".callcrm-trial"
        try:
            self.root.mkdir(mode=0o750, parents=True, exist_ok=True)
            trial.write_bytes(b"trial")
            trial.unlink()
        except OSError as error:
            raise of_os(error, self.root) from error
