"""Signing in and out, the built files, and the page's own icon."""

from aiohttp import web

from callcrm.accounts import queries, sessions, signing_in
from callcrm.accounts.signing_in import TooManyTries, WrongPassword
from callcrm.kernel.writer import Unit
from callcrm.shifts import unseen
from webui import assets, i18n, links
from webui.i18n import _, ngettext
from webui.identity import COOKIE, set_cookie
from webui.parts import PARTS
from webui.routes import Routes
from webui.templating import render
from webui.visit import ADDRESS, SECURE, own

routes = Routes()
YEAR = 365 * 24 * 3600


@routes.route("GET", "/sign-in", public=True)
async def door(request: web.Request) -> web.StreamResponse:
    """The way in; `?language=` changes the language here and remembers it."""
    wish = request.query.get("language", "")
    if wish in i18n.LANGUAGES:
        i18n.use(wish)
    response = await _door(request, next_=own(request.query.get("next", "/")))
    if wish in i18n.LANGUAGES:
        response.set_cookie("language", wish, max_age=YEAR, samesite="Lax", httponly=True)
    return response


@routes.route("POST", "/sign-in", public=True)
async def sign_in(request: web.Request) -> web.StreamResponse:
    """Try a name and a password; the throttle speaks before the password is looked at."""
    parts, posted = request.app[PARTS], await request.post()
    name, password, next_ = (str(posted.get(key, "")) for key in ("name", "password", "next"))
    hours = parts.settings.web.session_hours
    agent = request.headers.get("User-Agent", "")[:300]
    try:
        entry = await signing_in.sign_in(
            parts.database, parts.writer, name[:100], password, hours=hours, address=request[ADDRESS], agent=agent
        )
    except TooManyTries as error:
        minutes = max(1, -(-error.wait_s // 60))
        bad = ngettext(
            "Too many wrong tries. Wait %(n)s minute, or ask an administrator for a new password.",
            "Too many wrong tries. Wait %(n)s minutes, or ask an administrator for a new password.",
            minutes,
        )
        return await _door(request, name=name, next_=own(next_), bad=bad % {"n": minutes}, status=429)
    except WrongPassword:
        bad = _("Name and password do not go together.")
        return await _door(request, name=name, next_=own(next_), bad=bad, status=401)
    response = web.Response(status=303, headers={"Location": own(next_ or "/")})
    secure = request[SECURE] or parts.settings.web.secure_cookies
    set_cookie(response, entry.cookie, hours=hours, secure=secure)
    return response


async def _door(
    request: web.Request, *, name: str = "", next_: str = "/", bad: str = "", status: int = 200
) -> web.Response:
    marks = [link.mark for link in await links.all_links(request.app[PARTS])]
    values = {"name": name[:100], "next": next_, "bad": bad, "links": marks, "language": i18n.language()}
    return web.Response(text=render("sign_in.html", values), content_type="text/html", status=status)


@routes.route("POST", "/sign-out", public=True)
async def sign_out(request: web.Request) -> web.StreamResponse:
    """Forget the session, here and on the server."""
    cookie = request.cookies.get(COOKIE, "")
    if cookie:
        await request.app[PARTS].writer.do(lambda unit: _forget(unit, cookie), name="sign out")
    response = web.Response(status=303, headers={"Location": "/sign-in", "Clear-Site-Data": '"storage"'})
    response.del_cookie(COOKIE, path="/")
    return response


async def _forget(unit: Unit, cookie: str) -> None:
    """Whose last browser it was, his shift is over."""
    found = await queries.signed_in(unit.db, cookie)
    await sessions.sign_out(unit, cookie)
    if found is not None:
        await unseen.signed_out(unit, found.actor.user_id)


@routes.route("GET", r"/static/{name:[A-Za-z0-9._-]+}", public=True)
async def static(request: web.Request) -> web.StreamResponse:
    """A built file; its name holds its hash, so that browsers may keep it for ever."""
    name = request.match_info["name"]
    path = assets.DIST / name if name != "icon.svg" else assets.DIST.parent / name
    if not path.is_file() or name.startswith("."):
        raise web.HTTPNotFound
    age = 3600 if name == "icon.svg" else YEAR
    return web.FileResponse(path, headers={"Cache-Control": f"public, max-age={age}, immutable"})
