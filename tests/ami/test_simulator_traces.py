"""What a play makes of a recording: fresh values everywhere, and the same call."""

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami.messages import Message, first
from ami.simulator.casting import Casting
from ami.simulator.cut import SHIPPED, cut
from ami.simulator.names import Counters
from ami.simulator.play import Play
from ami.simulator.stage import Stage
from ami.simulator.talks import Recording
from ami.simulator.trace import load, shipped
from tests.ami.simulated import PEOPLE, a_story

TRACES = Path(__file__).parent.parent / "traces" / "22.10.1"
BEGAN = 1_800_000_000.25
RECORDED = re.compile(
    r"79161234567|79262345678|79033456789|179528\d{4}\.|2026-11-21|20261121|2026/11/21|<unknown>.*Operator 1\d\d"
)


def played(names: list[str], seed: int) -> tuple[list[Message], Stage, list[Recording], list[Play]]:
    """These traces played one after the other, without waiting, on one stage."""
    story, dice, recordings = a_story(), Random(seed), list[Recording]()
    stage = Stage(story, BEGAN, on_recording=recordings.append)
    counters, casting = Counters(Random(seed)), Casting(story, stage.state, dice)
    told: list[Message] = []
    plays: list[Play] = []
    at = BEGAN
    for name in names:
        trace = load(name)
        cast = casting.operators(trace)
        assert cast is not None
        play = Play(trace, story, counters, cast, casting.people(trace), began=at, dice=dice)
        for _, moment, message in play.events():
            told += stage.put(message, moment)
        counters.spaces.difference_update(play.names.spaces)
        plays.append(play)
        at += play.seconds + 5
    return told, stage, recordings, plays


@pytest.mark.parametrize("name", shipped())
def test_nothing_of_the_recording_is_left(name: str) -> None:
    told, *_ = played([name], 1)
    for message in told:
        assert not RECORDED.search(str(message)), message


@pytest.mark.parametrize("name", shipped())
def test_a_play_leaves_no_channel_and_no_caller_behind(name: str) -> None:
    told, stage, _, _ = played([name], 2)
    assert told
    assert not stage.state.channels
    assert not stage.state.parked
    assert all(not queue.waiting for queue in stage.state.queues.values())
    assert all(bridge.headers["BridgeType"] == "parking" for bridge in stage.state.bridges.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_traces_are_cut_from_the_recorded_ones(name: str, tmp_path: Path) -> None:
    anew = tmp_path / f"{name}.jsonl.gz"
    anew.write_bytes(cut(TRACES / f"{name}.jsonl.gz"))
    assert load.__wrapped__(name).steps == load.__wrapped__(anew).steps


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(shipped()), min_size=2, max_size=5))
def test_ids_are_unique_and_agree_with_each_other(seed: int, names: list[str]) -> None:
    told, _, _, _ = played(names, seed)
    channel_of: dict[str, str] = {}
    born: list[str] = []
    for message in told:
        if message.get("Event") == "Newchannel":
            born.append(first(message, "Uniqueid"))
        for prefix in ("", "Dest", "LocalOne", "LocalTwo", "Transferee", "Transferer", "Parkee"):
            uniqueid, channel = first(message, f"{prefix}Uniqueid"), first(message, f"{prefix}Channel")
            if uniqueid and channel and uniqueid != "<unknown>":
                assert channel_of.setdefault(uniqueid, channel) == channel
                assert uniqueid in born, message
        for link in (first(message, "Linkedid"), first(message, "LinkedID")):
            assert not link or link in born, message
    assert len(born) == len(set(born))
    assert len(set(channel_of.values())) == len(channel_of)


def test_the_same_seed_gives_the_same_calls() -> None:
    names = ["queue_answered", "park_and_retrieve", "out_answered"]
    assert played(names, 5)[0] == played(names, 5)[0]
    assert played(names, 5)[0] != played(names, 6)[0]


def test_names_and_numbers_of_the_cast_are_in_the_events() -> None:
    seen: set[str] = set()
    for seed in range(12):
        told, *_ = played(["direct_answered"], seed)
        newchannel = next(m for m in told if m.get("Event") == "Newchannel")
        person = next(one for one in PEOPLE if one.number == newchannel["CallerIDNum"])
        assert newchannel["CallerIDName"] == (person.said or "<unknown>")
        cdr = next(m for m in told if m.get("Event") == "Cdr")
        said = person.said.replace('"', '\\"')
        assert cdr["CallerID"] == f'"{said}" <{person.number}>'
        seen.add(person.number)
    assert len(seen) > 2


def test_a_recording_is_named_after_the_call_and_tells_what_is_heard() -> None:
    told, _, recordings, (play,) = played(["direct_hold"], 3)
    began = next(m for m in told if m.get("Event") == "Newchannel")
    (recording,) = recordings
    number = first(began, "CallerIDNum").removeprefix("+")
    pattern = rf"2027/01/15/in-{began['Exten']}-{number}-20270115-\d{{6}}-{began['Uniqueid']}\.wav"
    assert re.fullmatch(pattern, recording.file)
    assert any(f"/{recording.file}" in first(m, "ChanVariable") for m in told)
    assert [one.kind for one in recording.heard] == ["talk", "hold", "talk"]
    assert [one.seconds for one in recording.heard] == pytest.approx([3, 3, 2], abs=0.1)
    assert {one.who for one in recording.heard} == set(play.operators.values())


def test_a_call_that_nobody_answered_is_recorded_without_sound() -> None:
    _, _, recordings, _ = played(["queue_abandoned"], 3)
    assert [one.heard for one in recordings] == [()]


def test_figures_follow_the_plays_own_time() -> None:
    story = a_story(talk=(3.0, 3.0))
    stage = Stage(story, BEGAN)
    trace = load("queue_answered")
    parts = dict(zip(("101", "102", "103"), ("101", "102", "103"), strict=True))
    play = Play(trace, story, Counters(Random(1)), parts, {}, began=BEGAN, dice=Random(1))
    told = [one for _, at, message in play.events() for one in stage.put(message, at)]
    complete = next(m for m in told if m.get("Event") == "AgentComplete")
    assert (complete["HoldTime"], complete["TalkTime"]) == ("3", "18")
    cdr = [m for m in told if m.get("Event") == "Cdr"][1]
    assert 19 <= int(first(cdr, "Duration")) <= 22


WHOLE = [
    path
    for version in ("16.28.0", "22.10.1")
    for path in sorted((TRACES.parent / version).glob("*.jsonl.gz"))
    if not path.name.startswith(("connect_midcall", "pbx_stops_midcall"))
]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: f"{path.parent.name}-{path.name.partition('.')[0]}")
def test_any_recorded_stream_can_be_played(path: Path) -> None:
    told, stage, _, _ = played([str(path)], 4)
    assert not [message for message in told if RECORDED.search(str(message))]
    assert not stage.state.channels
    assert all(not queue.waiting for queue in stage.state.queues.values())
