"""Reading shifts: how people stand, what the PBX says to it, which phones are free, and what the time went to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts import policy, seats
from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.seats import Seat
from callcrm.accounts.tables import Phone, User
from callcrm.kernel import clock
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.tables import Command
from callcrm.shifts import service, states
from callcrm.shifts.agreement import Agreement, Place, Wish, agreement
from callcrm.shifts.states import OFF
from callcrm.shifts.tables import OperatorState, Standing
from callcrm.telephony.tables import QueueMember, QueueRow


@dataclass(frozen=True, slots=True)
class Stand:
    """What somebody does, since when; `until`: when it ends by itself; `at_phone`: paused there, not here; `pause`:
    the reason of a pause that he is in, or will be after his call."""

    state: str = OFF
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    at_phone: bool = False
    wanted: bool = False
    pause: str = ""


NOBODY = Stand()
#: No spell is longer: a shift that nobody ends is ended before.
LONGEST_SPELL = timedelta(days=7)


_COLUMNS = (Standing.user_id, Standing.state, Standing.reason, Standing.since, Standing.mind, Standing.asked)
_ONE = Prepared(select(*_COLUMNS).where(Standing.user_id == bindparam("user")))
_SOME = Prepared(select(*_COLUMNS).where(Standing.user_id.in_(bindparam("users", expanding=True))))
_ALL = Prepared(select(*_COLUMNS))
_WISHES = Prepared(
    select(Command.state, Command.result, Command.changed_at).where(Command.id.in_(bindparam("asked", expanding=True)))
)
_PLACES = Prepared(
    select(QueueMember.queue, QueueMember.paused, QueueMember.paused_at)
    .join(Phone, and_(Phone.pbx == QueueMember.pbx, Phone.extension == QueueMember.extension))
    .where(Phone.user_id == bindparam("user"))
)


async def standing(db: Db, user_id: int) -> Stand:
    """How one person stands; NOBODY for who never worked."""
    row = await _ONE.first(db, {"user": user_id})
    return NOBODY if row is None else _stand(service.read(row))


async def standings(db: Db, users: Collection[int] | None = None) -> dict[int, Stand]:
    """How these people stand (or all); who never worked is left out."""
    rows = await _ALL.all(db) if users is None else await _SOME.all(db, {"users": sorted(users)})
    return {row.user_id: _stand(service.read(row)) for row in rows}


def _stand(stands: service.Stands) -> Stand:
    mind, state = stands.mind, stands.state
    return Stand(
        state.code,
        state.reason,
        state.since,
        mind.until if state.code == states.WRAPUP else None,
        state.code == states.PAUSED and mind.pause is None,
        states.wanted(mind) is not None,
        mind.pause.reason if mind.pause is not None else "",
    )


async def agreed(db: Db, user_id: int) -> Agreement:
    """Whether the PBX has this person's places in queues as they are wanted."""
    row = await _ONE.first(db, {"user": user_id})
    if row is None:
        return Agreement("none")
    mind = service.MINDS.validate_python(row.mind)
    asked = await _WISHES.all(db, {"asked": list(row.asked)}) if row.asked else ()
    wishes = [Wish(one.state, str((one.result or {}).get("message", "")), one.changed_at) for one in asked]
    wanted = states.wanted(mind) is not None or states.paused_there(mind) is not None
    places = [Place(*place) for place in await _PLACES.all(db, {"user": user_id})]
    return agreement(wanted, wishes, places, clock.now())


@dataclass(frozen=True, slots=True)
class Choice:
    """A phone that one may sit at; `taken_by` names who works there now."""

    line: Line
    own: bool = False
    taken_by: str = ""
    lent_by: str = ""


