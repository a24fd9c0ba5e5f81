"""How times, durations and numbers are shown: relative and in the reader's own zone and language."""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from markupsafe import Markup, escape

from callcrm.kernel import clock, numbers
from webui import i18n
from webui.i18n import _

_zone: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)


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


def here(moment: datetime) -> datetime:
    """The moment on the reader's clock."""
    return moment.astimezone(_zone.get() or UTC)


def exact(moment: datetime) -> str:
    """Day and second, for tooltips."""
    return format_datetime(here(moment), "d MMM yyyy HH:mm:ss", locale=i18n.locale())


def iso(moment: datetime) -> str:
    """For `datetime=` and data attributes."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(moment: datetime | None) -> Markup:
    """`8 min`, `3 h`, then the day; the exact moment in the tooltip. The browser keeps it running."""
    if moment is None:
        return Markup("")
    age = clock.now() - moment
    words = span(age) if age < timedelta(hours=24) else day_short(moment)
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(iso(moment), exact(moment), words)


def at_time(moment: datetime | None, *, seconds: bool = False) -> Markup:
    """The time of day; the day is told by where it stands."""
    if moment is None:
        return Markup("")
    return _time(moment, format_time(here(moment), "HH:mm:ss" if seconds else "HH:mm", locale=i18n.locale()))


def at(moment: datetime | None) -> Markup:
    """Time of day when it is today, else the day and the time."""
    if moment is None:
        return Markup("")
    today = here(moment).date() == here(clock.now()).date()
    words = format_datetime(here(moment), "HH:mm:ss" if today else "d MMM HH:mm", locale=i18n.locale())
    return _time(moment, words)


def _time(moment: datetime, words: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(moment), exact(moment), words)


def span(length: timedelta) -> str:
    """`6 min`, `2 h`: one unit is enough on a desk."""
    if length < timedelta(minutes=1):
        return _("now")
    if length < timedelta(minutes=90):
        whole = timedelta(minutes=length // timedelta(minutes=1))
        return format_timedelta(whole, granularity="minute", threshold=2, format="short", locale=i18n.locale())
    return format_timedelta(length, granularity="hour", threshold=1.5, format="short", locale=i18n.locale())


def day_short(moment: datetime) -> str:
    """`18 Nov`, with the year when it is another."""
    form = "d MMM" if here(moment).year == here(clock.now()).year else "d MMM yyyy"
    return format_date(here(moment), form, locale=i18n.locale())


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
    name = i18n.locale().territories.get(country, country)
    return Markup('<span class="tel" title="{}"><abbr title="{}">{}</abbr> {}</span>').format(
        number, name, country, numbers.shown(number)
    )


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
    "duration": duration, "tel": tel, "initials": initials, "text": text, "span": span,
}  # fmt: skip
