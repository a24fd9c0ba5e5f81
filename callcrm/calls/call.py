"""What a call is, as the call model hands it out: plain, frozen rows of what is known by now.

Moments are seconds since the epoch (or since the beginning of a captured stream);
None means not known. Words are those of the contract's Replay part.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rang:
    """An operator's phone that rang: for how long, and since when."""

    operator: str
    ring_s: float | None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """An operator's time with the client, holding included."""

    operator: str
    talk_s: float | None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """The client was handed on: blind, attended or redirect."""

    kind: str
    from_: str | None
    to: str | None
    answered: bool
    consult_s: float | None = None
    talk_s: float | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a leg did besides ringing and talking with the client, since when, until when (None: still).

    `kind`: hold (it put its party on hold), asked (it talked with the leg of `who`, not with the client), queue
    (it waited in the queue `who`), parked (at the place `who`), voicemail (in the box `who`).
    """

    kind: str
    at: float
    until: float | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class CallLeg:
    """One party's channel; `side` is operator, trunk or other, `up_at` when its phone, or the PBX, answered."""

    channel: str
    uniqueid: str
    side: str
    who: str | None
    at: float | None
    ring_s: float | None
    answered_at: float | None
    talk_s: float | None
    cause: int | None
    up_at: float | None = None
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """The client was parked, and how that ended."""

    by: str | None
    space: str | None = None
    retrieved_by: str | None = None
    timed_out: bool = False
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Pickup:
    """The call that rang at one phone was taken from another."""

    from_: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording's name as the PBX told it, when it began, and whose voice its first lane holds.

    `first_lane`: client or operator; of an internal call the caller stands for the client.
    """

    file: str
    at: float | None = None
    first_lane: str = "client"


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation. `state`: waiting, ringing, talking, held, parked, ended."""

    id: str
    pbx: str
    uniqueid: str
    channel: str
    direction: str
    state: str
    at: float | None
    client: str | None = None
    called: str | None = None
    name: str | None = None
    caller: str | None = None
    operator: str | None = None
    queue: str | None = None
    rang: tuple[Rang, ...] = ()
    talks: tuple[Talk, ...] = ()
    answered_by: tuple[str, ...] = ()
    answered_at: float | None = None
    ended_at: float | None = None
    wait_s: float | None = None
    total_s: float | None = None
    missed: bool = False
    outcome: str | None = None
    why: str | None = None
    ended_by: str | None = None
    transfers: tuple[Transfer, ...] = ()
    parked: Parked | None = None
    pickup: Pickup | None = None
    hold_s: float | None = None
    click_to_call: bool = False
    client_ring_s: float | None = None
    voicemail: str | None = None
    serves: str | None = None
    recordings: tuple[Sound, ...] = ()
    legs: tuple[CallLeg, ...] = ()
    ringing: tuple[str, ...] = ()
    talking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a signal changed: a fact's kind, the call as it is now, and the operator (extension) concerned.

    `was`: ids of calls that are no longer calls of their own (folded into this one, or never were a call).
    """

    kind: str
    call: Call
    at: float
    operator: str | None = None
    was: tuple[str, ...] = field(default=())
