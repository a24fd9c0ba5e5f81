"""The writer: many units in one transaction, each undone alone, facts without gaps."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, insert, select, update

from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid
from callcrm.kernel.streams import facts_after
from callcrm.kernel.subscription import Resync
from callcrm.kernel.tables import FactRow, LinkState, Stream
from callcrm.kernel.writer import Unit, Writer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def _link(unit: Unit, pbx: str) -> str:
    await unit.db.execute(insert(LinkState), {"pbx": pbx, "state": "up", "since": NOW})
    unit.fact("link.changed", pbx=pbx)
    return pbx


async def _links(database: Database) -> list[str]:
    async with database.read() as db:
        return list((await db.scalars(select(LinkState.pbx).order_by(LinkState.pbx))).all())


async def _facts(database: Database, stream: str = "desk") -> list[tuple[int, object]]:
    async with database.read() as db:
        return [(fact.position, fact.ids.get("pbx")) for fact in await facts_after(db, stream, 0, 10_000)]


async def test_what_a_unit_returns_comes_back_and_its_rows_and_facts_are_stored(database: Database, writer: Writer):
    assert await writer.do(lambda unit: _link(unit, "office"), name="link") == "office"
    assert await _links(database) == ["office"]
    assert await _facts(database) == [(1, "office")]


async def test_units_that_wait_together_are_committed_together_and_in_order(database: Database, writer: Writer):
    names = [f"pbx{n:03}" for n in range(300)]
    results = await asyncio.gather(*(writer.do(lambda unit, n=n: _link(unit, n), name="link") for n in names))
    assert results == names
    assert await _facts(database) == list(enumerate(names, 1))


async def test_a_unit_that_fails_undoes_only_itself(database: Database, writer: Writer):
    async def wrong(unit: Unit) -> None:
        await _link(unit, "wrong")
        raise Invalid("no such line")

    results = await asyncio.gather(
        writer.do(lambda unit: _link(unit, "a"), name="a"),
        writer.do(wrong, name="wrong"),
        writer.do(lambda unit: _link(unit, "a"), name="twice"),
        writer.do(lambda unit: _link(unit, "b"), name="b"),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == ["str", "Invalid", "IntegrityError", "str"]
    assert await _links(database) == ["a", "b"]
    assert await _facts(database) == [(1, "a"), (2, "b")]


async def test_a_lone_unit_that_fails_leaves_nothing(database: Database, writer: Writer):
    async def wrong(unit: Unit) -> None:
        await _link(unit, "wrong")
        raise KeyError("wrong")

    with pytest.raises(KeyError):
        await writer.do(wrong, name="wrong")
    assert await _links(database) == []
    assert await _facts(database) == []
    assert writer.health.well


async def test_each_stream_counts_for_itself(database: Database, writer: Writer):
    async def two(unit: Unit) -> None:
        unit.fact("call.began", stream="pbx:office", call="1")
        unit.fact("link.changed", pbx="office")
        unit.fact("call.ended", stream="pbx:office", call="1")

    await writer.do(two, name="two")
    await writer.do(two, name="two")
    async with database.read() as db:
        rows = (
            await db.execute(select(FactRow.stream, FactRow.position).order_by(FactRow.stream, FactRow.position))
        ).all()
        reached = dict((await db.execute(select(Stream.name, Stream.position))).all())
    assert [tuple(row) for row in rows] == [("desk", 1), ("desk", 2), *(("pbx:office", n) for n in range(1, 5))]
    assert reached == {"desk": 2, "pbx:office": 4}


async def test_facts_are_published_after_the_commit_with_their_positions(
    database: Database, bus: LocalBus, writer: Writer
):
    subscription = bus.subscribe("test")
    await writer.do(lambda unit: _link(unit, "office"), name="link")
    fact = await anext(subscription)
    assert not isinstance(fact, Resync)
    assert (fact.kind, fact.ids, fact.stream, fact.position) == ("link.changed", {"pbx": "office"}, "desk", 1)
    assert await _links(database) == ["office"]


async def test_an_unknown_kind_of_fact_is_refused(database: Database, writer: Writer):
    async def wrong(unit: Unit) -> None:
        unit.fact("call.exploded")

    with pytest.raises(ValueError, match=r"call\.exploded"):
        await writer.do(wrong, name="wrong")
    with pytest.raises(TypeError, match="ids"):
        await writer.do(_not_an_id, name="wrong")


async def _not_an_id(unit: Unit) -> None:
    unit.fact("call.began", call=["a", "b"])  # type: ignore[arg-type]


async def test_close_writes_what_was_accepted(database: Database, bus: LocalBus):
    writer = Writer(database, bus)
    waiting = [asyncio.create_task(writer.do(lambda unit, n=n: _link(unit, f"p{n:02}"), name="l")) for n in range(20)]
    await asyncio.sleep(0)
    await writer.close()
    await asyncio.gather(*waiting)
    assert len(await _links(database)) == 20


async def test_four_tasks_that_read_and_then_write_lose_no_update(database: Database):
    async with database.transaction() as db:
        await db.execute(insert(Stream), {"name": "count", "position": 0})

    async def count() -> None:
        for _ in range(50):
            async with database.transaction() as db:
                statement = select(Stream.position).where(Stream.name == "count")
                if db.dialect.name == "postgresql":
                    statement = statement.with_for_update()
                found = await db.scalar(statement)
                await asyncio.sleep(0)
                await db.execute(update(Stream).where(Stream.name == "count").values(position=found + 1))

    await asyncio.gather(*(count() for _ in range(4)))
    async with database.read() as db:
        assert await db.scalar(select(Stream.position)) == 200


async def test_units_that_read_and_then_write_lose_no_update(database: Database, writer: Writer):
    async def increment(unit: Unit) -> None:
        found = await unit.db.scalar(select(func.max(Stream.position)).where(Stream.name == "count"))
        if found is None:
            await unit.db.execute(insert(Stream), {"name": "count", "position": 1})
        else:
            await unit.db.execute(update(Stream).where(Stream.name == "count").values(position=found + 1))

    async def count() -> None:
        for _ in range(50):
            await writer.do(increment, name="increment")

    await asyncio.gather(*(count() for _ in range(4)))
    async with database.read() as db:
        assert await db.scalar(select(Stream.position).where(Stream.name == "count")) == 200
