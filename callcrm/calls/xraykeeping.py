"""Recordings that are to be looked through, and the rows of what was found: a recording's, and its whole call's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Select, and_, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls import xrays
from callcrm.calls.stretches import Course, Stretch, Told, course, stretches
from callcrm.calls.tables import XRAY_DUE, CallRecording, CallRow, LegRow
from callcrm.calls.xraytables import RecordingXray, Xray
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit

#: So many are asked for at once: few, so that a call that has just ended comes soon.
_BATCH = 8
#: Clocks of channel and file differ by up to this, in seconds.
_LEAST_S = 0.5
_WAITING = ("hold", "parked")

#: Stretches of a call (begin, end; None: it has not ended) that are no conversation.
Quiet: TypeAlias = Callable[[AsyncConnection, str], Awaitable[Sequence[tuple[datetime, datetime | None]]]]


@dataclass(frozen=True, slots=True)
class Due:
    """A recording to be looked through."""

    began: datetime
    call_id: str
    n: int
    pbx: str
    first_lane: str = "client"


async def due(db: AsyncConnection, resting: Sequence[str]) -> list[Due]:
    """What is to be looked through, the newest first, a few at a time."""
    rows = await db.execute(due_statement(resting))
    return [Due(row.began, row.call_id, row.n, row.pbx, row.first_lane) for row in rows]


def due_statement(resting: Sequence[str]) -> Select[datetime, str, int, str, str]:
    """The next few recordings to be looked through, but for those of the PBXes `resting`."""
    statement = select(
        CallRecording.began, CallRecording.call_id, CallRecording.n, CallRecording.pbx, CallRecording.first_lane
    )
    statement = statement.where(text(XRAY_DUE)).order_by(CallRecording.began.desc()).limit(_BATCH)
    return statement.where(CallRecording.pbx.not_in(resting)) if resting else statement


async def waiting(db: AsyncConnection, most: int = 1000) -> int:
    """How many recordings are still to be looked through; `most` stands for that many and more."""
    some = select(CallRecording.n).where(text(XRAY_DUE)).limit(most).subquery()
    return int(await db.scalar(select(func.count()).select_from(some)) or 0)


_KEY = and_(CallRecording.began == bindparam("b_began"), CallRecording.call_id == bindparam("b_call"))
_SEE = Prepared(
    update(CallRecording)
    .where(_KEY, CallRecording.n == bindparam("b_n"), text(XRAY_DUE))
    .values(xrayed_at=bindparam("b_now", type_=CallRecording.xrayed_at.type))
    .returning(CallRecording.n),
    keyed=True,
)


async def seen(unit: Unit, due: Due) -> bool:
    """Take it from the queue; False when it is not there any more (moved to another call, deleted by a rule)."""
    values = {"b_began": due.began, "b_call": due.call_id, "b_n": due.n, "b_now": unit.now}
    return await _SEE.first(unit.db, values) is not None


async def look_again(unit: Unit, call_id: str) -> None:
    """Have a call's recordings looked through anew: its stretches or its sounds are others now."""
    await unit.db.execute(update(CallRecording).where(CallRecording.call_id == call_id).values(xrayed_at=None))


async def forget(unit: Unit, call_ids: Sequence[str]) -> None:
    """Delete what the sound told of these calls."""
    for table in (RecordingXray, Xray):
        await unit.db.execute(delete(table).where(table.call_id.in_(call_ids)))


_LOOKED = Prepared(
    select(RecordingXray.n, *(RecordingXray.__table__.c[name] for name in xrays.FIGURES)).where(
        RecordingXray.began == bindparam("b_began"), RecordingXray.call_id == bindparam("b_call")
    )
)


async def write_call(unit: Unit, began: datetime, call_id: str) -> None:
    """A call's own figures, from those of its recordings that were looked through."""
    found = await _course(unit.db, began, call_id)
    if found is None:
        return
    call, bound = found
    rows = await _LOOKED.all(unit.db, {"b_began": began, "b_call": call_id})
    parts = [({name: getattr(row, name) for name in xrays.FIGURES}, bound[row.n]) for row in rows if row.n in bound]
    figures = xrays.call_figures(parts)
    if figures is not None:
        key = {"began": began, "call_id": call_id, "at": call.at, "made_at": unit.now}
        await upsert(unit.db, Xray, key | figures)


async def without(db: AsyncConnection, due: Due, quiet: Quiet | None) -> list[tuple[float, float]]:
    """What of a recording is no talk with the client, in its seconds: before the answer, on hold, `quiet`, after it."""
    found = await _course(db, due.began, due.call_id)
    if found is None or due.n not in found[1]:
        return []
    call, stretch = found[0], found[1][due.n]
    spans = [(0.0, min(spell.from_s for spell in call.talks))] if call.talks else []
    if call.talks:
        spans.append((max(spell.to_s for spell in call.talks), stretch.to_s + _LEAST_S))
    quieted = [*await _held(db, due), *(await quiet(db, due.call_id) if quiet else ())]
    for begin, end in quieted:
        until = (end - call.at).total_seconds() if end is not None else stretch.to_s
        spans.append(((begin - call.at).total_seconds(), until))
    moved = [(stretch.sound_s(begin), stretch.sound_s(end)) for begin, end in spans]
    return [(round(begin, 2), round(end, 2)) for begin, end in moved if end - begin > _LEAST_S]


_LEGS = Prepared(
    select(LegRow.stretches).where(LegRow.began == bindparam("b_began"), LegRow.call_id == bindparam("b_call"))
)


async def _held(db: AsyncConnection, due: Due) -> list[tuple[datetime, datetime | None]]:
    """When somebody of the call was on hold or parked: what is heard then is music."""
    rows = await _LEGS.all(db, {"b_began": due.began, "b_call": due.call_id})
    found: list[tuple[datetime, datetime | None]] = []
    for one in (one for row in rows for one in row.stretches or ()):
        if one.get("kind") in _WAITING:
            until = datetime.fromisoformat(one["until"]) if one.get("until") else None
            found.append((datetime.fromisoformat(one["at"]), until))
    return found


_CALL = Prepared(
    select(CallRow.at, CallRow.answered_at, CallRow.ended_at, CallRow.talks).where(
        CallRow.began == bindparam("b_began"), CallRow.id == bindparam("b_call")
    )
)
_TOLD = Prepared(select(CallRecording.n, CallRecording.at, CallRecording.seconds).where(_KEY))


async def _course(db: AsyncConnection, began: datetime, call_id: str) -> tuple[Course, Mapping[int, Stretch]] | None:
    """A call's course, and the stretches of its recordings; None when it is not there."""
    key = {"b_began": began, "b_call": call_id}
    row = await _CALL.first(db, key)
    if row is None:
        return None
    told = await _TOLD.all(db, key)
    call = course(row.at, row.answered_at, row.ended_at, row.talks)
    return call, stretches(call, [Told(one.n, one.at, one.seconds) for one in told])
