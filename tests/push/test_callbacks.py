"""What push tells of callbacks: who took one, to everybody who saw it; who is on the line, to who is to call back."""

from typing import Any

from sqlalchemy import insert, update

from callcrm.kernel.writer import Unit
from callcrm.tasks.tables import Task
from tests.push.stage import Stage

NUMBER = "+79161234567"


async def owe(stage: Stage, owner: str = "", why: str = "queue", queue: str | None = None) -> int:
    """An open callback."""
    user = stage.actors[owner].user_id if owner else None
    row = {"kind": "callback", "number": NUMBER, "owner_id": user, "owner_why": why, "queue": queue, "attempts": 2}

    async def add(unit: Unit) -> int:
        statement = insert(Task).returning(Task.id)
        return int((await unit.db.execute(statement, row | {"created_at": unit.now})).scalar_one())

    return await stage.writer.do(add, name="owe")


async def take(stage: Stage, task: int, name: str) -> None:
    user = stage.actors[name].user_id

    async def work(unit: Unit) -> None:
        values: dict[str, Any] = {"owner_id": user, "owner_why": "claimed", "version": 2}
        await unit.db.execute(update(Task).where(Task.id == task).values(values))
        unit.fact("task.changed", task=task, owner=user)

    await stage.writer.do(work, name="take")


async def test_who_saw_a_free_callback_hears_at_once_that_another_took_it(stage: Stage) -> None:
    task = await owe(stage)
    ivan, olga, vera = [await stage.listen(name) for name in ("ivan", "olga", "vera")]
    await take(stage, task, "olga")
    assert (await olga.next("task.changed"))["data"]["number"] == NUMBER
    assert (await vera.next("task.changed"))["data"]["owner_why"] == "claimed"
    gone = (await ivan.next("task.changed"))["data"]
    assert (gone["task"], gone["owner"], gone["number"]) == (task, stage.actors["olga"].user_id, None)


async def test_the_people_of_a_queue_see_who_holds_its_callbacks(stage: Stage) -> None:
    task = await owe(stage, queue="sales")
    olga, ivan = await stage.listen("olga"), await stage.listen("ivan")
    await take(stage, task, "ivan")
    assert (await olga.next("task.changed"))["data"]["number"] == NUMBER
    assert (await ivan.next("task.changed"))["data"]["version"] == 2


async def test_who_may_call_back_hears_that_the_caller_is_on_the_line(stage: Stage) -> None:
    task = await owe(stage, queue="sales")
    olga, vera, ivan = [await stage.listen(name) for name in ("olga", "vera", "ivan")]
    call = await stage.call(facts=[("call.ringing", "ivan")])
    for somebody in (olga, vera):
        told = (await somebody.next("task.changed"))["data"]
        assert (told["task"], told["call"], told["caller"]) == (task, call, "ringing")
    assert await ivan.quiet("task.changed", 0.5)


async def test_who_was_about_to_call_back_hears_that_the_caller_rings_elsewhere(stage: Stage) -> None:
    task = await owe(stage, "olga", "claimed")
    olga, ivan = await stage.listen("olga"), await stage.listen("ivan")
    call = await stage.call(facts=[("call.ringing", "ivan")])
    told = (await olga.next("task.changed"))["data"]
    assert (told["task"], told["call"], told["number"]) == (task, call, NUMBER)
    assert told["caller"] == "ringing"
    debt = (await ivan.next("pop.offered"))["data"]["debt"]
    assert (debt["owner_name"], debt["owner_why"], debt["attempts"]) == ("Olga", "claimed", 2)
