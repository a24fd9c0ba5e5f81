"""Says things to clients: the same builders for what happens live and for what somebody missed.

A text is made once for all who may see the same; only a masked number makes a second one.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime
from typing import Protocol

from callcrm.accounts import policy
from callcrm.kernel.facts import Fact
from callcrm.push import audience, frames, messages
from callcrm.push.audience import Person
from callcrm.push.book import PopBook
from callcrm.push.cursor import Told
from callcrm.push.frames import Labels
from callcrm.push.hub import Client, Hub
from callcrm.push.pop import Pop
from callcrm.push.shapes import CallData, Data, OperatorData
from callcrm.push.views import AnyRow, CallView
from callcrm.shifts.queries import NOBODY, Queue, Stand


class Outlet(Protocol):
    """Where frames go: to everybody, or to one client that catches up."""

    def everybody(self) -> Iterable[Client]: ...

    def of(self, user: int) -> Iterable[Client]: ...

    def near(self, users: Set[int]) -> Iterable[Client]: ...

    def next_id(self) -> str: ...

    def send(self, clients: list[Client], text: str) -> int: ...


class Live:
    """To everybody who is connected; ids claim what was told up to now."""

    def __init__(self, hub: Hub, told: Told) -> None:
        self._hub = hub
        self._told = told

    def everybody(self) -> Iterable[Client]:
        """All clients."""
        return self._hub

    def of(self, user: int) -> Iterable[Client]:
        """One person's clients."""
        return self._hub.of(user)

    def near(self, users: Set[int]) -> Iterable[Client]:
        """Clients of these people, and of all who see more than their own."""
        return self._hub.near(users)

    def next_id(self) -> str:
        """A fresh id."""
        return self._told.cursor()

    def send(self, clients: list[Client], text: str) -> int:
        """Send now, or into what a client holds while it catches up."""
        return self._hub.send(clients, text)


class CatchUp:
    """To one client, past what it holds; its ids claim no more than the client was told before."""

    def __init__(self, hub: Hub, client: Client, ids: Callable[[], str]) -> None:
        self._hub = hub
        self._client = client
        self._ids = ids

    def everybody(self) -> Iterable[Client]:
        """The one client."""
        return [self._client]

    def of(self, user: int) -> Iterable[Client]:
        """The one client, when it is this person's."""
        return [self._client] if self._client.actor.user_id == user else []

    def near(self, users: Set[int]) -> Iterable[Client]:  # noqa: ARG002 - one client is quickly asked
        """The one client."""
        return [self._client]

    def next_id(self) -> str:
        """An id that resumes where the client stood."""
        return self._ids()

    def send(self, clients: list[Client], text: str) -> int:
        """Send past what is held."""
        for client in clients:
            self._hub.straight(client, text)
        return len(clients)


