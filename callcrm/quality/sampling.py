"""What is to be reviewed next, and how far the plan has got: reading, narrowed to whom the actor may score.

Nobody is given his own calls. A call that somebody has open is offered to nobody else for a while; one whose week is
long over is offered no more, so that an old backlog hides nothing new.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, may, require, scope
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.kernel import clock
from callcrm.quality import forms, sampler
from callcrm.quality.sampler import Reason
from callcrm.quality.sampling_tables import SampledCall, SamplingDraw
from callcrm.quality.tables import Evaluation

#: How long somebody who opened a call has it for himself.
TAKEN = timedelta(hours=2)
#: Weeks that began earlier are offered no more.
LAPSES = timedelta(weeks=5)
_TAKER = aliased(User)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A call that was drawn. `state`: waiting, reviewed or skipped; `taken_by` has it open at this moment."""

    id: int
    draw_id: int
    week: str
    operator_id: int
    operator: str
    call_id: str
    at: datetime
    talk_s: float | None
    queue: str | None
    by: str
    place: int
    of: int
    reasons: tuple[Reason, ...]
    state: str
    reason: str
    taken_by: int | None
    taken_name: str
    evaluation_id: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the plan has got with one operator's week: calls that came out by lot and by rule, and their fate."""

    operator_id: int
    operator: str
    lots: int
    risks: int
    reviewed: int
    skipped: int

    @property
    def left(self) -> int:
        """How many still wait."""
        return self.lots + self.risks - self.reviewed


def named(user: Any) -> ColumnElement[str]:
    """An account's name as people know it."""
    return func.coalesce(func.nullif(user.full_name, ""), user.name, "")


def reach(actor: Actor, operator_id: Any) -> ColumnElement[bool]:
    """Whose calls the actor may be given to score: everybody's or his team's, never his own."""
    others: ColumnElement[bool] = operator_id != actor.user_id
    if scope(actor) == "all":
        return others
    team = select(User.id).where(User.team == actor.team)
    return and_(others, operator_id.in_(team))


#: The evaluation by which a call is reviewed: given outside a round of calibration, and no draft any more.
REVIEW = and_(
    Evaluation.call_id == SampledCall.call_id,
    Evaluation.subject_id == SampledCall.operator_id,
    Evaluation.state != "draft",
    Evaluation.calibration_id.is_(None),
)
_EVALUATION = select(func.max(Evaluation.id)).where(REVIEW).correlate(SampledCall).scalar_subquery()
_LINES: Select[*tuple[Any, ...]] = (
    select(
        *SampledCall.__table__.columns,
        CallRow.at,
        CallRow.talk_s,
        CallRow.queue,
        named(User).label("operator"),
        named(_TAKER).label("taken_name"),
        _EVALUATION.label("evaluation_id"),
    )
    .select_from(SampledCall)
    .join(CallRow, and_(CallRow.began == SampledCall.began, CallRow.id == SampledCall.call_id))
    .join(User, User.id == SampledCall.operator_id)
    .outerjoin(_TAKER, _TAKER.id == SampledCall.taken_by)
)


async def waiting(
    db: AsyncConnection, actor: Actor, *, limit: int = 20, besides: Collection[str] = ()
) -> list[Sampled]:
    """Calls to review, in order: what the actor has open, then the oldest week, within it by the draw's numbers."""
    require(actor, Right.SCORE)
    now = clock.now()
    oldest = (now - LAPSES).date().isoformat()
    free = or_(
        SampledCall.taken_by.is_(None), SampledCall.taken_by == actor.user_id, SampledCall.taken_at < now - TAKEN
    )
    mine = case((SampledCall.taken_by == actor.user_id, 0), else_=1)
    statement = _LINES.where(
        SampledCall.state == "waiting",
        SampledCall.week >= oldest,
        reach(actor, SampledCall.operator_id),
        free,
        _EVALUATION.is_(None),
        SampledCall.call_id.not_in(list(besides)),
    )
    order = statement.order_by(mine, SampledCall.week, SampledCall.ticket).limit(limit)
    return [_line(row, now) for row in (await db.execute(order)).mappings()]


async def next_sampled(db: AsyncConnection, actor: Actor, *, besides: Collection[str] = ()) -> Sampled | None:
    """The call that the actor reviews next, `besides` those that he has just done; None when nothing is left."""
    found = await waiting(db, actor, limit=1, besides=besides)
    return found[0] if found else None


