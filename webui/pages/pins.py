"""Comments pinned to seconds of a recording: written, changed, removed and brought back from the call's page."""

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import pins, queries
from callcrm.calls.pins import Place
from callcrm.kernel.errors import Invalid
from webui import review
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()


@routes.route("POST", "/calls/{id}/pins", right=Right.LISTEN)
async def add(request: web.Request) -> web.StreamResponse:
    """Pin a comment at a second (`at_s`) of a recording (`n`)."""
    visit, posted = Visit(request), await Visit(request).form()
    async with visit.parts.database.read() as db:  # what is not his to see is not there, whatever he sent
        await queries.whole_call(db, visit.actor, _call(visit))
    place = Place(_call(visit), _whole(posted.get("n", "")), _seconds(posted.get("at_s", "")))
    await visit.do(lambda unit: pins.add(unit, visit.actor, place, posted.get("text", "")), "pin")
    return await _answer(visit, done=_("Pinned"))


@routes.route("POST", "/calls/{id}/pins/{pin}", right=Right.LISTEN)
async def change(request: web.Request) -> web.StreamResponse:
    """Say something else at the same second."""
    visit, posted = Visit(request), await Visit(request).form()
    pin = visit.number("pin")
    await visit.do(lambda unit: pins.change(unit, visit.actor, pin, posted.get("text", "")), "change pin")
    return await _answer(visit, done=_("Saved"))


@routes.route("POST", "/calls/{id}/pins/{pin}/remove", right=Right.LISTEN)
async def remove(request: web.Request) -> web.StreamResponse:
    """Take a pin away; the answer offers to bring it back."""
    visit = Visit(request)
    pin = visit.number("pin")
    await visit.do(lambda unit: pins.remove(unit, visit.actor, pin), "remove pin")
    return await _answer(visit, done=_("Pin removed"), removed=pin)


@routes.route("POST", "/calls/{id}/pins/{pin}/back", right=Right.LISTEN)
async def back(request: web.Request) -> web.StreamResponse:
    """Bring back a pin that was taken away."""
    visit = Visit(request)
    pin = visit.number("pin")
    await visit.do(lambda unit: pins.bring_back(unit, visit.actor, pin), "restore pin")
    return await _answer(visit, done=_("The pin is back"))


async def _answer(visit: Visit, *, done: str, removed: int | None = None) -> web.StreamResponse:
    """The pins anew for the page's module; a plain form goes back to the call."""
    call = _call(visit)
    if "X-Part" not in visit.request.headers:
        return visit.away(f"/calls/{call}", done=done)
    async with visit.parts.database.read() as db:
        whole = await queries.whole_call(db, visit.actor, call)
    return visit.part(
        "calls/pins.html", pinned=call, pins=await review.pinned(visit, whole), removed=removed, done=done
    )


def _call(visit: Visit) -> str:
    return visit.request.match_info["id"][:40]


def _whole(typed: str) -> int:
    if not typed.isascii() or not typed.isdigit() or len(typed) > 4:
        raise Invalid(_("Say which recording the comment is for."), {"n": _("is no number")})
    return int(typed)


def _seconds(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise Invalid(_("Say at which second the comment is."), {"at_s": _("is no number")}) from None
