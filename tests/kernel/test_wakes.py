"""A worker rests until a fact gives it work, and goes on after what passes by itself."""

import asyncio
import time

import pytest

from callcrm.kernel.bus import LocalBus
from callcrm.kernel.facts import Fact
from callcrm.kernel.subscription import Resync
from callcrm.kernel.trouble import DatabaseGone
from callcrm.kernel.wakes import Wakes, tried
from callcrm.kernel.writer import Unit, Writer

LONG_S = 30.0


async def tell(writer: Writer, kind: str) -> None:
    async def unit(unit: Unit) -> None:
        unit.fact(kind, stream="pbx:office", call="one")

    await writer.do(unit, name="tell")
    await asyncio.sleep(0)


async def rested(wakes: Wakes, seconds: float) -> float:
    """How long a rest of at most `seconds` was."""
    began = time.monotonic()
    await wakes.rest(seconds)
    return time.monotonic() - began


async def test_a_rest_ends_at_a_fact_of_the_kinds_that_are_heard(writer: Writer, bus: LocalBus) -> None:
    async with Wakes(bus, "test", ("call.ended",)) as wakes:
        resting = asyncio.create_task(rested(wakes, LONG_S))
        await tell(writer, "call.ended")
        assert await resting < LONG_S / 2


async def test_a_fact_that_comes_while_the_worker_works_makes_the_next_rest_short(
    writer: Writer, bus: LocalBus
) -> None:
    async with Wakes(bus, "test", ("call.ended",)) as wakes:
        await tell(writer, "call.ended")
        assert await rested(wakes, LONG_S) < LONG_S / 2
        assert await rested(wakes, 0.05) >= 0.05


async def test_other_facts_and_those_that_are_not_heeded_wake_nobody(writer: Writer, bus: LocalBus) -> None:
    met: list[Fact | Resync] = []

    def heeds(told: Fact | Resync) -> bool:
        met.append(told)
        return False

    async with Wakes(bus, "test", ("call.ended",), heeds) as wakes:
        await tell(writer, "call.changed")
        await tell(writer, "call.ended")
        assert await rested(wakes, 0.1) >= 0.1
    assert [one.kind for one in met if isinstance(one, Fact)] == ["call.ended"]


async def test_nothing_is_left_listening_when_the_worker_ends(bus: LocalBus) -> None:
    async with Wakes(bus, "test", ("call.ended",)):
        assert len(bus._subscriptions) == 1
    assert not bus._subscriptions
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "test-hear"]


async def test_what_passes_by_itself_is_told_and_a_fault_of_ours_is_raised() -> None:
    async def gone() -> int:
        raise DatabaseGone("The disk is full.")

    async def wrong() -> int:
        raise KeyError("ours")

    async def three() -> int:
        return 3

    assert await tried(gone, "nothing can be written at present") is None
    assert await tried(three, "nothing can be written at present") == 3
    with pytest.raises(KeyError):
        await tried(wrong, "nothing can be written at present")
