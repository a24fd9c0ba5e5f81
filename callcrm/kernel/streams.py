"""Facts in the database: positions without gaps, stored in the transaction that they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, cast, delete, func, insert, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import clock
from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.tables import FactRow, Stream

if TYPE_CHECKING:
    from callcrm.kernel.unit import Unit
    from callcrm.kernel.writer import Writer

CHANNEL = "callcrm_facts"
_NOTIFY_BYTES = 7000
_FACTS = Prepared(
    select(FactRow.kind, FactRow.at, FactRow.ids, FactRow.stream, FactRow.position)
    .where(FactRow.stream == bindparam("stream"), FactRow.position > bindparam("position"))
    .order_by(FactRow.position)
    .limit(bindparam("limit"))
)


_OLDEST = (
    select(FactRow.at, FactRow.stream, FactRow.position)
    .where(FactRow.at < bindparam("before", type_=FactRow.at.type))
    .order_by(FactRow.at, FactRow.stream, FactRow.position)
    .limit(500)
)
_NAME = select(cast(func.pg_current_xact_id_if_assigned(), Text))
_SEAL = _NAME.add_columns(func.pg_notify(CHANNEL, bindparam("payload")))


def _advance(dialect: str) -> Prepared:
    insertion = postgresql.insert(Stream) if dialect == "postgresql" else sqlite.insert(Stream)
    return Prepared(
        insertion.on_conflict_do_update(
            index_elements=["name"], set_={"position": Stream.position + insertion.excluded.position}
        ).returning(Stream.position)
    )


_ADD = Prepared(insert(FactRow))
_POSITIONS = Prepared(select(Stream.name, Stream.position))
_ADVANCE = {dialect: _advance(dialect) for dialect in ("sqlite", "postgresql")}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The facts with their positions, and the name of the transaction (PostgreSQL's, if it wrote at all)."""

    facts: list[Fact]
    transaction: str | None = None


async def record(db: AsyncConnection, facts: Sequence[Fact]) -> Recorded:
    """Store `facts` with the next positions of their streams; the last thing in a transaction.

    The streams' rows stay locked until the commit, so that facts become visible in the order
    of their positions, also with several writers. On PostgreSQL a NOTIFY rides along.
    """
    counts: dict[str, int] = {}
    for fact in facts:
        counts[fact.stream] = counts.get(fact.stream, 0) + 1
    reached = {stream: await _take(db, stream, counts[stream]) for stream in sorted(counts)}
    following = {stream: reached[stream] - counts[stream] for stream in counts}
    placed: list[Fact] = []
    for fact in facts:
        following[fact.stream] += 1
        placed.append(replace(fact, position=following[fact.stream]))
    if placed:
        await _ADD.run(db, [_row(fact) for fact in placed])
    if db.dialect.name == "postgresql":
        return Recorded(placed, await _seal(db, reached))
    return Recorded(placed)


async def _seal(db: AsyncConnection, reached: dict[str, int]) -> str | None:
    """PostgreSQL: wake the other processes at the commit, and ask the transaction's name, in one round trip."""
    payload = "\n".join(f"{stream}:{position}" for stream, position in reached.items())
    short = payload.encode()[:_NOTIFY_BYTES].decode(errors="ignore")
    found = (await db.execute(_SEAL if reached else _NAME, {"payload": short} if reached else {})).one()
    return str(found[0]) if found[0] is not None else None


async def was_committed(db: AsyncConnection, transaction: str) -> bool | None:
    """Whether PostgreSQL committed that transaction, for who lost the connection meanwhile; None: not ended yet."""
    state = await db.scalar(text("SELECT pg_xact_status(CAST(CAST(:name AS text) AS xid8))"), {"name": transaction})
    return None if state == "in progress" else state == "committed"


async def _take(db: AsyncConnection, stream: str, count: int) -> int:
    return int(await _ADVANCE[db.dialect.name].scalar(db, {"name": stream, "position": count}))


def _row(fact: Fact) -> dict[str, object]:
    return {
        "at": fact.at,
        "stream": fact.stream,
        "position": fact.position,
        "kind": fact.kind,
        "ids": fact.ids,
    }


async def facts_after(db: Db, stream: str, position: int, limit: int) -> list[Fact]:
    """The facts of `stream` behind `position`, oldest first, at most `limit`."""
    found = await _FACTS.all(db, {"stream": stream, "position": position, "limit": limit})
    return [Fact(row.kind, row.at, row.ids, row.stream, row.position) for row in found]


async def prune(writer: "Writer", days: float) -> int:
    """Delete the facts that are older than so many days, some at a time, so that nobody waits for it; how many.

    A stream's position stays. Who goes on from behind what is kept sees the gap and gets a `Resync`.
    """
    before, gone = clock.now() - timedelta(days=days), 0

    async def work(unit: "Unit") -> int:
        rows = await unit.db.execute(_OLDEST, {"before": before})
        keys = rows.all()
        if keys:
            await unit.db.execute(delete(FactRow).where(tuple_(FactRow.at, FactRow.stream, FactRow.position).in_(keys)))
        return len(keys)

    while done := await writer.do(work, name="prune the facts"):
        gone += done
    return gone


async def positions(db: Db) -> dict[str, int]:
    """How far each stream has got."""
    return {row.name: row.position for row in await _POSITIONS.all(db)}
