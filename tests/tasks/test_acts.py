"""What people do with callbacks, one or many: who holds, who may, what is asked, and what is undone."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from callcrm.calls import service as calls
from callcrm.kernel import clock
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks import acts
from callcrm.tasks.acts import Deed, Wish
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from callcrm.tasks.tables import Task, TaskAct
from tests.calls import making
from tests.calls.making import facts, missed_life, rows
from tests.people import OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
SALES = ["sales"]
NUMBERS = ("+79161234567", "+79161234568", "+79161234569")


@pytest.fixture(autouse=True)
async def board(writer: Writer) -> None:
    """Three callbacks of the sales queue: 1, 2, 3."""
    await hire(writer)

    async def owe(unit: Unit) -> None:
        for number in NUMBERS:
            row = {"kind": "callback", "number": number, "queue": "sales", "owner_why": "queue", "state": "open"}
            await unit.db.execute(insert(Task), row | {"created_at": unit.now, "due_at": unit.now})

    await writer.do(owe, name="owe")


async def do(writer: Writer, actor: Any, act: str, seen: dict[int, int] | int, version: int = 1, **more: Any) -> Deed:
    chosen = seen if isinstance(seen, dict) else {seen: version}
    return await writer.do(lambda unit: acts.do(unit, actor, Wish(act, **more), chosen, queues=SALES), name="act")


async def undo(writer: Writer, actor: Any, deed: Deed) -> Deed:
    return await writer.do(lambda unit: acts.undo(unit, actor, deed.id), name="undo")


async def tasks(database: Database) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in await rows(database, Task)}


def ahead(minutes: float = 60) -> datetime:
    return clock.now().replace(microsecond=0) + timedelta(minutes=minutes)


async def test_who_takes_one_holds_it_and_is_named_to_who_came_second(writer: Writer, database: Database) -> None:
    await do(writer, OLGA, "take", 1)
    with pytest.raises(Conflict, match="Olga Bondar was faster and holds this callback now"):
        await do(writer, RUSLAN, "take", 1)
    for act in ("take", "release", "close", "hand_over"):
        with pytest.raises(Conflict, match="Somebody else holds this callback"):
            await do(writer, RUSLAN, act, 1, 2, to=RUSLAN.user_id)
    one = (await tasks(database))[1]
    assert (one["owner_id"], one["owner_why"], one["version"]) == (OLGA.user_id, "claimed", 2)
    assert ("task.changed", {"task": 1, "owner": OLGA.user_id}) in await facts(database)


async def test_who_is_only_proposed_does_not_lock_the_others_out(writer: Writer, database: Database) -> None:
    values = {"owner_id": RUSLAN.user_id, "owner_why": "last_operator"}
    await writer.do(lambda unit: unit.db.execute(update(Task).where(Task.id == 1).values(values)), name="propose")
    await do(writer, OLGA, "take", 1)
    assert (await tasks(database))[1]["owner_id"] == OLGA.user_id


async def test_two_people_take_the_same_at_the_same_instant_and_one_gets_it(
    database_url: str, database: Database
) -> None:
    """Two processes, each with its own writer, many times."""
    other = await Database.open(database_url)
    async with (
        LocalBus(database) as bus, LocalBus(other) as bus2, Writer(database, bus) as one, Writer(other, bus2) as two
    ):  # fmt: skip
        for version in range(1, 30, 2):
            found = await asyncio.gather(
                do(one, OLGA, "take", 1, version), do(two, RUSLAN, "take", 1, version), return_exceptions=True
            )
            kinds = sorted(type(one).__name__ for one in found)
            assert kinds == ["Conflict", "Deed"], found
            await do(one, VERA, "release", 1, version + 1)
    await other.close()


async def test_reopening_in_the_instant_in_which_he_is_missed_again_is_a_conflict_in_words(
    database_url: str, database: Database, writer: Writer
) -> None:
    await do(writer, OLGA, "close", 1)
    other = await Database.open(database_url)
    async with LocalBus(other) as bus, Writer(other, bus) as second:
        opened, waited = asyncio.Event(), asyncio.Event()

        async def missed(unit: Unit) -> None:
            row = {"kind": "callback", "state": "open", "number": NUMBERS[0], "created_at": unit.now}
            await unit.db.execute(insert(Task), row)
            opened.set()
            await waited.wait()

        missing = asyncio.create_task(second.do(missed, name="missed"))
        await opened.wait()
        again = asyncio.create_task(writer.do(lambda unit: acts.reopen(unit, OLGA, 1, 2, queues=SALES), name="reopen"))
        await _until_it_waits(other)
        waited.set()
        await missing
        with pytest.raises(Conflict, match="There is an open callback of this caller already"):
            await again
    await other.close()


async def _until_it_waits(database: Database) -> None:
    """Until somebody waits for a lock; SQLite's second writer waits before it begins."""
    if database.dialect == "sqlite":
        await asyncio.sleep(0.2)
        return
    async with asyncio.timeout(10):
        while True:
            async with database.read() as db:
                if await db.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")):
                    return
            await asyncio.sleep(0.02)


