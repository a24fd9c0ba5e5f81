"""`callcrm reconcile`: calls that the log lost come back from the raw events, those that are there stay as they are."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from ami.simulator import DemoPbx
from callcrm import house
from callcrm.calls import unfinished
from callcrm.calls.call import Call
from callcrm.calls.reread import reread
from callcrm.calls.tables import CallOperator, CallRow, LegRow
from callcrm.daemon import Running, opened
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.unit import Unit
from callcrm.reconciling import Told, moment, reconcile, tell
from callcrm.tasks.tables import Task
from tests.test_daemon import linked, settings


async def recorded(folder: Path) -> int:
    """Two calls heard by the daemon; the PBX's port."""
    pbx = DemoPbx(seed=1)
    await pbx.start()
    async with opened(settings(folder, pbx.port), "listener") as running:
        await linked(running)
        await pbx.play("queue_answered", speed=20)
        await pbx.play("queue_abandoned", speed=20)
        async with asyncio.timeout(10):
            while True:
                async with running.database.read() as db:
                    ended = (await db.scalars(select(CallRow.id).where(CallRow.ended_at.is_not(None)))).all()
                if len(ended) == 2:
                    break
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)  # the last raw events are journalled with the next turn
        port = pbx.port
        await pbx.stop()
    return port


async def test_a_call_that_the_log_lost_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = settings(tmp_path, await recorded(tmp_path))
    async with opened(site, "worker") as running:
        async with running.database.read() as db:
            before = {row.id: tuple(row) for row in await db.execute(select(CallRow.__table__).order_by(CallRow.at))}
        lost, kept = before
        async with running.database.transaction() as db:
            for table in (LegRow, CallOperator):
                await db.execute(delete(table).where(table.call_id == lost))
            await db.execute(delete(CallRow).where(CallRow.id == lost))
        await reconcile(site, pbx="office", since="")
        said = capsys.readouterr().out
        async with running.database.read() as db:
            after = {row.id: row for row in await db.execute(select(CallRow.__table__))}
    assert set(after) == {lost, kept}
    assert tuple(after[kept]) == before[kept]
    assert after[lost].outcome == "answered"
    assert "1 were missing and are now there" in said


async def test_a_number_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = Call(
        "1", "office", "1.1", "SIP/x", "inbound", "ended", 0.0, client="\x1b]0;owned\x07+7916", called="\u202e101"
    )
    tell("office", Told(), [hostile], datetime(2026, 11, 21, tzinfo=UTC))
    said = capsys.readouterr().out
    assert "+7916" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


async def test_what_is_no_time_and_no_pbx_is_told(tmp_path: Path) -> None:
    with pytest.raises(CallcrmError, match="no time"):
        moment("yesterday")
    with pytest.raises(CallcrmError, match="no PBX named"):
        await reconcile(settings(tmp_path), pbx="nowhere", since="")


async def test_a_call_whose_end_was_not_heard_is_told_right_and_its_callback_closes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a crash: the raw events have the answer, the log has only that the caller was waiting."""
    site = settings(tmp_path, await recorded(tmp_path))
    async with opened(site, "worker") as running:
        async with running.database.read() as db:
            talked = (await db.execute(select(CallRow.__table__).where(CallRow.missed.is_(False)))).one()
        waiting = {"state": "waiting", "answered_at": None, "ended_at": None, "talks": [], "outcome": None}
        waiting |= {"ended_by": None, "total_s": None, "wait_s": None, "talk_s": None, "operator_id": None}
        async with running.database.transaction() as db:
            await db.execute(update(CallRow).where(CallRow.id == talked.id).values(waiting))

        async def settle(unit: Unit) -> None:
            gone = await unfinished.end_unknown(unit, "office", [])
            context = await house.context(site, unit.db)
            for follow in house.after_calls(site):
                await follow(unit, await reread(unit, gone, context))

        await running.writer.do(settle, name="settle")
        before = await tasks(running)
        await reconcile(site, pbx="office", since="")
        after = await tasks(running)
        async with running.database.read() as db:
            call = (await db.execute(select(CallRow.__table__).where(CallRow.id == talked.id))).one()
    mine = [one for one in before if one.number == talked.client_number]
    assert [(one.state, one.call_id) for one in mine] == [("open", talked.id)]
    closed = next(one for one in after if one.id == mine[0].id)
    assert (call.missed, call.outcome, closed.state, closed.closed_why) == (False, "answered", "done", "got_through")
    assert closed.closed_call_id == talked.id
    assert "1 were missing and are now there" in capsys.readouterr().out


async def tasks(running: Running) -> list[Any]:
    async with running.database.read() as db:
        return list((await db.execute(select(Task.__table__))).all())
