"""The call log."""

from typing import Any

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right
from callcrm.calls import log, queries
from callcrm.kernel import numbers
from callcrm.kernel.paging import Wanted
from webui.api import shapes
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.shapes import CallPage, CallsQuery, WholeCall


@api.operation("GET", "/calls", "The call log, newest first", right=Right.CALLS, query=CallsQuery, answer=CallPage)
async def list_calls(asked: Asked[CallsQuery, None]) -> CallPage:
    """A page of the calls that the asker may see."""
    query = asked.query
    async with asked.parts.database.read() as db:
        filters = await _filters(asked, db)
        if filters is None:
            return CallPage(items=[])
        found = await queries.call_log(db, asked.actor, filters, Wanted(query.limit, query.cursor))
    return CallPage(items=[shapes.Call(**_call(line)) for line in found.items], next=found.next)


async def _filters(asked: Asked[CallsQuery, None], db: Any) -> log.Filters | None:
    """The filters as the log takes them; None when they name somebody who is not there."""
    query = asked.query
    client, number = _client(query.client, asked.parts.settings.clients.country)
    operator, extension = None, None
    if query.operator:
        person = await accounts.person(db, query.operator)
        operator = person.id if person else None
        extension = None if person else query.operator
    return log.Filters(
        since=query.since,
        until=query.until,
        direction=query.direction,
        missed=query.missed,
        client=client,
        number=number,
        operator=operator,
        extension=extension,
        queue=query.queue,
        pbx=query.pbx,
    )


def _client(typed: str | None, country: str) -> tuple[int | None, str | None]:
    """A card's id, or a number: what begins with + or has seven digits and more is a number."""
    if not typed:
        return None, None
    if typed.isascii() and typed.isdigit() and len(typed) < 7:
        return int(typed), None
    return None, numbers.parse(typed, country).e164 or typed


@api.operation("GET", "/calls/{id}", "One call with its legs and notes", right=Right.CALLS, answer=WholeCall)
async def get_call(asked: Asked[None, None]) -> WholeCall:
    """A call that the asker may see."""
    async with asked.parts.database.read() as db:
        found = await queries.whole_call(db, asked.actor, asked.path["id"])
    legs = [shapes.Leg(**{name: getattr(leg, name) for name in shapes.Leg.model_fields}) for leg in found.legs]
    notes = [
        shapes.Note(
            user=note.user_id,
            person=note.person,
            text=note.text,
            disposition=note.disposition,
            version=note.version,
            changed_at=note.changed_at,
        )
        for note in found.notes
    ]
    return WholeCall(**_call(found.call), legs=legs, notes=notes)


_SAME = set(shapes.Call.model_fields) & set(log.CallLine.__dataclass_fields__) - {
    "rang",
    "talks",
    "transfers",
    "recordings",
    "answered_by",
}


def _call(line: log.CallLine) -> dict[str, Any]:
    """A line of the log in the words of replay."""
    values = {name: getattr(line, name) for name in _SAME}
    values |= {
        "client": line.client_number,
        "name": line.said_name or None,
        "rang": [shapes.Rang.model_validate(one) for one in line.rang or []],
        "talks": [shapes.Talk.model_validate(one) for one in line.talks or []],
        "transfers": [shapes.Transfer.model_validate(one) for one in line.transfers or []],
        "answered_by": line.answered_by if line.talks else [],
        "recordings": [_recording(one) for one in line.recordings],
    }
    return values


def _recording(one: log.RecordingLine) -> shapes.Recording:
    return shapes.Recording(**{name: getattr(one, name) for name in shapes.Recording.model_fields})
