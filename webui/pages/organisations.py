"""Organisations: the list, one with its people and everybody's calls, who joins it and who leaves it."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.clients import closing, editing, queries
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.kernel.paging import Wanted
from webui import cards, facts, paging, timeline
from webui.cards import CompanyView
from webui.i18n import _, ngettext
from webui.pages.clients import (
    card_of,
    doubles,
    kinds,
    noted_view,
    own_required,
    own_typed,
    people_of,
    timeline_part,
)
from webui.routes import Routes
from webui.timeline import Whose
from webui.visit import Visit, as_id

routes = Routes()
#: People that are offered to be added.
OFFERED = 8


@routes.route("GET", "/organisations", right=Right.CLIENTS)
async def organisations(request: web.Request) -> web.StreamResponse:
    """The list, in order of their names."""
    visit = Visit(request)
    query = visit.query
    deleted = query.get("show") == "deleted" and may(visit.actor, Right.DELETE_CLIENTS)
    async with visit.parts.database.read() as db:
        wanted = Wanted(cursor=query.get("cursor", ""))
        found = await queries.organisation_list(db, visit.actor, query.get("q", ""), wanted, deleted=deleted)
    return await visit.page(
        "organisations/list.html",
        rows=found.items,
        query=query,
        deleted=deleted,
        may_delete=may(visit.actor, Right.DELETE_CLIENTS),
        tabs=kinds(visit, "deleted organisations" if deleted else "organisations"),
        page=paging.place("/organisations", query, found.next),
    )


@routes.route("GET", "/organisations/new", right=Right.CLIENTS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    visit = Visit(request)
    return await _blank(visit, visit.query, {})


async def _blank(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200) -> web.Response:
    own = await own_required(visit, "organisation", typed, bad)
    return await visit.page("organisations/new.html", typed=typed, bad=bad, own=own, status=status)


@routes.route("POST", "/organisations/new", right=Right.CLIENTS)
async def add(request: web.Request) -> web.StreamResponse:
    """Open an organisation."""
    visit = Visit(request)
    form = await visit.form()
    typed: dict[str, Any] = {"name": form.get("name", ""), "email": form.get("email", "")}
    if own := own_typed(form):
        typed["custom"] = own
    numbers = [form["number"]] if form.get("number") else []
    country = visit.parts.settings.clients.country
    try:
        key = await visit.do(
            lambda unit: editing.add_organisation(unit, visit.actor, typed, numbers, country=country),
            "add organisation",
        )
    except Invalid as error:
        return await _blank(visit, form, error.fields, 422)
    return visit.away(f"/organisations/{key}")


@routes.route("GET", "/organisations/{id}", right=Right.CLIENTS)
async def organisation(request: web.Request) -> web.StreamResponse:
    """The organisation's card; seeing it leaves an audit row."""
    visit = Visit(request)
    found = await cards.read_company(visit.parts, visit.actor, visit.number("id"))
    await noted_view(visit, found)
    return await company_page(visit, found)


async def company_page(visit: Visit, found: CompanyView, *, status: int = 200, **more: Any) -> web.Response:
    """An organisation as a page."""
    line = await timeline.of_card(visit.parts, visit.actor, Whose(organisation=found.id), found.base, visit.query)
    return await visit.page(
        "organisations/card.html",
        status=status,
        card=found,
        days=line.days,
        tabs=line.tabs,
        more=line.more,
        facts=facts.of(found, await people_of(visit)),
        offered=await _offered(visit, found),
        who=visit.query.get("who", ""),
        query=visit.query,
        **await doubles(visit, found),
        **more,
    )


async def _offered(visit: Visit, found: CompanyView) -> list[Any]:
    """People who may be added: found by what was typed, those who are there left out."""
    who, country = visit.query.get("who", ""), visit.parts.settings.clients.country
    if not who:
        return []
    async with visit.parts.database.read() as db:
        lines = await queries.client_list(db, visit.actor, who, Wanted(OFFERED * 2), country=country)
    return [cards.line_view(one) for one in lines.items if one.organisation_id != found.id][:OFFERED]