async def test_an_operator_hands_his_own_on_and_it_is_the_others_then(writer: Writer, database: Database) -> None:
    await do(writer, OLGA, "take", 1)
    await do(writer, OLGA, "hand_over", 1, 2, to=RUSLAN.user_id)
    one = (await tasks(database))[1]
    assert (one["owner_id"], one["owner_why"]) == (RUSLAN.user_id, "assigned")
    with pytest.raises(Conflict):
        await do(writer, OLGA, "take", 1, 3)
    with pytest.raises(Invalid, match="There is no such person"):
        await do(writer, RUSLAN, "hand_over", 1, 3, to=999)


async def test_only_who_has_it_or_a_supervisor_lets_it_go(writer: Writer, database: Database) -> None:
    with pytest.raises(NotAllowed):
        await do(writer, OLGA, "release", 1)
    await do(writer, OLGA, "take", 1)
    await do(writer, VERA, "release", 1, 2)
    assert (await tasks(database))[1]["owner_why"] == "released"


async def test_putting_off_asks_until_when_and_why(writer: Writer, database: Database) -> None:
    naive = datetime(2030, 1, 1)
    wrong: list[dict[str, Any]] = [{"until": ahead()}, {"reason": "busy"}, {"until": ahead(-1), "reason": "busy"}]
    wrong += [{"until": naive, "reason": "busy"}, {"until": ahead(), "reason": "x" * 201}]
    for more in wrong:
        with pytest.raises(Invalid):
            await do(writer, OLGA, "snooze", 1, **more)
    until = ahead()
    deed = await do(writer, OLGA, "snooze", 1, until=until, reason=" asked for the evening ")
    one = (await tasks(database))[1]
    assert (one["snoozed_until"], one["snooze_reason"]) == (until, "asked for the evening")
    await undo(writer, OLGA, deed)
    one = (await tasks(database))[1]
    assert (one["snoozed_until"], one["snooze_reason"], one["version"]) == (None, None, 3)


async def test_dropping_asks_why_and_closing_may_say_it(writer: Writer, database: Database) -> None:
    with pytest.raises(Invalid) as error:
        await do(writer, OLGA, "drop", 1)
    assert error.value.fields == {"reason": "say why, in a word"}
    await do(writer, OLGA, "drop", 1, reason="Wrong number")
    await do(writer, OLGA, "close", 2)
    found = await tasks(database)
    assert (found[1]["state"], found[1]["closed_reason"], found[1]["closed_by"]) == (
        "dropped", "Wrong number", OLGA.user_id,
    )  # fmt: skip
    assert (found[2]["state"], found[2]["closed_reason"], found[2]["closed_why"]) == ("done", None, "by_hand")
    with pytest.raises(Conflict, match="closed already"):
        await do(writer, OLGA, "take", 1, 2)


async def test_many_are_given_at_once_and_given_back_at_once(writer: Writer, database: Database) -> None:
    await do(writer, OLGA, "take", 2)
    deed = await do(writer, VERA, "hand_over", {1: 1, 2: 2, 3: 1}, to=RUSLAN.user_id)
    assert deed.done == {1: 2, 2: 3, 3: 2}
    assert {row["owner_id"] for row in (await tasks(database)).values()} == {RUSLAN.user_id}
    back = await undo(writer, VERA, deed)
    found = await tasks(database)
    assert [(row["owner_id"], row["owner_why"]) for row in found.values()] == [
        (None, "queue"), (OLGA.user_id, "claimed"), (None, "queue"),
    ]  # fmt: skip
    assert back.done == {1: 3, 2: 4, 3: 3}
    with pytest.raises(NotFound):
        await undo(writer, VERA, deed)


async def test_of_many_those_that_somebody_changed_meanwhile_are_left_and_told(
    writer: Writer, database: Database
) -> None:
    await do(writer, RUSLAN, "take", 2)
    deed = await do(writer, OLGA, "drop", {1: 1, 2: 1, 3: 1}, reason="Advertising")
    assert (sorted(deed.done), list(deed.left)) == ([1, 3], [2])
    assert "Ruslan Tkach was faster" in deed.left[2]
    await do(writer, VERA, "hand_over", 2, 2, to=OLGA.user_id)
    back = await undo(writer, OLGA, deed)
    assert sorted(back.done) == [1, 3]
    assert {row["state"] for row in (await tasks(database)).values()} == {"open"}


