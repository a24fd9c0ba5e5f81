"""Click to call: the wish is a row for the listener; the person sees each step, and what truly came of it."""

import re
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from callcrm.accounts.policy import Actor, Line, Right
from callcrm.calls import dialled
from callcrm.calls.dialled import Dialled
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.telephony import port, wishes
from callcrm.telephony.wishes import Wish
from webui import words
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
#: How long the steps are followed after the PBX took the wish.
FOLLOWED = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a click to call has got."""

    state: str
    icon: str
    word: str
    says: str
    pending: bool = True


@routes.route("POST", "/dial", right=Right.DIAL)
async def dial(request: web.Request) -> web.StreamResponse:
    """Ask the PBX to ring this person's phone, and then the number."""
    visit = Visit(request)
    form = await visit.form()
    try:
        command = await want(visit, form.get("number", ""), form.get("name", ""))
    except Invalid as error:
        return _answer(visit, "", Step("late", "octagon-x", _("Not called"), str(error), pending=False), form)
    return _answer(visit, command, _step(visit.actor, None, None), form)


async def want(visit: Visit, number: str, name: str = "") -> str:
    """Write the wish; Invalid when the person has no phone or the number may not be dialled."""
    line = phone_of(visit.actor)
    allowed = visit.parts.settings.pbx[line.pbx].dial_numbers if line.pbx in visit.parts.settings.pbx else ""
    if not re.fullmatch(allowed, number):
        raise Invalid(_("The number %(number)s may not be dialled from here.") % {"number": number[:40]})
    args = {"extension": line.extension, "number": number, "name": name[:80]}
    user = visit.actor.user_id
    return await visit.do(lambda unit: port.want(unit, line.pbx, "dial", args, wanted_by=user), "dial")


def phone_of(actor: Actor) -> Line:
    """The first of a person's phones: the one that rings."""
    if not actor.extensions:
        raise Invalid(_("No phone is yours: an administrator gives you one at PBX, Phones."))
    return actor.extensions[0]


def _answer(visit: Visit, command: str, step: Step, form: dict[str, str]) -> web.Response:
    if "HX-Request" in visit.request.headers:
        return visit.part("calls/dialing.html", command=command, step=step)
    return visit.away(form.get("back", "/"), done=step.says)


@routes.route("GET", "/dial/{command}", right=Right.DIAL)
async def follow(request: web.Request) -> web.StreamResponse:
    """How far it has got."""
    visit = Visit(request)
    actor, command = visit.actor, request.match_info["command"]
    async with visit.parts.database.read() as db:
        wish = await wishes.wish(db, actor.user_id, command)
        if wish is None:
            raise NotFound(_("There is no such call of yours."))
        call = await dialled.latest(db, actor.user_id, wish.pbx, wish.wanted_at)
    return visit.part("calls/dialing.html", command=command, step=_step(actor, wish, call))


def _step(actor: Actor, wish: Wish | None, call: Dialled | None) -> Step:
    """The step in words; what came of the call wins over what the PBX said of the wish."""
    if call is not None and (call.ended_at is not None or call.answered_at is not None):
        return _of_call(call)
    if wish is not None and wish.state == "done":
        return _calling(wish, call)
    if wish is not None and wish.state == "expired":
        says = wish.message or _("The PBX was not reached in time; nothing was dialled, and nothing will be.")
        return Step("late", "clock", _("Not called"), says, pending=False)
    if wish is not None and wish.state == "refused":
        says = wish.message or _("The PBX refused the call.")
        return Step("late", "octagon-x", _("Not called"), says, pending=False)
    if wish is not None and clock.now() - wish.wanted_at > FOLLOWED:
        return _no_news(wish)
    phone = actor.extensions[0].extension if actor.extensions else ""
    return Step("ringing", "bell-ring", _("1 of 2"), _("Lift your phone %(phone)s: it rings now.") % {"phone": phone})


def _calling(wish: Wish, call: Dialled | None) -> Step:
    """The operator has lifted his phone; whether the client's rings is for the PBX to know."""
    if call is None and clock.now() - wish.wanted_at > FOLLOWED:
        return _no_news(wish)
    return Step("talking", "phone-outgoing", _("2 of 2"), _("Calling the client…"))


def _no_news(wish: Wish) -> Step:
    return Step("warn", "triangle-alert", _("No news"), wish.message or _("Nothing came of it."), pending=False)


def _of_call(call: Dialled) -> Step:
    """The call that was answered, or is over."""
    if call.ended_at is not None:
        talked = call.answered_at is not None
        says = _("You talked; the call is over.") if talked else words.outcome(call.outcome) or _("The call ended")
        return Step("kept" if talked else "late", "phone-off", _("Over"), says, pending=False)
    return Step("talking", "phone-call", _("Talking"), _("The client answered."), pending=False)
