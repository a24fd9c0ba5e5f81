"""What a leg does by itself: begins, rings, is lifted, ends."""

from callcrm.calls.model.state import Conversation, Leg
from callcrm.calls.model.talks import client_leg
from callcrm.calls.model.telling import LINGER, Telling
from callcrm.telephony import signals as say


def began(t: Telling, signal: say.Began) -> None:
    """A leg is there: it opens a conversation, or belongs to the one that its root opened."""
    if signal.leg in t.legs:
        return
    talk = t.open(signal.root, signal.at)
    if talk.over is not None and signal.root != signal.leg:
        talk = t.open(signal.leg, signal.at)
    leg = Leg(
        id=signal.leg,
        channel=signal.channel,
        side=signal.side,
        who=signal.who,
        number=signal.number,
        name=signal.name,
        dialled=signal.dialled,
        began=signal.at,
        exact=signal.exact,
        home=talk,
    )
    t.legs[leg.id] = leg
    t.settle_in(leg, talk)
    if talk.caller is None or signal.leg == signal.root:
        talk.caller = leg.id if signal.leg == signal.root or not talk.legs[:-1] else talk.caller
        talk.began = min(talk.began, leg.began)
    if signal.leg == signal.root and leg.operator:
        talk.serves = t.engaged(leg.who, leg)
    elif signal.leg == signal.root:
        t.announce(talk)


def numbered(t: Telling, signal: say.Numbered) -> None:
    """A number or a name became known; what the client's line said first stands."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    if signal.dialled:
        leg.dialled = signal.dialled
    if leg.number == "" or (leg.rung and leg.side != "operator" and leg.up_at is None):
        leg.number = signal.number
        if not leg.operator:
            leg.who = leg.who or signal.number
    if leg.name == "" and not leg.operator and leg.up_at is None:
        leg.name = signal.name
    if leg.operator and leg.home.originated and leg.id == leg.home.caller and not leg.home.wanted:
        leg.home.wanted = signal.number if signal.number != leg.who else ""
    t.touch(leg.home)


def rang(t: Telling, signal: say.Rang) -> None:
    """A leg is being called."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        return
    if leg.rung:
        called_by(t, leg, signal)
        return
    leg.rung, leg.rung_by = True, signal.by
    leg.rung_at = signal.at if signal.exact else None
    if leg.side != "operator" and signal.number:
        leg.target, leg.who = signal.number, signal.number
    if leg.up_at is not None or leg.ended is not None:
        leg.ring_end = leg.up_at if leg.up_at is not None else leg.ended
    by = t.legs.get(signal.by or "")
    placed(t, leg, by, signal)
    t.announce(leg.home)
    t.touch(leg.home)
    if leg.operator and leg.ringing:
        t.tell("call.ringing", leg.home, signal.at, leg.who)


def called_by(t: Telling, leg: Leg, signal: say.Rang) -> None:
    """Who calls a leg that rings already, and by which number, is known better now."""
    by = t.legs.get(signal.by or "")
    if leg.side != "operator" and signal.number and not leg.target:
        leg.target, leg.who = signal.number, signal.number
        t.touch(leg.home)
    if by is not None and leg.home.originated and by.id == leg.home.caller and signal.exten:
        leg.home.wanted = signal.exten
    if by is None or by.id == leg.rung_by or leg.up_at is not None:
        return
    leg.rung_by = by.id
    if t.consulted_by(leg, by):
        t.split(leg, by, leg.rung_at if leg.rung_at is not None else signal.at, signal.exten)


def placed(t: Telling, leg: Leg, by: Leg | None, signal: say.Rang) -> None:
    """Where a leg belongs that is being called: to who calls it, or to a call that the PBX was asked to make."""
    join = t
    if by is None:
        if leg.home.caller == leg.id:
            leg.home.originated = True
            if leg.operator and leg.number != leg.who and not leg.home.wanted:
                leg.home.wanted = leg.number
        return
    talk = by.home
    if join.consulted_by(leg, by):
        join.split(leg, by, signal.at, signal.exten)
        return
    if leg.home is not talk and not leg.home.announced:
        join.fold(leg.home, talk)
    if talk.originated and by.id == talk.caller and signal.exten:
        talk.wanted = signal.exten
    client = client_leg(talk, join.legs)
    if by is client and leg.operator:
        after_parking(talk, signal.at)
        join.redirected(talk, by, signal.at, signal.exten)
    elif by is client and by.spans:
        join.redirected(talk, by, signal.at, signal.exten)


