"""The facts of cards, changed in place; and the trail of changes, from which each can be put back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.clients import editing, trail
from callcrm.clients.trail import CUSTOM
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit
from webui import cards, facts, paging, trails
from webui.cards import AnyCard
from webui.facts import Fact
from webui.i18n import _
from webui.pages.clients import organisation_named, people_of
from webui.routes import Routes
from webui.trails import ChangeView
from webui.visit import Visit, as_id

routes = Routes()
#: Changes of one field that are shown while it is edited.
SHOWN = 3
#: What the trail calls a fact of another name.
_FIELDS = {"owner": "owner_id", "organisation": "organisation_id"}
WHATS = {"/clients": "client", "/organisations": "organisation"}


def what_of(visit: Visit) -> str:
    """The kind of card that the address speaks of."""
    return WHATS["/" + visit.request.path.split("/")[1]]


async def subject(visit: Visit) -> AnyCard:
    """The card that the address names."""
    return await cards.read_any(visit.parts, visit.actor, what_of(visit), visit.number("id"))


@routes.route("GET", "/clients/{id}/facts/{name}", right=Right.CLIENTS)
@routes.route("GET", "/organisations/{id}/facts/{name}", right=Right.CLIENTS)
async def fact(request: web.Request) -> web.StreamResponse:
    """One fact to be changed, with its last changes, or as it was."""
    visit = Visit(request)
    found, one = await _fact(visit)
    if request.query.get("leave"):
        return visit.part("clients/fact.html", card=found, fact=one)
    return await _editing(visit, found, one)


async def _editing(visit: Visit, found: AnyCard, one: Fact, status: int = 200) -> web.Response:
    past = await _past(visit, found, one.name)
    return visit.part("clients/fact.html", card=found, fact=replace(one, editing=True), past=past, status=status)


async def _past(visit: Visit, found: AnyCard, name: str) -> list[ChangeView]:
    async with visit.parts.database.read() as db:
        field = _FIELDS.get(name, name)
        lines = await trail.changes(db, visit.actor, found.what, found.id, Wanted(SHOWN), field=field)
    return await trails.views(visit.parts, lines.items)


async def _fact(visit: Visit) -> tuple[AnyCard, Fact]:
    found = await subject(visit)
    wanted = visit.request.match_info["name"]
    for one in facts.of(found, await people_of(visit)):
        if one.name == wanted:
            return found, one
    raise NotFound(_("A card has no such fact."))


@routes.route("POST", "/clients/{id}/facts/{name}", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/facts/{name}", right=Right.CLIENTS)
async def change(request: web.Request) -> web.StreamResponse:
    """Save one fact; what cannot be taken is told beside it, with what was typed.

    Who changes another fact of the same card meanwhile is in nobody's way; who changed this one is told.
    """
    visit = Visit(request)
    found, one = await _fact(visit)
    form = await visit.form()
    value, version = form.get("value", ""), as_id(form.get("version") or "0")
    try:
        await _save(visit, found, one, value, version)
    except Invalid as error:
        bad = next(iter(error.fields.values()), str(error))
        kept = replace(one, value=value, bad=bad, was=form.get("was", one.value))
        return await _editing(visit, found, kept, 422)
    except Conflict as error:
        found, one = await _fact(visit)
        if form.get("was") is None or one.value.split() != form["was"].split():
            return await _told(visit, found, one, value, str(error))
        await _save(visit, found, one, value, found.version)
    return await _saved(visit)


async def _save(visit: Visit, found: AnyCard, one: Fact, value: str, version: int) -> None:
    async def work(unit: Unit) -> None:
        typed = facts.typed_of(one.name, value)
        if one.name == "organisation":
            typed = {"organisation_id": await organisation_named(unit, visit, value)}
        edit = editing.edit_client if found.what == "client" else editing.edit_organisation
        await edit(unit, visit.actor, found.id, typed, version)

    await visit.do(work, "change card")


async def _told(visit: Visit, found: AnyCard, now: Fact, value: str, why: str) -> web.Response:
    """Somebody was faster: both values stand there, and what was typed is kept."""
    past = await _past(visit, found, now.name)
    who = past[0].person if past else ""
    said = _(
        "%(who)s changed this meanwhile to: %(now)s. Yours stands in the field: save it, or leave theirs with Esc."
    )
    bad = said % {"who": who or _("Somebody"), "now": now.shown or "—"}
    kept = replace(now, value=value, bad=bad if now.shown != value else why)
    return await _editing(visit, found, kept, 409)


async def _saved(visit: Visit) -> web.StreamResponse:
    """The fact as it is now, with the card's head; the timeline comes anew by itself."""
    found, one = await _fact(visit)
    if "HX-Request" not in visit.request.headers:
        return visit.away(found.base)
    answer = visit.part("clients/saved.html", card=found, fact=one)
    answer.headers["HX-Trigger"] = "card-changed"
    return answer


@routes.route("GET", "/clients/{id}/changes", right=Right.CLIENTS)
@routes.route("GET", "/organisations/{id}/changes", right=Right.CLIENTS)
async def changes(request: web.Request) -> web.StreamResponse:
    """Who changed what and when: of the whole card, or of one field."""
    visit = Visit(request)
    found, query = await subject(visit), visit.query
    field = query.get("field", "")
    async with visit.parts.database.read() as db:
        wanted = Wanted(cursor=query.get("cursor", ""))
        lines = await trail.changes(db, visit.actor, found.what, found.id, wanted, field=field)
        counted = await trail.count(db, visit.actor, found.what, found.id)
    names = {_FIELDS.get(name, name): label for name, label in facts.labels(found).items()}
    options = [
        (name, f"{names.get(name) or trails.label_of(name, trails.Names())} · {n}") for name, n in counted.items()
    ]
    base = f"{found.base}/changes"
    return await visit.page(
        "clients/changes.html",
        card=found,
        rows=await trails.views(visit.parts, lines.items),
        fields=sorted(options, key=lambda one: one[1]),
        field=field,
        may_delete=may(visit.actor, Right.DELETE_CLIENTS),
        page=paging.place(base, query, lines.next),
    )


@routes.route("POST", "/clients/{id}/changes/{change}/back", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/changes/{change}/back", right=Right.CLIENTS)
async def back(request: web.Request) -> web.StreamResponse:
    """Put a field back as it was before a change."""
    visit = Visit(request)
    found = await subject(visit)
    async with visit.parts.database.read() as db:
        line = await trail.change(db, visit.actor, found.what, found.id, request.match_info["change"][:32])
    if line.field == "number":
        await _number_back(visit, found, line.old, line.new)
    elif line.field in trails.PLAIN or line.field.startswith(CUSTOM):
        old = {"custom": {line.field.removeprefix(CUSTOM): line.old}} if line.field.startswith(CUSTOM) else None
        typed = old or {line.field: line.old}
        edit = editing.edit_client if found.what == "client" else editing.edit_organisation
        await visit.do(lambda unit: edit(unit, visit.actor, found.id, typed, found.version), "put back")
    else:
        raise Invalid(_("This change cannot be put back from here."))
    return visit.away(found.base, done=_("It is as it was before."))


async def _number_back(visit: Visit, found: AnyCard, old: object, new: object) -> None:
    """A number that was taken off is put on again, one that was added is taken off."""
    act: Callable[..., Awaitable[object]]
    act, number = (editing.add_number, old) if old else (editing.drop_number, new)
    client, company = (found.id, None) if found.what == "client" else (None, found.id)
    await visit.do(
        lambda unit: act(unit, visit.actor, str(number), client_id=client, organisation_id=company), "number back"
    )