async def test_what_others_changed_since_is_not_undone(writer: Writer, database: Database) -> None:
    deed = await do(writer, OLGA, "take", {1: 1, 2: 1})
    await do(writer, VERA, "hand_over", 1, 2, to=RUSLAN.user_id)
    back = await undo(writer, OLGA, deed)
    assert (dict(back.done), dict(back.left)) == ({2: 3}, {1: "Somebody changed it since."})
    assert (await tasks(database))[1]["owner_id"] == RUSLAN.user_id


async def test_a_closed_one_is_not_opened_beside_a_newer_one(writer: Writer, database: Database) -> None:
    deed = await do(writer, OLGA, "drop", 1, reason="Wrong number")
    life = missed_life("again", clock.now().timestamp(), client="79161234567")
    follow = Callbacks(Rules()).follow
    await writer.do(lambda unit: calls.record(unit, life, PEOPLE, after=[follow]), name="missed")
    with pytest.raises(Conflict, match="newer open callback"):
        await undo(writer, OLGA, deed)
    with pytest.raises(Conflict) as error:
        await writer.do(lambda unit: acts.reopen(unit, OLGA, 1, 2, queues=SALES), name="reopen")
    assert error.value.current == 4


async def test_nobody_undoes_anothers_act_nor_one_of_long_ago(writer: Writer, database: Database) -> None:
    deed = await do(writer, OLGA, "take", 1)
    with pytest.raises(NotFound):
        await undo(writer, RUSLAN, deed)
    async with database.read() as db:
        assert await acts.last_act(db, OLGA, clock.now()) == (deed.id, "take", 1)
        assert await acts.last_act(db, OLGA, clock.now() + timedelta(minutes=16)) is None
    long_ago = update(TaskAct).values(at=clock.now() - timedelta(minutes=16))
    await writer.do(lambda unit: unit.db.execute(long_ago), name="age")
    with pytest.raises(NotFound):
        await undo(writer, OLGA, deed)


async def test_nonsense_is_refused_and_changes_nothing(writer: Writer, database: Database) -> None:
    for act, seen in (("explode", {1: 1}), ("take", {}), ("take", dict.fromkeys(range(201), 1))):
        with pytest.raises(Invalid):
            await do(writer, OLGA, act, seen)
    with pytest.raises(NotFound):
        await do(writer, OLGA, "take", 99)
    assert {row["version"] for row in (await tasks(database)).values()} == {1}


async def test_every_act_is_in_the_history_without_the_reasons_words(writer: Writer, database: Database) -> None:
    await do(writer, OLGA, "take", 1)
    await do(writer, OLGA, "hand_over", 1, 2, to=RUSLAN.user_id)
    await do(writer, RUSLAN, "drop", 1, 3, reason="He said a secret")
    noted = await rows(database, Audit, Audit.at)
    assert [(row["act"], row["user_id"], row["detail"]) for row in noted if row["which"] == "1"] == [
        ("take", OLGA.user_id, {}), ("hand_over", OLGA.user_id, {"to": RUSLAN.user_id}), ("drop", RUSLAN.user_id, {}),
    ]  # fmt: skip


async def test_fields_are_changed_by_the_rules_of_the_acts(writer: Writer, database: Database) -> None:
    async def edit(actor: Any, typed: dict[str, Any], version: int) -> int:
        return await writer.do(lambda unit: acts.edit(unit, actor, 1, typed, version, queues=SALES), name="edit")

    version = await edit(OLGA, {"owner_id": OLGA.user_id, "note": "Prefers mornings"}, 1)
    version = await edit(OLGA, {"snoozed_until": ahead(), "snooze_reason": "at lunch"}, version)
    version = await edit(OLGA, {"snoozed_until": None}, version)
    with pytest.raises(Invalid):
        await edit(OLGA, {"state": "dropped"}, version)
    version = await edit(OLGA, {"state": "dropped", "closed_reason": "Wrong number"}, version)
    version = await edit(OLGA, {"state": "open"}, version)
    version = await edit(OLGA, {"owner_id": RUSLAN.user_id}, version)
    one = (await tasks(database))[1]
    assert (one["owner_id"], one["state"], one["note"], one["closed_reason"], one["version"]) == (
        RUSLAN.user_id, "open", "Prefers mornings", None, version,
    )  # fmt: skip
    with pytest.raises(Conflict):
        await edit(OLGA, {"owner_id": None}, version)


def test_a_moment_survives_being_kept() -> None:
    at = datetime(2026, 11, 21, 12, 30, 5, 123456, tzinfo=UTC)
    assert acts._read("snoozed_until", acts._told(at)) == at
    assert acts._read("snooze_reason", acts._told("at lunch")) == "at lunch"
