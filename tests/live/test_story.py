"""A real call's story: each party in the right lane of the right file, hold and transfer where they happened."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import ClientSession
from numpy.typing import NDArray

from callcrm.accounts import sessions
from tests.live.desk import Desk, opened_desk
from tests.pbx.instance import Instance
from tests.pbx.lab import PITCHES, Lab
from tests.pbx.scenarios import over, talk
from webui.identity import COOKIE

STEREO = "74950000301"
HELD_S, ASKED_S, CLOSE_S = 2.5, 2.0, 0.4


@pytest.fixture
async def desk(asterisk: Instance, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(asterisk, tmp_path) as opened:
        yield opened


def pitch(lane: NDArray[np.int16], rate: int) -> float:
    """The tone that is loudest in a lane, in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(lane))) * rate / len(lane))


async def stretches(desk: Desk, call_id: str, kind: str) -> list[tuple[str, float]]:
    """Whose they are, and how long."""
    return [
        (leg["who"], _seconds(one["at"], one["until"]))
        for leg in await desk.legs(call_id)
        for one in leg["stretches"] or ()
        if one["kind"] == kind
    ]


def _seconds(begin: str, end: str) -> float:
    return (np.datetime64(end.rstrip("Z")) - np.datetime64(begin.rstrip("Z"))) / np.timedelta64(1, "s")


async def page(desk: Desk, path: str, **headers: str) -> tuple[int, bytes]:
    """What 101's operator is shown."""
    user = desk.users["op101"]
    cookie = await desk.running.writer.do(lambda unit: sessions.open_session(unit, user, hours=1), name="session")
    async with (
        ClientSession(cookies={COOKIE: cookie}) as session,
        session.get(f"http://127.0.0.1:{desk.running.web_port}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.read()


async def test_each_party_is_in_a_lane_of_his_own_and_the_hold_is_where_it_was(
    desk: Desk, asterisk: Instance, lab: Lab
) -> None:
    await lab.operators("101")
    client, leg = await talk(lab, STEREO, "101", 3)
    await leg.hold()
    await asyncio.sleep(HELD_S)
    await leg.unhold()
    await asyncio.sleep(2)
    client.hang_up()
    await over(leg)
    (row,) = await desk.calls(1)
    (sound,) = await desk.recordings(row["id"], "present")
    assert (sound["file"].rpartition(".")[2], sound["channels"]) == ("wav", 2)
    samples, rate = soundfile.read(asterisk.recordings / sound["file"], dtype="int16", always_2d=True)
    assert [pitch(samples[:, lane], rate) for lane in (0, 1)] == [
        pytest.approx(PITCHES["trunk"], abs=10),
        pytest.approx(PITCHES["101"], abs=10),
    ]
    ((who, held),) = await stretches(desk, row["id"], "hold")
    assert who == "101" and held == pytest.approx(HELD_S, abs=CLOSE_S)
    status, shown = await page(desk, f"/calls/{row['id']}")
    assert status == 200 and b"Hold 0:0" in shown and b'class="theirs"' in shown and b'class="mine"' in shown
    assert shown.index(b"<b>Client</b>") < shown.index(b'class="theirs"') < shown.index(b"<b>Operator</b>")
    status, part = await page(desk, f"/calls/{row['id']}/recordings/0", Range="bytes=0-99")
    assert (status, part[:4]) == (206, b"RIFF")


async def test_an_attended_transfer_is_a_hold_a_question_and_a_talk_of_the_second(desk: Desk, lab: Lab) -> None:
    await lab.operators("101", "102")
    client, one = await talk(lab, STEREO, "101", 2)
    await one.hold()
    asking = await lab.phones["101"].call("102")
    two = await lab.phones["102"].incoming()
    await asyncio.sleep(0.5)
    two.answer()
    await asyncio.sleep(ASKED_S)
    await one.join(asking)
    one.hang_up()
    await asyncio.sleep(2)
    client.hang_up()
    await over(two, asking)
    row = (await desk.calls(1))[0]
    asked = await stretches(desk, row["id"], "asked")
    assert sorted(who for who, _length in asked) == ["101", "102"]
    assert [length for _who, length in asked] == [pytest.approx(ASKED_S, abs=CLOSE_S)] * 2
    ((who, _held),) = await stretches(desk, row["id"], "hold")
    assert who == "101"
    rows: list[dict[str, Any]] = await desk.recordings(row["id"], "present")
    assert len(rows) == 1, "one call, one file: none is doubled"
    _status, shown = await page(desk, f"/calls/{row['id']}")
    text = shown.decode()
    assert "op101 asked op102 for 0:0" in text and "op101 transferred to op102 after asking" in text
    assert text.index('aria-label="op101: ') < text.index('aria-label="op102: ')
