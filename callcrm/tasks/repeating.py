"""Repeat rules: the RRULE of iCalendar (RFC 5545), counted on the wall clock of a time zone. Pure.

A task at nine stays at nine when the clocks are turned. A time that the clock leaps over is taken by the
offset before the leap (02:30 becomes 03:30), one that it shows twice is the first of the two: as the RFC says.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rruleset, rrulestr

from callcrm.kernel.errors import Invalid

#: Which parts a rule of each frequency may have. What is left out is what makes rules that never come,
#: and rules of hours and seconds: a desk has no use for them, and a hostile one would be counted for minutes.
_PARTS: dict[str, frozenset[str]] = {
    "DAILY": frozenset({"BYDAY"}),
    "WEEKLY": frozenset({"BYDAY"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"}),
}
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_VALUES = {
    "INTERVAL": re.compile(r"[1-9]\d{0,2}"),
    "COUNT": re.compile(r"[1-9]\d{0,3}"),
    "UNTIL": re.compile(r"\d{8}(T\d{6}Z?)?"),
    "WKST": re.compile(r"MO|TU|WE|TH|FR|SA|SU"),
    "BYDAY": re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,20}"),
    "BYMONTHDAY": re.compile(r"-?\d{1,2}(,-?\d{1,2}){0,30}"),
    "BYMONTH": re.compile(r"\d{1,2}(,\d{1,2}){0,11}"),
    "BYSETPOS": re.compile(r"-?[1-9]\d?(,-?[1-9]\d?){0,10}"),
}
LONGEST = 300
#: The calendar is the same every 400 years. Counting there, the years end soon: a rule that never comes
#: (the 30th of February) is given up after centuries instead of millennia.
_AHEAD = 19
_CYCLE = timedelta(days=146_097)
_LAST_YEAR = 2390
Wall = datetime
"""A time as a clock on the wall shows it: without a zone."""


def checked(text: str) -> str:
    """The rule as it is kept: upper case, without `RRULE:`, its parts in their order; empty stays empty.

    Raises Invalid with what is wrong: a part that is not taken, two ends, a rule that never comes.
    """
    text = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    if not text:
        return ""
    parts = _parts(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _PARTS:
        raise _bad("a rule begins with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    for name, value in parts.items():
        if name not in _ALWAYS | _PARTS[frequency]:
            raise _bad(f"{name} cannot be used with {frequency}")
        if name in _VALUES and not _VALUES[name].fullmatch(value):
            raise _bad(f"{name} cannot be {value[:40]}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise _bad("a rule has either COUNT or UNTIL")
    if frequency in ("DAILY", "WEEKLY") and any(sign.isdigit() for sign in parts.get("BYDAY", "")):
        raise _bad(f"days without numbers with {frequency}, such as BYDAY=MO,TH")
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or name in parts or len(text) > LONGEST:
            raise _bad(f"{part[:40]!r} is no part of a rule; write one such as FREQ=WEEKLY;BYDAY=MO,TH")
        parts[name] = value
    return parts


def _bad(words: str) -> Invalid:
    return Invalid(f"This repeat rule cannot be taken: {words}.", {"repeat": words})


def zone(name: str) -> ZoneInfo:
    """A time zone by its name. Raises Invalid."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("There is no such time zone.", {"time_zone": "such as Europe/Moscow"}) from None


def following(
    rule: str, first: datetime, after: datetime, time_zone: str, *, but: Collection[date] = ()
) -> datetime | None:
    """The first occurrence later than `after`, in UTC; None when the series is over.

    `first` is the series' beginning (aware); `but` are days that are left out.
    """
    clock = zone(time_zone)
    start, since = _wall(first, clock), _wall(after, clock)
    if max(start.year, since.year) > _LAST_YEAR:
        return None
    occurrences = _occurrences(rule, start, clock, but)
    found: datetime | None = occurrences.after(since + _CYCLE * _AHEAD - timedelta(days=1))
    while found is not None:
        # What the clock leaps over or shows twice may lie on the other side of `after` than its wall time.
        moment = _moment(found - _CYCLE * _AHEAD, clock)
        if moment > after:
            return moment
        found = occurrences.after(found)
    return None


def comes(rule: str, first: datetime, time_zone: str) -> None:
    """Raise Invalid when nothing follows `first`: such a rule was not meant."""
    if rule and following(rule, first, first, time_zone) is None:
        raise _bad("it never comes again")


def rest(rule: str, first: datetime, at: datetime, time_zone: str) -> str:
    """The rule as a series that begins at `at`, one of its occurrences: fewer are left, and the end is in UTC.

    For calendars, which count from the entry's own beginning (RFC 5545, 3.3.10).
    """
    count = re.search(r"COUNT=(\d+)", rule)
    if count is not None:
        passed, moment = 0, first
        while moment < at and passed < int(count[1]):
            passed += 1
            moment = following(rule, first, moment, time_zone) or at
        return rule.replace(count[0], f"COUNT={max(1, int(count[1]) - passed)}")
    end = re.search(r"UNTIL=(\d{8})(T(\d{6})(Z?))?", rule)
    if end is None or end[4]:
        return rule
    wall = datetime.strptime(end[1] + (end[3] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - of the wall
    return rule.replace(end[0], f"UNTIL={_moment(wall, zone(time_zone)):%Y%m%dT%H%M%SZ}")


def day_of(moment: datetime, time_zone: str) -> date:
    """Which day it is in the zone at this moment."""
    return _wall(moment, zone(time_zone)).date()


def _occurrences(rule: str, start: Wall, clock: ZoneInfo, but: Collection[date]) -> rruleset:
    made = rrulestr(_until_on_the_wall(rule, clock), dtstart=start + _CYCLE * _AHEAD)
    assert isinstance(made, rrule)
    found = rruleset()
    found.rrule(made)
    for day in but:
        found.exdate(datetime.combine(day, start.time()) + _CYCLE * _AHEAD)
    return found


def _until_on_the_wall(rule: str, clock: ZoneInfo) -> str:
    """The same rule with its end as the wall clock shows it, as far ahead as its beginning."""
    end = re.search(r"UNTIL=(\d{8})(T(\d{6})(Z?))?", rule)
    if end is None:
        return rule
    try:
        until = datetime.strptime(end[1] + (end[3] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - of the wall
    except ValueError:
        raise _bad(f"{end[0][:40]} is no date") from None
    if end[4]:
        until = _wall(until.replace(tzinfo=UTC), clock)
    if until.year > _LAST_YEAR:
        raise _bad("it ends too late to be counted")
    shifted = (until + _CYCLE * _AHEAD).strftime("%Y%m%dT%H%M%S")
    return rule.replace(end[0], f"UNTIL={shifted}")


def _wall(moment: datetime, clock: ZoneInfo) -> Wall:
    return moment.astimezone(clock).replace(tzinfo=None, microsecond=0, fold=0)


def _moment(wall: Wall, clock: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=clock, fold=0).astimezone(UTC)
