"""Handing rows from one card to another, and back: whatever table has them, known by its column.

That column is `client_id` for what belongs to persons and `organisation_id` for what belongs to organisations, whose
rows are also the people themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.clients.kinds import PERSON, Kind
from callcrm.clients.tables import ClientMail, ClientNumber
from callcrm.kernel.errors import Invalid
from callcrm.kernel.schema import Base, Moment
from callcrm.kernel.writer import Unit

#: More rows than these are not handed over in one unit: calls would wait for it.
MOST_ROWS = 20_000
#: The same for people of an organisation: what each is found by changes with it.
MOST_PEOPLE = 5000
_CHUNK = 400
#: Tables whose rows of a card are handed over in a way of their own.
_OWN_WAY = frozenset({"client_numbers", "client_mails"})


def _holding(kind: Kind) -> list[Table]:
    """Every table that has rows of such a card: known by its column, whoever made it."""
    tables = Base.metadata.sorted_tables
    return [table for table in tables if kind.column in table.c and table.name not in _OWN_WAY]


async def counts(db: AsyncConnection, kept_id: int, gone_id: int, kind: Kind = PERSON) -> dict[str, int]:
    """How many rows of each table would be handed over."""
    rows = {table.name: len(await _keys(db, table, gone_id, kind)) for table in _holding(kind)}
    rows["client_numbers"] = len(await _numbers_to_move(db, kept_id, gone_id, kind))
    rows["client_mails"] = len(await _mails_to_move(db, kept_id, gone_id, kind))
    return rows


async def _keys(db: AsyncConnection, table: Table, card_id: int, kind: Kind) -> list[tuple[Any, ...]]:
    keys = select(*table.primary_key.columns).where(table.c[kind.column] == card_id).limit(MOST_ROWS + 1)
    return [tuple(row) for row in await db.execute(keys)]


async def hand_over(unit: Unit, kept_id: int, gone_id: int, kind: Kind = PERSON) -> dict[str, Any]:
    """Hand every row over; their keys, by table, as JSON, and when the kept card was changed last.

    Raises Invalid for more rows than can be handed over at once.
    """
    moved: dict[str, Any] = {"changed_at": await _iso_of(unit, kept_id, kind)}
    for table in _holding(kind):
        moved[table.name] = await _move_table(unit, table, kept_id, gone_id, kind)
    numbers = [(key,) for key in await _numbers_to_move(unit.db, kept_id, gone_id, kind)]
    await _set(unit, ClientNumber.__table__, numbers, gone_id, kept_id, kind)  # type: ignore[arg-type]
    moved["client_numbers"] = [list(key) for key in numbers]
    moved["client_mails"] = await _move_mails(unit, kept_id, gone_id, kind)
    return {name: keys for name, keys in moved.items() if keys}


async def _iso_of(unit: Unit, card_id: int, kind: Kind) -> str:
    at = await unit.db.scalar(select(kind.table.changed_at).where(kind.table.id == card_id))
    return at.isoformat() if at else ""


async def _move_table(unit: Unit, table: Table, kept_id: int, gone_id: int, kind: Kind) -> list[list[Any]]:
    keys = await _keys(unit.db, table, gone_id, kind)
    most = MOST_PEOPLE if table.name == "clients" else MOST_ROWS
    if len(keys) > most:
        raise Invalid(
            f"The other card has more than {most} rows in {table.name}, too many to hand over at once; "
            "merge the small card into the big one."
        )
    if keys:
        mine = table.c[kind.column] == gone_id
        await unit.db.execute(update(table).where(mine).values({kind.column: kept_id}))
    return [[_plain(value) for value in key] for key in keys]


async def _numbers_to_move(db: AsyncConnection, kept_id: int, gone_id: int, kind: Kind) -> list[int]:
    """Numbers that the kept card lacks; the others stay on the closed one, where nobody finds them."""
    whose = ClientNumber.__table__.c[kind.column]
    columns = (ClientNumber.id, whose.label("whose"), ClientNumber.e164, ClientNumber.national)
    statement = select(*columns).where(whose.in_((kept_id, gone_id))).order_by(ClientNumber.id)
    rows = (await db.execute(statement)).all()
    held = {row.e164 or row.national for row in rows if row.whose == kept_id}
    return [row.id for row in rows if row.whose == gone_id and (row.e164 or row.national) not in held]


async def _mails_to_move(db: AsyncConnection, kept_id: int, gone_id: int, kind: Kind) -> list[tuple[int, int]]:
    """Addresses that the kept card lacks, by id, with their places."""
    whose = ClientMail.__table__.c[kind.column]
    columns = (ClientMail.id, whose.label("whose"), ClientMail.folded, ClientMail.place)
    statement = select(*columns).where(whose.in_((kept_id, gone_id)))
    rows = (await db.execute(statement.order_by(ClientMail.place, ClientMail.id))).all()
    held = {row.folded for row in rows if row.whose == kept_id}
    return [(row.id, row.place) for row in rows if row.whose == gone_id and row.folded not in held]


async def _move_mails(unit: Unit, kept_id: int, gone_id: int, kind: Kind) -> list[list[int]]:
    """Behind those that the kept card has; each with the place that it had."""
    whose = ClientMail.__table__.c[kind.column]
    last_ = select(ClientMail.place).where(whose == kept_id).order_by(ClientMail.place.desc()).limit(1)
    place = await unit.db.scalar(last_)
    found = await _mails_to_move(unit.db, kept_id, gone_id, kind)
    for n, (key, _) in enumerate(found, start=0 if place is None else place + 1):
        there = {kind.column: kept_id, "place": n}
        await unit.db.execute(update(ClientMail).where(ClientMail.id == key).values(there))
    return [list(one) for one in found]


async def give_back(unit: Unit, moved: Mapping[str, Any], kept_id: int, gone_id: int, kind: Kind = PERSON) -> None:
    """Give back what `hand_over` handed over and nobody has handed on since."""
    for name, keys in moved.items():
        table = Base.metadata.tables.get(name)
        if table is None:  # no table, or one of a version before
            continue
        if name == "client_mails":
            for key, place in keys:
                mine = and_(ClientMail.id == key, ClientMail.__table__.c[kind.column] == kept_id)
                back = {kind.column: gone_id, "place": place}
                await unit.db.execute(update(ClientMail).where(mine).values(back))
            continue
        columns = list(table.primary_key.columns)
        read = [tuple(_read(column, value) for column, value in zip(columns, key, strict=True)) for key in keys]
        await _set(unit, table, read, kept_id, gone_id, kind)


async def _set(  # noqa: PLR0917 - which rows, from whom, to whom
    unit: Unit, table: Table, keys: Sequence[tuple[Any, ...]], was: int, now: int, kind: Kind
) -> None:
    """Hand these rows from one card to another; what belongs to neither any more is left alone."""
    columns = list(table.primary_key.columns)
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        these = columns[0].in_([key[0] for key in some]) if len(columns) == 1 else tuple_(*columns).in_(some)
        await unit.db.execute(update(table).where(table.c[kind.column] == was, these).values({kind.column: now}))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(column: Any, value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(column.type, Moment) else value
