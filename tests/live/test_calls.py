"""Calls really made on a real Asterisk end as the right rows: what the phones saw is what the log says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.desk import Desk, opened_desk
from tests.live.heard import are_linked
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab, Truth
from tests.pbx.scenarios import SCENARIOS

#: Seconds on the wire and in the log may differ so much on a busy machine.
CLOSE_S = 0.4


@pytest.fixture
async def desk(asterisk: Instance, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(asterisk, tmp_path) as opened:
        yield opened


def seen(row: dict[str, Any], truth: Truth) -> dict[str, Any]:
    """The row in the words of the truth."""
    found = {
        "direction": row["direction"],
        "client": (row["client_raw"] or "").removeprefix("+") or None,
        "called": (row["called"] or "").removeprefix("+"),
        "rang": sorted({one["operator"] for one in row["rang"]}),
        "answered_by": [one["operator"] for one in row["talks"]],
        "missed": row["missed"],
    }
    for name in ("queue", "why", "ended_by", "caller", "operator", "outcome", "voicemail", "click_to_call"):
        if name in truth.more:
            found[name] = row[name]
    return found


def expected(truth: Truth) -> dict[str, Any]:
    known = ("queue", "why", "ended_by", "caller", "operator", "outcome", "voicemail", "click_to_call")
    return {
        "direction": truth.direction,
        "client": truth.client,
        "called": truth.called,
        "rang": sorted(set(truth.rang)),
        "answered_by": truth.answered_by,
        "missed": truth.more.get("missed", False),
        **{name: value for name, value in truth.more.items() if name in known},
    }


@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_a_call_ends_as_the_right_row(desk: Desk, lab: Lab, name: str) -> None:
    await SCENARIOS[name](lab)
    rows = await desk.calls(len(lab.truths))
    if name == "attended_transfer":
        rows = [row for row in rows if row["direction"] == "inbound"]
    assert len(rows) == len(lab.truths)
    for row, truth in zip(rows, lab.truths, strict=True):
        assert seen(row, truth) == expected(truth)
        assert row["total_s"] == pytest.approx(truth.total_s, abs=CLOSE_S)
        assert row["wait_s"] == pytest.approx(truth.wait_s, abs=CLOSE_S)
        assert (row["talk_s"] or 0) == pytest.approx(truth.talk_s, abs=CLOSE_S * 2)
        check_story(row, truth)
    await are_linked(desk, lab)


def check_story(row: dict[str, Any], truth: Truth) -> None:
    """What happened on the way."""
    told = [(one["kind"], one["from"], one["to"]) for one in row["transfers"]]
    assert told == truth.more.get("transfers", [])
    if "hold_s" in truth.more:
        assert row["hold_s"] == pytest.approx(truth.more["hold_s"], abs=CLOSE_S)
    if "pickup" in truth.more:
        assert (row["pickup"]["from"], row["pickup"]["by"]) == truth.more["pickup"]
    if "parked" in truth.more:
        parked = row["parked"]
        assert (parked["by"], parked["space"], parked["retrieved_by"]) == truth.more["parked"]


async def test_a_missed_call_opens_one_callback_and_getting_through_closes_it(desk: Desk, lab: Lab) -> None:
    await SCENARIOS["nobody_there"](lab)
    (task,) = await desk.tasks()
    assert (task["kind"], task["state"], task["number"], task["queue"]) == ("callback", "open", "+79161234567", "sales")
    await SCENARIOS["direct"](lab)
    (task,) = await desk.tasks(lambda rows: rows[0]["state"] == "done")
    assert task["closed_why"] == "got_through"


async def test_a_call_back_that_is_answered_closes_the_callback(desk: Desk, lab: Lab) -> None:
    await SCENARIOS["nobody_there"](lab)
    await desk.tasks()
    await SCENARIOS["call_out"](lab)
    (task,) = await desk.tasks(lambda rows: rows[0]["state"] == "done")
    assert (task["closed_why"], task["attempts"]) == ("called_back", 1)


async def test_an_anonymous_caller_gets_a_log_entry_but_no_card_and_no_callback(desk: Desk, lab: Lab) -> None:
    await SCENARIOS["anonymous_missed"](lab)
    (row,) = await desk.calls(1)
    assert (row["client_id"], row["client_number"], row["missed"]) == (None, None, True)
    assert await desk.tasks(lambda rows: True) == []


async def test_a_call_in_progress_is_picked_up_after_a_restart(asterisk: Instance, lab: Lab, tmp_path: Path) -> None:
    operator = await lab.operator("101")
    async with opened_desk(asterisk, tmp_path, "listener") as desk:
        client = await lab.trunk.call("74950000101", caller="79161234567")
        leg = await operator.incoming()
        leg.answer()
        await client.talking()
    async with opened_desk(asterisk, tmp_path, "listener") as desk:
        client.hang_up()
        await leg.over()
        (row,) = await desk.calls(1)
        assert await desk.open_calls() == []
    assert [one["operator"] for one in row["talks"]] == ["101"]
    assert row["outcome"] == "answered"
    assert row["total_s"] == pytest.approx((client.ended or 0) - client.began, abs=1.0)
