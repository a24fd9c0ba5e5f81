"""What every request goes through: log, headers, errors in words, origin, session, rights."""

import secrets
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from time import perf_counter

import structlog
from aiohttp import web

from callcrm.accounts import policy
from callcrm.kernel.errors import CallcrmError, Conflict, Invalid, NotAllowed, NotFound
from callcrm.push import origin
from webui import i18n, identity, show
from webui.errors import failure
from webui.i18n import _
from webui.parts import PARTS, Parts
from webui.routes import declared
from webui.visit import ACTOR, ADDRESS, SECURE, SESSION

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAFE = ("GET", "HEAD", "OPTIONS")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Where the request comes from, one log line, and the headers that every answer carries."""
    began = perf_counter()
    parts = request.app[PARTS]
    _place(request, parts)
    response = await handler(request)
    if not response.prepared:
        for name, value in headers(request, parts).items():
            response.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        took = round((perf_counter() - began) * 1000, 1)
        log.info("request", method=request.method, path=_logged(request.path), status=response.status, ms=took)
    return response


def _logged(path: str) -> str:
    """The path without what is secret in it: who has a calendar's address can read it."""
    return "/calendar/…" if path.startswith("/calendar/") else path


def _place(request: web.Request, parts: Parts) -> None:
    """The client's address and whether it came by TLS; a proxy is believed only when the settings name it."""
    address, secure = request.remote or "", request.secure
    if _trusted(address, parts.settings.web.trusted_proxies):
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        address = hops[-1] if hops else address
        secure = request.headers.get("X-Forwarded-Proto", "").lower() == "https" or secure
    request[ADDRESS], request[SECURE] = address[:64], secure


def _trusted(address: str, proxies: "tuple[str, ...] | list[str]") -> bool:
    try:
        return any(ip_address(address) in ip_network(proxy, strict=False) for proxy in proxies)
    except ValueError:
        return False


def push_address(request: web.Request, parts: Parts) -> str:
    """Where this page's socket goes: the public address, else the push port on the host that was asked."""
    if parts.settings.push.public_url:
        return parts.settings.push.public_url
    host = (request.url.host or "localhost") if request.url.host else "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"{'wss' if request[SECURE] else 'ws'}://{host}:{parts.push_port or parts.settings.push.port}/push"


def headers(request: web.Request, parts: Parts) -> dict[str, str]:
    """Security headers; the policy lets nothing inline and nothing foreign in."""
    socket = push_address(request, parts).removesuffix("/push")
    policy_text = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; media-src 'self'; "
        f"connect-src 'self' {socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    found = {
        "Content-Security-Policy": policy_text,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }
    if request[SECURE]:
        found["Strict-Transport-Security"] = "max-age=31536000"
    return found


@web.middleware
async def in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as a page in words; the API's own middleware answers for /api."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return failure(request, error.status, _known(error.status))
    except NotFound as error:
        return failure(request, 404, str(error) or _known(404))
    except NotAllowed as error:
        return failure(request, 403, str(error) or _known(403))
    except Conflict as error:
        return failure(request, 409, str(error))
    except Invalid as error:
        return failure(request, 422, str(error), fields=error.fields)
    except CallcrmError as error:
        log.warning("request failed", path=request.path, error=str(error))
        return failure(request, 503, str(error))
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("request failed", path=request.path, reference=reference)
        return failure(request, 500, _known(500), reference=reference)


def _known(status: int) -> str:
    return {
        400: _("This request could not be read."),
        401: _("Sign in first."),
        403: _("Your role does not reach this page. Ask an administrator if you need it."),
        404: _("There is no such page, or it is not yours to see."),
        405: _("This address cannot be used in this way."),
        413: _("That is more than fits here."),
        500: _("Something went wrong on our side. Nothing that was saved is lost."),
    }.get(status, _("This did not work."))


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Writing is for our own pages: the browser says where a request comes from, so no tokens are needed.

    `Sec-Fetch-Site` cannot be set by scripts; older browsers send `Origin` with every POST. A request
    with neither comes from no browser, and carries no cookie that somebody else could ride on.
    """
    if request.method in SAFE or "Authorization" in request.headers:
        return await handler(request)
    site, page = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = site not in (None, "same-origin", "none") or (page is not None and not _is_own(request, page))
    if foreign:
        log.warning("refused a request from another site", path=request.path, origin=(page or "")[:200])
        return failure(request, 403, _("This request came from a page of another site and was refused."))
    return await handler(request)


def _is_own(request: web.Request, page: str) -> bool:
    public = request.app[PARTS].settings.web.public_url
    return origin.is_own(page, request.host, public=[public] if public else [], ports=[])


@web.middleware
async def recognise(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who asks, and in which language and zone he reads."""
    parts = request.app[PARTS]
    actor = None if request.path.startswith("/static/") else await identity.recognise(request, parts)
    wishes = i18n.accepted(request.headers.get("Accept-Language", ""))
    i18n.use(i18n.choose([request.cookies.get("language", ""), *wishes]))
    show.use_zone(parts.settings.callbacks.time_zone)
    if actor is not None:
        request[ACTOR] = actor
        request[SESSION] = identity.session_key(request)
        show.use_zone(actor.time_zone or parts.settings.callbacks.time_zone)
        i18n.use(i18n.choose([actor.language, request.cookies.get("language", ""), *wishes]))
    return await handler(request)


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Rights as the route declares them; what is declared by nothing is refused."""
    if request.match_info.http_exception is not None:
        return await handler(request)
    route = declared(request)
    if route is None:
        raise NotAllowed(_known(403))
    if route.public:
        return await handler(request)
    actor = request.get(ACTOR)
    if actor is None:
        return _to_the_door(request)
    if route.right is not None and not policy.may(actor, route.right):
        raise NotAllowed(_known(403))
    return await handler(request)


def _to_the_door(request: web.Request) -> web.StreamResponse:
    """Pages lead to the sign-in and back; fragments and programs are told."""
    if request.path.startswith("/api/") or request.method not in SAFE:
        return failure(request, 401, _known(401))
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": "/sign-in"})
    raise web.HTTPSeeOther("/sign-in" if request.path == "/" else f"/sign-in?next={request.rel_url.path_qs[:300]}")


CHAIN = (observe, in_words, recognise, own_pages_only, admit)
