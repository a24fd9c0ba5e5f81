"""Calls of many kinds made at once on a real Asterisk: of which talk each recording is, and who is in which lane."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcrm.calls.xraytables import Xray
from tests.live.desk import Desk, opened_desk, until
from tests.live.heard import Sound, are_linked, holds_its_talks, sounds_of
from tests.pbx.instance import Instance
from tests.pbx.lab import PITCHES, Lab
from tests.pbx.leg import Leg
from tests.pbx.scenarios import SUPPORT, over, sleep, talk

TALK_S, RINGS_S = 2.6, 2.0


@pytest.fixture
async def desk(asterisk: Instance, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(asterisk, tmp_path) as opened:
        yield opened


class Town:
    """The provider's side: who is called there is found by his number."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._called: dict[str, asyncio.Future[Leg]] = {}
        self._task = asyncio.create_task(self._hear())

    def close(self) -> None:
        self._task.cancel()

    async def answers(self, number: str) -> Leg:
        """The client with this number, who picks up."""
        leg = await asyncio.wait_for(self._at(number), 15)
        await sleep(0.3)
        leg.answer()
        return leg

    def _at(self, number: str) -> "asyncio.Future[Leg]":
        return self._called.setdefault(number, asyncio.get_running_loop().create_future())

    async def _hear(self) -> None:
        while True:
            leg = await self.lab.trunk.incoming(60)
            self._at(leg.called).set_result(leg)


async def called(lab: Lab, number: str, operator: str, client: str) -> None:
    """A client calls in and hangs up; the operator falls silent soon."""
    leg, own = await talk(lab, number, operator, 1.0, caller=client, ring=0.5)
    own.sound.held = True
    await sleep(TALK_S - 1.0)
    leg.hang_up()
    await over(own)


async def calls(lab: Lab, town: Town, operator: str, dialled: str, client: str) -> None:
    """An operator calls a client and hangs up."""
    own = await lab.phones[operator].call(dialled)
    leg = await town.answers(client)
    await sleep(TALK_S)
    own.hang_up()
    await over(leg)


async def clicked(lab: Lab, town: Town, channel: str, operator: str, dialled: str, client: str) -> None:
    """Click to call: the operator's phone rings first, maybe behind a Local pair."""
    wish = {"Channel": channel, "Context": "office", "Exten": dialled, "Priority": "1", "CallerID": f"<{client}>"}
    asked = asyncio.create_task(lab.ami.action("Originate", Timeout="8000", Async="true", **wish))
    own = await lab.phones[operator].incoming()
    await asked
    own.answer()
    leg = await town.answers(client)
    await sleep(TALK_S)
    leg.hang_up()
    await over(own)


async def held_and_sent(lab: Lab) -> None:
    """101 puts the client on hold, comes back, and sends him to 102: one file of both talks, without the ringing."""
    client, one = await talk(lab, "74950000101", "101", TALK_S, caller="79160000001", ring=0.5)
    await one.hold()
    await sleep(1)
    await one.unhold()
    sent = asyncio.create_task(one.transfer("102"))
    two = await lab.phones["102"].incoming()
    await sent
    one.hang_up()
    await sleep(RINGS_S)
    two.answer()
    await sleep(TALK_S)
    client.hang_up()
    await over(two)


async def out_and_sent(lab: Lab, town: Town) -> None:
    """109 calls a client and sends him to 110: each phone is recorded, so that each talk is a file of its own."""
    one = await lab.phones["109"].call("*79160000006")
    client = await town.answers("79160000006")
    await sleep(TALK_S)
    sent = asyncio.create_task(one.transfer("0110"))
    two = await lab.phones["110"].incoming()
    await sent
    one.hang_up()
    await sleep(0.3)
    two.answer()
    await sleep(TALK_S)
    client.hang_up()
    await over(two)


async def colleagues(lab: Lab) -> None:
    """101 calls 102."""
    one = await lab.phones["101"].call("*102")
    two = await lab.phones["102"].incoming()
    two.answer()
    await sleep(TALK_S)
    one.hang_up()
    await over(two)


async def in_turn(*played: Callable[[], Awaitable[None]]) -> None:
    for play in played:
        await play()


