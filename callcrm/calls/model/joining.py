"""Which conversation a leg belongs to: begun, called, picked up, unparked, consulted, folded into the client's."""

from collections.abc import Callable

from callcrm.calls.model.fate import direction
from callcrm.calls.model.state import Conversation, Handing, Leg
from callcrm.calls.model.talks import client_leg, conversed, members


class Joining:
    """Legs and conversations, and how they come together. `touched` are those to be shown anew."""

    def __init__(self, identify: Callable[[str], str]) -> None:
        self._identify = identify
        self.legs: dict[str, Leg] = {}
        self.homes: dict[str, Conversation] = {}
        self.touched: dict[str, Conversation] = {}

    # -- conversations -----------------------------------------------------------------------
    def open(self, root: str, at: float) -> Conversation:
        """The conversation that began with the leg `root`."""
        talk = self.homes.get(root)
        if talk is None:
            talk = self.homes[root] = Conversation(id=self._identify(root), uniqueid=root, began=at)
        return talk

    def touch(self, talk: Conversation) -> None:
        """It is to be shown anew."""
        self.touched[talk.id] = talk

    def settle_in(self, leg: Leg, talk: Conversation) -> None:
        """The leg belongs to the conversation."""
        leg.home = talk
        if leg.id not in talk.legs:
            talk.legs.append(leg.id)
            talk.legs.sort(key=self._age)
        self.touch(talk)

    def _age(self, one: str) -> tuple[float, int]:
        """By the id, where the PBX counts its channels (epoch.number); a picture's moments are too coarse for it."""
        second, _, number = one.rpartition("-")[2].partition(".")
        if second.isdigit() and number.isdigit() and len(one) < 150:
            return float(second), int(number)
        return self.legs[one].began if one in self.legs else 0.0, 0

    def fold(self, less: Conversation, into: Conversation) -> None:
        """One conversation turns out to be part of another."""
        if less is into:
            return
        for one in list(less.legs):
            if one in self.legs:
                self.settle_in(self.legs[one], into)
        into.was += [less.id, *less.was]
        into.queue, into.asked_queue = into.queue or less.queue, into.asked_queue or less.asked_queue
        into.files += [file for file in less.files if file not in into.files]
        into.handings += [one for one in less.handings if one not in into.handings]
        into.handings.sort(key=lambda one: one.at)
        less.legs.clear()
        less.closed = True
        self.touched.pop(less.id, None)
        for root, talk in list(self.homes.items()):
            if talk is less:
                self.homes[root] = into
            elif talk.serves is less:
                talk.serves = into
        self.touch(into)

    def with_client(self, talk: Conversation) -> bool:
        """There is an outside line in it."""
        return any(leg.side != "operator" for leg in members(talk, self.legs))

    # -- consultations -----------------------------------------------------------------------
    def engaged(self, who: str, besides: Leg) -> Conversation | None:
        """The call in which this operator talks with a client on another line."""
        for leg in self.legs.values():
            if leg.who == who and leg.operator and leg is not besides and leg.ended is None and not leg.home.closed:
                client = client_leg(leg.home, self.legs)
                if client is None or client is leg or client.ended is not None or leg.home.over is not None:
                    continue
                met = conversed(leg, client, self.legs)
                if met is not None and met.end is None and self.with_client(leg.home):
                    return leg.home
        return None

    def consulted_by(self, leg: Leg, by: Leg) -> bool:
        """`by`, who talks with the client, calls `leg` on the same line: a consultation within the call."""
        client = client_leg(by.home, self.legs)
        return client is not None and by is not client and client.id in by.spans and leg.id not in by.spans

    def split(self, leg: Leg, by: Leg, at: float, exten: str) -> None:
        """The leg belongs to a consultation of `by`: a call of its own until it ends in a transfer."""
        talk = self.open(f"{leg.id}", at)
        if talk is leg.home and leg.id in talk.legs and len(talk.legs) > 1:
            return
        if leg.id in leg.home.legs and leg.home is not talk:
            leg.home.legs.remove(leg.id)
            self.touch(leg.home)
        talk.consult, talk.caller, talk.began = True, by.id, at
        talk.serves, talk.wanted = by.home, exten
        self.settle_in(leg, talk)

    # -- meeting -----------------------------------------------------------------------------
    def meet(self, one: Leg, other: Leg, at: float, *, conference: bool) -> None:
        """Two legs hear each other for the first time: their conversations may be one."""
        if one.home is other.home:
            self._inferred_within(one, other, at)
            return
        if conference or one.home.closed or other.home.closed:
            return
        if self._consulting(one, other):
            return
        less, into = self.order(one.home, other.home)
        newcomer = one if one.home is less else other
        self._explain(less, into, newcomer, at)
        self.fold(less, into)

    def _consulting(self, one: Leg, other: Leg) -> bool:
        """They hear each other because one consults the other: no client moved."""
        pairs = ((one.home, other), (other.home, one))
        return any(talk.consult and talk.caller == asker.id for talk, asker in pairs)

    def order(self, one: Conversation, other: Conversation) -> tuple[Conversation, Conversation]:
        """(the part, the whole): the whole has the client; of two such, or none, it is the older."""
        first, second = self.with_client(one), self.with_client(other)
        if first != second:
            return (other, one) if first else (one, other)
        return (other, one) if (one.began, one.id) <= (other.began, other.id) else (one, other)

    def _explain(self, less: Conversation, into: Conversation, newcomer: Leg, at: float) -> None:
        """How the newcomer got to the client, where nobody said so: unparked, picked up, or handed on."""
        if into.parking is not None and into.parking.over is None:
            into.parking.over, into.parking.taken_by, into.parking.over_at = "retrieved", newcomer.who, at
            return
        asker = self._asker(less, into)
        if asker is not None:
            self.hand(into, Handing("attended", asker.id, at, newcomer.dialled, target=newcomer.id, seen=False))
            return
        alone = [leg for leg in members(less, self.legs) if leg.operator] == [newcomer]
        if alone and not newcomer.rung and into.pickup is None and newcomer.operator:
            rang = [leg for leg in members(into, self.legs) if leg.operator and leg.rung and leg.up_at is None]
            rang.sort(key=lambda leg: leg.ring_end if leg.ring_end is not None else float("inf"))
            if rang:
                into.pickup = (rang[-1].who, newcomer.who)

    def _asker(self, less: Conversation, into: Conversation) -> Leg | None:
        """Of the operators who talked in `into`, the one who has a line in `less` too."""
        lines = {leg.who: leg for leg in members(less, self.legs) if leg.operator}
        if less.consult and less.caller in self.legs:
            lines.setdefault(self.legs[less.caller].who, self.legs[less.caller])
        client = client_leg(into, self.legs)
        if client is None:
            return None
        for leg in members(into, self.legs):
            if leg.operator and leg is not client and leg.who in lines and client.id in leg.spans:
                return leg
        return None

    def _inferred_within(self, one: Leg, other: Leg, at: float) -> None:
        """Within one conversation: the client hears whom an operator had called for him."""
        talk = one.home
        client = client_leg(talk, self.legs)
        if client not in (one, other):
            return
        target = other if client is one else one
        by = self.legs.get(target.rung_by or "")
        if by is None or by is client or not by.operator or client is None or client.id not in by.spans:
            return
        if by.spans[client.id].end is not None:
            self.hand(talk, Handing("attended", by.id, at, target.dialled, target=target.id, seen=False))

    # -- transfers ---------------------------------------------------------------------------
    def hand(self, talk: Conversation, one: Handing) -> None:
        """A transfer is known; what was seen of it before, or told twice, is the same one."""
        for known in talk.handings:
            if self._same(known, one):
                known.second = known.second or one.second
                known.target = known.target or one.target
                known.exten = known.exten or one.exten
                if one.seen and not known.seen:
                    known.kind, known.by, known.seen = one.kind, one.by, True
                return
        talk.handings.append(one)
        talk.handings.sort(key=lambda handing: handing.at)
        self.touch(talk)

    def _same(self, known: Handing, one: Handing) -> bool:
        by = {self.legs[leg].who for leg in (known.by, known.second, one.by, one.second) if leg and leg in self.legs}
        if len(by) > 1:
            return False
        if known.kind == one.kind == "attended":
            return known.target is None or one.target is None or known.target == one.target
        if known.kind != one.kind and known.seen and one.seen:
            return False
        return known.by == one.by and (known.exten == one.exten or not known.seen or not one.seen)

    def redirected(self, talk: Conversation, client: Leg, at: float, exten: str) -> None:
        """The client was sent elsewhere out of a talk, and nobody said that it was a transfer."""
        met = [
            span
            for other in client.spans
            if other in self.legs and (span := conversed(self.legs[other], client, self.legs)) is not None
        ]
        if not met or any(one.end is None for one in met):
            return
        last = max(met, key=lambda one: one.end or 0.0)
        parked = talk.parking is not None and talk.parking.at >= (last.end or 0.0) - 0.5
        told = any(one.at >= (last.end or 0.0) - 0.5 for one in talk.handings)
        went_himself = last.leg.hung_up is not None or client.spans[last.leg.id].went == last.leg.id
        if parked or told or went_himself or not last.leg.operator:
            return
        self.hand(talk, Handing("redirect", last.leg.id, last.end or at, exten))

    def way(self, talk: Conversation) -> str:
        """The direction, as far as it is known."""
        return direction(talk, self.legs)
