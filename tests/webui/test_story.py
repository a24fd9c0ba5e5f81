"""A call's story, waveforms and times: pure, from facts to places and words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings import Peaks
from webui import show, story, waves
from webui.story import Axis, Part

BEGIN = datetime(2026, 11, 18, 10, tzinfo=UTC)


def part(who: str, at: float, ring: float | None, answered: float | None, talk: float | None) -> Part:
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else BEGIN + timedelta(seconds=seconds)

    return Part("operator", who, f"Person {who}", moment(at), ring, moment(answered), talk)


def test_lanes_stand_where_things_happened() -> None:
    axis = Axis(BEGIN, BEGIN + timedelta(seconds=100))
    parties = [part("101", 10, 10, 20, 50), part("102", 10, 10, None, None)]
    queue, olga, other = story.lanes(axis, parties, "Sales", 20)
    assert (queue.name, queue.bars[0].x, queue.bars[0].width) == ("Sales", 0, 20)
    assert [(bar.x, bar.width, bar.mark.state) for bar in olga.bars] == [(10, 10, "ringing"), (20, 50, "talking")]
    assert [(bar.x, bar.length) for bar in other.bars] == [(10, "0:10")]
    assert "Talked 0:50" in olga.said


def test_what_happened_is_told_in_order_with_names() -> None:
    axis = Axis(BEGIN, BEGIN + timedelta(seconds=100))
    call = {
        "direction": "inbound",
        "line": "Sales line",
        "queue": "Sales",
        "transfers": [{"kind": "attended", "from": "101", "to": "102", "answered": True, "at": BEGIN.timestamp() + 60}],
        "hold_s": 9.0,
        "ended": True,
        "ended_by": "caller",
    }
    told = story.events(axis, [part("101", 10, 10, 20, 40), part("103", 10, 5, None, None)], call)
    assert [event.words for event in told if event.offset in (0, 20, 60, 100)] == [
        "Called Sales line, queue Sales",
        "Person 101 answered, phone 101",
        "101 transferred to 102 after asking",
        "On hold for 0:09 in all",
        "The client hung up",
    ]


@given(
    st.lists(
        st.tuples(*[st.one_of(st.none(), st.floats(-1e6, 1e6)) for _ in range(4)]),
        max_size=6,
    ),
    st.floats(0, 1e5),
)
def test_whatever_the_legs_say_every_bar_lies_on_the_axis(legs: list[tuple[float | None, ...]], length: float) -> None:
    axis = Axis(BEGIN, BEGIN + timedelta(seconds=length))
    parties = [part(str(n), leg[0] or 0.0, leg[1], leg[2], leg[3]) for n, leg in enumerate(legs)]
    for lane in story.lanes(axis, parties, "q", 3.0):
        for bar in lane.bars:
            assert 0 <= bar.x <= 100 and 0 < bar.width <= 100.7
    assert len(axis.ticks()) <= story.TICKS + 1 or length > 8 * 3600


def test_a_waveform_is_a_closed_path_within_its_box() -> None:
    peaks = Peaks((bytes(range(256)) * 5, bytes(1280)), 12.0).to_bytes()
    client, operator = waves.paths(peaks)
    assert client.startswith("M0,") and client.endswith("Z") and len(client) < 8000
    heights = [float(pair.split(",")[1]) for pair in client[1:-1].split()]
    assert min(heights) >= 0 and max(heights) <= 14
    assert all(14 <= float(pair.split(",")[1]) <= 28 for pair in operator[1:-1].split())
    assert waves.paths(b"rubbish") == ()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "—"), (0, "0:00"), (41.4, "0:41"), (376, "6:16"), (3723, "1:02:03"), (-5, "0:00")]
)
def test_durations_are_minutes_and_seconds(seconds: float | None, shown: str) -> None:
    assert show.duration(seconds) == shown


def test_numbers_are_shown_in_their_own_countrys_way_and_text_as_text() -> None:
    assert "8 (916) 123-45-67" in show.tel("+79161234567") and 'title="Russia">RU<' in show.tel("+79161234567")
    assert show.tel("<b>") == '<span class="tel">&lt;b&gt;</span>'
    assert "Number withheld" in show.tel(None)
    assert show.text("x" * 500).endswith("…") and len(show.text("x" * 500)) == 300
