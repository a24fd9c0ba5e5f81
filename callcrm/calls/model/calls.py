"""The machine: one signal at a time, and what each changes in the calls."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from callcrm.calls.call import Call, Change
from callcrm.calls.model.joining import Joining
from callcrm.calls.model.state import Conversation, Handing, Leg, Parking, Span
from callcrm.calls.model.talks import client_leg, members, talks
from callcrm.calls.model.view import view
from callcrm.telephony import signals as say

_SPACE = uuid.UUID("6f1c1b0a-6f7e-5d0e-9a55-6b0f2f1c9a11")
#: Seconds after its end for which a call is kept, for what comes late (a recording's name, a leg's end).
KEPT = 120.0
#: Seconds after the caller left at which a call is over, though a leg of it lingers.
LINGER = 3.0
#: Seconds after which an operator's line that called nobody yet is told of.
QUIET = 1.5


def call_id(pbx: str, uniqueid: str) -> str:
    """A call's id: from the PBX's name and the Uniqueid of the call's first channel, wherever it is read."""
    return uuid.uuid5(_SPACE, f"{pbx}/{uniqueid}").hex


class Calls:
    """The calls of one PBX. `step` gives the changes that a signal, or several of one moment, bring."""

    def __init__(self, pbx: str) -> None:
        self.pbx = pbx
        self._join = Joining(lambda root: call_id(pbx, root))
        self._changes: list[tuple[str, Conversation, float, str | None]] = []
        self._stray_files: dict[str, str] = {}
        self._swept = float("-inf")
        self._turn: dict[type[say.Signal], Callable[[Any], None]] = {
            say.Began: self._began,
            say.Numbered: self._numbered,
            say.Rang: self._rang,
            say.Up: self._up,
            say.Tried: self._tried,
            say.Together: self._together,
            say.Held: self._held,
            say.Resumed: self._resumed,
            say.Queued: self._queued,
            say.Transferred: self._transferred,
            say.Parked: self._parked,
            say.Unparked: self._unparked,
            say.PickedUp: self._picked_up,
            say.Recorded: self._recorded,
            say.Mailed: self._mailed,
            say.HungUp: self._hung_up,
            say.Dismissed: self._dismissed,
            say.Ended: self._ended,
            say.Replaced: self._replaced,
            say.DialDone: self._dial_done,
            say.Stopped: self._stopped,
        }

    # -- outside
    @property
    def open_calls(self) -> list[Call]:
        """The calls that go on."""
        return [self._view(talk, None) for talk in self._talks() if talk.over is None and talk.announced]

    def step(self, signal: say.Signal) -> list[Change]:
        """What one signal changes."""
        return self.steps([signal])

    def steps(self, signals: Iterable[say.Signal]) -> list[Change]:
        """What several signals change, told once for all of them."""
        at = 0.0
        for signal in signals:
            at = signal.at
            turn = self._turn.get(type(signal))
            if turn is not None:
                turn(signal)
        return self._told(at)

    def tick(self, at: float) -> list[Change]:
        """Let time pass: calls whose caller has left end, old ones are forgotten. About once a second."""
        if at - self._swept < 1.0:
            return []
        self._swept = at
        for talk in self._talks():
            if talk.over is None:
                self._over(talk, at)
                if not talk.announced and at - talk.began >= QUIET:
                    self._announce(talk)
            elif at - talk.over >= KEPT:
                self._forget(talk)
        return self._told(at)

    def finish(self, at: float) -> list[Change]:
        """No more will come: a call whose caller has left is over."""
        for talk in self._talks():
            self._announce(talk)
            if talk.over is None:
                self._over(talk, at + LINGER + 1.0)
        return self._told(at)

    # -- legs
    def _began(self, signal: say.Began) -> None:
        if signal.leg in self._join.legs:
            return
        talk = self._join.open(signal.root, signal.at)
        if talk.over is not None and signal.root != signal.leg:
            talk = self._join.open(signal.leg, signal.at)
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
        self._join.legs[leg.id] = leg
        self._join.settle_in(leg, talk)
        if talk.caller is None or signal.leg == signal.root:
            talk.caller = leg.id if signal.leg == signal.root or not talk.legs[:-1] else talk.caller
            talk.began = min(talk.began, leg.began)
        if signal.leg == signal.root and leg.operator:
            talk.serves = self._join.engaged(leg.who, leg)
        elif signal.leg == signal.root:
            self._announce(talk)

    def _numbered(self, signal: say.Numbered) -> None:
        leg = self._join.legs.get(signal.leg)
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
        self._join.touch(leg.home)

    def _rang(self, signal: say.Rang) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None or leg.rung:
            return
        leg.rung, leg.rung_by = True, signal.by
        leg.rung_at = signal.at if signal.exact else None
        if leg.side != "operator" and signal.number:
            leg.target, leg.who = signal.number, signal.number
        if leg.up_at is not None or leg.ended is not None:
            leg.ring_end = leg.up_at if leg.up_at is not None else leg.ended
        by = self._join.legs.get(signal.by or "")
        self._placed(leg, by, signal)
        self._announce(leg.home)
        if leg.operator and leg.ringing:
            self._tell("call.ringing", leg.home, signal.at, leg.who)

    def _placed(self, leg: Leg, by: Leg | None, signal: say.Rang) -> None:
        """Where a leg belongs that is being called: to who calls it, or to a call that the PBX was asked to make."""
        join = self._join
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
            self._after_parking(talk)
            join.redirected(talk, by, signal.at, signal.exten)
        elif by is client and by.spans:
            join.redirected(talk, by, signal.at, signal.exten)

    def _after_parking(self, talk: Conversation) -> None:
        if talk.parking is not None and talk.parking.over is None:
            talk.parking.over = "timed_out"

    def _up(self, signal: say.Up) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None or leg.up_at is not None:
            return
        leg.up_at = signal.at
        self._stop_ringing(leg, signal.at, quietly=True)
        self._join.touch(leg.home)

    def _tried(self, signal: say.Tried) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None or leg.result is not None:
            return
        leg.result = signal.result
        self._stop_ringing(leg, signal.at, quietly=signal.result == "answered")
        self._join.touch(leg.home)

    def _stop_ringing(self, leg: Leg, at: float, *, quietly: bool) -> None:
        if not leg.rung or leg.ring_end is not None:
            return
        leg.ring_end = at
        if leg.operator and not quietly:
            self._tell("call.stopped_ringing", leg.home, at, leg.who)

    # -- hearing each other
    def _together(self, signal: say.Together) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None or leg.ended is not None:
            return
        for other in sorted(leg.others - signal.others):
            self._part(leg, other, signal)
        new = sorted(signal.others - leg.others)
        leg.others = signal.others
        for other in new:
            if other in self._join.legs:
                self._join_span(leg, self._join.legs[other], signal)
        self._retalk(leg.home, signal.at)

    def _part(self, leg: Leg, other: str, signal: say.Together) -> None:
        span = leg.spans.get(other)
        if span is None:
            return
        if span.end is None:
            span.end, span.went = signal.at, leg.id if signal.moved else None
        elif signal.moved and span.went is None:
            span.went = leg.id
        if other in self._join.legs:
            self._retalk(self._join.legs[other].home, signal.at)

    def _join_span(self, leg: Leg, other: Leg, signal: say.Together) -> None:
        span = leg.spans.get(other.id)
        if span is not None:
            span.end = span.went = None
        else:
            start = signal.at if signal.exact else None
            leg.spans[other.id] = other.spans[leg.id] = Span(start, signal.at)
            self._join.meet(leg, other, signal.at, conference=signal.conference)
        for one in (leg, other):
            if one.up_at is None:
                one.up_at = signal.at
                self._stop_ringing(one, signal.at, quietly=True)
        self._announce(leg.home)
        self._announce(other.home)
        self._retalk(other.home, signal.at)

    def _retalk(self, talk: Conversation, at: float) -> None:
        """Tell who talks with the client now that did not, and who does no more."""
        self._join.touch(talk)
        if talk.closed:
            return
        now = {one.leg.who for one in talks(talk, self._join.legs) if one.end is None and one.leg.operator}
        for who in sorted(now - talk.talking):
            self._tell("call.answered", talk, at, who)
        for who in sorted(talk.talking - now):
            self._tell("call.left", talk, at, who)
        talk.talking = now

    # -- hold, queue, parking, transfers
    def _held(self, signal: say.Held) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is not None and leg.hold_since is None:
            leg.hold_since = signal.at
            self._changed(leg.home, signal.at)

    def _resumed(self, signal: say.Resumed) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is not None and leg.hold_since is not None:
            leg.holds.append((leg.hold_since, signal.at))
            leg.hold_since = None
            self._changed(leg.home, signal.at)

    def _queued(self, signal: say.Queued) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None:
            return
        talk = leg.home
        if not signal.admitted:
            talk.asked_queue = talk.asked_queue or signal.queue
        elif talk.queue is None:
            talk.queue = signal.queue
        if client_leg(talk, self._join.legs) is leg and leg.spans and signal.exact:
            self._join.redirected(talk, leg, signal.at, signal.exten)
        self._changed(talk, signal.at)

    def _transferred(self, signal: say.Transferred) -> None:
        join = self._join
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
                    less, whole = join._order(leg.home, talk)
                    join.fold(less, whole)
                    talk = whole
            target = target or self._partner(second or by, talk)
        found = Handing(
            signal.kind, signal.leg, signal.at, signal.exten, signal.second, target.id if target is not None else None
        )
        join.hand(talk, found)
        self._retalk(talk, signal.at)
        self._changed(talk, signal.at)

    def _partner(self, asking: Leg | None, talk: Conversation) -> Leg | None:
        """Whom the transferer asked last, besides the client."""
        client = client_leg(talk, self._join.legs)
        if asking is None:
            return None
        met = [one for one in asking.spans if client is None or one != client.id]
        met.sort(key=lambda one: asking.spans[one].seen)
        return self._join.legs.get(met[-1]) if met else None

    def _parked(self, signal: say.Parked) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None:
            return
        talk = leg.home
        if talk.parking is not None and talk.parking.over is None:
            talk.parking.by = signal.by or talk.parking.by
            talk.parking.space = signal.space or talk.parking.space
            return
        if talk.handings and talk.handings[-1].kind == "blind" and talk.handings[-1].target is None:
            rung_since = any(one.rung_by == leg.id and one.began >= talk.handings[-1].at for one in self._legs_of(talk))
            if not rung_since:
                talk.handings.pop()
        by = signal.by or next(iter(sorted(talk.talking)), None)
        talk.parking = Parking(signal.at, by, signal.space)
        self._changed(talk, signal.at)

    def _unparked(self, signal: say.Unparked) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None:
            return
        talk = leg.home
        if talk.parking is None:
            talk.parking = Parking(signal.at, None, "")
        if talk.parking.over is not None:
            return
        talk.parking.over = signal.how
        by = self._join.legs.get(signal.by or "")
        if by is not None:
            talk.parking.taken_by = by.who
            self._join.fold(by.home, talk)
        self._changed(talk, signal.at)

    def _picked_up(self, signal: say.PickedUp) -> None:
        leg, instead = self._join.legs.get(signal.leg), self._join.legs.get(signal.instead or "")
        if leg is None or instead is None or leg.home is instead.home:
            return
        talk = instead.home
        talk.pickup = (instead.who, leg.who)
        self._stop_ringing(instead, signal.at, quietly=False)
        self._join.fold(leg.home, talk)
        self._changed(talk, signal.at)

    def _recorded(self, signal: say.Recorded) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None:
            return
        files = leg.home.files
        for number, (known, at) in enumerate(files):
            if known == signal.file or known.endswith(f"/{signal.file}") or signal.file.endswith(f"/{known}"):
                files[number] = (_better(known, signal.file), at)
                break
        else:
            files.append((signal.file, signal.at))
        self._changed(leg.home, signal.at)

    def _mailed(self, signal: say.Mailed) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is not None and leg.home.box is None and not leg.operator:
            leg.home.box = signal.box
            self._changed(leg.home, signal.at)

    # -- ends
    def _hung_up(self, signal: say.HungUp) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is not None and leg.hung_up is None:
            leg.hung_up = signal.at

    def _dismissed(self, signal: say.Dismissed) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is not None and leg.dismissed is None:
            leg.dismissed = signal.at

    def _ended(self, signal: say.Ended) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None or leg.ended is not None:
            return
        leg.ended, leg.cause = signal.at, signal.cause
        self._stop_ringing(leg, signal.at, quietly=False)
        for other, span in leg.spans.items():
            if span.end is None:
                span.end, span.went = signal.at, leg.id
            if other in self._join.legs:
                far = self._join.legs[other]
                far.others -= {leg.id}
                self._retalk(far.home, signal.at)
        leg.others = frozenset()
        talk = leg.home
        if talk.parking is not None and talk.parking.over is None and leg.id == talk.caller:
            talk.parking.over = "given_up"
        self._retalk(talk, signal.at)
        self._over(talk, signal.at)

    def _over(self, talk: Conversation, at: float) -> None:
        """Is the call over? When every leg is, or a while after the outside caller left."""
        if talk.over is not None or talk.closed:
            return
        legs = self._legs_of(talk)
        caller = self._join.legs.get(talk.caller or "")
        inbound = caller is not None and not caller.operator and not talk.consult
        if any(leg.ended is None for leg in legs):
            left = inbound and caller is not None and caller.ended is not None
            if not left or caller is None or caller.ended is None or at - caller.ended < LINGER:
                return
        ends = [leg.ended for leg in legs if leg.ended is not None]
        if inbound and caller is not None and caller.ended is not None:
            talk.over = caller.ended
        else:
            talk.over = max(ends, default=at)
        self._announce(talk)
        self._tell("call.ended", talk, talk.over, None)

    def _replaced(self, signal: say.Replaced) -> None:
        """The leg goes on as another channel: the new one is what the old one was."""
        old, new = self._join.legs.get(signal.old), self._join.legs.get(signal.leg)
        if old is None or new is old:
            return
        if new is not None:
            for other in new.spans:
                if other in self._join.legs:
                    self._join.legs[other].spans.pop(signal.leg, None)
            if signal.leg in new.home.legs:
                new.home.legs.remove(signal.leg)
            if not new.home.legs:
                new.home.closed = True
        self._join.legs[signal.leg] = old
        old.ended = None
        self._join.touch(old.home)

    def _dial_done(self, signal: say.DialDone) -> None:
        leg = self._join.legs.get(signal.leg)
        if leg is None:
            waiting = [
                one
                for one in self._join.legs.values()
                if one.who == signal.who and one.home.originated and one.id == one.home.caller and one.home.over is None
            ]
            leg = waiting[-1] if waiting else None
        if leg is None:
            return
        leg.home.originated = True
        if signal.number:
            leg.home.wanted = signal.number
        self._changed(leg.home, signal.at)

    def _stopped(self, signal: say.Stopped) -> None:
        for talk in self._talks():
            if talk.over is None or signal.at - talk.over < LINGER:
                talk.stopped = True
                self._join.touch(talk)

    # -- telling
    def _legs_of(self, talk: Conversation) -> list[Leg]:
        return members(talk, self._join.legs)

    def _talks(self) -> list[Conversation]:
        return list({talk.id: talk for talk in self._join.homes.values() if not talk.closed}.values())

    def _announce(self, talk: Conversation) -> None:
        if not talk.announced and not talk.closed and talk.legs:
            talk.announced = True
            caller = self._join.legs.get(talk.caller or "")
            who = caller.who if caller is not None and caller.operator else None
            self._tell("call.began", talk, talk.began, who)

    def _changed(self, talk: Conversation, at: float) -> None:
        self._join.touch(talk)
        if talk.announced:
            self._tell("call.changed", talk, at, None)

    def _tell(self, kind: str, talk: Conversation, at: float, who: str | None) -> None:
        self._changes.append((kind, talk, at, who))

    def _told(self, at: float) -> list[Change]:
        changes, self._changes = self._changes, []
        touched, self._join.touched = self._join.touched, {}
        if not changes and not touched:
            return []
        views: dict[str, Call] = {}
        told: list[Change] = []
        seen: set[tuple[str, str, str | None]] = set()
        for kind, then, when, who in changes:
            talk = self._home(then)
            if talk.closed or not talk.announced or (kind, talk.id, who) in seen:
                continue
            seen.add((kind, talk.id, who))
            if talk.id not in views:
                views[talk.id] = self._view(talk, at)
            told.append(Change(kind, views[talk.id], when, who, tuple(talk.was)))
        quiet = [one for one in touched.values() if one.announced and not one.closed and one.id not in views]
        return told + [Change("call.changed", self._view(talk, at), at, None, tuple(talk.was)) for talk in quiet]

    def _home(self, talk: Conversation) -> Conversation:
        return self._join.homes.get(talk.uniqueid, talk)

    def _view(self, talk: Conversation, at: float | None) -> Call:
        return view(talk, self._join.legs, self.pbx, at)

    def _forget(self, talk: Conversation) -> None:
        for one in talk.legs:
            self._join.legs.pop(one, None)
        for root, known in list(self._join.homes.items()):
            if known is talk:
                del self._join.homes[root]


def _better(one: str, other: str) -> str:
    """Of two names of one file, the one that says its folder; of those, the one that the dialplan gave."""
    shorter, longer = sorted((one, other), key=len)
    return shorter if "/" in shorter else longer
