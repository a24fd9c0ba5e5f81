"""Who may see a message: the policy's scopes, answered in memory for every client at once.

The queries ask the same of the database (`accounts.policy.visible_calls` …); the tests hold
both against each other.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts import policy
from callcrm.accounts.policy import Actor
from callcrm.push.hub import Client


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here."""

    id: int
    name: str
    account: str
    team: str
    on_shift_since: datetime | None


People = Mapping[int, Person]


def concerns(actor: Actor, users: Set[int], people: People) -> bool:
    """Whether what belongs to `users` is within the actor's reach."""
    scope = policy.scope(actor)
    if scope == "all" or actor.user_id in users:
        return True
    if scope != "team" or not actor.team:
        return False
    return any(user in people and people[user].team == actor.team for user in users)


def of_users(clients: Iterable[Client], users: Set[int], people: People) -> list[Client]:
    """The clients whose actor may see what belongs to `users`."""
    return [client for client in clients if concerns(client.actor, users, people)]


def of_task(clients: Iterable[Client], owner: int | None, queue_people: Set[str], people: People) -> list[Client]:
    """A task is its owner's; one without an owner belongs to the people of its queue."""
    if owner is not None:
        return of_users(clients, {owner}, people)
    users = {person.id for person in people.values() if person.account in queue_people}
    return of_users(clients, users, people)
