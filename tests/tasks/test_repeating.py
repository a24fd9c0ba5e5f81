"""Repeat rules on the wall clock: DST, exceptions, ends, and rules that are not taken."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callcrm.kernel.errors import Invalid
from callcrm.tasks import repeating

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Almaty", "Africa/Casablanca")
RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=MO,FR",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=YEARLY",
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))
BAD = """
FREQ=SECONDLY
FREQ=HOURLY
often
FREQ=DAILY;FREQ=DAILY
FREQ=DAILY;INTERVAL=0
FREQ=DAILY;COUNT=2;UNTIL=20270101
FREQ=DAILY;BYHOUR=1
FREQ=DAILY;BYMONTH=2
FREQ=WEEKLY;BYDAY=1MO
FREQ=MONTHLY;BYMONTHDAY=x
FREQ=DAILY;X=1
"""
LONG = "FREQ=MONTHLY;BYMONTHDAY=9;BYSETPOS=" + "1," * 200
NEVER = (
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;COUNT=1",
    "FREQ=DAILY;UNTIL=20200101",
    "FREQ=MONTHLY;BYMONTHDAY=99",
)


def some(rule: str, first: datetime, zone: str, n: int = 6, **more: object) -> list[datetime]:
    """The next `n` of the series."""
    found, at = [], first
    for _ in range(n):
        after = repeating.following(rule, first, at, zone, **more)  # type: ignore[arg-type]
        if after is None:
            break
        found.append(at := after)
    return found


def wall(moments: list[datetime], zone: str) -> list[str]:
    return [moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for moment in moments]


def test_nine_stays_nine_when_the_clocks_are_turned() -> None:
    first = datetime(2026, 10, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    found = some("FREQ=DAILY", first, "Europe/Berlin", 3)
    assert wall(found, "Europe/Berlin") == ["10-25 09:00", "10-26 09:00", "10-27 09:00"]
    assert [one.hour for one in found] == [8, 8, 8]


def test_a_time_that_is_leapt_over_comes_an_hour_later_and_one_shown_twice_comes_once() -> None:
    spring = datetime(2026, 3, 28, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert wall(some("FREQ=DAILY", spring, "Europe/Berlin", 2), "Europe/Berlin") == ["03-29 03:30", "03-30 02:30"]
    autumn = datetime(2026, 10, 24, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    found = some("FREQ=DAILY", autumn, "Europe/Berlin", 2)
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_days_that_are_left_out_are_passed_over() -> None:
    first = datetime(2026, 12, 30, 9, tzinfo=UTC)
    but = [date(2026, 12, 31), date(2027, 1, 1)]
    assert wall(some("FREQ=DAILY", first, "UTC", 2, but=but), "UTC") == ["01-02 09:00", "01-03 09:00"]


def test_a_series_ends_by_count_or_by_a_day() -> None:
    first = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert len(some("FREQ=DAILY;COUNT=3", first, "UTC")) == 2
    assert len(some("FREQ=DAILY;UNTIL=20260103T090000Z", first, "UTC")) == 2
    assert len(some("FREQ=DAILY;UNTIL=20260103", first, "UTC")) == 2
    berlin = datetime(2026, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert len(some("FREQ=DAILY;UNTIL=20260102T233000Z", berlin, "Europe/Berlin")) == 2


def test_the_last_working_day_of_the_month() -> None:
    first = datetime(2026, 1, 30, 17, tzinfo=UTC)
    rule = repeating.checked("rrule:freq=monthly;byday=MO,TU,WE,TH,FR;bysetpos=-1")
    assert wall(some(rule, first, "UTC", 3), "UTC") == ["02-27 17:00", "03-31 17:00", "04-30 17:00"]


@pytest.mark.parametrize("rule", [*BAD.split(), LONG, "FREQ=DAILY;" * 60, "FREQ=DAILY\nDTSTART:19970902T090000"])
def test_a_rule_that_cannot_be_taken_is_told_in_words(rule: str) -> None:
    with pytest.raises(Invalid) as error:
        repeating.checked(rule)
    assert error.value.fields["repeat"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;COUNT=1",
        "FREQ=DAILY;UNTIL=20200101",
        "FREQ=MONTHLY;BYMONTHDAY=99",
    ],
)
def test_a_rule_that_never_comes_is_refused_soon(rule: str) -> None:
    with pytest.raises(Invalid):
        repeating.comes(repeating.checked(rule), datetime(2026, 1, 1, 9, tzinfo=UTC), "UTC")


@given(st.sampled_from(RULES), MOMENTS, st.sampled_from(ZONES))
@settings(max_examples=60)
def test_a_series_goes_forward_and_keeps_its_time_of_day(rule: str, first: datetime, zone: str) -> None:
    found = some(rule, first, zone, 8)
    assert len(found) == 8
    assert all(before < after for before, after in pairwise([first, *found]))
    clock = ZoneInfo(zone)
    for moment in found:
        shown = moment.astimezone(clock)
        # Only where the clock leaps is the time of day another, by as much as it leaps.
        if shown.time() != first.astimezone(clock).time():
            offset = (moment - timedelta(hours=3)).astimezone(clock).utcoffset()
            assert offset != (moment + timedelta(hours=3)).astimezone(clock).utcoffset()


@given(st.sampled_from(RULES), MOMENTS, st.sampled_from(ZONES), st.integers(0, 1000))
@settings(max_examples=40)
def test_what_follows_any_moment_is_the_first_after_it(rule: str, first: datetime, zone: str, hours: int) -> None:
    at = first + timedelta(hours=hours)
    found = repeating.following(rule, first, at, zone)
    assert found is not None and found > at
    listed = [one for one in some(rule, first, zone, 45) if one > at]
    assume(listed)
    assert found == listed[0]


@given(st.text(alphabet="FREQ=DAILYWKMONTHU;,-0123456789BYSP\n ", max_size=60))
@settings(max_examples=40)
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = repeating.checked(text)
        repeating.comes(rule, datetime(2026, 1, 1, 9, tzinfo=UTC), "Europe/Berlin")
    except Invalid as error:
        assert error.fields["repeat"]
    else:
        assert rule == "" or rule.startswith("FREQ=") or "FREQ=" in rule