async def one(db: AsyncConnection, actor: Actor, sampled_id: int) -> Sampled | None:
    """One of them by its id, whatever became of it."""
    require(actor, Right.SCORE)
    statement = _LINES.where(SampledCall.id == sampled_id, reach(actor, SampledCall.operator_id))
    row = (await db.execute(statement)).mappings().first()
    return _line(row, clock.now()) if row is not None else None


async def of_week(db: AsyncConnection, actor: Actor, week: str) -> list[Sampled]:
    """Everything that came out of a week, by operator, the lot first."""
    require(actor, Right.SCORE)
    statement = _LINES.where(SampledCall.week == week, reach(actor, SampledCall.operator_id))
    order = statement.order_by(named(User), SampledCall.by, SampledCall.place)
    return [_line(row, clock.now()) for row in (await db.execute(order)).mappings()]


async def of_call(db: AsyncConnection, actor: Actor, call_id: str) -> list[Sampled]:
    """Why this call was drawn: for who scores such calls, and for the operator whose part it was."""
    seen = SampledCall.operator_id == actor.user_id
    if may(actor, Right.SCORE):
        seen = or_(seen, reach(actor, SampledCall.operator_id))
    rows = await db.execute(_LINES.where(SampledCall.call_id == call_id, seen).order_by(SampledCall.id))
    return [_line(row, clock.now()) for row in rows.mappings()]


async def hidden(db: AsyncConnection, actor: Actor, lines: Iterable[Sampled]) -> set[int]:
    """Those whose operator is not told: the form that asks of them is scored blind, and they wait."""
    listed = list(lines)
    blind: dict[str | None, bool] = {}
    for queue in {one.queue for one in listed}:
        offered = await forms.offered(db, actor, queue)
        blind[queue] = bool(offered) and offered[0].form.blind
    return {one.id for one in listed if one.state == "waiting" and blind[one.queue]}


async def weeks(db: AsyncConnection, actor: Actor, *, limit: int = 12) -> list[str]:
    """Weeks that were drawn from, the newest first."""
    require(actor, Right.SCORE)
    statement = select(SamplingDraw.week).where(reach(actor, SamplingDraw.operator_id)).distinct()
    return list((await db.execute(statement.order_by(SamplingDraw.week.desc()).limit(limit))).scalars())


async def progress(db: AsyncConnection, actor: Actor, week: str) -> list[Progress]:
    """How far the week has got, by operator; also those of whom nothing could be drawn."""
    found: dict[int, list[Sampled]] = {}
    for line in await of_week(db, actor, week):
        found.setdefault(line.operator_id, []).append(line)
    statement = select(SamplingDraw.operator_id, named(User).label("operator")).join(
        User, User.id == SamplingDraw.operator_id
    )
    drawn = statement.where(SamplingDraw.week == week, reach(actor, SamplingDraw.operator_id)).distinct()
    rows = (await db.execute(drawn.order_by("operator"))).all()
    return [_progress(row.operator_id, row.operator, found.get(row.operator_id, [])) for row in rows]


def _progress(operator_id: int, name: str, lines: list[Sampled]) -> Progress:
    kept = [line for line in lines if line.state != "skipped"]
    return Progress(
        operator_id,
        name,
        lots=sum(line.by == "lot" for line in kept),
        risks=sum(line.by == "risk" for line in kept),
        reviewed=sum(line.state == "reviewed" for line in kept),
        skipped=len(lines) - len(kept),
    )


def this_week(zone: ZoneInfo) -> date:
    """The Monday of the week that runs on the house's clock."""
    return sampler.monday(clock.now(), zone)


def _line(row: RowMapping, now: datetime) -> Sampled:
    taken = row["taken_by"] is not None and row["taken_at"] is not None and row["taken_at"] >= now - TAKEN
    reviewed = row["evaluation_id"] is not None
    return Sampled(
        id=row["id"],
        draw_id=row["draw_id"],
        week=row["week"],
        operator_id=row["operator_id"],
        operator=row["operator"],
        call_id=row["call_id"],
        at=row["at"],
        talk_s=row["talk_s"],
        queue=row["queue"],
        by=row["by"],
        place=row["place"],
        of=row["of"],
        reasons=tuple(Reason(**why) for why in row["reasons"]),
        state="reviewed" if reviewed else row["state"],
        reason=row["reason"],
        taken_by=row["taken_by"] if taken else None,
        taken_name=row["taken_name"] if taken else "",
        evaluation_id=row["evaluation_id"],
    )
