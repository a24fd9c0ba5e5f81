"""Tasks: what is to be done besides calling back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed
from callcrm.kernel.paging import Wanted
from callcrm.tasks import queries, service
from callcrm.tasks.queries import TaskFilters
from webui import owed, paging, show
from webui.i18n import _
from webui.paging import Tab
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
KIND = "task"


@routes.route("GET", "/tasks", right=Right.TASKS)
async def tasks(request: web.Request) -> web.StreamResponse:
    """One's own, everybody's, or what was done."""
    visit = Visit(request)
    query = visit.query
    tab, here = query.get("show", ""), as_id(query["id"]) if "id" in query else None
    filters = TaskFilters(
        kind=KIND,
        state="done" if tab == "done" else "open",
        owner=visit.actor.user_id if not tab else None,
    )
    async with visit.parts.database.read() as db:
        found = await queries.task_list(db, visit.actor, filters, Wanted(100, query.get("cursor", "")))
    known = (("", _("Mine")), ("all", _("All open")), ("done", _("Done")))
    return await visit.page(
        "tasks/list.html",
        rows=[owed.view(visit.parts, task, here) for task in found.items],
        tabs=[Tab(paging.address("/tasks", {}, show=code), word, code == tab) for code, word in known],
        undo=await _undo(visit),
        page=paging.place("/tasks", query, found.next),
        here=paging.address("/tasks", query, cursor=query.get("cursor", "")),
    )


async def _undo(visit: Visit) -> dict[str, Any] | None:
    from webui.pages.callbacks import load

    if "closed" not in visit.query:
        return None
    task = await load(visit, as_id(visit.query["closed"]))
    return {"id": task.id, "version": task.version, "name": task.title} if task.state != "open" else None


@routes.route("GET", "/tasks/new", right=Right.TASKS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form; for a client when one is named."""
    visit = Visit(request)
    return await _form(visit, visit.query, {})


async def _form(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200) -> web.Response:
    from webui.pages.clients import card_of

    client = await card_of(visit, as_id(typed["client"])) if typed.get("client") else None
    owners = [(str(visit.actor.user_id), visit.actor.full_name or visit.actor.name)]
    if may(visit.actor, Right.ASSIGN):
        async with visit.parts.database.read() as db:
            owners = [(str(person.id), person.shown) for person in await accounts.people(db)]
    return await visit.page("tasks/new.html", status=status, client=client, owners=owners, typed=typed, bad=bad)


@routes.route("POST", "/tasks/new", right=Right.TASKS)
async def add(request: web.Request) -> web.StreamResponse:
    """Open a task."""
    visit = Visit(request)
    form = await visit.form()
    try:
        typed = {"kind": KIND, "title": form.get("title", ""), "note": form.get("note", "")}
        more = {"due_at": moment(form.get("due", "")), "client_id": _id(form, "client"), "owner_id": _id(form, "owner")}
        more["owner_id"] = more["owner_id"] or visit.actor.user_id
        await visit.do(lambda unit: service.add_task(unit, visit.actor, typed | more), "add task")
    except Invalid as error:
        fields = {_FIELDS.get(name, name): why for name, why in error.fields.items()}
        return await _form(visit, form, fields, 422)
    except NotAllowed as error:
        return await _form(visit, form, {"owner": str(error)}, 403)
    return visit.away("/tasks", done=_("The task is kept."))


_FIELDS = {"due_at": "due", "owner_id": "owner", "client_id": "client"}


def _id(form: Mapping[str, str], name: str) -> int | None:
    return as_id(form[name]) if form.get(name) else None


def moment(typed: str) -> datetime | None:
    """A date and time of the reader's clock; None when nothing was typed. Raises Invalid."""
    if not typed:
        return None
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        says = _("Write a date and a time, such as 2026-01-31T10:00.")
        raise Invalid(says, {"due_at": says}) from None
    return found if found.tzinfo else found.replace(tzinfo=show.here(clock.now()).tzinfo)


@routes.route("POST", "/tasks/{id}/close", right=Right.TASKS)
async def close(request: web.Request) -> web.StreamResponse:
    """Done; can be undone."""
    from webui.pages.callbacks import act

    visit = Visit(request)
    task_id = await act(visit, service.close, "close task")
    return visit.away(f"/tasks?closed={task_id}")


@routes.route("POST", "/tasks/{id}/reopen", right=Right.TASKS)
async def reopen(request: web.Request) -> web.StreamResponse:
    """Undo it."""
    from webui.pages.callbacks import act

    visit = Visit(request)
    task_id = await act(visit, service.reopen, "reopen task")
    return visit.away(f"/tasks?id={task_id}")


async def after_call(visit: Visit, call_id: str, form: Mapping[str, str], client_id: int | None, number: str) -> None:
    """What comes next after a call: nothing, a call back, or a task. Raises Invalid."""
    wish = form.get("next", "nothing")
    if wish == "nothing":
        return
    typed: dict[str, Any] = {"title": form.get("what", ""), "call_id": call_id, "client_id": client_id}
    typed |= {"due_at": moment(form.get("when", "")), "kind": "callback" if wish == "callback" else KIND}
    if wish == "callback":
        typed["number"] = number
    elif not typed["title"]:
        typed["title"] = _("After the call")
    country = visit.parts.settings.clients.country
    try:
        await visit.do(lambda unit: service.add_task(unit, visit.actor, typed, country=country), "next step")
    except Conflict:
        return  # the caller is owed a call already: that is what was wished
