"""Coaching lists as they are heard: whose they are, their moments, and who has heard what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, may, require, scope
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator, CallRecording
from callcrm.custody import listening
from callcrm.custody.listening import Spans
from callcrm.kernel.errors import NotFound
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.schema import Key
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.quality.pots import HEARD
from callcrm.quality.sampling import named
from callcrm.quality.sampling_tables import CoachingGiven, CoachingList, CoachingMoment, CoachingSeen

#: What a listening is called that came of a list.
KIND = "coaching"


@dataclass(frozen=True, slots=True)
class ListLine:
    """A list as the actor meets it. `mine`: he may change it; `given`: he is to hear it, and `heard` so many moments.

    `people`: how many have it, `done`: how many of them heard all of it.
    """

    id: int
    title: str
    note: str
    made_by: str
    made_at: datetime
    put_away_at: datetime | None
    version: int
    mine: bool
    given: bool
    moments: int
    seconds: float
    heard: int
    people: int
    done: int


@dataclass(frozen=True, slots=True)
class MomentLine:
    """A moment of a list; `call_id` and `operator` are empty where the call is not the actor's to see.

    `state` and `cause`: how its recording stands; `seen_at`: when the actor heard it to its end.
    """

    id: int
    list_id: int
    place: int
    call_id: str
    n: int
    at: datetime
    operator: str
    own: bool
    from_s: float
    to_s: float
    words: str
    state: str
    cause: str
    seen_at: datetime | None
    removed: bool


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody to whom a list was given, and how much of it he heard."""

    user_id: int
    name: str
    given_at: datetime
    given_by: str
    heard: int
    last_at: datetime | None


_SOUND = and_(
    CallRecording.began == CoachingMoment.began,
    CallRecording.call_id == CoachingMoment.call_id,
    CallRecording.n == CoachingMoment.n,
)
_ITS = and_(CoachingMoment.list_id == CoachingList.id, CoachingMoment.removed_at.is_(None))
_MOMENTS = select(func.count()).where(_ITS).correlate(CoachingList).scalar_subquery()
_SECONDS = (
    select(func.coalesce(func.sum(CoachingMoment.to_s - CoachingMoment.from_s), 0.0))
    .where(_ITS)
    .correlate(CoachingList)
    .scalar_subquery()
)


def _heard_by(user_id: Any, *around: Any) -> Any:
    """How many moments of a list somebody heard."""
    seen = and_(CoachingSeen.moment_id == CoachingMoment.id, CoachingSeen.user_id == user_id)
    heard = select(func.count()).select_from(CoachingMoment).join(CoachingSeen, seen).where(_ITS)
    return heard.correlate(CoachingList, *around).scalar_subquery()


def _given_to(user_id: int) -> ColumnElement[bool]:
    mine = and_(CoachingGiven.list_id == CoachingList.id, CoachingGiven.user_id == user_id)
    return exists(select(CoachingGiven.list_id).where(mine).correlate(CoachingList))


def _shown(actor: Actor) -> ColumnElement[bool]:
    """Lists that were given to the actor, and those that are his to change."""
    given = and_(_given_to(actor.user_id), CoachingList.put_away_at.is_(None))
    if not may(actor, Right.SCORE):
        return given
    return CoachingList.id.is_not(None) if scope(actor) == "all" else or_(given, CoachingList.made_by == actor.user_id)


def _lists(actor: Actor) -> Select[*tuple[Any, ...]]:
    people = select(func.count()).where(CoachingGiven.list_id == CoachingList.id).correlate(CoachingList)
    through = _heard_by(CoachingGiven.user_id, CoachingGiven) >= _MOMENTS
    done = select(func.count()).where(CoachingGiven.list_id == CoachingList.id, through).correlate(CoachingList)
    return (
        select(
            *CoachingList.__table__.columns,
            named(User).label("maker"),
            _given_to(actor.user_id).label("given"),
            _MOMENTS.label("moments"),
            _SECONDS.label("seconds"),
            _heard_by(actor.user_id).label("heard"),
            people.scalar_subquery().label("people"),
            done.scalar_subquery().label("done"),
        )
        .outerjoin(User, User.id == CoachingList.made_by)
        .where(_shown(actor))
    )