@routes.route("GET", "/organisations/{id}/delete", right=Right.DELETE_CLIENTS)
async def ask_delete(request: web.Request) -> web.StreamResponse:
    """What hangs on an organisation and what becomes of it, before it is closed."""
    visit = Visit(request)
    return await _ask_delete(visit, await cards.read_company(visit.parts, visit.actor, visit.number("id")))


async def _ask_delete(visit: Visit, found: CompanyView, said: str = "", status: int = 200) -> web.Response:
    async with visit.parts.database.read() as db:
        rows = await closing.hanging(db, visit.actor, found.id)
    return await visit.page("organisations/delete.html", card=found, rows=rows, said=said, status=status)


@routes.route("POST", "/organisations/{id}/delete", right=Right.DELETE_CLIENTS)
async def delete(request: web.Request) -> web.StreamResponse:
    """Close it as it was shown: its people keep their cards; the page then offers to open it again."""
    visit = Visit(request)
    found, form = await cards.read_company(visit.parts, visit.actor, visit.number("id")), await visit.form()
    version = as_id(form.get("version") or "0")
    try:
        await visit.do(
            lambda unit: closing.delete_organisation(unit, visit.actor, found.id, version), "delete organisation"
        )
    except (Conflict, Invalid) as error:
        return await _ask_delete(visit, found, str(error), 409)
    return visit.away(found.base, done=_("The organisation is deleted. You can restore it here."))


@routes.route("POST", "/organisations/{id}/restore", right=Right.DELETE_CLIENTS)
async def restore(request: web.Request) -> web.StreamResponse:
    """Open it again, with the people who belonged to it."""
    visit = Visit(request)
    key = visit.number("id")
    back = await visit.do(lambda unit: closing.restore_organisation(unit, visit.actor, key), "restore organisation")
    said = ngettext(
        "The organisation is restored; %(n)s person is here again.",
        "The organisation is restored; %(n)s people are here again.",
        back,
    )
    return visit.away(f"/organisations/{key}", done=said % {"n": back})


@routes.route("GET", "/organisations/{id}/timeline", right=Right.CLIENTS)
async def company_timeline(request: web.Request) -> web.StreamResponse:
    """The timeline anew."""
    visit = Visit(request)
    key = visit.number("id")
    return await timeline_part(visit, Whose(organisation=key), f"/organisations/{key}")


@routes.route("POST", "/organisations/{id}/people", right=Right.CLIENTS)
async def join(request: web.Request) -> web.StreamResponse:
    """Somebody belongs to this organisation from now on."""
    visit = Visit(request)
    found = await cards.read_company(visit.parts, visit.actor, visit.number("id"))
    return await _move(visit, found, found.id, _("%(who)s is here now."))


@routes.route("POST", "/organisations/{id}/people/leave", right=Right.CLIENTS)
async def leave(request: web.Request) -> web.StreamResponse:
    """Somebody belongs to it no more; his card stays."""
    visit = Visit(request)
    found = await cards.read_company(visit.parts, visit.actor, visit.number("id"))
    return await _move(visit, found, None, _("%(who)s is here no more."))


async def _move(visit: Visit, found: CompanyView, to: int | None, said: str) -> web.Response:
    form = await visit.form()
    person = await card_of(visit, as_id(form.get("client", "")))
    if to is None and person.organisation_id != found.id:
        raise Invalid(_("This person is not here any more."))
    await visit.do(
        lambda unit: editing.edit_client(unit, visit.actor, person.id, {"organisation_id": to}, person.version),
        "move person",
    )
    who = person.title or _("Unknown caller")
    place = found.base if to else f"{found.base}?left={person.id}"
    return visit.away(place, done=said % {"who": who[:100]})
