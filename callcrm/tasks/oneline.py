"""A task typed as one line: "call back Anna tomorrow 10:00", "каждый понедельник в 9 отчёт". Pure.

What is understood (day, time, repetition, whom to call) is taken out of the line; the rest is the title.
What is not understood stays in the title, so nothing that was typed is lost. English and Russian.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

#: When somebody names a day and no time; today, the evening.
MORNING, EVENING = time(9), time(18)
_DAYS = (
    r"mon(?:day)?s?|понедельник\w*|пн",
    r"tue(?:s|sday|sdays)?|вторник\w*|вт",
    r"wed(?:nesday|nesdays)?|сред[уыаеам]\w*|ср",
    r"thu(?:rs|rsday|rsdays)?|четверг\w*|чт",
    r"fri(?:day|days)?|пятниц\w*|пт",
    r"sat(?:urday|urdays)?|суббот\w*|сб",
    r"sun(?:day|days)?|воскресень\w*|вс",
)
_MONTHS = (
    r"jan(?:uary)?|январ[ья]", r"feb(?:ruary)?|феврал[ья]", r"mar(?:ch)?|март[а]?", r"apr(?:il)?|апрел[ья]",
    r"may|ма[йя]", r"june?|июн[ья]", r"july?|июл[ья]", r"aug(?:ust)?|август[а]?", r"sep(?:t|tember)?|сентябр[ья]",
    r"oct(?:ober)?|октябр[ья]", r"nov(?:ember)?|ноябр[ья]", r"dec(?:ember)?|декабр[ья]",
)  # fmt: skip
_DAY = "|".join(f"(?:{words})" for words in _DAYS)
_MONTH = "|".join(f"(?:{words})" for words in _MONTHS)
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNITS = (
    (r"min(?:ute)?s?|мин(?:ут[уы]?)?", timedelta(minutes=1)),
    (r"h(?:our)?s?|час(?:а|ов)?", timedelta(hours=1)),
    (r"days?|день|дня|дней", timedelta(days=1)),
    (r"weeks?|недел[юиья]", timedelta(weeks=1)),
)
_UNIT = "|".join(f"(?:{words})" for words, _ in _UNITS)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a line says: `due` is on the wall clock, `repeat` an RRULE, `whom` the person to be called back."""

    title: str
    kind: str = "task"
    due: datetime | None = None
    repeat: str = ""
    whom: str = ""


@dataclass(slots=True)
class _Draft:
    now: datetime
    day: date | None = None
    at: time | None = None
    due: datetime | None = None
    repeat: str = ""


def understand(line: str, now: datetime) -> Understood:
    """Read a line; `now` is the wall clock of who typed it, without a zone."""
    draft, rest = _Draft(now.replace(second=0, microsecond=0)), " ".join(line.split())[:1000]
    for pattern, take in _RULES:
        found = pattern.search(rest)
        if found and take(draft, found):
            rest = " ".join(f"{rest[: found.start()]} {rest[found.end() :]}".split())
    rest = rest.strip(" ,;")
    call = _CALL.match(rest)
    whom = rest[call.end() :].strip(" ,:") if call else ""
    title = rest[:1].upper() + rest[1:]
    return Understood(title, "callback" if whom else "task", _due(draft), draft.repeat, whom)


def _due(draft: _Draft) -> datetime | None:
    if draft.due is not None:
        return draft.due
    if draft.day is None and draft.at is None:
        return _first(draft) if draft.repeat else None
    if draft.day == draft.now.date() and draft.at is None:
        evening = datetime.combine(draft.day, EVENING)
        return evening if evening > draft.now else draft.now + timedelta(hours=1)
    at = draft.at or MORNING
    if draft.day is not None:
        return datetime.combine(draft.day, at)
    today = datetime.combine(draft.now.date(), at)
    return today if today > draft.now else today + timedelta(days=1)


def _first(draft: _Draft) -> datetime:
    today = datetime.combine(draft.now.date(), MORNING)
    return today if today > draft.now else today + timedelta(days=1)


def _number(words: tuple[str, ...], found: str) -> int:
    return next(n for n, pattern in enumerate(words) if re.fullmatch(pattern, found, re.IGNORECASE))


def _weekday(draft: _Draft, name: str) -> date:
    """The next such day; never today, for today has a word of its own."""
    ahead = (_number(_DAYS, name) - draft.now.weekday() - 1) % 7 + 1
    return draft.now.date() + timedelta(days=ahead)


def _every(draft: _Draft, found: re.Match[str]) -> bool:
    said = found["what"].casefold()
    if re.fullmatch(_DAY, said, re.IGNORECASE):
        draft.repeat = f"FREQ=WEEKLY;BYDAY={_CODES[_number(_DAYS, said)]}"
        draft.day = _weekday(draft, said)
    elif said.startswith(("week", "недел")) and not said.startswith("weekday"):
        draft.repeat = "FREQ=WEEKLY"
    elif said.startswith(("month", "месяц")):
        draft.repeat = "FREQ=MONTHLY"
    elif said.startswith(("year", "год")):
        draft.repeat = "FREQ=YEARLY"
    elif said.startswith(("weekday", "work", "будн", "рабоч")):
        return _working_days(draft, found)
    else:
        draft.repeat = "FREQ=DAILY"
    return True


def _working_days(draft: _Draft, found: re.Match[str]) -> bool:  # noqa: ARG001 - a rule's hand
    draft.repeat = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    draft.day = draft.now.date() + timedelta(days={4: 3, 5: 2}.get(draft.now.weekday(), 1))
    return True


