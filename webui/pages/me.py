"""One's own account: shift, look, language, password."""

from aiohttp import web

from callcrm.accounts import passwords, service, signing_in
from callcrm.kernel.errors import Invalid
from webui import shell
from webui.i18n import _
from webui.routes import Routes
from webui.visit import SESSION, Visit

routes = Routes()
YEAR = 365 * 24 * 3600


@routes.route("POST", "/me/shift")
async def shift(request: web.Request) -> web.StreamResponse:
    """Start or end the shift."""
    visit = Visit(request)
    if (await visit.form()).get("shift") == "end":
        await visit.do(lambda unit: service.end_shift(unit, visit.actor), "end shift")
        return visit.away("/", done=_("The shift is over. Missed calls wait for you as callbacks."))
    await visit.do(lambda unit: service.start_shift(unit, visit.actor), "start shift")
    return visit.away("/", done=_("The shift has begun."))


@routes.route("POST", "/me/look")
async def look(request: web.Request) -> web.StreamResponse:
    """Theme goes with the account, density with the browser."""
    visit = Visit(request)
    form = await visit.form()
    response = web.json_response({})
    if theme := form.get("theme"):
        user, actor = visit.actor.user_id, visit.actor
        await visit.do(lambda unit: service.change_user(unit, user, by=actor, theme=theme), "theme")
    if "density" in form:
        wish = form["density"] if form["density"] in ("compact", "roomy") else ""
        response.set_cookie("density", wish, max_age=YEAR, samesite="Lax", httponly=True)
    return response


@routes.route("GET", "/me")
async def account(request: web.Request) -> web.StreamResponse:
    """What one may change of one's own account."""
    visit = Visit(request)
    typed = {"language": visit.actor.language, "time_zone": visit.actor.time_zone}
    return await visit.page("accounts/me.html", typed=typed, bad={})


@routes.route("POST", "/me")
async def change(request: web.Request) -> web.StreamResponse:
    """Save it; what cannot be taken is told beside its field."""
    visit = Visit(request)
    form = await visit.form()
    try:
        if form.get("password"):
            await _new_password(visit, form)
        values = {"language": form.get("language", ""), "time_zone": form.get("time_zone", "")}
        actor = visit.actor
        await visit.do(lambda unit: service.change_user(unit, actor.user_id, by=actor, **values), "own account")
    except Invalid as error:
        return await visit.page("accounts/me.html", typed=form, bad=error.fields, status=422)
    return visit.away("/me", done=_("Saved"))


async def _new_password(visit: Visit, form: dict[str, str]) -> None:
    actor, parts = visit.actor, visit.parts
    try:
        entry = await signing_in.sign_in(parts.database, parts.writer, actor.name, form.get("old", ""), hours=0.02)
    except signing_in.WrongPassword:
        raise Invalid(_("The present password is wrong."), {"old": _("This is not your present password.")}) from None
    fresh = await passwords.hashed(form["password"], name=actor.name)
    del entry
    await visit.do(
        lambda unit: service.set_password(unit, actor.user_id, fresh, by=actor, keep=visit.request[SESSION]),
        "own password",
    )


@routes.route("GET", "/shell/me")
async def strip(request: web.Request) -> web.StreamResponse:
    """Own state and today's figures, for the strip."""
    visit = Visit(request)
    found = await shell.shell_of(request, visit.parts, visit.actor)
    return visit.part("shell/strip_me.html", shell=found)


@routes.route("GET", "/shell/links")
async def lights(request: web.Request) -> web.StreamResponse:
    """The PBX light."""
    visit = Visit(request)
    found = await shell.shell_of(request, visit.parts, visit.actor)
    return visit.part("shell/links_part.html", shell=found)
