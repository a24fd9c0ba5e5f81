"""After a restart: the pops that were present come back, and the facts since then are folded over them."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallRow
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import positions
from callcrm.kernel.tables import FactRow
from callcrm.push import views
from callcrm.push.book import PopBook
from callcrm.push.cursor import Told
from callcrm.push.pop import RULES, CallGist
from callcrm.push.teller import Teller
from callcrm.shifts.queries import standings

#: Facts are folded again from the beginning of the oldest open call, but no further back than this.
FURTHEST = timedelta(hours=4)
NEAREST = timedelta(minutes=10)
MOST = 20_000
CHUNK = 500


async def restore(db: AsyncConnection, book: PopBook, told: Told, teller: Teller, now: datetime) -> None:
    """Fill `book` and `teller` with what is present, and let `told` stand where the streams stand."""
    teller.set_people(await views.people(db))
    teller.set_stands(await standings(db))
    reached = await positions(db)
    await book.restore(db, now)
    facts = await _facts(db, await _since(db, now))
    ids = sorted({str(fact.ids.get("call")) for fact in facts})
    found: dict[str, views.CallView] = {}
    for start in range(0, len(ids), CHUNK):
        found |= await views.calls(db, ids[start : start + CHUNK])
    for fact in facts:
        view = found.get(str(fact.ids.get("call")))
        gist = CallGist(view.direction, view.operator_id, view.operator or "") if view else CallGist("", exists=False)
        book.apply(fact, gist)
    for stream, position in reached.items():
        told.reach(stream, position)


async def _since(db: AsyncConnection, now: datetime) -> datetime:
    oldest = await db.scalar(
        select(func.min(CallRow.at)).where(CallRow.ended_at.is_(None), CallRow.at > now - FURTHEST)
    )
    return min(oldest or now, now - NEAREST)


async def _facts(db: AsyncConnection, since: datetime) -> list[Fact]:
    found = await db.execute(
        select(FactRow.kind, FactRow.at, FactRow.ids, FactRow.stream, FactRow.position)
        .where(FactRow.at >= since, FactRow.kind.in_(list(RULES)))
        .order_by(FactRow.at.desc(), FactRow.stream, FactRow.position.desc())
        .limit(MOST)
    )
    facts = [Fact(row.kind, row.at, row.ids, row.stream, row.position) for row in found]
    facts.reverse()
    return facts
