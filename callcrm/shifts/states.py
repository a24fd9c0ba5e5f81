"""What a person at work does, pure: acts of his own, of his calls and of the PBX → one state with its time.

    talking > (pause or wrap-up, whichever began later) > available > off

A `Mind` is all that counts; `follow` leads it through events and gives the spells that ended. Spells follow on
each other without gap or overlap as long as the shift lasts; time off shift is no spell unless he talks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

OFF, AVAILABLE, PAUSED, TALKING, WRAPUP = "off", "available", "paused", "talking", "wrapup"
Mode = Literal["none", "optional", "timed", "required"]
#: What the PBX is told while a wrap-up keeps calls away.
WRAPUP_REASON = "Wrap-up"


@dataclass(frozen=True, slots=True)
class WrapUpRule:
    """What follows a call: nothing, time until he is ready, so many seconds, or time until an outcome is chosen.

    `pauses`: the PBX gives no calls meanwhile.
    """

    mode: Mode = "optional"
    seconds: float = 30.0
    pauses: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the house settled: pauses with their limits in minutes (0: none), and what follows a call."""

    pauses: Mapping[str, float] = field(default_factory=dict)
    wrap_up: WrapUpRule = WrapUpRule()
    queues: Mapping[str, WrapUpRule] = field(default_factory=dict)

    def of(self, queue: str | None) -> WrapUpRule:
        """What follows a call of this queue."""
        return self.queues.get(queue or "", self.wrap_up)


@dataclass(frozen=True, slots=True)
class Pause:
    """No calls, since when and why."""

    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WrapUp:
    """After a call; it ends at `until`, or when he is ready."""

    at: datetime
    mode: Mode
    until: datetime | None = None
    pauses: bool = False


@dataclass(frozen=True, slots=True)
class Mind:
    """One person, as far as it decides his state.

    `pbx`: the PBX says that all his places in queues are paused; `opened`: when we last wanted them open, so that a
    pause from before is not taken for one of his own at the phone.
    """

    on_shift: datetime | None = None
    pause: Pause | None = None
    pbx: Pause | None = None
    opened: datetime | None = None
    talks: Mapping[str, datetime] = field(default_factory=dict)
    wrapups: Mapping[str, WrapUp] = field(default_factory=dict)

    @property
    def until(self) -> datetime | None:
        """When the next wrap-up ends by itself."""
        return min((one.until for one in self.wrapups.values() if one.until is not None), default=None)

    @property
    def calls(self) -> frozenset[str]:
        """The calls that something of his hangs on."""
        return frozenset({*self.talks, *self.wrapups})


@dataclass(frozen=True, slots=True)
class State:
    """What he does since when; `reason` of a pause."""

    code: str = OFF
    reason: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """A state that is over."""

    began: datetime
    ended: datetime
    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Started(Event):
    """His shift began."""


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """His shift is over: no pause and no wrap-up outlives it."""


@dataclass(frozen=True, slots=True)
class PausedByHand(Event):
    """He takes a pause, or another one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """He is back, also from a pause that was taken at the phone."""


@dataclass(frozen=True, slots=True)
class Talked(Event):
    """He talks, or calls out; a wrap-up that nothing holds open is over with it."""

    call: str


@dataclass(frozen=True, slots=True)
class Left(Event):
    """His part of a call is over; `rule` says what follows, None for a colleague's call."""

    call: str
    rule: WrapUpRule | None = None


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """He put the call away."""

    call: str


@dataclass(frozen=True, slots=True)
class Folded(Event):
    """A call turned out to be part of another."""

    call: str
    into: str


@dataclass(frozen=True, slots=True)
class PbxSaid(Event):
    """Whether the PBX gives him calls; `at` is when that changed there. `reason` as the PBX has it."""

    paused: bool
    reason: str = ""


def wanted(mind: Mind) -> str | None:
    """The reason for which the PBX is to give him no calls; None when it may."""
    if mind.on_shift is None:
        return None
    if mind.pause is not None:
        return mind.pause.reason
    return WRAPUP_REASON if any(one.pauses for one in mind.wrapups.values()) else None


def paused_there(mind: Mind) -> Pause | None:
    """A pause that was taken at the phone, not here."""
    if mind.pbx is None or mind.pause is not None or wanted(mind) is not None:
        return None
    return mind.pbx if mind.opened is None or mind.pbx.at > mind.opened else None


