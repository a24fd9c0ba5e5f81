"""Facts in the database: positions without gaps, stored in the transaction that they belong to."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from callcrm.kernel.facts import Fact
from callcrm.kernel.tables import FactRow, Stream

CHANNEL = "callcrm_facts"
_NOTIFY_BYTES = 7000
_FACTS = (
    select(FactRow.kind, FactRow.at, FactRow.ids, FactRow.stream, FactRow.position)
    .where(FactRow.stream == bindparam("stream"), FactRow.position > bindparam("position"))
    .order_by(FactRow.position)
    .limit(bindparam("limit"))
)


def _advance(dialect: str) -> ReturningInsert[int]:
    insertion = postgresql.insert(Stream) if dialect == "postgresql" else sqlite.insert(Stream)
    return insertion.on_conflict_do_update(
        index_elements=["name"], set_={"position": Stream.position + insertion.excluded.position}
    ).returning(Stream.position)


_ADVANCE = {dialect: _advance(dialect) for dialect in ("sqlite", "postgresql")}


async def record(db: AsyncConnection, facts: Sequence[Fact]) -> list[Fact]:
    """Store `facts` with the next positions of their streams, and give them back with these.

    The streams' rows stay locked until the commit, so that facts become visible in the order
    of their positions, also with several writers. On PostgreSQL a NOTIFY rides along.
    """
    if not facts:
        return []
    counts: dict[str, int] = {}
    for fact in facts:
        counts[fact.stream] = counts.get(fact.stream, 0) + 1
    reached = {stream: await _take(db, stream, counts[stream]) for stream in sorted(counts)}
    following = {stream: reached[stream] - counts[stream] for stream in counts}
    placed: list[Fact] = []
    for fact in facts:
        following[fact.stream] += 1
        placed.append(replace(fact, position=following[fact.stream]))
    await db.execute(insert(FactRow), [_row(fact) for fact in placed])
    if db.dialect.name == "postgresql":
        payload = "\n".join(f"{stream}:{position}" for stream, position in reached.items())
        await db.execute(select(func.pg_notify(CHANNEL, payload.encode()[:_NOTIFY_BYTES].decode(errors="ignore"))))
    return placed


async def _take(db: AsyncConnection, stream: str, count: int) -> int:
    found = await db.execute(_ADVANCE[db.dialect.name], {"name": stream, "position": count})
    return int(found.scalar_one())


def _row(fact: Fact) -> dict[str, object]:
    return {
        "at": fact.at,
        "stream": fact.stream,
        "position": fact.position,
        "kind": fact.kind,
        "ids": fact.ids,
    }


async def facts_after(db: AsyncConnection, stream: str, position: int, limit: int) -> list[Fact]:
    """The facts of `stream` behind `position`, oldest first, at most `limit`."""
    found = await db.execute(_FACTS, {"stream": stream, "position": position, "limit": limit})
    return [Fact(row.kind, row.at, row.ids, row.stream, row.position) for row in found]


async def positions(db: AsyncConnection) -> dict[str, int]:
    """How far each stream has got."""
    found = await db.execute(select(Stream.name, Stream.position))
    return {row.name: row.position for row in found}
