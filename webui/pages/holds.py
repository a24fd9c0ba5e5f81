"""Legal holds, for administrators: what must not be deleted, why, until when; placed and lifted with a reason."""

from datetime import datetime, time, timedelta

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.custody import holds
from callcrm.kernel import clock, numbers
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from webui import show
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
BASE = "/accounts/holds"


@routes.route("GET", BASE, right=Right.RETENTION)
async def listed(request: web.Request) -> web.StreamResponse:
    """Every hold, those that last first."""
    visit = Visit(request)
    typed = {name: visit.query.get(name, "") for name in ("what", "which")}
    return await _page(visit, typed, {})


async def _page(visit: Visit, typed: dict[str, str], bad: dict[str, str], status: int = 200) -> web.Response:
    async with visit.parts.database.read() as db:
        found = await holds.listed(db, clock.now())
    whats = [("number", _("a number")), ("client", _("a client (card number)")), ("call", _("a call (its id)"))]
    return await visit.page("law/holds.html", holds=found, whats=whats, typed=typed, bad=bad, status=status)


@routes.route("POST", BASE, right=Right.RETENTION)
async def place(request: web.Request) -> web.StreamResponse:
    """Keep something from now on."""
    visit = Visit(request)
    form = await visit.form()
    what, which = form.get("what", ""), form.get("which", "")
    if what == "number":
        which = numbers.parse(which, visit.parts.settings.clients.country).e164 or which
    try:
        until = _day(form.get("until", ""))
        await visit.do(
            lambda unit: holds.place(unit, visit.actor, what, which, form.get("reason", ""), until=until), "legal hold"
        )
    except (Invalid, NotFound, Conflict) as error:
        fields = error.fields if isinstance(error, Invalid) and error.fields else {"which": str(error)}
        return await _page(visit, form, fields, status=422)
    return visit.away(BASE, done=_("The hold is placed: nothing of it is deleted by a rule or a request."))


@routes.route("POST", f"{BASE}/{{id}}/lift", right=Right.RETENTION)
async def lift(request: web.Request) -> web.StreamResponse:
    """Let rules and requests reach it again."""
    visit = Visit(request)
    hold, why = visit.number("id"), (await visit.form()).get("why", "")
    try:
        await visit.do(lambda unit: holds.lift(unit, visit.actor, hold, why), "lift a hold")
    except (Invalid, Conflict) as error:
        return visit.away(BASE, done=str(error))
    return visit.away(BASE, done=_("The hold is lifted."))


def _day(text: str) -> datetime | None:
    """The end of a day of the reader's calendar."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - the zone follows
    except ValueError:
        raise Invalid(
            _("A day is written like 2026-01-31."), {"until": _("A day is written like 2026-01-31.")}
        ) from None
    return datetime.combine(day, time(), show.here(clock.now()).tzinfo) + timedelta(days=1)
