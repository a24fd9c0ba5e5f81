"""What people write of a call, its outcome, and who the client was."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import notes, queries
from callcrm.calls.notes import Note
from callcrm.calls.rows import Context, site
from callcrm.kernel.errors import Conflict
from callcrm.kernel.writer import Unit
from callcrm.tasks import following
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()


@routes.route("POST", "/calls/{id}/note", right=Right.CALLS)
async def note(request: web.Request) -> web.StreamResponse:
    """Save text and outcome; a browser's module gets JSON, a form goes back to the call."""
    visit = Visit(request)
    form, call_id = await visit.form(), request.match_info["id"][:40]
    posted = await request.post()
    text = str(posted.get("text", ""))
    try:
        saved = await _save(visit, call_id, text, form.get("disposition", ""), as_id(form.get("version") or "0"))
    except Conflict as error:
        if form.get("back") or not isinstance(error.current, Note):
            raise
        now = error.current
        body = {"detail": str(error), "text": now.text, "disposition": now.disposition, "version": now.version}
        return web.json_response(body, status=409)
    if form.get("back"):
        return visit.away(f"/calls/{call_id}")
    return web.json_response({"version": saved.version})


async def _save(visit: Visit, call_id: str, text: str, disposition: str, version: int) -> Note:
    """Both in one unit, so that one never stands without the other."""
    async with visit.parts.database.read() as db:
        call = (await queries.whole_call(db, visit.actor, call_id)).call
    allowed = {*visit.parts.settings.dispositions.of(call.queue), *([call.disposition] if call.disposition else [])}

    async def work(unit: Unit) -> Note:
        saved = await notes.note(unit, visit.actor, call_id, text, version)
        if (disposition or None) == saved.disposition:
            return saved
        return await notes.set_disposition(
            unit, visit.actor, call_id, disposition or None, saved.version, allowed=allowed
        )

    return await visit.do(work, "note")


@routes.route("POST", "/calls/{id}/client", right=Right.CLIENTS)
async def client(request: web.Request) -> web.StreamResponse:
    """Say who it was; remembered for the number."""
    visit = Visit(request)
    call_id, form = request.match_info["id"][:40], await visit.form()
    await link(visit, call_id, as_id(form.get("client", "")))
    if "HX-Request" in request.headers or "json" in request.headers.get("Accept", ""):
        return web.json_response({})
    return visit.away(f"/calls/{call_id}")


async def link(visit: Visit, call_id: str, client_id: int) -> None:
    """File a call with a client."""
    async with visit.parts.database.read() as db:
        seen = (await queries.whole_call(db, visit.actor, call_id)).call.client_id
    settings = visit.parts.settings
    sites = {
        name: site(pbx.country or settings.clients.country, (*pbx.own_numbers, *settings.lines))
        for name, pbx in settings.pbx.items()
    }
    context = Context(sites)
    await visit.do(
        lambda unit: notes.choose_client(
            unit, visit.actor, call_id, client_id, context, seen=seen, after=[following.relink]
        ),
        "choose client",
    )
