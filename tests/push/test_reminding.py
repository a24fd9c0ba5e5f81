"""Reminders over push: to their person alone, on each of his sockets, and again after a lost connection."""

from datetime import timedelta

from sqlalchemy import insert, update

from callcrm.kernel.writer import Unit
from callcrm.tasks.tables import Task, TaskReminder
from tests.push.stage import Stage


async def remind(stage: Stage, name: str, title: str = "Send the offer") -> int:
    """A reminder falls due for one person."""
    user = stage.actors[name].user_id

    async def work(unit: Unit) -> int:
        row = {"kind": "task", "title": title, "owner_id": user, "created_at": unit.now, "due_at": unit.now}
        key = int((await unit.db.execute(insert(Task).returning(Task.id), row)).scalar_one())
        await unit.db.execute(insert(TaskReminder), {"task_id": key, "user_id": user, "at": unit.now})
        unit.fact("task.reminded", task=key, user=user)
        return key

    return await stage.writer.do(work, name="remind")


async def test_a_reminder_reaches_each_socket_of_its_person_and_nobody_else(stage: Stage) -> None:
    olga, again, ivan, vera = [await stage.listen(name) for name in ("olga", "olga", "ivan", "vera")]
    key = await remind(stage, "olga")
    for one in (olga, again):
        data = (await one.next("task.reminded"))["data"]
        assert (data["task"], data["state"], data["title"]) == (key, "due", "Send the offer")
    assert await ivan.quiet("task.reminded", 0.4)
    assert await vera.quiet("task.reminded", 0.1)


async def test_a_reminder_that_sleeps_or_is_put_away_is_told_as_it_is(stage: Stage) -> None:
    olga = await stage.listen("olga")
    key = await remind(stage, "olga")
    await olga.next("task.reminded")
    user = stage.actors["olga"].user_id

    async def sleep(unit: Unit) -> None:
        await unit.db.execute(update(TaskReminder).values(again_at=unit.now + timedelta(minutes=5)))
        unit.fact("task.reminded", task=key, user=user)

    await stage.writer.do(sleep, name="sleep")
    assert (await olga.next("task.reminded"))["data"]["state"] == "asleep"

    async def away(unit: Unit) -> None:
        await unit.db.execute(TaskReminder.__table__.delete())
        unit.fact("task.reminded", task=key, user=user)

    await stage.writer.do(away, name="away")
    assert (await olga.next("task.reminded"))["data"] == {
        "task": key, "state": "gone", "kind": "", "title": "", "client_name": "", "due_at": None, "again_at": None
    }  # fmt: skip
