"""At every position of every recorded stream: a new log-in, an event doubled or swapped, ten events lost."""

from pathlib import Path

import pytest

from tests.ami import mutations
from tests.calls.expected import CALLCRM, TRACES, traces

STREAMS = traces("jsonl.gz")
OTHER_DIALPLANS = sorted((TRACES / "more").glob("*/*.jsonl.gz"))


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.name.split('.')[0]}"


def views(path):
    """The stream as the CRM's user sees it, every position; as everything, each seventh."""
    yield mutations.load(path, CALLCRM), 1
    yield mutations.load(path, None), 7


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_a_new_login_with_snapshot_changes_nothing(path):
    for stream, step in views(path):
        truth = mutations.calls(stream)
        for n in range(mutations.whole(stream), len(stream), step):
            assert mutations.same(truth, mutations.calls(mutations.again(stream, n))), n


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_a_doubled_event_changes_nothing(path):
    for stream, step in views(path):
        truth = mutations.calls(stream)
        for n in list(mutations.positions(stream))[::step]:
            assert mutations.same(truth, mutations.calls(mutations.doubled(stream, n))), stream[n]


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_two_events_of_one_moment_may_change_places(path):
    for stream, step in views(path):
        truth = mutations.calls(stream)
        for n in list(mutations.positions(stream))[::step]:
            assert mutations.same(truth, mutations.calls(mutations.swapped(stream, n))), stream[n : n + 2]


@pytest.mark.parametrize("path", STREAMS + OTHER_DIALPLANS, ids=name)
def test_a_phone_may_ring_before_it_is_told_who_calls(path):
    for stream, _ in views(path):
        truth = mutations.calls(stream)
        for n in mutations.positions(stream):
            changed = mutations.rung_first(stream, n)
            assert changed is stream or mutations.same(truth, mutations.calls(changed)), stream[n]


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_ten_lost_events_leave_no_call_open_and_raise_nothing(path):
    for stream, step in views(path):
        for n in list(mutations.positions(stream))[::step]:
            replay, _, _ = mutations.play(mutations.afterwards(mutations.lost(stream, n, 10)))
            assert replay.calls.open_calls == []
            assert replay.tracker.open_channels == 0
            assert replay.tracker.odd["unreadable"] == 0


def test_of_a_hundred_single_losses_most_are_mended():
    total = kept = 0
    for path in STREAMS[::4]:
        stream = mutations.load(path, CALLCRM)
        truth = mutations.calls(stream)
        for n in mutations.positions(stream):
            total += 1
            kept += mutations.same(truth, mutations.calls(mutations.lost(stream, n)))
    assert kept / total > 0.9
