"""The figures of a call from those of its recordings: pure, against truths worked out by hand or by frames."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls import xrays
from callcrm.calls.stretches import Stretch
from recordings.xray import Side, Xray


def side(talk_s: float, first: float | None = 1.0, loud: float | None = -20.0, clipped: float = 0.0) -> Side:
    return Side(talk_s, 0.5, first, loud, -3.0, clipped, ((1.0, 1.0 + talk_s),))


def looked(client: Side, operator: Side, seconds: float = 60.0, quiet: tuple[float, float] = (10.0, 5.0)) -> Any:
    found = Xray(seconds, (client, operator), 20.0, quiet, 2, 1.5)
    return xrays.recording_figures(found)


def test_one_recording_is_the_call() -> None:
    found = xrays.call_figures([(looked(side(10), side(30, first=0.5)), Stretch(5, 65))])
    assert found is not None
    assert (found["client_share"], found["operator_share"]) == (0.25, 0.75)
    assert (found["longest_silence_s"], found["longest_silence_at_s"]) == (5.0, 15.0)
    assert (found["client_first_word_s"], found["operator_first_word_s"]) == (1.0, 0.5)
    assert (found["lanes"], found["overlaps"], found["fault"]) == (2, 2, None)


def test_a_recording_of_the_operators_line_has_him_in_the_first_lane() -> None:
    figures = xrays.recording_figures(Xray(60.0, (side(30), side(10)), 20.0, (10.0, 5.0), 2, 1.5), "operator")
    assert (figures["client_talk_s"], figures["operator_talk_s"]) == (10, 30)
    assert xrays.unpacked(figures["talk"])[0] == ((1.0, 11.0),)


def test_recordings_after_each_other_add_up_and_the_first_word_is_the_earliest() -> None:
    first = looked(side(10, first=None), side(10, first=2.0), quiet=(0.0, 4.0))
    second = looked(side(20, first=3.0, loud=-30.0), side(0, first=None, loud=None), quiet=(30.0, 9.0))
    found = xrays.call_figures([(first, Stretch(5, 65)), (second, Stretch(65, 125))])
    assert found is not None
    assert found["seconds"] == 120
    assert (found["client_talk_s"], found["operator_talk_s"]) == (30, 10)
    assert (found["client_first_word_s"], found["operator_first_word_s"]) == (63.0, 2.0)
    assert (found["longest_silence_s"], found["longest_silence_at_s"]) == (9.0, 95.0)
    assert found["client_loudness_db"] == -30.0


def test_two_recordings_of_the_same_talk_count_once_and_two_lanes_are_better_than_one() -> None:
    stereo = (looked(side(10), side(10)), Stretch(5, 65))
    mono = (xrays.recording_figures(Xray(62.0, (side(20),), 5.0, (0.0, 5.0), None, None)), Stretch(4, 66))
    assert xrays.call_figures([mono, stereo]) == xrays.call_figures([stereo])


def test_one_lane_tells_of_no_side() -> None:
    mono = xrays.recording_figures(Xray(62.0, (side(20),), 5.0, (0.0, 5.0), None, None))
    found = xrays.call_figures([(mono, Stretch(4, 66))])
    assert found is not None
    assert (found["lanes"], found["longest_silence_s"]) == (1, 5.0)
    assert {found[name] for name in ("operator_share", "overlaps", "overlap_s", "client_talk_s", "fault")} == {None}


def test_recordings_without_sound_make_no_figures() -> None:
    empty = xrays.recording_figures(Xray(0.0, (), 0.0, (0.0, 0.0), None, None))
    assert xrays.call_figures([(empty, Stretch(0, 0))]) is None
    assert xrays.call_figures([]) is None


@pytest.mark.parametrize(
    ("client", "operator", "fault"),
    [
        (side(10), side(10), None),
        (side(0, None, None), side(10), "client_silent"),
        (side(10), side(0.2), "operator_silent"),
        (side(0, None, None), side(0, None, None), "silent"),
        (side(10, clipped=4.0), side(10), "clipped"),
        (side(10), side(10, loud=-50.0), "faint"),
    ],
)
def test_what_is_wrong_with_the_sound_has_a_word(client: Side, operator: Side, fault: str | None) -> None:
    found = xrays.call_figures([(looked(client, operator), Stretch(0, 60))])
    assert found is not None
    assert found["fault"] == fault


masks = st.lists(st.booleans(), min_size=1, max_size=60)


def spans(mask: list[bool]) -> tuple[tuple[float, float], ...]:
    found, begin = [], None
    for n, on in enumerate([*mask, False]):
        if on and begin is None:
            begin = n
        if not on and begin is not None:
            found.append((float(begin), float(n)))
            begin = None
    return tuple(found)


@given(st.tuples(masks, masks), st.integers(1, 5))
def test_silences_and_talking_at_once_agree_with_every_single_second(
    lanes: tuple[list[bool], list[bool]], least: int
) -> None:
    length = max(map(len, lanes))
    left, right = ([*one, *[False] * (length - len(one))] for one in lanes)
    quiet = [not a and not b for a, b in zip(left, right, strict=True)]
    both = [a and b for a, b in zip(left, right, strict=True)]
    found = (spans(left), spans(right))
    assert xrays.silences(found, length, least) == [one for one in spans(quiet) if one[1] - one[0] >= least]
    assert xrays.at_once(found, least) == [one for one in spans(both) if one[1] - one[0] >= least]


@given(st.lists(masks, max_size=2))
def test_spans_come_back_from_their_row_as_they_went_in(lanes: list[list[bool]]) -> None:
    talk = tuple(spans(one) for one in lanes)
    sides = [Side(0, 0, None, None, -90, 0, one) for one in talk]
    assert xrays.unpacked(xrays.packed(sides)) == talk


@given(st.binary(max_size=60))
def test_what_are_no_spans_are_none(data: bytes) -> None:
    xrays.unpacked(data)
    xrays.unpacked(b"xt1\0" + data)
    assert xrays.unpacked(None) == ()
