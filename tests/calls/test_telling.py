"""What a stream of events is told as: who began to talk with the client, and who left him."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from ami.capture import read_capture
from ami.tracker import Tracker
from callcrm.calls.call import Change
from callcrm.calls.model import Calls
from callcrm.telephony import signals as say
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides
from tests.calls.expected import traces

NEWER = [path for path in traces("jsonl.gz") if not path.parent.name.startswith("16.")]


def told(path: Path) -> Iterator[list[Change]]:
    """What each message of the stream brings."""
    tracker, adapter, calls = Tracker(), Adapter(Sides("PJSIP/trunk", r"PJSIP/1\d\d")), Calls("pbx")
    for captured in read_capture(path):
        if captured.message is not None and captured.t is not None:
            events = tracker.feed(captured.message, captured.t)
            yield calls.steps([signal for event in events for signal in adapter.hear(event)])


def people(changes: list[Change], kind: str) -> list[tuple[str, str | None]]:
    return [(change.call.id, change.operator) for change in changes if change.kind == kind]


@pytest.mark.parametrize("path", NEWER, ids=lambda path: path.name.split(".")[0])
def test_nobody_leaves_and_comes_back_within_one_event(path: Path) -> None:
    for changes in told(path):
        left, came = people(changes, "call.left"), people(changes, "call.answered")
        assert set(left) & set(came) == set()


def test_who_hands_the_client_on_is_told_to_have_left_once() -> None:
    path = next(path for path in NEWER if path.name.startswith("transfer_blind."))
    all_of_it = [change for changes in told(path) for change in changes]
    spoken = [change for change in all_of_it if change.kind in ("call.answered", "call.left")]
    assert [(change.kind, change.operator) for change in spoken] == [
        ("call.answered", "101"),
        ("call.left", "101"),
        ("call.answered", "102"),
        ("call.left", "102"),
    ]


def test_that_the_client_is_rung_in_a_click_to_call_is_told_when_it_begins() -> None:
    path = next(path for path in NEWER if path.name.startswith("click_to_call."))
    states = [change.call.state for changes in told(path) for change in changes]
    assert [state for state, _ in groupby(states)][:3] == ["ringing", "waiting", "ringing"]


def test_a_talk_found_in_a_snapshot_comes_after_those_that_were_seen_before() -> None:
    calls = Calls("pbx")

    def began(at: float, leg: str, side: str, who: str, *, exact: bool) -> say.Began:
        return say.Began(at, leg, f"PJSIP/{leg}", side, who, who, "", "client", "74950000001", exact)

    def meets(at: float, leg: str, *, exact: bool) -> list[say.Signal]:
        both = ((leg, "client"), ("client", leg))
        return [say.Together(at, one, frozenset({other}), exact=exact) for one, other in both]

    calls.steps(
        [began(0, "client", "trunk", "79161234567", exact=True), began(1, "one", "operator", "108", exact=True)]
    )
    calls.steps(meets(5, "one", exact=True))
    calls.steps([began(12, "two", "operator", "101", exact=False)])
    *_, last = calls.steps(meets(20, "two", exact=False))
    assert (last.call.answered_by, last.call.answered_at) == (("108", "101"), 5)
