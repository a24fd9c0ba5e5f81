"""Recordings as whoever runs the PBX sees them: health, what waits for the vault, strays and their guesses."""

import asyncio

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.custody import health, straying
from callcrm.custody.fetching import sources_of
from callcrm.custody.orphans import StrayFinder
from callcrm.kernel.errors import Conflict
from webui import vaultwords
from webui.i18n import _
from webui.parts import Parts
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
HOME = "/pbx/recordings"
_LOOKING = web.AppKey("strays looked for", dict[str, asyncio.Task[None]])


@routes.route("GET", "/pbx/recordings", right=Right.PBX)
async def page(request: web.Request) -> web.StreamResponse:
    """Everything of recordings on one page."""
    return await _page(Visit(request))


async def _page(visit: Visit, *, says: str = "", status: int = 200) -> web.Response:
    async with visit.parts.database.read() as db:
        found = await health.overview(db, visit.actor)
    return await visit.page(
        "pbx/recordings.html",
        status=status,
        found=found,
        policy=vaultwords.policy(visit.parts.settings.vault),
        states=vaultwords.states(found.counts),
        why=vaultwords.why,
        custody=vaultwords.custody(found.kept, found.waiting),
        unlisted=vaultwords.unlisted(visit.parts.settings.vault),
        looking=is_looking(visit.request.app),
        days=health.DAYS,
        says_=says,
    )


@routes.route("POST", "/pbx/recordings/look", right=Right.PBX)
async def look(request: web.Request) -> web.StreamResponse:
    """Look for strays now; the page tells when it is done."""
    visit = Visit(request)
    if not is_looking(request.app):
        task = asyncio.create_task(_look(visit.parts), name="strays by hand")
        request.app[_LOOKING]["now"] = task
    return visit.away(HOME + "#strays", done=_("The folders are looked through."))


async def _look(parts: Parts) -> None:
    vault, places = parts.settings.vault, parts.opener.places
    sources = sources_of(vault)
    finder = StrayFinder(parts.database, parts.writer, places, sources=sources, link=vault.link_strays)
    try:
        await finder.find_all()
    finally:
        finder.close()
        await asyncio.gather(*(source.close() for source in sources.values()))


def is_looking(app: web.Application) -> bool:
    """Whether somebody's looking by hand goes on."""
    task = app[_LOOKING].get("now")
    return task is not None and not task.done()


def prepare(app: web.Application) -> None:
    """Give the application its place for looking by hand, which ends with it."""
    app[_LOOKING] = {}
    app.on_cleanup.append(_end)


async def _end(app: web.Application) -> None:
    for task in app[_LOOKING].values():
        task.cancel()
    await asyncio.gather(*app[_LOOKING].values(), return_exceptions=True)


@routes.route("POST", "/pbx/recordings/again", right=Right.PBX)
async def again(request: web.Request) -> web.StreamResponse:
    """Try at once what is tried by itself later."""
    visit = Visit(request)
    form = await visit.form()
    pbx, file = form.get("pbx", "")[:100], form.get("file", "")[:500]
    await visit.do(lambda unit: health.try_again(unit, visit.actor, pbx, file), "try again")
    return visit.away(HOME + "#troubles", done=_("It is tried again now."))


@routes.route("POST", "/pbx/recordings/strays/{id}/link", right=Right.PBX)
async def link(request: web.Request) -> web.StreamResponse:
    """Give a stray to the call that was chosen."""
    visit = Visit(request)
    stray, call = visit.number("id"), (await visit.form()).get("call", "")[:40]
    try:
        await visit.do(lambda unit: straying.link(unit, visit.actor, stray, call), "link")
    except Conflict as error:
        return await _page(visit, says=str(error), status=409)
    return visit.away(HOME + "#strays", done=_("The file is linked to its call. It can be undone below."))


@routes.route("POST", "/pbx/recordings/strays/{id}/unlink", right=Right.PBX)
async def unlink(request: web.Request) -> web.StreamResponse:
    """Take a link back."""
    visit = Visit(request)
    stray = visit.number("id")
    try:
        await visit.do(lambda unit: straying.unlink(unit, visit.actor, stray), "unlink")
    except Conflict as error:
        return await _page(visit, says=str(error), status=409)
    return visit.away(HOME + "#strays", done=_("The link is taken back."))


@routes.route("POST", "/pbx/recordings/strays/{id}/aside", right=Right.PBX)
async def aside(request: web.Request) -> web.StreamResponse:
    """Put a stray aside, or bring it back (`back`)."""
    visit = Visit(request)
    stray, back = visit.number("id"), bool((await visit.form()).get("back"))
    try:
        await visit.do(lambda unit: straying.set_aside(unit, visit.actor, stray, aside=not back), "set aside")
    except Conflict as error:
        return await _page(visit, says=str(error), status=409)
    done = _("The file is in the list again.") if back else _("The file is set aside. It stays where it is.")
    return visit.away(HOME + "#strays", done=done)
