"""Follows the recordings that calls told of until each one's fate is known: there, short, empty or missing.

A call that ends makes its recordings due (`check_at`). Each is looked at in a thread, and its row says
what was found. One that is late is looked at again with growing pauses, in proportion to its age, so that
nothing need be remembered over a restart; after `MISSING_AFTER_S` it counts as missing, and is still
looked for now and then for a day, as files of a copied folder may come in the night.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import and_, bindparam, func, select, update

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.prepared import Found, Prepared
from callcrm.kernel.wakes import Wakes, tried
from callcrm.kernel.writer import Unit, Writer
from recordings import Folder, Look, Looker

log = structlog.get_logger(__name__)

#: A file that has not come within this many seconds after its call's end is missing.
MISSING_AFTER_S = 15 * 60
#: After this nobody looks any more.
GIVEN_UP_AFTER_S = 24 * 3600
#: A file may still grow this long after the end of its call.
_GROWS_S = 30.0
_FIRST_AGAIN_S, _LONGEST_PAUSE_S = 1.0, 3600.0
_BATCH = 20
#: Calls that end in one moment have their files looked at, and noted, together.
_GATHER_S = 0.2
_IDLE_S = 30.0
_WATCHED = ("writing", "late", "unknown", "empty", "partial", "missing")


def folder_of(here: str, reported_as: str = "") -> Folder | None:
    """The folder of a PBX's settings `recordings` and `recordings_from`; None when none is set."""
    return Folder(Path(here), reported_as) if here else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row will say, and when to look again."""

    look: Look
    check_at: datetime | None


def judge(look: Look, since_end_s: float, talk_s: float | None, now: datetime) -> Verdict:
    """What a look means this long after the call's end."""
    again = now + timedelta(seconds=min(_LONGEST_PAUSE_S, max(_FIRST_AGAIN_S, since_end_s * 0.7)))
    young = since_end_s < _GROWS_S
    if since_end_s > GIVEN_UP_AFTER_S:
        gone = look.state in ("late", "writing")
        return Verdict(_missing(look) if gone else look, None)
    if look.state == "late" and since_end_s > MISSING_AFTER_S:
        return Verdict(_missing(look), again)
    if look.state in ("late", "writing"):
        return Verdict(look, again)
    if look.state == "unknown":
        return Verdict(look, again if look.cause != NO_FOLDER else None)
    unfinished = look.state == "partial" or (look.state == "empty" and bool(talk_s))
    return Verdict(look, again if young and unfinished else None)


NO_FOLDER = "No recordings folder is set for this PBX."


def _missing(look: Look) -> Look:
    minutes = MISSING_AFTER_S // 60
    return replace(look, state="missing", cause=f"The file did not come within {minutes} minutes after the call.")


#: Fetches a PBX's file into its folder here.
Bring = Callable[[str, str], Awaitable[str]]


