"""Tasks with a plan: reminders that stand until they are put away, repetition, checklists, groups."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, update

from callcrm.accounts.tables import User
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks import checklist, queries, reminders, service
from callcrm.tasks.queries import TaskFilters
from callcrm.tasks.tables import Task, TaskReminder
from tests.calls.making import facts, rows
from tests.people import ADAM, OLGA, RUSLAN, VERA, hire

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PEOPLE = {"sales": ["olga", "ruslan"]}


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def add(writer: Writer, actor: Any = OLGA, **typed: Any) -> int:
    return int(await do(writer, service.add_task, actor, {"title": "Send the offer", **typed}))


async def pass_to(database: Database, writer: Writer, moment: datetime) -> None:
    """The worker looks at this moment."""
    with time_machine.travel(moment, tick=False):
        await reminders.look(database, writer, PEOPLE)


async def standing(database: Database, actor: Any) -> list[int]:
    async with database.read() as db:
        return [one.task for one in await reminders.standing(db, actor, queues=["sales"])]


async def opened(database: Database) -> list[dict[str, Any]]:
    return sorted((row for row in await rows(database, Task) if row["state"] == "open"), key=lambda row: row["id"])


async def test_a_reminder_comes_when_it_is_due_and_stays_until_it_is_put_away(
    database: Database, writer: Writer
) -> None:
    key = await add(writer, due_at=NOON, remind_min=10)
    await pass_to(database, writer, NOON - timedelta(minutes=11))
    assert await standing(database, OLGA) == []
    await pass_to(database, writer, NOON - timedelta(minutes=10))
    await pass_to(database, writer, NOON)
    assert await standing(database, OLGA) == [key]
    assert await standing(database, VERA) == []
    told = [ids for kind, ids in await facts(database) if kind == "task.reminded"]
    assert told == [{"task": key, "user": OLGA.user_id}]
    await do(writer, reminders.put_away, OLGA, key)
    assert await standing(database, OLGA) == []
    with pytest.raises(NotFound):
        await do(writer, reminders.put_away, OLGA, key)


async def test_a_snoozed_reminder_comes_again(database: Database, writer: Writer) -> None:
    key = await add(writer, due_at=NOON, remind_min=0)
    await pass_to(database, writer, NOON)
    with time_machine.travel(NOON, tick=False):
        await do(writer, reminders.snooze, OLGA, key, 15)
    assert await standing(database, OLGA) == []
    await pass_to(database, writer, NOON + timedelta(minutes=14))
    assert await standing(database, OLGA) == []
    await pass_to(database, writer, NOON + timedelta(minutes=15))
    assert await standing(database, OLGA) == [key]
    with pytest.raises(NotFound):
        await do(writer, reminders.snooze, VERA, key, 15)


async def test_a_groups_task_reminds_each_of_its_people_and_whoever_is_given_it(
    database: Database, writer: Writer
) -> None:
    key = await add(writer, VERA, due_at=NOON, remind_min=0, owner_id=None, queue="sales")
    await pass_to(database, writer, NOON)
    assert [await standing(database, actor) for actor in (OLGA, RUSLAN)] == [[key], [key]]
    assert {row["user_id"] for row in await rows(database, TaskReminder)} == {OLGA.user_id, RUSLAN.user_id}
    await do(writer, service.claim, RUSLAN, key, 1, queues=["sales"])
    assert await rows(database, TaskReminder) == []
    await pass_to(database, writer, NOON + timedelta(hours=1))
    await do(writer, service.edit_task, VERA, key, {"owner_id": ADAM.user_id}, 2)
    await pass_to(database, writer, datetime.now(UTC) + timedelta(minutes=1))
    assert await standing(database, ADAM) == [key]
    assert await standing(database, RUSLAN) == []


async def test_what_is_done_reminds_nobody_and_another_due_time_reminds_anew(
    database: Database, writer: Writer
) -> None:
    key = await add(writer, due_at=NOON, remind_min=0)
    await pass_to(database, writer, NOON)
    await do(writer, service.edit_task, OLGA, key, {"due_at": NOON + timedelta(days=1)}, 1)
    assert await standing(database, OLGA) == []
    await pass_to(database, writer, NOON + timedelta(days=1))
    assert await standing(database, OLGA) == [key]
    await do(writer, service.close, OLGA, key, 2)
    assert await rows(database, TaskReminder) == []
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        await do(writer, service.reopen, OLGA, key, 3)
    await pass_to(database, writer, NOON + timedelta(days=3))
    assert await standing(database, OLGA) == []


async def test_the_next_one_is_made_when_this_one_is_done_and_goes_when_that_is_undone(
    database: Database, writer: Writer
) -> None:
    weekly = {"repeat": "FREQ=WEEKLY;BYDAY=MO", "repeat_zone": "Europe/Berlin", "repeat_except": ["2026-11-30"]}
    key = await add(writer, due_at=NOON, remind_min=30, items=["Look", "Send"], **weekly)
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        await do(writer, service.close, OLGA, key, 1)
    (then,) = await opened(database)
    assert (then["due_at"], then["occurs_at"]) == (NOON + timedelta(days=14), NOON + timedelta(days=14))
    assert (then["follows_id"], then["title"], then["owner_id"]) == (key, "Send the offer", OLGA.user_id)
    assert then["remind_at"] == then["due_at"] - timedelta(minutes=30)
    async with database.read() as db:
        assert [item.text for item in await checklist.items(db, then["id"])] == ["Look", "Send"]
    await do(writer, service.reopen, OLGA, key, 2)
    assert [row["id"] for row in await opened(database)] == [key]
    await do(writer, service.close, OLGA, key, 3, dropped=True)
    (again,) = await opened(database)
    await do(writer, service.edit_task, OLGA, again["id"], {"note": "touched"}, 1)
    await do(writer, service.reopen, OLGA, key, 4)
    assert [row["id"] for row in await opened(database)] == [key, again["id"]]
    await do(writer, service.close, OLGA, key, 5)
    assert [row["id"] for row in await opened(database)] == [again["id"]]


async def test_what_is_long_overdue_goes_on_from_now_and_a_series_ends(database: Database, writer: Writer) -> None:
    key = await add(writer, due_at=NOON, repeat="FREQ=DAILY;COUNT=5")
    with time_machine.travel(NOON + timedelta(days=2, hours=1), tick=False):
        await do(writer, service.close, OLGA, key, 1)
    (then,) = await opened(database)
    assert then["due_at"] == NOON + timedelta(days=3)
    with time_machine.travel(NOON + timedelta(days=9), tick=False):
        await do(writer, service.close, OLGA, then["id"], 1)
    assert await opened(database) == []


async def test_the_next_one_is_made_when_this_one_is_due_once(database: Database, writer: Writer) -> None:
    key = await add(writer, due_at=NOON, repeat="FREQ=DAILY", repeat_when="due")
    await pass_to(database, writer, NOON - timedelta(seconds=1))
    assert len(await opened(database)) == 1
    for _ in range(3):
        await pass_to(database, writer, NOON + timedelta(seconds=1))
    first, second = await opened(database)
    assert (first["id"], first["repeat"], second["due_at"]) == (key, None, NOON + timedelta(days=1))
    await do(writer, service.close, OLGA, key, first["version"])
    assert len(await opened(database)) == 1


async def test_another_due_time_of_one_does_not_move_the_series(database: Database, writer: Writer) -> None:
    key = await add(writer, due_at=NOON, repeat="FREQ=DAILY")
    await do(writer, service.edit_task, OLGA, key, {"due_at": NOON + timedelta(hours=5)}, 1)
    with time_machine.travel(NOON + timedelta(hours=6), tick=False):
        await do(writer, service.close, OLGA, key, 2)
    (then,) = await opened(database)
    assert then["due_at"] == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"remind_min": 5}, "due_at"),
        ({"repeat": "FREQ=DAILY"}, "due_at"),
        ({"due_at": NOON, "remind_min": -1}, "remind_min"),
        ({"due_at": NOON, "remind_min": 999_999}, "remind_min"),
        ({"due_at": NOON, "repeat": "FREQ=HOURLY"}, "repeat"),
        ({"due_at": NOON, "repeat": "FREQ=DAILY", "repeat_when": "never"}, "repeat_when"),
        ({"due_at": NOON, "repeat": "FREQ=DAILY", "repeat_zone": "Mars/Base"}, "time_zone"),
        ({"due_at": NOON, "repeat": "FREQ=DAILY", "repeat_except": ["soon"]}, "repeat_except"),
        ({"items": [" "]}, "item"),
        ({"queue": "sales", "team": "north"}, "team"),
    ],
)
async def test_what_cannot_be_taken_is_told_beside_its_field(writer: Writer, typed: Any, field: str) -> None:
    with pytest.raises(Invalid) as error:
        await do(writer, service.add_task, VERA, {"title": "T", **typed})
    assert field in error.value.fields


async def test_who_ticks_a_line_past_somebody_else_is_told(database: Database, writer: Writer) -> None:
    key = await add(writer, items=["One", "Two"])
    async with database.read() as db:
        one, two = await checklist.items(db, key)
    assert await do(writer, checklist.change_item, OLGA, key, one.id, 1, done=True) == 2
    with pytest.raises(Conflict):
        await do(writer, checklist.change_item, VERA, key, one.id, 1, done=True)
    assert await do(writer, checklist.change_item, VERA, key, two.id, 1, done=True, text="Two!") == 2
    with pytest.raises(NotFound):
        await do(writer, checklist.change_item, RUSLAN, key, two.id, 2, done=False)
    async with database.read() as db:
        assert [(i.text, i.done_by_name) for i in await checklist.items(db, key)] == [
            ("One", "Olga Bondar"),
            ("Two!", "Vera Chief"),
        ]
        line = (await queries.whole_task(db, OLGA, key)).task
    assert (line.items, line.ticked, line.version) == (2, 2, 1)
    await do(writer, checklist.remove_item, OLGA, key, one.id, 2)
    async with database.read() as db:
        assert [i.id for i in await checklist.items(db, key)] == [two.id]


async def test_a_teams_task_is_seen_by_that_team_alone(database: Database, writer: Writer) -> None:
    key = await add(writer, owner_id=None, team="north")
    async with database.read() as db:
        seen = [len((await queries.task_list(db, actor, TaskFilters())).items) for actor in (OLGA, RUSLAN, VERA)]
    assert seen == [1, 0, 1]
    with pytest.raises(NotFound):
        await do(writer, service.claim, RUSLAN, key, 1)
    with pytest.raises(NotAllowed):
        await do(writer, service.add_task, RUSLAN, {"title": "T", "owner_id": None, "team": "north"})
    await do(writer, service.add_task, VERA, {"title": "T", "owner_id": None, "team": "south"})


async def test_nobody_who_left_is_reminded(database: Database, writer: Writer) -> None:
    await add(writer, due_at=NOON, remind_min=0)

    async def leave(unit: Unit) -> None:
        await unit.db.execute(update(User).where(User.id == OLGA.user_id).values(active=False))

    await writer.do(leave, name="leave")
    await pass_to(database, writer, NOON)
    assert await rows(database, TaskReminder) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_due_is_looked_for_among_the_few_that_repeat_or_remind(database: Database) -> None:
    told: list[tuple[str, Any]] = []
    async with database.read() as db:
        event.listen(db.sync_connection, "before_cursor_execute", lambda *said: told.append((said[2], said[3])))
        assert not await reminders._due(db, clock.now()) and not await reminders._repeats(db, clock.now())
        plans = [(await db.exec_driver_sql("EXPLAIN QUERY PLAN " + one, values)).all() for one, values in told[:2]]
    assert [plan[0][3].split(" INDEX ")[1].split()[0] for plan in plans] == [
        "ix_tasks_remind_at",
        "ix_tasks_repeats_when_due",
    ]
