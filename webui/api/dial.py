"""Click to call and what may be done with a live call, for programs: wishes with an expiry, and what became of them."""

from aiohttp import web

from callcrm.accounts import policy
from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Actor, Line, Right
from callcrm.calls import dialling, handling
from callcrm.calls.dialling import Progress
from callcrm.calls.warnings import Warned
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.telephony import wishes
from callcrm.telephony.wishes import Wish
from webui import acting, calling
from webui.api.dialshapes import Act, ActBody, Acts, Consultation, Dial, DialBody, DialWarning
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.shapes import Command


@api.operation(
    "POST",
    "/dial",
    "Ring an operator's phone, then call a number; the answer is a command to be followed. 409 with `warnings` "
    "when there is a reason not to call: send their kinds in `override` to call all the same",
    right=Right.DIAL,
    body=DialBody,
    answer=Command,
    status=202,
    errors=(409,),
)
async def dial(asked: Asked[None, DialBody]) -> Command | web.StreamResponse:
    """The wish is a row with an expiry: it is carried out once and in time, or never."""
    line, body = await _phone(asked), asked.body
    override = frozenset(body.override)
    number = await calling.meant(asked.parts, asked.actor, body.number or "", body.whom)
    try:
        command = await calling.place(asked.parts, asked.actor, line, number, override=override, address=asked.address)
    except Warned as warned:
        return _warned(warned)
    return await _command(asked, command)


def _warned(warned: Warned) -> web.Response:
    """A problem document (RFC 9457) with the reasons."""
    reasons = [DialWarning.model_validate({"kind": one.kind, "words": calling.warning(one)}) for one in warned.warnings]
    problem = {
        "type": "about:blank",
        "title": str(warned),
        "status": 409,
        "detail": " ".join(one.words for one in reasons),
        "warnings": [one.model_dump() for one in reasons],
    }
    return web.json_response(problem, status=409, content_type="application/problem+json")


async def _phone(asked: Asked[None, DialBody]) -> Line:
    """Whose phone rings: one's own; a supervisor may have others' ring."""
    actor, name = asked.actor, asked.body.operator
    lines: tuple[Line, ...] = actor.extensions
    if name and name.casefold() != actor.name:
        async with asked.parts.database.read() as db:
            person = await accounts.person(db, name)
        scope = policy.scope(actor)
        if person is None or not person.active or (scope == "team" and person.team != actor.team):
            raise Invalid("There is no such operator.", {"operator": "is not known"})
        if scope == "own":
            raise NotAllowed("Only your own phone may ring for you; leave `operator` out.")
        lines = person.phones
    if not lines:
        raise Invalid("This operator has no phone; an administrator gives him one.", {"operator": "has no phone"})
    return lines[0]


@api.operation("GET", "/dial/{id}", "How far a click to call has got", right=Right.DIAL, answer=Dial)
async def get_dial(asked: Asked[None, None]) -> Dial:
    """One's own: step, outcome and a sentence."""
    return _shape(asked.actor, await calling.progress(asked.parts, asked.actor, asked.path["id"]))


@api.operation(
    "DELETE",
    "/dial/{id}",
    "Cancel a click to call, whichever phone rings now; 409 when the client has answered",
    right=Right.DIAL,
    answer=Dial,
    status=202,
    errors=(409,),
)
async def cancel_dial(asked: Asked[None, None]) -> Dial:
    """The half-made call is hung up; cancelling twice, or what is over, changes nothing."""
    wanted = asked.path["id"]
    await asked.parts.writer.do(lambda unit: dialling.cancel(unit, asked.actor, wanted), name="cancel a dial")
    return _shape(asked.actor, await calling.progress(asked.parts, asked.actor, wanted))


def _shape(actor: Actor, found: Progress) -> Dial:
    given = {name: getattr(found, name) for name in Dial.model_fields if name != "says"}
    given["number"] = policy.shown_number(actor, found.number)
    return Dial(**given, says=calling.step_of(found).says)


@api.operation("GET", "/calls/{id}/actions", "What may be done with a live call now", right=Right.DIAL, answer=Acts)
async def get_acts(asked: Asked[None, None]) -> Acts:
    """Each action, whether it is allowed at this moment, and why not."""
    async with asked.parts.database.read() as db:
        found = await handling.panel(db, asked.actor, asked.path["id"], clock.now())
    other = found.consultation
    return Acts(
        call=found.call,
        state=found.state,
        consultation=Consultation(call=other.call, who=other.who, answered=other.answered) if other else None,
        actions=[
            Act.model_validate(
                {"action": name, "allowed": name not in found.refused, "why": acting.refusal(found, name)}
            )
            for name in handling.ACTS
        ],
    )


@api.operation(
    "POST",
    "/calls/{id}/actions",
    "Do something with a live call: one's own; a supervisor's reach is his calls. 409 when it cannot be done now",
    right=Right.DIAL,
    body=ActBody,
    answer=Command,
    status=202,
    errors=(409,),
)
async def post_act(asked: Asked[None, ActBody]) -> Command:
    """The wish is sent within seconds, once, or never; follow the command for what became of it."""
    body = asked.body
    command = await acting.act(asked.parts, asked.actor, asked.path["id"], body.action, to=body.to, once=body.once)
    return await _command(asked, command)


@api.operation("GET", "/commands/{id}", "What became of a wish", right=Right.DIAL, answer=Command)
async def get_command(asked: Asked[None, None]) -> Command:
    """A command of the asker's own."""
    return await _command(asked, asked.path["id"])


async def _command(asked: "Asked[object, object]", command: str) -> Command:
    async with asked.parts.database.read() as db:
        wish: Wish | None = await wishes.wish(db, asked.actor.user_id, command)
    if wish is None:
        raise NotFound("There is no such command of yours.")
    given = {name: getattr(wish, name) for name in Command.model_fields}
    return Command(**given | {"number": policy.shown_number(asked.actor, wish.number)})
