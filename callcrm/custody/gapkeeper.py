"""Follows the gaps of recordings: what the PBX said to a wish, when a gap's time is over, when its call ended.

Of a gap that the PBX refused the person is told at once, for the card number is being recorded. A gap that will not end
is asked to end again and again until its call does.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import RowMapping, and_, select, update

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody import pausing
from callcrm.custody.law_tables import RecordingGap
from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.subscription import Resync
from callcrm.kernel.tables import Command
from callcrm.kernel.wakes import Wakes, tried
from callcrm.kernel.writer import Unit, Writer

log = structlog.get_logger(__name__)

_IDLE_S, _AGAIN = 60.0, timedelta(seconds=2)
#: A recording of a copied folder may come so late.
_COMES_WITHIN = timedelta(days=1)
_TROUBLE = "gaps of recordings cannot be settled at present"
_HEARD = ("command.wanted", "command.changed", "call.ended", "call.changed", "recording.changed")
_SETTLED = ("done", "refused", "expired", "cancelled")
#: What the PBX says of a line that has ended meanwhile, or at which no recording hangs.
_NOT_THERE = ("no longer there", "nothing is recorded")


class GapKeeper:
    """The worker; `run` goes on until it is cancelled."""

    def __init__(self, database: Database, writer: Writer, bus: Bus) -> None:
        self._database, self._writer, self._bus = database, writer, bus
        self._active = True
        self._gapped: set[str] = set()
        self._sounds: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """Settle what is to be settled, whenever something is."""
        async with Wakes(self._bus, "gaps in recordings", _HEARD, self._heeds) as wakes:
            while await tried(self._remember, _TROUBLE) is None:
                await wakes.rest(_AGAIN.total_seconds())
            while True:
                pause = await tried(self._turn, _TROUBLE)
                await wakes.rest(_AGAIN.total_seconds() if pause is None else pause)

    def _heeds(self, told: Fact | Resync) -> bool:
        """While no gap lasts, calls go by unheeded; recordings, where their call has none."""
        if isinstance(told, Resync) or told.kind == "command.wanted":
            self._active = True
        elif told.kind == "recording.changed":
            call = str(told.ids.get("call"))
            if call in self._gapped:
                self._sounds.add((call, int(told.ids.get("n") or 0)))
            return call in self._gapped
        return self._active

    async def _remember(self) -> int:
        """The calls whose recordings may come yet, and hold a gap; how many there are."""
        lately = RecordingGap.at > clock.now() - _COMES_WITHIN
        async with self._database.read() as db:
            self._gapped = set((await db.execute(select(RecordingGap.call_id).where(lately))).scalars())
        return len(self._gapped)

    async def _turn(self) -> float:
        """One round; seconds until a gap ends by itself."""
        due = await self.settle() if self._active else None
        await self._mark()
        return _IDLE_S if due is None else min(_IDLE_S, max(0.02, (due - clock.now()).total_seconds()))

    async def settle(self) -> datetime | None:
        """Take every gap that lasts one step on, where there is one; when the next ends by itself."""
        async with self._database.read() as db:
            active = RecordingGap.state.in_(pausing.ACTIVE)
            rows = (await db.execute(select(RecordingGap.__table__).where(active))).mappings().all()
        self._gapped |= {row["call_id"] for row in rows}
        for row in rows:
            await self._writer.do(partial(step, gap_id=row["id"]), name="gap of a recording")
        async with self._database.read() as db:
            left = (await db.execute(select(RecordingGap.state, RecordingGap.resume_at).where(active))).all()
        self._active = bool(left)
        return min((gap.resume_at for gap in left), default=None)

    async def _mark(self) -> None:
        """Recordings whose sound has come and that hold a gap say so."""
        heard, self._sounds = self._sounds, set()
        if not heard:
            return
        async with self._database.read() as db:
            calls = {call for call, _n in heard}
            there = select(RecordingGap.call_id).where(RecordingGap.call_id.in_(calls), RecordingGap.state == "closed")
            with_gaps = set((await db.execute(there)).scalars())
        for call, n in sorted(heard):
            if call in with_gaps:
                await self._writer.do(partial(mark, call=call, n=n), name="sound with a gap")


async def step(unit: Unit, gap_id: str) -> None:
    """Take a gap one step on."""
    statement = select(RecordingGap.__table__).where(RecordingGap.id == gap_id).with_for_update()
    gap = (await unit.db.execute(statement)).mappings().one_or_none()
    if gap is None or gap["state"] not in pausing.ACTIVE:
        return
    call = (await unit.db.execute(select(CallRow.ended_at).where(CallRow.id == gap["call_id"]))).first()
    ended = unit.now if call is None else call.ended_at
    if gap["state"] == "asked":
        await _asked(unit, gap, ended)
    elif ended is not None:
        await _over(unit, gap, ended, "call")
    elif gap["state"] == "open":
        await _lasts(unit, gap)
    else:
        await _closing(unit, gap)


async def _asked(unit: Unit, gap: RowMapping, ended: datetime | None) -> None:
    said = await _commands(unit, gap["pausing"])
    done = [one for one in said if one["state"] == "done"]
    if not done and (ended is not None or all(one["state"] in _SETTLED for one in said)):
        told = sorted((_message(one) for one in said if _message(one)), key=_harmless)
        words = told[0] if told else "The PBX was not asked in time."
        await _write(unit, gap, state="refused", ended_at=unit.now, words=words)
        log.warning("a recording was not paused", call=gap["call_id"], words=words)
        return
    if not done:
        return
    begins = min(one["changed_at"] for one in done)
    length = max(gap["resume_at"] - gap["at"], timedelta())
    await _write(unit, gap, state="open", begins_at=begins, resume_at=begins + length)
    await _say(unit, gap, "Paused for the moment; what is said now is not recorded.")
    log.info("recording paused", call=gap["call_id"], gap=gap["id"])


async def _lasts(unit: Unit, gap: RowMapping) -> None:
    if gap["resume_at"] <= unit.now:
        await pausing.close(unit, gap["id"], gap["ended_how"] or "time", gap["ended_by"])
        return
    fresh = [one for one in await pausing.living(unit.db, gap["call_id"]) if one not in gap["channels"]]
    if fresh:
        await pausing.cover(unit, gap["id"], fresh)


async def _closing(unit: Unit, gap: RowMapping) -> None:
    said = await _commands(unit, gap["resuming"])
    if not all(one["state"] in _SETTLED for one in said):
        return
    failed = [one for one in said if one["state"] != "done" and not _harmless(_message(one))]
    if failed:
        words = f"The recording does not go on yet: {_message(failed[0])} It is asked again."
        await _write(unit, gap, state="open", resume_at=unit.now + _AGAIN, words=words[:300])
        log.warning("a recording does not go on", call=gap["call_id"], words=words)
        return
    done = [one["changed_at"] for one in said if one["state"] == "done"]
    await _over(unit, gap, max(done, default=unit.now), gap["ended_how"] or "hand")


async def _over(unit: Unit, gap: RowMapping, at: datetime, how: str) -> None:
    began = gap["begins_at"]
    if began is None:  # It was resumed before the PBX had said that it paused.
        said = await _commands(unit, gap["pausing"])
        began = min((one["changed_at"] for one in said if one["state"] == "done"), default=None)
        began = min(began, at) if began else None
    values = {"begins_at": began, "ended_at": max(at, began) if began else at, "ended_how": how, "words": ""}
    await _write(unit, gap, state="closed" if began else "refused", **values)
    await _say(unit, gap, "")
    log.info("recording goes on", call=gap["call_id"], gap=gap["id"], how=how)
    rows = select(CallRecording.n).where(CallRecording.call_id == gap["call_id"])
    for n in (await unit.db.execute(rows)).scalars().all():
        await mark(unit, gap["call_id"], n)


async def mark(unit: Unit, call: str, n: int) -> None:
    """A recording that is there and holds gaps is `paused`, and says how many and how long."""
    here = and_(CallRecording.call_id == call, CallRecording.n == n, CallRecording.state == "present")
    gaps = [gap for gap in await pausing.gaps_of(unit.db, call) if gap.seconds]
    if not gaps:
        return
    changed = await unit.db.execute(
        update(CallRecording)
        .where(here)
        .values(state="paused", cause=said(gaps))
        .returning(CallRecording.n, CallRecording.pbx)
    )
    row = changed.first()
    if row is not None:
        unit.fact("recording.changed", stream=f"pbx:{row.pbx}", call=call, n=n)


def said(gaps: list[pausing.Gap]) -> str:
    """The gaps of a recording in a sentence."""
    total = sum(gap.seconds or 0.0 for gap in gaps)
    why = next((gap.reason for gap in gaps if gap.reason), "")
    times = "once" if len(gaps) == 1 else f"{len(gaps)} times"
    return f"Not recorded {times}, {total:.0f} s in all{f': {why}' if why else ''}."[:300]


async def _say(unit: Unit, gap: RowMapping, words: str) -> None:
    """The recordings that are being written say that they are paused, or no longer."""
    writing = and_(CallRecording.call_id == gap["call_id"], CallRecording.state == "writing")
    await unit.db.execute(update(CallRecording).where(writing).values(cause=words))


async def _write(unit: Unit, gap: RowMapping, **values: Any) -> None:
    await unit.db.execute(update(RecordingGap).where(RecordingGap.id == gap["id"]).values(**values))
    unit.fact("call.changed", call=gap["call_id"])


async def _commands(unit: Unit, ids: list[str]) -> list[RowMapping]:
    query = select(Command.state, Command.result, Command.changed_at).where(Command.id.in_(ids))
    return list((await unit.db.execute(query)).mappings())


def _message(command: RowMapping) -> str:
    return str((command["result"] or {}).get("message", ""))


def _harmless(message: str) -> bool:
    return any(words in message for words in _NOT_THERE)
