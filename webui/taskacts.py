"""What the pages of callbacks and of tasks do alike: read one, act on it, offer to take it back."""

from collections.abc import Awaitable, Callable
from typing import Any

from callcrm.tasks import queries
from callcrm.tasks.queries import TaskLine
from webui.queues import queues_of
from webui.visit import Visit, as_id

Act = Callable[..., Awaitable[int]]


async def load(visit: Visit, task_id: int) -> TaskLine:
    """A task that this person may see."""
    queues = queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        return (await queries.whole_task(db, visit.actor, task_id, queues=queues)).task


async def act(visit: Visit, work: Act, name: str, **more: Any) -> int:
    """Do something with the task of the address, from the version that was seen; gives its id."""
    form, task_id = await visit.form(), visit.number("id")
    version, queues = as_id(form.get("version", "")), queues_of(visit.parts, visit.actor)
    await visit.do(lambda unit: work(unit, visit.actor, task_id, version, queues=queues, **more), name)
    return task_id


async def undo(visit: Visit) -> dict[str, Any] | None:
    """What was just closed by hand (`?closed=`), to be taken back; None when there is nothing."""
    if "closed" not in visit.query:
        return None
    task = await load(visit, as_id(visit.query["closed"]))
    if task.state == "open":
        return None
    name = task.title or task.client_name or task.number or ""
    return {"id": task.id, "version": task.version, "name": name, "state": task.state}
