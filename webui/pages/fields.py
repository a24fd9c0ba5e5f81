"""The fields that an administrator adds to cards: listed, defined, put in order, deleted, restored, purged."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.clients import definitions
from callcrm.clients.custom import KINDS, WHATS, Definition
from callcrm.kernel.errors import Conflict, Invalid
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
BASE = "/accounts/fields"


def words_of(kind: str) -> str:
    """What values of a field are."""
    return {
        "text": _("Text"),
        "number": _("Number"),
        "date": _("Date"),
        "choice": _("One of a list"),
        "flag": _("Yes or no"),
    }.get(kind, kind)


def whose(what: str) -> str:
    """On whose cards a field stands."""
    return {"client": _("Persons"), "organisation": _("Organisations")}.get(what, what)


@routes.route("GET", BASE, right=Right.FIELDS)
async def fields(request: web.Request) -> web.StreamResponse:
    """Both lists, with deleted fields at their ends."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        lists = [(what, whose(what), await definitions.of(db, what, deleted=True)) for what in WHATS]
    ordered = [(what, word, sorted(found, key=lambda one: one.deleted)) for what, word, found in lists]
    return await visit.page("fields/list.html", lists=ordered, kind_word=words_of)


@routes.route("GET", BASE + "/new", right=Right.FIELDS)
async def blank(request: web.Request) -> web.StreamResponse:
    """An empty form."""
    visit = Visit(request)
    return await _form(visit, None, {"what": visit.query.get("what", "client"), "kind": "text"}, {})


async def _form(
    visit: Visit, held: Definition | None, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200
) -> web.Response:
    whats = [(what, whose(what)) for what in WHATS]
    kinds = [(kind, words_of(kind)) for kind in KINDS]
    return await visit.page(
        "fields/edit.html", held=held, typed=typed, bad=bad, whats=whats, kinds=kinds, kind_word=words_of, status=status
    )


def _typed(form: Mapping[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = {name: form.get(name, "") for name in ("what", "kind", "key", "label", "help")}
    lines = form.get("choices", "").replace("\r\n", "\n").split("\n")
    return typed | {"required": form.get("required") == "yes", "choices": [line for line in lines if line.strip()]}


@routes.route("POST", BASE + "/new", right=Right.FIELDS)
async def add(request: web.Request) -> web.StreamResponse:
    """Define a field."""
    visit = Visit(request)
    form = await visit.form()
    try:
        await visit.do(lambda unit: definitions.define(unit, visit.actor, _typed(form)), "define field")
    except Invalid as error:
        return await _form(visit, None, form, error.fields, 422)
    return visit.away(BASE, done=_("The field stands on the cards now."))


async def _held(visit: Visit) -> Definition:
    async with visit.parts.database.read() as db:
        return await definitions.one(db, visit.number("id"))


@routes.route("GET", BASE + "/{id}", right=Right.FIELDS)
async def edit(request: web.Request) -> web.StreamResponse:
    """A field as it is."""
    visit = Visit(request)
    held = await _held(visit)
    return await _form(visit, held, _as_form(held), {})


def _as_form(held: Definition) -> dict[str, str]:
    plain = {name: str(value) for name, value in asdict(held).items()}
    return plain | {"choices": "\n".join(held.choices), "required": "yes" if held.required else ""}


@routes.route("POST", BASE + "/{id}", right=Right.FIELDS)
async def save(request: web.Request) -> web.StreamResponse:
    """Change a field."""
    visit = Visit(request)
    held, form = await _held(visit), await visit.form()
    version = as_id(form.get("version") or "0")
    try:
        await visit.do(
            lambda unit: definitions.redefine(unit, visit.actor, held.id, _typed(form), version), "redefine field"
        )
    except Invalid as error:
        return await _form(visit, held, form, error.fields, 422)
    except Conflict as error:
        said = _("%(why)s It is now: %(now)s") % {"why": error, "now": held.label}
        return await _form(visit, held, form, {"label": said}, 409)
    return visit.away(BASE, done=_("Saved"))


@routes.route("POST", BASE + "/{id}/move", right=Right.FIELDS)
async def move(request: web.Request) -> web.StreamResponse:
    """One place up or down."""
    visit = Visit(request)
    field_id, step = visit.number("id"), -1 if (await visit.form()).get("step") == "up" else 1
    await visit.do(lambda unit: definitions.move(unit, visit.actor, field_id, step), "move field")
    return visit.away(f"{BASE}#field-{field_id}")


@routes.route("GET", BASE + "/{id}/delete", right=Right.FIELDS)
async def ask(request: web.Request) -> web.StreamResponse:
    """What deleting (or, for a deleted one, purging) would do: asked in words."""
    visit = Visit(request)
    held = await _held(visit)
    async with visit.parts.database.read() as db:
        used = await definitions.used(db, held)
    return await visit.page("fields/delete.html", held=held, used=used)


@routes.route("POST", BASE + "/{id}/delete", right=Right.FIELDS)
async def delete(request: web.Request) -> web.StreamResponse:
    """Ask for it no more; its values stay."""
    visit = Visit(request)
    held = await _held(visit)
    await visit.do(lambda unit: definitions.drop(unit, visit.actor, held.id, held.version), "delete field")
    return visit.away(BASE, done=_("The field is deleted; its values are kept until you purge them."))


@routes.route("POST", BASE + "/{id}/restore", right=Right.FIELDS)
async def restore(request: web.Request) -> web.StreamResponse:
    """Ask for it again."""
    visit = Visit(request)
    field_id = visit.number("id")
    await visit.do(lambda unit: definitions.bring_back(unit, visit.actor, field_id), "restore field")
    return visit.away(BASE, done=_("The field is back, with its values."))


@routes.route("POST", BASE + "/{id}/purge", right=Right.FIELDS)
async def purge(request: web.Request) -> web.StreamResponse:
    """Take the values of a deleted field off every card."""
    visit = Visit(request)
    cards = await definitions.purge(visit.parts.writer, visit.actor, visit.number("id"))
    return visit.away(BASE, done=_("Purged: %(n)s cards had a value.") % {"n": cards})
