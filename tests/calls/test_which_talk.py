"""Which stretch of a call each of its recordings holds, and where in it what was left out would be: pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls.stretches import Course, Spell, Stretch, Told, stretches

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
#: A blind transfer: 102's phone rings for twenty seconds.
SENT = Course(AT, 100.0, (Spell("101", 10.0, 40.0), Spell("102", 60.0, 100.0)))


def told(n: int, at: float | None, seconds: float | None) -> Told:
    return Told(n, None if at is None else AT + timedelta(seconds=at), seconds)


@pytest.mark.parametrize(
    ("call", "recording", "holds"),
    [
        (SENT, told(0, 0, 100.0), Stretch(0, 100, ("101", "102"))),
        (SENT, told(0, 0, 70.4), Stretch(10, 100, ("101", "102"), ((30, 20),))),
        (SENT, told(0, None, 70.4), Stretch(10, 100, ("101", "102"), ((30, 20),))),
        (SENT, told(0, 0, 30.2), Stretch(10, 40.2, ("101",))),
        (SENT, told(0, 60, 39.8), Stretch(60, 99.8, ("102",))),
        (SENT, told(0, 0, None), Stretch(10, 100, ("101", "102"))),
    ],
)
def test_what_a_recording_holds_shows_in_its_length(call: Course, recording: Told, holds: Stretch) -> None:
    found = stretches(call, [recording])[recording.n]
    assert (found.from_s, found.operators, found.cuts) == (holds.from_s, holds.operators, holds.cuts)
    assert found.to_s == pytest.approx(holds.to_s, abs=0.5)


def test_a_second_of_the_sound_is_one_of_the_call_after_what_was_left_out_too() -> None:
    place = Stretch(10, 100, (), ((30, 20),))
    assert [place.call_s(second) for second in (0, 29, 30, 70)] == [10, 39, 60, 100]
    assert [place.sound_s(second) for second in (0, 10, 39, 45, 60, 100)] == [0, 0, 29, 30, 30, 70]


@given(st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.5, 50)), max_size=4), st.floats(0, 100), st.floats(0, 300))
def test_there_and_back_is_the_same_second(parts: list[tuple[float, float]], begin: float, second: float) -> None:
    at, cuts = 0.0, []
    for length, left in parts:
        at += length
        cuts.append((at, left))
    place = Stretch(begin, begin + 1000, (), tuple(cuts))
    assert place.sound_s(place.call_s(second)) == pytest.approx(second, abs=1e-6)
    assert place.call_s(second) >= begin + second
