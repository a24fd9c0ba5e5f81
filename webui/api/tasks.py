"""Tasks and callbacks."""

from collections.abc import Collection
from dataclasses import asdict

from callcrm.accounts.policy import Right
from callcrm.kernel import clock, numbers
from callcrm.kernel.errors import NotFound
from callcrm.kernel.paging import Wanted
from callcrm.tasks import acts, board, checklist, days, queries, service
from callcrm.tasks.days import Span
from callcrm.tasks.queries import TaskFilters, TaskLine
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.taskshapes import (
    Attempt,
    Item,
    ItemBody,
    ItemChange,
    Task,
    TaskBody,
    TaskChange,
    TaskPage,
    TasksQuery,
    WholeTask,
)
from webui.api.versions import version_of


def _queues(asked: "Asked[object, object]") -> Collection[str]:
    """The queues whose callbacks are the asker's too."""
    return [name for name, queue in asked.parts.settings.queues.items() if asked.actor.name in queue.people]


@api.operation("GET", "/tasks", "Tasks and callbacks", right=Right.TASKS, query=TasksQuery, answer=TaskPage)
async def list_tasks(asked: Asked[TasksQuery, None]) -> TaskPage:
    """A page of the tasks that the asker may see."""
    query = asked.query
    number = query.number and (numbers.parse(query.number, asked.parts.settings.clients.country).key or query.number)
    filters = TaskFilters(
        kind=query.kind,
        state=query.state,
        owner=query.owner,
        queue=query.queue,
        client=query.client,
        number=number,
        nobodys=query.nobodys,
        due_before=query.due_before,
    )
    narrowed = [
        *days.due_in(Span(since=query.due_since)),
        *board.narrowed(
            clock.now(),
            line=query.line or "",
            overdue=query.overdue,
            escalated=query.escalated,
            short=query.short_abandon,
        ),
    ]
    wanted = Wanted(query.limit, query.cursor)
    async with asked.parts.database.read() as db:
        found = await queries.task_list(db, asked.actor, filters, wanted, queues=_queues(asked), narrowed=narrowed)
    return TaskPage(items=[_task(line) for line in found.items], next=found.next)


@api.operation(
    "POST", "/tasks", "Open a task", right=Right.TASKS, body=TaskBody, answer=Task, status=201, errors=(409,)
)
async def add_task(asked: Asked[None, TaskBody]) -> Task:
    """A callback whose caller has an open one already is a conflict."""
    typed = asked.body.model_dump(exclude_unset=True)
    country, queues = asked.parts.settings.clients.country, _queues(asked)
    task_id = await asked.parts.writer.do(
        lambda unit: service.add_task(unit, asked.actor, typed, country=country, queues=queues), name="task"
    )
    return await _read(asked, task_id)


@api.operation(
    "PATCH",
    "/tasks/{id}",
    "Change a task: its texts, plan, owner, group or state",
    right=Right.TASKS,
    body=TaskChange,
    answer=Task,
    errors=(409,),
)
async def change_task(asked: Asked[None, TaskChange]) -> Task:
    """The version keeps two people from overwriting each other."""
    task_id = asked.number("id")
    typed = asked.body.model_dump(exclude_unset=True, exclude={"version"})
    version, queues = version_of(asked.request, asked.body.version), _queues(asked)
    before = await _read(asked, task_id)
    changed = await asked.parts.writer.do(
        lambda unit: acts.change(unit, asked.actor, task_id, typed, version, queues=queues), name="task"
    )
    try:
        return await _read(asked, task_id)
    except NotFound:
        # Handed to somebody else, it is no longer the asker's to see.
        gone = {"version": changed, "owner_id": typed.get("owner_id"), "owner_why": "assigned", "owner_name": ""}
        return before.model_copy(update=gone)


async def _read(asked: "Asked[object, object]", task_id: int) -> Task:
    async with asked.parts.database.read() as db:
        found = await queries.whole_task(db, asked.actor, task_id, queues=_queues(asked))
    return _task(found.task)


def _task(line: TaskLine) -> Task:
    return Task(**{name: getattr(line, name) for name in Task.model_fields})


@api.operation("GET", "/tasks/{id}", "A task with its checklist", right=Right.TASKS, answer=WholeTask)
async def get_task(asked: Asked[None, None]) -> WholeTask:
    """One task that the asker may see."""
    return await _whole(asked, asked.number("id"))


async def _whole(asked: "Asked[object, object]", task_id: int) -> WholeTask:
    async with asked.parts.database.read() as db:
        whole = await queries.whole_task(db, asked.actor, task_id, queues=_queues(asked))
        lines = await checklist.items(db, task_id)
    return WholeTask(
        task=_task(whole.task),
        checklist=[Item(**asdict(line)) for line in lines],
        attempts=[Attempt(**asdict(one)) for one in whole.attempts],
    )


@api.operation(
    "POST", "/tasks/{id}/items", "Add to a checklist", right=Right.TASKS, body=ItemBody, answer=WholeTask, status=201
)
async def add_items(asked: Asked[None, ItemBody]) -> WholeTask:
    """Lines at its end."""
    task_id, texts, queues = asked.number("id"), asked.body.texts, _queues(asked)
    await asked.parts.writer.do(
        lambda unit: checklist.add_items(unit, asked.actor, task_id, texts, queues=queues), name="checklist"
    )
    return await _whole(asked, task_id)


@api.operation(
    "PATCH",
    "/tasks/{id}/items/{item}",
    "Tick, untick or rename a line of a checklist",
    right=Right.TASKS,
    body=ItemChange,
    answer=WholeTask,
    errors=(409,),
)
async def change_item(asked: Asked[None, ItemChange]) -> WholeTask:
    """The line's version keeps two people from ticking past each other."""
    task_id, item, body = asked.number("id"), asked.number("item"), asked.body
    version, queues = version_of(asked.request, body.version), _queues(asked)
    await asked.parts.writer.do(
        lambda unit: checklist.change_item(
            unit, asked.actor, task_id, item, version, done=body.done, text=body.text, queues=queues
        ),
        name="checklist",
    )
    return await _whole(asked, task_id)
