"""Ends that nobody saw, each by a rule.

* A talk whose call is over in the log (the daemon was away when it ended) is over since the log says so.
* A shift that began while nobody kept states is one since it began.
* A browser that is gone ends nothing: the phone rings on. Signing out of the last browser ends the shift; when
  the last sign-in ran out, the shift is over since he was last seen. So is a shift that is longer than
  any shift is (`longest`), unless he talks.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from callcrm.accounts.tables import Session, User
from callcrm.kernel.writer import Unit
from callcrm.shifts import service, states
from callcrm.shifts.happenings import gists
from callcrm.shifts.service import Stands
from callcrm.shifts.states import TALKING, Event, Rules
from callcrm.shifts.tables import Standing

UNSEEN = "unseen"


async def repair(unit: Unit, known: Mapping[int, Stands], rules: Rules) -> dict[int, Stands]:
    """Everybody's standing, after what ended unseen was ended."""
    found = dict(known)
    rows = await gists(unit, {call for one in known.values() for call in one.mind.talks})
    for user, stands in known.items():
        events: list[Event] = []
        for call in stands.mind.talks:
            row = rows.get(call)
            if row is None or row.ended_at is not None:
                rule = None if row is None or row.direction == "internal" else rules.of(row.queue)
                events.append(states.Left(row.ended_at if row is not None else unit.now, call, rule))
        found[user] = await service.happen(unit, user, events)
    working = await unit.db.execute(select(User.id, User.on_shift_since).where(User.on_shift_since.is_not(None)))
    for row in working.all():
        if row.id not in found or found[row.id].mind.on_shift is None:
            found[row.id] = await service.happen(unit, row.id, [states.Started(row.on_shift_since)])
    return found


async def end_shifts(unit: Unit, longest: timedelta) -> dict[int, Stands]:
    """End the shifts that are over although nobody said so."""
    ended: dict[int, Stands] = {}
    for row in await _working(unit):
        at = _over_since(row, unit.now, longest)
        if at is not None:
            await service.end(unit, row.id, at=at, how=UNSEEN)
            ended[row.id] = await service.stored(unit, row.id)
    return ended


async def signed_out(unit: Unit, user_id: int) -> None:
    """He signed out of a browser: out of the last one, his shift is over."""
    working = await unit.db.scalar(select(User.on_shift_since).where(User.id == user_id))
    live = (Session.user_id == user_id, Session.expires_at > unit.now)
    if working is not None and not await unit.db.scalar(select(func.count()).select_from(Session).where(*live)):
        await service.end(unit, user_id)


async def _working(unit: Unit) -> list[Any]:
    seen = select(Session.user_id, func.max(Session.seen_at).label("seen"), func.max(Session.expires_at).label("until"))
    last = seen.group_by(Session.user_id).subquery()
    statement = (
        select(User.id, User.on_shift_since, Standing.state, Standing.since, last.c.seen, last.c.until)
        .outerjoin(Standing, Standing.user_id == User.id)
        .outerjoin(last, last.c.user_id == User.id)
        .where(User.on_shift_since.is_not(None))
    )
    return list((await unit.db.execute(statement)).all())


def _over_since(row: Any, now: datetime, longest: timedelta) -> datetime | None:
    """When this shift was over; None while it goes on."""
    if row.state == TALKING:
        return None
    signed_out = row.until is not None and row.until <= now and row.seen >= row.on_shift_since
    if not signed_out and now - row.on_shift_since < longest:
        return None
    signs: list[datetime] = [one for one in (row.on_shift_since, row.since, row.seen) if one is not None]
    return max(signs)
