"""A real Asterisk leaves a real gap: nothing of what is said while the recording is paused is in the file."""

import asyncio
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import ClientSession
from sqlalchemy import select

from callcrm.accounts import sessions
from callcrm.calls.tables import CallRow
from tests.live.desk import opened_desk, until
from tests.live.test_acting import Program
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab
from tests.pbx.scenarios import over

LOUD = 0.05


async def gap(program: Program, call: str, state: str) -> dict[str, Any]:
    """The call's last gap, as soon as it stands so."""

    async def look() -> dict[str, Any] | None:
        found = (await program.ask("GET", f"/calls/{call}/gaps", status=200))["items"]
        return found[-1] if found and found[-1]["state"] == state else None

    found: dict[str, Any] = await until(look)
    return found


async def test_what_is_said_in_a_gap_is_not_in_the_file(asterisk: Instance, tmp_path: Any, lab: Lab) -> None:
    async with opened_desk(asterisk, tmp_path) as desk:
        user = desk.users["op101"]
        token = await desk.running.writer.do(lambda unit: sessions.add_token(unit, user), name="token")
        async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            program = Program(desk, session)
            call, gaps = await _call_with_gaps(program, lab)
            (row,) = await desk.recordings(call, "paused")
    assert [one["ended_how"] for one in gaps] == ["hand", "time"]
    assert row["cause"].startswith("Not recorded 2 times")
    sound, rate = soundfile.read(asterisk.recordings / row["file"])
    quiet = _quiet_stretches(sound, rate)
    assert len(quiet) == 2, quiet
    for one, (begin, end) in zip(gaps, quiet, strict=True):
        assert one["seconds"] == pytest.approx(end - begin, abs=0.9)  # the voices have a pause of 0.4 s of their own
    assert row["seconds"] == pytest.approx(len(sound) / rate, abs=0.1)


async def _call_with_gaps(program: Program, lab: Lab) -> tuple[str, list[dict[str, Any]]]:
    (phone,) = await lab.operators("101")
    client = await lab.trunk.call("74950000001", caller="79161234567")
    own = await phone.incoming()
    own.answer()
    await client.talking()
    call = await program.live("hang_up")
    await asyncio.sleep(1.5)
    first = await _paused(program, call, {"seconds": 60})
    await asyncio.sleep(2.5)
    await program.ask("POST", f"/calls/{call}/gaps/{first['id']}/end")
    closed = await gap(program, call, "closed")
    await asyncio.sleep(1.5)
    await _paused(program, call, {"seconds": 5})
    await asyncio.sleep(5.0)
    both = [closed, await gap(program, call, "closed")]
    await asyncio.sleep(1.5)
    client.hang_up()
    await over(own)
    rows = await program.desk.rows(select(CallRow.id))
    assert [one["id"] for one in rows] == [call]
    return call, both


async def _paused(program: Program, call: str, body: dict[str, Any]) -> dict[str, Any]:
    await program.ask("POST", f"/calls/{call}/gaps", body)
    return await gap(program, call, "open")


def _quiet_stretches(sound: Any, rate: int) -> list[tuple[float, float]]:
    """Where nothing is heard for longer than a second, within the talk."""
    step = rate // 50
    mono = sound if sound.ndim == 1 else np.abs(sound).max(axis=1)
    loud = [n * step / rate for n in range(len(mono) // step) if np.abs(mono[n * step : (n + 1) * step]).max() > LOUD]
    return [(one, other) for one, other in pairwise(loud) if other - one > 1.0]
