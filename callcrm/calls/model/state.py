"""What the call model keeps in mind: legs, and the conversations that they belong to."""

from dataclasses import dataclass, field

OPERATOR, TRUNK, OTHER = "operator", "trunk", "other"


@dataclass(slots=True)
class Span:
    """Two legs hear each other: since when (None: not known), until when (None: still).

    `went`: the leg that went away when it ended, None where the other one's room changed.
    """

    start: float | None
    seen: float
    end: float | None = None
    went: str | None = None
    joined_s: float = 0.0


@dataclass(slots=True)
class Wait:
    """A leg waits in a queue: since when, and until when (None: still)."""

    queue: str
    at: float
    until: float | None = None


@dataclass(slots=True)
class Leg:
    """One party's line."""

    id: str
    channel: str
    side: str
    who: str
    number: str
    name: str
    dialled: str
    began: float
    exact: bool
    home: "Conversation"
    rung: bool = False
    rung_at: float | None = None
    rung_by: str | None = None
    ring_end: float | None = None
    target: str = ""
    up_at: float | None = None
    result: str | None = None
    others: frozenset[str] = frozenset()
    spans: dict[str, Span] = field(default_factory=dict)
    hold_since: float | None = None
    holds: list[tuple[float, float]] = field(default_factory=list)
    waits: list["Wait"] = field(default_factory=list)
    mailed_at: float | None = None
    hung_up: float | None = None
    dismissed: float | None = None
    ended: float | None = None
    cause: int | None = None

    @property
    def operator(self) -> bool:
        """It is an operator's phone."""
        return self.side == OPERATOR

    @property
    def ringing(self) -> bool:
        """It rings now."""
        return self.rung and self.ring_end is None and self.ended is None


@dataclass(slots=True)
class Handing:
    """One transfer, as it was seen: `by` the leg that made it, `target` the leg that got the client, where known."""

    kind: str
    by: str
    at: float
    exten: str
    second: str | None = None
    target: str | None = None
    seen: bool = True


@dataclass(slots=True)
class Parking:
    """The client is, or was, parked."""

    at: float
    by: str | None
    space: str
    over: str | None = None
    over_at: float | None = None
    taken_by: str | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A recording: its name, since when, and the leg whose voice comes first in it (`hears`: what that leg hears)."""

    file: str
    at: float
    leg: str
    hears: bool = False


@dataclass(slots=True)
class Conversation:
    """One call in the making: its legs in order of beginning, and what happened to it."""

    id: str
    uniqueid: str
    began: float
    legs: list[str] = field(default_factory=list)
    caller: str | None = None
    originated: bool = False
    wanted: str = ""
    queue: str | None = None
    asked_queue: str | None = None
    handings: list[Handing] = field(default_factory=list)
    parking: Parking | None = None
    pickup: tuple[str | None, str] | None = None
    box: str | None = None
    files: list[Filed] = field(default_factory=list)
    serves: "Conversation | None" = None
    consult: bool = False
    announced: bool = False
    over: float | None = None
    closed: bool = False
    stopped: bool = False
    was: list[str] = field(default_factory=list)
    talking: set[str] = field(default_factory=set)
    answered: bool = False
