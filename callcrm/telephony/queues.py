"""A PBX's queues as its events tell them, pure: who waits since when, who sits in them, who is paused.

`hear` takes one event and notes what `changed`; a `QueuePicture` is one queue as it is now. A list of queues (the
answer to QueueStatus) mends what was missed: who is not listed is not there any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ami.messages import Message, first
from callcrm.telephony import members
from callcrm.telephony.members import Members

#: Every event that is read here.
WANTED = members.WANTED | {"QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "QueueEntry"}
_STATES = {
    "1": "free",
    "2": "busy",
    "3": "busy",
    "4": "offline",
    "5": "offline",
    "6": "ringing",
    "7": "busy",
    "8": "busy",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody's place in a queue; `paused_at`: when `paused` last changed, in the stream's seconds."""

    interface: str
    extension: str
    name: str = ""
    state: str = "unknown"
    paused: bool = False
    reason: str = ""
    paused_at: float = 0.0


@dataclass(frozen=True, slots=True)
class QueuePicture:
    """A queue now; `longest` is since when the first caller waits, in the stream's seconds."""

    queue: str
    waiting: int = 0
    longest: float | None = None
    places: tuple[Place, ...] = ()


@dataclass(slots=True)
class _Queue:
    callers: dict[str, float] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)


class Queues(Members):
    """One PBX's queues. `flipped`: extensions that were paused or opened since it was last emptied."""

    def __init__(self) -> None:
        super().__init__()
        self._queues: dict[str, _Queue] = {}
        self._listed: dict[str, _Queue] = {}
        self.changed: set[str] = set()
        self.flipped: set[str] = set()
        self.listed = False
        self._turns: dict[str, Callable[[Message, float], None]] = {
            "QueueCallerJoin": self._joined,
            "QueueEntry": self._entered,
            "QueueCallerLeave": self._went,
            "QueueCallerAbandon": self._went,
            "QueueParams": self._begins,
            "QueueStatusComplete": self._complete,
            "QueueMemberRemoved": self._removed,
            **dict.fromkeys(("QueueMember", "QueueMemberAdded", "QueueMemberPause", "QueueMemberStatus"), self._member),
        }

    def hear(self, message: Message, at: float = 0.0) -> None:
        """Learn from one event; every other message is passed over."""
        turn = self._turns.get(first(message, "Event"))
        if turn is not None and (first(message, "Queue") or turn == self._complete):
            turn(message, at)

    def of(self, extension: str, queue: str = "") -> list[tuple[str, str]]:
        """(queue, interface) of an operator's places; in one queue, or in all."""
        return [
            (name, interface)
            for name, known in self._queues.items()
            if not queue or name == queue
            for interface, place in known.places.items()
            if extension in (place.extension, members.peer(interface))
        ]

    @property
    def names(self) -> list[str]:
        """Every queue that is known."""
        return sorted(self._queues)

    def picture(self, queue: str) -> QueuePicture:
        """The queue as it is now."""
        known = self._queues.get(queue) or _Queue()
        places = tuple(sorted(known.places.values(), key=lambda place: place.interface))
        return QueuePicture(queue, len(known.callers), min(known.callers.values(), default=None), places)

    # ---- callers -------------------------------------------------------------
    def _joined(self, message: Message, at: float) -> None:
        self._waits(message, at)

    def _entered(self, message: Message, at: float) -> None:
        self._waits(message, at - _seconds(first(message, "Wait")))

    def _waits(self, message: Message, since: float) -> None:
        name, caller = first(message, "Queue"), first(message, "Uniqueid")
        for queues in (self._queues, self._listed) if self._listed else (self._queues,):
            queues.setdefault(name, _Queue()).callers.setdefault(caller, since)
        self.changed.add(name)

    def _went(self, message: Message, _at: float) -> None:
        name, caller = first(message, "Queue"), first(message, "Uniqueid")
        for queues in (self._queues, self._listed):
            if name in queues and queues[name].callers.pop(caller, None) is not None:
                self.changed.add(name)

    # ---- members -------------------------------------------------------------
    def _member(self, message: Message, at: float) -> None:
        name = first(message, "Queue")
        interface = first(message, "Interface") or first(message, "Location")
        if not interface:
            return
        known = self._queues.setdefault(name, _Queue()).places
        place = _place(message, interface, at, known.get(interface))
        if place != known.get(interface):
            if interface not in known or known[interface].paused != place.paused:
                self.flipped.add(place.extension)
            known[interface] = place
            self.changed.add(name)
        if name in self._listed:
            self._listed[name].places[interface] = place

    def _removed(self, message: Message, _at: float) -> None:
        name = first(message, "Queue")
        interface = first(message, "Interface") or first(message, "Location")
        for queues in (self._queues, self._listed):
            if name in queues and (gone := queues[name].places.pop(interface, None)) is not None:
                self.changed.add(name)
                self.flipped.add(gone.extension)

    # ---- a list --------------------------------------------------------------
    def _begins(self, message: Message, _at: float) -> None:
        name = first(message, "Queue")
        self._listed.setdefault(name, _Queue())
        self._queues.setdefault(name, _Queue())
        self.changed.add(name)

    def _complete(self, _message: Message, _at: float) -> None:
        """What was listed is all there is; when each caller came is kept as it was heard."""
        listed, self._listed = self._listed, {}
        self.changed |= {*self._queues, *listed}
        for name, queue in listed.items():
            known = self._queues.get(name) or _Queue()
            callers = {caller: known.callers.get(caller, since) for caller, since in queue.callers.items()}
            gone = known.places.keys() - queue.places.keys()
            self.flipped |= {known.places[interface].extension for interface in gone}
            listed[name] = replace(queue, callers=callers)
        self._queues = listed
        self.listed = True


def _place(message: Message, interface: str, at: float, known: Place | None) -> Place:
    phone = first(message, "StateInterface") or interface
    paused = first(message, "Paused") == "1" if "Paused" in message else bool(known and known.paused)
    since = known.paused_at if known is not None and known.paused == paused else _flip(message, at, known, paused)
    return Place(
        interface=interface,
        extension=members.peer(phone),
        name=first(message, "MemberName") or first(message, "Name"),
        state=_STATES.get(first(message, "Status"), known.state if known and "Status" not in message else "unknown"),
        paused=paused,
        reason=(first(message, "PausedReason") or first(message, "Reason")) if paused else "",
        paused_at=since,
    )


def _flip(message: Message, at: float, known: Place | None, paused: bool) -> float:
    """When it changed: now, or for one who was found paused, when the PBX says."""
    said = _seconds(first(message, "LastPause"))
    return min(said, at) if known is None and paused and said > 0 else at


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0.0
