"""The shift: start at a phone, pause, be back, end."""

import re

from aiohttp import web

from callcrm import house
from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Line
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.shifts import queries as shifts
from callcrm.shifts import service
from webui import links
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("GET", "/me/shift")
async def check(request: web.Request) -> web.StreamResponse:
    """What is asked and tested before a shift: the phone, sound, alerts, the connections."""
    return await _dialog(Visit(request))


async def _dialog(visit: Visit, *, bad: str = "", typed: str = "", status: int = 200) -> web.Response:
    async with visit.parts.database.read() as db:
        found = await shifts.choices(db, visit.actor.user_id)
        person = await accounts.person(db, visit.actor.name)
    pbxes = sorted(visit.parts.settings.pbx)
    return visit.part(
        "shell/shift.html",
        own=[one for one in found if one.own],
        free=[one for one in found if not one.own and not one.taken_by],
        pbxes=pbxes,
        links=await links.all_links(visit.parts),
        on_shift=bool(person and person.on_shift_since),
        bad={"other": bad} if bad else {},
        typed_phone=typed,
        status=status,
    )


@routes.route("POST", "/me/shift")
async def shift(request: web.Request) -> web.StreamResponse:
    """Start (at a phone) or end the shift."""
    visit = Visit(request)
    form, actor = await visit.form(), visit.actor
    if form.get("shift") == "end":
        await visit.do(lambda unit: service.end(unit, actor.user_id), "end shift")
        return _done(visit, _("The shift is over. Missed calls wait for you as callbacks."))
    try:
        line = _line(visit, form)
        await visit.do(lambda unit: service.start(unit, actor, line), "start shift")
    except (Conflict, Invalid) as error:
        if _is_dialog(visit):
            return await _dialog(visit, bad=str(error), typed=form.get("other", ""), status=409)
        raise
    return _done(visit, _("The shift has begun."))


@routes.route("POST", "/me/pause")
async def pause(request: web.Request) -> web.StreamResponse:
    """Take a pause."""
    visit = Visit(request)
    reason, rules = (await visit.form()).get("reason", ""), house.shift_rules(visit.parts.settings)
    await visit.do(lambda unit: service.pause(unit, visit.actor, reason, rules), "pause")
    return _done(visit, _("Pause: %(reason)s") % {"reason": reason})


@routes.route("POST", "/me/resume")
async def resume(request: web.Request) -> web.StreamResponse:
    """Be back."""
    visit = Visit(request)
    await visit.do(lambda unit: service.resume(unit, visit.actor), "resume")
    return _done(visit, _("You are back."))


@routes.route("POST", "/me/again")
async def again(request: web.Request) -> web.StreamResponse:
    """Ask the PBX once more for what it did not do."""
    visit = Visit(request)
    await visit.do(lambda unit: service.again(unit, visit.actor), "ask again")
    return _done(visit, _("The PBX is asked again."))


def _is_dialog(visit: Visit) -> bool:
    return visit.request.headers.get("HX-Request") == "true"


def _done(visit: Visit, words: str) -> web.Response:
    """The script reads the strip anew; without one the page is loaded."""
    if _is_dialog(visit):
        return web.json_response({"said": words})
    return visit.away("/", done=words)


def _line(visit: Visit, form: dict[str, str]) -> Line | None:
    """The phone to sit at; None for who has none and names none."""
    wish, other = form.get("phone", ""), form.get("other", "")
    if wish == "other" or (not wish and other):
        return _other(visit, form.get("pbx", ""), other)
    if not wish:
        return None
    pbx, _slash, extension = wish.partition("/")
    return _known(visit, Line(pbx, extension))


def _other(visit: Visit, pbx: str, extension: str) -> Line:
    if not extension:
        raise Invalid(_("Type the extension of the phone that you sit at."), {"other": _("which phone?")})
    names = sorted(visit.parts.settings.pbx)
    return _known(visit, Line(pbx or (names[0] if names else ""), extension))


def _known(visit: Visit, line: Line) -> Line:
    """A phone that the PBX's settings take for an operator's."""
    known = visit.parts.settings.pbx.get(line.pbx)
    if known is None:
        raise Invalid(_("There is no PBX %(pbx)s.") % {"pbx": line.pbx[:40]})
    if known.operators and not re.fullmatch(known.operators, known.dial_channel.format(extension=line.extension)):
        sentence = _("%(phone)s is no operator’s phone of PBX %(pbx)s; look at the number on the phone.")
        raise Invalid(sentence % {"phone": line.extension[:40], "pbx": line.pbx}, {"other": _("no such phone")})
    return line
