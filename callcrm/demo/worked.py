"""The demo's shifts of the last days: the spells that the calls of its log give, with pauses between them.

What is told of calls is the log's own; available, wrap-up and pauses lie around it, without gap or overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import and_, insert, select

from callcrm.calls.tables import CallOperator, CallRow
from callcrm.demo.story import COLLEAGUES
from callcrm.kernel.unit import Unit
from callcrm.shifts.states import AVAILABLE, PAUSED, TALKING, WRAPUP
from callcrm.shifts.tables import OperatorState

#: A shift of the past, by the clock of UTC, as the demo's calls are.
FROM_H, UNTIL_H = 8.5, 18.5
_WRAP_S = (8.0, 40.0)
#: (reason, hour, minutes)
PAUSES = (("Break", 10.5, 12.0), ("Lunch", 12.75, 38.0), ("Break", 15.75, 9.0))


@dataclass(frozen=True, slots=True)
class _Spell:
    began: datetime
    ended: datetime
    state: str
    reason: str = ""


async def work(unit: Unit, ids: Mapping[str, int], days: int, dice: Random) -> None:
    """Write the spells of everybody who has a phone, for each whole day before today."""
    today = unit.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for one in COLLEAGUES:
        if not one.extension:
            continue
        user = ids[one.name]
        for back in range(days, 0, -1):
            day = today - timedelta(days=back)
            spells = _day(await _talks(unit, user, day), day, dice)
            rows = [
                {"began": s.began, "ended": s.ended, "user_id": user, "state": s.state, "reason": s.reason, "how": ""}
                for s in spells
            ]
            await unit.db.execute(insert(OperatorState), rows)


async def _talks(unit: Unit, user: int, day: datetime) -> list[tuple[datetime, datetime]]:
    """When somebody talked that day, by the log."""
    part = and_(CallRow.began == CallOperator.began, CallRow.id == CallOperator.call_id)
    statement = (
        select(CallRow.answered_at, CallOperator.talk_s)
        .join(CallRow, part)
        .where(
            CallOperator.user_id == user,
            CallOperator.answered,
            CallRow.answered_at >= day + timedelta(hours=FROM_H),
            CallRow.answered_at < day + timedelta(hours=UNTIL_H),
        )
        .order_by(CallRow.answered_at)
    )
    rows = await unit.db.execute(statement)
    return [(row.answered_at, row.answered_at + timedelta(seconds=row.talk_s or 0)) for row in rows]


def _day(talks: Sequence[tuple[datetime, datetime]], day: datetime, dice: Random) -> list[_Spell]:
    """The day's spells, one after the other."""
    at = day + timedelta(hours=FROM_H + dice.uniform(-0.25, 0.1))
    until = day + timedelta(hours=UNTIL_H + dice.uniform(-0.2, 0.3))
    wanted = [_Spell(begin, end, TALKING) for begin, end in talks if end > begin]
    for reason, hour, minutes in PAUSES:
        begin = day + timedelta(hours=hour + dice.uniform(-0.4, 0.4))
        wanted.append(_Spell(begin, begin + timedelta(minutes=minutes * dice.uniform(0.7, 1.4)), PAUSED, reason))
    found: list[_Spell] = []
    for one in sorted(wanted, key=lambda spell: spell.began):
        begin = max(one.began, at)
        if one.ended <= begin or one.ended >= until:
            continue
        if begin > at:
            found.append(_Spell(at, begin, AVAILABLE))
        found.append(_Spell(begin, one.ended, one.state, one.reason))
        at = one.ended
        if one.state == TALKING:
            ready = at + timedelta(seconds=dice.uniform(*_WRAP_S))
            found.append(_Spell(at, ready, WRAPUP))
            at = ready
    return [*found, _Spell(at, until, AVAILABLE)]
