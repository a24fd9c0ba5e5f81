"""The callbacks: who waits for a call back, until when it was promised, who has it, and what is done with them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.accounts.queries import Named
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.tasks import acts, board, queries
from callcrm.tasks.acts import Deed, Wish
from callcrm.tasks.board import Counts
from callcrm.tasks.tabs import FATES, TABS, Asked
from webui import callboard, paging, show
from webui.i18n import _, ngettext
from webui.paging import Tab
from webui.queues import line_of, queues_of
from webui.routes import Routes
from webui.taskforms import moment
from webui.visit import Visit, as_id

routes = Routes()
SHOWN = 50
CLOSED_SHOWN = timedelta(hours=1)
#: What stands in the address of the board and is kept by its links.
_FILTERS = ("show", "line", "queue", "owner", "short", "day")
#: How far ahead a callback is put off by one choice, in minutes.
LATER = (15, 60, 180)


@routes.route("GET", "/callbacks", right=Right.TASKS)
async def callbacks(request: web.Request) -> web.StreamResponse:
    """The board."""
    visit = Visit(request)
    query = {name: value for name, value in visit.query.items() if name in (*_FILTERS, "cursor")}
    asked, actor, queues = _asked(query), visit.actor, queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        found = await board.rows(db, actor, asked, Wanted(SHOWN, query.get("cursor", "")), queues=queues)
        lately = [] if asked.tab else await board.lately(db, actor, asked.now - CLOSED_SHOWN, queues=queues)
        live = await board.on_the_line(db, [task for task in found.items if task.state == "open"], asked.now)
        calls = await board.settled(db, [*found.items, *lately])
        counts = await board.counts(db, actor, asked, queues=queues)
        promises = await board.promises(db, actor, asked, queues=queues)
        undoable = await acts.last_act(db, actor, asked.now)
        lines = await board.lines_called(db, actor, queues=queues)
        people = await accounts.names(db)
    here = as_id(visit.query["id"]) if "id" in visit.query else None
    rows = [
        callboard.open_row(visit.parts, actor, task, live.get(task.id), here)
        for task in found.items
        if task.state == "open"
    ]
    closed = [task for task in found.items if task.state != "open"] + lately
    own = paging.address("/callbacks", query, cursor=query.get("cursor", ""))
    return await visit.page(
        "callbacks/board.html",
        groups=_groups(visit, rows, asked),
        closed=[callboard.closed_row(visit.parts, task, calls.get(task.closed_call_id or "")) for task in closed],
        closed_heading=_closed_heading(asked),
        tabs=_tabs(visit, counts, query),
        figures=callboard.figures(promises, {fate: _link(query, show=fate) for fate in FATES}),
        chips=_chips(visit, lines, people, query),
        filtered=bool(query.keys() & {"line", "queue", "owner", "short"}),
        heading=callboard.fate_word(asked.tab),
        meaning=callboard.meaning(asked.tab),
        undo={"id": undoable[0], "did": callboard.did(undoable[1], undoable[2])} if undoable else None,
        next=_next(rows),
        colleagues=[person for person in people if person.role != "admin" and person.id != actor.user_id],
        put_off=callboard.reasons_to_put_off(),
        close_reasons=callboard.reasons_to_close(),
        later=_later(asked.now),
        page=paging.place("/callbacks", query, found.next),
        query=query,
        here=own,
        promise=_("Promise: %(n)s min in working hours of the line.")
        % {"n": int(visit.parts.settings.callbacks.promise_min)},
    )


def _asked(query: Mapping[str, str]) -> Asked:
    now = clock.now()
    tab = query.get("show", "")
    if tab not in TABS:
        raise NotFound(_("There is no such page; the address may be cut short."))
    day = _day(query.get("day", "")) or now
    return Asked(
        now=now,
        day=show.midnight(day),
        until=show.midnight(day, 1),
        tab=tab,
        line=query.get("line", ""),
        queue=query.get("queue", ""),
        owner=as_id(query["owner"]) if query.get("owner") else None,
        short={"only": True, "without": False}.get(query.get("short", "")),
    )


def _day(typed: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{typed}T12:00").replace(tzinfo=show.here(clock.now()).tzinfo) if typed else None
    except ValueError:
        raise NotFound(_("There is no such day.")) from None


def _link(query: Mapping[str, str], **changed: str) -> str:
    return paging.address("/callbacks", {name: value for name, value in query.items() if name != "cursor"}, **changed)


def _groups(visit: Visit, rows: list[callboard.BoardRow], asked: Asked) -> list[dict[str, Any]]:
    """What was escalated stands on top of a supervisor's board."""
    if not may(visit.actor, Right.ASSIGN) or asked.tab:
        return [{"heading": "", "rows": rows}]
    told = [row for row in rows if row.task.escalated_at]
    rest = [row for row in rows if not row.task.escalated_at]
    heading = _("Escalated: the promise is broken and nobody has called")
    groups = [{"heading": heading, "rows": told}, {"heading": _("All others") if told else "", "rows": rest}]
    return [group for group in groups if group["rows"]] or [{"heading": "", "rows": []}]


