"""What people do with tasks: versioned, allowed or refused in words, undone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from callcrm.calls import service as calls
from callcrm.clients import editing
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer
from callcrm.tasks import service
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from callcrm.tasks.tables import Task
from tests.calls import making
from tests.calls.making import T0, facts, missed_life, outbound_life, rows
from tests.people import ADAM, OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
SALES = ["sales"]
TOMORROW = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def a_callback(writer: Writer, key: str = "c1", at: float = T0, **more: Any) -> None:
    await do(writer, calls.record, missed_life(key, at, **more), PEOPLE, after=[Callbacks(Rules()).follow])


async def the_task(database: Database) -> dict[str, Any]:
    (task,) = await rows(database, Task)
    return task


async def test_who_takes_a_callback_holds_it(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    version = await do(writer, service.claim, OLGA, 1, 1, queues=SALES)
    task = await the_task(database)
    assert (version, task["version"], task["owner_id"], task["owner_why"]) == (2, 2, OLGA.user_id, "claimed")
    with pytest.raises(Conflict) as error:
        await do(writer, service.claim, VERA, 1, 1)
    assert isinstance(error.value.current, dict)
    assert error.value.current["owner_id"] == OLGA.user_id
    with pytest.raises(Conflict):
        await do(writer, service.claim, RUSLAN, 1, 2, queues=SALES)
    assert ("task.changed", {"task": 1, "owner": OLGA.user_id}) in await facts(database)
    assert [(row["act"], row["what"]) for row in await rows(database, Audit)] == [("claim", "task")]


async def test_a_callback_of_another_queue_is_not_there(writer: Writer) -> None:
    await a_callback(writer)
    with pytest.raises(NotFound):
        await do(writer, service.claim, OLGA, 1, 1, queues=["support"])


async def test_a_supervisor_takes_and_gives(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    await do(writer, service.claim, OLGA, 1, 1, queues=SALES)
    await do(writer, service.claim, VERA, 1, 2)
    await do(writer, service.edit_task, VERA, 1, {"owner_id": RUSLAN.user_id}, 3)
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"]) == (RUSLAN.user_id, "assigned")
    with pytest.raises(Invalid):
        await do(writer, service.edit_task, VERA, 1, {"owner_id": 99}, 4)


async def test_an_operator_gives_back_and_does_not_give_away(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    await do(writer, service.claim, OLGA, 1, 1, queues=SALES)
    with pytest.raises(NotAllowed):
        await do(writer, service.edit_task, OLGA, 1, {"owner_id": RUSLAN.user_id}, 2)
    await do(writer, service.edit_task, OLGA, 1, {"owner_id": None}, 2)
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"], task["queue"]) == (None, "queue", "sales")


async def test_closed_by_hand_and_opened_again(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    await do(writer, service.close, OLGA, 1, 1, queues=SALES)
    closed = await the_task(database)
    await do(writer, service.reopen, OLGA, 1, 2, queues=SALES)
    task = await the_task(database)
    assert (closed["state"], closed["closed_why"], closed["closed_by"]) == ("done", "by_hand", OLGA.user_id)
    assert (task["state"], task["closed_why"], task["closed_by"], task["closed_at"]) == ("open", None, None, None)
    assert await do(writer, service.reopen, OLGA, 1, 3, queues=SALES) == 3


async def test_what_is_dropped_is_told_apart(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    await do(writer, service.close, OLGA, 1, 1, dropped=True, queues=SALES)
    assert (await the_task(database))["state"] == "dropped"
    with pytest.raises(Conflict):
        await do(writer, service.claim, OLGA, 1, 2, queues=SALES)


async def test_a_closed_callback_stays_closed_when_the_caller_has_a_newer_one(writer: Writer) -> None:
    await a_callback(writer)
    await do(writer, service.close, OLGA, 1, 1, queues=SALES)
    await a_callback(writer, "c2", T0 + 600)
    for act in (
        do(writer, service.reopen, OLGA, 1, 2, queues=SALES),
        do(writer, service.edit_task, OLGA, 1, {"state": "open"}, 2, queues=SALES),
    ):
        with pytest.raises(Conflict) as error:
            await act
        assert error.value.current == 2


async def test_putting_off_keeps_the_promise(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    before = await the_task(database)
    await do(writer, service.edit_task, OLGA, 1, {"snoozed_until": TOMORROW}, 1, queues=SALES)
    task = await the_task(database)
    assert (task["snoozed_until"], task["due_at"]) == (TOMORROW, before["due_at"])
    await do(writer, service.edit_task, OLGA, 1, {"snoozed_until": None}, 2, queues=SALES)
    assert (await the_task(database))["snoozed_until"] is None


async def test_a_callback_that_was_agreed_on_the_telephone(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"}, ["+79161234567"])
    typed = {
        "kind": "callback",
        "number": "8 916 123-45-67",
        "due_at": TOMORROW,
        "note": "Wants a quote",
        "queue": "sales",
    }
    task_id = await do(writer, service.add_task, OLGA, typed, country="RU")
    task = await the_task(database)
    assert (task["id"], task["number"], task["client_id"], task["due_at"]) == (task_id, "+79161234567", ann, TOMORROW)
    assert (task["owner_id"], task["owner_why"], task["created_by"], task["attempts"]) == (
        OLGA.user_id, "claimed", OLGA.user_id, 0,
    )  # fmt: skip
    with pytest.raises(Conflict) as error:
        await do(writer, service.add_task, RUSLAN, typed, country="RU")
    assert error.value.current == task_id
    await a_callback(writer)
    assert [(t["id"], t["attempts"], t["due_at"]) for t in await rows(database, Task)] == [(task_id, 1, TOMORROW)]
    life = outbound_life("back", T0 + 600)
    await do(writer, calls.record, life, PEOPLE, after=[Callbacks(Rules()).follow])
    assert (await the_task(database))["closed_why"] == "called_back"


async def test_a_task_of_any_kind(writer: Writer, database: Database) -> None:
    typed = {"title": " Send the quote ", "owner_id": RUSLAN.user_id}
    with pytest.raises(NotAllowed):
        await do(writer, service.add_task, OLGA, typed)
    await do(writer, service.add_task, VERA, typed | {"kind": "mail"})
    task = await the_task(database)
    assert (task["kind"], task["title"], task["owner_why"]) == ("mail", "Send the quote", "assigned")
    assert (await facts(database))[-1] == ("task.created", {"task": task["id"], "owner": RUSLAN.user_id})
    assert await do(writer, service.edit_task, RUSLAN, task["id"], {"title": "Send it", "state": "done"}, 1) == 2
    assert await do(writer, service.edit_task, RUSLAN, task["id"], {"title": "Send it"}, 2) == 2


NO_TASKS: list[dict[str, Any]] = [
    {},
    {"kind": "<script>", "title": "x"},
    {"kind": "callback"},
    {"kind": "callback", "number": "anonymous"},
    {"kind": "callback", "number": "101"},
    {"title": "x" * 201},
    {"title": "x", "note": "x" * 20_001},
    {"title": "x", "due_at": "tomorrow"},
    {"title": "x", "due_at": datetime(2026, 1, 1)},
    {"title": "x", "client_id": 99},
    {"title": "x", "client_id": "1"},
    {"title": "x", "owner_id": 99},
    {"title": "x", "owner_id": "olga"},
]


async def test_a_task_that_makes_no_sense_is_refused(writer: Writer, database: Database) -> None:
    for typed in NO_TASKS:
        with pytest.raises(Invalid):
            await do(writer, service.add_task, ADAM, typed, country="RU")
    assert await rows(database, Task) == []


NO_CHANGES: list[dict[str, Any]] = [
    {"state": "lost"},
    {"number": "+79161234567"},
    {"version": 9},
    {"due_at": "now"},
    {"title": "x" * 201},
]


async def test_a_change_that_makes_no_sense_is_refused(writer: Writer, database: Database) -> None:
    await a_callback(writer)
    for typed in NO_CHANGES:
        with pytest.raises(Invalid):
            await do(writer, service.edit_task, ADAM, 1, typed, 1)
    assert (await the_task(database))["version"] == 1
