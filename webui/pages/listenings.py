"""Who listened to what: every listening and download that the reader may see, the newest first."""

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right
from callcrm.custody import listening
from callcrm.kernel.paging import Wanted
from webui import paging
from webui.i18n import _
from webui.pages.soundlaw import spans_of
from webui.paging import Tab
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
BASE = "/quality/listenings"


@routes.route("GET", BASE, right=Right.AUDIT)
async def listenings(request: web.Request) -> web.StreamResponse:
    """A page of them, of everybody or of one person."""
    visit = Visit(request)
    query = visit.query
    user = as_id(query["person"]) if query.get("person") else None
    kind = "download" if query.get("show") == "downloads" else ""
    async with visit.parts.database.read() as db:
        found = await listening.listed(db, visit.actor, Wanted(cursor=query.get("cursor", "")), user=user, kind=kind)
        people = await accounts.people(db, active_only=False)
    return await visit.page(
        "law/listenings.html",
        lines=found.items,
        people=[(str(one.id), one.shown) for one in people],
        query=query,
        tabs=[
            Tab(paging.address(BASE, query, show=""), _("All"), not kind),
            Tab(paging.address(BASE, query, show="downloads"), _("Downloads"), bool(kind)),
        ],
        page=paging.place(BASE, query, found.next),
        spans_of=spans_of,
    )
