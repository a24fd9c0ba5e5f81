"""The sheet's line of recording: pause it while a card number is said, and let it go on."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel.errors import Conflict
from webui import coretexts, gaps
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/calls/{id}/taping", right=Right.DIAL)
async def taping(request: web.Request) -> web.StreamResponse:
    """The line, anew."""
    return await _line(Visit(request))


@routes.route("POST", "/calls/{id}/taping", right=Right.DIAL)
async def change(request: web.Request) -> web.StreamResponse:
    """Pause the recording, or let it go on; the answer is the line as it is now."""
    visit = Visit(request)
    form, bad = await visit.form(), ""
    name = "resume" if form.get("action") == "resume" else "pause"
    try:
        await gaps.act(visit.parts, visit.actor, request.match_info["id"][:40], name, reason="card data")
    except Conflict as error:
        bad = coretexts.said(str(error))
    if "HX-Request" not in request.headers:
        return visit.away("/", done=bad or _("The PBX was asked."))
    return await _line(visit, bad)


async def _line(visit: Visit, bad: str = "") -> web.Response:
    call = visit.request.match_info["id"][:40]
    found = await gaps.taping_of(visit.parts, visit.actor, call)
    return visit.part("desk/taping.html", call=call, taping=found, taping_bad=bad)
