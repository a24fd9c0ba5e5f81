"""Quality over push: scores, coaching lists and calls to review, to those who may see them, without any text of them.

A message says what changed; the page that is open reads the rest, under the reader's own rights.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor, Right
from callcrm.kernel.facts import Fact
from callcrm.push import audience, messages
from callcrm.push.audience import People
from callcrm.push.hub import Client
from callcrm.push.shapes import CoachingData, Data, EvaluationData, ReviewData
from callcrm.push.teller import Outlet
from callcrm.quality.sampling_tables import CoachingGiven, CoachingList, SampledCall
from callcrm.quality.tables import Dispute, Evaluation

EVALUATION, COACHING, REVIEW = "evaluation.changed", "coaching.changed", "review.changed"
KINDS = frozenset({EVALUATION, COACHING, REVIEW})


async def tell(db: AsyncConnection, facts: Sequence[Fact], people: People, out: Outlet) -> None:
    """Each of them once, as it is now."""
    ours = [fact for fact in facts if fact.kind in KINDS]
    if not ours:
        return
    await _evaluations(db, _last(ours, EVALUATION, "evaluation"), people, out)
    await _lists(db, _last(ours, COACHING, "list", "user"), out)
    await _reviews(db, _last(ours, REVIEW, "review", "user"), people, out)


def _last(facts: Iterable[Fact], kind: str, *keys: str) -> dict[tuple[Any, ...], Fact]:
    """The last fact of this kind about each thing."""
    return {tuple(fact.ids.get(key) for key in keys): fact for fact in facts if fact.kind == kind}


async def _evaluations(db: AsyncConnection, told: dict[tuple[Any, ...], Fact], people: People, out: Outlet) -> None:
    if not told:
        return
    e = Evaluation
    open_ = select(Dispute.id).where(Dispute.evaluation_id == e.id, Dispute.state == "open").correlate(e).exists()
    columns = (e.id, e.call_id, e.subject_id, e.grader_id, e.state, e.replaces_id, e.replaced_by, e.calibration_id)
    query = select(*columns, open_.label("disputed")).where(e.id.in_([int(key) for (key,) in told]))
    for row in (await db.execute(query)).all():
        if row.calibration_id is not None:
            continue  # Nobody is told how far a round is: each scores for himself.
        fact = told[row.id,]
        data = EvaluationData(
            evaluation=row.id,
            call=row.call_id,
            operator=row.subject_id,
            operator_name=people[row.subject_id].name if row.subject_id in people else "",
            state=row.state,
            act=str(fact.ids.get("act") or ""),
            disputed=bool(row.disputed),
            replaces=row.replaces_id,
            replaced_by=row.replaced_by,
        )
        seeing = [
            client
            for client in out.near({row.subject_id, row.grader_id})
            if audience.sees_evaluation(client.actor, row.subject_id, row.grader_id, row.state, people)
        ]
        _say(out, EVALUATION, fact.at, seeing, data)


async def _lists(db: AsyncConnection, told: dict[tuple[Any, ...], Fact], out: Outlet) -> None:
    if not told:
        return
    keys = [int(key) for key, _user in told]
    rows = {row.id: row for row in await db.execute(select(*_LIST).where(CoachingList.id.in_(keys)))}
    given: dict[int, set[int]] = {}
    for row in await db.execute(select(CoachingGiven.list_id, CoachingGiven.user_id).where(_GIVEN.in_(keys))):
        given.setdefault(row.list_id, set()).add(row.user_id)
    for (key, user), fact in told.items():
        its = rows.get(int(key))
        if its is None:
            continue
        act = str(fact.ids.get("act") or "changed")
        hears = {int(user)} if user is not None else given.get(its.id, set())
        # Who has heard a moment is for who gave it, and for himself.
        data = CoachingData(list=its.id, act=act, operator=user, title=its.title if act == "given" else "")
        seeing = [
            client
            for client in out.near(hears | {its.made_by})
            if client.actor.user_id in hears or _makes(client.actor, its.made_by)
        ]
        _say(out, COACHING, fact.at, seeing, data)


_LIST = (CoachingList.id, CoachingList.title, CoachingList.made_by)
_GIVEN = CoachingGiven.list_id


def _makes(actor: Actor, made_by: int) -> bool:
    return policy.may(actor, Right.SCORE) and (actor.user_id == made_by or policy.scope(actor) == "all")


async def _reviews(db: AsyncConnection, told: dict[tuple[Any, ...], Fact], people: People, out: Outlet) -> None:
    if not told:
        return
    keys = [int(key) for key, _user in told if key is not None]
    columns = (SampledCall.id, SampledCall.state, SampledCall.taken_by)
    rows = {row.id: row for row in await db.execute(select(*columns).where(SampledCall.id.in_(keys)))} if keys else {}
    for (key, user), fact in told.items():
        row = rows.get(int(key)) if key is not None else None
        data = ReviewData(review=key, state=row.state if row else "", taken_by=row.taken_by if row else None)
        seeing = [client for client in out.near(set()) if _reviews_of(client.actor, user, people)]
        _say(out, REVIEW, fact.at, seeing, data)


def _reviews_of(actor: Actor, operator: Any, people: People) -> bool:
    """As `quality.sampling.reach`: whose calls he may be given to score, never his own."""
    if not policy.may(actor, Right.SCORE) or actor.user_id == operator:
        return False
    return operator is None or audience.belongs(actor, {int(operator)}, people)


def _say(out: Outlet, kind: str, at: datetime, clients: list[Client], data: Data) -> None:
    if clients:
        out.send(clients, messages.write(kind, out.next_id(), at, data))
