"""Working hours: when a promise of so many minutes falls due. Pure.

Hours are wall-clock times of one time zone. On the days when its clock is turned, a span
lasts from the first moment that shows its beginning to the last that shows its end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)$")
_DAY_MINUTES = 24 * 60
#: After so many days without an open minute there are no hours to speak of.
_HORIZON_DAYS = 400

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When somebody works: `week` has the spans of Monday to Sunday, in minutes from that day's midnight.

    A span that ends after minute 1440 goes on into the next day. No spans at all: open always.
    """

    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    holidays: frozenset[date] = frozenset()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at this moment (aware)."""
        if not self._limited:
            return True
        return any(begin <= at for begin, _ in self._open_from(at, days=1))

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself when open, else the next opening, in UTC; None when none comes within a year."""
        if not self._limited:
            return at.astimezone(UTC)
        return next((begin for begin, _ in self._open_from(at)), None)

    def due(self, start: datetime, minutes: float) -> datetime:
        """The moment when `minutes` of working time have gone by since `start`, in UTC.

        Outside the hours the clock starts at the next opening. Where no opening comes, minutes are plain.
        """
        left = timedelta(minutes=max(0.0, minutes))
        if self._limited:
            for begin, end in self._open_from(start):
                if begin + left <= end:
                    return begin + left
                left -= end - begin
        return start.astimezone(UTC) + timedelta(minutes=max(0.0, minutes))

    @property
    def _limited(self) -> bool:
        return any(self.week)

    def _open_from(self, at: datetime, *, days: int | None = None) -> Iterator[tuple[datetime, datetime]]:
        """What of the open stretches lies after `at`, in order, none over another; ends where none comes for a year."""
        day = at.astimezone(self.zone).date() - timedelta(days=1)
        stop = day + timedelta(days=_HORIZON_DAYS if days is None else days)
        reached = at.astimezone(UTC)
        while day <= stop:
            for begin, end in self._stretches(day):
                if end > max(reached, begin):
                    yield max(begin, reached), end
                    reached = end
                    stop = stop if days is not None else day + timedelta(days=_HORIZON_DAYS)
            day += timedelta(days=1)

    def _stretches(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day not in self.holidays:
            for begin, end in self.week[day.weekday()]:
                yield self._moment(day, begin), self._moment(day, end, last=True)

    def _moment(self, day: date, minute: int, *, last: bool = False) -> datetime:
        """When the clock shows that minute of the day; where it never does, when it leaps over it."""
        day, minute = day + timedelta(days=minute // _DAY_MINUTES), minute % _DAY_MINUTES
        wall = datetime.combine(day, time(minute // 60, minute % 60, fold=int(last)), self.zone)
        moment = wall.astimezone(UTC)
        shown = moment.astimezone(self.zone).replace(tzinfo=None)
        return moment if shown == wall.replace(tzinfo=None, fold=0) else self._leap(wall)

    def _leap(self, wall: datetime) -> datetime:
        """The moment when the clock was put forward past `wall`, to the second."""
        low = wall.replace(fold=1).astimezone(UTC)
        high = wall.replace(fold=0).astimezone(UTC)
        before = low.astimezone(self.zone).utcoffset()
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            if middle.astimezone(self.zone).utcoffset() == before:
                low = middle
            else:
                high = middle
        return high.replace(microsecond=0)


def working_hours(
    hours: Mapping[str, Sequence[str]], *, holidays: Sequence[str | date] = (), time_zone: str = "UTC"
) -> WorkingHours:
    """Read settings such as {"mon": ["09:00-13:00", "14:00-18:00"]}; what cannot be read is a ValueError in words."""
    unknown = sorted(set(hours) - set(WEEKDAYS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no day: write {', '.join(WEEKDAYS)}")
    return WorkingHours(
        week=tuple(_spans(name, hours.get(name, ())) for name in WEEKDAYS),
        holidays=frozenset(_holiday(day) for day in holidays),
        zone=_zone(time_zone),
    )


def _spans(day: str, written: Sequence[str]) -> tuple[Span, ...]:
    return tuple(sorted(_span(day, text) for text in written))


def _span(day: str, text: str) -> Span:
    found = _SPAN.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} on {day} is no span of hours: write it as 09:00-18:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    begin, end = hour * 60 + minute, to_hour * 60 + to_minute
    if begin >= _DAY_MINUTES or end > _DAY_MINUTES or begin == end:
        raise ValueError(f"{text!r} on {day} is no span of hours: a day ends at 24:00, and a span takes some time")
    return begin, end if end > begin else end + _DAY_MINUTES


def _holiday(day: str | date) -> date:
    try:
        return day if isinstance(day, date) else date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"{day!r} is no date: write it as 2026-01-01") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone: write one such as Europe/Berlin or Asia/Almaty") from None
