"""Promises in working hours: weekends, holidays, nights, and the days when the clock is turned."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callcrm.kernel.calendar import WorkingHours, working_hours

OFFICE = working_hours(
    {day: ["09:00-13:00", "14:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    holidays=["2026-01-01"],
    time_zone="Europe/Berlin",
)
NIGHT = working_hours({"sat": ["22:00-06:00"], "sun": ["05:00-07:00"]}, time_zone="Europe/Berlin")
ALWAYS = working_hours({})
ROUND_THE_CLOCK = working_hours({d: ["00:00-24:00"] for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")})


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("hours", "start", "minutes", "due"),
    [
        (OFFICE, "2026-11-18 10:00", 30, "2026-11-18 10:30"),
        (OFFICE, "2026-11-18 12:50", 30, "2026-11-18 14:20"),
        (OFFICE, "2026-11-18 12:30", 30, "2026-11-18 13:00"),
        (OFFICE, "2026-11-18 13:00", 30, "2026-11-18 14:30"),
        (OFFICE, "2026-11-18 13:30", 30, "2026-11-18 14:30"),
        (OFFICE, "2026-11-18 18:00", 30, "2026-11-19 09:30"),
        (OFFICE, "2026-11-20 17:45", 30, "2026-11-23 09:15"),
        (OFFICE, "2026-11-21 12:00", 30, "2026-11-23 09:30"),
        (OFFICE, "2025-12-31 17:50", 30, "2026-01-02 09:20"),
        (OFFICE, "2026-11-16 09:00", 5 * 8 * 60, "2026-11-20 18:00"),
        (OFFICE, "2026-11-16 09:00", 5 * 8 * 60 + 1, "2026-11-23 09:01"),
        (OFFICE, "2026-11-21 12:00", 0, "2026-11-23 09:00"),
        (OFFICE, "2026-11-18 10:00", -5, "2026-11-18 10:00"),
        (NIGHT, "2026-11-21 23:30", 60, "2026-11-22 00:30"),
        (NIGHT, "2026-11-22 05:30", 60, "2026-11-22 06:30"),
        (NIGHT, "2026-11-22 06:30", 60, "2026-11-28 22:30"),
        (NIGHT, "2026-03-29 01:30", 60, "2026-03-29 03:30"),
        (NIGHT, "2026-10-24 22:00", 9 * 60, "2026-10-25 06:00"),
        (NIGHT, "2026-03-28 22:00", 7 * 60, "2026-03-29 06:00"),
        (ALWAYS, "2026-11-21 03:00", 30, "2026-11-21 03:30"),
        (ROUND_THE_CLOCK, "2026-03-29 01:50", 30, "2026-03-29 03:20"),
    ],
)
def test_a_promise_counts_working_minutes_only(hours: WorkingHours, start: str, minutes: int, due: str) -> None:
    assert hours.due(at(start), minutes) == at(due)


@pytest.mark.parametrize(
    ("hours", "moment", "is_open", "opening"),
    [
        (OFFICE, "2026-11-18 09:00", True, "2026-11-18 09:00"),
        (OFFICE, "2026-11-18 12:59", True, "2026-11-18 12:59"),
        (OFFICE, "2026-11-18 13:00", False, "2026-11-18 14:00"),
        (OFFICE, "2026-11-18 08:59", False, "2026-11-18 09:00"),
        (OFFICE, "2026-01-01 10:00", False, "2026-01-02 09:00"),
        (NIGHT, "2026-11-22 05:59", True, "2026-11-22 05:59"),
        (NIGHT, "2026-11-22 06:59", True, "2026-11-22 06:59"),
        (NIGHT, "2026-11-22 07:00", False, "2026-11-28 22:00"),
        (ALWAYS, "2026-11-22 07:00", True, "2026-11-22 07:00"),
        (ROUND_THE_CLOCK, "2026-11-22 00:00", True, "2026-11-22 00:00"),
    ],
)
def test_open_or_when_it_opens(hours: WorkingHours, moment: str, is_open: bool, opening: str) -> None:
    assert (hours.is_open(at(moment)), hours.next_opening(at(moment))) == (is_open, at(opening))


def test_a_span_that_begins_in_the_leap_begins_when_the_clock_leaps() -> None:
    hours = working_hours({"sun": ["02:30-04:00"]}, time_zone="Europe/Berlin")
    leap = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert hours.next_opening(at("2026-03-29 00:00")) == leap
    assert hours.due(at("2026-03-29 00:00"), 60) == leap + timedelta(hours=1)


def test_a_span_within_the_leap_does_not_happen() -> None:
    hours = working_hours({"sun": ["02:15-02:45"]}, time_zone="Europe/Berlin")
    assert hours.next_opening(at("2026-03-29 00:00")) == at("2026-04-05 02:15")


def test_a_span_in_the_hour_that_comes_twice_lasts_to_its_second_end() -> None:
    hours = working_hours({"sun": ["02:00-03:00"]}, time_zone="Europe/Berlin")
    assert hours.due(at("2026-10-25 00:00"), 120) == at("2026-10-25 03:00")


def test_a_day_that_never_was_has_no_hours() -> None:
    hours = working_hours({"fri": ["09:00-18:00"]}, time_zone="Pacific/Apia")
    assert hours.next_opening(at("2011-12-29 12:00", "Pacific/Apia")) == at("2012-01-06 09:00", "Pacific/Apia")


def test_hours_that_holidays_eat_up_leave_plain_minutes() -> None:
    days = [datetime(2026, 1, 1, tzinfo=UTC).date() + timedelta(days=n) for n in range(500)]
    hours = working_hours({"mon": ["09:00-18:00"]}, holidays=days)
    start = datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert (hours.next_opening(start), hours.due(start, 30)) == (None, start + timedelta(minutes=30))


def test_a_promise_may_take_years_of_a_minute_a_week() -> None:
    hours = working_hours({"mon": ["09:00-09:01"]})
    start = datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert hours.due(start, 200) == datetime(2026, 1, 5, 9, 1, tzinfo=UTC) + timedelta(weeks=199)


@pytest.mark.parametrize(
    ("hours", "more", "says"),
    [
        ({"monday": ["09:00-18:00"]}, {}, "'monday' is no day"),
        ({"mon": ["9-18"]}, {}, "write it as 09:00-18:00"),
        ({"mon": ["09:00-25:00"]}, {}, "write it as 09:00-18:00"),
        ({"mon": ["09:00-24:30"]}, {}, "ends at 24:00"),
        ({"mon": ["09:00-09:00"]}, {}, "takes some time"),
        ({}, {"holidays": ["1 January"]}, "write it as 2026-01-01"),
        ({}, {"time_zone": "Mars/Base"}, "no time zone"),
        ({}, {"time_zone": "../../etc/passwd"}, "no time zone"),
    ],
)
def test_settings_that_make_no_sense_say_the_mend(hours: dict, more: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        working_hours(hours, **more)


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
MINUTE = st.integers(0, 1439)
SPANS = st.lists(st.tuples(MINUTE, st.integers(1, 1440)).map(lambda s: (s[0], min(s[0] + s[1], 2879))), max_size=3)
WEEKS = st.lists(SPANS.map(lambda s: tuple(sorted(s))), min_size=7, max_size=7).map(tuple)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
HOURS = st.builds(WorkingHours, week=WEEKS, zone=ZONES.map(ZoneInfo))


@settings(deadline=None)
@given(HOURS, MOMENTS, MOMENTS, st.integers(0, 3000))
def test_who_called_earlier_is_never_promised_later(
    hours: WorkingHours, one: datetime, other: datetime, minutes: int
) -> None:
    early, late = sorted((one, other))
    assert early + timedelta(minutes=minutes) <= hours.due(early, minutes) <= hours.due(late, minutes)


@settings(deadline=None)
@given(HOURS, MOMENTS, st.integers(0, 2000), st.integers(0, 2000))
def test_a_longer_promise_is_never_due_earlier(hours: WorkingHours, start: datetime, one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert hours.due(start, short) <= hours.due(start, long)


@settings(deadline=None)
@given(HOURS, MOMENTS, st.integers(0, 1000), st.integers(1, 1000))
def test_a_promise_in_two_parts_is_the_same_promise(hours: WorkingHours, start: datetime, one: int, other: int) -> None:
    assert hours.due(hours.due(start, one), other) == hours.due(start, one + other)


@settings(deadline=None)
@given(HOURS, MOMENTS, st.integers(1, 500))
def test_the_clock_starts_at_the_opening_and_not_before(hours: WorkingHours, start: datetime, minutes: int) -> None:
    opening = hours.next_opening(start) or start
    assert opening + timedelta(minutes=minutes) <= hours.due(start, minutes)
    assert hours.due(opening, minutes) == hours.due(start, minutes)


@settings(deadline=None)
@given(HOURS, MOMENTS)
def test_the_next_opening_is_open(hours: WorkingHours, moment: datetime) -> None:
    opening = hours.next_opening(moment)
    if hours.is_open(moment):
        assert opening == moment
    elif opening is not None:
        assert opening > moment
        assert hours.is_open(opening)


DST_DAYS = st.sampled_from(["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"])


@settings(max_examples=25, deadline=None)
@given(HOURS, DST_DAYS, st.integers(1, 240))
def test_on_any_day_a_promise_is_as_many_open_minutes_as_were_promised(
    hours: WorkingHours, day: str, minutes: int
) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=16)
    due = hours.due(start, minutes)
    assume(due - start < timedelta(hours=36))
    spent = sum(hours.is_open(start + timedelta(minutes=n)) for n in range(int((due - start).total_seconds() // 60)))
    assert spent == minutes


@settings(deadline=None)
@given(HOURS, MOMENTS)
def test_the_clock_on_the_wall_says_when_it_is_open(hours: WorkingHours, moment: datetime) -> None:
    if not any(hours.week):
        assert hours.is_open(moment)
        return
    wall = moment.astimezone(hours.zone)
    day = wall.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    minute = (wall.replace(tzinfo=None, fold=0) - day).total_seconds() / 60
    today = [span for span in hours.week[wall.weekday()] if span[0] <= minute < span[1]]
    yesterday = [s for s in hours.week[(wall.weekday() - 1) % 7] if s[0] <= minute + 1440 < s[1]]
    if today or yesterday:
        assert hours.is_open(moment)
    elif wall.utcoffset() == (wall - timedelta(hours=30)).utcoffset():
        assert not hours.is_open(moment)
