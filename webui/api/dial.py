"""Click to call for programs: a wish, and what became of it."""

import re

from callcrm.accounts import policy
from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Line, Right
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.telephony import port, wishes
from callcrm.telephony.wishes import Wish
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.shapes import Command, DialBody


@api.operation(
    "POST",
    "/dial",
    "Ring an operator's phone, then call a number; the answer is a command to be followed",
    right=Right.DIAL,
    body=DialBody,
    answer=Command,
    status=202,
)
async def dial(asked: Asked[None, DialBody]) -> Command:
    """The wish is a row with an expiry: it is carried out once and in time, or never."""
    line = await _phone(asked)
    known = asked.parts.settings.pbx.get(line.pbx)
    number = asked.body.number
    if known is None or not re.fullmatch(known.dial_numbers, number):
        raise Invalid(f"The number {number[:40]} may not be dialled from here.", {"number": "may not be dialled"})
    args = {"extension": line.extension, "number": number}
    user = asked.actor.user_id
    command = await asked.parts.writer.do(
        lambda unit: port.want(unit, line.pbx, "dial", args, wanted_by=user), name="dial"
    )
    return await _command(asked, command)


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


@api.operation("GET", "/commands/{id}", "What became of a wish", right=Right.DIAL, answer=Command)
async def get_command(asked: Asked[None, None]) -> Command:
    """A command of the asker's own."""
    return await _command(asked, asked.path["id"])


async def _command(asked: "Asked[object, object]", command: str) -> Command:
    async with asked.parts.database.read() as db:
        wish: Wish | None = await wishes.wish(db, asked.actor.user_id, command)
    if wish is None:
        raise NotFound("There is no such command of yours.")
    return Command(**{name: getattr(wish, name) for name in Command.model_fields})
