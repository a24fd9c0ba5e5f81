"""What the tracker tells: what each party's leg does, with Asterisk's Local halves already folded away.

A leg is one party's channel; its id is the channel's Uniqueid. `at` is in seconds, on whatever
clock the tracker is fed with. `exact` is False where a snapshot told it: it is so, but since when
is not known. Every event may come again; what is already known must not be counted twice.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegEvent:
    """Something happened to the leg at that moment."""

    at: float
    leg: str


@dataclass(frozen=True, slots=True)
class LegBegan(LegEvent):
    """A leg is there. `root` is the Uniqueid of the first channel of its conversation (Linkedid at the beginning)."""

    channel: str
    endpoint: str
    root: str
    number: str
    name: str
    exten: str
    context: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class LegNumbered(LegEvent):
    """The leg's caller number became known or was changed by the PBX; `dialled` where a snapshot knows it better."""

    number: str
    name: str
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class LegRang(LegEvent):
    """The leg is being called. `by` is the leg that calls it, None when the PBX itself does (Originate).

    It comes again when it is known better who calls.
    `exten` is what the calling leg had dialled, `dialled` the dial string.
    """

    by: str | None
    exten: str
    dialled: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class LegUp(LegEvent):
    """The leg was answered by its phone, which says nothing of whom it talks with."""


@dataclass(frozen=True, slots=True)
class LegTried(LegEvent):
    """Calling the leg ended with Asterisk's DIALSTATUS: ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL …"""

    status: str


@dataclass(frozen=True, slots=True)
class LegTogether(LegEvent):
    """The leg hears exactly these other legs from now on; none means alone.

    `moved`: the leg itself went, rather than the others; `conference`: a named room.
    """

    others: frozenset[str]
    moved: bool = False
    conference: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True)
class LegHeld(LegEvent):
    """The leg's phone put its party on hold."""


@dataclass(frozen=True, slots=True)
class LegResumed(LegEvent):
    """The leg's phone took its party back."""


@dataclass(frozen=True, slots=True)
class LegQueued(LegEvent):
    """The leg waits in a queue; `admitted` is False when it only asked to be let in."""

    queue: str
    exten: str
    admitted: bool = True
    exact: bool = True


@dataclass(frozen=True, slots=True)
class LegUnqueued(LegEvent):
    """The leg waits in the queue no more."""

    queue: str


@dataclass(frozen=True, slots=True)
class LegTransferred(LegEvent):
    """The leg handed its party on.

    `kind`: blind or attended; `second`: its other line that asked (attended); `moved`: the leg handed
    on; `target`: the leg that gets it, where known; `exten`: where to.
    """

    kind: str
    second: str | None
    moved: str | None
    target: str | None
    exten: str


@dataclass(frozen=True, slots=True)
class LegParked(LegEvent):
    """The leg is parked at `space`; `by` is the endpoint that parked it, where known."""

    by: str
    space: str


@dataclass(frozen=True, slots=True)
class LegUnparked(LegEvent):
    """Parking ended: `how` is retrieved (by the leg `by`), timed_out or given_up."""

    how: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class LegPickedUp(LegEvent):
    """The leg took over the call that rang at the leg `instead`."""

    instead: str | None


@dataclass(frozen=True, slots=True)
class LegRecorded(LegEvent):
    """The leg is recorded; `file` is empty while its name is not known, and may be asked for by `channel`.

    `hears`: what counts as said is what the leg hears: the recording hangs on a Local half at the other side of it.
    """

    channel: str
    file: str
    hears: bool = False


@dataclass(frozen=True, slots=True)
class LegMailed(LegEvent):
    """The leg is with a voice mailbox."""

    box: str


@dataclass(frozen=True, slots=True)
class LegHungUp(LegEvent):
    """The leg's own phone asked to end, before it ended."""


@dataclass(frozen=True, slots=True)
class LegDismissed(LegEvent):
    """Somebody else told the leg to end: the dialplan, a command, or the PBX."""


@dataclass(frozen=True, slots=True)
class LegEnded(LegEvent):
    """The leg is over; `cause` is the Q.850 number, None where it was lost."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class LegReplaced(LegEvent):
    """The leg goes on what `old` was: same phone, another channel (a masquerade)."""

    old: str


@dataclass(frozen=True, slots=True)
class Originated(LegEvent):
    """An Originate came to its end: `leg` is empty when nobody picked up, then `endpoint` tells where."""

    endpoint: str
    exten: str
    number: str
    action: str
    succeeded: bool


@dataclass(frozen=True, slots=True)
class PbxStopped(LegEvent):
    """The PBX went down, and every leg with it; `leg` is empty."""
