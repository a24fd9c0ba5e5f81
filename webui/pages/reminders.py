"""Reminders in the strip: shown until they are put away, on every tab alike."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.tasks import reminders
from webui.i18n import _
from webui.queues import queues_of
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
SNOOZE_MIN = 10


@routes.route("GET", "/shell/reminders", right=Right.TASKS)
async def standing(request: web.Request) -> web.StreamResponse:
    """What stands now, for the strip."""
    visit = Visit(request)
    queues = queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        found = await reminders.standing(db, visit.actor, queues=queues)
    return visit.part("shell/reminders.html", reminders=found)


@routes.route("POST", "/reminders/{task}/snooze", right=Right.TASKS)
async def snooze(request: web.Request) -> web.StreamResponse:
    """Again in some minutes."""
    visit = Visit(request)
    task_id, form = visit.number("task"), await visit.form()
    typed = form.get("minutes", "")
    minutes = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else SNOOZE_MIN
    await visit.do(lambda unit: reminders.snooze(unit, visit.actor, task_id, minutes), "snooze")
    return _answer(visit, _("You are reminded again in %(n)s min.") % {"n": minutes})


@routes.route("POST", "/reminders/{task}/away", right=Right.TASKS)
async def away(request: web.Request) -> web.StreamResponse:
    """Seen; the task stays."""
    visit = Visit(request)
    task_id = visit.number("task")
    await visit.do(lambda unit: reminders.put_away(unit, visit.actor, task_id), "put a reminder away")
    return _answer(visit, "")


def _answer(visit: Visit, said: str) -> web.Response:
    """Back to the page; the strip renews itself by the push, or at once where it asked."""
    if "HX-Request" in visit.request.headers:
        return web.Response(status=204, headers={"HX-Trigger": "push-task"})
    return visit.away("/tasks/day", done=said)
