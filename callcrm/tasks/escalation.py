"""Broken promises that nobody mended are told to the supervisors: marked, pushed, noted in the history, once each."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import audit, clock
from callcrm.kernel.database import Database
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer
from callcrm.tasks.callbacks import CALLBACK, Rules
from callcrm.tasks.tables import Task

#: How often it is looked.
EVERY_S = 10.0
_MOST = 500

_COLUMNS = (Task.id, Task.owner_id, Task.due_at, Task.snoozed_until, Task.queue, Task.called)


class Escalation:
    """Looks at the overdue callbacks; `run_once` is done every `EVERY_S` by the worker."""

    def __init__(self, database: Database, writer: Writer, rules: Rules) -> None:
        self._database, self._writer, self._rules = database, writer, rules

    async def run_once(self) -> list[int]:
        """Escalate what is overdue long enough by now; the ids."""
        if not self._rules.escalate_min:
            return []
        now = clock.now()
        async with self._database.read() as db:
            ripe = await self._ripe(db, now)
        if not ripe:
            return []
        return await self._writer.do(lambda unit: _escalate(unit, ripe, now), name="escalation")

    async def _ripe(self, db: AsyncConnection, now: datetime) -> list[int]:
        """The hours of the line decide: at night nobody is told that an evening's promise was broken."""
        overdue = Task.due_at < now - timedelta(minutes=self._rules.escalate_min)
        rows = (await db.execute(select(*_COLUMNS).where(*_open(now), overdue).order_by(Task.due_at))).all()
        found: list[int] = []
        for row in rows:
            at = self._rules.escalates(row.due_at, row.snoozed_until, row.queue, row.called)
            if at is not None and at <= now:
                found.append(row.id)
        return found[:_MOST]


def _open(now: datetime) -> tuple[Any, ...]:
    awake = or_(Task.snoozed_until.is_(None), Task.snoozed_until <= now)
    return (Task.state == "open", Task.kind == CALLBACK, Task.escalated_at.is_(None), awake)


async def _escalate(unit: Unit, ids: list[int], now: datetime) -> list[int]:
    """Only those that are still open: somebody may have called meanwhile, or another worker was faster."""
    statement = (
        update(Task)
        .where(Task.id.in_(ids), *_open(now))
        .values(escalated_at=unit.now, version=Task.version + 1)
        .returning(Task.id, Task.owner_id)
    )
    rows = (await unit.db.execute(statement)).all()
    for row in rows:
        unit.fact("task.changed", task=row.id, owner=row.owner_id)
        await audit.write(unit, None, "escalate", "task", row.id)
    return [row.id for row in rows]
