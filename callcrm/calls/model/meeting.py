"""What legs do with each other: hear, hold, queue, hand on, park, pick up; and what is recorded of it."""

from dataclasses import replace

from callcrm.calls.model.lines import stop_ringing
from callcrm.calls.model.state import Conversation, Filed, Handing, Leg, Parking, Span, Wait
from callcrm.calls.model.talks import client_leg
from callcrm.calls.model.telling import Telling
from callcrm.telephony import signals as say


def together(t: Telling, signal: say.Together) -> None:
    """A leg hears others than before."""
    leg = t.legs.get(signal.leg)
    if leg is None or leg.ended is not None:
        return
    for other in sorted(leg.others - signal.others):
        part(t, leg, other, signal)
    new = sorted(signal.others - leg.others)
    leg.others = signal.others
    for other in new:
        if other in t.legs:
            join_span(t, leg, t.legs[other], signal)
    t.retalk(leg.home, signal.at)


def part(t: Telling, leg: Leg, other: str, signal: say.Together) -> None:
    """A leg no longer hears another; who of the two went is kept."""
    span = leg.spans.get(other)
    if span is None:
        return
    if span.end is None:
        span.end, span.went = signal.at, leg.id if signal.moved else None
    elif signal.moved and span.went is None:
        span.went = leg.id
    if other in t.legs:
        t.retalk(t.legs[other].home, signal.at)


def join_span(t: Telling, leg: Leg, other: Leg, signal: say.Together) -> None:
    """Two legs hear each other, for the first time or again."""
    span = leg.spans.get(other.id)
    if span is not None:
        span.end = span.went = None
    else:
        start = signal.at if signal.exact else None
        leg.spans[other.id] = other.spans[leg.id] = Span(start, signal.at)
        t.meet(leg, other, signal.at, conference=signal.conference)
    for one in (leg, other):
        if one.up_at is None:
            one.up_at = signal.at
            stop_ringing(t, one, signal.at, quietly=True)
    t.announce(leg.home)
    t.announce(other.home)
    t.retalk(other.home, signal.at)


def held(t: Telling, signal: say.Held) -> None:
    """A phone put its party on hold."""
    leg = t.legs.get(signal.leg)
    if leg is not None and leg.hold_since is None:
        leg.hold_since = signal.at
        t.changed(leg.home, signal.at)


def resumed(t: Telling, signal: say.Resumed) -> None:
    """A phone took its party back."""
    leg = t.legs.get(signal.leg)
    if leg is not None and leg.hold_since is not None:
        leg.holds.append((leg.hold_since, signal.at))
        leg.hold_since = None
        t.changed(leg.home, signal.at)


def queued(t: Telling, signal: say.Queued) -> None:
    """A leg waits in a queue; out of a talk, it was sent there."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    talk = leg.home
    if signal.admitted and not any(wait.until is None for wait in leg.waits):
        leg.waits.append(Wait(signal.queue, signal.at))
    if not signal.admitted:
        talk.asked_queue = talk.asked_queue or signal.queue
    elif talk.queue is None:
        talk.queue = signal.queue
    if client_leg(talk, t.legs) is leg and leg.spans and signal.exact:
        t.redirected(talk, leg, signal.at, signal.exten)
    t.changed(talk, signal.at)


def unqueued(t: Telling, signal: say.Unqueued) -> None:
    """A leg waits in the queue no more; what comes of it is told by what follows."""
    leg = t.legs.get(signal.leg)
    for wait in leg.waits if leg is not None else ():
        wait.until = signal.at if wait.until is None else wait.until


def transferred(t: Telling, signal: say.Transferred) -> None:
    """A leg handed its party on; what it asked on its other line belongs to the client's call now."""
    join = t
    by, moved = join.legs.get(signal.leg), join.legs.get(signal.moved or "")
    second, target = join.legs.get(signal.second or ""), join.legs.get(signal.target or "")
    talk = moved.home if moved is not None else (by.home if by is not None else None)
    if talk is None or talk.over is not None:
        return
    if signal.kind == "blind" and talk.parking is not None and talk.parking.over is None:
        return
    if signal.kind == "attended":
        for leg in (second, target, by):
            if leg is not None and leg.home is not talk and not leg.home.closed:
                less, whole = t.order(leg.home, talk)
                join.fold(less, whole)
                talk = whole
        target = target or partner(t, second or by, talk)
    found = Handing(
        signal.kind, signal.leg, signal.at, signal.exten, signal.second, target.id if target is not None else None
    )
    join.hand(talk, found)
    t.retalk(talk, signal.at)
    t.changed(talk, signal.at)


