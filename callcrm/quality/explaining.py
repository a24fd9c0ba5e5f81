"""A draw explained: every call that was in the pot with its number, drawn again from the stored seed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, may
from callcrm.accounts.tables import User
from callcrm.kernel.errors import NotFound
from callcrm.quality import plans, pots, sampler
from callcrm.quality.sampler import Reason, Wish
from callcrm.quality.sampling import named, reach
from callcrm.quality.sampling_tables import SampledCall, SamplingDraw

_DRAWER = aliased(User)


@dataclass(frozen=True, slots=True)
class Ball:
    """A call in the pot: its place by its number, and whether it was drawn (`skipped`: and then passed over)."""

    place: int
    call_id: str
    at: datetime
    talk_s: float
    ticket: str
    drawn: bool
    skipped: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A draw and its pot. `same`: the pot still holds what it held; `again`: the draw repeated gives the same calls."""

    id: int
    at: datetime
    week: str
    operator_id: int
    operator: str
    by: str
    seed: str
    until: datetime
    whole: bool
    wish: Wish
    pot: int
    drawn: int
    drawn_by: str
    balls: tuple[Ball, ...]
    same: bool
    again: bool


async def explain(db: AsyncConnection, actor: Actor, draw_id: int, zone: ZoneInfo) -> Explained:
    """A draw, for who scores that operator's calls and for the operator himself. Raises NotFound."""
    row = await _draw(db, actor, draw_id)
    wish = plans.wish_of(row["wish"])
    week = date.fromisoformat(row["week"])
    calls = await pots.pot_of(db, row["operator_id"], week, zone, wish.rules, until=row["until"])
    came, others = await _came(db, row)
    order = _order(row, calls, wish)
    at = {one.call_id: one for one in calls}
    free = [one.call_id for one in order if one.call_id not in others]
    return Explained(
        **{name: row[name] for name in _KEPT},
        wish=wish,
        balls=tuple(_ball(one, at[one.call_id], came.get(one.call_id, "")) for one in order),
        same=sampler.pot(calls, wish).checksum == row["checksum"],
        again=set(free[: len(came)]) == came.keys(),
    )


_KEPT = (
    "id",
    "at",
    "week",
    "operator_id",
    "operator",
    "by",
    "seed",
    "until",
    "whole",
    "pot",
    "drawn",
    "drawn_by",
)


async def _draw(db: AsyncConnection, actor: Actor, draw_id: int) -> RowMapping:
    seen: Any = SamplingDraw.operator_id == actor.user_id
    if may(actor, Right.SCORE):
        seen = or_(seen, reach(actor, SamplingDraw.operator_id))
    columns = [column for column in SamplingDraw.__table__.columns if column.name != "drawn_by"]
    statement = (
        select(*columns, named(User).label("operator"), named(_DRAWER).label("drawn_by"))
        .join(User, User.id == SamplingDraw.operator_id)
        .outerjoin(_DRAWER, _DRAWER.id == SamplingDraw.drawn_by)
        .where(SamplingDraw.id == draw_id, seen)
    )
    row = (await db.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("There is no such draw, or it is not yours to see.")
    return row


async def _came(db: AsyncConnection, row: RowMapping) -> tuple[dict[str, str], set[str]]:
    """The calls of this draw with their states, and those that could not come out of it, for they had elsewhere."""
    its = (SampledCall.week == row["week"], SampledCall.operator_id == row["operator_id"])
    columns = (SampledCall.call_id, SampledCall.draw_id, SampledCall.by, SampledCall.state)
    came: dict[str, str] = {}
    others: set[str] = set()
    for call_id, draw_id, by, state in (await db.execute(select(*columns).where(*its))).all():
        if draw_id == row["id"]:
            came[call_id] = state
        elif by == "lot" or state == "skipped":
            others.add(call_id)
    return came, others


def _order(row: RowMapping, calls: list[sampler.Candidate], wish: Wish) -> list[sampler.Drawn]:
    if row["by"] == "lot":
        return sampler.by_lot(calls, wish, row["seed"], lots=len(calls))
    return sampler.by_risk(calls, wish, row["seed"], risks=len(calls))


def _ball(one: sampler.Drawn, call: sampler.Candidate, state: str) -> Ball:
    return Ball(one.place, one.call_id, call.at, call.talk_s, one.ticket, bool(state), state == "skipped", one.reasons)
