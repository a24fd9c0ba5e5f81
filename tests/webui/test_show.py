"""Times as people read them: the fast way says what the language's own patterns say."""

from contextvars import copy_context
from datetime import UTC, datetime, timedelta

from babel.dates import format_datetime, format_timedelta
from hypothesis import given
from hypothesis import strategies as st

from callcrm.kernel import clock
from webui import i18n, show


@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    language=st.sampled_from(sorted(i18n.LANGUAGES)),
    zone=st.sampled_from(["UTC", "Europe/Moscow", "America/St_Johns", "Asia/Kathmandu"]),
    minutes=st.integers(1, 89),
)
def test_times_are_written_as_the_language_writes_them(
    moment: datetime, language: str, zone: str, minutes: int
) -> None:
    def said() -> None:
        i18n.use(language)
        show.use_zone(zone)
        _say_as_babel_does(moment, timedelta(minutes=minutes))

    copy_context().run(said)


def _say_as_babel_does(moment: datetime, length: timedelta) -> None:
    mine, locale = show.here(moment), i18n.locale()

    def said(form: str) -> str:
        return format_datetime(mine, form, locale=locale)

    assert show.exact(moment) == said("d MMM yyyy HH:mm:ss")
    assert show.at_time(moment).striptags() == said("HH:mm")
    assert show.at_time(moment, seconds=True).striptags() == said("HH:mm:ss")
    assert show.day_short(moment) in (said("d MMM"), said("d MMM yyyy"))
    forms = ("d MMM yyyy HH:mm", "d MMM HH:mm", "HH:mm:ss")
    assert show.at(moment).striptags() in [said(form) for form in forms]
    assert show.span(length) == format_timedelta(length, "minute", threshold=2, format="short", locale=locale)


def test_a_length_in_a_sentence_is_a_minute_at_least_and_a_due_time_has_no_seconds() -> None:
    assert show.span(timedelta(seconds=5)) == "now"
    assert show.length(timedelta(seconds=5)) == show.span(timedelta(minutes=1)) == "1 min"
    today, tomorrow = clock.now().replace(hour=12, minute=0, second=30), clock.now() + timedelta(days=1)
    assert show.at_minute(today).striptags() == "12:00"
    assert show.at_minute(tomorrow) == show.at(tomorrow)
