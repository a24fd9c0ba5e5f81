"""A call that is played is the call that was recorded, with other people in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ami.simulator import Story
from ami.simulator.trace import shipped
from callcrm.calls.replay import as_json, replay_file
from callcrm.demo.history import _Past, moments, past_calls
from callcrm.demo.story import a_story

TRACES = Path(__file__).parent.parent / "traces" / "22.10.1"
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
BEGAN = 1_800_000_000.0


def shape(call: dict[str, Any]) -> dict[str, Any]:
    """What of a call does not depend on who is in it; seconds as they are."""
    transfers = [(one["kind"], one["answered"]) for one in call["transfers"]]
    same = (
        "direction",
        "missed",
        "outcome",
        "ended_by",
        "why",
        "queue",
        "click_to_call",
        "wait_s",
        "total_s",
        "hold_s",
    )
    return {
        **{key: call.get(key) for key in same},
        "rang": [one["ring_s"] for one in call["rang"]],
        "talks": [one["talk_s"] for one in call["talks"]],
        "transfers": transfers,
        "recordings": len(call["recordings"]),
        "parked": sorted(call.get("parked") or ()),
        "pickup": bool(call.get("pickup")),
        "voicemail": bool(call.get("voicemail")),
        "legs": [(leg["side"], leg["cause"]) for leg in call["legs"]],
    }


@pytest.mark.parametrize("name", shipped())
def test_a_played_call_is_the_recorded_one(name: str) -> None:
    classes = ("system", "call", "agent", "cdr", "user")
    recorded = replay_file(TRACES / f"{name}.jsonl.gz", trunks="PJSIP/trunk", operators=r"PJSIP/1\d\d", classes=classes)
    played = _Past(a_story_at_recorded_pace(), "north", Random(1), BEGAN).play(name, BEGAN)
    got = [shape(as_json(call, BEGAN)) for call in played]
    want = [shape(call) for call in recorded["calls"]]
    assert got
    assert len(got) == len(want)
    for one, other in zip(got, want, strict=True):
        assert one == _rounded(other)


def a_story_at_recorded_pace() -> Story:
    return replace(a_story(), talk=(1.0, 1.0), wait=(1.0, 1.0))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return pytest.approx(value, abs=0.05)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def test_past_calls_lie_in_working_hours_and_before_now() -> None:
    found = moments(NOW, 4, Random(1))
    assert found == sorted(found)
    assert found[-1] < NOW - timedelta(minutes=10)
    assert sum(one > NOW - timedelta(hours=2) for one in found) >= 5
    assert all(9 <= one.hour < 18 for one in found if one < NOW - timedelta(hours=2))
    assert len({one.date() for one in found}) == 5


def test_the_past_is_the_same_for_the_same_seed() -> None:
    began = moments(NOW, 0, Random(3))
    some = [list(past_calls(a_story(), "north", began, Random(3), None)) for _ in range(2)]
    assert some[0] == some[1]
    assert len(some[0]) >= len(began) - 2
