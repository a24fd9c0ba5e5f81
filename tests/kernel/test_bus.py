"""The bus: facts reach whoever listens, in order, each once, whichever way they are carried."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from callcrm.kernel.bus import LocalBus, PollingBus, open_bus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.postgres_bus import PostgresBus
from callcrm.kernel.subscription import Resync, Subscription
from callcrm.kernel.writer import Unit, Writer


async def tell(writer: Writer, *calls: str, stream: str = "pbx:office", kind: str = "call.began") -> None:
    async def unit(unit: Unit) -> None:
        for call in calls:
            unit.fact(kind, stream=stream, call=call)

    await writer.do(unit, name="tell")


async def heard(subscription: Subscription, count: int) -> list[object]:
    async with asyncio.timeout(10):
        return [await anext(subscription) for _ in range(count)]


def ids(facts: list[object]) -> list[tuple[int, object]]:
    assert all(isinstance(fact, Fact) for fact in facts), facts
    return [(fact.position, fact.ids["call"]) for fact in facts]  # type: ignore[attr-defined]


class BusContract:
    """What every bus keeps; `speaker` writes, `listener` may be in another process."""

    async def test_facts_come_in_order_each_once(self, speaker: Writer, listener: LocalBus):
        subscription = listener.subscribe("test")
        await asyncio.gather(*(tell(speaker, f"a{n}", f"b{n}") for n in range(30)))
        facts = await heard(subscription, 60)
        assert [position for position, _ in ids(facts)] == list(range(1, 61))
        assert len({call for _, call in ids(facts)}) == 60

    async def test_only_what_comes_after_subscribing_is_heard(self, speaker: Writer, listener: LocalBus):
        early = listener.subscribe("early")
        await tell(speaker, "one")
        assert ids(await heard(early, 1)) == [(1, "one")]
        late = listener.subscribe("late")
        await tell(speaker, "two")
        assert ids(await heard(early, 1)) == ids(await heard(late, 1)) == [(2, "two")]

    async def test_who_hears_few_kinds_hears_them_all_and_no_others(self, speaker: Writer, listener: LocalBus):
        early = listener.subscribe("early")
        await tell(speaker, "before", kind="call.ended")
        await heard(early, 1)
        live = listener.subscribe("live", kinds=("call.ended",), limit=5)
        back = listener.subscribe("back", kinds=("call.ended",), after={"pbx:office": 0})
        await tell(speaker, *(f"c{n}" for n in range(50)))
        await tell(speaker, "one", kind="call.ended")
        await tell(speaker, "two", kind="call.ended")
        assert ids(await heard(live, 2)) == [(52, "one"), (53, "two")]
        assert ids(await heard(back, 3)) == [(1, "before"), (52, "one"), (53, "two")]

    async def test_who_was_away_gets_what_was_missed_and_then_what_comes(self, speaker: Writer, listener: LocalBus):
        await tell(speaker, *(f"c{n}" for n in range(1, 1301)))
        await tell(speaker, "d1", stream="desk")
        back = listener.subscribe("back", after={"pbx:office": 100, "desk": 0})
        live = asyncio.create_task(tell(speaker, "live"))
        facts = await heard(back, 1202)
        await live
        office = [fact for fact in facts if fact.stream == "pbx:office"]
        assert ids(office) == [*((n, f"c{n}") for n in range(101, 1301)), (1301, "live")]
        assert [fact.ids["call"] for fact in facts if fact.stream == "desk"] == ["d1"]
        assert back.taken == {"pbx:office": 1301, "desk": 1}

    async def test_a_slow_listener_is_told_to_read_anew_and_goes_on_from_there(
        self, speaker: Writer, listener: LocalBus
    ):
        slow = listener.subscribe("slow", limit=10)
        quick = listener.subscribe("quick")
        for n in range(1, 31):
            await tell(speaker, f"c{n}")
        await heard(quick, 30)
        first = (await heard(slow, 1))[0]
        assert first == Resync({"pbx:office": 30})
        await tell(speaker, "after")
        assert ids(await heard(slow, 1)) == [(31, "after")]

    async def test_a_position_that_is_ahead_of_the_stream_means_to_read_anew(self, speaker: Writer, listener: LocalBus):
        await tell(speaker, "one")
        ahead = listener.subscribe("ahead", after={"pbx:office": 50})
        assert await heard(ahead, 1) == [Resync({"pbx:office": 1})]

    async def test_facts_that_are_no_longer_kept_mean_to_read_anew(self, speaker: Writer, listener: LocalBus):
        early = listener.subscribe("early")
        await tell(speaker, *(f"c{n}" for n in range(1, 21)))
        await heard(early, 20)

        async def prune(unit: Unit) -> None:
            await unit.db.exec_driver_sql("DELETE FROM facts WHERE position <= 10")

        await speaker.do(prune, name="prune")
        behind = listener.subscribe("behind", after={"pbx:office": 5})
        assert await heard(behind, 1) == [Resync({"pbx:office": 20})]
        kept = listener.subscribe("kept", after={"pbx:office": 10})
        assert len(ids(await heard(kept, 10))) == 10

    async def test_closing_ends_the_iteration_of_who_waits(self, speaker: Writer, listener: LocalBus):
        subscription = listener.subscribe("closed")

        async def listen() -> list[object]:
            return [fact async for fact in subscription]

        waiting = asyncio.create_task(listen())
        await tell(speaker, "one")
        await asyncio.sleep(0.3)
        subscription.close()
        async with asyncio.timeout(5):
            assert ids(await waiting) == [(1, "one")]
        await tell(speaker, "two")

    async def test_waiting_can_be_given_up_without_losing_a_fact(self, speaker: Writer, listener: LocalBus):
        subscription = listener.subscribe("patient")
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(subscription)
        await tell(speaker, "one", "two")
        assert ids(await heard(subscription, 2)) == [(1, "one"), (2, "two")]


class TestLocalBus(BusContract):
    @pytest.fixture
    def listener(self, bus: LocalBus) -> LocalBus:
        return bus

    @pytest.fixture
    def speaker(self, writer: Writer) -> Writer:
        return writer


@asynccontextmanager
async def elsewhere(url: str, kind: Callable[[Database], LocalBus]) -> AsyncIterator[LocalBus]:
    """A bus over connections of its own, as in another process: it sees the table only."""
    database = await Database.open(url, migrate=False)
    try:
        async with kind(database) as bus:
            yield bus
    finally:
        await database.close()


class TestPollingBusOfAnotherProcess(BusContract):
    @pytest.fixture
    async def listener(self, database_url: str) -> AsyncIterator[LocalBus]:
        async with elsewhere(database_url, lambda database: PollingBus(database, poll_s=0.02)) as bus:
            yield bus

    @pytest.fixture
    def speaker(self, writer: Writer) -> Writer:
        return writer


class TestPollingBusOfTheSameProcess(BusContract):
    @pytest.fixture
    async def listener(self, database: Database) -> AsyncIterator[LocalBus]:
        async with PollingBus(database, poll_s=60) as bus:
            yield bus

    @pytest.fixture
    async def speaker(self, database: Database, listener: LocalBus) -> AsyncIterator[Writer]:
        async with Writer(database, listener) as opened:
            yield opened


@pytest.mark.postgres
class TestPostgresBusOfAnotherProcess(BusContract):
    @pytest.fixture
    def database_url(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.fixture
    async def listener(self, database_url: str) -> AsyncIterator[LocalBus]:
        # So slow a poll that only NOTIFY can be in time.
        async with elsewhere(database_url, lambda database: PostgresBus(database, poll_s=60)) as bus:
            yield bus

    @pytest.fixture
    def speaker(self, writer: Writer) -> Writer:
        return writer

    async def test_the_wake_up_comes_back_when_its_connection_is_lost(
        self, speaker: Writer, listener: LocalBus, database: Database
    ):
        subscription = listener.subscribe("test")
        async with database.transaction() as db:
            gone = await db.exec_driver_sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
            assert gone.scalar_one() == 1
        await tell(speaker, "meanwhile")
        assert ids(await heard(subscription, 1)) == [(1, "meanwhile")]
        await tell(speaker, "later")
        assert ids(await heard(subscription, 1)) == [(2, "later")]


async def test_two_processes_that_write_one_stream_leave_no_gap_and_no_fact_twice(
    database_url: str, database: Database
):
    async with elsewhere(database_url, lambda other: PollingBus(other, poll_s=0.02)) as listener:
        subscription = listener.subscribe("test")
        other = await Database.open(database_url)
        async with Writer(database, LocalBus(database)) as one, Writer(other, LocalBus(other)) as two:
            await asyncio.gather(*(tell(one if n % 2 else two, f"c{n}") for n in range(100)))
        await other.close()
        facts = await heard(subscription, 100)
    assert [position for position, _ in ids(facts)] == list(range(1, 101))
    assert {call for _, call in ids(facts)} == {f"c{n}" for n in range(100)}


async def test_the_bus_fits_the_database_and_how_many_processes_share_it(database: Database):
    alone = await open_bus(database, shared=False)
    shared = await open_bus(database, shared=True)
    assert type(alone) is LocalBus
    assert type(shared) is (PostgresBus if database.dialect == "postgresql" else PollingBus)
    await alone.close()
    await shared.close()