#: By the client's number: operators of each recording in order, and whose its lanes are ("client, operator").
MONO, CLIENT_FIRST, OPERATOR_FIRST = "", "client", "operator"
EXPECTED: dict[str, list[tuple[tuple[str, ...], str]]] = {
    "79160000001": [(("101", "102"), MONO)],
    "79160000002": [(("104",), MONO)],
    "79160000003": [(("106",), OPERATOR_FIRST)],
    "79160000004": [(("107",), CLIENT_FIRST)],
    "79160000005": [(("108",), CLIENT_FIRST)],
    "79160000006": [(("109",), OPERATOR_FIRST), (("110",), OPERATOR_FIRST)],
    "79160000007": [(("103",), CLIENT_FIRST)],
    "79160000008": [(("106",), OPERATOR_FIRST)],
    "79160000009": [(("107",), OPERATOR_FIRST)],
    "79160000010": [(("108",), CLIENT_FIRST), (("108",), MONO)],
    "79160000011": [(("103",), CLIENT_FIRST)],
    "*102": [(("102",), CLIENT_FIRST)],
}


async def played(lab: Lab, town: Town) -> None:
    """All of them, half of the phones at once."""
    await lab.operators(*(one for one in PITCHES if one not in ("trunk", "105")))
    await asyncio.gather(
        in_turn(lambda: held_and_sent(lab), lambda: colleagues(lab)),
        called(lab, SUPPORT, "104", "79160000002"),
        in_turn(
            lambda: called(lab, "74950000406", "106", "79160000003"),
            lambda: clicked(lab, town, "PJSIP/106", "106", "*79160000008", "79160000008"),
        ),
    )
    await asyncio.gather(
        in_turn(
            lambda: called(lab, "74950000507", "107", "79160000004"),
            lambda: clicked(lab, town, "Local/107@desk", "107", "*79160000009", "79160000009"),
        ),
        in_turn(
            lambda: called(lab, "74950000608", "108", "79160000005"),
            lambda: clicked(lab, town, "Local/108@member-kept", "108", "79160000010", "79160000010"),
        ),
        out_and_sent(lab, town),
        in_turn(
            lambda: calls(lab, town, "103", "#79160000007", "79160000007"),
            lambda: called(lab, "74950000303", "103", "79160000011"),
        ),
    )


async def test_each_recording_is_of_its_call_and_stretch_with_each_voice_in_its_lane(desk: Desk, lab: Lab) -> None:
    town = Town(lab)
    try:
        await played(lab, town)
    finally:
        town.close()
    rows = {row["client_raw"] or row["called"]: row for row in await desk.calls(len(EXPECTED))}
    assert rows.keys() == EXPECTED.keys()
    found = {who: await sounds_of(desk, lab.instance.recordings, row) for who, row in rows.items()}
    for who, sounds in found.items():
        assert [_told(one) for one in sounds] == EXPECTED[who], who
    for who, sounds in found.items():
        for one in sounds:
            _is_right(one, rows[who])
    ((_at, left_out),) = found["79160000001"][0].stretch.cuts
    assert left_out == pytest.approx(RINGS_S, abs=0.5)
    await are_linked(desk, lab)
    for who in ("79160000003", "79160000004"):
        await _figures_tell_the_sides(desk, rows[who]["id"])


def _told(sound: Sound) -> tuple[tuple[str, ...], str]:
    return sound.stretch.operators, sound.row["first_lane"] if sound.row["channels"] == 2 else MONO


def _is_right(sound: Sound, call: dict[str, Any]) -> None:
    """Every voice is there, in its lane, and the row tells of this sound."""
    holds_its_talks(sound, call)
    assert sound.row["seconds"] == pytest.approx(len(sound.samples) / sound.rate, abs=0.05)
    assert len(sound.row["peaks"]) > 50
    if sound.row["channels"] == 2:
        client = "101" if call["direction"] == "internal" else "trunk"
        lanes = sound.voices()[:: -1 if sound.row["first_lane"] == "operator" else 1]
        assert lanes == [{client}, {*sound.stretch.operators}], call["client_raw"]


async def _figures_tell_the_sides(desk: Desk, call_id: str) -> None:
    """The operator fell silent before the client did, in whichever lane he is."""

    async def look() -> dict[str, Any] | None:
        found = await desk.rows(select(Xray.__table__).where(Xray.call_id == call_id))
        return found[0] if found else None

    figures = await until(look)
    assert figures["lanes"] == 2
    assert figures["client_talk_s"] > figures["operator_talk_s"] + 0.5
