"""Which stretch of a call each of its recordings holds. Pure.

The PBX tells when it began to record and, through the file, how long the sound is; it tells no end. MixMonitor with
option b writes only while two are bridged: the sound then begins with the first talk, not with the telling, and the
time between two talks (a blind transfer rings, a queue waits) is left out of it. So each beginning that is possible is
tried, without anything left out and with it, and the one counts whose end is nearest to an end that something had.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: An end that is this near to another, in seconds, is the same; clocks of channels and files differ by less.
SAME_S = 1.5
#: Two talks with less between them are one after the other.
LEFT_OUT_S = 0.5
#: Who is heard for less than this is not named.
HEARD_S = 1.0
#: What a PBX tells with the end of a call (its CDR) says nothing of the beginning.
_LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Spell:
    """An operator's time with the client, in seconds from the call's beginning."""

    operator: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Course:
    """A call's course: its length and its talks, in seconds from its beginning."""

    at: datetime
    total_s: float
    talks: tuple[Spell, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A recording: when the PBX said that it began, and how long its sound is; None where that is not known."""

    n: int
    at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """From where to where in the call a recording goes, in seconds, and whose talk it holds (extensions, in order).

    `cuts`: at which of its own seconds how many of the call's were left out.
    """

    from_s: float
    to_s: float
    operators: tuple[str, ...] = ()
    cuts: tuple[tuple[float, float], ...] = ()

    def call_s(self, second: float) -> float:
        """The second of the call at a second of the recording."""
        return self.from_s + second + sum(length for at, length in self.cuts if at <= second)

    def sound_s(self, second: float) -> float:
        """The second of the recording at a second of the call: of one that was left out the place where it was."""
        left = second - self.from_s
        for at, length in self.cuts:
            left -= min(length, max(0.0, left - at))
        return max(0.0, left)

    def shared_s(self, other: "Stretch") -> float:
        """How long both hold the same time."""
        return max(0.0, min(self.to_s, other.to_s) - max(self.from_s, other.from_s))


def course(
    at: datetime, answered_at: datetime | None, ended_at: datetime | None, talks: Sequence[Mapping[str, Any]] | None
) -> Course:
    """The course of a stored call; `talks` as its row has them."""
    spells = tuple(spell for one in talks or () if (spell := _spell(at, one)) is not None)
    last = max((spell.to_s for spell in spells), default=0.0)
    total = (ended_at - at).total_seconds() if ended_at else last
    if not spells and answered_at is not None:
        spells = (Spell("", (answered_at - at).total_seconds(), total),)
    return Course(at, max(0.0, total), spells)


def _spell(at: datetime, talk: Mapping[str, Any]) -> Spell | None:
    try:
        begin = (datetime.fromisoformat(str(talk.get("at"))) - at).total_seconds()
    except (ValueError, TypeError):
        return None
    return Spell(str(talk.get("operator") or ""), begin, begin + float(talk.get("talk_s") or 0.0))


def stretches(call: Course, recordings: Iterable[Told]) -> dict[int, Stretch]:
    """The stretch of each recording, by its number."""
    told = sorted(recordings, key=lambda one: one.n)
    begun = {one.n: _begun(call, one) for one in told}
    return {one.n: _stretch(call, one, begun[one.n], [*begun.values()]) for one in told}


def _begun(call: Course, one: Told) -> float | None:
    """When the PBX said so, in seconds; None when it said so only as the call ended."""
    if one.at is None:
        return None
    offset = (one.at - call.at).total_seconds()
    return max(0.0, offset) if offset < call.total_s - _LATE_S else None


def _stretch(call: Course, one: Told, begun: float | None, others: Sequence[float | None]) -> Stretch:
    possible = _beginnings(call, one, begun)
    later = [other for other in others if other is not None and begun is not None and other > begun + SAME_S]
    ends = [call.total_s, *(spell.to_s for spell in call.talks), *later]
    if one.seconds is None:
        return _made(call, possible[0], call.total_s)
    length = one.seconds
    tried = [(begin, cuts) for begin in possible for cuts in (False, True)]
    found = [(begin, _cuts(call, begin, length) if cuts else ()) for begin, cuts in tried]
    lasts = [begin + length + sum(left for _at, left in cuts) for begin, cuts in found]
    wrong = [min(abs(last - end) for end in ends) for last in lasts]
    best = next((n for n, off in enumerate(wrong) if off <= SAME_S), wrong.index(min(wrong)))
    return _made(call, found[best][0], lasts[best], found[best][1])


def _cuts(call: Course, begin: float, length: float) -> tuple[tuple[float, float], ...]:
    """What is left out of a recording that is made only while two talk: where in it, and for how long."""
    found: list[tuple[float, float]] = []
    talks = sorted(call.talks, key=lambda spell: spell.from_s)
    last = talks[0].to_s if talks else 0.0
    for spell in talks[1:]:
        at = last - begin - sum(left for _at, left in found)
        if spell.from_s - last > LEFT_OUT_S and 0 < at < length:
            found.append((round(at, 3), round(spell.from_s - last, 3)))
        last = max(last, spell.to_s)
    return tuple(found)


def _beginnings(call: Course, one: Told, begun: float | None) -> list[float]:
    """The likeliest first: with the talk, with the telling, so that the sound ends with the call."""
    if begun is not None:
        talk = next((spell for spell in call.talks if spell.to_s > begun + _LATE_S), None)
        found = [max(begun, talk.from_s)] if talk else []
        return list(dict.fromkeys([*found, begun]))
    found = [spell.from_s for spell in call.talks]
    if one.seconds is not None:
        found.append(max(0.0, call.total_s - one.seconds))
    return list(dict.fromkeys(found)) or [0.0]


def _made(call: Course, begin: float, end: float, cuts: tuple[tuple[float, float], ...] = ()) -> Stretch:
    end = max(begin, min(end, call.total_s) if call.total_s else end)
    heard = [spell.operator for spell in call.talks if min(end, spell.to_s) - max(begin, spell.from_s) >= HEARD_S]
    return Stretch(round(begin, 3), round(end, 3), tuple(dict.fromkeys(one for one in heard if one)), cuts)
