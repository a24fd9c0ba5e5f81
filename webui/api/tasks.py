"""Tasks and callbacks."""

from collections.abc import Collection

from callcrm.accounts.policy import Right
from callcrm.kernel import numbers
from callcrm.kernel.paging import Wanted
from callcrm.tasks import queries, service
from callcrm.tasks.queries import TaskFilters, TaskLine
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.taskshapes import Task, TaskBody, TaskChange, TaskPage, TasksQuery
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
    )
    wanted = Wanted(query.limit, query.cursor)
    async with asked.parts.database.read() as db:
        found = await queries.task_list(db, asked.actor, filters, wanted, queues=_queues(asked))
    return TaskPage(items=[_task(line) for line in found.items], next=found.next)


@api.operation(
    "POST", "/tasks", "Open a task", right=Right.TASKS, body=TaskBody, answer=Task, status=201, errors=(409,)
)
async def add_task(asked: Asked[None, TaskBody]) -> Task:
    """A callback whose caller has an open one already is a conflict."""
    typed = asked.body.model_dump(exclude_unset=True)
    country = asked.parts.settings.clients.country
    task_id = await asked.parts.writer.do(
        lambda unit: service.add_task(unit, asked.actor, typed, country=country), name="task"
    )
    return await _read(asked, task_id)


@api.operation(
    "PATCH",
    "/tasks/{id}",
    "Change a task: its texts, due time, owner or state",
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
    await asked.parts.writer.do(
        lambda unit: service.edit_task(unit, asked.actor, task_id, typed, version, queues=queues), name="task"
    )
    return await _read(asked, task_id)


async def _read(asked: "Asked[object, object]", task_id: int) -> Task:
    async with asked.parts.database.read() as db:
        found = await queries.whole_task(db, asked.actor, task_id, queues=_queues(asked))
    return _task(found.task)


def _task(line: TaskLine) -> Task:
    return Task(**{name: getattr(line, name) for name in Task.model_fields})