class SoundWatch:
    """The worker; `run` goes on until it is cancelled. `folders` are those of the PBXes, by name.

    So long (`keep_after_s`) after a file was found whole it is due to be kept. `bring` fetches a file of a PBX whose
    folder is not mounted into its folder here, and says in words why it did not; "" when it is here, or not there yet.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        bus: Bus,
        folders: Mapping[str, Folder | None],
        looker: Looker,
        *,
        keep_after_s: float = 60.0,
        bring: Bring | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._bus = bus
        self._folders = folders
        self._looker = looker
        self._keep_after = timedelta(seconds=keep_after_s)
        self._bring = bring

    async def run(self) -> None:
        """Look at what is due, whenever something is."""
        async with Wakes(self._bus, "recordings", ("call.ended", "call.changed")) as wakes:
            while True:
                pause = await tried(self._turn, "recordings cannot be looked at at present")
                await wakes.rest(_IDLE_S / 6 if pause is None else pause, _GATHER_S)

    async def _turn(self) -> float:
        """One round; seconds until the next is due."""
        done = await self.check_due()
        return 0.0 if done >= _BATCH else await self._until_due()

    async def check_due(self) -> int:
        """Look at the recordings that are due now, a batch at most; how many there were."""
        now = clock.now()
        async with self._database.glance() as db:
            rows = await _DUE.all(db, {"now": now})
        if not rows:
            return 0
        verdicts = await asyncio.gather(*(self._look(row, now) for row in rows))

        async def note(unit: Unit) -> None:
            for row, verdict in zip(rows, verdicts, strict=True):
                await _note(unit, row, verdict, self._keep_after)
                # Each row is written within the event loop: between two of them it is others' turn.
                await asyncio.sleep(0)

        await self._writer.do(note, name="recordings")
        return len(rows)

    async def _look(self, row: Found, now: datetime) -> Verdict:
        since_end_s = (now - (row.ended_at or row.check_at)).total_seconds()
        talk_s = (row.talk_s or 0.0) if row.files == 1 else None
        folder = self._folders.get(row.pbx)
        trouble = await self._bring(row.pbx, row.file) if self._bring else ""
        look = await self._looker.look(folder, row.file, talk_s, max(0.0, since_end_s))
        if trouble and look.state in ("late", "missing", "unknown", "empty"):
            look = replace(look, state="unknown", cause=trouble)
        return judge(look, since_end_s, talk_s, now)

    async def _until_due(self) -> float:
        async with self._database.glance() as db:
            due = await _NEXT.scalar(db)
        return _IDLE_S if due is None else min(_IDLE_S, max(0.05, (due - clock.now()).total_seconds()))


def _due() -> Any:
    other = CallRecording.__table__.alias("other")
    files = (
        select(func.count())
        .select_from(other)
        .where(other.c.began == CallRecording.began, other.c.call_id == CallRecording.call_id)
        .scalar_subquery()
    )
    own = (CallRecording.began, CallRecording.call_id, CallRecording.n, CallRecording.pbx, CallRecording.file)
    return (
        select(*own, CallRecording.state, CallRecording.size, CallRecording.check_at)
        .add_columns(CallRow.ended_at, CallRow.talk_s, files.label("files"))
        .join(CallRow, and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id))
        .where(
            CallRecording.state.in_(_WATCHED),
            CallRecording.check_at <= bindparam("now", type_=CallRecording.check_at.type),
        )
        .order_by(CallRecording.check_at)
        .limit(_BATCH)
    )


_DUE = Prepared(_due())
_NEXT = Prepared(select(func.min(CallRecording.check_at)).where(CallRecording.state.in_(_WATCHED)))
_SEEN = ("state", "cause", "seconds", "channels", "size", "peaks", "check_at", "keep_at")
_NOTE = Prepared(
    update(CallRecording)
    .where(
        CallRecording.began == bindparam("b_began"),
        CallRecording.call_id == bindparam("b_call"),
        CallRecording.n == bindparam("b_n"),
        CallRecording.state == bindparam("b_state"),
    )
    .values({name: bindparam(f"seen_{name}", type_=CallRecording.__table__.c[name].type) for name in _SEEN})
    .returning(CallRecording.n),
    keyed=True,
)


async def _note(unit: Unit, row: Found, verdict: Verdict, keep_after: timedelta) -> None:
    """The row as it was looked at; one that somebody else has changed meanwhile (deleted, paused) stays."""
    look = verdict.look
    whole = verdict.check_at is None and look.state in ("present", "partial")
    seen = {
        "b_began": row.began,
        "b_call": row.call_id,
        "b_n": row.n,
        "b_state": row.state,
        "seen_state": look.state,
        "seen_cause": look.cause[:300],
        "seen_seconds": look.seconds,
        "seen_channels": look.channels,
        "seen_size": look.size,
        "seen_peaks": look.peaks,
        "seen_check_at": verdict.check_at,
        "seen_keep_at": unit.now + keep_after if whole else None,
    }
    noted = await _NOTE.first(unit.db, seen)
    if noted is not None and (look.state, look.size) != (row.state, row.size):
        unit.fact("recording.changed", stream=f"pbx:{row.pbx}", call=row.call_id, n=row.n)
