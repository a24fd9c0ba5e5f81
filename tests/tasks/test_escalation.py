"""A broken promise is told to the supervisors after so many working minutes, once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from callcrm.kernel import clock
from callcrm.kernel.calendar import working_hours
from callcrm.kernel.database import Database
from callcrm.kernel.tables import Audit
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.escalation import Escalation
from callcrm.tasks.tables import Task
from tests.calls.making import facts, rows
from tests.people import hire

#: Somewhere it is always a holiday.
NEVER = working_hours({"mon": ["09:00-09:01"]}, holidays=[clock.now().date() + timedelta(days=n) for n in range(-9, 9)])
RULES = Rules(line_hours={"+79990000000": NEVER}, escalate_min=15)


async def owe(writer: Writer, late_min: float, number: str, **more: Any) -> int:
    async def work(unit: Unit) -> int:
        row = {"kind": "callback", "state": "open", "number": number, "created_at": unit.now}
        row |= {"due_at": unit.now - timedelta(minutes=late_min), **more}
        return int((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one())

    return await writer.do(work, name="owe")


async def test_what_is_overdue_long_enough_is_told_once_and_the_rest_is_not(writer: Writer, database: Database) -> None:
    await hire(writer)
    asleep, woken = clock.now() + timedelta(hours=1), clock.now() - timedelta(minutes=5)
    late = await owe(writer, 16, "+71")
    await owe(writer, 14, "+72")
    await owe(writer, -10, "+73")
    await owe(writer, 60, "+74", snoozed_until=asleep)
    await owe(writer, 60, "+75", snoozed_until=woken)
    await owe(writer, 60, "+76", called="+79990000000")
    await owe(writer, 60, "+77", state="done", closed_at=clock.now())
    await owe(writer, 60, "+78", kind="task")
    escalation = Escalation(database, writer, RULES)
    assert await escalation.run_once() == [late]
    assert await escalation.run_once() == []
    found = {row["id"]: row for row in await rows(database, Task)}
    assert [key for key, row in found.items() if row["escalated_at"] is not None] == [late]
    assert found[late]["version"] == 2
    assert [kind for kind, ids in await facts(database) if ids.get("task") == late] == ["task.changed"]
    noted = [row for row in await rows(database, Audit) if row["act"] == "escalate"]
    assert [(row["which"], row["user_id"]) for row in noted] == [(str(late), None)]


async def test_two_workers_tell_it_once_between_them(writer: Writer, database: Database) -> None:
    late = await owe(writer, 30, "+71")
    found = await asyncio.gather(*(Escalation(database, writer, RULES).run_once() for _ in range(2)))
    assert sorted(found) == [[], [late]]
    assert len([row for row in await rows(database, Audit) if row["act"] == "escalate"]) == 1


async def test_who_wants_no_escalation_gets_none(writer: Writer, database: Database) -> None:
    await owe(writer, 600, "+71")
    assert await Escalation(database, writer, Rules(escalate_min=0)).run_once() == []
    (task,) = await rows(database, Task)
    assert task["escalated_at"] is None


@pytest.mark.parametrize("minutes", [15.5, 20])
async def test_the_minutes_are_those_of_the_settings(writer: Writer, database: Database, minutes: float) -> None:
    late = await owe(writer, minutes, "+71")
    assert await Escalation(database, writer, Rules(escalate_min=minutes + 1)).run_once() == []
    assert await Escalation(database, writer, Rules(escalate_min=minutes - 0.4)).run_once() == [late]