def partner(t: Telling, asking: Leg | None, talk: Conversation) -> Leg | None:
    """Whom the transferer asked last, besides the client."""
    client = client_leg(talk, t.legs)
    if asking is None:
        return None
    met = [one for one in asking.spans if client is None or one != client.id]
    met.sort(key=lambda one: asking.spans[one].seen)
    return t.legs.get(met[-1]) if met else None


def parked(t: Telling, signal: say.Parked) -> None:
    """The client is parked; the transfer to the parking place was none."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    talk = leg.home
    if talk.parking is not None and talk.parking.over is None:
        known = talk.parking.by, talk.parking.space
        talk.parking.by = signal.by or talk.parking.by
        talk.parking.space = signal.space or talk.parking.space
        if known != (talk.parking.by, talk.parking.space):  # told by no other event while the client waits
            t.changed(talk, signal.at)
        return
    if talk.handings and talk.handings[-1].kind == "blind" and talk.handings[-1].target is None:
        rung_since = any(one.rung_by == leg.id and one.began >= talk.handings[-1].at for one in t.legs_of(talk))
        if not rung_since:
            talk.handings.pop()
    by = signal.by or next(iter(sorted(talk.talking)), None)
    talk.parking = Parking(signal.at, by, signal.space)
    t.changed(talk, signal.at)


def unparked(t: Telling, signal: say.Unparked) -> None:
    """Parking ended; who took the client joins his call."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    talk = leg.home
    if talk.parking is None:
        talk.parking = Parking(signal.at, None, "")
    if talk.parking.over is not None:
        return
    talk.parking.over, talk.parking.over_at = signal.how, signal.at
    by = t.legs.get(signal.by or "")
    if by is not None:
        talk.parking.taken_by = by.who
        t.fold(by.home, talk)
    t.changed(talk, signal.at)


def picked_up(t: Telling, signal: say.PickedUp) -> None:
    """A leg took the call that rang elsewhere."""
    leg, instead = t.legs.get(signal.leg), t.legs.get(signal.instead or "")
    if leg is None or instead is None or leg.home is instead.home:
        return
    talk = instead.home
    talk.pickup = (instead.who, leg.who)
    stop_ringing(t, instead, signal.at, quietly=False)
    t.fold(leg.home, talk)
    t.changed(talk, signal.at)


def recorded(t: Telling, signal: say.Recorded) -> None:
    """A leg is recorded; the same file may be told with more or less of its folder."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    files = leg.home.files
    for number, one in enumerate(files):
        known = one.file
        if known == signal.file or known.endswith(f"/{signal.file}") or signal.file.endswith(f"/{known}"):
            files[number] = replace(one, file=_better(known, signal.file))
            break
    else:
        files.append(Filed(signal.file, signal.at, signal.leg, signal.hears))
    t.changed(leg.home, signal.at)


def mailed(t: Telling, signal: say.Mailed) -> None:
    """The client is with a voice mailbox."""
    leg = t.legs.get(signal.leg)
    if leg is not None and leg.home.box is None and not leg.operator:
        leg.home.box, leg.mailed_at = signal.box, signal.at
        t.changed(leg.home, signal.at)


def _better(one: str, other: str) -> str:
    """Of two names of one file, the one that says its folder; of those, the one that the dialplan gave."""
    shorter, longer = sorted((one, other), key=len)
    return shorter if "/" in shorter else longer
