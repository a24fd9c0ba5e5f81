"""Asterisk's legs in PBX-neutral words: endpoints become operators and trunks, dial strings become numbers."""

from collections.abc import Callable

from ami import legs
from ami.tracker.channel import endpoint_of
from callcrm.telephony import signals as say
from callcrm.telephony.sides import OPERATOR, Sides, dialled_number, evidence

_RESULTS = {
    "ANSWER": "answered",
    "BUSY": "busy",
    "NOANSWER": "no answer",
    "CANCEL": "cancelled",
    "CHANUNAVAIL": "unreachable",
    "CONGESTION": "congestion",
    "DONTCALL": "busy",
}


def sounding(file: str) -> str:
    """The recording that comes of what MixMonitor writes: option D writes bare samples, and a command makes a WAV."""
    return f"{file[:-4]}.wav" if file.endswith(".raw") else file


class Adapter:
    """Translates for one PBX. `hear` gives the signals of one leg event, in order."""

    def __init__(self, sides: Sides) -> None:
        self.sides = sides
        self._endpoints: dict[str, str] = {}
        self._turn: dict[type[legs.LegEvent], Callable[..., say.Signal | None]] = {
            legs.LegBegan: self._began,
            legs.LegNumbered: lambda e: say.Numbered(e.at, e.leg, e.number, e.name, e.dialled),
            legs.LegRang: self._rang,
            legs.LegUp: lambda e: say.Up(e.at, e.leg),
            legs.LegTried: lambda e: say.Tried(e.at, e.leg, _RESULTS.get(e.status, "no answer")),
            legs.LegTogether: lambda e: say.Together(e.at, e.leg, e.others, e.moved, e.conference, e.exact),
            legs.LegHeld: lambda e: say.Held(e.at, e.leg),
            legs.LegResumed: lambda e: say.Resumed(e.at, e.leg),
            legs.LegQueued: lambda e: say.Queued(e.at, e.leg, e.queue, e.exten, e.admitted, e.exact),
            legs.LegUnqueued: lambda e: say.Unqueued(e.at, e.leg, e.queue),
            legs.LegTransferred: lambda e: say.Transferred(e.at, e.leg, e.kind, e.second, e.moved, e.target, e.exten),
            legs.LegParked: lambda e: say.Parked(e.at, e.leg, self._extension(e.by), e.space),
            legs.LegUnparked: lambda e: say.Unparked(e.at, e.leg, e.how, e.by),
            legs.LegPickedUp: lambda e: say.PickedUp(e.at, e.leg, e.instead),
            legs.LegRecorded: lambda e: say.Recorded(e.at, e.leg, sounding(e.file), e.hears) if e.file else None,
            legs.LegMailed: lambda e: say.Mailed(e.at, e.leg, e.box),
            legs.LegHungUp: lambda e: say.HungUp(e.at, e.leg),
            legs.LegDismissed: lambda e: say.Dismissed(e.at, e.leg),
            legs.LegEnded: self._ended,
            legs.LegReplaced: lambda e: say.Replaced(e.at, e.leg, e.old),
            legs.Originated: self._originated,
            legs.PbxStopped: lambda e: say.Stopped(e.at, ""),
        }

    def hear(self, event: legs.LegEvent) -> list[say.Signal]:
        """The same in neutral words; nothing when only Asterisk cares."""
        signal = self._turn[type(event)](event)
        return [signal] if signal is not None else []

    def _began(self, event: legs.LegBegan) -> say.Signal:
        side, extension = self.sides.of(event.endpoint, number=event.number, context=event.context)
        self._endpoints[event.leg] = event.endpoint
        who = extension if side == OPERATOR else event.number
        return say.Began(
            at=event.at,
            leg=event.leg,
            channel=event.channel,
            side=side,
            who=who,
            number=event.number,
            name=event.name,
            root=event.root,
            dialled=event.exten,
            exact=event.exact,
        )

    def _rang(self, event: legs.LegRang) -> say.Signal:
        endpoint = self._endpoints.get(event.leg, "")
        for known, side in evidence(endpoint, event.dialled):
            self.sides.learn(known, side)
        return say.Rang(event.at, event.leg, event.by, event.exten, dialled_number(event.dialled), event.exact)

    def _ended(self, event: legs.LegEnded) -> say.Signal:
        self._endpoints.pop(event.leg, None)
        return say.Ended(event.at, event.leg, event.cause)

    def _originated(self, event: legs.Originated) -> say.Signal:
        extension = self._extension(event.endpoint) or ""
        return say.DialDone(event.at, event.leg, extension, event.exten or event.number, event.action, event.succeeded)

    def _extension(self, endpoint: str) -> str | None:
        if not endpoint:
            return None
        side, extension = self.sides.of(endpoint_of(endpoint))
        return extension if side == OPERATOR else None
