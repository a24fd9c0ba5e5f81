"""Clients: the list, the card with its timeline, and what is changed in place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right
from callcrm.clients import editing, queries
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit
from callcrm.tasks import queries as tasks
from webui import cards, paging, sheets, timeline
from webui.cards import CardView, Fact
from webui.i18n import _
from webui.pages.notes import link
from webui.queues import queues_of
from webui.routes import Routes
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()


@routes.route("GET", "/clients", right=Right.CLIENTS)
async def clients(request: web.Request) -> web.StreamResponse:
    """The list; with `call`, it is asked who called."""
    visit = Visit(request)
    query, country = visit.query, visit.parts.settings.clients.country
    async with visit.parts.database.read() as db:
        wanted = Wanted(cursor=query.get("cursor", ""))
        found = await queries.client_list(db, visit.actor, query.get("q", ""), wanted, country=country)
    return await visit.page(
        "clients/list.html",
        rows=[cards.line_view(line) for line in found.items],
        query=query,
        call=query.get("call", ""),
        page=paging.place("/clients", query, found.next),
    )


async def card_of(visit: Visit, client_id: int) -> CardView:
    """One client's card, deleted ones too."""
    return await cards.read(visit.parts, visit.actor, client_id)


async def _people(visit: Visit) -> list[tuple[int, str]]:
    async with visit.parts.database.read() as db:
        return [(person.id, person.shown) for person in await accounts.people(db)]


