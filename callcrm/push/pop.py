"""The rules of screen-pops, pure: a fact about a call → which pops it opens, moves or withdraws.

One pop per person per call, over however many phones and tabs. `offered` → `answered` → `wrapup`
→ `closed`; or `withdrawn` with a reason. Every rule may meet its fact twice and then does nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from callcrm.kernel.facts import Fact

#: How long after a phone fell silent the reason may still be told better ("answered by Olga").
AFTERTHOUGHT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Pop:
    """One person's pop of one call. `ringing` are his phones that ring now."""

    id: str
    call: str
    user: int
    at: datetime
    extension: str = ""
    state: str = "offered"
    reason: str = ""
    answered_by: str = ""
    ringing: frozenset[str] = frozenset()
    rung_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallGist:
    """What the rules must know of the call. `exists` is false for one folded into another."""

    direction: str
    operator_id: int | None = None
    operator: str = ""
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One pop moved, and the message that tells its person."""

    message: str
    pop: Pop


Pops = Mapping[int, Pop]
Rule = Callable[[Pops, Fact, CallGist], list[Step]]


def pop_id(call: str, user: int) -> str:
    """The same for the same person and call, whoever derives it: writing twice is one row."""
    return blake2b(f"{call}\n{user}".encode(), digest_size=16).hexdigest()


def steps(pops: Pops, fact: Fact, call: CallGist) -> list[Step]:
    """What this fact changes among the pops of its call (by user)."""
    if not call.exists:
        shown = (pop for pop in pops.values() if pop.state in ("offered", "answered", "wrapup"))
        return [_withdrawn(pop, "folded", "", fact.at) for pop in shown]
    rule = RULES.get(fact.kind)
    return rule(pops, fact, call) if rule else []


def _user(fact: Fact) -> int | None:
    user = fact.ids.get("user")
    return user if isinstance(user, int) else None


def _extension(fact: Fact) -> str:
    return str(fact.ids.get("extension") or "")


def _began(pops: Pops, fact: Fact, call: CallGist) -> list[Step]:
    """An operator who calls out gets the client's card when his call begins."""
    user = call.operator_id
    if call.direction != "outbound" or user is None or user in pops:
        return []
    return [Step("pop.offered", Pop(pop_id(_call(fact), user), _call(fact), user, fact.at, call.operator))]


def _call(fact: Fact) -> str:
    return str(fact.ids["call"])


def _ringing(pops: Pops, fact: Fact, _call_gist: CallGist) -> list[Step]:
    user, extension = _user(fact), _extension(fact)
    if user is None:
        return []
    pop = pops.get(user)
    if pop is None:
        fresh = Pop(pop_id(_call(fact), user), _call(fact), user, fact.at, extension, ringing=frozenset({extension}))
        return [Step("pop.offered", replace(fresh, rung_at=fact.at))]
    rung = replace(pop, ringing=pop.ringing | {extension})
    if pop.state in ("offered", "answered"):
        return [Step("", rung)] if rung != pop else []
    again = replace(rung, state="offered", reason="", answered_by="", extension=extension, closed_at=None)
    return [Step("pop.offered", replace(again, rung_at=fact.at))]


def _stopped(pops: Pops, fact: Fact, call: CallGist) -> list[Step]:
    pop = pops.get(_user(fact) or 0)
    if pop is None or _extension(fact) not in pop.ringing:
        return []
    silent = replace(pop, ringing=pop.ringing - {_extension(fact)})
    if pop.state != "offered" or silent.ringing or call.direction == "outbound":
        return [Step("", silent)]
    by = next((other.extension for other in pops.values() if other.state == "answered"), "")
    return [_withdrawn(silent, "elsewhere" if by else "stopped", by, fact.at)]


def _answered(pops: Pops, fact: Fact, _gist: CallGist) -> list[Step]:
    user, extension = _user(fact), _extension(fact)
    told = []
    mine = pops.get(user) if user is not None else None
    if user is not None and (mine is None or mine.state != "answered"):
        mine = mine or Pop(pop_id(_call(fact), user), _call(fact), user, fact.at)
        mine = replace(mine, state="answered", reason="", answered_by="", extension=extension, closed_at=None)
        told.append(Step("pop.answered", replace(mine, ringing=frozenset(), answered_at=mine.answered_at or fact.at)))
    rang = user in pops
    reason = "elsewhere" if rang else "picked_up"
    return told + [_withdrawn(pop, reason, extension, fact.at) for pop in pops.values() if _loses(pop, user, fact.at)]


def _loses(pop: Pop, winner: int | None, at: datetime) -> bool:
    """This pop's person did not answer: it rings still, or fell silent a moment ago for no reason that was known."""
    if pop.user == winner:
        return False
    just_silent = pop.state == "withdrawn" and pop.reason == "stopped" and _lately(pop, at)
    return pop.state == "offered" or just_silent


def _lately(pop: Pop, at: datetime) -> bool:
    return pop.closed_at is not None and at - pop.closed_at <= AFTERTHOUGHT


def _left(pops: Pops, fact: Fact, call: CallGist) -> list[Step]:
    pop = pops.get(_user(fact) or 0)
    if pop is None:
        return []
    if pop.state == "answered":
        return [_ended(pop, call, fact.at)]
    return [_withdrawn(pop, "stopped", "", fact.at)] if pop.state == "offered" else []


def _over(pops: Pops, fact: Fact, call: CallGist) -> list[Step]:
    """The call is over: who talked (or called out) has wrap-up, whose phone only rang loses the pop."""
    told = []
    for pop in pops.values():
        if pop.state == "answered" or (pop.state == "offered" and call.direction == "outbound"):
            told.append(_ended(pop, call, fact.at))
        elif pop.state == "offered" or (pop.reason == "stopped" and _lately(pop, fact.at)):
            told.append(_withdrawn(pop, "given_up", "", fact.at))
    return told


def _put_away(pops: Pops, fact: Fact, _gist: CallGist) -> list[Step]:
    pop = pops.get(_user(fact) or 0)
    if pop is None or pop.state == "closed":
        return []
    return [Step("pop.ended", replace(pop, state="closed", closed_at=fact.at))]


def _ended(pop: Pop, call: CallGist, at: datetime) -> Step:
    """Wrap-up; a colleague's call needs none and is closed at once."""
    if call.direction == "internal":
        return Step("pop.ended", replace(pop, state="closed", ringing=frozenset(), closed_at=at))
    return Step("pop.ended", replace(pop, state="wrapup", ringing=frozenset()))


def _withdrawn(pop: Pop, reason: str, by: str, at: datetime) -> Step:
    gone = replace(pop, state="withdrawn", reason=reason, answered_by=by, ringing=frozenset(), closed_at=at)
    return Step("pop.withdrawn", gone)


RULES: dict[str, Rule] = {
    "call.began": _began,
    "call.changed": _began,
    "call.ringing": _ringing,
    "call.stopped_ringing": _stopped,
    "call.answered": _answered,
    "call.left": _left,
    "call.ended": _over,
    "pop.closed": _put_away,
}