class Teller:
    """Builds messages from what was read, and sends them to those who may see them."""

    def __init__(self, book: PopBook, labels: Labels) -> None:
        self._book = book
        self._labels = labels
        self.people: dict[int, Person] = {}
        self.stands: dict[int, Stand] = {}
        self._told: dict[int, OperatorData] = {}

    def set_people(self, rows: Iterable[AnyRow]) -> None:
        """Who works here, as it is now."""
        self.people = {
            row.id: Person(row.id, row.full_name or row.name, row.name, row.team, row.on_shift_since) for row in rows
        }

    def set_stands(self, stands: Mapping[int, Stand]) -> None:
        """How these people stand now."""
        self.stands |= stands

    def pop(self, out: Outlet, pop: Pop, view: CallView, at: datetime) -> tuple[int, str]:
        """A pop to its person. Returns how many clients got it and the message's id."""
        by = frames.answered_by(pop, self._book.of_call(pop.call), self.people)
        return _say(
            out,
            frames.MESSAGE_OF[pop.state],
            at,
            out.of(pop.user),
            lambda number: frames.pop(pop, view, self._labels, by, number, self.people),
            number=view.number,
        )

    def call(self, out: Outlet, view: CallView, at: datetime) -> None:
        """A row of the log to those whose call it is, or who see all."""
        near = out.near(view.parties | view.owners | view.operators)
        clients = (c for c in near if audience.sees_call(c.actor, view, self.people))
        _say(out, "call.changed", at, clients, lambda number: frames.call(view, number), number=view.number)
        self._tell_callback(out, view, at)

    def _tell_callback(self, out: Outlet, view: CallView, at: datetime) -> None:
        """Who is to call this person back, or might, hears that he is on the line, at whomever's phone."""
        debt = view.debt
        if debt is None or view.direction == "internal":
            return
        task = (debt.owner_id, debt.queue, self._labels.queue_people.get(debt.queue or "", frozenset()), self.people)
        clients = (c for c in out.everybody() if audience.sees_task(c.actor, *task, kind="callback"))
        _say(out, "task.changed", at, clients, lambda number: frames.caller(view, debt, number), number=view.number)

    def folded(self, out: Outlet, fact: Fact) -> None:
        """A call is no call of its own any more; ids are nobody's secret, so everybody may drop its row."""
        ids = fact.ids
        data = CallData(
            call=str(ids.get("call")),
            pbx=fact.stream.removeprefix("pbx:"),
            direction="internal",
            state="folded",
            into=str(ids.get("into")),
            at=fact.at,
        )
        _say(out, "call.changed", fact.at, out.everybody(), lambda _: data)

    def task(self, out: Outlet, kind: str, row: AnyRow, at: datetime) -> None:
        """A task to its owner or its queue's people, and to who sees all; to who saw it before that it is gone."""
        of_queue = self._labels.queue_people.get(row.queue or "", frozenset())

        def sees(client: Client, owner: int | None) -> bool:
            task = (owner, row.queue, of_queue, self.people)
            return audience.sees_task(client.actor, *task, team=row.team, kind=row.kind)

        everybody = list(out.everybody())
        seeing = [client for client in everybody if sees(client, row.owner_id)]
        _say(out, kind, at, seeing, lambda number: frames.task(row, number), number=row.number)
        if kind == "task.changed" and row.owner_id is not None and (row.kind == "callback" or row.team):
            others = [client for client in everybody if client not in seeing and sees(client, None)]
            _say(out, kind, at, others, lambda _: frames.taken(row))

    def operator(self, out: Outlet, user: int, at: datetime, *, again: bool = True) -> None:
        """A person's state to himself and to who sees him; unless `again`, only if everybody was told another."""
        person = self.people.get(user)
        if person is None:
            return
        data = frames.operator(person, self._book.state(user), self.stands.get(user, NOBODY))
        if not again and self._told.get(user) == data:
            return
        if isinstance(out, Live):
            self._told[user] = data
        clients = (c for c in out.near({user}) if audience.belongs(c.actor, {user}, self.people))
        _say(out, "operator.changed", at, clients, lambda _: data)

    def queue(self, out: Outlet, row: Queue, at: datetime) -> None:
        """A queue's figures to everybody; its people to those who see everybody."""
        everybody, figures = frames.queue(row, self._labels, people=True), frames.queue(row, self._labels, people=False)
        all_seeing = {c for c in out.everybody() if policy.scope(c.actor) == "all"}
        _say(out, "queue.changed", at, all_seeing, lambda _: everybody)
        _say(out, "queue.changed", at, [c for c in out.everybody() if c not in all_seeing], lambda _: figures)

    def link(self, out: Outlet, row: AnyRow, at: datetime) -> None:
        """The state of a link to everybody: each has a light for it."""
        _say(out, "link.changed", at, out.everybody(), lambda _: frames.link(row))


def _say(
    out: Outlet,
    kind: str,
    at: datetime,
    clients: Iterable[Client],
    build: Callable[[str | None], Data],
    *,
    number: str | None = None,
) -> tuple[int, str]:
    groups: dict[str | None, list[Client]] = {}
    for client in clients:
        groups.setdefault(policy.shown_number(client.actor, number) if number else None, []).append(client)
    sent, frame_id = 0, ""
    for shown, group in groups.items():
        frame_id = out.next_id()
        sent += out.send(group, messages.write(kind, frame_id, at, build(shown)))
    return sent, frame_id
