"""The palette: clients, numbers, calls, notes, tasks, pages and actions by a few letters or digits."""

from collections.abc import Iterable
from urllib.parse import quote

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.clients.searching import is_number
from callcrm.kernel import clock
from callcrm.search.finding import Found, find
from webui import calling, hits, shell, show
from webui.hits import Hit
from webui.i18n import _
from webui.queues import queues_of
from webui.routes import Routes
from webui.show import tel
from webui.visit import Visit

routes = Routes()
#: What, typed first, leaves out all but calls, or all but actions and pages.
CALLS_ONLY, ACTIONS_ONLY = "#", ">"
_SHORTEST_NUMBER = 7

Group = tuple[str, list[Hit]]


@routes.route("GET", "/palette")
async def palette(request: web.Request) -> web.StreamResponse:
    """What fits; without letters the pages and actions."""
    visit = Visit(request)
    typed = visit.query.get("q", "")
    calls_only, actions_only = typed.startswith(CALLS_ONLY), typed.startswith(ACTIONS_ONLY)
    q = typed[1:].strip() if calls_only or actions_only else typed
    found = Found() if actions_only else await _found(visit, q, calls_only)
    groups = [*_people(found, q), *_things(visit, found, q)]
    if not calls_only:
        groups[1:1] = [(_("Call"), _calls(visit, q))] if is_number(q) else []
        groups[2:2] = _doing(visit, found, q)
    return visit.part("shell/palette.html", groups=[(kind, some) for kind, some in groups if some])


async def _found(visit: Visit, q: str, calls_only: bool) -> Found:
    country, queues = visit.parts.settings.clients.country, queues_of(visit.parts, visit.actor)
    async with visit.parts.database.read() as db:
        return await find(db, visit.actor, q, country=country, queues=queues, calls_only=calls_only)


def _people(found: Found, q: str) -> Iterable[Group]:
    yield _("Clients"), [hits.of_client(one, q) for one in found.clients]
    yield _("Organisations"), [hits.of_organisation(one, q) for one in found.organisations]


def _things(visit: Visit, found: Found, q: str) -> Iterable[Group]:
    day = hits.day_of(q, show.here(clock.now()).date()) if may(visit.actor, Right.CALLS) else None
    log = [hits.of_call(visit.parts, one, q) for one in found.calls]
    yield _("Calls"), [*([hits.of_day(day)] if day else []), *log]
    yield _("Tasks"), [hits.of_task(visit.parts, one, q) for one in found.tasks]
    yield _("Notes"), [hits.of_note(one, q) for one in found.notes]


def _calls(visit: Visit, q: str) -> list[Hit]:
    """A number in any spelling, or an extension, may be called from here."""
    number = calling.callable_number(visit.parts, visit.actor, q)
    if not number or not may(visit.actor, Right.DIAL):
        return []
    shown = tel(number).striptags() or number
    return [Hit(f"/dial?number={quote(number)}", "phone", _("Call %(number)s") % {"number": shown}, dial=number)]


def _doing(visit: Visit, found: Found, q: str) -> list[Group]:
    pages = [Hit(place.href, place.icon, place.word, f"G {place.key.upper()}") for place in shell.places(visit.actor)]
    actions = hits.fitting(q, [hit for right, hit in _actions(visit) if may(visit.actor, right)])
    return [(_("Actions"), [*_with_what_was_found(visit, found, q), *actions]), (_("Pages"), hits.fitting(q, pages))]


def _actions(visit: Visit) -> list[tuple[Right, Hit]]:
    return [
        (Right.CLIENTS, Hit("/clients/new", "user-plus", _("New client"))),
        (Right.TASKS, Hit("/tasks/new", "list-plus", _("New task"), "T")),
        (Right.CALLS, Hit("/calls?show=owed", "phone-missed", _("Missed, not called back"))),
        (Right.CALLS, Hit(f"/calls?operator={visit.actor.user_id}", "phone", _("My last calls"))),
        (Right.ACCOUNTS, Hit("/accounts/new", "user-plus", _("New account"))),
    ]


def _with_what_was_found(visit: Visit, found: Found, q: str) -> Iterable[Hit]:
    """What can be done with the first person, and with a number that was typed."""
    digits = "".join(c for c in q if c.isdigit())
    if (
        is_number(q)
        and not hits.day_of(q, show.here(clock.now()).date())
        and len(digits) >= _SHORTEST_NUMBER
        and may(visit.actor, Right.CALLS)
    ):
        yield Hit(f"/calls?q={quote(q)}", "phone", _("Calls with this number"), q)
    if found.clients and may(visit.actor, Right.TASKS):
        first = found.clients[0]
        name = first.name or first.said_name or _("Unknown caller")
        yield Hit(f"/tasks/new?client={first.id}", "list-plus", _("New task for %(name)s") % {"name": name[:60]})
