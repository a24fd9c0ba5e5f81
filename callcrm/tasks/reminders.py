"""Reminders: due on the server, kept until the person puts them away, so that no reload and no second tab loses one.

A task has one reminder; it stands for its owner, or for each person of its group. Who snoozes it gets it again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import ASKER, Actor, Right, anybody, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.calls.reach import Shy
from callcrm.clients.tables import Client
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks import series
from callcrm.tasks.tables import WHEN_DUE, Task, TaskReminder

#: How often the worker looks for what is due, in seconds: nobody is reminded later than this.
LOOK_S = 3.0
LONGEST_MIN = 7 * 24 * 60
_FEW = 200

QueuePeople = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A reminder that waits for its person."""

    task: int
    kind: str
    title: str
    client_name: str
    due_at: datetime | None
    at: datetime
    version: int


async def standing(db: Db, actor: Actor, *, queues: Collection[str] = ()) -> list[Standing]:
    """What stands in the actor's strip, the oldest first."""
    wanted = _standing(anybody(actor.role, actor.team), tuple(sorted(queues)))
    return [Standing(*row) for row in await wanted.all(db, {ASKER: actor.user_id})]


@lru_cache(maxsize=256)
def _standing(asker: Actor, queues: tuple[str, ...]) -> Prepared:
    name = func.coalesce(Client.name, "")
    columns = (Task.id, Task.kind, Task.title, name, Task.due_at, TaskReminder.at, Task.version)
    wanted: Select[*tuple[Any, ...]] = (
        select(*columns)
        .join(TaskReminder, TaskReminder.task_id == Task.id)
        .outerjoin(Client, Client.id == Task.client_id)
        .where(TaskReminder.user_id == asker.user_id, TaskReminder.again_at.is_(None), Task.state == "open")
    )
    return Prepared(visible_tasks(asker, wanted, queues=queues).order_by(TaskReminder.at, Task.id).limit(20))


async def snooze(unit: Unit, actor: Actor, task_id: int, minutes: int) -> None:
    """Remind again so many minutes from now. Raises NotFound when none stands."""
    if not 1 <= minutes <= LONGEST_MIN:
        raise Invalid("A reminder sleeps 1 minute to 7 days.", {"minutes": "1 to 10080 minutes"})
    await _mine(unit, actor, task_id)
    again = {"again_at": unit.now + timedelta(minutes=minutes)}
    await unit.db.execute(update(TaskReminder).where(*_of(task_id, actor.user_id)).values(**again))
    unit.fact("task.reminded", task=task_id, user=actor.user_id)


async def put_away(unit: Unit, actor: Actor, task_id: int) -> None:
    """The person has seen it. Raises NotFound when none stands."""
    await _mine(unit, actor, task_id)
    await unit.db.execute(delete(TaskReminder).where(*_of(task_id, actor.user_id)))
    unit.fact("task.reminded", task=task_id, user=actor.user_id)


async def forget(unit: Unit, task_id: int) -> None:
    """The task was closed, given to others or put off: nobody is reminded of it any more."""
    gone = await unit.db.execute(
        delete(TaskReminder).where(TaskReminder.task_id == task_id).returning(TaskReminder.user_id)
    )
    for row in gone.all():
        unit.fact("task.reminded", task=task_id, user=row.user_id)


async def look(database: Database, writer: Writer, queue_people: QueuePeople) -> None:
    """Remind of what is due now, and make the next ones of what repeats by its due time. What is missed comes late."""
    now = clock.now()
    async with database.read() as db:
        something = await _due(db, now) or await _again(db, now) or await _repeats(db, now)
    if something:
        await writer.do(lambda unit: tell_due(unit, queue_people), name="reminders")


async def tell_due(unit: Unit, queue_people: QueuePeople) -> None:
    """The same in one unit of work."""
    await series.follow_due(unit)
    for row in await _due(unit.db, unit.now):
        told = {"remind_at": None, "reminded_at": unit.now}
        await unit.db.execute(update(Task).where(Task.id == row["id"]).values(**told))
        users = await _whom(unit.db, row, queue_people)
        rows = [{"task_id": row["id"], "user_id": user, "at": unit.now, "again_at": None} for user in users]
        if rows:
            await upsert(unit.db, TaskReminder, rows)
        for user in users:
            unit.fact("task.reminded", task=row["id"], user=user)
    for row in await _again(unit.db, unit.now):
        awake = {"at": unit.now, "again_at": None}
        await unit.db.execute(update(TaskReminder).where(*_of(row["task_id"], row["user_id"])).values(**awake))
        unit.fact("task.reminded", task=row["task_id"], user=row["user_id"])


async def _due(db: AsyncConnection, now: datetime) -> Sequence[RowMapping]:
    columns = (Task.id, Task.owner_id, Task.queue, Task.team, Task.created_by)
    due = select(*columns).where(Task.remind_at <= now, Task.remind_at.is_not(None), Shy(Task.state) == "open")
    return (await db.execute(due.order_by(Task.remind_at).limit(_FEW))).mappings().all()


async def _again(db: AsyncConnection, now: datetime) -> Sequence[RowMapping]:
    columns = (TaskReminder.task_id, TaskReminder.user_id)
    due = select(*columns).where(TaskReminder.again_at <= now)
    return (await db.execute(due.limit(_FEW))).mappings().all()


async def _repeats(db: AsyncConnection, now: datetime) -> bool:
    due = select(Task.id).where(WHEN_DUE, Task.due_at <= now, Shy(Task.state) == "open")
    return (await db.execute(due.limit(1))).first() is not None


async def _whom(db: AsyncConnection, task: RowMapping, queue_people: QueuePeople) -> list[int]:
    """Its owner; else everybody of its queue or team; else who made it."""
    if task["owner_id"] is not None:
        which = User.id == task["owner_id"]
    elif task["queue"] or task["team"]:
        of_queue = User.name.in_(sorted(queue_people.get(task["queue"] or "", ())))
        which = or_(of_queue, User.team == task["team"]) if task["team"] else of_queue
    else:
        which = User.id == task["created_by"]
    return list((await db.execute(select(User.id).where(which, User.active).order_by(User.id))).scalars())


async def _mine(unit: Unit, actor: Actor, task_id: int) -> None:
    require(actor, Right.TASKS)
    there = select(TaskReminder.task_id).where(*_of(task_id, actor.user_id))
    if (await unit.db.execute(there)).first() is None:
        raise NotFound("You are not reminded of this task, or not any more.")


def _of(task_id: int, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return TaskReminder.task_id == task_id, TaskReminder.user_id == user_id