async def lists(db: AsyncConnection, actor: Actor, *, away: bool = False, limit: int = 200) -> list[ListLine]:
    """The actor's lists, the newest first; `away`: those that were put away."""
    require(actor, Right.CALLS)
    shown = CoachingList.put_away_at.is_not(None) if away else CoachingList.put_away_at.is_(None)
    statement = _lists(actor).where(shown).order_by(CoachingList.made_at.desc(), CoachingList.id.desc()).limit(limit)
    return [_list_line(actor, row) for row in (await db.execute(statement)).mappings()]


async def one_list(db: AsyncConnection, actor: Actor, list_id: int) -> ListLine:
    """One list. Raises NotFound for one that was not given to the actor and is not his to change."""
    require(actor, Right.CALLS)
    row = (await db.execute(_lists(actor).where(CoachingList.id == list_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such coaching list, or it was not given to you.")
    return _list_line(actor, row)


async def unheard(db: Db, actor: Actor) -> int:
    """How many moments of lists that were given to the actor wait to be heard; what has no sound waits for nobody."""
    return int(await _UNHEARD.scalar(db, {"whose": actor.user_id}))


def _unheard() -> Prepared:
    whose = bindparam("whose", type_=Key)
    mine = and_(CoachingGiven.list_id == CoachingMoment.list_id, CoachingGiven.user_id == whose)
    seen = and_(CoachingSeen.moment_id == CoachingMoment.id, CoachingSeen.user_id == whose)
    return Prepared(
        select(func.count())
        .select_from(CoachingGiven)
        .join(CoachingMoment, mine)
        .join(CoachingList, and_(CoachingList.id == CoachingMoment.list_id, CoachingList.put_away_at.is_(None)))
        .join(CallRecording, and_(_SOUND, CallRecording.state.in_(HEARD)))
        .outerjoin(CoachingSeen, seen)
        .where(CoachingMoment.removed_at.is_(None), CoachingSeen.moment_id.is_(None))
    )


_UNHEARD = _unheard()


async def moments(db: AsyncConnection, actor: Actor, of: ListLine, *, removed: bool = False) -> list[MomentLine]:
    """A list's moments in order; `removed`: also those that were taken out."""
    statement = _moment_lines(actor).where(CoachingMoment.list_id == of.id)
    if not removed:
        statement = statement.where(CoachingMoment.removed_at.is_(None))
    rows = (await db.execute(statement.order_by(CoachingMoment.place, CoachingMoment.id))).mappings().all()
    return [_moment_line(actor, row) for row in rows]


async def moment(db: AsyncConnection, actor: Actor, moment_id: int) -> MomentLine:
    """One moment that the actor may hear, with its call. Raises NotFound and NotAllowed."""
    require(actor, Right.LISTEN)
    statement = _moment_lines(actor).join(CoachingList, CoachingList.id == CoachingMoment.list_id)
    its = statement.where(CoachingMoment.id == moment_id, CoachingMoment.removed_at.is_(None), _shown(actor))
    row = (await db.execute(its)).mappings().first()
    if row is None:
        raise NotFound("There is no such moment, or it was not given to you.")
    return _moment_line(actor, row, whole=True)


async def listeners(db: AsyncConnection, list_id: int) -> list[Listener]:
    """Who has the list, by name, and how much he heard."""
    giver = User.__table__.alias("giver")
    last = select(func.max(CoachingSeen.seen_at)).join(CoachingMoment, CoachingMoment.id == CoachingSeen.moment_id)
    mine = and_(CoachingMoment.list_id == CoachingGiven.list_id, CoachingSeen.user_id == CoachingGiven.user_id)
    statement = (
        select(
            CoachingGiven.user_id,
            named(User).label("name"),
            CoachingGiven.given_at,
            named(giver.c).label("given_by"),
            _heard_by(CoachingGiven.user_id, CoachingGiven).label("heard"),
            last.where(mine).correlate(CoachingGiven).scalar_subquery().label("last_at"),
        )
        .select_from(CoachingGiven)
        .join(CoachingList, CoachingList.id == CoachingGiven.list_id)
        .join(User, User.id == CoachingGiven.user_id)
        .outerjoin(giver, giver.c.id == CoachingGiven.given_by)
        .where(CoachingGiven.list_id == list_id)
        .order_by("name")
    )
    return [Listener(**row) for row in (await db.execute(statement)).mappings()]


async def heard(unit: Unit, actor: Actor, moment_id: int) -> None:
    """The actor heard a moment to its end; the first time stays noted."""
    its = await moment(unit.db, actor, moment_id)
    if its.seen_at is None:
        row = {"moment_id": moment_id, "user_id": actor.user_id, "seen_at": unit.now}
        await upsert(unit.db, CoachingSeen, row, keep=("seen_at",))
        unit.fact("coaching.changed", list=its.list_id, user=actor.user_id, act="heard")


async def note_listening(unit: Unit, actor: Actor, of: MomentLine, address: str) -> None:
    """Leave word of who was sent a moment's sound, from where; the player tells which seconds he really heard."""
    await listening.begin(unit, actor, of.call_id, of.n, address=address, kind=KIND)


async def hear(unit: Unit, actor: Actor, moment_id: int, spans: Spans, *, address: str) -> float:
    """Which seconds of a moment were heard, counted from its own beginning; they are noted as the recording's.

    Raises NotFound and NotAllowed as to hear it. Gives how many of the recording he has heard by now.
    """
    of = await moment(unit.db, actor, moment_id)
    own = listening.united(spans, of.to_s - of.from_s)
    inside = [[of.from_s + begin, min(of.to_s, of.from_s + end)] for begin, end in own]
    return await listening.join(unit, actor, of.call_id, of.n, inside, address=address, kind=KIND)


def _moment_lines(actor: Actor) -> Select[*tuple[Any, ...]]:
    part = and_(CallOperator.began == CoachingMoment.began, CallOperator.call_id == CoachingMoment.call_id)
    talked = select(func.max(named(User))).join(CallOperator, CallOperator.user_id == User.id)
    own = exists(
        select(CallOperator.call_id).where(part, CallOperator.user_id == actor.user_id).correlate(CoachingMoment)
    )
    seen = and_(CoachingSeen.moment_id == CoachingMoment.id, CoachingSeen.user_id == actor.user_id)
    return (
        select(
            *CoachingMoment.__table__.columns,
            CallRecording.state,
            CallRecording.cause,
            CoachingSeen.seen_at,
            own.label("own"),
            talked.where(part, CallOperator.answered).correlate(CoachingMoment).scalar_subquery().label("operator"),
        )
        .select_from(CoachingMoment)
        .outerjoin(CallRecording, _SOUND)
        .outerjoin(CoachingSeen, seen)
    )


def _moment_line(actor: Actor, row: RowMapping, *, whole: bool = False) -> MomentLine:
    """`whole`: with its call, for the service's own work; a colleague's name is for who scores."""
    scores = may(actor, Right.SCORE)
    return MomentLine(
        id=row["id"],
        list_id=row["list_id"],
        place=row["place"],
        call_id=row["call_id"] if whole or scores or row["own"] else "",
        n=row["n"],
        at=row["began"],
        operator=(row["operator"] or "") if scores or row["own"] else "",
        own=bool(row["own"]),
        from_s=row["from_s"],
        to_s=row["to_s"],
        words=row["words"],
        state=row["state"] or "missing",
        cause=row["cause"] or "",
        seen_at=row["seen_at"],
        removed=row["removed_at"] is not None,
    )


def _list_line(actor: Actor, row: RowMapping) -> ListLine:
    from callcrm.quality.coaching import may_change

    return ListLine(
        id=row["id"],
        title=row["title"],
        note=row["note"],
        made_by=row["maker"],
        made_at=row["made_at"],
        put_away_at=row["put_away_at"],
        version=row["version"],
        mine=may(actor, Right.SCORE) and may_change(actor, row["made_by"]),
        given=bool(row["given"]),
        moments=row["moments"],
        seconds=row["seconds"],
        heard=row["heard"],
        people=row["people"],
        done=row["done"] if row["moments"] else 0,
    )