def after_parking(talk: Conversation, at: float) -> None:
    """Somebody is called for a client who was parked: parking timed out."""
    if talk.parking is not None and talk.parking.over is None:
        talk.parking.over, talk.parking.over_at = "timed_out", at


def up(t: Telling, signal: say.Up) -> None:
    """A leg's phone was lifted."""
    leg = t.legs.get(signal.leg)
    if leg is None or leg.up_at is not None:
        return
    leg.up_at = signal.at
    stop_ringing(t, leg, signal.at, quietly=True)
    t.touch(leg.home)


def tried(t: Telling, signal: say.Tried) -> None:
    """Calling a leg came to a result."""
    leg = t.legs.get(signal.leg)
    if leg is None or leg.result is not None:
        return
    leg.result = signal.result
    stop_ringing(t, leg, signal.at, quietly=signal.result == "answered")
    t.touch(leg.home)


def stop_ringing(t: Telling, leg: Leg, at: float, *, quietly: bool) -> None:
    """The leg rings no more; `quietly` when it was answered."""
    if not leg.rung or leg.ring_end is not None:
        return
    leg.ring_end = at
    if leg.operator and not quietly:
        t.tell("call.stopped_ringing", leg.home, at, leg.who)


def hung_up(t: Telling, signal: say.HungUp) -> None:
    """A leg's own phone ended it."""
    leg = t.legs.get(signal.leg)
    if leg is not None and leg.hung_up is None:
        leg.hung_up = signal.at


def dismissed(t: Telling, signal: say.Dismissed) -> None:
    """A leg was told to end."""
    leg = t.legs.get(signal.leg)
    if leg is not None and leg.dismissed is None:
        leg.dismissed = signal.at


def ended(t: Telling, signal: say.Ended) -> None:
    """A leg is over; so may be its call."""
    leg = t.legs.get(signal.leg)
    if leg is None or leg.ended is not None:
        return
    leg.ended, leg.cause = signal.at, signal.cause
    stop_ringing(t, leg, signal.at, quietly=False)
    for other, span in leg.spans.items():
        if span.end is None:
            span.end, span.went = signal.at, leg.id
        if other in t.legs:
            far = t.legs[other]
            far.others -= {leg.id}
            t.retalk(far.home, signal.at)
    leg.others = frozenset()
    talk = leg.home
    # Of a call out, the caller is the operator, whose line ends when he parks the client.
    if talk.parking is not None and talk.parking.over is None and leg is client_leg(talk, t.legs):
        talk.parking.over, talk.parking.over_at = "given_up", signal.at
    t.retalk(talk, signal.at)
    t.over(talk, signal.at)


def replaced(t: Telling, signal: say.Replaced) -> None:
    """The leg goes on as another channel: the new one is what the old one was."""
    old, new = t.legs.get(signal.old), t.legs.get(signal.leg)
    if old is None or new is old:
        return
    if new is not None:
        for other in new.spans:
            if other in t.legs:
                t.legs[other].spans.pop(signal.leg, None)
        if signal.leg in new.home.legs:
            new.home.legs.remove(signal.leg)
        if not new.home.legs:
            new.home.closed = True
    t.legs[signal.leg] = old
    old.ended = None
    t.touch(old.home)


def dial_done(t: Telling, signal: say.DialDone) -> None:
    """A call that the PBX was asked to make: whom it is for, and whether the first leg picked up."""
    leg = t.legs.get(signal.leg)
    if leg is None:
        waiting = [
            one
            for one in t.legs.values()
            if one.who == signal.who and one.home.originated and one.id == one.home.caller and one.home.over is None
        ]
        leg = waiting[-1] if waiting else None
    if leg is None:
        return
    leg.home.originated = True
    if signal.number:
        leg.home.wanted = signal.number
    t.changed(leg.home, signal.at)


def stopped(t: Telling, signal: say.Stopped) -> None:
    """The PBX went down: what goes on was ended by it."""
    for talk in t.open_talks():
        if talk.over is None or signal.at - talk.over < LINGER:
            talk.stopped = True
            t.touch(talk)
