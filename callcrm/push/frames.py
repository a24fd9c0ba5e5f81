"""From what was read to what is said: the data of every kind of message, for one way of showing numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from callcrm.kernel import numbers
from callcrm.push.audience import People, Person
from callcrm.push.pop import Pop
from callcrm.push.shapes import CallData, LinkData, OperatorData, PopData, PopLine, PopMatch, QueueData, TaskData
from callcrm.push.views import AnyRow, CallView

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


def pop(pop: Pop, call: CallView, labels: Labels, answered_by: str, number: str | None) -> PopData:
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
        debt=call.debt,
    )


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
    )


def operator(person: Person, busy: str | None) -> OperatorData:
    """A person, with the state that his calls or his shift give him."""
    state = busy or ("available" if person.on_shift_since else "off")
    return OperatorData(
        operator=person.id,
        name=person.name,
        state=state,  # type: ignore[arg-type]
        on_shift_since=person.on_shift_since,
    )


def queue(pbx: str, name: str, labels: Labels, row: AnyRow | None) -> QueueData:
    """Who waits in a queue; no row means nobody."""
    return QueueData(
        pbx=pbx,
        queue=name,
        label=labels.queues.get(name, ""),
        waiting=row.waiting if row is not None else 0,
        longest_since=row.since if row is not None else None,
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
