"""From what was read to what is said: the data of every kind of message, for one way of showing numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from callcrm.kernel import numbers
from callcrm.push.audience import People, Person
from callcrm.push.pop import Pop
from callcrm.push.shapes import (
    CallData,
    LinkData,
    OperatorData,
    PopData,
    PopDebt,
    PopLine,
    PopMatch,
    QueueData,
    QueuePlace,
    TaskData,
)
from callcrm.push.views import AnyRow, CallView
from callcrm.shifts.queries import Member, Queue, Stand

#: A number as one kind of actor may see it (whole or masked).
Shown = Callable[[str | None], str | None]


@dataclass(frozen=True, slots=True)
class Labels:
    """What people call lines and queues, and who belongs to a queue: from the settings."""

    lines: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    queue_people: Mapping[str, frozenset[str]] = field(default_factory=dict)
    country: str = ""


#: Which message tells the state of a pop as it stands.
MESSAGE_OF = {
    "offered": "pop.offered",
    "answered": "pop.answered",
    "withdrawn": "pop.withdrawn",
    "wrapup": "pop.ended",
    "closed": "pop.ended",
}


def pop(  # noqa: PLR0917 - a pop and all that it shows
    pop: Pop, call: CallView, labels: Labels, answered_by: str, number: str | None, people: People
) -> PopData:
    """A pop with everything that the sheet shows."""
    rung = pop.rung_at or pop.at
    return PopData(
        pop=pop.id,
        call=pop.call,
        state=pop.state,  # type: ignore[arg-type]
        reason=pop.reason,  # type: ignore[arg-type]
        answered_by=answered_by,
        direction=call.direction,  # type: ignore[arg-type]
        number=number,
        shown=numbers.shown(number, labels.country) if number else "",
        said_name=call.said_name,
        clients=list(call.clients),
        match=_match(call),
        line=_line(call, labels),
        queue=call.queue or "",
        queue_label=labels.queues.get(call.queue or "", ""),
        waited_s=max(0.0, round((rung - call.at).total_seconds(), 1)),
        began=call.at,
        ring_since=rung,
        answered_at=pop.answered_at,
        ended_at=call.ended_at,
        phone=pop.extension,
        debt=_debt(call.debt, people),
    )


def _debt(debt: PopDebt | None, people: People) -> PopDebt | None:
    """With the name of who is to call back."""
    if debt is None or debt.owner_id is None or debt.owner_id not in people:
        return debt
    return debt.model_copy(update={"owner_name": people[debt.owner_id].name})


#: Why these cards, for programs and logs; the desk says it in the person's own language by `step`.
MATCH_WORDS = {
    "exact": "the same number",
    "national": "the same number, written without its country",
    "maybe": "a number that ends alike",
    "chosen": "chosen by a person",
    "new": "a new caller: the card was just opened",
    "own": "a number of our own",
    "extension": "an extension",
    "anonymous": "the caller withheld his number",
    "none": "nobody is known by this number",
}


def _match(call: CallView) -> PopMatch | None:
    step = str(call.match.get("step") or "")
    if not step:
        return None
    words = MATCH_WORDS.get(step, step)
    if len(call.clients) > 1:
        words += f"; {len(call.clients)} people share it"
    return PopMatch(step=step, words=words, remembered=bool(call.match.get("remembered")))


def _line(call: CallView, labels: Labels) -> PopLine | None:
    """The number that was called: one of ours, but for a call out, where it is the client's own (maybe masked)."""
    if call.direction == "outbound" or not call.called:
        return None
    return PopLine(number=call.called, label=labels.lines.get(call.called, ""))


def call(view: CallView, number: str | None) -> CallData:
    """A row of the log."""
    card = next((client for client in view.clients if client.id == view.client_id), None)
    return CallData(
        call=view.id,
        pbx=view.pbx,
        direction=view.direction,  # type: ignore[arg-type]
        state=view.state,
        at=view.at,
        answered_at=view.answered_at,
        ended_at=view.ended_at,
        number=number,
        client=view.client_id,
        client_name=card.name if card else "",
        called=view.called if view.direction != "outbound" else number,
        queue=view.queue,
        operator=view.operator,
        rang=list(view.rang),
        missed=view.missed,
        outcome=view.outcome,
        disposition=view.disposition,
    )


def task(row: AnyRow, number: str | None) -> TaskData:
    """A task."""
    return TaskData(
        task=row.id,
        kind=row.kind,
        state=row.state,
        title=row.title,
        client=row.client_id,
        client_name=row.client_name or "",
        number=number,
        queue=row.queue,
        owner=row.owner_id,
        due_at=row.due_at,
        attempts=row.attempts,
        closed_why=row.closed_why,
        version=row.version,
        owner_why=row.owner_why,
        promised_from=row.promised_from,
        snoozed_until=row.snoozed_until,
        next_try_at=row.next_try_at,
        escalated_at=row.escalated_at,
    )


def caller(view: CallView, debt: PopDebt, number: str | None) -> TaskData:
    """The callback of a caller who is on the line now, for who is to call him back."""
    card = next((client for client in view.clients if client.id == view.client_id), None)
    return TaskData(
        task=debt.task,
        kind="callback",
        state="open",
        client=view.client_id,
        client_name=card.name if card else "",
        number=number,
        queue=debt.queue,
        owner=debt.owner_id,
        owner_why=debt.owner_why,
        due_at=debt.due_at,
        attempts=debt.attempts,
        version=debt.version,
        caller="" if view.ended_at else view.state,
        call=view.id,
    )


def taken(row: AnyRow) -> TaskData:
    """The same for who may no longer see it, since another took it: ids are nobody's secret."""
    return TaskData(task=row.id, kind=row.kind, state=row.state, owner=row.owner_id, version=row.version)


def operator(person: Person, busy: str | None, stand: Stand) -> OperatorData:
    """A person with his state; a pop that rings is known here first."""
    state = busy if busy == "talking" or (busy and stand.state != "talking") else stand.state
    return OperatorData(
        operator=person.id,
        name=person.name,
        state=state,  # type: ignore[arg-type]
        reason=stand.reason,
        since=stand.since,
        on_shift_since=person.on_shift_since,
    )


def queue(row: Queue, labels: Labels, *, people: bool) -> QueueData:
    """Who waits in a queue, and who is there; `people`: each of them."""
    return QueueData(
        pbx=row.pbx,
        queue=row.queue,
        label=labels.queues.get(row.queue, ""),
        waiting=row.waiting,
        longest_since=row.longest_since,
        free=sum(one.state == "free" and not one.paused for one in row.members),
        paused=sum(one.paused for one in row.members),
        members=len(row.members),
        places=[_place(one) for one in row.members] if people else [],
    )


def _place(one: Member) -> QueuePlace:
    return QueuePlace(
        extension=one.extension,
        operator=one.user_id,
        name=one.name,
        state=one.state,
        paused=one.paused,
        reason=one.reason,
    )


def link(row: AnyRow) -> LinkData:
    """The link to a PBX."""
    return LinkData(pbx=row.pbx, state=row.state, words=row.words, since=row.since)


def answered_by(pop: Pop, others: list[Pop], people: People) -> str:
    """Who answered in this person's place: his name when the phone is somebody's."""
    for other in others:
        if pop.answered_by and other.extension == pop.answered_by and other.user in people:
            return people[other.user].name
    return pop.answered_by
