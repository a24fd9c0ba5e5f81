"""The callbacks: who waits for a call back, until when it was promised, and who has it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel import clock
from callcrm.kernel.paging import Wanted
from callcrm.tasks import queries, service
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.queries import Counts, TaskFilters, TaskLine
from webui import owed, paging, show
from webui.i18n import _
from webui.paging import Tab
from webui.queues import queues_of
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
SOON = timedelta(minutes=15)
CLOSED_SHOWN = timedelta(hours=1)


@routes.route("GET", "/callbacks", right=Right.TASKS)
async def callbacks(request: web.Request) -> web.StreamResponse:
    """The board."""
    visit = Visit(request)
    query = visit.query
    tab, queues = query.get("show", ""), queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        filters, wanted = _filters(visit, tab), Wanted(100, query.get("cursor", ""))
        found = await queries.task_list(db, visit.actor, filters, wanted, queues=queues)
        own = TaskFilters(kind=CALLBACK, state="done", closed_by_itself=True)
        lately = await queries.task_list(db, visit.actor, own, Wanted(20), queues=queues)
        figures = await queries.counts(db, visit.actor, clock.now(), queues=queues, day=_midnight())
    here = as_id(query["id"]) if "id" in query else None
    rows = [owed.view(visit.parts, task, here) for task in found.items]
    fresh = [task for task in lately.items if task.closed_at and clock.now() - task.closed_at < CLOSED_SHOWN]
    is_closed = tab == "closed"
    return await visit.page(
        "callbacks/board.html",
        open=[] if is_closed else rows,
        closed=rows if is_closed else [owed.view(visit.parts, task) for task in fresh] if not tab else [],
        closed_heading=_("Closed today") if is_closed else _("Closed by themselves in the last hour"),
        tabs=_tabs(figures, tab),
        figures=(),
        undo=await _undo(visit),
        page=paging.place("/callbacks", query, found.next),
        here=paging.address("/callbacks", query, cursor=query.get("cursor", "")),
        promise=_("Promise: %(n)s min in working hours.") % {"n": int(visit.parts.settings.callbacks.promise_min)},
    )


def _filters(visit: Visit, tab: str) -> TaskFilters:
    if tab == "mine":
        return TaskFilters(kind=CALLBACK, owner=visit.actor.user_id)
    if tab in ("overdue", "soon"):
        return TaskFilters(kind=CALLBACK, due_before=clock.now() + (SOON if tab == "soon" else timedelta()))
    if tab == "free":
        return TaskFilters(kind=CALLBACK, nobodys=True)
    return TaskFilters(kind=CALLBACK, state="done" if tab == "closed" else "open")


def _tabs(figures: Counts, now: str) -> list[Tab]:
    known = (
        ("", _("Open"), figures.open),
        ("mine", _("Mine"), figures.mine),
        ("free", _("Free"), figures.nobodys),
        ("overdue", _("Overdue"), figures.overdue),
        ("soon", _("Due in 15 min"), figures.soon + figures.overdue),
        ("closed", _("Closed today"), figures.closed_today),
    )
    return [Tab(paging.address("/callbacks", {}, show=code), word, code == now, n) for code, word, n in known]


def _midnight() -> datetime:
    return show.here(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)


async def _undo(visit: Visit) -> dict[str, Any] | None:
    """What was just closed by hand, to be taken back."""
    if "closed" not in visit.query:
        return None
    task = await load(visit, as_id(visit.query["closed"]))
    if task.state == "open":
        return None
    return {"id": task.id, "version": task.version, "name": task.title or task.client_name or task.number or ""}


async def load(visit: Visit, task_id: int) -> TaskLine:
    """A task that this person may see."""
    queues = queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        return (await queries.whole_task(db, visit.actor, task_id, queues=queues)).task


Act = Callable[..., Awaitable[int]]


async def act(visit: Visit, work: Act, name: str) -> int:
    """Do something with the task of the address, from the version that was seen."""
    form, task_id = await visit.form(), visit.number("id")
    version, queues = as_id(form.get("version", "")), queues_of(visit.parts, visit.actor)
    await visit.do(lambda unit: work(unit, visit.actor, task_id, version, queues=queues), name)
    return task_id


@routes.route("POST", "/callbacks/{id}/take", right=Right.TASKS)
async def take(request: web.Request) -> web.StreamResponse:
    """It is mine now; nobody else calls this client."""
    visit = Visit(request)
    task_id = await act(visit, service.claim, "take callback")
    return visit.away(f"/callbacks?id={task_id}")


@routes.route("POST", "/callbacks/{id}/release", right=Right.TASKS)
async def release(request: web.Request) -> web.StreamResponse:
    """Anybody may have it."""
    visit = Visit(request)
    task_id = await act(visit, service.release, "release callback")
    return visit.away(f"/callbacks?id={task_id}")


@routes.route("POST", "/callbacks/{id}/close", right=Right.TASKS)
async def close(request: web.Request) -> web.StreamResponse:
    """Done without a call; can be undone."""
    visit = Visit(request)
    task_id = await act(visit, service.close, "close callback")
    return visit.away(f"/callbacks?closed={task_id}")


@routes.route("POST", "/callbacks/{id}/reopen", right=Right.TASKS)
async def reopen(request: web.Request) -> web.StreamResponse:
    """Undo a closing."""
    visit = Visit(request)
    task_id = await act(visit, service.reopen, "reopen callback")
    return visit.away(f"/callbacks?id={task_id}")
