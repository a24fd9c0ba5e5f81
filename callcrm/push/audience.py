"""Who may see a message: the policy's scopes, answered in memory for every client at once.

The queries ask the same of the database (`accounts.policy.visible_calls` …); the tests hold
both against each other.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor
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


def sees_task(actor: Actor, owner: int | None, queue: str | None, queue_people: Set[str], people: People) -> bool:
    """As `policy.tasks_of`: a task without an owner belongs to the people of its queue, or to all."""
    if owner is not None:
        return belongs(actor, {owner}, people)
    return policy.scope(actor) != "own" or not queue or actor.name in queue_people
