"""One task: what is known of it, its checklist, and what people do with it."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed
from callcrm.tasks import checklist, queries, service
from webui import taskforms, taskrows, taskwords
from webui.i18n import _
from webui.queues import queues_of
from webui.routes import Routes
from webui.taskacts import act, load
from webui.visit import Visit, as_id

routes = Routes()


@routes.route("GET", "/tasks/{id}", right=Right.TASKS)
async def task(request: web.Request) -> web.StreamResponse:
    """Its form, its checklist, and where it comes from."""
    visit = Visit(request)
    return await _page(visit, visit.number("id"))


async def _page(
    visit: Visit,
    task_id: int,
    *,
    typed: Mapping[str, str] | None = None,
    bad: Mapping[str, str] | None = None,
    status: int = 200,
    theirs: str = "",
) -> web.Response:
    queues = queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        line = (await queries.whole_task(db, visit.actor, task_id, queues=queues)).task
        items = await checklist.items(db, task_id)
    shown = {**taskforms.filled(line), **(typed or {})}
    offered = await taskforms.offered(visit, shown)
    whose = [shown["whose"]] if shown["whose"] not in dict(offered.whose) else []
    return await visit.page(
        "tasks/task.html",
        status=status,
        task=taskrows.view(visit.parts, line),
        line=line,
        items=items,
        offered=offered,
        holder=[(code, taskwords.whose(visit.parts, line)) for code in whose],
        typed=shown,
        bad=bad or {},
        theirs=theirs,
    )


@routes.route("POST", "/tasks/{id}", right=Right.TASKS)
async def change(request: web.Request) -> web.StreamResponse:
    """Save it; what cannot be taken is told beside its field, and what somebody else wrote meanwhile is shown."""
    visit = Visit(request)
    task_id, form = visit.number("id"), await visit.form()
    queues, version = queues_of(visit.parts, visit.actor), as_id(form.get("version", ""))
    try:
        typed = await _changed(visit, task_id, form)
        await visit.do(
            lambda unit: service.edit_task(unit, visit.actor, task_id, typed, version, queues=queues), "change task"
        )
    except Invalid as error:
        return await _page(visit, task_id, typed=form, bad=taskforms.complaints(error), status=422)
    except NotAllowed as error:
        return await _page(visit, task_id, typed=form, bad={"whose": str(error)}, status=403)
    except Conflict as error:
        return await _page(visit, task_id, typed=form, status=409, theirs=str(error))
    return visit.away(f"/tasks/{task_id}", done=_("Saved"))


async def _changed(visit: Visit, task_id: int, form: Mapping[str, str]) -> dict[str, Any]:
    """What differs from what the form was filled with: a field that nobody touched is not written over."""
    was = taskforms.filled(await load(visit, task_id))
    typed = taskforms.read(visit, form)
    if form.get("whose", "") == was["whose"]:
        for name in ("owner_id", "queue", "team"):
            typed.pop(name)
    return typed


@routes.route("POST", "/tasks/{id}/close", right=Right.TASKS)
async def close(request: web.Request) -> web.StreamResponse:
    """Done; can be undone."""
    visit = Visit(request)
    return _back(visit, await act(visit, service.close, "close task"))


@routes.route("POST", "/tasks/{id}/drop", right=Right.TASKS)
async def drop(request: web.Request) -> web.StreamResponse:
    """Not worth doing; can be undone."""
    visit = Visit(request)
    return _back(visit, await act(visit, service.close, "drop task", dropped=True))


def _back(visit: Visit, task_id: int) -> web.Response:
    """To the page that it was closed on, where the undo is offered."""
    from urllib.parse import urlsplit

    path = urlsplit(visit.request.headers.get("Referer", "")).path
    return visit.away(f"{path if path in ('/tasks/day', '/tasks/week') else '/tasks'}?closed={task_id}")


@routes.route("POST", "/tasks/{id}/reopen", right=Right.TASKS)
async def reopen(request: web.Request) -> web.StreamResponse:
    """Undo it."""
    visit = Visit(request)
    task_id = await act(visit, service.reopen, "reopen task")
    return visit.away(f"/tasks?id={task_id}")


@routes.route("POST", "/tasks/{id}/take", right=Right.TASKS)
async def take(request: web.Request) -> web.StreamResponse:
    """A group's task is mine now."""
    visit = Visit(request)
    task_id = await act(visit, service.claim, "take task")
    return visit.away(f"/tasks?id={task_id}", done=_("It is yours."))


# ---- the checklist -----------------------------------------------------------------------------------
@routes.route("POST", "/tasks/{id}/items", right=Right.TASKS)
async def add_item(request: web.Request) -> web.StreamResponse:
    """One more line."""
    visit = Visit(request)
    task_id, form, queues = visit.number("id"), await visit.form(), queues_of(visit.parts, visit.actor)
    try:
        await visit.do(
            lambda unit: checklist.add_items(unit, visit.actor, task_id, [form.get("text", "")], queues=queues),
            "add to checklist",
        )
    except Invalid as error:
        return await _page(visit, task_id, bad={"item": str(error)}, status=422)
    return visit.away(f"/tasks/{task_id}#f-item")


@routes.route("POST", "/tasks/{id}/items/{item}", right=Right.TASKS)
async def tick(request: web.Request) -> web.StreamResponse:
    """Tick or untick a line."""
    visit = Visit(request)
    task_id, item, form = visit.number("id"), visit.number("item"), await visit.form()
    version, done = as_id(form.get("version", "")), form.get("done", "") == "yes"
    queues = queues_of(visit.parts, visit.actor)
    await visit.do(
        lambda unit: checklist.change_item(unit, visit.actor, task_id, item, version, done=done, queues=queues), "tick"
    )
    return visit.away(f"/tasks/{task_id}#item-{item}")


@routes.route("POST", "/tasks/{id}/items/{item}/remove", right=Right.TASKS)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take a line away."""
    visit = Visit(request)
    task_id, item, form = visit.number("id"), visit.number("item"), await visit.form()
    version, queues = as_id(form.get("version", "")), queues_of(visit.parts, visit.actor)
    await visit.do(
        lambda unit: checklist.remove_item(unit, visit.actor, task_id, item, version, queues=queues), "take a line away"
    )
    return visit.away(f"/tasks/{task_id}")
