"""The desk: my work, the client's card, and the live call's sheet."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.calls import queries as calls
from callcrm.calls.log import Filters
from callcrm.kernel import clock
from callcrm.kernel.paging import Wanted
from callcrm.tasks import board as callback_board
from callcrm.tasks import days
from callcrm.tasks import queries as tasks
from callcrm.tasks.queries import TaskFilters, TaskLine
from callcrm.tasks.tabs import Asked
from webui import owed, rows, sheets, show, timeline
from webui.desk import Sheet, hint_of
from webui.i18n import _, ngettext
from webui.owed import OwedView
from webui.pages.clients import card_of
from webui.queues import queues_of
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, when no call is there."""

    word: str
    more: str
    number: str = ""
    name: str = ""
    whom: str = ""
    href: str = ""
    act: str = ""


@routes.route("GET", "/", right=Right.CALLS)
async def desk(request: web.Request) -> web.StreamResponse:
    """The three zones; the third is part of the shell."""
    visit = Visit(request)
    work = await work_of(visit)
    sheet = await sheets.sheet_of(visit.parts, visit.actor)
    return await visit.page("desk/desk.html", work=work, **await client_of(visit, sheet, work))


@routes.route("GET", "/desk/work", right=Right.CALLS)
async def work(request: web.Request) -> web.StreamResponse:
    """My work, anew."""
    visit = Visit(request)
    return visit.part("desk/work_part.html", work=await work_of(visit))


@routes.route("GET", "/desk/live", right=Right.CALLS)
async def live(request: web.Request) -> web.StreamResponse:
    """The sheet of one pop, or of the one that is open; empty when there is none."""
    visit = Visit(request)
    sheet = await sheets.sheet_of(visit.parts, visit.actor, hint_of(request.query))
    async with visit.parts.database.read() as db:
        person = await accounts.person(db, visit.actor.name)
    on_shift = bool(person and person.on_shift_since)
    return visit.part("desk/live.html", sheet=sheet, shell_desk=bool(visit.query.get("desk")), on_shift=on_shift)


@routes.route("GET", "/desk/pop/{pop}", right=Right.CALLS)
async def pop(request: web.Request) -> web.StreamResponse:
    """The sheet of one pop by its id."""
    visit = Visit(request)
    hint = hint_of(request.query) | {"pop": request.match_info["pop"][:32]}
    sheet = await sheets.sheet_of(visit.parts, visit.actor, hint)
    return visit.part("desk/live.html", sheet=sheet, shell_desk=True, on_shift=True)


@routes.route("GET", "/desk/client", right=Right.CALLS)
async def client(request: web.Request) -> web.StreamResponse:
    """The centre: the card of the open call's client, or what to do next."""
    visit = Visit(request)
    sheet = await sheets.sheet_of(visit.parts, visit.actor, hint_of(request.query))
    return visit.part("desk/client.html", **await client_of(visit, sheet, await work_of(visit)))


async def work_of(visit: Visit) -> dict[str, Any]:
    """Callbacks that are mine or my queues', my tasks, my last calls."""
    parts, actor = visit.parts, visit.actor
    queues, me = queues_of(parts, actor), actor.user_id
    async with parts.database.read() as db:
        board = await tasks.board(db, actor, queues=queues, limit=50)
        todo = await days.found(db, actor, TaskFilters(owner=me), Wanted(50))
        log = await calls.call_log(db, actor, Filters(operator=me), Wanted(SHOWN))
    told = await _escalated(visit)
    mine = [task for task in (*board.mine, *board.nobodys) if task.id not in {one.id for one in told}]
    due = [owed.view(parts, task) for task in (*told, *mine)]
    listed = [owed.view(parts, task) for task in todo.items]
    return {
        "callbacks": sorted(due, key=lambda task: (not task.escalated, task.due_at is None, task.due_at))[:SHOWN],
        "callbacks_total": len(due),
        "tasks": listed[:4],
        "tasks_total": len(listed),
        "calls": [rows.call_view(parts, call) for call in log.items],
    }


async def _escalated(visit: Visit) -> list[TaskLine]:
    """Broken promises that a supervisor was told of, whoever holds them."""
    if not may(visit.actor, Right.ASSIGN):
        return []
    now = clock.now()
    async with visit.parts.database.read() as db:
        found = await callback_board.rows(db, visit.actor, Asked(now, now, now, "escalated"), Wanted(SHOWN))
    return list(found.items)


async def client_of(visit: Visit, sheet: Sheet | None, work: dict[str, Any]) -> dict[str, Any]:
    """The centre of the desk: a card with its timeline, or the quickest order of work."""
    if sheet is None or sheet.client_id is None:
        return {"card": None, "steps": await steps_of(visit, work["callbacks"]), "guess": ""}
    card = await card_of(visit, sheet.client_id)
    base = f"/clients/{card.id}"
    line = await timeline.of_client(visit.parts, visit.actor, card.id, base)
    guess = ""
    if len(sheet.choices) > 1 and not sheet.chosen:
        guess = _(
            "Shown because it is the likeliest. Choose in the sheet who it is; the call is filed with that person."
        )
    return {"card": card, "days": line.days, "tabs": line.tabs, "more": line.more, "guess": guess, "steps": []}


async def steps_of(visit: Visit, due: list[OwedView]) -> list[Step]:
    """The most urgent callbacks, then calls of today that nobody said anything of."""
    found = [_step(task, first=n == 0) for n, task in enumerate(due[:2])]
    async with visit.parts.database.read() as db:
        today = show.here(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        unsaid = Filters(operator=visit.actor.user_id, unsaid=True, since=today)
        waiting = len((await calls.call_log(db, visit.actor, unsaid, Wanted(99))).items)
    if waiting:
        word = ngettext("%(n)s call of today has no disposition.", "%(n)s calls of today have no disposition.", waiting)
        href = f"/calls?show=unsaid&operator={visit.actor.user_id}"
        found.append(Step(word % {"n": waiting}, _("It takes a key each."), href=href, act=_("Set them")))
    return found or [Step(_("Nobody waits and nothing is open."), _("Enjoy the quiet."))]


def _step(task: OwedView, *, first: bool) -> Step:
    name = task.client_name or (show.tel(task.number).striptags() if task.number else _("the unknown caller"))
    word = (_("Call back %(name)s.") if first else _("Then %(name)s.")) % {"name": name}
    left = (task.due_at - clock.now()) if task.due_at else None
    more = ""
    if left is not None:
        late = left.total_seconds() < 0
        more = (_("The promise ran out %(span)s ago.") if late else _("%(span)s left.")) % {
            "span": show.length(abs(left))
        }
    return Step(word, more, number=task.number or "", name=name, whom=f"task:{task.id}")
