"""Who a request is: the session's cookie, or a program's token."""

import structlog
from aiohttp import web

from callcrm.accounts import queries, sessions
from callcrm.accounts.policy import Actor
from callcrm.kernel import clock
from webui.parts import Parts

log = structlog.get_logger(__name__)
#: The session's cookie; the push server reads it, too. Cookies ignore ports, so both servers get it.
COOKIE = "callcrm"


async def recognise(request: web.Request, parts: Parts) -> Actor | None:
    """The actor behind a request, or None. A header wins over a cookie: it was put there on purpose."""
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        return await _by_token(parts, token.strip()) if scheme.lower() == "bearer" else None
    cookie = request.cookies.get(COOKIE, "")
    return await _by_cookie(parts, cookie) if cookie else None


async def _by_token(parts: Parts, token: str) -> Actor | None:
    async with parts.database.read() as db:
        actor = await queries.actor_by_token(db, token)
    if actor is not None:
        await parts.writer.do(lambda unit: sessions.note_token_use(unit, token), name="token use")
    return actor


async def _by_cookie(parts: Parts, cookie: str) -> Actor | None:
    async with parts.database.glance() as db:
        found = await queries.signed_in(db, cookie)
    if found is None:
        return None
    if sessions.stale(found, clock.now()):
        hours = parts.settings.web.session_hours
        await parts.writer.do(lambda unit: sessions.touch(unit, found, hours=hours), name="session use")
    return found.actor


def session_key(request: web.Request) -> str:
    """The stored key of the request's session; empty for a token."""
    cookie = request.cookies.get(COOKIE, "")
    return queries.digest(cookie) if cookie else ""


def set_cookie(response: web.Response, cookie: str, *, hours: float, secure: bool) -> None:
    """Hand the session to the browser: never to scripts, never to other sites."""
    response.set_cookie(
        COOKIE, cookie, max_age=int(hours * 3600), httponly=True, samesite="Lax", secure=secure, path="/"
    )
