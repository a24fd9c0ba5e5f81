"""Pauses on a real Asterisk: the member is truly paused and opened again, and a pause at the phone is seen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ami import actions
from callcrm.accounts.policy import Actor, Line
from callcrm.house import shift_rules
from callcrm.kernel.tables import Command
from callcrm.shifts import queries as shifts
from callcrm.shifts import service
from callcrm.shifts.tables import Standing
from callcrm.telephony.tables import QueueMember, QueueRow
from tests.live.desk import Desk, opened_desk, until
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab
from tests.pbx.scenarios import ANNA, SALES


@pytest.fixture
async def desk(asterisk: Instance, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(asterisk, tmp_path) as opened:
        yield opened


def actor_of(desk: Desk, extension: str) -> Actor:
    name = f"op{extension}"
    return Actor(desk.users[name], name, "operator", extensions=(Line("lab", extension),))


async def places(desk: Desk, extension: str, *expected: tuple[str, bool, str]) -> None:
    """Until the PBX has the phone's places in queues so, as its events tell."""

    async def look() -> bool | None:
        columns = (QueueMember.queue, QueueMember.paused, QueueMember.reason)
        rows = await desk.rows(select(*columns).where(QueueMember.extension == extension).order_by(QueueMember.queue))
        return True if [tuple(row.values()) for row in rows] == list(expected) else None

    await until(look)


async def stands(desk: Desk, actor: Actor, state: str, reason: str = "") -> None:
    async def look() -> bool | None:
        rows = await desk.rows(select(Standing.state, Standing.reason).where(Standing.user_id == actor.user_id))
        return True if rows and (rows[0]["state"], rows[0]["reason"]) == (state, reason) else None

    await until(look)


async def asked(desk: Desk) -> list[tuple[str, str]]:
    """The pauses that were asked for, as soon as each has ended."""

    async def look() -> list[tuple[str, str]] | None:
        rows = await desk.rows(select(Command.kind, Command.state).order_by(Command.wanted_at))
        return (
            [tuple(row.values()) for row in rows] if all(r["state"] not in ("wanted", "sent") for r in rows) else None
        )

    found: list[tuple[str, str]] = await until(look)
    return found


async def said_by(asterisk: Instance, extension: str) -> list[str]:
    """What Asterisk itself says of the member in each queue."""
    shown = await asyncio.to_thread(asterisk.console, "queue show sales")
    return [line for line in shown.splitlines() if f"PJSIP/{extension}" in line]


async def test_a_pause_pauses_the_member_and_being_back_opens_it(desk: Desk, asterisk: Instance) -> None:
    actor, rules = actor_of(desk, "101"), shift_rules(desk.running.settings)
    write = desk.running.writer.do
    await write(lambda unit: service.start(unit, actor), name="start")
    await places(desk, "101", ("sales", False, ""))
    await write(lambda unit: service.pause(unit, actor, "Lunch", rules), name="pause")
    await places(desk, "101", ("sales", True, "Lunch"))
    assert await asked(desk) == [("pause", "done")]
    (line,) = await said_by(asterisk, "101")
    assert "paused:Lunch" in line
    async with desk.running.database.read() as db:
        assert (await shifts.agreed(db, actor.user_id)).code == "agreed"
    await write(lambda unit: service.resume(unit, actor), name="resume")
    await places(desk, "101", ("sales", False, ""))
    assert await asked(desk) == [("pause", "done"), ("unpause", "done")]
    (line,) = await said_by(asterisk, "101")
    assert "paused" not in line
    await stands(desk, actor, "available")


async def test_a_pause_at_the_phone_is_seen_and_ended_here(desk: Desk) -> None:
    actor = actor_of(desk, "102")
    await desk.running.writer.do(lambda unit: service.start(unit, actor), name="start")
    await places(desk, "102", ("sales", False, ""))
    link = desk.running.listeners["lab"].connection
    await link.send(actions.queue_pause("PJSIP/102", paused=True, reason="DND"), 5.0)
    await stands(desk, actor, "paused", "DND")
    await desk.running.writer.do(lambda unit: service.resume(unit, actor), name="resume")
    await places(desk, "102", ("sales", False, ""))
    await stands(desk, actor, "available")


async def test_who_waits_in_a_queue_is_counted_from_joining_to_leaving(desk: Desk, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    client = await lab.trunk.call(SALES, caller=ANNA)
    leg = await phone.incoming()

    async def waiting(count: int) -> None:
        async def look() -> bool | None:
            rows = await desk.rows(select(QueueRow.waiting, QueueRow.longest_since).where(QueueRow.queue == "sales"))
            same = rows and rows[0]["waiting"] == count and (rows[0]["longest_since"] is None) == (count == 0)
            return True if same else None

        await until(look)

    await waiting(1)
    leg.answer()
    await waiting(0)
    actor = actor_of(desk, "101")
    await stands(desk, actor, "talking")
    client.hang_up()
    await stands(desk, actor, "off")
