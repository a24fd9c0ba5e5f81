"""What became of a call: its direction, its outcome, and why it was missed."""

import re

from callcrm.calls.model.state import Conversation, Leg
from callcrm.calls.model.talks import Conversed, client_leg, members

#: Q.850 causes that say the number is wrong, and that the other side would not take it.
NO_SUCH = {1, 2, 22, 28}
BUSY, REJECTED = {17}, {21}
CONGESTED = {34, 38, 41, 42, 43, 44, 47, 58}
UNREACHABLE = {3, 20, 27}

_HIDDEN = re.compile(
    r"anonymous|unknown|private|restricted|withheld|unavailable|hidden|blocked|no ?number|not available", re.IGNORECASE
)
_OUTSIDE = re.compile(r"\+?[0-9]{7,}")


def shown_number(number: str) -> str | None:
    """The caller's number, None when he hides it."""
    return None if not number or _HIDDEN.search(number) else number


def direction(talk: Conversation, legs: dict[str, Leg]) -> str:
    """inbound: an outside line called in; outbound: an operator, or the PBX for him, called out; else internal."""
    caller = legs.get(talk.caller or "")
    if caller is not None and not caller.operator:
        return "outbound" if caller.rung and talk.originated else "inbound"
    reached = any(leg.side == "trunk" and leg.rung for leg in members(talk, legs))
    wanted = talk.wanted or (caller.dialled if caller is not None else "")
    if reached or _OUTSIDE.fullmatch(wanted):
        return "outbound"
    return "internal"


def outcome(talk: Conversation, way: str, found: list[Conversed], legs: dict[str, Leg]) -> str:
    """The call's fate in a word or two."""
    if found:
        return "answered"
    if way == "inbound":
        return "missed"
    caller = legs.get(talk.caller or "")
    if talk.originated and caller is not None and caller.up_at is None:
        return "operator did not pick up"
    tried = [leg for leg in members(talk, legs) if leg.rung and leg is not caller]
    if not tried:
        return _untried(caller, way)
    last = client_leg(talk, legs) if way == "outbound" else tried[-1]
    return _result(last if last is not None else tried[-1])


def _untried(caller: Leg | None, way: str) -> str:
    cause = caller.cause if caller is not None else None
    if way == "internal" and caller is not None and caller.up_at is not None:
        return "service"
    if cause in NO_SUCH:
        return "no such number"
    return "unreachable" if cause in UNREACHABLE else "failed"


def _result(leg: Leg) -> str:
    if leg.cause in NO_SUCH:
        return "no such number"
    if leg.result == "busy" or leg.cause in BUSY:
        return "busy"
    if leg.cause in REJECTED:
        return "rejected"
    if leg.result == "unreachable" or leg.cause in UNREACHABLE:
        return "unreachable"
    if leg.result == "congestion" or leg.cause in CONGESTED:
        return "congestion"
    return "no answer"


def why_missed(talk: Conversation, legs: dict[str, Leg]) -> str | None:
    """offline, busy, rejected, ivr, closed; None when phones just rang in vain, or the caller waited."""
    rang = [leg for leg in members(talk, legs) if leg.rung and leg.operator]
    if rang:
        return _why_of({_result(leg) for leg in rang})
    client = legs.get(talk.caller or "")
    if client is None or talk.queue or talk.asked_queue or talk.box:
        return None
    if client.up_at is not None:
        return "ivr" if client.hung_up is not None else "closed"
    return "offline" if client.hung_up is None and client.cause in UNREACHABLE else None


def _why_of(results: set[str]) -> str | None:
    if len(results) != 1:
        return None
    result = results.pop()
    return {"busy": "busy", "rejected": "rejected", "unreachable": "offline"}.get(result)
