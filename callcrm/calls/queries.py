"""Reading the call log: pages of it, one call whole, a client's last calls, the calls of the moment.

Everything goes through `accounts.policy`: who asks sees what his role reaches, and numbers
masked where his account is. A page costs three statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, cast, exists, func, literal, select, tuple_
from sqlalchemy import String as SqlString
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require, shown_number, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls.log import CallLine, Filters, LegLine, NoteLine, Part, RecordingLine, WholeCall
from callcrm.calls.tables import CallNote, CallOperator, CallRecording, CallRow, LegRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment

DIRECTIONS = ("inbound", "outbound", "internal")
_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
_OPERATOR = aliased(User)
_LINE = (
    select(
        *CallRow.__table__.columns,
        func.coalesce(Client.name, "").label("client_name"),
        Organisation.id.label("organisation_id"),
        func.coalesce(Organisation.name, "").label("organisation"),
        func.coalesce(func.nullif(_OPERATOR.full_name, ""), _OPERATOR.name, "").label("operator_name"),
    )
    .select_from(CallRow)
    .outerjoin(Client, Client.id == CallRow.client_id)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .outerjoin(_OPERATOR, _OPERATOR.id == CallRow.operator_id)
)
_NOT_SHOWN = frozenset({"began", "name"})


async def call_log(
    db: AsyncConnection, actor: Actor, filters: Filters | None = None, wanted: Wanted | None = None
) -> Page[CallLine]:
    """A page of the log, newest first. Raises Invalid for a filter or cursor that makes no sense."""
    require(actor, Right.CALLS)
    filters, wanted = filters or Filters(), wanted or Wanted()
    statement = visible_calls(actor, _LINE).where(*_conditions(filters))
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, str)
        statement = statement.where(_before(at, key))
    statement = statement.order_by(CallRow.at.desc(), CallRow.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).mappings().all()
    found = await _lines(db, actor, rows[: wanted.rows - 1])
    return page(rows, wanted, lambda row: (row["at"], row["id"]), lambda row: found[row["id"]])


async def whole_call(db: AsyncConnection, actor: Actor, call_id: str) -> WholeCall:
    """One call with its legs, recordings and notes. Raises NotFound when there is none that the actor may see."""
    require(actor, Right.CALLS)
    rows = (await db.execute(visible_calls(actor, _LINE).where(CallRow.id == call_id))).mappings().all()
    if not rows:
        raise NotFound("There is no such call, or it is not yours to see.")
    line = (await _lines(db, actor, rows))[call_id]
    people = {part.extension: part.person for part in line.parts}
    return WholeCall(line, await _legs(db, actor, call_id, people), await _notes(db, call_id))


async def last_calls(
    db: AsyncConnection, actor: Actor, client_id: int, limit: int = 10, *, but: str = ""
) -> list[CallLine]:
    """A client's last calls, newest first; without the call `but`."""
    statement = visible_calls(actor, _LINE).where(CallRow.client_id == client_id, CallRow.id != but)
    rows = (await db.execute(statement.order_by(CallRow.at.desc(), CallRow.id.desc()).limit(limit))).mappings().all()
    return list((await _lines(db, actor, rows)).values())


async def live_calls(db: AsyncConnection, actor: Actor, user_id: int | None = None) -> list[CallLine]:
    """The calls that go on now, oldest first: all that the actor sees, or those of one person."""
    statement = visible_calls(actor, _LINE).where(CallRow.ended_at.is_(None))
    if user_id is not None:
        statement = statement.where(_has_part(CallOperator.user_id == user_id))
    rows = (await db.execute(statement.order_by(CallRow.at, CallRow.id).limit(500))).mappings().all()
    return list((await _lines(db, actor, rows)).values())


async def own_note(db: AsyncConnection, actor: Actor, call_id: str) -> NoteLine | None:
    """What the actor himself wrote of a call."""
    notes = await _notes(db, call_id, actor.user_id)
    return notes[0] if notes else None


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    if filters.direction is not None and filters.direction not in DIRECTIONS:
        raise Invalid("A call is inbound, outbound or internal.", {"direction": "inbound, outbound or internal"})
    plain: dict[str, Any] = {
        "direction": filters.direction,
        "missed": filters.missed,
        "client_id": filters.client,
        "client_number": filters.number,
        "queue": filters.queue,
        "pbx": filters.pbx,
    }
    columns = CallRow.__table__.columns
    found: list[ColumnElement[bool]] = [columns[name] == value for name, value in plain.items() if value is not None]
    if filters.since is not None:
        found.append(CallRow.at >= _aware(filters.since, "since"))
    if filters.until is not None:
        found.append(CallRow.at < _aware(filters.until, "until"))
    if filters.operator is not None:
        found.append(_has_part(CallOperator.user_id == filters.operator))
    if filters.extension is not None:
        found.append(_has_part(CallOperator.extension == filters.extension))
    if filters.live is not None:
        found.append(CallRow.ended_at.is_(None) if filters.live else CallRow.ended_at.is_not(None))
    return found + _saved(filters)


