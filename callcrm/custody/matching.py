"""PURE: which call a stray sound file belongs to, by its name, its time and its length.

A guess has points (0…100) and says why. It is certain when the name holds the call's own id, or when number, time and
length all fit, and no other call comes near it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: What a reason is worth.
WORTH = {
    "id": 60,
    "number": 25,
    "end": 20,
    "length": 15,
    "time": 15,
    "extension": 10,
    "missing": 10,
    "silent": 5,
    "heard": -30,
}
LEAST, CERTAIN, APART = 25, 60, 20
MOST = 3
#: A file is closed when the talk ends, give or take; a name's time is that of the beginning.
END_S, TIME_S = 10.0, 6.0
_ID = re.compile(r"(?<!\d)(\d{9,11}\.\d{1,9})(?!\d)")
_STAMP = re.compile(r"(?<!\d)(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?(\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)(?!\d)")
_DIGITS = re.compile(r"\d+")
_QUARTER_S, _FARTHEST_S = 900, 14 * 3600 + TIME_S


@dataclass(frozen=True, slots=True)
class Stray:
    """A sound file without a call: its name under the folder, its length, and when it was last changed."""

    name: str
    seconds: float | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that a stray may belong to. `number`: the client's; `ids`: Uniqueids of its channels.

    `missing`: numbers of recordings that were told of and have no file; `sounds`: how many it has.
    """

    call_id: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    talk_s: float | None
    number: str = ""
    extensions: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    missing: tuple[int, ...] = ()
    sounds: int = 0


@dataclass(frozen=True, slots=True)
class Guess:
    """A call, how well it fits, and why (keys of WORTH)."""

    call_id: str
    points: int
    why: tuple[str, ...]
    certain: bool = False


def ids_in(name: str) -> tuple[str, ...]:
    """Uniqueids that a file's name holds."""
    return tuple(_ID.findall(name))


def times_in(name: str) -> tuple[datetime, ...]:
    """Moments that a file's name holds; in which time zone is not known, so they are given as UTC."""
    found = []
    for parts in _STAMP.findall(name):
        try:
            year, month, day, hour, minute, second = (int(part) for part in parts)
            found.append(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
        except ValueError:
            continue
    return tuple(found)


def guesses(stray: Stray, candidates: Iterable[Candidate]) -> tuple[Guess, ...]:
    """The calls that fit, best first."""
    found = []
    for call in candidates:
        why = tuple(_reasons(stray, call))
        points = sum(WORTH[reason] for reason in why)
        if points >= LEAST:
            found.append(Guess(call.call_id, min(points, 100), why))
    found.sort(key=lambda one: (-one.points, one.call_id))
    return _judged(found[:MOST])


def _judged(found: Sequence[Guess]) -> tuple[Guess, ...]:
    """The first one marked when it is certain."""
    if not found:
        return ()
    best, others = found[0], found[1:]
    alone = all(best.points - other.points >= APART for other in others)
    fits = {"number", "length"} <= set(best.why) and not {"end", "time"}.isdisjoint(best.why)
    known = "id" in best.why or fits
    certain = bool(alone and known and best.points >= CERTAIN and "heard" not in best.why)
    return (Guess(best.call_id, best.points, best.why, certain), *others)


def _reasons(stray: Stray, call: Candidate) -> Iterable[str]:
    if call.ids & set(ids_in(stray.name)):
        yield "id"
    yield from _by_number(stray.name, call)
    if call.ended_at and abs((stray.changed_at - call.ended_at).total_seconds()) <= END_S:
        yield "end"
    if stray.seconds and call.talk_s and abs(stray.seconds - call.talk_s) <= max(2.0, call.talk_s * 0.05):
        yield "length"
    begins = [at for at in (call.at, call.answered_at) if at is not None]
    if any(_same_time(told, at) for told in times_in(stray.name) for at in begins):
        yield "time"
    if call.missing:
        yield "missing"
    elif call.sounds:
        yield "heard"
    elif call.talk_s:
        yield "silent"


def _by_number(name: str, call: Candidate) -> Iterable[str]:
    left = _STAMP.sub(" ", _ID.sub(" ", name))
    runs = _DIGITS.findall(left)
    tail = re.sub(r"\D", "", call.number)[-7:]
    if len(tail) == 7 and any(run.endswith(tail) for run in runs):
        yield "number"
    if call.extensions & set(runs):
        yield "extension"


def _same_time(told: datetime, at: datetime) -> bool:
    """Whether two moments are the same but for a time zone: these are quarters of hours apart."""
    apart = abs((told - at) / timedelta(seconds=1))
    rest = apart % _QUARTER_S
    return apart <= _FARTHEST_S and min(rest, _QUARTER_S - rest) <= TIME_S
