"""The lines of a task's checklist: added, ticked, renamed, taken away. Each names the version it was made from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from callcrm.tasks.tables import Task, TaskItem

MOST = 100
LENGTH = 200


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One line, and who ticked it."""

    id: int
    text: str
    done_at: datetime | None
    done_by: int | None
    done_by_name: str
    version: int


async def items(db: AsyncConnection, task_id: int) -> list[ItemLine]:
    """The checklist of a task that the asker was shown."""
    name = func.coalesce(func.nullif(User.full_name, ""), User.name, "")
    columns = (TaskItem.id, TaskItem.text, TaskItem.done_at, TaskItem.done_by, name, TaskItem.version)
    found = select(*columns).outerjoin(User, User.id == TaskItem.done_by).where(TaskItem.task_id == task_id)
    return [ItemLine(*row) for row in await db.execute(found.order_by(TaskItem.place, TaskItem.id))]


async def add_items(
    unit: Unit, actor: Actor, task_id: int, texts: Sequence[str], *, queues: Collection[str] = ()
) -> list[int]:
    """Put lines at the end of the checklist; gives their ids. Raises Invalid, NotFound."""
    task = await _task(unit, actor, task_id, queues)
    there = select(func.count(), func.coalesce(func.max(TaskItem.place), 0)).where(TaskItem.task_id == task_id)
    count, last = (await unit.db.execute(there)).one()
    kept = [_text(text) for text in texts]
    if count + len(kept) > MOST:
        raise Invalid(f"A checklist has at most {MOST} lines.", {"item": f"at most {MOST} lines"})
    ids = []
    for n, text in enumerate(kept, start=last + 1):
        row = {"task_id": task_id, "place": n, "text": text, "version": 1}
        ids.append(int((await unit.db.execute(insert(TaskItem).returning(TaskItem.id), row)).scalar_one()))
    await _told(unit, actor, task, "add to checklist")
    return ids


async def change_item(
    unit: Unit,
    actor: Actor,
    task_id: int,
    item_id: int,
    version: int,
    *,
    done: bool | None = None,
    text: str | None = None,
    queues: Collection[str] = (),
) -> int:
    """Tick, untick or rename a line; gives its new version. Raises Conflict when somebody was faster."""
    task = await _task(unit, actor, task_id, queues)
    item = await _item(unit, task_id, item_id, version)
    values: dict[str, Any] = {} if text is None else {"text": _text(text)}
    if done is not None and done != (item["done_at"] is not None):
        values |= {"done_at": unit.now, "done_by": actor.user_id} if done else {"done_at": None, "done_by": None}
    if not values:
        return version
    await unit.db.execute(update(TaskItem).where(TaskItem.id == item_id).values(**values, version=version + 1))
    await _told(unit, actor, task, "change checklist")
    return version + 1


async def remove_item(
    unit: Unit, actor: Actor, task_id: int, item_id: int, version: int, *, queues: Collection[str] = ()
) -> None:
    """Take a line away."""
    task = await _task(unit, actor, task_id, queues)
    await _item(unit, task_id, item_id, version)
    await unit.db.execute(delete(TaskItem).where(TaskItem.id == item_id))
    await _told(unit, actor, task, "take from checklist")


def _text(text: str) -> str:
    kept = " ".join(str(text).split())
    if not kept or len(kept) > LENGTH:
        raise Invalid(f"A line has 1 to {LENGTH} characters.", {"item": f"1 to {LENGTH} characters"})
    return kept


async def _task(unit: Unit, actor: Actor, task_id: int, queues: Collection[str]) -> Any:
    require(actor, Right.TASKS)
    wanted: Select[*tuple[Any, ...]] = select(Task.id, Task.owner_id).where(Task.id == task_id)
    found = (await unit.db.execute(visible_tasks(actor, wanted, queues=queues))).first()
    if found is None:
        raise NotFound("There is no such task, or it is not yours to see.")
    return found


async def _item(unit: Unit, task_id: int, item_id: int, version: int) -> dict[str, Any]:
    wanted = select(*TaskItem.__table__.columns).where(TaskItem.id == item_id, TaskItem.task_id == task_id)
    found = (await unit.db.execute(wanted.with_for_update())).mappings().first()
    if found is None:
        raise NotFound("This line is not on the checklist any more.")
    if found["version"] != version:
        raise Conflict("Somebody else changed this line meanwhile; look again.", dict(found))
    return dict(found)


async def _told(unit: Unit, actor: Actor, task: Any, act: str) -> None:
    """The task itself keeps its version: ticking a line must not refuse who edits the note."""
    unit.fact("task.changed", task=task.id, owner=task.owner_id)
    await audit.write(unit, actor, act, "task", task.id)
