"""Tasks that repeat: the next one is made when this one is done, or when it is due; once, whoever asks."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exists, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from callcrm.calls.reach import Shy
from callcrm.kernel.writer import Unit
from callcrm.tasks import plans
from callcrm.tasks.tables import WHEN_DUE, Task, TaskItem, TaskReminder

#: What the next one has of the one before.
_KEPT = (
    "kind", "title", "note", "client_id", "call_id", "queue", "team", "owner_id", "owner_why", "created_by",
    "remind_min", "repeat", "repeat_when", "repeat_zone", "repeat_from", "repeat_except",
)  # fmt: skip
_FEW = 100


def _insertion(dialect: str) -> Any:
    insertion = postgresql.insert(Task) if dialect == "postgresql" else sqlite.insert(Task)
    return insertion.on_conflict_do_nothing().returning(Task.id)


_INSERT = {dialect: _insertion(dialect) for dialect in ("sqlite", "postgresql")}


async def follow(unit: Unit, task: Mapping[str, Any]) -> int | None:
    """Make the next one of the series of `task` (a row); its id, None when the series is over or it is made already."""
    due = plans.next_after(task, unit.now)
    if due is None:
        return None
    row = {name: task[name] for name in _KEPT}
    row |= {"state": "open", "due_at": due, "occurs_at": due, "created_at": unit.now, "follows_id": task["id"]}
    row |= {"remind_at": plans.remind_at(due, task["remind_min"])}
    made = (await unit.db.execute(_INSERT[unit.db.dialect.name], row)).scalar_one_or_none()
    if made is None:
        return None
    columns = ("task_id", "place", "text", "version")
    items = select(literal(int(made)), TaskItem.place, TaskItem.text, literal(1)).where(TaskItem.task_id == task["id"])
    await unit.db.execute(insert(TaskItem).from_select(columns, items.order_by(TaskItem.place, TaskItem.id)))
    unit.fact("task.created", task=int(made), owner=task["owner_id"])
    return int(made)


async def take_back(unit: Unit, task_id: int) -> None:
    """The closing that made the next one is undone: it goes, unless somebody touched it."""
    mine = select(Task.id).where(Task.follows_id == task_id, Task.version == 1, Task.state == "open")
    found = (await unit.db.execute(mine)).scalar_one_or_none()
    if found is None:
        return
    for table in (TaskItem, TaskReminder):
        await unit.db.execute(delete(table).where(table.task_id == found))
    await unit.db.execute(delete(Task).where(Task.id == found))


async def follow_due(unit: Unit) -> int:
    """Make the next ones of those that are due and go on by that; gives how many. The series goes over to the next."""
    columns, later = Task.__table__.columns, aliased(Task)
    due = select(*columns).where(WHEN_DUE, Task.due_at <= unit.now, Shy(Task.state) == "open", Task.repeat.is_not(None))
    followed = exists(select(later.id).where(later.follows_id == Task.id))
    rows = (await unit.db.execute(due.where(~followed).order_by(Task.due_at).limit(_FEW))).mappings().all()
    for row in rows:
        await follow(unit, dict(row))
        over = dict.fromkeys(("repeat", "repeat_when"))
        await unit.db.execute(update(Task).where(Task.id == row["id"]).values(**over, version=Task.version + 1))
        unit.fact("task.changed", task=row["id"], owner=row["owner_id"])
    return len(rows)
