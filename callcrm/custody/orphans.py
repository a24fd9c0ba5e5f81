"""Finds sound files that no call told of, and guesses their calls; goes through the folders seldom and in pieces.

The vault is not gone through: what lies there was a call's recording before it came, its row is written when it was
read back, and what a broken-off attempt left is written over by the next one under the same name.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from callcrm.calls.tables import CallOperator, CallRecording, CallRow, LegRow
from callcrm.custody import straying
from callcrm.custody.keeping import Hands
from callcrm.custody.matching import Candidate, Guess, Stray, guesses, ids_in, times_in
from callcrm.custody.places import Places
from callcrm.custody.tables import StraySound
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, NotFound
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from recordings import BadSound, Folder, measure
from recordings.folder import HEADER_BYTES
from recordings.vault import VaultError
from recordings.vault.fetching import Source
from recordings.vault.strays import File, sound_files

log = structlog.get_logger(__name__)

#: A younger file may belong to a call that goes on, or whose end is still being told.
YOUNG_S = 3600.0
#: So many strays are remembered for one PBX; a folder that was never this service's has more than anybody can look at.
MOST = 5000
_BATCH = 200
_CANDIDATES = 200
_BEFORE, _AFTER = timedelta(minutes=30), timedelta(minutes=5)
_LONGEST = timedelta(hours=6)
#: So long after its last change a file's call may still be found (by a reconciliation, say).
_GUESSED_FOR = timedelta(days=3)
_ZONES = timedelta(hours=14)


class StrayFinder:
    """One pass is `find_all`; `close` ends its thread. `link`: certain guesses are carried out.

    Files that were changed less than `young_s` ago are left for the next pass. Of a PBX whose files are fetched its
    `source` is asked what there is; where that gives no list, only what was brought here is looked at.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        places: Places,
        *,
        sources: Mapping[str, Source] | None = None,
        link: bool = False,
        young_s: float = YOUNG_S,
    ) -> None:
        self._database, self._writer, self._places = database, writer, places
        self._sources = sources or {}
        self._link, self._young_s = link, young_s
        self._hands = Hands()

    def close(self) -> None:
        """End the thread."""
        self._hands.close()

    async def find_all(self) -> int:
        """Go through the folders of every PBX; how many strays are open then."""
        found = 0
        for name, folder in self._places.folders.items():
            if folder is not None:
                found += await self._find(name, folder)
        return found

    async def _find(self, pbx: str, folder: Folder) -> int:
        began, open_ = clock.now(), 0
        try:
            async for batch in self._batches(pbx, folder):
                open_ += await self._batch(pbx, folder, batch, room=MOST - open_)
                await asyncio.sleep(0)
        except (OSError, VaultError) as error:
            # Nothing is forgotten of a folder that cannot be read at present.
            log.warning("strays cannot be looked for", pbx=pbx, error=getattr(error, "strerror", None) or str(error))
            return open_
        await self._writer.do(lambda unit: _forget(unit, pbx, began), name="strays")
        if open_:
            log.info("sound files without a call", pbx=pbx, files=open_)
        return open_

    async def _batches(self, pbx: str, folder: Folder) -> AsyncIterator[list[File]]:
        """Every sound file of a PBX, some at a time: where they are fetched from, else in its folder here."""
        source = self._sources.get(pbx)
        listed = source.files() if source is not None else None
        if listed is None:
            files = sound_files(folder.root)
            while batch := await self._hands.run(_next, files):
                yield batch
            return
        batch = []
        async for file in listed:
            batch.append(file)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _batch(self, pbx: str, folder: Folder, files: Sequence[File], room: int) -> int:
        oldest = clock.now().timestamp() - self._young_s
        # What holds no sound is no call's: MixMonitor leaves a bare header of every call that nobody answered.
        rested = [file for file in files if file.changed < oldest and file.size > HEADER_BYTES]
        async with self._database.read() as db:
            known = await _known(db, pbx, folder, rested)
        strays = [file for file in rested if file.name not in known][: max(0, room)]
        again = await self._settled(pbx, strays)
        for file in strays:
            if file.name not in again:
                await self._one(pbx, folder, file)
        return len(strays)

    async def _settled(self, pbx: str, files: Sequence[File]) -> set[str]:
        """Those that were looked at before and that no call can be found for any more: only that they are there."""
        names, old = [file.name for file in files], clock.now() - _GUESSED_FOR
        if not names:
            return set()
        async with self._database.read() as db:
            seen = and_(StraySound.pbx == pbx, StraySound.file.in_(names), StraySound.changed_at < old)
            rows = (await db.execute(select(StraySound.file, StraySound.size).where(seen))).all()
        sizes = {file.name: file.size for file in files}
        same = [row.file for row in rows if sizes[row.file] == row.size]
        this = and_(StraySound.pbx == pbx, StraySound.file.in_(same))
        if same:
            await self._writer.do(
                lambda unit: unit.db.execute(update(StraySound).where(this).values(seen_at=unit.now)), name="strays"
            )
        return set(same)

    async def _one(self, pbx: str, folder: Folder, file: File) -> None:
        """Note one stray with its guesses; link it when the rule says so."""
        changed_at = datetime.fromtimestamp(file.changed, UTC)
        async with self._database.read() as db:
            there = (
                await db.execute(select(StraySound).where(StraySound.pbx == pbx, StraySound.file == file.name))
            ).first()
            if there is not None and there.state == "dismissed":
                found: tuple[Guess, ...] = ()
                seconds = there.seconds
            else:
                seconds = await self._hands.run(_seconds, folder, file.name)
                stray = Stray(file.name, seconds, changed_at)
                found = guesses(stray, await candidates(db, pbx, stray))
        row = {"pbx": pbx, "file": file.name, "size": file.size, "seconds": seconds, "changed_at": changed_at}

        async def note(unit: Unit) -> None:
            told = {**row, "seen_at": unit.now, "guesses": [asdict(one) for one in found]}
            fixed = {"state": "open", "replaced": "", "how": ""}
            await upsert(unit.db, StraySound, {**told, **fixed}, key=("pbx", "file"), keep=tuple(fixed))

        await self._writer.do(note, name="strays")
        if self._link and found and found[0].certain:
            await self._by_rule(pbx, file.name, found[0])

    async def _by_rule(self, pbx: str, file: str, guess: Guess) -> None:
        async with self._database.read() as db:
            this = and_(StraySound.pbx == pbx, StraySound.file == file, StraySound.state == "open")
            stray_id = await db.scalar(select(StraySound.id).where(this))
        if stray_id is None:
            return
        try:
            await self._writer.do(lambda unit: straying.link(unit, None, stray_id, guess.call_id), name="strays")
        except (Conflict, NotFound) as error:
            log.info("a stray was not linked by rule", pbx=pbx, file=file, why=str(error))
        else:
            log.info("a stray was linked by rule", pbx=pbx, file=file, call=guess.call_id, why=guess.why)


