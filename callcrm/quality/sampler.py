"""What is reviewed next, drawn so that everybody can see it was fair. Pure.

By lot: each operator's week is a pot of its own. Every call in it gets a number made of the draw's seed and the call's
own id, and the lowest numbers are drawn: whoever has the seed and the same calls draws the same again, in whatever
order he reads them. By rule: calls that tell of a risk, those with most reasons first, equals by their number.
The lot does not look at reasons; a call that it draws is told with them all the same.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

By = Literal["lot", "risk"]
WEEK = timedelta(days=7)
RULES = ("long_hold", "repeat_caller", "talk_over", "short_call", "complaint")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator's part in a call that is over, in the figures that the rules ask for.

    `heard`: there is sound to review. `near`: calls of the same client around it, itself included. `overlap_s`: how
    long both spoke at once, None where that is not known.
    """

    call_id: str
    at: datetime
    talk_s: float
    heard: bool = True
    inbound: bool = True
    hold_s: float = 0.0
    near: int = 1
    overlaps: int = 0
    overlap_s: float | None = None
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """From where on a call tells of a risk; None: the rule is off.

    Seconds on hold, calls of one client within `near_h` hours before or after, seconds of both speaking at once,
    seconds of talk at most, and the dispositions that mean a complaint.
    """

    long_hold: float | None = 60.0
    repeat_caller: int | None = 3
    talk_over: float | None = 10.0
    short_call: float | None = 10.0
    complaint: tuple[str, ...] | None = ()
    near_h: float = 24.0

    def on(self) -> tuple[str, ...]:
        """The rules that are on, in their order."""
        return tuple(one.name for one in fields(self) if one.name in RULES and getattr(self, one.name) is not None)


@dataclass(frozen=True, slots=True)
class Wish:
    """How much is wanted of each operator and week: `lots` by lot, `risks` by rule.

    The lot takes calls of at least `least_s` seconds of talk; with `heard_only` either takes only calls with sound.
    """

    lots: int = 2
    risks: int = 1
    least_s: float = 30.0
    heard_only: bool = True
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call tells of a risk: the rule, what was found (seconds, calls or a word), and from where on it counts."""

    rule: str
    found: float | str
    limit: float | None = None
    times: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A call that came out: `place` counts from 1, `of` is how many were in the pot, `ticket` its number as hex."""

    call_id: str
    by: By
    place: int
    of: int
    ticket: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Pot:
    """The calls of one operator's week that could be drawn by lot, as a sum that tells two pots apart."""

    size: int
    checksum: str


def ticket(seed: str, call_id: str) -> str:
    """A call's number in a draw: 16 hex digits, as likely high as low, and the same every time."""
    return sha256(f"{seed}\n{call_id}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def monday(moment: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week in which the moment lies on the house's clock."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def week(begin: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments at which the week of a Monday begins and ends; with a change of clocks it is not 168 hours long."""
    first = datetime(begin.year, begin.month, begin.day, tzinfo=zone)
    after = begin + WEEK
    return first, datetime(after.year, after.month, after.day, tzinfo=zone)


def in_pot(candidates: Iterable[Candidate], wish: Wish) -> list[Candidate]:
    """The calls that the lot may take, each once."""
    fit = (one for one in candidates if one.talk_s >= wish.least_s and (one.heard or not wish.heard_only))
    return list({one.call_id: one for one in fit}.values())


def pot(candidates: Iterable[Candidate], wish: Wish) -> Pot:
    """What the pot held, so that a draw that is repeated can say whether it still holds the same."""
    ids = sorted(one.call_id for one in in_pot(candidates, wish))
    return Pot(len(ids), sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest())


def by_lot(
    candidates: Sequence[Candidate], wish: Wish, seed: str, *, gone: Collection[str] = (), lots: int | None = None
) -> list[Drawn]:
    """So many calls (`wish.lots` unless told) by lot; those in `gone` were drawn before and are passed over.

    Each call of the pot comes out with the same chance; fewer come when the pot holds fewer.
    """
    inside = in_pot(candidates, wish)
    order = sorted((ticket(seed, one.call_id), one.call_id, one) for one in inside)
    drawn = [
        Drawn(call_id, "lot", place, len(inside), number, reasons(one, wish.rules))
        for place, (number, call_id, one) in enumerate(order, 1)
        if call_id not in gone
    ]
    return drawn[: max(0, wish.lots if lots is None else lots)]


def by_risk(
    candidates: Sequence[Candidate], wish: Wish, seed: str, *, gone: Collection[str] = (), risks: int | None = None
) -> list[Drawn]:
    """So many calls (`wish.risks` unless told) that a rule names: most reasons first, equals by lot."""
    named: dict[str, tuple[int, str, tuple[Reason, ...]]] = {}
    for one in candidates:
        why = reasons(one, wish.rules) if one.heard or not wish.heard_only else ()
        if why:
            named[one.call_id] = (-len(why), ticket(seed, one.call_id), why)
    order = sorted((rank, number, call_id) for call_id, (rank, number, _why) in named.items())
    drawn = [
        Drawn(call_id, "risk", place, len(order), number, named[call_id][2])
        for place, (_rank, number, call_id) in enumerate(order, 1)
        if call_id not in gone
    ]
    return drawn[: max(0, wish.risks if risks is None else risks)]


def reasons(one: Candidate, rules: Rules) -> tuple[Reason, ...]:
    """Every rule that names this call, with what was found."""
    found: list[Reason] = []
    if rules.long_hold is not None and one.hold_s > 0 and one.hold_s >= rules.long_hold:
        found.append(Reason("long_hold", one.hold_s, rules.long_hold))
    if rules.repeat_caller is not None and one.near >= max(2, rules.repeat_caller):
        found.append(Reason("repeat_caller", one.near, rules.near_h))
    if rules.talk_over is not None and one.overlap_s is not None and 0 < one.overlap_s >= rules.talk_over:
        found.append(Reason("talk_over", one.overlap_s, rules.talk_over, one.overlaps))
    if rules.short_call is not None and one.inbound and one.talk_s <= rules.short_call:
        found.append(Reason("short_call", one.talk_s, rules.short_call))
    if rules.complaint is not None and one.disposition and one.disposition.casefold() in _folded(rules.complaint):
        found.append(Reason("complaint", one.disposition))
    return tuple(found)


def _folded(words: Iterable[str]) -> set[str]:
    return {word.casefold() for word in words}
