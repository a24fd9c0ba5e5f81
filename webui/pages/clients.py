"""Clients: the list, the card with its timeline, opening, naming, deleting and restoring one."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.clients import closing, definitions, duplicates, editing, merging, queries
from callcrm.clients.kinds import KINDS
from callcrm.clients.trail import CUSTOM
from callcrm.kernel import audit, clock
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit
from callcrm.tasks import queries as tasks
from webui import cards, facts, paging, sheets, timeline
from webui.cards import AnyCard, CardView
from webui.facts import Fact
from webui.i18n import _
from webui.pages.notes import link
from webui.paging import Tab
from webui.queues import queues_of
from webui.routes import Routes
from webui.timeline import Whose
from webui.visit import ADDRESS, Typed, Visit

routes = Routes()


@routes.route("GET", "/clients", right=Right.CLIENTS)
async def clients(request: web.Request) -> web.StreamResponse:
    """The list; with `call`, it is asked who called."""
    visit = Visit(request)
    query, country = visit.query, visit.parts.settings.clients.country
    deleted = query.get("show") == "deleted" and may(visit.actor, Right.DELETE_CLIENTS)
    async with visit.parts.database.read() as db:
        wanted = Wanted(cursor=query.get("cursor", ""))
        q = query.get("q", "")
        found = await queries.client_list(db, visit.actor, q, wanted, country=country, deleted=deleted)
    return await visit.page(
        "clients/list.html",
        rows=[cards.line_view(line) for line in found.items],
        query=query,
        call=query.get("call", ""),
        tabs=kinds(visit, "deleted" if deleted else "clients"),
        deleted=deleted,
        page=paging.place("/clients", query, found.next),
    )


def kinds(visit: Visit, here: str) -> list[Tab]:
    """The lists of cards."""
    found = [
        Tab("/clients", _("People"), here == "clients"),
        Tab("/organisations", _("Organisations"), here == "organisations"),
    ]
    if may(visit.actor, Right.DELETE_CLIENTS):
        found.append(Tab("/clients?show=deleted", _("Deleted people"), here == "deleted"))
        found.append(Tab("/organisations?show=deleted", _("Deleted organisations"), here == "deleted organisations"))
    return found


async def card_of(visit: Visit, client_id: int) -> CardView:
    """One client's card, deleted ones too."""
    return await cards.read(visit.parts, visit.actor, client_id)


async def people_of(visit: Visit) -> list[tuple[int, str]]:
    """Everybody who may own a card."""
    async with visit.parts.database.read() as db:
        return [(person.id, person.shown) for person in await accounts.names(db)]


