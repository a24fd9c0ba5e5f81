"""The writing part of the live sheet: notes, what came of the call with its keys, and the next step's times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcrm import house
from callcrm.accounts.policy import Actor
from callcrm.calls.log import Written
from callcrm.dispositions import DispositionSettings
from callcrm.kernel import clock
from webui import show
from webui.i18n import _
from webui.parts import Parts

#: Words that have a key of their own.
KEYS = 9
#: From so many words on there is a field to find one by typing.
MANY = 7
#: Callbacks "in the evening" and "in the morning", on the reader's clock.
EVENING, MORNING = 17, 9
LOCAL = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Word:
    """Something that may have come of the call; `next` is the step that it proposes."""

    word: str
    key: str
    next: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A word, or a group of words behind one key."""

    key: str
    words: tuple[Word, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """What somebody else wrote of the same call."""

    user: int
    person: str
    text: str


@dataclass(frozen=True, slots=True)
class When:
    """A quick choice of time: `value` as a date field has it."""

    value: str
    word: str


@dataclass(frozen=True, slots=True)
class Writing:
    """All of it, for one person and call."""

    note: str = ""
    version: int = 0
    colleagues: tuple[Colleague, ...] = ()
    disposition: str = ""
    said_by: str = ""
    entries: tuple[Entry, ...] = ()
    required: bool = False
    times: tuple[When, ...] = ()
    tomorrow: str = ""

    @property
    def many(self) -> bool:
        """Whether there are so many words that typing finds one sooner."""
        return sum(len(entry.words) for entry in self.entries) >= MANY or any(entry.group for entry in self.entries)


def writing(parts: Parts, actor: Actor, seen: Written, queue: str | None) -> Writing:
    """What this person sees of what was written."""
    mine = next((one for one in seen.notes if one.user_id == actor.user_id), None)
    others = [one for one in seen.notes if one.user_id != actor.user_id]
    settings = parts.settings.dispositions
    times = quick_times(clock.now())
    return Writing(
        note=mine.text if mine else "",
        version=mine.version if mine else 0,
        colleagues=tuple(Colleague(one.user_id, one.person, one.text) for one in others if one.text),
        disposition=seen.disposition or "",
        said_by=next((one.person for one in reversed(others) if one.disposition == seen.disposition), "")
        if seen.disposition and (mine is None or mine.disposition != seen.disposition)
        else "",
        entries=entries(settings, queue, seen.disposition or ""),
        required=demanded(parts, queue),
        times=times,
        tomorrow=next((one.value for one in times[2:]), ""),
    )


def demanded(parts: Parts, queue: str | None) -> bool:
    """Whether a call of this queue needs a disposition before the operator is ready again."""
    return house.shift_rules(parts.settings).of(queue).mode == "required"


def entries(settings: DispositionSettings, queue: str | None, chosen: str = "") -> tuple[Entry, ...]:
    """The words with their keys; one that was chosen and is in no list any more stands behind them."""
    found = [
        Entry(
            key_of(n),
            tuple(Word(one.word, key_of(i) if group else key_of(n), one.next) for i, one in enumerate(words)),
            group,
        )
        for n, (group, words) in enumerate(settings.grouped(queue))
    ]
    known = {word.word for entry in found for word in entry.words}
    if chosen and chosen not in known:
        found.append(Entry("", (Word(chosen, "", "nothing"),)))
    return tuple(found)


def key_of(place: int) -> str:
    """The digit of this place; none beyond the ninth."""
    return str(place + 1) if place < KEYS else ""


def quick_times(now: datetime) -> tuple[When, ...]:
    """In an hour, this evening, tomorrow and on Monday in the morning; what is too near is left out."""
    here = show.here(now).replace(second=0, microsecond=0)
    hour = here + timedelta(hours=1)
    evening, morning = here.replace(hour=EVENING, minute=0), here.replace(hour=MORNING, minute=0)
    monday = morning + timedelta(days=7 - here.weekday())
    tomorrow = morning + timedelta(days=1)
    found = [(hour, _("In an hour"))]
    if evening > hour:
        found.append((evening, _("Today %(time)s") % {"time": evening.strftime("%H:%M")}))
    else:
        found.append((here + timedelta(hours=3), _("In 3 hours")))
    found.append((tomorrow, _("Tomorrow %(time)s") % {"time": tomorrow.strftime("%H:%M")}))
    if monday != tomorrow:
        found.append((monday, _("Monday %(time)s") % {"time": monday.strftime("%H:%M")}))
    return tuple(When(at.strftime(LOCAL), word) for at, word in _apart(found))


def _apart(found: Iterable[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """No time twice."""
    seen: dict[str, tuple[datetime, str]] = {}
    for at, word in found:
        seen.setdefault(at.strftime(LOCAL), (at, word))
    return list(seen.values())
