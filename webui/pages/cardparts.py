"""What stands on a card besides its facts: numbers, notes, consents. For persons and organisations alike."""

from datetime import UTC, datetime, time
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.clients import consents, editing, notes
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid, NotFound
from webui import show
from webui.cards import AnyCard, CardView
from webui.i18n import _
from webui.pages.clients import card_page
from webui.pages.facts import subject
from webui.pages.organisations import company_page
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


async def page_of(visit: Visit, found: AnyCard, **more: Any) -> web.Response:
    """The card as a page, with what was typed and what is wrong with it."""
    return await (
        card_page(visit, found, **more) if isinstance(found, CardView) else company_page(visit, found, **more)
    )


def owner_of(found: AnyCard) -> dict[str, int]:
    """The card as the services take it."""
    return {f"{found.what}_id": found.id}


def _first(error: Invalid) -> str:
    return next(iter(error.fields.values()), str(error))


@routes.route("POST", "/clients/{id}/numbers", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/numbers", right=Right.CLIENTS)
async def add_number(request: web.Request) -> web.StreamResponse:
    """One more number."""
    visit = Visit(request)
    found, form = await subject(visit), await visit.form()
    raw, label, country = form.get("number", ""), form.get("label", ""), visit.parts.settings.clients.country
    try:
        await visit.do(
            lambda unit: editing.add_number(unit, visit.actor, raw, country=country, label=label, **owner_of(found)),
            "add number",
        )
    except Invalid as error:
        typed = {"typed_number": raw, "typed_label": label, "bad_number": _first(error)}
        return await page_of(visit, found, status=422, **typed)
    return visit.away(found.base)


@routes.route("POST", "/clients/{id}/numbers/{number}/remove", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/numbers/{number}/remove", right=Right.CLIENTS)
async def remove_number(request: web.Request) -> web.StreamResponse:
    """Take a number off the card; only one of this card. The changes put it back."""
    visit = Visit(request)
    found, number_id = await subject(visit), visit.number("number")
    if number_id not in {one.id for one in found.numbers}:
        raise NotFound(_("This number is not on this card."))
    await visit.do(lambda unit: editing.remove_number(unit, visit.actor, number_id), "remove number")
    return visit.away(f"{found.base}/changes?field=number", done=_("The number is taken off. Here it can be put back."))


@routes.route("POST", "/clients/{id}/notes", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/notes", right=Right.CLIENTS)
async def add_note(request: web.Request) -> web.StreamResponse:
    """Write a note down on the card."""
    visit = Visit(request)
    found, posted = await subject(visit), await request.post()
    text = str(posted.get("note", ""))
    try:
        await visit.do(lambda unit: notes.add(unit, visit.actor, text, **owner_of(found)), "add note")
    except Invalid as error:
        return await page_of(visit, found, status=422, typed_note=text, bad_note=_first(error))
    return visit.away(found.base)


@routes.route("POST", "/clients/{id}/notes/{note}/remove", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/notes/{note}/remove", right=Right.CLIENTS)
async def remove_note(request: web.Request) -> web.StreamResponse:
    """Take a note away; the page offers to put it back."""
    visit = Visit(request)
    found, note = await subject(visit), request.match_info["note"][:32]
    await visit.do(lambda unit: notes.remove(unit, visit.actor, note, **owner_of(found)), "remove note")
    return visit.away(f"{found.base}?removed={note}")


@routes.route("POST", "/clients/{id}/notes/{note}/restore", right=Right.CLIENTS)
@routes.route("POST", "/organisations/{id}/notes/{note}/restore", right=Right.CLIENTS)
async def restore_note(request: web.Request) -> web.StreamResponse:
    """Put a note back."""
    visit = Visit(request)
    found, note = await subject(visit), request.match_info["note"][:32]
    await visit.do(lambda unit: notes.bring_back(unit, visit.actor, note, **owner_of(found)), "restore note")
    return visit.away(found.base)


@routes.route("POST", "/clients/{id}/consents", right=Right.CLIENTS)
async def give_consent(request: web.Request) -> web.StreamResponse:
    """Note what the client agreed to, and how."""
    visit = Visit(request)
    found, form = await subject(visit), await visit.form()
    purposes = visit.parts.settings.clients.consents
    try:
        typed = {"purpose": form.get("purpose", ""), "how": form.get("how", ""), "given_at": _day(form.get("day", ""))}
        await visit.do(lambda unit: consents.give(unit, visit.actor, found.id, typed, purposes), "give consent")
    except Invalid as error:
        bad = {{"given_at": "day"}.get(name, name): why for name, why in error.fields.items()}
        return await page_of(visit, found, status=422, consent=form, bad_consent=bad)
    return visit.away(found.base)


@routes.route("POST", "/clients/{id}/consents/{consent}/withdraw", right=Right.CLIENTS)
async def withdraw_consent(request: web.Request) -> web.StreamResponse:
    """Note that the client took a consent back."""
    visit = Visit(request)
    found, form = await subject(visit), await visit.form()
    consent, how = visit.number("consent"), form.get("how", "")
    await visit.do(lambda unit: consents.withdraw(unit, visit.actor, found.id, consent, how), "withdraw consent")
    return visit.away(found.base, done=_("It is noted that this consent was taken back."))


def _day(typed: str) -> datetime | None:
    """The day that was typed, at its noon on the reader's clock, today now; None when nothing was typed."""
    if not typed:
        return None
    try:
        day = datetime.fromisoformat(typed).date()
    except ValueError:
        raise Invalid(_("Write the day."), {"day": _("a date looks like 1990-05-12")}) from None
    here = show.here(clock.now())
    if day == here.date():
        return clock.now()
    return datetime.combine(day, time(12), here.tzinfo).astimezone(UTC)
