"""How times, durations and numbers are shown: relative and in the reader's own zone and language."""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_timedelta, get_month_names
from markupsafe import Markup, escape

from callcrm.kernel import clock, numbers
from webui import i18n
from webui.i18n import _

_zone: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)
_TIME = Markup('<time datetime="%s" title="%s">%s</time>')
_AGO = Markup('<time datetime="%s" title="%s" data-ago>%s</time>')
_TEL = Markup('<span class="tel" title="%s"><abbr title="%s">%s</abbr> %s</span>')


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """A zone by name; UTC for one that nobody knows."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def use_zone(name: str) -> None:
    """Times of this task are shown in the zone from now on."""
    _zone.set(zone_named(name))


def zone() -> str:
    """The name of the reader's zone."""
    found = _zone.get()
    return found.key if found is not None else "UTC"


def here(moment: datetime) -> datetime:
    """The moment on the reader's clock."""
    return moment.astimezone(_zone.get() or UTC)


def midnight(moment: datetime, days: int = 0) -> datetime:
    """When the reader's day of the moment began, or one so many days later; days are those of the calendar."""
    day = here(moment).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    return (day + timedelta(days=days)).replace(tzinfo=_zone.get() or UTC).astimezone(UTC)


def exact(moment: datetime) -> str:
    """Day and second, for tooltips."""
    mine = here(moment)
    return f"{mine.day} {_months(i18n.language())[mine.month]} {mine.year:04} {_second(mine)}"


@lru_cache(maxsize=16)
def _months(language: str) -> dict[int, str]:
    """The months' short names. A page has hundreds of times: babel's patterns cost most of its making."""
    return dict(get_month_names("abbreviated", "format", locale=i18n.locale_of(language)))


def _minute(mine: datetime) -> str:
    return f"{mine.hour:02}:{mine.minute:02}"


def _second(mine: datetime) -> str:
    return f"{mine.hour:02}:{mine.minute:02}:{mine.second:02}"


def iso(moment: datetime) -> str:
    """For `datetime=` and data attributes."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(moment: datetime | None) -> Markup:
    """`8 min`, `3 h`, then the day; the exact moment in the tooltip. The browser keeps it running."""
    if moment is None:
        return Markup("")
    age = clock.now() - moment
    words = span(age) if age < timedelta(hours=24) else day_short(moment)
    return _AGO % (iso(moment), exact(moment), words)


def at_time(moment: datetime | None, *, seconds: bool = False) -> Markup:
    """The time of day; the day is told by where it stands."""
    if moment is None:
        return Markup("")
    return _time(moment, _second(here(moment)) if seconds else _minute(here(moment)))


def at_second(moment: datetime | None) -> Markup:
    """The time of day with its second; the day is told by where it stands."""
    return at_time(moment, seconds=True)


def a_day(value: date) -> str:
    """`Mon 18 Nov`: a day of the calendar, which is no moment; with the year when it is another."""
    pattern = "EEE d MMM" if value.year == here(clock.now()).year else "EEE d MMM yyyy"
    return str(format_date(value, pattern, locale=i18n.locale()))


def at(moment: datetime | None) -> Markup:
    """Time of day when it is today, else the day and the time; with the year when it is another."""
    if moment is None:
        return Markup("")
    mine = here(moment)
    if mine.date() == here(clock.now()).date():
        return _time(moment, _second(mine))
    year = "" if mine.year == here(clock.now()).year else f" {mine.year:04}"
    return _time(moment, f"{mine.day} {_months(i18n.language())[mine.month]}{year} {_minute(mine)}")


def at_minute(moment: datetime) -> Markup:
    """The same without seconds: when something is due is agreed on in minutes."""
    return at_time(moment) if day_of(moment) == day_of(clock.now()) else at(moment)


def _time(moment: datetime, words: str) -> Markup:
    return _TIME % (iso(moment), exact(moment), words)


def span(length: timedelta) -> str:
    """`6 min`, `2 h`: one unit is enough on a desk."""
    if length < timedelta(minutes=1):
        return _("now")
    if length < timedelta(minutes=90):
        return _minutes(length // timedelta(minutes=1), i18n.language())
    return format_timedelta(length, granularity="hour", threshold=1.5, format="short", locale=i18n.locale())


def length(time: timedelta) -> str:
    """The same within a sentence, a minute at least: "now" is no length of time."""
    return span(max(timedelta(minutes=1), time))


@lru_cache(maxsize=512)
def _minutes(n: int, language: str) -> str:
    whole, locale = timedelta(minutes=n), i18n.locale_of(language)
    return format_timedelta(whole, granularity="minute", threshold=2, format="short", locale=locale)


def day_short(moment: datetime) -> str:
    """`18 Nov`, with the year when it is another."""
    mine = here(moment)
    words = f"{mine.day} {_months(i18n.language())[mine.month]}"
    return words if mine.year == here(clock.now()).year else f"{words} {mine.year:04}"


def day(moment: datetime) -> str:
    """The heading of a day in a timeline."""
    mine, today = here(moment).date(), here(clock.now()).date()
    if mine == today:
        return _("Today")
    words = format_date(mine, "EEEE d MMMM" if mine.year == today.year else "EEEE d MMMM yyyy", locale=i18n.locale())
    return _("Yesterday, %(day)s") % {"day": words} if mine == today - timedelta(days=1) else words


def day_of(moment: datetime) -> date:
    """The calendar day on the reader's clock."""
    return here(moment).date()


def duration(seconds: float | None) -> str:
    """`0:41`, `6:16`, `1:02:03`; a dash when it is not known."""
    if seconds is None:
        return "—"
    total = max(0, round(seconds))
    minutes, rest = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def tel(number: str | None) -> Markup:
    """Country, then that country's own format; E.164 in the tooltip. What is no E.164 is shown as it is."""
    if not number:
        return Markup('<span class="muted">{}</span>').format(_("Number withheld"))
    country = numbers.country_of(number)
    if not country:
        return Markup('<span class="tel">{}</span>').format(number[:40])
    return _TEL % (number, _territory(country, i18n.language()), country, numbers.shown(number))


@lru_cache(maxsize=1024)
def _territory(country: str, language: str) -> str:
    return str(i18n.locale_of(language).territories.get(country, country))


def initials(name: str) -> str:
    """Two letters for the account's button."""
    parts = [part for part in name.split() if part]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def text(value: object) -> Markup:
    """Anything hostile as plain text, cut so that no page grows without end."""
    words = str(value)
    return escape(words if len(words) <= 300 else words[:299] + "…")


FILTERS = {
    "ago": ago, "at": at, "at_time": at_time, "exact": exact, "iso": iso, "day": day, "day_short": day_short,
    "duration": duration, "tel": tel, "initials": initials, "text": text, "span": span, "a_day": a_day,
    "at_second": at_second, "at_minute": at_minute,
}  # fmt: skip
