"""The pads of a live call: hold, resume, park, hand on, hang up; and the list of those to whom it may go."""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import handling
from callcrm.calls.colleagues import colleagues
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid
from webui import acting, coretexts, words
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit
from webui.words import Mark

routes = Routes()
_ONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to whom the call may go: `why` is empty when it can."""

    to: str
    name: str
    mark: Mark
    why: str = ""


@routes.route("GET", "/calls/{id}/pads", right=Right.DIAL)
async def pads(request: web.Request) -> web.StreamResponse:
    """The row of pads, anew."""
    visit = Visit(request)
    return await _row(visit, request.match_info["id"])


@routes.route("POST", "/calls/{id}/actions", right=Right.DIAL)
async def act(request: web.Request) -> web.StreamResponse:
    """Ask for something to be done with the call; the answer is the row of pads as it is now."""
    visit = Visit(request)
    call, form = request.match_info["id"], await visit.form()
    once = form.get("once", "") if _ONCE.fullmatch(form.get("once", "")) else ""
    bad, program = "", "json" in request.headers.get("Accept", "") and "HX-Request" not in request.headers
    try:
        await acting.act(visit.parts, visit.actor, call, form.get("action", ""), to=form.get("to", ""), once=once)
    except (Conflict, Invalid) as error:
        if program:
            raise
        bad = coretexts.said(str(error))
    if program:
        return web.json_response({})
    if "HX-Request" not in request.headers:
        return visit.away("/", done=bad or _("The PBX was asked."))
    return await _row(visit, call, bad)


async def _row(visit: Visit, call: str, bad: str = "") -> web.Response:
    return visit.part("desk/pads.html", acts=await acting.acts_of(visit.parts, visit.actor, call), refused=bad)


@routes.route("GET", "/calls/{id}/transfer", right=Right.DIAL)
async def transfer(request: web.Request) -> web.StreamResponse:
    """To whom the call may go: colleagues with what they do now, queues; and a number may be typed."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found = await handling.panel(db, visit.actor, request.match_info["id"], clock.now())
        people = await colleagues(db, found.pbx, found.extension)
    values: dict[str, Any] = {
        "acts": acting.view(found),
        "ask_why": acting.refusal(found, "attended"),
        "straight_why": acting.refusal(found, "blind"),
        "people": [Target(one.extension, one.name, words.person(one.state)) for one in people],
        "queues": _queues(visit),
    }
    return visit.part("desk/transfer.html", **values)


def _queues(visit: Visit) -> list[Target]:
    """The queues; one whose number is not set cannot be called."""
    missing = _("No number leads to this queue: an administrator sets queues.%(queue)s.extension.")
    return [
        Target(
            queue.extension,
            queue.label or name,
            Mark("", "users", _("Queue")),
            "" if queue.extension else missing % {"queue": name},
        )
        for name, queue in visit.parts.settings.queues.items()
    ]
