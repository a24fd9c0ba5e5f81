"""The legs of one call, with what each of them did, and those of consultations that it had besides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, shown_number
from callcrm.accounts.tables import User
from callcrm.calls.log import CallLine, LegLine, StretchLine
from callcrm.calls.tables import CallOperator, CallRow, LegRow

_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
_OURS = frozenset({"person", "stretches"})


async def of_call(db: AsyncConnection, actor: Actor, line: CallLine) -> tuple[tuple[LegLine, ...], tuple[LegLine, ...]]:
    """The legs of a call that the actor may see, in order of beginning, and the lines of who was asked aside."""
    aside = await _aside(db, line)
    statement = select(*LegRow.__table__.columns).where(LegRow.call_id.in_([line.id, *aside]))
    rows = (await db.execute(statement.order_by(LegRow.began, LegRow.call_id, LegRow.n))).mappings().all()
    people = {part.extension: part.person for part in line.parts} | (await _people(db, aside) if aside else {})
    mine = tuple(_leg(actor, row, people) for row in rows if row["call_id"] == line.id)
    return mine, tuple(_leg(actor, row, people) for row in rows if row["call_id"] != line.id)


async def _aside(db: AsyncConnection, line: CallLine) -> Sequence[str]:
    """Consultations that ended without the client moving are calls of their own, begun while this one went on."""
    statement = select(CallRow.id).where(CallRow.at >= line.at, CallRow.serves == line.id).order_by(CallRow.at)
    if line.ended_at is not None:
        statement = statement.where(CallRow.at <= line.ended_at)
    return (await db.execute(statement)).scalars().all()


async def _people(db: AsyncConnection, calls: Sequence[str]) -> dict[str, str]:
    statement = select(CallOperator.extension, _PERSON).outerjoin(User, User.id == CallOperator.user_id)
    rows = await db.execute(statement.where(CallOperator.call_id.in_(calls)))
    return {row.extension: row.person for row in rows}


def _leg(actor: Actor, row: RowMapping, people: Mapping[str, str]) -> LegLine:
    given = {name: row[name] for name in LegLine.__slots__ if name not in _OURS}
    given["who"] = shown_number(actor, row["who"])
    stretches = tuple(_stretch(actor, one, people) for one in row["stretches"] or ())
    return LegLine(**given, person=people.get(row["who"] or "", ""), stretches=stretches)


def _stretch(actor: Actor, one: Mapping[str, Any], people: Mapping[str, str]) -> StretchLine:
    who = one.get("who") or ""
    until = datetime.fromisoformat(one["until"]) if one.get("until") else None
    shown = shown_number(actor, who) or ""
    return StretchLine(one["kind"], shown, people.get(who, ""), datetime.fromisoformat(one["at"]), until)
