"""The writer's queue: urgent units first and by themselves, the rest in order, nothing handed out that gave up."""

import asyncio

import pytest

from callcrm.kernel.unit import Job, Unit
from callcrm.kernel.waiting import Waiting


def job(name: str, *, urgent: bool = False) -> Job[None]:
    async def work(_: Unit) -> None:
        return None

    return Job(work, name, 1.0, 0.0, asyncio.get_running_loop().create_future(), {}, urgent)


async def names(waiting: Waiting, most: int = 10) -> list[str]:
    return [one.name for one in await waiting.next_group(most)]


async def test_urgent_units_go_first_and_by_themselves() -> None:
    waiting = Waiting(10)
    for one in (job("note"), job("ring", urgent=True), job("task"), job("answer", urgent=True)):
        await waiting.put(one)
    assert await names(waiting) == ["ring", "answer"]
    assert await names(waiting) == ["note", "task"]


async def test_a_group_has_its_bound() -> None:
    waiting = Waiting(10)
    for n in range(5):
        await waiting.put(job(str(n)))
    assert [await names(waiting, 2) for _ in range(3)] == [["0", "1"], ["2", "3"], ["4"]]


async def test_who_gave_up_is_passed_over() -> None:
    waiting, gone = Waiting(10), job("gone")
    await waiting.put(gone)
    gone.done.cancel()
    await waiting.put(job("here"))
    assert await names(waiting) == ["here"]


async def test_a_full_queue_lets_nobody_in_until_there_is_room() -> None:
    waiting = Waiting(1)
    await waiting.put(job("first"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await waiting.put(job("second"))
    assert await names(waiting) == ["first"]
    await waiting.put(job("third"))
    assert await names(waiting) == ["third"]


async def test_the_end_comes_after_what_waits() -> None:
    waiting = Waiting(10)
    await waiting.put(job("last"))
    waiting.end()
    assert await names(waiting) == ["last"]
    assert await names(waiting) == []