def _next(files: Iterator[File]) -> list[File]:
    return list(islice(files, _BATCH))


def _seconds(folder: Folder, name: str) -> float | None:
    try:
        return measure(folder.path_of(name)).seconds
    except (BadSound, OSError, ValueError):
        return None


async def _known(db: Any, pbx: str, folder: Folder, files: Sequence[File]) -> set[str]:
    """Which of these names calls told of, in any of the forms in which a PBX names a file."""
    forms: dict[str, str] = {}
    for file in files:
        for prefix in ("", folder.reported_as, str(folder.root), str(folder.root.absolute())):
            forms[f"{prefix.rstrip('/')}/{file.name}" if prefix else file.name] = file.name
    told = select(CallRecording.file).where(CallRecording.pbx == pbx, CallRecording.file.in_(list(forms)))
    return {forms[name] for name in await db.scalars(told)}


async def _forget(unit: Unit, pbx: str, before: datetime) -> None:
    """Strays that were not met in this pass are there no more, or have a call now."""
    gone = and_(StraySound.pbx == pbx, StraySound.state != "linked", StraySound.seen_at < before)
    await unit.db.execute(delete(StraySound).where(gone))


async def candidates(db: Any, pbx: str, stray: Stray) -> list[Candidate]:
    """The calls near a stray's times: of its last change, of ids in its name, and of times in its name."""
    near: list[ColumnElement[bool]] = [CallRow.ended_at.between(stray.changed_at - _BEFORE, stray.changed_at + _AFTER)]
    for uniqueid in ids_in(stray.name):
        at = datetime.fromtimestamp(int(uniqueid.partition(".")[0]), UTC)
        near.append(and_(CallRow.ended_at.between(at, at + _LONGEST), CallRow.at.between(at - _BEFORE, at + _AFTER)))
    seconds = stray.seconds or 0.0
    as_long = CallRow.talk_s.between(seconds * 0.9 - 3, seconds * 1.1 + 3)
    near += [
        and_(CallRow.ended_at.between(at - _ZONES, at + _ZONES + _LONGEST), as_long) for at in times_in(stray.name)
    ]
    wanted = select(CallRow).where(CallRow.pbx == pbx, CallRow.ended_at.is_not(None), or_(*near)).limit(_CANDIDATES)
    calls = (await db.execute(wanted)).all()
    return await _filled(db, calls)


async def _filled(db: Any, calls: Sequence[Any]) -> list[Candidate]:
    """With the channels, phones and recordings of each call."""
    ids = [call.id for call in calls]
    channels = await _grouped(db, select(LegRow.call_id, LegRow.uniqueid).where(LegRow.call_id.in_(ids)))
    phones = await _grouped(
        db, select(CallOperator.call_id, CallOperator.extension).where(CallOperator.call_id.in_(ids))
    )
    told = select(CallRecording.call_id, CallRecording.n, CallRecording.state).where(CallRecording.call_id.in_(ids))
    missing: dict[str, list[int]] = {}
    sounds: dict[str, int] = {}
    for row in (await db.execute(told)).all():
        if row.state in ("missing", "late"):
            missing.setdefault(row.call_id, []).append(row.n)
        elif row.state in ("present", "partial", "paused"):
            sounds[row.call_id] = sounds.get(row.call_id, 0) + 1
    return [
        Candidate(
            call.id,
            call.at,
            call.answered_at,
            call.ended_at,
            call.talk_s,
            call.client_number or call.client_raw or "",
            frozenset(phones.get(call.id, ())),
            frozenset({call.uniqueid, *channels.get(call.id, ())} - {""}),
            tuple(sorted(missing.get(call.id, ()))),
            sounds.get(call.id, 0),
        )
        for call in calls
    ]


async def _grouped(db: Any, statement: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call_id, value in (await db.execute(statement)).all():
        found.setdefault(call_id, []).append(value)
    return found
