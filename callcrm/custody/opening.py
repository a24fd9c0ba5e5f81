"""THE way to a recording's bytes, wherever they lie: the PBX's folder, the vault's or a bucket, plain or encrypted.

    lying = await opening.heard_sound(db, actor, call_id, n)    # asks the right; `sound_of` is the service's own
    opened = await opener.open(lying)
    async for block in opened.blocks(part_of(opened.size, range_header)): ...

What needs a file (X-ray, cutting, a person's file) takes `async with opener.local(lying) as path`.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.calls import heard
from callcrm.calls.tables import CallRecording
from callcrm.custody.places import Places
from callcrm.custody.tables import KeptSound
from callcrm.kernel.errors import CallcrmError, NotFound
from recordings import BadSound, Folder, Looker, Part, blocks, find, media_type
from recordings.playable import playable
from recordings.ranges import TYPES
from recordings.vault import NotStored, StoreAway, StoreFull, VaultError, plain_blocks, plain_file
from recordings.vault.reading import plain_size

#: States of a recording whose sound is there.
_HEARD = ("present", "partial", "paused")


class Away(CallcrmError):
    """The place where the sound lies does not answer at present; told in one sentence."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A recording's sound: how the PBX named it, how it stands, and where it lies (`place` "pbx": in its folder)."""

    pbx: str
    file: str
    state: str
    cause: str = ""
    place: str = "pbx"
    name: str = ""
    form: str = ""
    key_id: str = ""
    size: int | None = None
    sha256: str = ""
    trouble: str = ""


Read = Callable[[Part], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A sound that can be read: `size` bytes of `media_type`; `path` where it is a plain file of this machine."""

    size: int
    media_type: str
    suffix: str
    path: Path | None
    _read: Read

    async def blocks(self, part: Part) -> AsyncIterator[bytes]:
        """The bytes of a part, some at a time, decrypted. Raises NotFound and Away, also on the way."""
        try:
            async for block in self._read(part):
                yield block
        except VaultError as error:
            raise told(error) from error


def told(error: VaultError) -> CallcrmError:
    """What goes wrong in the vault, as pages tell it."""
    return Away(str(error)) if isinstance(error, (StoreAway, StoreFull)) else NotFound(str(error))


async def heard_sound(db: AsyncConnection, actor: Actor, call_id: str, n: int) -> Lying:
    """Where a recording lies that the actor may hear. Raises NotFound and NotAllowed."""
    await heard.sound_file(db, actor, call_id, n)
    return await sound_of(db, call_id, n)


async def sound_of(db: AsyncConnection, call_id: str, n: int) -> Lying:
    """Where a recording lies, for the service's own work: no right is asked. Raises NotFound."""
    row = (await db.execute(_LYING.where(CallRecording.call_id == call_id, CallRecording.n == n))).first()
    if row is None:
        raise NotFound("There is no such recording.")
    return lying_of(row)


def lying_of(row: Any) -> Lying:
    """A row of `recordings` beside that of `kept_sounds` (`LYING_COLUMNS`), as what can be opened."""
    if row.place in (None, "pbx"):
        return Lying(row.pbx, row.file, row.state, row.cause, trouble=row.trouble or "")
    where = {name: getattr(row, name) for name in ("place", "name", "form", "key_id", "trouble")}
    return Lying(row.pbx, row.file, row.state, row.cause, **where, size=row.kept_size, sha256=row.kept_sha256)


LYING_COLUMNS = (
    CallRecording.pbx,
    CallRecording.file,
    CallRecording.state,
    CallRecording.cause,
    KeptSound.place,
    KeptSound.name,
    KeptSound.form,
    KeptSound.key_id,
    KeptSound.kept_sha256,
    KeptSound.size.label("kept_size"),
    KeptSound.trouble,
)
KEPT = and_(KeptSound.pbx == CallRecording.pbx, KeptSound.file == CallRecording.file)
_LYING: Select[*tuple[Any, ...]] = select(*LYING_COLUMNS).outerjoin(KeptSound, KEPT)


class Opener:
    """Opens sounds in the places of the settings, in a few threads of its own; `close` ends it."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._looker = Looker()

    async def open(self, lying: Lying) -> Opened:
        """The sound, as browsers play it. Raises NotFound (in words why there is none) and Away."""
        if lying.state == "deleted":
            raise NotFound(lying.cause or "This recording was deleted by rule.")
        if lying.place == "pbx":
            return await self._looker.run(self._in_folder, lying)
        try:
            return await self._in_store(lying)
        except NotStored as error:
            # Its original may still be where the PBX left it.
            try:
                return await self._looker.run(self._in_folder, lying)
            except NotFound:
                raise told(error) from error
        except VaultError as error:
            raise told(error) from error

    @asynccontextmanager
    async def local(self, lying: Lying) -> AsyncIterator[Path]:
        """A plain file of this machine while the block lasts, to be read only. Raises NotFound and Away."""
        opened = await self.open(lying)
        if opened.path is not None:
            yield opened.path
            return
        copy = await self._looker.run(self._temporary, opened.suffix)
        try:
            ring = self.places.ring_for(lying.key_id)
            try:
                await plain_file(self.places.store(lying.place), lying.name, copy, ring)
            except VaultError as error:
                raise told(error) from error
            yield copy
        finally:
            await self._looker.run(copy.unlink, True)

    async def remove(self, lying: Lying) -> None:
        """Take a sound away for good, wherever it lies; one that is not there is no error. Raises Away and NotFound."""
        if lying.place != "pbx":
            try:
                await self.places.store(lying.place).remove(lying.name)
            except VaultError as error:
                raise told(error) from error
        await self._looker.run(self._remove_original, lying)

    async def close(self) -> None:
        """End the threads."""
        self._looker.close()

    async def _in_store(self, lying: Lying) -> Opened:
        store, ring = self.places.store(lying.place), self.places.ring_for(lying.key_id)
        size = await plain_size(store, lying.name, ring)
        suffix = f".{lying.form}"
        media = TYPES.get(suffix, "application/octet-stream")
        path = store.path(lying.name) if ring is None else None
        return Opened(size, media, suffix, path, lambda part: plain_blocks(store, lying.name, part, ring))

    def _in_folder(self, lying: Lying) -> Opened:
        found = find(self.places.folder(lying.pbx), lying.file)
        if found.path is None:
            if lying.state in _HEARD and found.state != "unknown":
                raise NotFound("The recording was here and is not any more: its file is gone from the PBX’s folder.")
            raise NotFound(found.cause or lying.cause or "There is no sound.")
        try:
            path = playable(found.path)
            size = path.stat().st_size
        except (BadSound, OSError) as error:
            raise NotFound(str(error)) from error
        return Opened(size, media_type(path), path.suffix, path, lambda part: self._of_file(path, part))

    async def _of_file(self, path: Path, part: Part) -> AsyncIterator[bytes]:
        with await self._looker.run(lambda: path.open("rb")) as file:
            parts = blocks(file, part)
            while block := await self._looker.run(next, parts, b""):
                yield block

    def _temporary(self, suffix: str) -> Path:
        self.places.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix, "heard-", self.places.work)
        os.close(handle)
        return Path(name)

    def _remove_original(self, lying: Lying) -> None:
        folder: Folder | None = self.places.folder(lying.pbx)
        found = find(folder, lying.file)
        if found.path is not None:
            found.path.unlink(missing_ok=True)
