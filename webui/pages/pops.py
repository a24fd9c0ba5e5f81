"""Pops as people handle them: who it is when it is not him, and being ready for the next."""

from aiohttp import web

from callcrm import house
from callcrm.accounts.policy import Actor, Right
from callcrm.calls import notes, queries
from callcrm.calls.rows import Context
from callcrm.clients import editing
from callcrm.clients import queries as clients
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit
from callcrm.push import present
from callcrm.push.present import PresentPop
from callcrm.push.service import close_pop
from callcrm.push.views import CallView
from callcrm.tasks import following
from webui import desk, sheets
from webui.desk import Choice
from webui.i18n import _
from webui.pages.tasks import after_call
from webui.routes import Routes
from webui.visit import Visit
from webui.writing import demanded

routes = Routes()
#: People who are offered while a name is typed: one for each digit.
PEOPLE = 8


async def own_pop(visit: Visit) -> tuple[PresentPop, CallView | None]:
    """The pop of the address, and its call unless that is gone. Raises NotFound for what is not this person's."""
    async with visit.parts.database.read() as db:
        pop = await present.one(db, visit.actor.user_id, visit.request.match_info["pop"][:32])
    if pop is None:
        raise NotFound(_("There is no such call on your desk."))
    return pop, (await desk.call_views(visit.parts, [pop.call])).get(pop.call)


@routes.route("GET", "/desk/chips", right=Right.CALLS)
async def chips(request: web.Request) -> web.StreamResponse:
    """The calls that wait in the strip for the person's key."""
    visit = Visit(request)
    return visit.part("desk/chips_part.html", quiet=await sheets.quiet_of(visit.parts, visit.actor))


@routes.route("GET", "/desk/call/{id}/people", right=Right.CLIENTS)
async def people(request: web.Request) -> web.StreamResponse:
    """Who it may be instead: those who share the number, or whoever is found by what is typed."""
    visit = Visit(request)
    call_id, typed = request.match_info["id"][:40], visit.query.get("q", "")
    seen = (await desk.call_views(visit.parts, [call_id])).get(call_id)
    if seen is None or not sheets.is_mine(visit.actor, seen):
        raise NotFound(_("There is no such call on your desk."))
    found = await _found(visit, typed, seen) if typed else [desk.choice(one) for one in seen.clients]
    others = [one for one in found if one.id != seen.client_id][:PEOPLE]
    return visit.part("desk/people.html", people=others, sought=typed, call=call_id)


async def _found(visit: Visit, typed: str, seen: CallView) -> list[Choice]:
    country = visit.parts.settings.clients.country
    async with visit.parts.database.read() as db:
        page = await clients.client_list(db, visit.actor, typed, Wanted(PEOPLE + 1), country=country)
    named = [line for line in page.items if line.name or line.said_name]
    return [
        Choice(line.id, line.name or line.said_name, ", ".join(part for part in (line.job, line.organisation) if part))
        for line in named
        if line.id != seen.client_id
    ]


@routes.route("POST", "/calls/{id}/client/new", right=Right.CLIENTS)
async def somebody_new(request: web.Request) -> web.StreamResponse:
    """Nobody who is known: a card with this name, filed with the call and its number."""
    visit = Visit(request)
    call_id, name = request.match_info["id"][:40], (await visit.form()).get("name", "")
    if not name:
        raise Invalid(_("Write the name first."), {"name": _("Write the name first.")})
    async with visit.parts.database.read() as db:
        before = (await queries.whole_call(db, visit.actor, call_id)).call.client_id
    settings = visit.parts.settings

    async def work(unit: Unit) -> int:
        client_id = await editing.add_client(unit, visit.actor, {"name": name}, country=settings.clients.country)
        await notes.choose_client(
            unit, visit.actor, call_id, client_id, Context(house.sites(settings)), seen=before, after=[following.relink]
        )
        return client_id

    return web.json_response({"client": await visit.do(work, "somebody new")})


@routes.route("POST", "/desk/pop/{pop}/close", right=Right.CALLS)
async def close(request: web.Request) -> web.StreamResponse:
    """Ready: the next step is kept, and the pop is put away on every tab.

    Refused while the call's queue demands a disposition and there is none.
    """
    visit = Visit(request)
    form = await visit.form()
    pop, seen = await own_pop(visit)
    if seen is not None:
        if not seen.disposition and _talked(visit.actor, pop, seen) and demanded(visit.parts, seen.queue):
            says = _("Say first what came of the call: this queue asks for it.")
            raise Invalid(says, {"disposition": says})
        if form.get("next", "nothing") != "nothing":
            await after_call(visit, pop.call, form, seen.client_id, seen.number or "")
    await visit.do(lambda unit: close_pop(unit, visit.actor, pop.id), "close pop")
    return web.json_response({})


def _talked(actor: Actor, pop: PresentPop, seen: CallView) -> bool:
    """Whether the person answered the call; its own rows say so before the pop's, which lags by a moment."""
    answered = actor.user_id in seen.parties and pop.extension not in seen.rang
    return pop.state == "wrapup" or (pop.state != "closed" and answered)