@routes.route("GET", "/clients/new", right=Right.CLIENTS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form; for the caller of a call when one is named."""
    visit = Visit(request)
    return await _blank(visit, visit.query, {})


async def _blank(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200) -> web.Response:
    own = await own_required(visit, "client", typed, bad)
    return await visit.page("clients/new.html", typed=typed, bad=bad, own=own, status=status)


async def own_required(visit: Visit, what: str, typed: Mapping[str, str], bad: Mapping[str, str]) -> list[Fact]:
    """The administrator's fields that a new card needs, with what was typed into them."""
    async with visit.parts.database.read() as db:
        asked = [one for one in await definitions.of(db, what) if one.required]
    return facts.asked(asked, typed, bad)


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
        return await _blank(visit, form, _fields(error), 422)
    return visit.away(form["back"] if form.get("back", "").startswith("/organisations/") else f"/clients/{client_id}")


async def _add(unit: Unit, visit: Visit, form: Mapping[str, str]) -> int:
    typed: dict[str, Any] = {name: form.get(name, "") for name in ("name", "job", "email")}
    typed["organisation_id"] = await organisation_named(unit, visit, form.get("organisation", ""))
    if own := own_typed(form):
        typed["custom"] = own
    numbers = [form["number"]] if form.get("number") else []
    if not typed["name"] and form.get("call"):
        raise Invalid(_("Write the name."), {"name": _("Write the name.")})
    return await editing.add_client(unit, visit.actor, typed, numbers, country=visit.parts.settings.clients.country)


def own_typed(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the administrator's fields, by their keys."""
    return {name.removeprefix(CUSTOM): value for name, value in form.items() if name.startswith(CUSTOM)}


async def organisation_named(unit: Unit, visit: Visit, name: str) -> int | None:
    """The organisation of this name, opened when there is none."""
    if not name:
        return None
    found = await queries.organisation_list(unit.db, visit.actor, name, Wanted(50))
    same = [one.id for one in found.items if one.name.casefold() == name.casefold()]
    if same:
        return same[0]
    return await editing.add_organisation(unit, visit.actor, {"name": name}, by_the_way=True)


def _fields(error: Invalid) -> dict[str, str]:
    """Each field's mistake under the name that the form knows."""
    known = {"organisation_id": "organisation", "numbers": "number", "raw": "number", "owner_id": "owner"}
    return {known.get(name, name): why for name, why in error.fields.items()} or {"name": str(error)}


@routes.route("GET", "/clients/{id}", right=Right.CLIENTS)
async def card(request: web.Request) -> web.StreamResponse:
    """The card; seeing it leaves an audit row."""
    visit = Visit(request)
    found = await card_of(visit, visit.number("id"))
    await noted_view(visit, found)
    return await card_page(visit, found)


async def noted_view(visit: Visit, found: AnyCard) -> None:
    """Who saw the card is noted."""
    address = visit.request[ADDRESS]
    await visit.do(
        lambda unit: audit.write(unit, visit.actor, "view", found.what, found.id, address=address), "view card"
    )


async def card_page(visit: Visit, found: CardView, *, status: int = 200, **more: Any) -> web.Response:
    """A client's card as a page; `more` is what was typed into one of its forms, and what is wrong with it."""
    line = await timeline.of_client(visit.parts, visit.actor, found.id, found.base, visit.query)
    async with visit.parts.database.read() as db:
        owed = await tasks.open_tasks(db, visit.actor, client_id=found.id, queues=queues_of(visit.parts, visit.actor))
    return await visit.page(
        "clients/card.html",
        status=status,
        card=found,
        people=found.people,
        days=line.days,
        tabs=line.tabs,
        more=line.more,
        open=[sheets.task_item(task) for task in owed],
        facts=facts.of(found, await people_of(visit)),
        purposes=[(one, one) for one in visit.parts.settings.clients.consents],
        query=visit.query,
        **await doubles(visit, found),
        consent=Typed(more.pop("consent", {})),
        bad_consent=Typed(more.pop("bad_consent", {})),
        **more,
    )


async def doubles(visit: Visit, found: AnyCard) -> dict[str, Any]:
    """What a card says of other cards that are the same, or were merged with it."""
    kind = KINDS[found.what]
    async with visit.parts.database.read() as db:
        twins = () if found.deleted else await duplicates.of(db, visit.actor, found.id, kind)
        merged = await merging.last(db, visit.actor, found.id, clock.now(), kind)
        ids = [merged.gone_id, merged.kept_id] if merged else []
        persons, firms = await queries.names(db, *(((), ids) if kind.companies else (ids, ())))
    return {
        "twins": twins,
        "merged": merged,
        "merged_names": firms if kind.companies else persons,
        "may_delete": may(visit.actor, Right.DELETE_CLIENTS),
    }


@routes.route("GET", "/clients/{id}/timeline", right=Right.CLIENTS)
async def client_timeline(request: web.Request) -> web.StreamResponse:
    """The timeline anew, after something of the card was changed."""
    visit = Visit(request)
    return await timeline_part(visit, Whose(client=visit.number("id")), f"/clients/{visit.number('id')}")


async def timeline_part(visit: Visit, whose: Whose, base: str) -> web.Response:
    """A timeline as a fragment."""
    line = await timeline.of_card(visit.parts, visit.actor, whose, base, visit.query)
    return visit.part("clients/timeline.html", days=line.days, tabs=line.tabs, more=line.more, base=base)


@routes.route("POST", "/clients/{id}/name", right=Right.CLIENTS)
async def name(request: web.Request) -> web.StreamResponse:
    """Name an unknown caller: one field and Enter. Whom somebody named meanwhile keeps that name."""
    visit = Visit(request)
    client_id, form = visit.number("id"), await visit.form()
    found = await card_of(visit, client_id)
    typed = form.get("name", "")
    if found.name and found.name != typed:
        said = _("Somebody named this caller meanwhile: %(now)s. You wrote: %(typed)s. Change it on the card.")
        raise Conflict(said % {"now": found.name, "typed": typed[:200]}, found.name)
    try:
        await visit.do(
            lambda unit: editing.edit_client(unit, visit.actor, client_id, {"name": typed}, found.version),
            "name client",
        )
    except Invalid as error:
        bad = next(iter(error.fields.values()), str(error))
        if "HX-Request" in request.headers:
            raise Invalid(bad, error.fields) from error
        return await card_page(visit, found, status=422, typed_name=typed, bad_name=bad)
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Trigger": "named"})
    return visit.away(f"/clients/{client_id}")


@routes.route("POST", "/clients/{id}/delete", right=Right.DELETE_CLIENTS)
async def delete(request: web.Request) -> web.StreamResponse:
    """Close a card; the page then offers to open it again."""
    visit = Visit(request)
    found = await card_of(visit, visit.number("id"))
    await visit.do(lambda unit: closing.delete_client(unit, visit.actor, found.id, found.version), "delete client")
    return visit.away(found.base, done=_("The card is deleted. You can restore it here."))


@routes.route("POST", "/clients/{id}/restore", right=Right.DELETE_CLIENTS)
async def restore(request: web.Request) -> web.StreamResponse:
    """Open a closed card again."""
    visit = Visit(request)
    client_id = visit.number("id")
    await visit.do(lambda unit: closing.restore_client(unit, visit.actor, client_id), "restore client")
    return visit.away(f"/clients/{client_id}", done=_("The card is restored."))