async def choices(db: AsyncConnection, user_id: int) -> list[Choice]:
    """The phones of the house as this person may choose them: his own first, then those that nobody works at.

    A phone of nobody's is known by its place in a queue.
    """
    known = await seats.seats(db)
    found = [_choice(seat, user_id) for seat in known]
    lines = {seat.line for seat in known}
    members = select(QueueMember.pbx, QueueMember.extension).distinct()
    nobodys = {Line(*row) for row in await db.execute(members) if row.extension} - lines
    found += [Choice(line) for line in sorted(nobodys)]
    return sorted(found, key=lambda one: (not one.own, bool(one.taken_by), one.line))


def _choice(seat: Seat, user_id: int) -> Choice:
    mine = user_id in (seat.owner_id, seat.user_id)
    lent = seat.name if seat.user_id != user_id else ""
    return Choice(seat.line, mine, seat.name if seat.taken_from(user_id) else "", lent)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of a PBX now, with who sits in it."""

    pbx: str
    queue: str
    waiting: int
    longest_since: datetime | None
    members: tuple["Member", ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A place in a queue, and who sits at its phone (None: nobody whom we know)."""

    extension: str
    user_id: int | None
    name: str
    state: str
    paused: bool
    reason: str


async def queues(db: AsyncConnection, wanted: Collection[tuple[str, str]] | None = None) -> list[Queue]:
    """These queues (pbx, queue), or all, in the order of their names."""
    columns = (QueueRow.pbx, QueueRow.queue, QueueRow.waiting, QueueRow.longest_since)
    statement = select(*columns).order_by(QueueRow.queue, QueueRow.pbx)
    members = select(QueueMember.__table__, Phone.user_id, User.name.label("account"), User.full_name)
    sits = and_(Phone.pbx == QueueMember.pbx, Phone.extension == QueueMember.extension)
    members = members.outerjoin(Phone, sits).outerjoin(User, User.id == Phone.user_id)
    if wanted is not None:
        statement = statement.where(or_(*(and_(QueueRow.pbx == p, QueueRow.queue == q) for p, q in wanted)))
        members = members.where(or_(*(and_(QueueMember.pbx == p, QueueMember.queue == q) for p, q in wanted)))
    people: dict[tuple[str, str], list[Member]] = {}
    for row in await db.execute(members.order_by(QueueMember.extension)):
        name = row.full_name or row.account or row.name
        one = Member(row.extension, row.user_id, name, row.state, row.paused, row.reason)
        people.setdefault((row.pbx, row.queue), []).append(one)
    return [Queue(*row, tuple(people.get((row.pbx, row.queue), ()))) for row in await db.execute(statement)]


@dataclass(frozen=True, slots=True)
class Time:
    """What one person's time went to: seconds by (state, reason)."""

    user_id: int
    seconds: Mapping[tuple[str, str], float]


async def times(db: AsyncConnection, actor: Actor, since: datetime, until: datetime) -> list[Time]:
    """What the time between these moments went to, for the people whom the actor sees; a spell that lasts counts
    up to now."""
    until = min(until, clock.now())
    columns = (OperatorState.user_id, OperatorState.state, OperatorState.reason)
    overlaps = (
        OperatorState.began < until,
        OperatorState.began > since - LONGEST_SPELL,
        or_(OperatorState.ended.is_(None), OperatorState.ended > since),
    )
    statement = select(*columns, OperatorState.began, OperatorState.ended).where(*overlaps)
    statement = statement.where(OperatorState.user_id.in_(seen(actor)))
    found: dict[int, dict[tuple[str, str], float]] = {}
    for row in await db.execute(statement):
        seconds = (min(row.ended or until, until) - max(row.began, since)).total_seconds()
        mine = found.setdefault(row.user_id, {})
        mine[row.state, row.reason] = mine.get((row.state, row.reason), 0.0) + max(0.0, seconds)
    return [Time(user, found[user]) for user in sorted(found)]


def seen(actor: Actor) -> Select[int]:
    """The ids of the people whose states the actor sees: his own, his team, all."""
    people = select(User.id)
    scope = policy.scope(actor)
    if scope == "own":
        people = people.where(User.id == actor.user_id)
    elif scope == "team":
        people = people.where(or_(User.team == actor.team, User.id == actor.user_id))
    return people
