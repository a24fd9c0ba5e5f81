"""The Cdr events within each recorded stream give the calls that the stream itself gives, as far as a CDR can know.

Compared: id, direction, client, called, name, caller, operator, queue, who answered, missed, outcome, why, mailbox,
parking, pickup, who rang, and seconds where the CDR tells them. Not in a CDR, and left empty: who ended the call, its
holding, and transfers.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from callcrm.calls.call import Call
from callcrm.calls.replay import as_json, replay_file
from tests.calls import cdr_rows
from tests.calls.cdr_rows import LUXURIES
from tests.calls.expected import TRACES, scenario, traces

MORE = sorted(TRACES.glob("more/*/*.jsonl.gz"))
FIELDS = (
    *("direction", "client", "called", "name", "caller", "operator", "queue", "answered_by", "missed", "outcome"),
    *("why", "voicemail", "parked", "pickup", "rang"),
)
#: Whole seconds, begun and ended in the middle of one.
NEAR_S = 1.1


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


def blurred(call: dict[str, Any], *, by_pbx: bool) -> dict[str, Any]:
    """A call of the stream without what a CDR has no word for.

    * A refusal (603) and a number that is none (404) are NO ANSWER there.
    * Who was not let into a queue hung up after Answer(), as on a closed line: the name of the queue is overwritten.
    * Once the operator has lifted his phone, a click to call is a call that he dialled: his phone did not ring.
    """
    found = {field: call[field] for field in FIELDS}
    found["rang"] = sorted(one["operator"] for one in call["rang"])
    if found["why"] == "rejected":
        found["why"] = None
    if found["outcome"] == "no such number":
        found["outcome"] = "no answer"
    if found["missed"] and found["queue"] and not found["rang"] and call["total_s"] < 1.0:
        found |= {"queue": None, "why": "closed"}
    if by_pbx and found["outcome"] != "operator did not pick up":
        found["rang"] = [one for one in found["rang"] if one != (call["operator"] or call["caller"])]
    return found


def knowable(call: dict[str, Any], calls: list[dict[str, Any]]) -> bool:
    """Whether a CDR has the call at all: what an operator asks aside on the line of a call has that call's Linkedid."""
    begun = {leg["channel"] for leg in call["legs"][:1]}
    return not any(
        begun & {leg["channel"] for leg in other["legs"]}
        or call["channel"] in {leg["channel"] for leg in other["legs"]}
        for other in calls
        if other is not call and call["direction"] == "internal" and other["direction"] == "inbound"
    )


def compared(path: Path, got: list[Call], fields: tuple[str, ...] = FIELDS) -> list[str]:
    """Where the calls of the CDR differ from those of the stream."""
    stream = replay_file(path)["calls"]
    made = {call.id: as_json(call, 0.0) for call in got}
    wrong = []
    for call in stream:
        mine = made.get(call["id"])
        if not knowable(call, stream):
            continue
        if mine is None:
            wrong.append(f"lacks {call['direction']} of {call['client']} to {call['called']}")
            continue
        wanted = blurred(call, by_pbx=bool(call["click_to_call"]))
        found = blurred(mine, by_pbx=bool(call["click_to_call"]))
        wrong += [f"{one}: {wanted[one]!r} is {found[one]!r}" for one in fields if wanted[one] != found[one]]
        wrong += _seconds(call, mine)
    return wrong + [f"more than was: {one['direction']} {one['called']}" for one in _unknown(made.values(), stream)]


def _unknown(made: Iterable[dict[str, Any]], stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that the stream has not, not even as a leg of another call.

    A consultation that ends in an announcement shares no channel with the client's call, so that the CDR has two calls
    of it. Where the log heard it, it knows the second one by that leg (`cdrgaps`).
    """
    ids, legs = {call["id"] for call in stream}, {leg["channel"] for call in stream for leg in call["legs"]}
    return [one for one in made if one["id"] not in ids and one["channel"] not in legs]


def _seconds(call: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """What both tell; a CDR tells none where the PBX may have answered before the phone.

    An operator who asks a colleague by a feature code parts from the client meanwhile, and the CDR ends the talk there.
    """
    if call["hold_s"] is not None:
        return []
    pairs = [("total_s", call["total_s"], mine["total_s"]), ("wait_s", call["wait_s"], mine["wait_s"])]
    for one, other in zip(call["talks"], mine["talks"], strict=False):
        pairs.append((f"talk of {one['operator']}", one["talk_s"], other["talk_s"]))
    rings = {one["operator"]: one["ring_s"] for one in mine["rang"]}
    if len(rings) == len(mine["rang"]):
        pairs += [(f"ring of {one['operator']}", one["ring_s"], rings.get(one["operator"])) for one in call["rang"]]
    told = [(what, a, b) for what, a, b in pairs if a is not None and b is not None]
    return [f"{what}: {a} is {b}" for what, a, b in told if abs(a - b) > NEAR_S]


@pytest.mark.parametrize("path", traces("jsonl.gz"), ids=name)
def test_the_cdr_of_a_stream_tells_the_same_calls(path: Path) -> None:
    assert compared(path, cdr_rows.calls(cdr_rows.told(path))) == []


@pytest.mark.parametrize("path", MORE, ids=name)
def test_the_cdr_of_another_dialplan_tells_the_same_calls(path: Path) -> None:
    assert compared(path, cdr_rows.calls(cdr_rows.told(path))) == []


#: Without DID a transfer has written its own number over the one that was called, and a menu its `s`.
WITHOUT_DID = tuple(field for field in FIELDS if field != "called")


@pytest.mark.parametrize("path", (*traces("jsonl.gz"), *MORE), ids=name)
def test_a_stock_file_without_linkedid_and_did_tells_the_same_calls(path: Path) -> None:
    got = cdr_rows.calls(cdr_rows.told(path, without=LUXURIES))
    assert compared(path, got, WITHOUT_DID) == []
    called = {call["id"]: call["called"] for call in replay_file(path)["calls"]}
    # A number of the house's own may be where he was transferred to: in one stream alone no operator may have dialled.
    lines = {call.id: call.called for call in got if call.id in called and call.called and len(call.called) > 3}
    assert {key: number for key, number in lines.items() if called[key] != number} == {}


@pytest.mark.parametrize("path", traces("jsonl.gz"), ids=name)
def test_the_cdr_agrees_with_the_phones_on_who_and_what(path: Path) -> None:
    """Against what the phones saw, not against our own reading of the stream."""
    wanted = [(one["direction"], one["client"], one["missed"], one["answered_by"]) for one in scenario(path)["calls"]]
    got = cdr_rows.calls(cdr_rows.told(path))
    assert sorted(map(repr, wanted)) == sorted(
        repr((one.direction, one.client, one.missed, list(one.answered_by))) for one in got
    )


def test_recordings_are_named_once_and_only_of_talks() -> None:
    path = next(path for path in traces("jsonl.gz") if path.name.startswith("transfer_out"))
    (call,) = cdr_rows.calls(cdr_rows.told(path))
    assert [one.file for one in call.recordings] == [one["file"] for one in replay_file(path)["calls"][0]["recordings"]]
    abandoned = next(path for path in traces("jsonl.gz") if path.name.startswith("queue_abandoned"))
    assert [call.recordings for call in cdr_rows.calls(cdr_rows.told(abandoned))] == [()]
