"""The sound of calls, streamed in parts; each listening leaves an audit row. Taking it out: `webui.pages.soundlaw`."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.custody import listening, opening
from webui import soundbytes
from webui.routes import Routes
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()


@routes.route("GET", "/calls/{id}/recordings/{n}", right=Right.LISTEN)
async def recording(request: web.Request) -> web.StreamResponse:
    """The sound, whole or in parts (Range); a browser's further parts of one listening are one listening."""
    visit = Visit(request)
    call_id, n = request.match_info["id"][:40], as_id(request.match_info["n"])
    async with visit.parts.database.read() as db:
        lying = await opening.heard_sound(db, visit.actor, call_id, n)
    opened = await visit.parts.opener.open(lying)
    if begins(request):
        address = request[ADDRESS]
        await visit.do(lambda unit: listening.begin(unit, visit.actor, call_id, n, address=address), "listening")
    return await soundbytes.answer(request, opened, {"Cache-Control": "private, max-age=600"})


def begins(request: web.Request) -> bool:
    """Whether this is the beginning of a listening, not a later part of it."""
    part = request.headers.get("Range", "")
    return not part or part.startswith("bytes=0-")
