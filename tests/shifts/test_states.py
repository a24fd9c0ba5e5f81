"""What a person does, as tables and as laws that hold for any events in any order."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.shifts import states
from callcrm.shifts.service import MINDS
from callcrm.shifts.states import (
    Folded,
    Left,
    Mind,
    PausedByHand,
    PbxSaid,
    Ready,
    Resumed,
    Started,
    State,
    Stopped,
    Talked,
    WrapUpRule,
)

ZERO = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
FREE = WrapUpRule("optional")
TIMED = WrapUpRule("timed", 30.0)
REQUIRED = WrapUpRule("required")
NONE = WrapUpRule("none")
HELD_BACK = WrapUpRule("timed", 30.0, pauses=True)


def at(seconds):
    return ZERO + timedelta(seconds=seconds)


def lived(*events, until=1000.0):
    """(code, reason, since in seconds) after the events, and the spells before."""
    mind, state, spells = states.follow(Mind(), State(), events, at(until))
    since = (state.since - ZERO).total_seconds()
    told = [(one.code, one.reason, *((m - ZERO).total_seconds() for m in (one.began, one.ended))) for one in spells]
    return mind, (state.code, state.reason, since), told


START = Started(at(0))
CALL = (START, Talked(at(10), "a"))
TABLE = {
    "a shift begins available": ([START], ("available", "", 0)),
    "and ends": ([START, Stopped(at(50))], ("off", "", 50)),
    "a pause has its reason": ([START, PausedByHand(at(5), "Lunch")], ("paused", "Lunch", 5)),
    "the same pause twice is one": (
        [START, PausedByHand(at(5), "Lunch"), PausedByHand(at(9), "Lunch")],
        ("paused", "Lunch", 5),
    ),
    "another reason is another pause": (
        [START, PausedByHand(at(5), "Lunch"), PausedByHand(at(9), "Break")],
        ("paused", "Break", 9),
    ),
    "one is back": ([START, PausedByHand(at(5), "Lunch"), Resumed(at(65))], ("available", "", 65)),
    "nobody pauses off shift": ([PausedByHand(at(5), "Lunch"), START], ("available", "", 0)),
    "a call is a call": (CALL, ("talking", "", 10)),
    "also in a pause": ([START, PausedByHand(at(5), "Lunch"), Talked(at(10), "a")], ("talking", "", 10)),
    "after which the pause goes on": (
        [START, PausedByHand(at(5), "Lunch"), Talked(at(10), "a"), Left(at(20), "a", NONE)],
        ("paused", "Lunch", 20),
    ),
    "two calls end when both have": (
        [*CALL, Talked(at(12), "b"), Left(at(20), "a", FREE)],
        ("talking", "", 10),
    ),
    "a call without wrap-up": ([*CALL, Left(at(40), "a", NONE)], ("available", "", 40)),
    "a colleague's call": ([*CALL, Left(at(40), "a", None)], ("available", "", 40)),
    "an optional wrap-up lasts": ([*CALL, Left(at(40), "a", FREE)], ("wrapup", "", 40)),
    "until he is ready": ([*CALL, Left(at(40), "a", FREE), Ready(at(55), "a")], ("available", "", 55)),
    "a timed one ends by itself": ([*CALL, Left(at(40), "a", TIMED)], ("available", "", 70)),
    "or sooner": ([*CALL, Left(at(40), "a", TIMED), Ready(at(44), "a")], ("available", "", 44)),
    "a required one lasts": ([*CALL, Left(at(40), "a", REQUIRED)], ("wrapup", "", 40)),
    "also over the next call": (
        [*CALL, Left(at(40), "a", REQUIRED), Talked(at(50), "b"), Left(at(60), "b", NONE)],
        ("wrapup", "", 60),
    ),
    "an optional one does not": (
        [*CALL, Left(at(40), "a", FREE), Talked(at(50), "b"), Left(at(60), "b", NONE)],
        ("available", "", 60),
    ),
    "who pauses in a wrap-up is paused": (
        [*CALL, Left(at(40), "a", FREE), PausedByHand(at(45), "Break")],
        ("paused", "Break", 45),
    ),
    "who paused in the call has his wrap-up first": (
        [*CALL, PausedByHand(at(20), "Break"), Left(at(40), "a", TIMED)],
        ("paused", "Break", 70),
    ),
    "a call that was folded goes on as the other": (
        [*CALL, Folded(at(20), "a", "c"), Left(at(30), "a", FREE)],
        ("talking", "", 10),
    ),
    "and ends with it": ([*CALL, Folded(at(20), "a", "c"), Left(at(30), "c", FREE)], ("wrapup", "", 30)),
    "nothing outlives the shift": (
        [*CALL, Left(at(40), "a", REQUIRED), PausedByHand(at(45), "Break"), Stopped(at(50))],
        ("off", "", 50),
    ),
    "but a call": ([*CALL, Stopped(at(50))], ("talking", "", 10)),
    "paused at the phone": ([START, PbxSaid(at(30), paused=True, reason="DND")], ("paused", "DND", 30)),
    "and opened there": (
        [START, PbxSaid(at(30), paused=True), PbxSaid(at(60), paused=False)],
        ("available", "", 60),
    ),
    "the PBX confirming a pause changes nothing": (
        [START, PausedByHand(at(5), "Lunch"), PbxSaid(at(6), paused=True, reason="Lunch")],
        ("paused", "Lunch", 5),
    ),
    "nor does its old news after one is back": (
        [START, PausedByHand(at(5), "Lunch"), PbxSaid(at(6), paused=True, reason="Lunch"), Resumed(at(60))],
        ("available", "", 60),
    ),
    "a new pause at the phone does": (
        [START, PausedByHand(at(5), "Lunch"), Resumed(at(60)), PbxSaid(at(61), paused=True)],
        ("paused", "", 61),
    ),
    "one may be back from a pause at the phone": (
        [START, PbxSaid(at(30), paused=True), Resumed(at(60))],
        ("available", "", 60),
    ),
    "a wrap-up that holds calls back is no pause at the phone": (
        [*CALL, Left(at(40), "a", HELD_BACK), PbxSaid(at(41), paused=True, reason="Wrap-up")],
        ("available", "", 70),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_state_after(name):
    events, expected = TABLE[name]
    assert lived(*events)[1] == expected


def test_spells_tell_the_day():
    day = [
        START,
        Talked(at(10), "a"),
        Left(at(40), "a", TIMED),
        PausedByHand(at(100), "Lunch"),
        Resumed(at(160)),
        Stopped(at(200)),
    ]
    assert lived(*day)[2] == [
        ("available", "", 0, 10),
        ("talking", "", 10, 40),
        ("wrapup", "", 40, 70),
        ("available", "", 70, 100),
        ("paused", "Lunch", 100, 160),
        ("available", "", 160, 200),
    ]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([START], None),
        ([START, PausedByHand(at(5), "Lunch")], "Lunch"),
        ([*CALL, PausedByHand(at(15), "Lunch")], "Lunch"),
        ([*CALL, Left(at(40), "a", FREE)], None),
        ([*CALL, Left(at(40), "a", WrapUpRule("required", pauses=True))], "Wrap-up"),
        ([START, PausedByHand(at(5), "Lunch"), Stopped(at(9))], None),
        ([START, PbxSaid(at(5), paused=True)], None),
    ],
)
def test_what_the_pbx_is_asked_for(events, reason):
    assert states.wanted(lived(*events)[0]) == reason


def test_what_is_told_late_does_not_rewrite_what_was_told():
    mind, state, _ = states.follow(Mind(), State(), [START, PausedByHand(at(100), "Lunch")], at(101))
    mind, state, spells = states.follow(mind, state, [Talked(at(90), "a")], at(102))
    assert (state.code, state.since, spells) == ("talking", at(100), [])


def test_a_pbx_whose_clock_is_ahead_ends_calls_now():
    mind, state, _ = states.follow(Mind(), State(), [START, Talked(at(10), "a"), Left(at(500), "a", TIMED)], at(40))
    assert (state.code, state.since, mind.until) == ("wrapup", at(40), at(70))


CALLS = st.sampled_from(["a", "b", "c"])
RULES = st.sampled_from([FREE, TIMED, REQUIRED, NONE, HELD_BACK, None])
REASONS = st.sampled_from(["Lunch", "Break"])


def moments(kind, *fields):
    return st.tuples(st.integers(0, 900), *fields).map(lambda got: kind(at(got[0]), *got[1:]))


EVENTS = st.one_of(
    moments(Started),
    moments(Stopped),
    moments(PausedByHand, REASONS),
    moments(Resumed),
    moments(Talked, CALLS),
    moments(Left, CALLS, RULES),
    moments(Ready, CALLS),
    moments(Folded, CALLS, CALLS),
    moments(PbxSaid, st.booleans(), REASONS),
)


@given(st.lists(EVENTS, max_size=30), st.booleans())
def test_spells_follow_on_each_other_whatever_comes(events, sort):
    if sort:
        events.sort(key=lambda event: event.at)
    mind, state, spells = states.follow(Mind(), State(), events, at(1000))
    assert all(one.began < one.ended and one.code != states.OFF for one in spells)
    assert all(before.ended <= after.began for before, after in pairwise(spells))
    if spells and state.code != states.OFF:
        assert spells[-1].ended <= state.since
    assert (state.code, state.reason) == states.shown(mind)
    assert mind.until is None or mind.until > at(1000)


@given(st.lists(EVENTS, max_size=30), st.integers(0, 30))
def test_it_is_the_same_in_one_go_or_in_two(events, cut):
    events.sort(key=lambda event: event.at)
    whole = states.follow(Mind(), State(), events, at(1000))
    first, rest = events[:cut], events[cut:]
    now = first[-1].at if first else ZERO
    mind, state, before = states.follow(Mind(), State(), first, now)
    mind = MINDS.validate_python(MINDS.dump_python(mind, mode="json"))
    mind, state, after = states.follow(mind, state, rest, at(1000))
    assert (mind, state) == whole[:2]
    assert before + after == whole[2]


@given(st.lists(EVENTS, max_size=30))
def test_a_shift_is_covered_without_a_gap(events):
    events = [START, *sorted((e for e in events if not isinstance(e, (Started, Stopped))), key=lambda e: e.at)]
    _, state, spells = states.follow(Mind(), State(), events, at(1000))
    covered = sum(((one.ended - one.began).total_seconds() for one in spells), 0.0)
    assert covered + (at(1000) - state.since).total_seconds() == 1000.0


@given(st.lists(EVENTS, max_size=20))
def test_an_event_that_comes_twice_is_as_if_it_came_once(events):
    events.sort(key=lambda event: event.at)
    once = states.follow(Mind(), State(), events, at(1000))
    twice = states.follow(Mind(), State(), [one for event in events for one in (event, event)], at(1000))
    assert once == twice
