"""What is to be reviewed and why, and moments of calls to learn from.

A week is written as the date of its Monday on the house's clock (2026-11-16).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class SamplingPlan(Base):
    """How much of each operator's week is reviewed: the plan of a `team`, or of all without one of their own ("").

    `rules`: from where on each rule counts, as `sampler.Rules`; `since`: the first week that it is drawn for.
    """

    __tablename__ = "sampling_plans"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    team: Mapped[str] = mapped_column(String(100), unique=True, default="")
    lots: Mapped[int]
    risks: Mapped[int]
    least_s: Mapped[float]
    heard_only: Mapped[bool] = mapped_column(default=True)
    rules: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    since: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(Key)


class SamplingDraw(Base):
    """One draw from an operator's week, with all that is needed to explain and repeat it.

    `by`: lot or risk. `until`: calls that ended later were not in it; `whole`: the week was over. `wish`: the plan as
    it was. `pot` and `checksum`: how many calls could be drawn, and which (`sampler.Pot`). `drawn`: how many came out.
    `drawn_by` is empty where the service drew by itself.
    """

    __tablename__ = "sampling_draws"
    __table_args__ = (Index(None, "week", "operator_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    week: Mapped[str] = mapped_column(String(10))
    operator_id: Mapped[int] = mapped_column(Key)
    plan_id: Mapped[int] = mapped_column(Key)
    by: Mapped[str] = mapped_column(String(10))
    seed: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime]
    whole: Mapped[bool] = mapped_column(default=False)
    wish: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    pot: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64), default="")
    drawn: Mapped[int]
    drawn_by: Mapped[int | None] = mapped_column(Key)


class SampledCall(Base):
    """A call of an operator that is to be reviewed: waiting, or skipped (`reason` in words).

    It is done when there is an evaluation of it that was submitted.
    `place` of `of` in its draw; `ticket`: its number there; `reasons`: what tells of a risk (`sampler.Reason`).
    `taken_by` has it open since `taken_at`, so that nobody else is given the same.
    """

    __tablename__ = "sampled_calls"
    __table_args__ = (
        UniqueConstraint("call_id", "operator_id"),
        Index(None, "state", "week"),
        Index(None, "week", "operator_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    draw_id: Mapped[int] = mapped_column(Key)
    week: Mapped[str] = mapped_column(String(10))
    operator_id: Mapped[int] = mapped_column(Key)
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    by: Mapped[str] = mapped_column(String(10))
    place: Mapped[int]
    of: Mapped[int]
    ticket: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[Any]] = mapped_column(Json, default=list)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    reason: Mapped[str] = mapped_column(String(200), default="")
    taken_by: Mapped[int | None] = mapped_column(Key)
    taken_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(Key)
    closed_at: Mapped[datetime | None]


class CoachingList(Base):
    """Moments of calls that are played in a row; one with `put_away_at` is shown no more, but kept."""

    __tablename__ = "coaching_lists"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(), default="")
    made_by: Mapped[int] = mapped_column(Key)
    made_at: Mapped[datetime]
    put_away_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class CoachingMoment(Base):
    """A stretch of a recording (`from_s` to `to_s`, counted from its beginning) and what is to be heard in it.

    `pin_id`: the comment that it was made of.
    """

    __tablename__ = "coaching_moments"
    __table_args__ = (Index(None, "list_id", "place"), Index(None, "call_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    list_id: Mapped[int] = mapped_column(Key)
    place: Mapped[int]
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    n: Mapped[int]
    from_s: Mapped[float]
    to_s: Mapped[float]
    words: Mapped[str] = mapped_column(String(500), default="")
    pin_id: Mapped[int | None] = mapped_column(Key)
    added_by: Mapped[int] = mapped_column(Key)
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class CoachingGiven(Base):
    """Who is to listen to a list: he hears its moments, and nothing else of calls that are not his."""

    __tablename__ = "coaching_given"
    list_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False, index=True)
    given_by: Mapped[int] = mapped_column(Key)
    given_at: Mapped[datetime]


class CoachingSeen(Base):
    """Somebody heard a moment to its end."""

    __tablename__ = "coaching_seen"
    moment_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]
