"""My day and my week: tasks and callbacks by their due times, on the reader's own clock."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel import clock
from callcrm.tasks import days
from webui import show, taskrows
from webui.i18n import _
from webui.pages.tasks import tabs
from webui.queues import queues_of
from webui.routes import Routes
from webui.taskacts import undo
from webui.taskrows import TaskView
from webui.visit import Visit

routes = Routes()


@dataclass(frozen=True, slots=True)
class DayView:
    """One day of the week's page."""

    heading: str
    href: str
    today: bool
    rows: list[TaskView]


@routes.route("GET", "/tasks/day", right=Right.TASKS)
async def day(request: web.Request) -> web.StreamResponse:
    """What is due that day; on today's page also what is late."""
    visit = Visit(request)
    wanted, today = _wanted(visit), show.day_of(clock.now())
    begin, end = _moment(wanted), _moment(wanted + timedelta(days=1))
    found = await _agenda(visit, begin, end, overdue=wanted == today)
    rows = taskrows.views(visit.parts, found.open)
    late = [row for row in rows if row.due_at is not None and row.due_at < begin]
    parts = [(_("Late"), late), (_("To do"), rows[len(late) :]), (_("Done"), taskrows.views(visit.parts, found.done))]
    return await visit.page(
        "tasks/day.html",
        heading=show.day(begin),
        parts=[(word, listed) for word, listed in parts if listed],
        tabs=tabs({}, "day"),
        around=_around("/tasks/day", wanted, 1),
        undo=await undo(visit),
        here=f"/tasks/day?date={wanted.isoformat()}",
        more=found.more,
    )


@routes.route("GET", "/tasks/week", right=Right.TASKS)
async def week(request: web.Request) -> web.StreamResponse:
    """Seven days from Monday on; late ones first when it is this week."""
    visit = Visit(request)
    wanted, today = _wanted(visit), show.day_of(clock.now())
    monday = wanted - timedelta(days=wanted.weekday())
    begin, end = _moment(monday), _moment(monday + timedelta(days=7))
    span = {"first": show.day_short(begin), "last": show.day_short(end - timedelta(hours=1))}
    found = await _agenda(visit, begin, end, overdue=monday <= today < monday + timedelta(days=7))
    rows = taskrows.views(visit.parts, found.open)
    late = [row for row in rows if row.due_at is not None and row.due_at < begin]
    listed = [_day(monday + timedelta(days=n), rows, today) for n in range(7)]
    return await visit.page(
        "tasks/week.html",
        heading=_("%(first)s to %(last)s") % span,
        late=late,
        days=listed,
        tabs=tabs({}, "week"),
        around=_around("/tasks/week", monday, 7),
        undo=await undo(visit),
        here=f"/tasks/week?date={monday.isoformat()}",
        more=found.more,
    )


async def _agenda(visit: Visit, begin: datetime, end: datetime, *, overdue: bool) -> days.Agenda:
    queues = queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        return await days.agenda(db, visit.actor, begin, end, overdue=overdue, queues=queues)


def _day(which: date, rows: list[TaskView], today: date) -> DayView:
    mine = [row for row in rows if row.due_at is not None and show.day_of(row.due_at) == which]
    return DayView(show.day(_moment(which)), f"/tasks/day?date={which.isoformat()}", which == today, mine)


def _wanted(visit: Visit) -> date:
    """The day in the address; today when there is none or it cannot be read."""
    try:
        found = date.fromisoformat(visit.query.get("date", ""))
    except ValueError:
        return show.day_of(clock.now())
    return found if 1990 <= found.year <= 2390 else show.day_of(clock.now())


def _moment(which: date) -> datetime:
    """When that day begins for the reader."""
    noon = datetime.combine(which, time(12), clock.now().tzinfo)
    return show.midnight(noon, (which - show.day_of(noon)).days)


def _around(path: str, here: date, step: int) -> dict[str, str]:
    back, on = here - timedelta(days=step), here + timedelta(days=step)
    return {"back": f"{path}?date={back.isoformat()}", "today": path, "on": f"{path}?date={on.isoformat()}"}
