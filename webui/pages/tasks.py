"""Tasks: what is to be done besides calling back. The list, a new one, and what comes after a call."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.clients import queries as clients
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed
from callcrm.kernel.paging import Wanted
from callcrm.tasks import days, oneline, service
from callcrm.tasks.days import Span
from callcrm.tasks.queries import TaskFilters
from webui import paging, show, taskforms, taskrows, taskwords
from webui.i18n import _
from webui.paging import Tab
from webui.queues import queues_of
from webui.routes import Routes
from webui.taskacts import undo
from webui.taskforms import moment
from webui.visit import Visit, as_id

routes = Routes()
KIND = "task"
CLIENTS = 5
_STATES = {"done": "done", "dropped": "dropped"}


@routes.route("GET", "/tasks", right=Right.TASKS)
async def tasks(request: web.Request) -> web.StreamResponse:
    """One's own, one's groups', everybody's, or what was done; the filters stand in the address."""
    visit = Visit(request)
    query, actor = visit.query, visit.actor
    tab, here = query.get("show", ""), as_id(query["id"]) if "id" in query else None
    filters = TaskFilters(
        kind=query.get("kind"),
        state=_STATES.get(tab, "open"),
        owner=actor.user_id if not tab else None,
        client=as_id(query["client"]) if "client" in query else None,
    )
    queues, wanted = queues_of(visit.parts, actor), Wanted(100, query.get("cursor", ""))
    span = span_of(query.get("due", ""))
    async with visit.parts.database.read() as db:
        found = await days.found(db, actor, filters, wanted, span=span, of_groups=tab == "groups", queues=queues)
    return await visit.page(
        "tasks/list.html",
        rows=taskrows.views(visit.parts, found.items, here),
        tabs=tabs(query, tab),
        undo=await undo(visit),
        page=paging.place("/tasks", query, found.next),
        here=paging.address("/tasks", query, cursor=query.get("cursor", "")),
        query=query,
        kinds=[("", _("any")), *((code, taskwords.kind(code)) for code in taskwords.KINDS)],
        dues=dues(),
    )


def tabs(query: Mapping[str, str], here: str) -> list[Tab]:
    """My day, my week, and the lists; the lists keep kind and due."""
    kept = {key: value for key, value in query.items() if key in ("kind", "due", "client")}
    lists = [("", _("Mine")), ("groups", _("My groups’")), ("all", _("All open")), ("done", _("Done"))]
    lists += [("dropped", _("Dropped"))]
    spans = (("day", "/tasks/day", _("My day")), ("week", "/tasks/week", _("My week")))
    found = [Tab(href, word, code == here) for code, href, word in spans]
    return found + [Tab(paging.address("/tasks", kept, show=code), word, code == here) for code, word in lists]


def dues() -> list[tuple[str, str]]:
    """The due times that may be filtered by."""
    return [
        ("", _("any time")),
        ("overdue", _("overdue")),
        ("today", _("today")),
        ("week", _("in 7 days")),
        ("none", _("without due time")),
    ]


def span_of(code: str) -> Span:
    """A due filter as moments of the reader's clock."""
    now = clock.now()
    midnight = show.midnight(now)
    return {
        "overdue": Span(until=now),
        "today": Span(midnight, show.midnight(now, 1)),
        "week": Span(midnight, show.midnight(now, 7)),
        "none": Span(undated=True),
    }.get(code, Span())


# ---- a new one ---------------------------------------------------------------------------------------
@routes.route("GET", "/tasks/line", right=Right.TASKS)
async def preview(request: web.Request) -> web.StreamResponse:
    """What a line would become, while it is typed."""
    visit = Visit(request)
    typed, found = await understood(visit, visit.query.get("line", ""))
    due = moment(typed["due"])
    return visit.part(
        "tasks/understood.html", typed=typed, due=due, found=found, rule=taskwords.repeats(typed["repeat"])
    )


async def understood(visit: Visit, line: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """A line as the form's fields, and the clients that it may mean."""
    said = oneline.understand(line, show.here(clock.now()).replace(tzinfo=None))
    found = await _clients(visit, said.whom) if said.whom else []
    typed = {"title": said.title, "kind": "call" if said.whom else KIND, "repeat": said.repeat}
    typed["due"] = said.due.strftime("%Y-%m-%dT%H:%M") if said.due else ""
    typed["client"] = found[0][0] if found else ""
    return typed, found


async def _clients(visit: Visit, whom: str) -> list[tuple[str, str]]:
    """Cards with this name or number; a name's last letter may be its case ("Марине" is Марина)."""
    country = visit.parts.settings.clients.country
    stem = " ".join(word[:-1] if len(word) > 3 and word.isalpha() else word for word in whom.split())
    async with visit.parts.database.read() as db:
        for wish in dict.fromkeys((whom, stem)):
            page = await clients.client_list(db, visit.actor, wish, Wanted(CLIENTS), country=country)
            if page.items:
                return [(str(one.id), _named(one.name or one.said_name, one.organisation)) for one in page.items]
    return []


def _named(name: str, organisation: str) -> str:
    return ", ".join(part for part in (name or _("Unknown caller"), organisation) if part)


@routes.route("GET", "/tasks/new", right=Right.TASKS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form, or what was understood of a line; for a client or a call when one is named."""
    visit = Visit(request)
    typed, found = dict(visit.query), list[tuple[str, str]]()
    if "line" in typed:
        said, found = await understood(visit, typed["line"])
        typed = {**said, **typed}
    return await _form(visit, typed, {}, found=found)


async def _form(
    visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200, *, found: Any = ()
) -> web.Response:
    from webui.pages.clients import card_of

    if typed.get("client") and not found:
        card = await card_of(visit, as_id(typed["client"]))
        found = [(str(card.id), card.title or _("Unknown caller"))]
    offered = await taskforms.offered(visit, typed)
    return await visit.page(
        "tasks/new.html",
        status=status,
        clients=list(found),
        offered=offered,
        typed=typed,
        bad=bad,
        ready="line" in typed,
    )


@routes.route("POST", "/tasks/new", right=Right.TASKS)
async def add(request: web.Request) -> web.StreamResponse:
    """Open a task."""
    visit = Visit(request)
    form = await visit.form()
    queues = queues_of(visit.parts, visit.actor)
    try:
        typed = {"kind": form.get("kind") or KIND, "call_id": form.get("call"), **taskforms.read(visit, form)}
        typed["items"] = [line for line in form.get("items", "").splitlines() if line.strip()]
        task_id = await visit.do(lambda unit: service.add_task(unit, visit.actor, typed, queues=queues), "add task")
    except Invalid as error:
        return await _form(visit, form, taskforms.complaints(error), 422)
    except NotAllowed as error:
        return await _form(visit, form, {"whose": str(error)}, 403)
    mine = typed["owner_id"] == visit.actor.user_id
    return visit.away(f"/tasks?{'' if mine else 'show=all&'}id={task_id}", done=_("The task is kept."))


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