def _saved(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.owed:
        later = aliased(CallRow)
        talked = and_(later.client_number == CallRow.client_number, later.answered_at >= CallRow.at)
        found += [CallRow.missed.is_(True), ~exists(select(later.id).where(talked, later.missed.is_(False)))]
    if filters.unlinked:
        found += [CallRow.client_id.is_(None), CallRow.direction != "internal"]
    if filters.unsaid:
        found += [CallRow.disposition.is_(None), CallRow.answered_at.is_not(None), CallRow.direction != "internal"]
    if filters.transferred:
        found.append(cast(CallRow.transfers, SqlString) != "[]")
    if filters.held_s is not None:
        found.append(CallRow.hold_s > filters.held_s)
    return found


def _aware(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise Invalid(f"{name} needs its time zone, such as 2026-01-01T00:00:00Z.", {name: "write the time zone"})
    return moment


def _has_part(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    part = and_(CallOperator.began == CallRow.began, CallOperator.call_id == CallRow.id)
    return exists(select(CallOperator.call_id).where(part, condition).correlate(CallRow))


def _before(at: datetime, key: str) -> ColumnElement[bool]:
    return tuple_(CallRow.at, CallRow.id) < tuple_(literal(at, Moment()), literal(key))


async def _lines(db: AsyncConnection, actor: Actor, rows: Sequence[RowMapping]) -> dict[str, CallLine]:
    """Lines by id, in the order of `rows`."""
    ids = [row["id"] for row in rows]
    parts, recordings = await _parts(db, ids), await _recordings(db, ids)
    return {row["id"]: _line(actor, row, parts.get(row["id"], ()), recordings.get(row["id"], ())) for row in rows}


def _line(actor: Actor, row: RowMapping, parts: Sequence[Part], recordings: Sequence[RecordingLine]) -> CallLine:
    given = {name: value for name, value in row.items() if name not in _NOT_SHOWN}
    given["said_name"] = row["name"] or ""
    given["match"] = row["match"] or {}
    given["client_number"] = shown_number(actor, row["client_number"])
    given["client_raw"] = shown_number(actor, row["client_raw"])
    if row["direction"] == "outbound":
        given["called"] = shown_number(actor, row["called"])
    if actor.masked:
        given["match"] = {**given["match"], "number": shown_number(actor, given["match"].get("number"))}
        # A file's name often holds the caller's number.
        recordings = [replace(one, file="") for one in recordings]
    return CallLine(**given, parts=tuple(parts), recordings=tuple(recordings))


async def _parts(db: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Part]]:
    if not ids:
        return {}
    statement = (
        select(
            CallOperator.call_id,
            CallOperator.extension,
            CallOperator.user_id,
            _PERSON,
            CallOperator.rang,
            CallOperator.answered,
            CallOperator.ring_s,
            CallOperator.talk_s,
        )
        .outerjoin(User, User.id == CallOperator.user_id)
        .where(CallOperator.call_id.in_(ids))
        .order_by(CallOperator.call_id, CallOperator.extension)
    )
    found: dict[str, list[Part]] = {}
    for row in await db.execute(statement):
        found.setdefault(row[0], []).append(Part(*row[1:]))
    return found


async def _recordings(db: AsyncConnection, ids: Sequence[str]) -> dict[str, list[RecordingLine]]:
    if not ids:
        return {}
    statement = (
        select(
            CallRecording.call_id,
            CallRecording.n,
            CallRecording.file,
            CallRecording.state,
            CallRecording.cause,
            CallRecording.seconds,
            CallRecording.channels,
            CallRecording.size,
        )
        .where(CallRecording.call_id.in_(ids))
        .order_by(CallRecording.call_id, CallRecording.n)
    )
    found: dict[str, list[RecordingLine]] = {}
    for row in await db.execute(statement):
        found.setdefault(row[0], []).append(RecordingLine(*row[1:]))
    return found


async def _legs(db: AsyncConnection, actor: Actor, call_id: str, people: Mapping[str, str]) -> tuple[LegLine, ...]:
    statement = select(*LegRow.__table__.columns).where(LegRow.call_id == call_id).order_by(LegRow.n)
    legs = []
    for row in (await db.execute(statement)).mappings():
        given = {name: row[name] for name in LegLine.__slots__ if name != "person"}
        given["who"] = shown_number(actor, row["who"])
        legs.append(LegLine(**given, person=people.get(row["who"] or "", "")))
    return tuple(legs)


async def _notes(db: AsyncConnection, call_id: str, user_id: int | None = None) -> tuple[NoteLine, ...]:
    statement = (
        select(
            CallNote.user_id,
            _PERSON,
            CallNote.text,
            CallNote.disposition,
            CallNote.version,
            CallNote.changed_at,
        )
        .outerjoin(User, User.id == CallNote.user_id)
        .where(CallNote.call_id == call_id)
        .order_by(CallNote.changed_at)
    )
    if user_id is not None:
        statement = statement.where(CallNote.user_id == user_id)
    return tuple(NoteLine(*row) for row in await db.execute(statement))