def _next(rows: list[callboard.BoardRow]) -> callboard.BoardRow | None:
    """The most urgent one that nobody holds and that sleeps not."""
    return next((row for row in rows if not row.holds and not row.asleep and row.live is None), None)


def _tabs(visit: Visit, counts: Counts, query: Mapping[str, str]) -> list[Tab]:
    supervises = may(visit.actor, Right.ASSIGN)
    known = (
        ("", _("Open"), counts.open, True),
        ("escalated", _("Escalated"), counts.escalated, supervises),
        ("mine", _("Mine"), counts.mine, True),
        ("queue", _("My queues"), counts.queue, bool(queues_of(visit.parts, visit.actor))),
        ("free", _("Free"), counts.free, True),
        ("overdue", _("Overdue"), counts.overdue, True),
        ("soon", _("Due in 15 min"), counts.soon, True),
        ("asleep", _("Put off"), counts.asleep, True),
        ("short", _("Hung up at once"), counts.short, True),
        ("closed", _("Closed today"), counts.closed, True),
    )
    now = query.get("show", "")
    return [Tab(_link(query, show=code, day=""), word, code == now, n) for code, word, n, shown in known if shown]


def _chips(visit: Visit, lines: list[str], people: list[Named], query: Mapping[str, str]) -> list[dict[str, Any]]:
    settings = visit.parts.settings
    chips = [
        ("line", _("Line"), [(line, line_of(visit.parts, line, None)) for line in lines]),
        ("queue", _("Queue"), [(name, queue.label or name) for name, queue in settings.queues.items()]),
        ("short", _("Hung up at once"), [("only", _("only these")), ("without", _("without these"))]),
    ]
    if may(visit.actor, Right.ASSIGN):
        chips.insert(2, ("owner", _("Held by"), [(str(person.id), person.shown) for person in people]))
    return [
        {"name": name, "label": label, "options": options, "value": query.get(name, "")}
        for name, label, options in chips
    ]


def _closed_heading(asked: Asked) -> str:
    if asked.tab == "closed":
        return _("Closed on this day")
    return _("Closed") if asked.tab else _("Closed by themselves in the last hour")


def _later(now: datetime) -> list[tuple[str, str]]:
    """(moment, words) to choose from when a callback is put off."""
    found = [(show.iso(now + timedelta(minutes=n)), _("in %(span)s") % {"span": show.span(timedelta(minutes=n))})
             for n in LATER]  # fmt: skip
    morning = show.midnight(now, 1) + timedelta(hours=9)
    return [*found, (show.iso(morning), _("tomorrow at %(at)s") % {"at": show.at_time(morning).striptags()})]


