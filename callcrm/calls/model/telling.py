"""Conversations that tell what changed: who began to talk, who left, when a call is over."""

from collections.abc import Callable

from callcrm.calls.call import Call, Change
from callcrm.calls.model.joining import Joining
from callcrm.calls.model.state import Conversation, Leg
from callcrm.calls.model.talks import members, talks
from callcrm.calls.model.view import view

#: Seconds after the caller left at which a call is over, though a leg of it lingers.
LINGER = 3.0


class Telling(Joining):
    """Legs and conversations, and the changes that are still to be told."""

    def __init__(self, pbx: str, identify: Callable[[str], str]) -> None:
        super().__init__(identify)
        self.pbx = pbx
        self._changes: list[tuple[str, Conversation, float, str | None]] = []

    def legs_of(self, talk: Conversation) -> list[Leg]:
        """The legs of a conversation, in order of beginning."""
        return members(talk, self.legs)

    def open_talks(self) -> list[Conversation]:
        """Every conversation that is still kept, once."""
        return list({talk.id: talk for talk in self.homes.values() if not talk.closed}.values())

    def announce(self, talk: Conversation) -> None:
        """Tell of a call, once."""
        if not talk.announced and not talk.closed and talk.legs:
            talk.announced = True
            caller = self.legs.get(talk.caller or "")
            who = caller.who if caller is not None and caller.operator else None
            self.tell("call.began", talk, talk.began, who)

    def changed(self, talk: Conversation, at: float) -> None:
        """Something of a call changed that has no fact of its own."""
        self.touch(talk)
        if talk.announced:
            self.tell("call.changed", talk, at, None)

    def tell(self, kind: str, talk: Conversation, at: float, who: str | None) -> None:
        """Put a change into what is told next."""
        self._changes.append((kind, talk, at, who))

    def _unsay(self, kind: str, talk: Conversation, who: str | None) -> bool:
        """Take back what one half of an event seemed to say, before it is told; False when nothing was said."""
        for said in self._changes:
            if said[0] == kind and said[3] == who and self.home(said[1]) is talk:
                self._changes.remove(said)
                return True
        return False

    def told(self, at: float) -> list[Change]:
        """The changes since the last time, each with the call as it is now."""
        changes, self._changes = self._changes, []
        touched, self.touched = self.touched, {}
        if not changes and not touched:
            return []
        views: dict[str, Call] = {}
        told: list[Change] = []
        seen: set[tuple[str, str, str | None]] = set()
        for kind, then, when, who in changes:
            talk = self.home(then)
            if talk.closed or not talk.announced or (kind, talk.id, who) in seen:
                continue
            seen.add((kind, talk.id, who))
            if talk.id not in views:
                views[talk.id] = self.view(talk, at)
            told.append(Change(kind, views[talk.id], when, who, tuple(talk.was)))
        quiet = [one for one in touched.values() if one.announced and not one.closed and one.id not in views]
        return told + [Change("call.changed", self.view(talk, at), at, None, tuple(talk.was)) for talk in quiet]

    def home(self, talk: Conversation) -> Conversation:
        """The conversation that this one has become part of, or itself."""
        return self.homes.get(talk.uniqueid, talk)

    def view(self, talk: Conversation, at: float | None) -> Call:
        """The call as it is known."""
        return view(talk, self.legs, self.pbx, at)

    def forget(self, talk: Conversation) -> None:
        """Let go of a call that ended long ago."""
        for one in talk.legs:
            self.legs.pop(one, None)
        for root, known in list(self.homes.items()):
            if known is talk:
                del self.homes[root]

    def retalk(self, talk: Conversation, at: float) -> None:
        """Tell who talks with the client now that did not, and who does no more."""
        self.touch(talk)
        if talk.closed:
            return
        now = {one.leg.who for one in talks(talk, self.legs) if one.end is None and one.leg.operator}
        for who in sorted(now - talk.talking):
            if not self._unsay("call.left", talk, who):
                self.tell("call.answered", talk, at, who)
        for who in sorted(talk.talking - now):
            self.tell("call.left", talk, at, who)
        talk.talking = now

    def over(self, talk: Conversation, at: float) -> None:
        """Is the call over? When every leg is, or a while after the outside caller left."""
        if talk.over is not None or talk.closed:
            return
        legs = self.legs_of(talk)
        caller = self.legs.get(talk.caller or "")
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
        self.announce(talk)
        self.tell("call.ended", talk, talk.over, None)
