"""Tasks as rows for people: on the list, on one's day and one's week."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from callcrm.kernel import clock
from callcrm.tasks.queries import TaskLine
from webui import taskwords
from webui.i18n import _
from webui.parts import Parts


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task in a list; `free`: a group's, so that this person may take it."""

    id: int
    kind: str
    kind_word: str
    icon: str
    state: str
    title: str
    note: str
    href: str
    client_id: int | None
    client_name: str
    call_id: str | None
    due_at: datetime | None
    late: bool
    created_at: datetime
    closed_at: datetime | None
    closed_by: str
    whose: str
    free: bool
    repeats: str
    reminds: str
    items: int
    ticked: int
    version: int
    here: bool


def view(parts: Parts, task: TaskLine, here: int | None = None) -> TaskView:
    """A row."""
    callback = task.kind == "callback"
    name = task.client_name or task.said_name
    return TaskView(
        id=task.id,
        kind=task.kind,
        kind_word=taskwords.kind(task.kind),
        icon=taskwords.kind_icon(task.kind),
        state=task.state,
        title=task.title or (_("Call back") if callback else taskwords.kind(task.kind)),
        note=task.note,
        href=f"/callbacks?id={task.id}" if callback else f"/tasks/{task.id}",
        client_id=task.client_id,
        client_name=name or (task.number or ""),
        call_id=task.call_id,
        due_at=task.due_at,
        late=task.state == "open" and task.due_at is not None and task.due_at < clock.now(),
        created_at=task.created_at,
        closed_at=task.closed_at,
        closed_by=task.closed_by_name,
        whose=taskwords.whose(parts, task),
        free=task.owner_id is None and task.state == "open",
        repeats=taskwords.repeats(task.repeat) if task.repeat else "",
        reminds=taskwords.before(task.remind_min) if task.remind_min is not None else "",
        items=task.items,
        ticked=task.ticked,
        version=task.version,
        here=task.id == here,
    )


def views(parts: Parts, tasks: Iterable[TaskLine], here: int | None = None) -> list[TaskView]:
    """Rows."""
    return [view(parts, task, here) for task in tasks]
