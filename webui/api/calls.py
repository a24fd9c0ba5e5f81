"""The call log."""

from typing import Any

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right
from callcrm.calls import log, queries, xrayreading
from callcrm.calls.stretches import Told, course, stretches
from callcrm.calls.xrayreading import XrayLine
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
        figures = await xrayreading.of_calls(db, [line.id for line in found.items])
    items = [shapes.Call(**_call(line, figures.get(line.id))) for line in found.items]
    return CallPage(items=items, next=found.next)


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
        silence_s=query.silence_s,
        overlap_s=query.overlap_s,
        first_word_s=query.first_word_s,
        operator_share=query.operator_share,
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
        figures = await xrayreading.of_calls(db, [found.call.id])
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
    return WholeCall(**_call(found.call, figures.get(found.call.id)), legs=legs, notes=notes)


_SAME = set(shapes.Call.model_fields) & set(log.CallLine.__dataclass_fields__) - {
    "rang",
    "talks",
    "transfers",
    "recordings",
    "answered_by",
}


def _call(line: log.CallLine, figures: XrayLine | None) -> dict[str, Any]:
    """A line of the log in the words of replay, with what its sound tells."""
    values = {name: getattr(line, name) for name in _SAME}
    values |= {
        "client": line.client_number,
        "name": line.said_name or None,
        "rang": [shapes.Rang.model_validate(one) for one in line.rang or []],
        "talks": [shapes.Talk.model_validate(one) for one in line.talks or []],
        "transfers": [shapes.Transfer.model_validate(one) for one in line.transfers or []],
        "answered_by": line.answered_by if line.talks else [],
        "recordings": _recordings(line),
        "xray": shapes.Xray(**{name: getattr(figures, name) for name in shapes.Xray.model_fields}) if figures else None,
    }
    return values


_OF_RECORDING = set(shapes.Recording.model_fields) & set(log.RecordingLine.__dataclass_fields__)


def _recordings(line: log.CallLine) -> list[shapes.Recording]:
    """Each with the stretch of the call that it holds; that of one whose length is not known is not known either."""
    told = [Told(one.n, one.at, one.seconds) for one in line.recordings]
    places = stretches(course(line.at, line.answered_at, line.ended_at, line.talks), told)
    found = []
    for one in line.recordings:
        place, values = places[one.n], {name: getattr(one, name) for name in _OF_RECORDING}
        if one.seconds is not None:
            values |= {"from_s": place.from_s, "to_s": place.to_s, "operators": list(place.operators)}
        found.append(shapes.Recording(**values))
    return found
