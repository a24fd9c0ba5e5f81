"""Reading the call log: pages of it, one call whole, a client's last calls, the calls of the moment.

Everything goes through `accounts.policy`: who asks sees what his role reaches, and numbers
masked where his account is. A page costs three statements.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, calls_of, require, shown_number, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls import legs, reach, xrayreading
from callcrm.calls.log import OWED_FOR, CallLine, Filters, NoteLine, Part, RecordingLine, WholeCall, Written
from callcrm.calls.tables import TRANSFERRED, UNLINKED, UNSAID, CallNote, CallOperator, CallRecording, CallRow
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Moment

DIRECTIONS = ("inbound", "outbound", "internal")
#: What a column of the calls becomes in a condition: itself, or one whose index is not thought of.
Kept = Callable[[Any], ColumnElement[Any]]
_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
_OPERATOR = aliased(User)
_LATER = aliased(CallRow)
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
_SHOWN = frozenset(column.key for column in _LINE.selected_columns if column.key) - {"began", "name"}


async def call_log(
    db: AsyncConnection, actor: Actor, filters: Filters | None = None, wanted: Wanted | None = None
) -> Page[CallLine]:
    """A page of the log, newest first. Raises Invalid for a filter or cursor that makes no sense."""
    require(actor, Right.CALLS)
    filters, wanted = filters or Filters(), wanted or Wanted()
    if filters.owed and filters.since is None:
        filters = replace(filters, since=clock.now() - OWED_FOR)
    if xrayreading.asked(filters) and (filters.sort or xrayreading.is_rare(filters) or not reach.few(actor, filters)):
        return await _heard_log(db, actor, filters, wanted)
    conditions, at = _conditions(filters), None
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, str)
        conditions.append(_before(at, key))
    statement = visible_calls(actor, _LINE).where(*conditions)
    shy = [*_conditions(filters, reach.Shy), *conditions[len(_conditions(filters)) :]]
    statement = reach.narrowed(statement, actor, filters, shy, wanted.rows, before=at)
    statement = statement.order_by(CallRow.at.desc(), CallRow.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).mappings().all()
    found = await _lines(db, actor, rows[: wanted.rows - 1])
    return page(rows, wanted, lambda row: (row["at"], row["id"]), lambda row: found[row["id"]])


async def _heard_log(db: AsyncConnection, actor: Actor, filters: Filters, wanted: Wanted) -> Page[CallLine]:
    """A page of the log as the sound's figures have it: found among them, which have the indexes for it."""
    after = decode(wanted.cursor, *xrayreading.place_kinds(filters)) if wanted.cursor else ()
    calls = xrayreading.of_calls_alone(filters)
    shy = _conditions(calls, reach.Shy)
    few = reach.few(actor, filters) and not (xrayreading.is_rare(filters) and filters.sort is None)
    among = reach.keys(actor, filters, _conditions(calls), shy) if few else None
    found = xrayreading.found_first(filters, [*shy, calls_of(actor)], wanted.rows, after, among).subquery()
    order = [found.c[column.name] for column in xrayreading.ordering(filters)]
    key = and_(found.c.began == CallRow.began, found.c.call_id == CallRow.id)
    places = [column.label(f"place_{n}") for n, column in enumerate(order)]
    statement = _LINE.add_columns(*places).join(found, key).order_by(*(column.desc() for column in order))
    rows = (await db.execute(statement)).mappings().all()
    lines = await _lines(db, actor, rows[: wanted.rows - 1])
    return page(rows, wanted, lambda row: [row[one.name] for one in places], lambda row: lines[row["id"]])


async def whole_call(db: AsyncConnection, actor: Actor, call_id: str) -> WholeCall:
    """One call with its legs, recordings and notes. Raises NotFound when there is none that the actor may see."""
    require(actor, Right.CALLS)
    rows = (await db.execute(visible_calls(actor, _LINE).where(CallRow.id == call_id))).mappings().all()
    if not rows:
        raise NotFound("There is no such call, or it is not yours to see.")
    line = (await _lines(db, actor, rows))[call_id]
    mine, aside = await legs.of_call(db, actor, line)
    return WholeCall(line, mine, await _notes(db, call_id), aside)


async def last_calls(
    db: AsyncConnection, actor: Actor, client_id: int, limit: int = 10, *, but: str = ""
) -> list[CallLine]:
    """A client's last calls, newest first; without the call `but`."""
    statement = visible_calls(actor, _LINE).where(CallRow.client_id == client_id, CallRow.id != but)
    rows = (await db.execute(statement.order_by(CallRow.at.desc(), CallRow.id.desc()).limit(limit))).mappings().all()
    return list((await _lines(db, actor, rows)).values())


