"""The calls of one operator's week, with the figures that a draw asks for."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallOperator, CallRecording, CallRow
from callcrm.calls.xraytables import Xray
from callcrm.quality import sampler
from callcrm.quality.sampler import Candidate, Rules

#: States of a recording that can be listened to.
HEARD = ("present", "partial", "paused")
#: A PBX's clock (in `began`) and ours (in `at`) may differ by this much.
_CLOCKS = timedelta(days=1)
_SOUND = and_(CallRecording.began == CallRow.began, CallRecording.call_id == CallRow.id, CallRecording.state.in_(HEARD))
_PARTS: Select[*tuple[Any, ...]] = (
    select(
        CallRow.began,
        CallRow.id,
        CallRow.at,
        CallRow.direction,
        CallRow.client_number,
        CallRow.hold_s,
        CallRow.disposition,
        CallOperator.talk_s,
        Xray.overlaps,
        Xray.overlap_s,
        exists(select(CallRecording.n).where(_SOUND).correlate(CallRow)).label("heard"),
    )
    .select_from(CallOperator)
    .join(CallRow, and_(CallRow.began == CallOperator.began, CallRow.id == CallOperator.call_id))
    .outerjoin(Xray, and_(Xray.began == CallRow.began, Xray.call_id == CallRow.id))
    .where(CallOperator.answered, CallRow.direction != "internal")
)


async def pot_of(
    db: AsyncConnection, operator_id: int, week: date, zone: ZoneInfo, rules: Rules, *, until: datetime
) -> list[Candidate]:
    """The operator's answered calls of a week that had ended at `until`, each once, in the order of time."""
    first, after = sampler.week(week, zone)
    within = (CallRow.at >= first, CallRow.at < after, CallRow.ended_at.is_not(None), CallRow.ended_at <= until)
    near_began = (CallOperator.began >= first - _CLOCKS, CallOperator.began < after + _CLOCKS)
    mine = _PARTS.where(CallOperator.user_id == operator_id, *near_began, *within).order_by(CallRow.at, CallRow.id)
    rows = (await db.execute(mine)).all()
    near = timedelta(hours=rules.near_h)
    tries = {}
    if rules.repeat_caller is not None:
        tries = await _tries(db, rows, first - near, min(after + near, until))
    talked: dict[str, float] = {}
    for row in rows:  # a person may have talked at two phones
        talked[row.id] = talked.get(row.id, 0.0) + (row.talk_s or 0.0)
    found = {row.id: _candidate(row, talked[row.id], tries, rules) for row in rows}
    return list(found.values())


async def began_of(db: AsyncConnection, calls: Iterable[str]) -> dict[str, datetime]:
    """The other half of these calls' keys."""
    found = await db.execute(select(CallRow.id, CallRow.began).where(CallRow.id.in_(list(calls))))
    return {row.id: row.began for row in found}


async def _tries(
    db: AsyncConnection, rows: Iterable[Any], since: datetime, until: datetime
) -> dict[str, list[datetime]]:
    """When each of these clients called us, in order."""
    numbers = sorted({row.client_number for row in rows if row.client_number and row.direction == "inbound"})
    if not numbers:
        return {}
    theirs = (CallRow.client_number.in_(numbers), CallRow.direction == "inbound")
    around = (CallRow.at >= since, CallRow.at <= until)
    calls = select(CallRow.client_number, CallRow.at).where(*theirs, *around).order_by(CallRow.at)
    found: dict[str, list[datetime]] = {}
    for number, at in (await db.execute(calls)).all():
        found.setdefault(number or "", []).append(at)
    return found


def _candidate(
    row: Row[*tuple[Any, ...]], talked: float, tries: Mapping[str, list[datetime]], rules: Rules
) -> Candidate:
    inbound = row.direction == "inbound"
    return Candidate(
        call_id=row.id,
        at=row.at,
        talk_s=talked,
        heard=bool(row.heard),
        inbound=inbound,
        hold_s=row.hold_s or 0.0,
        near=_near(tries.get(row.client_number or "", ()), row.at, rules) if inbound else 1,
        overlaps=row.overlaps or 0,
        overlap_s=row.overlap_s,
        disposition=row.disposition or "",
    )


def _near(times: Any, at: datetime, rules: Rules) -> int:
    near = timedelta(hours=rules.near_h)
    return max(1, bisect_right(times, at + near) - bisect_left(times, at - near))