@routes.route("POST", "/callbacks/act", right=Right.TASKS)
async def act(request: web.Request) -> web.StreamResponse:
    """Do something with one callback or many: `act`, `ids` (id:version, by comma), and what the act asks for."""
    visit = Visit(request)
    form = await visit.form()
    seen, queues = _seen(form.get("ids", "")), queues_of(visit.parts, visit.actor)
    only = str(next(iter(seen))) if len(seen) == 1 else ""
    try:
        wish = _wish(form)
        done = await visit.do(lambda unit: acts.do(unit, visit.actor, wish, seen, queues=queues), "act on callbacks")
    except (Invalid, Conflict, NotAllowed, NotFound) as error:
        # The board as it is now says the rest: who was faster, or what became of it.
        return visit.away(_back(form, only), done=str(error))
    return visit.away(_back(form, only), done=_said(callboard.did(wish.act, len(done.done)), done))


@routes.route("POST", "/callbacks/undo", right=Right.TASKS)
async def undo(request: web.Request) -> web.StreamResponse:
    """Take back the last thing one did."""
    visit = Visit(request)
    form = await visit.form()
    act_id = as_id(form.get("act", ""))
    try:
        done = await visit.do(lambda unit: acts.undo(unit, visit.actor, act_id), "undo callbacks")
    except (Conflict, NotFound) as error:
        return visit.away(_back(form), done=str(error))
    said = ngettext("Undone for %(n)s callback", "Undone for %(n)s callbacks", len(done.done)) % {"n": len(done.done)}
    return visit.away(_back(form), done=_said(said, done))


@routes.route("GET", "/callbacks/{id}", right=Right.TASKS)
async def one(request: web.Request) -> web.StreamResponse:
    """One callback with each try at it and who did what: a fragment below its row, or of its own."""
    visit = Visit(request)
    task_id, queues = visit.number("id"), queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        whole = await queries.whole_task(db, visit.actor, task_id, queues=queues)
        if whole.task.kind != "callback":
            raise NotFound(_("There is no such callback."))
        deeds = await board.history(db, task_id)
        calls = await board.settled(db, [whole.task])
        names = {person.id: person.shown for person in await accounts.names(db, active_only=False)}
    return await visit.page(
        "callbacks/one.html",
        task=whole.task,
        attempts=whole.attempts,
        deeds=deeds,
        names=names,
        deed=callboard.deed,
        row=callboard.open_row(visit.parts, visit.actor, whole.task, None, None),
        closed=callboard.closed_row(visit.parts, whole.task, calls.get(whole.task.closed_call_id or ""))
        if whole.task.state != "open"
        else None,
    )


@routes.route("GET", "/callbacks/now/mine", right=Right.TASKS)
async def callers(request: web.Request) -> web.StreamResponse:
    """Whom one is to call back and who is on the line now: for the strip, on every page."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found = await board.my_callers(db, visit.actor, clock.now())
    rows = [(callboard.open_row(visit.parts, visit.actor, task, live, None), live) for task, live in found]
    return visit.part("callbacks/callers.html", callers=rows)


def _seen(text: str) -> dict[int, int]:
    """`12:3,15:1`: ids and the versions that were seen."""
    found: dict[int, int] = {}
    for one in text.split(",") if text else ():
        task_id, _colon, version = one.strip().partition(":")
        found[as_id(task_id)] = as_id(version)
    return found


def _wish(form: Mapping[str, str]) -> Wish:
    name = form.get("act", "")
    reason = form.get("reason_text") or form.get("reason", "")
    if name == "close":
        state, _colon, words = form.get("reason", "").partition(":")
        reason = form.get("reason_text") or words
        name = "drop" if state == "dropped" or not words else "close"
    to = as_id(form["to"]) if form.get("to") else None
    return Wish(name, to, moment(form.get("until_at") or form.get("until", "")), reason)


def _back(form: Mapping[str, str], only: str = "") -> str:
    """The same page of the board, at the same row."""
    to = form.get("back") or "/callbacks"
    if not to.startswith("/callbacks") or not only:
        return to
    path, _mark, rest = to.partition("?")
    return f"{path}?{rest}{'&' if rest else ''}id={only}"


def _said(words: str, done: Deed) -> str:
    if not done.left:
        return words[:1].upper() + words[1:] + "."
    left = ngettext("%(n)s was left: %(why)s", "%(n)s were left: %(why)s", len(done.left))
    return f"{words}. " + left % {"n": len(done.left), "why": next(iter(done.left.values()))}