async def lines_of(db: AsyncConnection, actor: Actor, ids: Sequence[str], limit: int) -> list[CallLine]:
    """The newest of these calls that the actor may see."""
    if not ids:
        return []
    statement = visible_calls(actor, _LINE).where(CallRow.id.in_(ids))
    rows = (await db.execute(statement.order_by(CallRow.at.desc(), CallRow.id.desc()).limit(limit))).mappings().all()
    return list((await _lines(db, actor, rows)).values())


async def written(db: AsyncConnection, actor: Actor, call_id: str) -> Written:
    """What everybody wrote of a call, the oldest first. Raises NotFound for one that is not the actor's to see."""
    require(actor, Right.CALLS)
    mine = visible_calls(actor, select(CallRow.disposition).where(CallRow.id == call_id))
    row = (await db.execute(mine)).first()
    if row is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    return Written(row.disposition, await _notes(db, call_id))


def _conditions(filters: Filters, kept: Kept = lambda column: column) -> list[ColumnElement[bool]]:
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
    asked = {name: value for name, value in plain.items() if value is not None}
    found: list[ColumnElement[bool]] = [kept(columns[name]) == value for name, value in asked.items()]
    if filters.since is not None:
        found.append(CallRow.at >= _aware(filters.since, "since"))
    if filters.until is not None:
        found.append(CallRow.at < _aware(filters.until, "until"))
    if filters.organisation is not None:
        found.append(_of_organisation(filters.organisation))
    if filters.operator is not None:
        found.append(_has_part(CallOperator.user_id == filters.operator))
    if filters.extension is not None:
        found.append(_has_part(CallOperator.extension == filters.extension))
    if filters.live is not None:
        found.append(CallRow.ended_at.is_(None) if filters.live else CallRow.ended_at.is_not(None))
    if xrayreading.asked(filters):
        found.append(xrayreading.has(filters))
    return found + _saved(filters, kept)


def _saved(filters: Filters, kept: Kept) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.owed:
        # By the moment of its beginning: an index knows it, so that who calls often is not read from his first call on.
        talked = and_(
            _LATER.client_number == CallRow.client_number,
            _LATER.at >= CallRow.at,
            _LATER.answered_at >= CallRow.at,
        )
        talked_with = select(_LATER.id).where(talked, reach.Shy(_LATER.missed).is_(False))
        found += [kept(CallRow.missed).is_(True), ~exists(talked_with)]
    # A text stays as it is; values would be parameters, and the index of these rows not be known again.
    if filters.unlinked:
        found.append(text(UNLINKED))  # type: ignore[arg-type]
    if filters.unsaid:
        found.append(text(UNSAID))  # type: ignore[arg-type]
    if filters.noted:
        found.append(CallRow.note_line != "")
    if filters.transferred:
        found.append(text(TRANSFERRED))  # type: ignore[arg-type]
    if filters.held_s is not None:
        found.append(CallRow.hold_s > filters.held_s)
    return found


def _of_organisation(organisation_id: int) -> ColumnElement[bool]:
    """Calls of its people, and of its own numbers: each by an index."""
    people = select(Client.id).where(Client.organisation_id == organisation_id)
    its_own = and_(ClientNumber.organisation_id == organisation_id, ClientNumber.e164 != "")
    numbers = select(ClientNumber.e164).where(its_own)
    return or_(CallRow.client_id.in_(people), CallRow.client_number.in_(numbers))


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
    given = {name: row[name] for name in _SHOWN}
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


_IDS = bindparam("ids", expanding=True, type_=CallRow.id.type)
_PARTS = Prepared(
    select(CallOperator.call_id, CallOperator.extension, CallOperator.user_id, _PERSON)
    .add_columns(CallOperator.rang, CallOperator.answered, CallOperator.ring_s, CallOperator.talk_s)
    .outerjoin(User, User.id == CallOperator.user_id)
    .where(CallOperator.call_id.in_(_IDS))
    .order_by(CallOperator.call_id, CallOperator.extension)
)
_RECORDINGS = Prepared(
    select(CallRecording.call_id, *(CallRecording.__table__.c[one.name] for one in fields(RecordingLine)))
    .where(CallRecording.call_id.in_(_IDS))
    .order_by(CallRecording.call_id, CallRecording.n)
)


async def _parts(db: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for row in await _PARTS.all(db, {"ids": ids}) if ids else ():
        found.setdefault(row[0], []).append(Part(*row[1:]))
    return found


async def _recordings(db: AsyncConnection, ids: Sequence[str]) -> dict[str, list[RecordingLine]]:
    found: dict[str, list[RecordingLine]] = {}
    for row in await _RECORDINGS.all(db, {"ids": ids}) if ids else ():
        found.setdefault(row[0], []).append(RecordingLine(*row[1:]))
    return found


async def _notes(db: AsyncConnection, call_id: str) -> tuple[NoteLine, ...]:
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
    return tuple(NoteLine(*row) for row in await db.execute(statement))