def shown(mind: Mind) -> tuple[str, str]:
    """The state and its reason, of the present."""
    if mind.talks:
        return TALKING, ""
    if mind.on_shift is None:
        return OFF, ""
    pause = mind.pause or paused_there(mind)
    wrapup = max((one.at for one in mind.wrapups.values()), default=None)
    if pause is not None and (wrapup is None or pause.at >= wrapup):
        return PAUSED, pause.reason
    return (WRAPUP, "") if wrapup is not None else (AVAILABLE, "")


def turn(mind: Mind, event: Event) -> Mind:
    """The mind after this event; an event that fits nothing changes nothing."""
    after = _turned(mind, event)
    if wanted(mind) is not None and wanted(after) is None:
        after = replace(after, opened=event.at)
    return after


def _turned(mind: Mind, event: Event) -> Mind:
    match event:
        case Started(at):
            return mind if mind.on_shift else replace(mind, on_shift=at)
        case Stopped():
            return replace(mind, on_shift=None, pause=None, wrapups={})
        case PausedByHand(at, reason):
            same = mind.pause is not None and mind.pause.reason == reason
            return mind if same or mind.on_shift is None else replace(mind, pause=Pause(at, reason))
        case Resumed(at):
            return replace(mind, pause=None, opened=at)
        case PbxSaid(at, paused, reason):
            return replace(mind, pbx=Pause(at, reason) if paused else None)
        case _:
            return _called(mind, event)


def _called(mind: Mind, event: Event) -> Mind:
    match event:
        case Talked(at, call):
            kept = {key: one for key, one in mind.wrapups.items() if one.mode == "required" and key != call}
            return replace(mind, talks={call: at, **mind.talks}, wrapups=kept)
        case Left(at, call, rule) if call in mind.talks:
            return _after(replace(mind, talks=_without(mind.talks, call)), call, at, rule)
        case Ready(_, call):
            return replace(mind, wrapups=_without(mind.wrapups, call))
        case Folded(_, call, into):
            return _moved(mind, call, into)
        case _:
            return mind


def _after(mind: Mind, call: str, at: datetime, rule: WrapUpRule | None) -> Mind:
    if rule is None or rule.mode == "none" or mind.on_shift is None:
        return mind
    until = at + timedelta(seconds=rule.seconds) if rule.mode == "timed" else None
    return replace(mind, wrapups={**mind.wrapups, call: WrapUp(at, rule.mode, until, rule.pauses)})


def _moved(mind: Mind, call: str, into: str) -> Mind:
    talks, wrapups = _without(mind.talks, call), _without(mind.wrapups, call)
    if call in mind.talks:
        talks = {into: mind.talks[call], **talks}
    elif call in mind.wrapups and into not in talks:
        wrapups = {into: mind.wrapups[call], **wrapups}
    return replace(mind, talks=talks, wrapups={key: one for key, one in wrapups.items() if key not in talks})


def _without(calls: Mapping[str, object], call: str) -> dict:  # type: ignore[type-arg]
    return {key: one for key, one in calls.items() if key != call}


def follow(mind: Mind, state: State, events: Iterable[Event], now: datetime) -> tuple[Mind, State, list[Spell]]:
    """Through the events in their order and up to `now`: mind and state after them, and what is over.

    What is told late counts from where the present state began: what was told before stands. What a PBX's clock
    puts into the future happens now.
    """
    spells: list[Spell] = []
    for event in (one if one.at <= now else replace(one, at=now) for one in events):
        mind, state = _lapse(mind, state, event.at, spells)
        mind = turn(mind, event)
        state = _told(mind, state, event.at, spells)
    mind, state = _lapse(mind, state, now, spells)
    return mind, state, spells


def _lapse(mind: Mind, state: State, at: datetime, spells: list[Spell]) -> tuple[Mind, State]:
    """Wrap-ups whose time is up by then."""
    while (until := mind.until) is not None and until <= at:
        kept = {key: one for key, one in mind.wrapups.items() if one.until is None or one.until > until}
        after = replace(mind, wrapups=kept)
        if wanted(mind) is not None and wanted(after) is None:
            after = replace(after, opened=until)
        mind, state = after, _told(after, state, until, spells)
    return mind, state


def _told(mind: Mind, state: State, at: datetime, spells: list[Spell]) -> State:
    code, reason = shown(mind)
    if (code, reason) == (state.code, state.reason):
        return state
    since = max(at, state.since) if state.since is not None else at
    if state.since is not None and state.code != OFF and since > state.since:
        spells.append(Spell(state.since, since, state.code, state.reason))
    return State(code, reason, since)
