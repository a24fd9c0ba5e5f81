"""Who talked with whom, and for how long: read off the spans in which legs heard each other."""

from collections.abc import Iterable
from dataclasses import dataclass

from callcrm.calls.model.state import Conversation, Leg, Span

Legs = dict[str, Leg]


@dataclass(frozen=True, slots=True)
class Conversed:
    """A leg's time with the client's side: `start` None: began before it could be seen; `end` None: goes on."""

    leg: Leg
    start: float | None
    seen: float
    end: float | None

    @property
    def seconds(self) -> float | None:
        """How long, where both ends are known."""
        return None if self.start is None or self.end is None else max(0.0, self.end - self.start)


def client_leg(talk: Conversation, legs: Legs) -> Leg | None:
    """The line of the client: who called in; of a call out the outside line that was reached, else the last one tried.

    Within an internal call it is the caller's.
    """
    first = legs.get(talk.caller or "")
    if first is not None and not first.operator:
        return first
    outside = [leg for leg in members(talk, legs) if leg.side == "trunk"]
    for leg in outside:
        if any(legs[other].operator for other in leg.spans if other in legs):
            return leg
    return outside[-1] if outside else first


def members(talk: Conversation, legs: Legs) -> list[Leg]:
    """The legs of the conversation, in order of beginning."""
    return [legs[one] for one in talk.legs if one in legs]


def conversed(leg: Leg, client: Leg, legs: Legs) -> Conversed | None:
    """The leg's time with the client; holding and asking a colleague meanwhile included. None when they never met."""
    span = leg.spans.get(client.id)
    if span is None:
        return None
    return Conversed(leg, span.start, span.seen, _until(span, leg, client, legs))


def _until(span: Span, leg: Leg, client: Leg, legs: Legs) -> float | None:
    if span.end is None:
        return None
    if span.went != leg.id:
        return span.end
    ends = [leg.ended, client.ended, _taken(client, leg, span.end, legs)]
    known = [at for at in ends if at is not None]
    return max(span.end, min(known)) if known else None


def _taken(client: Leg, leg: Leg, since: float, legs: Legs) -> float | None:
    """When the client, left waiting at `since`, first heard somebody else, or was moved."""
    found: float | None = None
    for other, span in client.spans.items():
        if other != leg.id and other in legs and span.seen >= since and (found is None or span.seen < found):
            found = span.seen
    return found


def talks(talk: Conversation, legs: Legs) -> list[Conversed]:
    """Everyone's time with the client's side, in order of beginning: operators, and outside lines called for him."""
    client = client_leg(talk, legs)
    if client is None:
        return []
    found = [
        one
        for other in client.spans
        if other in legs and (one := conversed(legs[other], client, legs)) is not None and one.leg.side != "other"
    ]
    return sorted(found, key=_order)


def _order(one: Conversed) -> tuple[float, float]:
    """One whose beginning nobody saw began before it was seen, but after the talks that were seen before it."""
    return (one.seen if one.start is None else one.start, one.leg.began)


def held_s(found: Iterable[Conversed], now: float | None) -> float | None:
    """Seconds between Hold and Unhold within these talks; None when nobody held."""
    total, any_hold = 0.0, False
    for one in found:
        holds = list(one.leg.holds)
        if one.leg.hold_since is not None:
            end = one.end if one.end is not None else now
            holds += [(one.leg.hold_since, end)] if end is not None else []
        for start, end in holds:
            until = min(end, one.end) if one.end is not None else end
            since = max(start, one.seen)
            if until >= since:
                total, any_hold = total + until - since, True
    return total if any_hold else None
