"""Facts in the database: positions without gaps, stored in the transaction that they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Text, bindparam, cast, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.tables import FactRow, Stream

CHANNEL = "callcrm_facts"
_NOTIFY_BYTES = 7000
_FACTS = Prepared(
    select(FactRow.kind, FactRow.at, FactRow.ids, FactRow.stream, FactRow.position)
    .where(FactRow.stream == bindparam("stream"), FactRow.position > bindparam("position"))
    .order_by(FactRow.position)
    .limit(bindparam("limit"))
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


async def positions(db: Db) -> dict[str, int]:
    """How far each stream has got."""
    return {row.name: row.position for row in await _POSITIONS.all(db)}
