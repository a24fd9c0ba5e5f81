"""One person or organisation twice: compare two cards, merge them, undo it, or say that they are two."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right
from callcrm.clients import definitions, duplicates, merging, queries
from callcrm.clients.kinds import COMPANY, KINDS, PERSON, Kind
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.kernel.paging import Wanted
from webui import cards, trails
from webui.cards import AnyCard
from webui.i18n import _
from webui.pages.facts import subject
from webui.routes import Routes
from webui.trails import Names
from webui.visit import Visit, as_id

routes = Routes()
OFFERED = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A field that differs: both values as they are read, and whose is chosen."""

    name: str
    label: str
    kept: str
    gone: str
    side: str
    both: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """A card that this one may be compared with."""

    id: int
    name: str
    more: str
    number: str


@routes.route("GET", "/clients/{id}/merge", right=Right.DELETE_CLIENTS)
@routes.route("GET", "/organisations/{id}/merge", right=Right.DELETE_CLIENTS)
async def compare(request: web.Request) -> web.StreamResponse:
    """Two cards side by side; without `with`, whom to compare with."""
    visit = Visit(request)
    kept = await subject(visit)
    if not visit.query.get("with"):
        return await _choose(visit, kept)
    return await _compare(visit, kept, await _other(visit, kept, visit.query["with"]))


async def _other(visit: Visit, kept: AnyCard, key: str) -> AnyCard:
    return await cards.read_any(visit.parts, visit.actor, kept.what, as_id(key))


def _kind(card: AnyCard) -> Kind:
    return KINDS[card.what]


async def _choose(visit: Visit, kept: AnyCard) -> web.Response:
    q, country = visit.query.get("q", "") or kept.title, visit.parts.settings.clients.country
    async with visit.parts.database.read() as db:
        if kept.what == COMPANY.word:
            firms = await queries.organisation_list(db, visit.actor, q, Wanted(OFFERED))
            found = [Other(one.id, one.name, "", cards.first_number(one.numbers)) for one in firms.items]
        else:
            lines = await queries.client_list(db, visit.actor, q, Wanted(OFFERED), country=country)
            views = [cards.line_view(line) for line in lines.items]
            found = [Other(one.id, one.name, one.role, one.number) for one in views]
        twins = await duplicates.of(db, visit.actor, kept.id, _kind(kept))
    likely = {one.id for one in twins}
    rows = [one for one in found if one.id != kept.id and one.id not in likely]
    return await visit.page("clients/merge_with.html", card=kept, rows=rows, twins=twins, q=q)


async def _compare(  # noqa: PLR0917
    visit: Visit,
    kept: AnyCard,
    gone: AnyCard,
    chosen: dict[str, str] | None = None,
    said: str = "",
    status: int = 200,
) -> web.Response:
    async with visit.parts.database.read() as db:
        found = await merging.preview(db, visit.actor, kept.id, gone.id, _kind(kept))
    rows = await _rows(visit, kept.what, found, chosen or {})
    return await visit.page(
        "clients/merge.html", card=kept, other=gone, rows=rows, moved=_moved(found), said=said, status=status,
        days=merging.UNDO_DAYS,
    )  # fmt: skip


async def _rows(visit: Visit, what: str, found: merging.Preview, chosen: dict[str, str]) -> list[Row]:
    names = await _names(visit, what, found)
    return [
        Row(
            one.field,
            trails.label_of(one.field, names),
            trails.value_of(one.field, one.kept, names),
            trails.value_of(one.field, one.gone, names),
            chosen.get(one.field, one.side),
            both=one.field == "note" and bool(one.kept and one.gone),
        )
        for one in found.differences
    ]


async def _names(visit: Visit, what: str, found: merging.Preview) -> Names:
    houses = [v for one in found.differences if one.field == "organisation_id" for v in (one.kept, one.gone) if v]
    async with visit.parts.database.read() as db:
        people = {one.id: one.shown for one in await accounts.people(db, active_only=False)}
        _persons, companies = await queries.names(db, organisations=houses)
        own = {one.key: (one.label, one.kind) for one in await definitions.of(db, what, deleted=True)}
    return Names(people, {}, companies, own)


def _moved(found: merging.Preview) -> list[tuple[str, int]]:
    """What goes over, by what it is, in the words of people."""
    words = {
        "clients": _("People"), "calls": _("Calls"), "tasks": _("Tasks and callbacks"), "card_notes": _("Notes"),
        "consents": _("Consents"),
        "client_numbers": _("Numbers"), "client_mails": _("Mail addresses"),
    }  # fmt: skip
    return [(word, found.rows[name]) for name, word in words.items() if found.rows.get(name)]


@routes.route("POST", "/clients/{id}/merge", right=Right.DELETE_CLIENTS)
@routes.route("POST", "/organisations/{id}/merge", right=Right.DELETE_CLIENTS)
async def merge(request: web.Request) -> web.StreamResponse:
    """Merge the other card into this one; what changed meanwhile is compared again."""
    visit = Visit(request)
    form: dict[str, Any] = await visit.form()
    kept = await subject(visit)
    gone, kind = await _other(visit, kept, form.get("other", "")), _kind(kept)
    sides = {name.removeprefix("side."): value for name, value in form.items() if name.startswith("side.")}
    versions = (as_id(form.get("version") or "0"), as_id(form.get("other_version") or "0"))
    try:
        await visit.do(
            lambda unit: merging.merge(unit, visit.actor, kept.id, gone.id, versions=versions, sides=sides, kind=kind),
            "merge cards",
        )
    except Conflict as error:
        fresh, other = await subject(visit), await _other(visit, kept, str(gone.id))
        return await _compare(visit, fresh, other, sides, str(error), 409)
    except Invalid as error:
        return await _compare(visit, kept, gone, sides, str(error), 422)
    return visit.away(kept.base, done=_("The two cards are one now."))


@routes.route("POST", "/merges/{merge}/undo", right=Right.DELETE_CLIENTS)
async def undo(request: web.Request) -> web.StreamResponse:
    """Make two cards of persons of one again."""
    return await _undo(Visit(request), PERSON, "/clients")


@routes.route("POST", "/organisation-merges/{merge}/undo", right=Right.DELETE_CLIENTS)
async def undo_organisations(request: web.Request) -> web.StreamResponse:
    """Make two organisations of one again."""
    return await _undo(Visit(request), COMPANY, "/organisations")


async def _undo(visit: Visit, kind: Kind, base: str) -> web.Response:
    key = visit.request.match_info["merge"][:32]
    kept, _gone = await visit.do(lambda unit: merging.undo(unit, visit.actor, key, kind), "undo merge")
    return visit.away(f"{base}/{kept}", done=_("The two cards are two again, as they were."))


@routes.route("POST", "/clients/{id}/apart", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/apart", right=Right.CLIENTS)
async def apart(request: web.Request) -> web.StreamResponse:
    """They are two: nobody is asked again."""
    visit = Visit(request)
    found, form = await subject(visit), await visit.form()
    other, kind = as_id(form.get("other", "")), _kind(found)
    await visit.do(lambda unit: duplicates.say_apart(unit, visit.actor, found.id, other, kind), "tell apart")
    return visit.away(found.base, done=_("Nobody is asked again whether these two are one."))
