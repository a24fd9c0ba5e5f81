"""Old facts go, positions stay, and who resumes behind what is kept is told so instead of missing it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from callcrm.kernel import clock, streams
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.subscription import Resync
from callcrm.kernel.tables import FactRow
from callcrm.kernel.writer import Unit, Writer

OLD = timedelta(days=100)


async def tell(writer: Writer, count: int, *, stream: str = "desk", old: bool = False) -> None:
    async def work(unit: Unit) -> None:
        for n in range(count):
            unit.fact("call.began", stream=stream, at=unit.now - OLD if old else None, call=f"c{n}")

    await writer.do(work, name="tell")


async def kept(database: Database) -> list[tuple[str, int]]:
    async with database.read() as db:
        rows = await db.execute(select(FactRow.stream, FactRow.position).order_by(FactRow.stream, FactRow.position))
        return [(row.stream, row.position) for row in rows]


async def test_old_facts_go_and_positions_stay(writer: Writer, database: Database) -> None:
    await tell(writer, 1203, old=True)
    await tell(writer, 2)
    await tell(writer, 3, stream="pbx:office", old=True)
    assert await streams.prune(writer, 90) == 1206
    assert await kept(database) == [("desk", 1204), ("desk", 1205)]
    async with database.read() as db:
        assert await streams.positions(db) == {"desk": 1205, "pbx:office": 3}
    await tell(writer, 1, stream="pbx:office")
    assert ("pbx:office", 4) in await kept(database)
    assert await streams.prune(writer, 90) == 0


@pytest.mark.parametrize("newer", [0, 2])
async def test_who_resumes_behind_what_is_kept_is_told_so(writer: Writer, bus: LocalBus, newer: int) -> None:
    await tell(writer, 5, old=True)
    await tell(writer, newer)
    await streams.prune(writer, 90)
    back = bus.subscribe("back", after={"desk": 3})
    async with asyncio.timeout(10):
        first = await anext(back)
    assert first == Resync({"desk": 5 + newer})
    await tell(writer, 1)
    async with asyncio.timeout(10):
        following = await anext(back)
    assert isinstance(following, Fact)
    assert following.position == 6 + newer


async def test_who_is_up_to_date_hears_of_no_gap(writer: Writer, bus: LocalBus, database: Database) -> None:
    await tell(writer, 5, old=True)
    await streams.prune(writer, 90)
    present = bus.subscribe("present", after={"desk": 5})
    await tell(writer, 1)
    async with asyncio.timeout(10):
        heard = await anext(present)
    assert isinstance(heard, Fact)
    assert heard.position == 6
    async with database.read() as db:
        assert await db.scalar(select(func.count()).select_from(FactRow)) == 1


async def test_a_fact_goes_when_its_time_comes(writer: Writer, database: Database) -> None:
    await tell(writer, 1)
    assert await streams.prune(writer, 1) == 0
    at = clock.now() - timedelta(days=1, seconds=1)
    await writer.do(lambda unit: unit.db.execute(update(FactRow).values(at=at)), name="age")
    assert await streams.prune(writer, 1) == 1
    assert await kept(database) == []
