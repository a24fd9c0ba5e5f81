"""Reading what people's days went to: who worked, the figures of each day, and the spells behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import User
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.shifts.daytimes import DayTimes, Lived, Span, of_day, runs
from callcrm.shifts.queries import LONGEST_SPELL, seen
from callcrm.shifts.tables import OperatorState, Standing

#: So many days are read at once.
MOST_DAYS = 31
#: What borders on a day, and may belong to a shift of it.
_BORDER = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody who has ever begun a shift."""

    id: int
    name: str
    team: str


def spans(first: date, last: date, zone: tzinfo) -> list[Span]:
    """The days from `first` to `last`, both with it, in this zone; Invalid for none or for more than MOST_DAYS."""
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise Invalid(f"Choose a span of 1 to {MOST_DAYS} days, the first day first.")
    days = [first + timedelta(days=n) for n in range(count + 1)]
    # In UTC: between moments of one zone Python counts the clock's hours, which a change of the clock makes untrue.
    at = [datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in days]
    return [Span(days[n], at[n], at[n + 1]) for n in range(count)]


async def workers(db: AsyncConnection, actor: Actor) -> list[Worker]:
    """Everybody whom the actor sees (his own, his team, all) and who ever worked, by name."""
    name = func.coalesce(func.nullif(User.full_name, ""), User.name)
    statement = select(User.id, name.label("name"), User.team).join(Standing, Standing.user_id == User.id)
    found = await db.execute(statement.where(User.id.in_(seen(actor))).order_by(name, User.id))
    return [Worker(row.id, row.name, row.team or "") for row in found]


async def worker(db: AsyncConnection, actor: Actor, user_id: int) -> Worker:
    """One of them. Raises NotFound for somebody whom the actor does not see."""
    for one in await workers(db, actor):
        if one.id == user_id:
            return one
    raise NotFound("Nobody like this ever worked a shift, or he is not yours to see.")


async def times(db: AsyncConnection, one: Worker, days: Sequence[Span], now: datetime) -> list[DayTimes]:
    """A person's days with anything in them, the newest first. One statement, by the index of his spells."""
    spells = list(runs(await lived(db, one, days[0].since - _BORDER, days[-1].until + _BORDER)))
    found = [of_day(spells, span, now) for span in reversed(days)]
    return [day for day in found if day is not None]


async def lived(db: AsyncConnection, one: Worker, since: datetime, until: datetime) -> list[Lived]:
    """A person's spells that overlap this stretch, in the order of time."""
    table = OperatorState
    statement = select(table.began, table.ended, table.state, table.reason, table.how).where(
        table.user_id == one.id,
        table.began < until,
        table.began > since - LONGEST_SPELL,
        or_(table.ended.is_(None), table.ended > since),
    )
    rows = await db.execute(statement.order_by(table.began))
    return [Lived(row.began, row.ended, row.state, row.reason, row.how == "unseen") for row in rows]
