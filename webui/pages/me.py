"""One's own account: look, language, password; and the strip."""

from collections.abc import Mapping

from aiohttp import web

from callcrm.accounts import passwords, service, signing_in
from callcrm.kernel.errors import Invalid
from callcrm.tasks import feeds
from webui import desk, shell, words
from webui.i18n import _
from webui.routes import Routes
from webui.visit import SESSION, Visit

routes = Routes()


@routes.route("POST", "/me/look")
async def look(request: web.Request) -> web.StreamResponse:
    """Theme, density and single-key shortcuts go with the account, so that they are the same at every desk."""
    visit = Visit(request)
    form, actor = await visit.form(), visit.actor
    values: dict[str, str | bool] = {name: form[name] for name in ("theme", "density") if name in form}
    if "keys" in form:
        values["single_keys"] = form["keys"] != "off"
    if values:
        await visit.do(lambda unit: service.change_user(unit, actor.user_id, by=actor, **values), "look")
    return web.json_response({})


@routes.route("GET", "/me")
async def account(request: web.Request) -> web.StreamResponse:
    """What one may change of one's own account."""
    return await account_page(Visit(request))


async def account_page(
    visit: Visit,
    typed: Mapping[str, str] | None = None,
    bad: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    address: str = "",
) -> web.Response:
    """The page; `address` is the calendar's new one, shown this once."""
    actor = visit.actor
    now = {"language": actor.language, "time_zone": actor.time_zone, "theme": actor.theme, "density": actor.density}
    now["pop"] = actor.pop
    now["keys"] = "on" if actor.single_keys else "off"
    async with visit.parts.database.read() as db:
        made_at = await feeds.made_at(db, actor.user_id)
    return await visit.page(
        "accounts/me.html",
        typed={**now, **(typed or {})},
        bad=bad or {},
        pops=words.pops(),
        status=status,
        feed=made_at,
        address=address,
    )


@routes.route("POST", "/me")
async def change(request: web.Request) -> web.StreamResponse:
    """Save it; what cannot be taken is told beside its field."""
    visit = Visit(request)
    form = await visit.form()
    try:
        if form.get("password"):
            await _new_password(visit, form)
        values: dict[str, str | bool] = {"language": form.get("language", ""), "time_zone": form.get("time_zone", "")}
        values |= {name: form[name] for name in ("theme", "density", "pop") if name in form}
        if "keys" in form:
            values["single_keys"] = form["keys"] != "off"
        actor = visit.actor
        await visit.do(lambda unit: service.change_user(unit, actor.user_id, by=actor, **values), "own account")
    except Invalid as error:
        return await account_page(visit, form, error.fields, status=422)
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
    """Own state and today's figures, for the strip; `said`: what the browser was just told of its pops."""
    visit = Visit(request)
    found = await shell.shell_of(request, visit.parts, visit.actor, desk.hint_of(request.query))
    return visit.part("shell/strip_me.html", shell=found)


@routes.route("GET", "/shell/links")
async def lights(request: web.Request) -> web.StreamResponse:
    """The PBX light."""
    visit = Visit(request)
    found = await shell.shell_of(request, visit.parts, visit.actor)
    return visit.part("shell/links_part.html", shell=found)


@routes.route("GET", "/shell/places")
async def rail(request: web.Request) -> web.StreamResponse:
    """The rail's places with what waits behind them; `at` is the page that stands beside it."""
    visit = Visit(request)
    at = visit.query.get("at", "")
    news = await shell.news_of(visit.parts, visit.actor)
    found = await shell.places_of(visit.parts, visit.actor, at, news)
    return visit.part("shell/places.html", places=found, at=at)
