"""Recordings of ended calls as the keeper finds them, and a vault to keep them in."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody.keeper import Keeper
from callcrm.custody.keeping import Policy
from callcrm.custody.opening import Lying, Opener, sound_of
from callcrm.custody.places import Places
from callcrm.custody.tables import KeptSound
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from recordings import Folder, Part
from recordings.vault import FolderStore, KeyRing, Store
from tests.recordings.making import tone, write

BEGAN = datetime(2026, 11, 21, 17, 11, 7, tzinfo=UTC)
REPORTED = "/var/spool/asterisk/monitor"


def rested(path: Path, age_s: float = 600) -> Path:
    """A file that was written some time ago."""
    os.utime(path, (time.time() - age_s,) * 2)
    return path


class Vault:
    """A PBX's folder, a vault beside it, and the keeper between them."""

    def __init__(self, database: Database, writer: Writer, bus: LocalBus, root: Path) -> None:
        self.database, self.writer, self.bus, self.root = database, writer, bus, root
        self.monitor = root / "monitor"
        self.monitor.mkdir()
        self.store: Store = FolderStore(root / "kept")
        self.places = self.placed()

    def placed(self, store: Store | None = None, key: str = "", *, current: bool = True) -> Places:
        """Places with this store as the current one."""
        store = self.store = store or self.store
        ring = KeyRing.of([key]) if key else KeyRing({})
        folders = {"office": Folder(self.monitor, REPORTED)}
        kind: Any = store.kind if current else ""
        self.places = Places(folders, {store.kind: store}, kind, ring, self.root / "work")
        return self.places

    def keeper(self, **policy: Any) -> Keeper:
        """A keeper of these places; the policy's files need not rest."""
        return Keeper(self.database, self.writer, self.bus, self.places, Policy(**{"settle_s": 0.0, **policy}))

    def sound(self, name: str = "a.wav", seconds: float = 4.0, **how: str) -> Path:
        """A stereo file of the PBX, at rest."""
        lanes = (tone(seconds, hertz=300), tone(seconds, 0.2, 700))
        return rested(write(self.monitor / name, *(lanes[:1] if how else lanes), **how))

    async def call(self, call_id: str, *files: str, state: str = "present", pbx: str = "office") -> None:
        """An ended call with recordings that are due to be kept."""

        async def work(unit: Unit) -> None:
            ended = unit.now - timedelta(minutes=5)
            row = {"began": BEGAN, "id": call_id, "pbx": pbx, "uniqueid": call_id, "direction": "inbound"}
            await unit.db.execute(insert(CallRow).values(**row, at=BEGAN, ended_at=ended, talk_s=3.0, state="ended"))
            for n, file in enumerate(files):
                key = {"began": BEGAN, "call_id": call_id, "n": n, "pbx": pbx, "file": file, "state": state}
                await unit.db.execute(insert(CallRecording).values(**key, keep_at=unit.now))

        await self.writer.do(work, name="test")

    async def kept(self) -> dict[str, Any]:
        """The rows of kept sounds, by file."""
        async with self.database.read() as db:
            return {row.file: row for row in (await db.execute(select(KeptSound))).all()}

    async def recording(self, call_id: str, n: int = 0) -> Any:
        """One recording's row."""
        async with self.database.read() as db:
            this = (CallRecording.call_id == call_id, CallRecording.n == n)
            return (await db.execute(select(CallRecording).where(*this))).one()

    async def lying(self, call_id: str, n: int = 0) -> Lying:
        """Where it lies."""
        async with self.database.read() as db:
            return await sound_of(db, call_id, n)

    async def heard(self, call_id: str, part: Part | None = None) -> bytes:
        """Its bytes, as the player gets them."""
        async with self.opener() as opener:
            opened = await opener.open(await self.lying(call_id))
            part = part or Part(0, opened.size, opened.size, True)
            return b"".join([block async for block in opened.blocks(part)])

    @asynccontextmanager
    async def opener(self) -> AsyncIterator[Opener]:
        """What opens sounds in these places."""
        opener = Opener(self.places)
        try:
            yield opener
        finally:
            await opener.close()

    def lies(self) -> list[str]:
        """The files in the folder tree, without the day."""
        return sorted(path.name for path in (self.root / "kept").rglob("*") if path.is_file())
