"""What a leg did besides ringing and talking with the client: held, asked a colleague, waited, was parked."""

from collections.abc import Iterator

from callcrm.calls.call import Stretch
from callcrm.calls.model.state import Conversation, Leg, Span
from callcrm.calls.model.talks import Conversed

Legs = dict[str, Leg]


def stretches(talk: Conversation, leg: Leg, client: Leg | None, met: Conversed | None, legs: Legs) -> list[Stretch]:
    """In order of beginning. `met`: the leg's time with the client, which no hold outlasts."""
    found = [*_waits(leg), *_holds(leg, client, met), *_asked(leg, client, legs)]
    if leg is client and talk.parking is not None:
        found.append(Stretch("parked", talk.parking.at, talk.parking.over_at, talk.parking.space or None))
    if leg.mailed_at is not None:
        found.append(Stretch("voicemail", leg.mailed_at, leg.ended, talk.box))
    return sorted(found, key=lambda one: one.at) if len(found) > 1 else found


def _waits(leg: Leg) -> Iterator[Stretch]:
    for wait in leg.waits:
        yield Stretch("queue", wait.at, leg.ended if wait.until is None else wait.until, wait.queue)


def _holds(leg: Leg, client: Leg | None, met: Conversed | None) -> Iterator[Stretch]:
    """Between Hold and Unhold; who hung up or handed his party on holds nobody any more."""
    if not leg.holds and leg.hold_since is None:
        return
    ends = [at for at in (leg.ended, met.end if met is not None and leg is not client else None) if at is not None]
    last = min(ends, default=None)
    for since, until in (*leg.holds, *(((leg.hold_since, None),) if leg.hold_since is not None else ())):
        end = until if last is None else last if until is None else min(until, last)
        if end is None or end > since:
            yield Stretch("hold", since, end)


def _asked(leg: Leg, client: Leg | None, legs: Legs) -> Iterator[Stretch]:
    """Talks with others than the client, until the client is there too; who rings them is asked, whoever he is."""
    if client is None or leg is client:
        return
    for other, span in leg.spans.items():
        far = legs.get(other)
        if far is None or far is client or far.side == "other" or span.start is None:
            continue
        end = _alone_until(span, leg.spans.get(client.id), far.spans.get(client.id))
        if end is None or end > span.start:
            yield Stretch("asked", span.start, end, far.who or far.number or None)


def _alone_until(span: Span, mine: Span | None, theirs: Span | None) -> float | None:
    """When the two were no longer by themselves: apart, or both with the client."""
    if mine is None or theirs is None:
        return span.end
    both = max(mine.seen, theirs.seen)
    apart = [one.end for one in (mine, theirs) if one.end is not None]
    if any(end <= both for end in apart):
        return span.end
    return both if span.end is None else min(span.end, both)
