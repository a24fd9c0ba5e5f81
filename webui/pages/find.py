"""The palette: clients, numbers, tasks, pages and actions by a few letters."""

from dataclasses import dataclass

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.clients import queries
from callcrm.kernel.paging import Wanted
from webui import cards, shell
from webui.i18n import _
from webui.routes import Routes
from webui.show import tel
from webui.visit import Visit

routes = Routes()
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found."""

    href: str
    icon: str
    word: str
    more: str = ""


@routes.route("GET", "/palette")
async def palette(request: web.Request) -> web.StreamResponse:
    """What fits; without letters the pages and actions."""
    visit = Visit(request)
    q = visit.query.get("q", "")
    pages = [Hit(place.href, place.icon, place.word, f"G {place.key.upper()}") for place in shell.places(visit.actor)]
    groups = [
        (_("Clients"), await _clients(visit, q)),
        (_("Actions"), _fitting(q, _actions(visit, q))),
        (
            _("Pages"),
            _fitting(q, pages),
        ),
    ]
    return visit.part("shell/palette.html", groups=[(kind, hits) for kind, hits in groups if hits])


async def _clients(visit: Visit, q: str) -> list[Hit]:
    if len(q) < 2 or not may(visit.actor, Right.CLIENTS):
        return []
    country = visit.parts.settings.clients.country
    async with visit.parts.database.read() as db:
        found = await queries.client_list(db, visit.actor, q, Wanted(CLIENTS), country=country)
    lines = [cards.line_view(line) for line in found.items]
    return [
        Hit(f"/clients/{one.id}", "user-round", one.name or _("Unknown caller"), _more(one.role, one.number))
        for one in lines
    ]


def _more(role: str, number: str) -> str:
    shown = tel(number).striptags() if number else ""
    return " · ".join(part for part in (role, shown) if part)


def _actions(visit: Visit, q: str) -> list[Hit]:
    found = [
        (Right.CLIENTS, Hit("/clients/new", "user-plus", _("New client"))),
        (Right.TASKS, Hit("/tasks/new", "list-plus", _("New task"))),
        (Right.CALLS, Hit("/calls?show=owed", "phone-missed", _("Missed, not called back"))),
        (Right.CALLS, Hit(f"/calls?operator={visit.actor.user_id}", "phone", _("My last calls"))),
        (Right.ACCOUNTS, Hit("/accounts/new", "user-plus", _("New account"))),
    ]
    digits = "".join(c for c in q if c.isdigit())
    if len(digits) >= 7:
        found.insert(0, (Right.CALLS, Hit(f"/calls?number=%2B{digits}", "phone", _("Calls with this number"), q)))
    return [hit for right, hit in found if may(visit.actor, right)]


def _fitting(q: str, hits: list[Hit]) -> list[Hit]:
    words = q.casefold().split()
    return [hit for hit in hits if hit.more == q or all(word in hit.word.casefold() for word in words)]