def _after(draft: _Draft, found: re.Match[str]) -> bool:
    unit = next(length for words, length in _UNITS if re.fullmatch(words, found["unit"], re.IGNORECASE))
    n = int(found["n"] or 1)
    if unit >= timedelta(days=1):
        draft.day = draft.now.date() + min(n, 3650 // unit.days) * unit
    else:
        draft.due = draft.now + min(n, 10_000) * unit
    return True


def _named(draft: _Draft, found: re.Match[str]) -> bool:
    said = found["day"].casefold()
    ahead = 2 if said.startswith(("day after", "послезавтра")) else 1 if said.startswith(("tom", "завтра")) else 0
    draft.day = draft.now.date() + timedelta(days=ahead)
    return True


def _of_week(draft: _Draft, found: re.Match[str]) -> bool:
    draft.day = _weekday(draft, found["day"])
    return True


def _next_week(draft: _Draft, found: re.Match[str]) -> bool:  # noqa: ARG001 - a rule's hand
    draft.day = draft.now.date() + timedelta(days=7 - draft.now.weekday())
    return True


def _dated(draft: _Draft, found: re.Match[str]) -> bool:
    said = found.groupdict()
    month = _number(_MONTHS, said["month"]) + 1 if not said["month"].isdigit() else int(said["month"])
    year = int(said.get("year") or 0)
    try:
        day = date(year + 2000 if 0 < year < 100 else year or draft.now.year, month, int(said["d"]))
        draft.day = day if year or day >= draft.now.date() else day.replace(year=day.year + 1)
    except ValueError:
        return False
    return True


def _clock(draft: _Draft, found: re.Match[str]) -> bool:
    said = found.groupdict()
    hour, minute, half = int(said["h"]), int(said.get("m") or 0), (said.get("half") or "").casefold()
    if half.startswith(("p", "веч", "дн")) and hour < 12:
        hour += 12
    elif half.startswith(("a", "утр", "ноч")) and hour == 12:
        hour = 0
    if hour > 23 or minute > 59:
        return False
    draft.at = time(hour, minute)
    return True


def _part_of_day(draft: _Draft, found: re.Match[str]) -> bool:
    said = found["part"].casefold()
    if draft.at is None:
        starts = ((("morn", "утр"), 9), (("noon", "полд", "midday"), 12), (("after", "днём", "днем"), 14))
        draft.at = time(next((hour for words, hour in starts if said.startswith(words)), 18))
    return True


_Take = Callable[[_Draft, "re.Match[str]"], bool]


def _rule(pattern: str, take: _Take) -> tuple["re.Pattern[str]", _Take]:
    """What stands by itself: not in the midst of a word, a number or an address."""
    return re.compile(rf"(?<![\w.:/-])(?:{pattern})(?![\w:/]|[.-]\w)", re.IGNORECASE), take


_HALF = r"(?P<half>am|pm|a\.m\.|p\.m\.|утра|дня|вечера|ночи)"
_BY = r"(?:on|by|до|к|на)"
_OF_YEAR = r"(?:,?\s+(?P<year>20\d\d))?"
_PERIOD = (
    "weekday|working day|work day|рабочий день|будний день|day|день|week|неделю|month|месяц|year|год"  # longest first
)
_PART = "morning|noon|midday|afternoon|evening|утром|в полдень|полдень|днём|днем|вечером"
_RULES = (
    _rule(rf"(?:every|each|кажд\w+)\s+(?P<what>{_DAY}|{_PERIOD})", _every),
    _rule(r"(?:on weekdays|daily on weekdays|по будням|по рабочим дням)", _working_days),
    _rule(rf"(?:in|через)\s+(?:(?P<n>\d{{1,4}})\s*|an?\s+)?(?P<unit>{_UNIT})", _after),
    _rule(r"(?P<day>day after tomorrow|tomorrow|tmrw|today|tonight|послезавтра|завтра|сегодня)", _named),
    _rule(r"(?:next week|на (?:следующей|будущей|той) неделе)", _next_week),
    _rule(rf"(?:{_BY}\s+)?(?P<year>20\d\d)-(?P<month>\d{{1,2}})-(?P<d>\d{{1,2}})", _dated),
    _rule(
        rf"(?:{_BY}\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH}){_OF_YEAR}(?: года)?",
        _dated,
    ),
    _rule(rf"(?:{_BY}\s+)?(?P<month>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?{_OF_YEAR}", _dated),
    _rule(rf"(?:{_BY}\s+)?(?P<d>\d{{1,2}})\.(?P<month>\d{{1,2}})(?:\.(?P<year>\d{{4}}|\d\d))?", _dated),
    _rule(rf"(?:{_BY}|next|во?|следующ\w+)?\s*(?P<day>{_DAY})", _of_week),
    _rule(rf"(?:at|@|by|в|к)?\s*(?P<h>\d{{1,2}})[:.](?P<m>\d\d)(?:\s*{_HALF})?", _clock),
    _rule(rf"(?:at|by|в|к)?\s*(?P<h>\d{{1,2}})\s*{_HALF}", _clock),
    _rule(r"(?:at|by|в|к)\s+(?P<h>\d{1,2})(?:\s+час\w*)?", _clock),
    _rule(rf"(?:in the |at |this )?(?P<part>{_PART})", _part_of_day),
)
_CALL = re.compile(
    r"(?:call back|call|phone|ring|перезвонить|перезвони|позвонить|позвони|набрать)\s+(?:to\s+)?(?=\S)", re.IGNORECASE
)
