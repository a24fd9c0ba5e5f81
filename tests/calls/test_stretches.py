"""What legs did besides ringing and talking: read off real Asterisk's streams, against what the phones did."""

from dataclasses import replace
from typing import Any

import pytest

from callcrm.calls import queries, service
from callcrm.calls.call import Stretch
from callcrm.calls.replay import replay_file
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer
from tests.calls import expected, making
from tests.calls.expected import TOLERANCE, TRACES
from tests.calls.making import T0
from tests.people import OLGA, RUSLAN, VERA, hire

VERSIONS = sorted(path.name for path in TRACES.glob("[0-9]*"))


def replayed(version: str, scenario: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the phones say of the scenario's first call, and the calls that its stream shows."""
    path = TRACES / version / f"{scenario}.jsonl.gz"
    return expected.scenario(path)["calls"][0], replay_file(path)["calls"]


def of(call: dict[str, Any], kind: str) -> list[tuple[str, str | None, float, float]]:
    """Stretches of one kind: whose, with whom, since when, until when."""
    return [
        (leg["who"], one["who"], one["at"], one["until"])
        for leg in call["legs"]
        for one in leg["stretches"]
        if one["kind"] == kind
    ]


def length(one: tuple[str, str | None, float, float]) -> Any:
    return pytest.approx(one[3] - one[2], abs=TOLERANCE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hold_is_a_stretch_of_who_held(version: str) -> None:
    truth, (call,) = replayed(version, "direct_hold")
    (hold,) = of(call, "hold")
    assert (hold[0], truth["hold_s"]) == ("101", length(hold))
    assert call["legs"][1]["answered_at"] < hold[2] < hold[3] < call["at"] + call["total_s"]


@pytest.mark.parametrize("version", VERSIONS)
def test_in_an_attended_transfer_both_phones_asked_until_the_client_came(version: str) -> None:
    truth, (call,) = replayed(version, "transfer_attended")
    asked, (hold,) = of(call, "asked"), of(call, "hold")
    assert [one[:2] for one in asked] == [("101", "102"), ("102", "101")]
    assert all(truth["transfers"][0]["consult_s"] == length(one) for one in asked)
    second = call["legs"][-1]
    assert second["answered_at"] == pytest.approx(asked[1][3], abs=TOLERANCE)
    assert hold[3] <= call["legs"][1]["answered_at"] + call["legs"][1]["talk_s"] + 0.001


@pytest.mark.parametrize("version", VERSIONS)
def test_a_consultation_by_keys_is_asked_on_the_same_line(version: str) -> None:
    truth, (call,) = replayed(version, "transfer_attended_by_dtmf")
    asked = of(call, "asked")
    assert {one[0] for one in asked} == {"101", "102"}
    assert all(truth["transfers"][0]["consult_s"] == length(one) for one in asked)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_waits_in_the_queue_until_somebody_answers(version: str) -> None:
    _, (call,) = replayed(version, "queue_answered")
    (wait,) = of(call, "queue")
    assert wait[1] == "sales" and wait[3] == pytest.approx(call["at"] + call["wait_s"], abs=TOLERANCE)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("scenario", "back_at"), [("park_and_retrieve", "102"), ("park_timeout", "101")])
def test_parking_ends_when_somebody_takes_the_client_or_is_called_for_him(
    version: str, scenario: str, back_at: str
) -> None:
    _, (call,) = replayed(version, scenario)
    (parked,) = of(call, "parked")
    taken = call["legs"][-1]
    assert (parked[1], taken["who"]) == ("701", back_at)
    assert parked[3] == pytest.approx(taken["at"], abs=TOLERANCE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_voice_mailbox_is_a_stretch_of_the_callers_line(version: str) -> None:
    _, (call,) = replayed(version, "direct_voicemail")
    (box,) = of(call, "voicemail")
    assert (
        box[1] == "101" and box[2] > call["at"] + 3 and box[3] == pytest.approx(call["at"] + call["total_s"], abs=0.2)
    )


async def test_the_story_has_what_legs_did_and_who_was_asked_aside_with_their_names(
    writer: Writer, database: Database
) -> None:
    await hire(writer)
    life = making.answered_life(others=())
    call = life[-1].call
    held = Stretch("hold", T0 + 6, T0 + 9)
    line = replace(call.legs[-1], up_at=T0 + 5, stretches=(held, Stretch("asked", T0 + 7, None, "102")))
    asked = making.call("c2", T0 + 6, direction="internal", client=None, serves="c1", queue=None)
    people = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
    changes = [*life[:-1], replace(life[-1], call=replace(call, legs=(*call.legs[:-1], line)))]
    changes += [making.began(asked), *making.rings(asked, "102")]
    await writer.do(lambda unit: service.record(unit, changes, people), name="test")
    async with database.read() as db:
        whole = await queries.whole_call(db, VERA, "c1")
    olga = whole.legs[-1]
    assert [(one.kind, one.who, one.person, one.until is None) for one in olga.stretches] == [
        ("hold", "", "", False),
        ("asked", "102", "Ruslan Tkach", True),
    ]
    assert olga.stretches[0].at.timestamp() == T0 + 6 and olga.up_at is not None
    assert [(leg.side, leg.who, leg.person) for leg in whole.aside][-1] == ("operator", "102", "Ruslan Tkach")
