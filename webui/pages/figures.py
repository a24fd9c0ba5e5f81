"""What the sound tells of a call, for the part of its story that waits for it."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import queries
from webui import soundfigures
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/calls/{id}/figures", right=Right.CALLS)
async def figures(request: web.Request) -> web.StreamResponse:
    """The block of figures, whole; it asks again by itself while the sound is still to be looked through."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        whole = await queries.whole_call(db, visit.actor, request.match_info["id"][:40])
    found = await soundfigures.read(visit.parts, whole.call)
    return visit.part("calls/figures.html", figures=found, call_id=whole.call.id)
