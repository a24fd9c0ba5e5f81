"""Click to call: asked for from any page, the palette or a tel: link; the person sees each step, and cancels at any."""

from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import dialling
from callcrm.calls.warnings import Warned, callees, warnings_of
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from webui import calling, coretexts
from webui.calling import Step
from webui.i18n import _
from webui.routes import Routes
from webui.visit import ADDRESS, Visit

routes = Routes()


@routes.route("POST", "/dial", right=Right.DIAL)
async def dial(request: web.Request) -> web.StreamResponse:
    """Ask the PBX to ring this person's phone, and then the number."""
    visit = Visit(request)
    form = await visit.form()
    address = request[ADDRESS]
    try:
        line = calling.phone_of(visit.actor)
        typed = await calling.meant(visit.parts, visit.actor, form.get("number", ""), form.get("whom", ""))
        name, override = form.get("name", ""), calling.overrides(form.get("override", ""))
        command = await calling.place(
            visit.parts, visit.actor, line, typed, name=name, override=override, address=address
        )
    except Warned as warned:
        return await _warned(visit, form, warned)
    except (Invalid, Conflict, NotFound) as error:
        return _answer(visit, "", Step("late", "octagon-x", _("Not called"), coretexts.said(str(error))), form)
    return _answer(visit, command, await _step(visit, command), form)


async def _warned(visit: Visit, form: dict[str, str], warned: Warned) -> web.Response:
    """Nothing was dialled: the reasons, and the button that calls all the same."""
    values: dict[str, Any] = {
        "number": form.get("number", ""),
        "whom": form.get("whom", ""),
        "warnings": [calling.warning(one) for one in warned.warnings],
        "override": ",".join(one.kind for one in warned.warnings),
        "back": form.get("back", ""),
    }
    if "HX-Request" in visit.request.headers:
        return visit.part("calls/warned.html", **values)
    return await visit.page("calls/ask.html", status=409, people=[], invalid="", **values)


def _answer(visit: Visit, command: str, step: Step, form: dict[str, str]) -> web.Response:
    if "HX-Request" in visit.request.headers:
        return visit.part("calls/dialing.html", command=command, step=step)
    return visit.away(form.get("back", "/"), done=step.says)


async def _step(visit: Visit, command: str) -> Step:
    return calling.step_of(await calling.progress(visit.parts, visit.actor, command))


@routes.route("GET", "/dial", right=Right.DIAL)
async def ask_first(request: web.Request) -> web.StreamResponse:
    """Where a tel: link leads: it shows whom the number is, and asks; only the form calls."""
    visit = Visit(request)
    typed = visit.query.get("number", "")
    try:
        rules = calling.rules_of(visit.parts, calling.phone_of(visit.actor).pbx)
        number, e164 = dialling.number_of(typed, rules)
    except Invalid as error:
        shown: dict[str, Any] = {"number": typed, "people": [], "warnings": [], "override": "", "back": "/"}
        return await visit.page("calls/ask.html", status=422, invalid=coretexts.said(str(error)), **shown)
    async with visit.parts.database.read() as db:
        people = await callees(db, e164)
        warnings = await warnings_of(db, visit.actor.user_id, e164, people, rules.week, clock.now())
    return await visit.page(
        "calls/ask.html",
        number=number,
        people=people,
        warnings=[calling.warning(one) for one in warnings],
        override=",".join(one.kind for one in warnings),
        back="/",
        invalid="",
    )


@routes.route("GET", "/dial/now", right=Right.DIAL)
async def under_way(request: web.Request) -> web.StreamResponse:
    """The call that is under way, for a page that was loaded anew; nothing when there is none."""
    visit = Visit(request)
    found = await calling.now_calling(visit.parts, visit.actor)
    if found is None:
        return web.Response(status=204)
    return visit.part("calls/dialing.html", command=found.id, step=calling.step_of(found))


@routes.route("GET", "/dial/{command}", right=Right.DIAL)
async def follow(request: web.Request) -> web.StreamResponse:
    """How far it has got."""
    visit = Visit(request)
    command = request.match_info["command"]
    return visit.part("calls/dialing.html", command=command, step=await _step(visit, command))


@routes.route("POST", "/dial/{command}/cancel", right=Right.DIAL)
async def cancel(request: web.Request) -> web.StreamResponse:
    """End the call that was asked for, whichever phone rings now."""
    visit = Visit(request)
    command = request.match_info["command"]
    try:
        await visit.do(lambda unit: dialling.cancel(unit, visit.actor, command), "cancel a dial")
    except Conflict:
        pass  # The client answered in this moment: the step says so.
    return _answer(visit, command, await _step(visit, command), {})
