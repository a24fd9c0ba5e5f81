"""What is to be reviewed next, how far the plan has got, and coaching lists, for programs."""

from dataclasses import asdict
from typing import Any

from callcrm import house
from callcrm.accounts.policy import Right, may
from callcrm.quality import coached, sampling
from callcrm.quality.sampling import Progress, Sampled
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.qualityshapes import (
    CoachingList,
    CoachingListener,
    CoachingMoment,
    CoachingPage,
    CoachingQuery,
    OperatorProgress,
    ProgressPage,
    ProgressQuery,
    Review,
    ReviewPage,
    ReviewReason,
    ReviewsQuery,
    WholeCoachingList,
)


@api.operation(
    "GET",
    "/reviews/next",
    "Calls to review and why each is there, the next one first",
    right=Right.SCORE,
    query=ReviewsQuery,
    answer=ReviewPage,
)
async def list_next(asked: Asked[ReviewsQuery, None]) -> ReviewPage:
    """What the asker is given to score; what colleagues have open is left out."""
    async with asked.parts.database.read() as db:
        found = await sampling.waiting(db, asked.actor, limit=asked.query.limit)
        hidden = await sampling.hidden(db, asked.actor, found)
    return ReviewPage(items=[_review(one, one.id in hidden) for one in found])


@api.operation(
    "GET",
    "/reviews/progress",
    "How far the plan has got with a week, by operator",
    right=Right.SCORE,
    query=ProgressQuery,
    answer=ProgressPage,
)
async def get_progress(asked: Asked[ProgressQuery, None]) -> ProgressPage:
    """Of the operators whom the asker scores."""
    async with asked.parts.database.read() as db:
        weeks = await sampling.weeks(db, asked.actor)
        this = sampling.this_week(house.zone(asked.parts.settings)).isoformat()
        week = asked.query.week or (weeks[0] if weeks else this)
        found = await sampling.progress(db, asked.actor, week)
    return ProgressPage(week=week, weeks=weeks, items=[_progress(one) for one in found])


@api.operation(
    "GET",
    "/coaching-lists",
    "Coaching lists: those given to the asker, and those that he may change",
    right=Right.CALLS,
    query=CoachingQuery,
    answer=CoachingPage,
)
async def list_coaching(asked: Asked[CoachingQuery, None]) -> CoachingPage:
    """The newest first."""
    away = asked.query.away and may(asked.actor, Right.SCORE)
    async with asked.parts.database.read() as db:
        found = await coached.lists(db, asked.actor, away=away)
    return CoachingPage(items=[_named(CoachingList, line) for line in found])


@api.operation("GET", "/coaching-lists/{id}", "One coaching list", right=Right.CALLS, answer=WholeCoachingList)
async def get_coaching(asked: Asked[None, None]) -> WholeCoachingList:
    """With its moments in order, and for who made it who has heard how much."""
    key = asked.number("id")
    async with asked.parts.database.read() as db:
        line = await coached.one_list(db, asked.actor, key)
        moments = await coached.moments(db, asked.actor, line)
        people = await coached.listeners(db, key) if line.mine else []
    return WholeCoachingList(
        coaching=_named(CoachingList, line),
        moments=[_moment(one) for one in moments],
        people=[_listener(one) for one in people],
    )


def _review(one: Sampled, hidden: bool) -> Review:
    same = [name for name in Review.model_fields if name not in ("operator_id", "operator", "reasons")]
    whose: dict[str, Any] = {} if hidden else {"operator_id": one.operator_id, "operator": one.operator}
    reasons = [ReviewReason(**asdict(why)) for why in one.reasons]
    return Review(**{name: getattr(one, name) for name in same}, **whose, reasons=reasons)


def _progress(one: Progress) -> OperatorProgress:
    return OperatorProgress(**{name: getattr(one, name) for name in OperatorProgress.model_fields})


def _moment(one: coached.MomentLine) -> CoachingMoment:
    same = [name for name in CoachingMoment.model_fields if name not in ("call_id", "heard_at")]
    values = {name: getattr(one, name) for name in same}
    return CoachingMoment(**values, call_id=one.call_id or None, heard_at=one.seen_at)


def _listener(one: coached.Listener) -> CoachingListener:
    same = ("given_at", "given_by", "heard", "last_at")
    values = {name: getattr(one, name) for name in same}
    return CoachingListener(operator_id=one.user_id, operator=one.name, **values)


def _named(shape: Any, line: Any) -> Any:
    return shape(**{name: getattr(line, name) for name in shape.model_fields})
