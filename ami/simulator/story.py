"""Who plays: the operators, the queues, the people who call, and which calls come how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody outside: the number as the provider sends it, and the name that his line tells (often none)."""

    number: str
    said: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a phone of the office."""

    extension: str
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the PBX: how it rings, and whom, by extension; `local`: members are Local channels."""

    name: str
    members: tuple[str, ...]
    strategy: str = "ringall"
    local: bool = False

    def interface(self, extension: str) -> str:
        """How a member is called in the queue's events."""
        return f"Local/{extension}@from-queue/n" if self.local else f"PJSIP/{extension}"


_OPERATORS = tuple(Operator(str(n), f"Operator {n}") for n in range(101, 107))
_QUEUES = (
    Queue("sales", ("101", "102", "103", "106")),
    Queue("support", ("101", "104", "105", "106"), "rrmemory", local=True),
)
_CALLS = {
    "queue_answered": 4.0,
    "queue_operator_hangs_up": 3.0,
    "queue_no_answer_then_second": 2.0,
    "queue_abandoned": 1.6,
    "queue_all_busy_then_abandoned": 0.6,
    "direct_answered": 3.0,
    "direct_named_caller": 1.5,
    "direct_hold": 1.2,
    "direct_no_answer": 1.0,
    "direct_busy": 0.4,
    "direct_voicemail": 0.5,
    "direct_anonymous": 0.6,
    "direct_anonymous_missed": 0.3,
    "closed": 0.4,
    "ivr_hangup": 0.5,
    "out_answered": 1.2,
    "out_no_answer": 0.6,
    "out_busy": 0.4,
    "internal_answered": 0.4,
    "transfer_blind": 0.7,
    "transfer_blind_from_queue": 0.6,
    "transfer_attended": 0.7,
    "park_and_retrieve": 0.5,
    "pickup_directed_from_queue": 0.5,
}
_PEOPLE = tuple(Person(f"7916000{n:04}") for n in range(1, 41))


@dataclass(frozen=True, slots=True)
class Story:
    """What is played.

    `calls` are weights of traces by name, `opening` those that are played first; `favourite` is an extension
    that is called whenever it is free and has rested for `rest_s`; `talk` and `wait` are the bounds of how much
    longer than recorded people talk, and let it ring; `lines` maps the recorded numbers of the office to others.
    """

    operators: tuple[Operator, ...] = _OPERATORS
    queues: tuple[Queue, ...] = _QUEUES
    people: tuple[Person, ...] = _PEOPLE
    calls: Mapping[str, float] = field(default_factory=lambda: dict(_CALLS))
    lines: Mapping[str, str] = field(default_factory=dict)
    opening: tuple[str, ...] = ()
    favourite: str = ""
    rest_s: float = 3.0
    talk: tuple[float, float] = (1.0, 1.0)
    wait: tuple[float, float] = (1.0, 1.0)

    def name_of(self, extension: str) -> str:
        """What the PBX shows as the name of an extension."""
        return next((one.name for one in self.operators if one.extension == extension), f"Operator {extension}")

    def some_calls(self, dice: Random) -> list[str]:
        """All calls of the story in a random order in which the frequent ones tend to come first."""
        return sorted(self.calls, key=lambda name: -(dice.random() ** (1 / max(self.calls[name], 1e-6))))

    def somebody(self, dice: Random, *, local: bool = False, not_these: frozenset[str] = frozenset()) -> Person:
        """One of the people by weight; `local`: one whom operators can dial; `not_these` are numbers in calls now."""
        people = [one for one in self.people if one.number not in not_these and not (local and "+" in one.number)]
        people = people or list(self.people)
        return dice.choices(people, [one.weight for one in people])[0]
