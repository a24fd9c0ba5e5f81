"""Who may see a message: the policy's scopes, answered in memory for every client at once.

The queries ask the same of the database (`accounts.policy.visible_calls` …); the tests hold
both against each other.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor, Right
from callcrm.push.views import CallView


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here."""

    id: int
    name: str
    account: str
    team: str
    on_shift_since: datetime | None


People = Mapping[int, Person]


def belongs(actor: Actor, users: Set[int], people: People) -> bool:
    """Whether something of these users is within the actor's reach."""
    scope = policy.scope(actor)
    if scope == "all" or actor.user_id in users:
        return True
    if scope == "own":
        return False
    return any(user in people and people[user].team == actor.team for user in users)


def sees_call(actor: Actor, view: CallView, people: People) -> bool:
    """As `policy.calls_of`: one's own, the team's; what rang at nobody is for every supervisor."""
    if belongs(actor, view.parties | view.owners | view.operators, people):
        return True
    return policy.scope(actor) == "team" and not view.parties


def sees_task(
    actor: Actor,
    owner: int | None,
    queue: str | None,
    queue_people: Set[str],
    people: People,
    *,
    team: str | None = None,
    kind: str = "task",
) -> bool:
    """As `policy.tasks_of`: a task without an owner belongs to the people of its queue and team, or to all.

    A queue's callbacks are seen by its people whoever holds them.
    """
    if kind == "callback" and queue and actor.name in queue_people:
        return True
    if owner is not None:
        return belongs(actor, {owner}, people)
    if team is not None and team != actor.team and policy.scope(actor) != "all":
        return False
    return policy.scope(actor) != "own" or not queue or actor.name in queue_people


def sees_evaluation(actor: Actor, subject: int, grader: int, state: str, people: People) -> bool:
    """As `policy.evaluations_of`; one that became a draft again is told to those who saw it before."""
    if actor.user_id == subject:
        return state == "released"
    if not policy.may(actor, Right.SCORE):
        return False
    return actor.user_id == grader or belongs(actor, {subject}, people)