@routes.route("GET", "/clients/new", right=Right.CLIENTS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form; for the caller of a call when one is named."""
    visit = Visit(request)
    return await visit.page("clients/new.html", typed=visit.query, bad={})


@routes.route("POST", "/clients/new", right=Right.CLIENTS)
async def add(request: web.Request) -> web.StreamResponse:
    """Open a card; the call, if any, is filed with it."""
    visit = Visit(request)
    form = await visit.form()
    try:
        client_id = await visit.do(lambda unit: _add(unit, visit, form), "add client")
        if form.get("call"):
            await link(visit, form["call"][:40], client_id)
    except Invalid as error:
        return await visit.page("clients/new.html", typed=form, bad=_fields(error), status=422)
    return visit.away(f"/clients/{client_id}")


async def _add(unit: Unit, visit: Visit, form: Mapping[str, str]) -> int:
    typed: dict[str, Any] = {name: form.get(name, "") for name in ("name", "job", "email")}
    typed["organisation_id"] = await _organisation(unit, visit, form.get("organisation", ""))
    numbers = [form["number"]] if form.get("number") else []
    if not typed["name"] and form.get("call"):
        raise Invalid(_("Write the name."), {"name": _("Write the name.")})
    return await editing.add_client(unit, visit.actor, typed, numbers, country=visit.parts.settings.clients.country)


async def _organisation(unit: Unit, visit: Visit, name: str) -> int | None:
    """The organisation of this name, opened when there is none."""
    if not name:
        return None
    found = await queries.organisation_list(unit.db, visit.actor, name, Wanted(50))
    same = [one.id for one in found.items if one.name.casefold() == name.casefold()]
    return same[0] if same else await editing.add_organisation(unit, visit.actor, {"name": name})


def _fields(error: Invalid) -> dict[str, str]:
    """Each field's mistake under the name that the form knows."""
    known = {"organisation_id": "organisation", "numbers": "number", "raw": "number", "owner_id": "owner"}
    return {known.get(name, name): why for name, why in error.fields.items()} or {"name": str(error)}


@routes.route("GET", "/clients/{id}", right=Right.CLIENTS)
async def card(request: web.Request) -> web.StreamResponse:
    """The card; seeing it leaves an audit row."""
    visit = Visit(request)
    client_id = visit.number("id")
    found = await card_of(visit, client_id)
    address = request[ADDRESS]
    await visit.do(
        lambda unit: audit.write(unit, visit.actor, "view", "client", client_id, address=address), "view client"
    )
    return await _card(visit, found)


async def _card(visit: Visit, found: CardView, *, status: int = 200, **more: Any) -> web.Response:
    query = visit.query
    base = f"/clients/{found.id}"
    line = await timeline.of_client(visit.parts, visit.actor, found.id, base, query)
    async with visit.parts.database.read() as db:
        queues = queues_of(visit.parts, visit.actor)
        owed = await tasks.open_tasks(db, visit.actor, client_id=found.id, queues=queues)
    return await visit.page(
        "clients/card.html",
        status=status,
        card=found,
        people=found.people,
        days=line.days,
        tabs=line.tabs,
        more=line.more,
        open=[sheets.task_item(task) for task in owed],
        facts=cards.facts(found, await _people(visit)),
        **more,
    )


@routes.route("GET", "/clients/{id}/facts/{name}", right=Right.CLIENTS)
async def fact(request: web.Request) -> web.StreamResponse:
    """One fact to be changed, or as it was."""
    visit = Visit(request)
    found, one = await _fact(visit)
    editing_ = not request.query.get("leave")
    return visit.part("clients/fact.html", card=found, fact=replace(one, editing=editing_))


async def _fact(visit: Visit) -> tuple[CardView, Fact]:
    found = await card_of(visit, visit.number("id"))
    wanted = visit.request.match_info["name"]
    for one in cards.facts(found, await _people(visit)):
        if one.name == wanted:
            return found, one
    raise NotFound(_("A client has no such fact."))


@routes.route("POST", "/clients/{id}/facts/{name}", right=Right.CLIENTS)
async def change(request: web.Request) -> web.StreamResponse:
    """Save one fact; what cannot be taken is told beside it, with what was typed."""
    visit = Visit(request)
    found, one = await _fact(visit)
    form = await visit.form()
    value, version = form.get("value", ""), as_id(form.get("version", ""))
    try:
        await visit.do(lambda unit: _change(unit, visit, found, {one.name: value}, version), "change client")
    except Invalid as error:
        bad = next(iter(error.fields.values()), str(error))
        kept = replace(one, editing=True, value=value, bad=bad)
        return visit.part("clients/fact.html", card=found, fact=kept, status=422)
    except Conflict as error:
        fresh, now = await _fact(visit)
        said = _("%(why)s It is now: %(now)s") % {"why": error, "now": now.shown or "—"}
        return visit.part(
            "clients/fact.html", card=fresh, fact=replace(now, editing=True, value=value, bad=said), status=409
        )
    if "HX-Request" not in request.headers:
        return visit.away(f"/clients/{found.id}")
    # The version is in every form of the card, so the whole card comes anew.
    return web.Response(status=200, headers={"HX-Redirect": f"/clients/{found.id}"})


async def _change(unit: Unit, visit: Visit, found: CardView, changed: Mapping[str, str], version: int) -> int:
    typed: dict[str, Any]
    ((name, value),) = changed.items()
    if name == "organisation":
        typed = {"organisation_id": await _organisation(unit, visit, value)}
    elif name == "owner":
        typed = {"owner_id": as_id(value) if value else None}
    elif name == "tags":
        typed = {"tags": [tag.strip() for tag in value.split(",") if tag.strip()]}
    elif name == "do_not_call":
        typed = {"do_not_call": value == "yes"}
    else:
        typed = {name: value}
    return await editing.edit_client(unit, visit.actor, found.id, typed, version)


@routes.route("POST", "/clients/{id}/name", right=Right.CLIENTS)
async def name(request: web.Request) -> web.StreamResponse:
    """Name an unknown caller: one field and Enter."""
    visit = Visit(request)
    client_id, form = visit.number("id"), await visit.form()
    found = await card_of(visit, client_id)
    typed = {"name": form.get("name", "")}
    try:
        await visit.do(
            lambda unit: editing.edit_client(unit, visit.actor, client_id, typed, found.version), "name client"
        )
    except Invalid as error:
        raise Invalid(next(iter(error.fields.values()), str(error)), error.fields) from error
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Trigger": "named"})
    return visit.away(f"/clients/{client_id}")


@routes.route("POST", "/clients/{id}/numbers", right=Right.CLIENTS)
async def add_number(request: web.Request) -> web.StreamResponse:
    """One more number."""
    visit = Visit(request)
    client_id, form = visit.number("id"), await visit.form()
    raw, country = form.get("number", ""), visit.parts.settings.clients.country
    try:
        await visit.do(
            lambda unit: editing.add_number(unit, visit.actor, raw, client_id=client_id, country=country), "add number"
        )
    except Invalid as error:
        found = await card_of(visit, client_id)
        bad = next(iter(error.fields.values()), str(error))
        return await _card(visit, found, status=422, typed_number=raw, bad_number=bad)
    return visit.away(f"/clients/{client_id}")


@routes.route("POST", "/clients/{id}/numbers/{number}/remove", right=Right.CLIENTS)
async def remove_number(request: web.Request) -> web.StreamResponse:
    """Take a number off the card; only one of this card."""
    visit = Visit(request)
    client_id, number_id = visit.number("id"), visit.number("number")
    found = await card_of(visit, client_id)
    if number_id not in {one.id for one in found.numbers}:
        raise NotFound(_("This number is not on this card."))
    await visit.do(lambda unit: editing.remove_number(unit, visit.actor, number_id), "remove number")
    return visit.away(f"/clients/{client_id}", done=_("The number is taken off."))
