"""A call's story, waveforms and times: pure, from facts to places and words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls.stretches import Stretch
from recordings import Peaks
from webui import deck, lanes, show, story, waves, words
from webui.lanes import Course, Did, Gap, Lane, Part
from webui.ruler import TICKS, Axis
from webui.sounds import Sound

BEGIN = datetime(2026, 11, 18, 10, tzinfo=UTC)


def part(who: str, at: float, ring: float | None, answered: float | None, talk: float | None) -> Part:
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else BEGIN + timedelta(seconds=seconds)

    return Part("operator", who, f"Person {who}", moment(at), ring, moment(answered), talk)


def test_lanes_stand_where_things_happened() -> None:
    axis = Axis(BEGIN, BEGIN + timedelta(seconds=100))
    parties = [part("101", 10, 10, 20, 50), part("102", 10, 10, None, None)]
    queue, olga, other = lanes.lanes(axis, parties, Course(queue="Sales", waited_s=20))
    assert (queue.name, queue.bars[0].x, queue.bars[0].width) == ("Sales", 0, 20)
    assert [(bar.x, bar.width, bar.mark.state) for bar in olga.bars] == [(10, 10, "ringing"), (20, 50, "talking")]
    assert [(bar.x, bar.length) for bar in other.bars] == [(10, "0:10")]
    assert "Talked 0:50" in olga.said


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def shapes(lane: Lane) -> list[tuple[str, float, float]]:
    return [(bar.mark.word, bar.x, bar.width) for bar in lane.bars]


def test_the_lanes_tell_an_attended_transfer_with_menu_hold_question_and_a_gap() -> None:
    axis = Axis(BEGIN, at(100))
    caller = Part("trunk", "7916", "", at(0), None, at(20), 80, did=(Did("queue", at(5), at(20), "sales"),))
    olha = replace(part("101", 10, 10, 20, 40), did=(Did("hold", at(45), at(60)),))
    again = replace(part("101", 45, None, None, None), did=(Did("asked", at(50), at(60), "102", "Wei"),))
    wei = replace(part("102", 46, 4, 60, 40), did=(Did("asked", at(50), at(60), "101", "Olha"),))
    course = Course(queues={"sales": "Sales"}, gaps=(Gap(at(70), at(80), "card"),))
    menu, queue, first, second = lanes.lanes(axis, [caller, olha, again, wei], course)
    assert shapes(menu) == [("Menu, greeting", 0, 5)]
    assert (queue.name, shapes(queue)) == ("Sales", [("Waited", 5, 15)])
    assert shapes(first) == [("Rang", 10, 10), ("Talked", 20, 25), ("Hold", 45, 15)]
    assert shapes(second) == [
        ("Rang", 46, 4), ("Asked", 50, 10), ("Talked", 60, 10), ("Not recorded", 70, 10), ("Talked", 80, 20),
    ]  # fmt: skip
    assert "Asked 0:10 with Olha at 0:50" in second.said


def test_a_consultation_that_moved_nobody_is_a_lane_of_who_was_asked() -> None:
    axis = Axis(BEGIN, at(100))
    olha = replace(part("101", 0, 5, 5, 95), did=(Did("hold", at(40), at(60)),))
    aside = [replace(part("101", 40, None, 45, 15), aside=True), replace(part("102", 40, 5, 45, 15), aside=True)]
    first, asked = lanes.lanes(axis, [olha, *aside], Course())
    assert shapes(first) == [("Rang", 0, 5), ("Talked", 5, 35), ("Hold", 40, 20), ("Talked", 60, 40)]
    assert (asked.more, shapes(asked)) == ("Phone 102, asked", [("Rang", 40, 5), ("Asked", 45, 15)])


def test_parking_voicemail_and_outside_lines_have_lanes_of_their_own() -> None:
    axis = Axis(BEGIN, at(100))
    caller = Part("trunk", "7916", "", at(0), None, None, None, did=(Did("parked", at(30), at(50), "701"),))
    box = replace(caller, did=(Did("voicemail", at(60), None, "101"),))
    mobile = Part("trunk", "7999", "", at(70), 10, at(80), 20)
    found = lanes.lanes(axis, [replace(caller, did=caller.did + box.did), mobile], Course())
    assert [(lane.name, lane.more) for lane in found] == [
        ("Menu", "Before any phone rang"),
        ("7999", "Outside line"),
        ("Parking", "Place 701"),
        ("Voicemail", "Box 101"),
    ]
    assert [shapes(lane)[-1][1:] for lane in found[1:]] == [(80, 20), (30, 20), (60, 40)]


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
        "Person 101 transferred to 102 after asking",
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
    for lane in lanes.lanes(axis, parties, Course(queue="q", waited_s=3.0)):
        for bar in lane.bars:
            assert 0 <= bar.x <= 100 and 0 < bar.width <= 100.7
    assert len(axis.ticks()) <= TICKS + 1 or length > 8 * 3600


def test_a_waveform_is_a_closed_path_within_its_box() -> None:
    peaks = Peaks((bytes(range(256)) * 5, bytes(1280)), 12.0).to_bytes()
    client, operator = waves.paths(peaks)
    assert client.startswith("M0,") and client.endswith("Z") and len(client) < 8000
    heights = [float(pair.split(",")[1]) for pair in client[1:-1].split()]
    assert min(heights) >= 0 and max(heights) <= 14
    assert all(14 <= float(pair.split(",")[1]) <= 28 for pair in operator[1:-1].split())
    assert waves.paths(b"rubbish") == ()


def recorded(**more: Any) -> Sound:
    peaks = Peaks((bytes([200] * 100), bytes([90] * 20 + [0] * 60 + [90] * 20)), 50.0).to_bytes()
    mark = words.recording("present", "")
    return Sound(0, True, "/0", 50.0, (), mark, "", place=Stretch(10.0, 60.0), peaks=peaks, **more)


def test_the_clients_voice_stands_above_whichever_lane_of_the_file_is_his() -> None:
    axis = Axis(BEGIN, at(60))
    usual, other = (deck.deck_of(axis, [recorded(first_lane=one)], [], []).voices for one in ("client", "operator"))
    assert [voice.name for voice in usual] == [voice.name for voice in other] == ["Client", "Operator"]
    assert [one.pieces for one in usual] == [one.pieces for one in reversed(other)]
    colleagues = deck.deck_of(axis, [recorded()], [], [], ("Olga", "102")).voices
    assert [voice.name for voice in colleagues] == ["Olga", "102"]


def test_what_was_left_out_of_a_recording_stands_apart_in_its_drawing() -> None:
    place = Stretch(10.0, 80.0, (), ((20.0, 20.0),))
    told = deck.deck_of(Axis(BEGIN, at(100)), [replace(recorded(), place=place)], [], [])
    assert [(one.x, one.width, one.begin, one.part) for one in told.voices[0].pieces] == [
        (10, 20, 0, 400), (50, 30, 400, 600),
    ]  # fmt: skip
    assert (told.data[0]["to"], told.data[0]["cuts"]) == (80, [[20, 20]])
    assert [(one.x, one.width) for one in told.shades if one.title.startswith("No recording")] == [
        (30, 20), (0, 10), (80, 20),
    ]  # fmt: skip


def test_silence_is_where_nobody_talks_though_there_is_sound_and_no_hold_is_called_silence() -> None:
    axis = Axis(BEGIN, at(60))
    assert deck.deck_of(axis, [recorded()], [], []).data[0]["quiet"] == []
    looked = recorded(quiet=((4.0, 24.0), (30.0, 33.0)))
    held = replace(part("101", 0, 10, 10, 50), did=(Did("hold", at(16), at(31)),))
    told = deck.deck_of(axis, [looked], [held], [])
    assert told.data[0]["quiet"] == [[4.0, 24.0], [30.0, 33.0]], "who skips silence skips music on hold, too"
    assert [(one.kind, one.title) for one in told.shades if one.title != "No recording 0:10"] == [
        ("silence", "Silence 0:02"), ("silence", "Silence 0:03"), ("silence", "Silence 0:03"), ("hold", "Hold 0:15"),
    ]  # fmt: skip


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
