"""Reminders of tasks over push: to their person alone, as they stand now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.clients.tables import Client
from callcrm.kernel.facts import Fact
from callcrm.push import messages
from callcrm.push.shapes import ReminderData
from callcrm.push.teller import Outlet
from callcrm.tasks.tables import Task, TaskReminder

KIND = "task.reminded"


async def tell(db: AsyncConnection, facts: Sequence[Fact], out: Outlet) -> None:
    """Each reminder that fell due, sleeps or was put away, once; to all sockets of its person."""
    when = {(int(task), int(user)): fact.at for fact in facts if (ids := _ids(fact)) for task, user in [ids]}
    if not when:
        return
    rows = {(row.id, row.user_id): row for row in await _read(db, list(when))}
    for (task, user), at in when.items():
        clients = list(out.of(user))
        if clients:
            data = _data(task, rows.get((task, user)))
            out.send(clients, messages.write(KIND, out.next_id(), at, data))


def _ids(fact: Fact) -> tuple[str | int, str | int] | None:
    task, user = fact.ids.get("task"), fact.ids.get("user")
    return (task, user) if fact.kind == KIND and task is not None and user is not None else None


async def _read(db: AsyncConnection, keys: list[tuple[int, int]]) -> Sequence[Any]:
    which = or_(*(and_(TaskReminder.task_id == task, TaskReminder.user_id == user) for task, user in keys))
    name = func.coalesce(Client.name, "").label("client_name")
    columns = (Task.id, Task.title, Task.kind, Task.due_at, TaskReminder.user_id, TaskReminder.again_at, name)
    statement = select(*columns).join(TaskReminder, TaskReminder.task_id == Task.id)
    return (await db.execute(statement.outerjoin(Client, Client.id == Task.client_id).where(which))).all()


def _data(task: int, row: Any) -> ReminderData:
    if row is None:
        return ReminderData(task=task, state="gone")
    again: datetime | None = row.again_at
    return ReminderData(
        task=task,
        state="asleep" if again else "due",
        kind=row.kind,
        title=row.title,
        client_name=row.client_name,
        due_at=row.due_at,
        again_at=again,
    )
