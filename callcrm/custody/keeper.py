"""The keeper: takes finished recordings into custody, one at a time, and compares them with their checksums later.

What is due stands in the rows (`recordings.keep_at`, `kept_sounds.verify_at`), so that a restart forgets nothing. What
fails says why in its row and is tried again with growing pauses; the original is removed last, and only when the
file is still the one that was checked.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import and_, select, update

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody.keeping import Hands, Kept, Policy, check_in, keep, name_of
from callcrm.custody.places import Places
from callcrm.custody.tables import KeptSound
from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.upsert import upsert
from callcrm.kernel.wakes import Wakes, tried
from callcrm.kernel.writer import Unit, Writer
from recordings import Outside, find
from recordings.vault import Checked, NotStored, StillWritten, VaultError, checksum, plain_checksum
from recordings.vault.errors import of_os

log = structlog.get_logger(__name__)

#: Recordings that have sound, or part of it, to be kept.
SOUND = ("present", "partial", "paused")
_BATCH = 20
_IDLE_S = 60.0
#: Between two files others have their turn.
_BREATH_S = 0.02
#: Recordings that come in one moment are looked at together: on a busy desk one comes with every call.
_GATHER_S = 1.0
_FIRST_AGAIN_S, _LONGEST_PAUSE_S = 60.0, 6 * 3600.0
_TROUBLE = "the vault's rows cannot be read or written at present"
CHANGED = "The sound is damaged: it is no longer the one that was recorded on %s. Put it back from a backup."
GONE = "The file was there, and is not any more: somebody took it away. Put it back from a backup."


class Keeper:
    """The worker; `run` goes on until it is cancelled."""

    def __init__(self, database: Database, writer: Writer, bus: Bus, places: Places, policy: Policy) -> None:
        self._database, self._writer, self._bus = database, writer, bus
        self._places, self._policy = places, policy
        self._hands = Hands()

    async def run(self) -> None:
        """Keep what is due, whenever something is; at the beginning end what a former run left half done."""
        try:
            async with Wakes(self._bus, "vault", ("recording.changed",)) as wakes:
                while await tried(self.take_leave, _TROUBLE) is None:
                    await wakes.rest(_IDLE_S / 12)
                while True:
                    pause = await tried(self._turn, _TROUBLE)
                    await wakes.rest(_IDLE_S / 12 if pause is None else pause, _GATHER_S)
        finally:
            self._hands.close()

    async def _turn(self) -> float:
        """Some of what is due; seconds until more is."""
        if await self.keep_due() or await self.verify_due():
            return _BREATH_S
        return await self._until_due()

    async def _until_due(self) -> float:
        async with self._database.read() as db:
            due = await db.scalar(
                select(CallRecording.keep_at)
                .where(CallRecording.keep_at.is_not(None))
                .order_by(CallRecording.keep_at)
                .limit(1)
            )
        return _IDLE_S if due is None else min(_IDLE_S, max(0.5, (due - clock.now()).total_seconds()))

    # ---- keeping -------------------------------------------------------------------------------------
    async def keep_due(self) -> int:
        """Keep what is due now, a batch at most; how many there were."""
        async with self._database.read() as db:
            rows = (await db.execute(_DUE.where(CallRecording.keep_at <= clock.now()))).all()
        for row in rows:
            await self.keep_one(row)
            await asyncio.sleep(_BREATH_S)
        return len(rows)

    async def keep_one(self, row: Any) -> None:
        """One recording, from its check to its row; what goes wrong is noted in words."""
        if row.state not in SOUND or row.kept_state == "kept":
            await self._writer.do(lambda unit: _settled(unit, row, None), name="vault")
            return
        try:
            checked = await self._checked(row)
            name = name_of(row.pbx, row.file, row.began, row.call_id, row.n)
            kept = await keep(self._places, self._policy, self._hands, checked, name)
        except StillWritten as error:
            await self._again(row, str(error), failed=False)
            return
        except NotStored:
            await self._writer.do(lambda unit: _vanished(unit, row), name="vault")
            return
        except VaultError as error:
            await self._again(row, str(error), failed=True)
            return
        leaving = (self._policy.remove or row.pbx in self._policy.fetched) and kept.place != "pbx"
        await self._writer.do(lambda unit: self._note(unit, row, kept, leaving=leaving), name="vault")
        log.info("recording kept", call=row.call_id, n=row.n, place=kept.place, form=kept.form, bytes=kept.stored)
        if leaving:
            await self._leave(row.pbx, row.file, checked)

    async def _checked(self, row: Any) -> Checked:
        folder = self._places.folder(row.pbx)
        if folder is None:
            raise VaultError("No recordings folder is set for this PBX: set pbx.NAME.recordings, or vault.fetch.NAME.")
        try:
            return await self._hands.run(check_in, folder, row.file, self._policy.settle_s)
        except Outside as error:
            raise NotStored(str(error)) from error
        except OSError as error:
            if not folder.root.is_dir():
                raise VaultError(f"The recordings folder {folder.root} is not there: is it mounted?") from error
            raise of_os(error, folder.root) from error

    async def _note(self, unit: Unit, row: Any, kept: Kept, *, leaving: bool) -> None:
        verify = timedelta(days=self._policy.verify_days)
        values = {
            "state": "checked" if kept.place == "pbx" else "kept",
            "place": kept.place,
            "name": kept.name,
            "form": kept.form,
            "key_id": kept.key_id,
            "sha256": kept.sha256,
            "kept_sha256": kept.kept_sha256,
            "size": kept.size,
            "stored": kept.stored,
            "original": "leaving" if leaving else "there",
            "trouble": kept.notes[:300],
            "tries": 0,
            "kept_at": unit.now,
            "verified_at": unit.now,
            "verify_at": unit.now + verify if verify else None,
        }
        await upsert(unit.db, KeptSound, {"pbx": row.pbx, "file": row.file, **values})
        await _settled(unit, row, None)

    async def _again(self, row: Any, trouble: str, *, failed: bool) -> None:
        """Try it later; a failure is noted, and its pauses grow."""
        tries = (row.tries or 0) + 1 if failed else 0
        pause = min(_LONGEST_PAUSE_S, _FIRST_AGAIN_S * 2 ** min(tries, 12)) if failed else self._policy.settle_s + 1

        async def work(unit: Unit) -> None:
            if failed:
                values = {"pbx": row.pbx, "file": row.file, "state": "waiting", "trouble": trouble[:300]}
                await upsert(unit.db, KeptSound, {**values, "tries": tries, **_NEW}, keep=tuple(_NEW))
            await _settled(unit, row, unit.now + timedelta(seconds=pause))

        await self._writer.do(work, name="vault")
        if failed:
            log.warning("recording cannot be kept yet", call=row.call_id, n=row.n, error=trouble, again_s=pause)

    # ---- the originals -------------------------------------------------------------------------------
    async def take_leave(self) -> int:
        """Remove originals whose removal a former run was interrupted in."""
        async with self._database.read() as db:
            rows = (await db.execute(select(KeptSound).where(KeptSound.original == "leaving"))).all()
        for row in rows:
            folder = self._places.folder(row.pbx)
            found = find(folder, row.file)
            if found.path is None:
                await self._gone(row.pbx, row.file, "removed")
                continue
            try:
                checked = await self._checked(row)
            except (VaultError, StillWritten):
                continue
            if checked.sha256 == row.sha256:
                await self._leave(row.pbx, row.file, checked)
            else:
                await self._gone(row.pbx, row.file, "there")
        return len(rows)

    async def _leave(self, pbx: str, file: str, checked: Checked) -> None:
        """Remove an original that was stored, read back and noted; one that changed since stays."""

        def unlink() -> str:
            if not checked.unchanged:
                return "there"
            checked.path.unlink(missing_ok=True)
            return "removed"

        try:
            state = await self._hands.run(unlink)
        except OSError as error:
            log.warning("a kept recording's original cannot be removed", file=file, error=str(of_os(error, pbx)))
            state = "there"
        await self._gone(pbx, file, state)

    async def _gone(self, pbx: str, file: str, state: str) -> None:
        this = and_(KeptSound.pbx == pbx, KeptSound.file == file)
        await self._writer.do(
            lambda unit: unit.db.execute(update(KeptSound).where(this).values(original=state)), name="vault"
        )

    # ---- verifying -----------------------------------------------------------------------------------
    async def verify_due(self) -> int:
        """Compare one sound with its checksum, if one is due; how many there were."""
        if not self._policy.verify_days:
            return 0
        due = and_(KeptSound.state.in_(("checked", "kept", "damaged", "gone")), KeptSound.verify_at <= clock.now())
        async with self._database.read() as db:
            row = (await db.execute(select(KeptSound).where(due).order_by(KeptSound.verify_at).limit(1))).first()
        if row is None:
            return 0
        await self.verify(row)
        return 1

    async def verify(self, row: Any) -> str:
        """Compare one sound with its checksum; its state then: checked or kept, damaged, gone, or "" (away)."""
        whole = "checked" if row.place == "pbx" else "kept"
        try:
            sha256 = await self._present_checksum(row)
            state = whole if sha256 == row.kept_sha256 else "damaged"
            trouble = "" if state == whole else CHANGED % f"{row.kept_at:%Y-%m-%d}"
        except NotStored:
            state, trouble = "gone", GONE
        except VaultError as error:
            if error.passes:
                state, trouble = "", str(error)
            else:
                state, trouble = "damaged", str(error)
        await self._writer.do(lambda unit: self._verified(unit, row, state, trouble), name="vault")
        return state

    async def _present_checksum(self, row: Any) -> str:
        if row.place != "pbx":
            return await plain_checksum(self._places.store(row.place), row.name, self._places.ring_for(row.key_id))
        folder = self._places.folder(row.pbx)
        if folder is None or not folder.root.is_dir():
            raise VaultError("The recordings folder is not there: is it mounted?")
        try:
            return await self._hands.run(checksum, folder.path_of(row.file))
        except OSError as error:
            raise of_os(error, folder.root) from error

    async def _verified(self, unit: Unit, row: Any, state: str, trouble: str) -> None:
        this = and_(KeptSound.pbx == row.pbx, KeptSound.file == row.file)
        again = timedelta(days=self._policy.verify_days) if state else timedelta(seconds=_LONGEST_PAUSE_S)
        values: dict[str, Any] = {"verify_at": unit.now + again}
        if state in ("damaged", "gone") or not state:
            values["trouble"] = trouble[:300]
        elif row.state != state:
            values["trouble"] = ""
        if state:
            values |= {"state": state, "verified_at": unit.now}
        await unit.db.execute(update(KeptSound).where(this).values(**values))
        if state and state != row.state:
            log.warning("a kept recording has another state", pbx=row.pbx, file=row.file, state=state, words=trouble)
            await _tell(unit, row.pbx, row.file, state, trouble)


#: What a row that was never kept says.
_NEW = {"place": "pbx", "name": "", "form": "", "key_id": "", "sha256": "", "kept_sha256": "", "original": "there"}
_DUE = (
    select(CallRecording.began, CallRecording.call_id, CallRecording.n, CallRecording.pbx, CallRecording.file)
    .add_columns(CallRecording.state, KeptSound.state.label("kept_state"), KeptSound.tries, CallRow.ended_at)
    .outerjoin(CallRow, and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id))
    .outerjoin(KeptSound, and_(KeptSound.pbx == CallRecording.pbx, KeptSound.file == CallRecording.file))
    .order_by(CallRecording.keep_at)
    .limit(_BATCH)
)


async def _settled(unit: Unit, row: Any, again: datetime | None) -> None:
    """The row is no longer due, or due `again`."""
    this = and_(CallRecording.began == row.began, CallRecording.call_id == row.call_id, CallRecording.n == row.n)
    await unit.db.execute(update(CallRecording).where(this).values(keep_at=again))


async def _vanished(unit: Unit, row: Any) -> None:
    """The file was seen, and was gone before it could be kept."""
    values = {"pbx": row.pbx, "file": row.file, "state": "gone", "trouble": GONE}
    await upsert(unit.db, KeptSound, {**values, "tries": 0, **_NEW}, keep=tuple(_NEW))
    await _settled(unit, row, None)
    await _tell(unit, row.pbx, row.file, "gone", GONE)


async def _tell(unit: Unit, pbx: str, file: str, state: str, trouble: str) -> None:
    """Let the recordings of this file say that it is damaged, gone, or well again."""
    mine = and_(CallRecording.pbx == pbx, CallRecording.file == file)
    told: dict[str, tuple[str, Sequence[str]]] = {
        "damaged": ("partial", ("present", "partial", "paused", "missing")),
        "gone": ("missing", ("present", "partial", "paused")),
    }
    new, old = told.get(state, ("present", ("missing", "partial")))
    changed = (
        update(CallRecording)
        .where(mine, CallRecording.state.in_(old))
        .values(state=new, cause=trouble[:300])
        .returning(CallRecording.call_id, CallRecording.n)
    )
    for row in (await unit.db.execute(changed)).all():
        unit.fact("recording.changed", stream=f"pbx:{pbx}", call=row.call_id, n=row.n)
