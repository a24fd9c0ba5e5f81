"""The calendar address: a secret that a calendar program reads, renewed and shut at one's own account."""

import hashlib

from aiohttp import web

from callcrm.kernel import clock
from callcrm.kernel.errors import NotFound
from callcrm.tasks import feeds
from webui import show
from webui.i18n import _
from webui.parts import PARTS
from webui.queues import queues_of
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/calendar/{key}.ics", public=True)
async def calendar(request: web.Request) -> web.StreamResponse:
    """The person's tasks (RFC 5545): events, or to-dos with `?todo=1`. An unchanged one is 304."""
    parts = request.app[PARTS]
    async with parts.database.read() as db:
        actor = await feeds.reader(db, request.match_info["key"])
        if actor is None:
            raise NotFound(_("There is no such calendar; its address may have been renewed."))
        tasks = await feeds.lines(db, actor, clock.now(), queues=queues_of(parts, actor))
    show.use_zone(actor.time_zone or parts.settings.callbacks.time_zone)
    name = f"callcrm: {actor.full_name or actor.name}"
    text = feeds.calendar(tasks, name=name, site=_site(request), todos="todo" in request.query)
    etag = hashlib.sha256(text).hexdigest()[:32]
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=text, content_type="text/calendar", charset="utf-8", headers=headers)


def _site(request: web.Request) -> str:
    return request.app[PARTS].settings.web.public_url or str(request.url.origin())


@routes.route("POST", "/me/calendar")
async def renew(request: web.Request) -> web.StreamResponse:
    """A new address; the old one is worthless. It is shown this once."""
    from webui.pages.me import account_page

    visit = Visit(request)
    if (await visit.form()).get("act") == "shut":
        await visit.do(lambda unit: feeds.shut(unit, visit.actor), "shut the calendar address")
        return visit.away("/me", done=_("Nobody can read your calendar address any more."))
    key = await visit.do(lambda unit: feeds.renew(unit, visit.actor), "renew the calendar address")
    return await account_page(visit, address=f"{_site(request)}/calendar/{key}.ics")
