"""What a PBX says, in words that fit any PBX: the only thing that the call model reads.

A signal is of one leg: one party's line in a conversation, with an id that is the PBX's own. Moments are
seconds on the stream's clock. Signals may come again, or late; `exact` is False where a picture of the
present told that it is so, but not since when.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """Something happened to the leg at that moment."""

    at: float
    leg: str


@dataclass(frozen=True, slots=True)
class Began(Signal):
    """A leg is there.

    `side`: operator, trunk or other; `who`: the operator's extension, else the number; `root`: the id of the
    first leg of the conversation that it was begun in; `dialled`: what its party dialled.
    """

    channel: str
    side: str
    who: str
    number: str
    name: str
    root: str
    dialled: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Numbered(Signal):
    """The leg's number or name became known; `dialled` where a picture of the present knows it better."""

    number: str
    name: str
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class Rang(Signal):
    """The leg is being called by another, or by the PBX itself (None). `exten`: what the caller had dialled."""

    by: str | None
    exten: str
    number: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Up(Signal):
    """The leg's phone was lifted, which says nothing of whom it talks with."""


@dataclass(frozen=True, slots=True)
class Tried(Signal):
    """Calling the leg ended: answered, busy, no answer, cancelled, unreachable, congestion."""

    result: str


@dataclass(frozen=True, slots=True)
class Together(Signal):
    """The leg hears exactly these others from now on; `moved`: it went itself, rather than they."""

    others: frozenset[str]
    moved: bool = False
    conference: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Held(Signal):
    """The leg's phone put its party on hold."""


@dataclass(frozen=True, slots=True)
class Resumed(Signal):
    """The leg's phone took its party back."""


@dataclass(frozen=True, slots=True)
class Queued(Signal):
    """The leg waits in a queue; `admitted` False: it asked to."""

    queue: str
    exten: str
    admitted: bool = True
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Unqueued(Signal):
    """The leg waits in the queue no more."""

    queue: str


@dataclass(frozen=True, slots=True)
class Transferred(Signal):
    """The leg handed `moved` on to `target` or to `exten`; `second` is its other line (attended)."""

    kind: str
    second: str | None
    moved: str | None
    target: str | None
    exten: str


@dataclass(frozen=True, slots=True)
class Parked(Signal):
    """The leg is parked; `by` is the operator who did it, where known."""

    by: str | None
    space: str


@dataclass(frozen=True, slots=True)
class Unparked(Signal):
    """Parking ended: `how` is retrieved (by the leg `by`), timed_out or given_up."""

    how: str
    by: str | None


@dataclass(frozen=True, slots=True)
class PickedUp(Signal):
    """The leg took the call that rang at the leg `instead`."""

    instead: str | None


@dataclass(frozen=True, slots=True)
class Recorded(Signal):
    """The leg is recorded into this file; with `hears` what counts there as said is what it hears."""

    file: str
    hears: bool = False


@dataclass(frozen=True, slots=True)
class Mailed(Signal):
    """The leg is with the voice mailbox `box`."""

    box: str


@dataclass(frozen=True, slots=True)
class HungUp(Signal):
    """The leg's own phone ended it."""


@dataclass(frozen=True, slots=True)
class Dismissed(Signal):
    """Somebody else told the leg to end."""


@dataclass(frozen=True, slots=True)
class Ended(Signal):
    """The leg is over; `cause` is the Q.850 number where known."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class Replaced(Signal):
    """The leg is what `old` was."""

    old: str


@dataclass(frozen=True, slots=True)
class DialDone(Signal):
    """A call that the PBX was asked to make: its first leg (of `who`) picked up, or did not."""

    who: str
    number: str
    token: str
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Stopped(Signal):
    """The PBX went down, and every leg with it."""
