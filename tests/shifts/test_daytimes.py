"""What a day went to: whatever spells there are, the figures add up to them, and nothing counts twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.kernel.errors import Invalid
from callcrm.shifts import daily
from callcrm.shifts.daytimes import Lived, clipped, is_shift, of_day, runs

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
KYIV = ZoneInfo("Europe/Kyiv")


def lived(*told: tuple[float, str, float], reason: str = "", lasts: bool = False) -> list[Lived]:
    """Spells: minutes from noon at which each begins, its state, minutes that it lasts."""
    found = []
    for n, (began, state, length) in enumerate(told):
        ended = None if lasts and n == len(told) - 1 else NOON + timedelta(minutes=began + length)
        found.append(Lived(NOON + timedelta(minutes=began), ended, state, reason if state == "paused" else ""))
    return found


def day_of(spells: list[Lived], at: date = TODAY, *, zone: object = UTC, now: datetime | None = None):
    (span,) = daily.spans(at, at, zone)
    return of_day(list(runs(spells)), span, now or NOON + timedelta(days=9))


def test_a_day_of_work_is_told_by_what_it_went_to() -> None:
    told = [(0, "available", 10), (10, "talking", 5), (15, "wrapup", 1), (16, "paused", 30), (46, "available", 14)]
    found = day_of(lived(*told, reason="Lunch"))
    assert (found.begun, found.ended, found.shifts) == (NOON, NOON + timedelta(hours=1), 1)
    assert (found.on_shift_s, found.available_s, found.talking_s, found.wrapup_s) == (3600, 1440, 300, 60)
    assert found.pauses == {"Lunch": 1800.0}
    assert found.occupancy == pytest.approx(360 / 1800)


def test_a_call_off_shift_is_no_shift_but_stands_beside_it() -> None:
    found = day_of(lived((-60, "talking", 5), (0, "available", 10)))
    assert (found.begun, found.on_shift_s, found.off_shift_talk_s, found.talking_s) == (NOON, 600, 300, 0)
    alone = day_of(lived((0, "talking", 5)))
    assert (alone.begun, alone.on_shift_s, alone.off_shift_talk_s, alone.occupancy) == (None, 0, 300, None)
    assert day_of([]) is None


def test_what_crosses_midnight_is_cut_there_and_says_so() -> None:
    spells = lived((660, "available", 120), (780, "paused", 30), reason="Break")
    first, second = day_of(spells), day_of(spells, NOON.date() + timedelta(days=1))
    assert (first.on_shift_s, first.after, first.ended, first.before) == (3600, True, None, False)
    assert (second.on_shift_s, second.before, second.pauses) == (3600 + 1800, True, {"Break": 1800.0})


def test_what_lasts_counts_up_to_now_and_not_further() -> None:
    spells, now = lived((0, "available", 0), lasts=True), NOON + timedelta(minutes=7)
    found = day_of(spells, now=now)
    assert (found.on_shift_s, found.lasts, found.ended) == (420, True, None)
    assert day_of(spells, NOON.date() + timedelta(days=1), now=now) is None


def test_a_day_of_a_changing_clock_has_its_own_length() -> None:
    begun = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = day_of(
        [Lived(begun, begun + timedelta(days=2), "available")],
        date(2026, 3, 29),
        zone=KYIV,
        now=begun + timedelta(days=5),
    )
    assert found.on_shift_s == 23 * 3600


def test_a_span_has_its_first_day_first_and_an_end() -> None:
    with pytest.raises(Invalid):
        daily.spans(NOON.date(), NOON.date() - timedelta(days=1), UTC)
    with pytest.raises(Invalid):
        daily.spans(NOON.date(), NOON.date() + timedelta(days=daily.MOST_DAYS), UTC)


SPELLS = st.lists(
    st.tuples(
        st.integers(0, 3).map(lambda gap: gap * 600 if gap == 3 else 0),
        st.integers(1, 40_000),
        st.sampled_from(["available", "talking", "wrapup", "paused"]),
        st.sampled_from(["", "Lunch", "Break"]),
    ),
    max_size=30,
)


@given(told=SPELLS, open_end=st.booleans(), zone=st.sampled_from([UTC, KYIV, ZoneInfo("Asia/Jakarta")]))
def test_the_days_together_are_the_spells_to_the_second(told: list, open_end: bool, zone: object) -> None:
    at, spells = NOON, list[Lived]()
    for gap, length, state, reason in told:
        at += timedelta(seconds=gap)
        spells.append(Lived(at, at + timedelta(seconds=length), state, reason if state == "paused" else ""))
        at += timedelta(seconds=length)
    now = at + timedelta(seconds=100)
    if spells and open_end:
        spells[-1] = Lived(spells[-1].began, None, spells[-1].state, spells[-1].reason)
    days = daily.spans(NOON.date() - timedelta(days=1), NOON.date() + timedelta(days=20), zone)
    found = [day for span in days if (day := of_day(list(runs(spells)), span, now))]
    length = {True: 0.0, False: 0.0}
    for run in runs(spells):
        length[is_shift(run)] += sum(((one.ended or now) - one.began).total_seconds() for one in run)
    assert sum(day.on_shift_s for day in found) == pytest.approx(length[True])
    assert sum(day.off_shift_talk_s for day in found) == pytest.approx(length[False])
    rows = sum(seconds for span in days for _, seconds in clipped(spells, span, now))
    assert rows == pytest.approx(length[True] + length[False]), "the rows behind the figures add up to them"
    assert all(0 <= (day.occupancy or 0) <= 1 for day in found)
