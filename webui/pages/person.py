"""A person's rights: everything held of him as a file, and erasing him with a certificate."""

from pathlib import Path

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.clients import queries
from callcrm.custody import erasing, holds, persons
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from webui.i18n import _
from webui.pages.retention import size_of
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/clients/{id}/person", right=Right.EXPORT)
async def person(request: web.Request) -> web.StreamResponse:
    """What was packed, and what can be asked for."""
    return await _page(Visit(request), {}, {})


async def _page(visit: Visit, typed: dict[str, str], bad: dict[str, str], status: int = 200) -> web.Response:
    client = visit.number("id")
    async with visit.parts.database.read() as db:
        card = await queries.card(db, visit.actor, client)
        files = await persons.files_of(db, client)
        erasures = await persons.erasures_of(db, client)
        held = await holds.of_client(db, client, clock.now())
    return await visit.page(
        "law/person.html",
        client=client,
        name=card.client.name,
        files=files,
        erasures=erasures,
        held=held,
        works=any(one.works for one in files) or any(one.works for one in erasures),
        may_erase=may(visit.actor, Right.RETENTION),
        typed=typed,
        bad=bad,
        size_of=size_of,
        status=status,
    )


@routes.route("POST", "/clients/{id}/person", right=Right.EXPORT)
async def pack(request: web.Request) -> web.StreamResponse:
    """Have the file packed."""
    visit = Visit(request)
    client, form = visit.number("id"), await visit.form()
    try:
        await visit.do(lambda unit: persons.ask(unit, visit.actor, client, form.get("reason", "")), "person file")
    except Invalid as error:
        return await _page(visit, form, error.fields, status=422)
    return visit.away(f"/clients/{client}/person")


@routes.route("GET", "/clients/{id}/person/{file}", right=Right.EXPORT)
async def fetch(request: web.Request) -> web.StreamResponse:
    """The ZIP, while its days last; each fetching is noted."""
    visit = Visit(request)
    client, key = visit.number("id"), request.match_info["file"][:32]
    async with visit.parts.database.read() as db:
        found = next((one for one in await persons.files_of(db, client) if one.id == key), None)
    path = Path(visit.parts.settings.law.person_files) / found.file if found and found.file else None
    if found is None or path is None or found.state != "ready" or not path.is_file():
        raise NotFound(_("This file is not there any more; have it packed anew."))

    async def note(unit: Unit) -> None:
        await persons.note_fetching(unit, visit.actor, client, key)

    await visit.do(note, "person file taken")
    headers = {"Content-Disposition": f'attachment; filename="{found.file}"', "Content-Type": "application/zip"}
    return web.FileResponse(path, headers=headers | {"Cache-Control": "private, no-store"})


@routes.route("POST", "/clients/{id}/erase", right=Right.RETENTION)
async def erase(request: web.Request) -> web.StreamResponse:
    """Erase the person: the word must be typed, for it cannot be undone."""
    visit = Visit(request)
    client, form = visit.number("id"), await visit.form()
    word = _("ERASE")
    if form.get("word", "").strip().upper() != word.upper():
        return await _page(visit, form, {"word": _("Write %(word)s to go on.") % {"word": word}}, status=422)
    try:
        await visit.do(lambda unit: erasing.ask(unit, visit.actor, client, form.get("why", "")), "erasure")
    except Invalid as error:
        return await _page(visit, form, {"why": str(error)}, status=422)
    except Conflict as error:
        return await _page(visit, form, {"why": str(error)}, status=409)
    return visit.away(f"/clients/{client}/person")


@routes.route("GET", "/clients/{id}/erasures/{erasure}", right=Right.RETENTION)
async def certificate(request: web.Request) -> web.StreamResponse:
    """The certificate, for printing; with ?text=1 its text, whose checksum stands on it."""
    visit = Visit(request)
    client, key = visit.number("id"), request.match_info["erasure"][:32]
    async with visit.parts.database.read() as db:
        found = next((one for one in await persons.erasures_of(db, client) if one.id == key), None)
    if found is None or found.certificate is None:
        raise NotFound(_("There is no such certificate."))
    if visit.query.get("text"):
        headers = {"Content-Disposition": f'attachment; filename="erasure-{key[:12]}.json"'}
        return web.Response(text=erasing.text_of(found.certificate), content_type="application/json", headers=headers)
    return await visit.page("law/certificate.html", client=client, one=found, told=found.certificate, size_of=size_of)
