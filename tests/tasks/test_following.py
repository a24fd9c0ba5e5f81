"""Callbacks follow the calls: opened once, added to, closed by themselves, whatever comes twice or late."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from callcrm.accounts.tables import User
from callcrm.calls import service
from callcrm.calls.call import Change
from callcrm.calls.reread import reread
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.calendar import working_hours
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from callcrm.tasks.tables import Task, TaskAttempt
from tests.calls import making
from tests.calls.making import T0, answered_life, facts, missed_life, outbound_life, rows
from tests.people import OLGA, RUSLAN, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
EVERY_DAY = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
CALLBACKS = Callbacks(Rules(30, working_hours(EVERY_DAY), 5.0, {"+74950000002": "support"}))
NIGHT = T0 + 10 * 3600


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def record(writer: Writer, *changes: Change) -> None:
    def work(unit: Unit) -> Any:
        return service.record(unit, changes, PEOPLE, after=[CALLBACKS.follow])

    await writer.do(work, name="test")


def moment(after: float) -> datetime:
    return datetime.fromtimestamp(T0 + after, UTC)


async def the_task(database: Database) -> dict[str, Any]:
    (task,) = await rows(database, Task)
    return task


async def test_a_missed_call_opens_one_callback(writer: Writer, database: Database) -> None:
    for change in missed_life():
        await record(writer, change)
    task = await the_task(database)
    assert (task["kind"], task["state"], task["number"], task["attempts"]) == ("callback", "open", "+79161234567", 1)
    assert (task["queue"], task["called"], task["pbx"], task["call_id"]) == ("sales", "+74950000001", "office", "c1")
    assert (task["owner_id"], task["owner_why"], task["short_abandon"]) == (None, "queue", False)
    assert (task["created_at"], task["due_at"]) == (moment(20), moment(20 + 1800))
    (client,) = await rows(database, Client)
    assert task["client_id"] == client["id"]
    told = [one for one in await facts(database) if one[0].startswith("task")]
    assert told == [("task.created", {"task": task["id"], "owner": None})]


async def test_a_call_after_hours_is_due_after_the_next_opening(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life(at=NIGHT, why="closed"))
    task = await the_task(database)
    assert task["due_at"] == datetime(2026, 11, 19, 9, 30, tzinfo=UTC)


async def test_a_further_missed_call_adds_an_attempt(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life("c1", T0, wait=2.0))
    await record(writer, *missed_life("c2", T0 + 100))
    await record(writer, *missed_life("c3", T0 + 200, wait=2.0))
    task = await the_task(database)
    assert (task["attempts"], task["last_attempt_at"], task["due_at"]) == (3, moment(200), moment(2 + 1800))
    assert (task["short_abandon"], task["version"]) == (False, 3)
    attempts = await rows(database, TaskAttempt)
    assert [(a["call_id"], a["kind"], a["result"]) for a in attempts] == [
        ("c1", "missed", "missed"), ("c2", "missed", "missed"), ("c3", "missed", "missed"),
    ]  # fmt: skip
    assert [kind for kind, _ in await facts(database) if kind.startswith("task")] == [
        "task.created", "task.changed", "task.changed",
    ]  # fmt: skip


@pytest.mark.parametrize(("why", "short"), [("ivr", True), (None, True), ("closed", False), ("busy", False)])
async def test_who_gives_up_at_once_is_marked(writer: Writer, database: Database, why: str | None, short: bool) -> None:
    await record(writer, *missed_life(wait=2.0, why=why))
    task = await the_task(database)
    assert (task["state"], task["short_abandon"]) == ("open", short)


async def test_an_answered_call_back_closes_it_and_says_so(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life())
    life = outbound_life("back", T0 + 600, by="102")
    await record(writer, *life[:-1])
    task = await the_task(database)
    assert (task["state"], task["closed_why"], task["closed_call_id"]) == ("done", "called_back", "back")
    assert (task["closed_by"], task["closed_at"]) == (RUSLAN.user_id, moment(605))
    attempt = (await rows(database, TaskAttempt))[-1]
    assert (attempt["kind"], attempt["result"], attempt["user_id"]) == ("called", "answered", RUSLAN.user_id)
    await record(writer, life[-1])
    assert len(await rows(database, Task)) == 1


async def test_a_caller_who_gets_through_closes_it_while_he_talks(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life())
    life = answered_life("c2", T0 + 60)
    await record(writer, *life[:3])
    ringing = await the_task(database)
    await record(writer, *life[3:5])
    task = await the_task(database)
    assert ringing["state"] == "open"
    assert (task["state"], task["closed_why"], task["closed_call_id"]) == ("done", "got_through", "c2")
    assert task["closed_by"] == OLGA.user_id


@pytest.mark.parametrize("outcome", ["no answer", "busy", "no such number"])
async def test_a_call_back_in_vain_is_an_attempt_with_its_result(
    writer: Writer, database: Database, outcome: str
) -> None:
    await record(writer, *missed_life())
    life = outbound_life("back", T0 + 600, answered=False)
    ended = replace(life[-1], call=replace(life[-1].call, outcome=outcome))
    await record(writer, life[0], ended)
    await record(writer, ended)
    task = await the_task(database)
    assert (task["state"], task["attempts"], task["version"]) == ("open", 1, 2)
    attempt = (await rows(database, TaskAttempt))[-1]
    assert (attempt["kind"], attempt["result"], attempt["user_id"]) == ("called", outcome, OLGA.user_id)


async def test_a_click_that_our_own_operator_did_not_answer_is_no_attempt(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life())
    life = outbound_life("back", T0 + 600, answered=False)
    await record(writer, replace(life[-1], call=replace(life[-1].call, outcome="operator did not pick up")))
    assert len(await rows(database, TaskAttempt)) == 1


@pytest.mark.parametrize("caller", [None, "anonymous", "101", "74950000001"])
async def test_who_cannot_be_called_back_gets_no_callback(
    writer: Writer, database: Database, caller: str | None
) -> None:
    await record(writer, *missed_life(client=caller))
    assert await rows(database, Task) == []


async def test_a_local_number_can_be_called_back(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life(client="1234567"))
    assert (await the_task(database))["number"] == "1234567"
    await record(writer, *outbound_life("back", T0 + 600, to="123-45-67"))
    assert (await the_task(database))["closed_why"] == "called_back"


async def test_the_clients_owner_calls_back(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life("earlier", T0 - 86400, by="102"))
    await writer.do(lambda u: u.db.execute(update(Client).values(owner_id=OLGA.user_id)), name="test")
    await record(writer, *missed_life())
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"]) == (OLGA.user_id, "client_owner")


async def test_the_owner_of_his_organisation_counts_as_his(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life("earlier", T0 - 86400, by="102"))

    async def owned(unit: Unit) -> None:
        row = {"name": "Acme", "owner_id": OLGA.user_id, "created_at": unit.now, "changed_at": unit.now}
        acme = (await unit.db.execute(insert(Organisation).returning(Organisation.id), row)).scalar_one()
        await unit.db.execute(update(Client).values(organisation_id=acme))

    await writer.do(owned, name="test")
    await record(writer, *missed_life())
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"]) == (OLGA.user_id, "client_owner")


async def test_else_who_talked_with_him_last(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life("first", T0 - 9000, by="101"))
    await record(writer, *outbound_life("then", T0 - 5000, by="102"))
    await record(writer, *outbound_life("vain", T0 - 1000, by="101", answered=False))
    await record(writer, *missed_life())
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"]) == (RUSLAN.user_id, "last_operator")


async def test_who_left_the_house_calls_nobody_back(writer: Writer, database: Database) -> None:
    await record(writer, *answered_life("first", T0 - 9000, by="101"))
    await record(writer, *answered_life("then", T0 - 5000, by="102"))
    gone = update(User).where(User.id == RUSLAN.user_id).values(active=False)
    await writer.do(lambda u: u.db.execute(gone), name="test")
    await record(writer, *missed_life())
    task = await the_task(database)
    assert (task["owner_id"], task["owner_why"]) == (OLGA.user_id, "last_operator")


async def test_who_was_not_let_in_belongs_to_the_queue_of_the_line(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life(called="74950000002", queue=None, why="offline"))
    task = await the_task(database)
    assert (task["queue"], task["owner_why"]) == ("support", "queue")


async def test_the_same_call_written_again_changes_nothing(writer: Writer, database: Database) -> None:
    lives = [missed_life(), outbound_life("vain", T0 + 300, answered=False), missed_life("c2", T0 + 400)]
    lives.append(answered_life("c3", T0 + 600))
    lives.append(missed_life("c4", T0 + 900))
    for life in lives:
        await record(writer, *life)
    before = (await rows(database, Task), await rows(database, TaskAttempt))
    for life in [*lives, *lives[::-1]]:
        await record(writer, *life)
    assert (await rows(database, Task), await rows(database, TaskAttempt)) == before
    assert [(t["state"], t["attempts"]) for t in before[0]] == [("done", 2), ("open", 1)]


async def test_a_missed_call_that_is_learned_late_owes_nothing_to_whom_we_talked_with_since(
    writer: Writer, database: Database
) -> None:
    await record(writer, *answered_life("c2", T0 + 60))
    await record(writer, *missed_life())
    assert await rows(database, Task) == []


async def test_a_talk_that_is_learned_late_does_not_settle_a_later_try(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life("c2", T0 + 600))
    await record(writer, *answered_life("c1", T0))
    assert (await the_task(database))["state"] == "open"


async def test_a_closed_callback_is_followed_by_a_new_one(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life())
    await record(writer, *answered_life("c2", T0 + 60))
    await record(writer, *missed_life("c3", T0 + 600))
    tasks = await rows(database, Task)
    assert [(t["state"], t["attempts"], t["call_id"]) for t in tasks] == [("done", 1, "c1"), ("open", 1, "c3")]


async def test_a_call_that_was_folded_takes_its_traces_along(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life("stray"))
    joined = replace(missed_life("main", T0 + 1)[-1], was=("stray",))
    await record(writer, joined)
    await record(writer, joined)
    task = await the_task(database)
    assert (task["call_id"], task["attempts"]) == ("main", 1)
    assert [a["call_id"] for a in await rows(database, TaskAttempt)] == ["main"]


async def test_two_processes_open_one_callback(database: Database) -> None:
    class Deaf:
        def publish(self, told: Sequence[Any]) -> None:
            """Nobody listens."""

    async with Writer(database, Deaf()) as one, Writer(database, Deaf()) as other:
        await asyncio.gather(*(record(w, *missed_life(f"{n}", T0 + n)) for n, w in enumerate([one, other] * 5)))
    task = await the_task(database)
    assert task["attempts"] == 10
    assert len(await rows(database, TaskAttempt)) == 10


#: The examples of one test share its database: each has calls and callers of its own.
TAGS = itertools.count(1)
KINDS = st.sampled_from(["missed", "answered", "called", "in vain"])
HISTORY = st.lists(st.tuples(KINDS, st.sampled_from(["79161234567", "79261112233"])), min_size=1, max_size=7)
MAKE = {
    "missed": missed_life,
    "answered": answered_life,
    "called": lambda key, at, client: outbound_life(key, at, to=client),
    "in vain": lambda key, at, client: outbound_life(key, at, to=client, answered=False),
}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORY, st.randoms(use_true_random=False))
async def test_in_any_order_a_callback_is_open_if_nobody_talked_with_him_since(
    writer: Writer, database: Database, history: list[tuple[str, str]], random: Any
) -> None:
    tag = next(TAGS)
    start = T0 + tag * 1000
    numbers = {number: f"{number[:4]}{tag:07d}" for _, number in history}
    lives = [
        MAKE[kind](f"{tag}-{n}", start + 100 * n, client=numbers[number]) for n, (kind, number) in enumerate(history)
    ]
    order = [life for life in lives for _ in range(random.choice([1, 1, 2]))]
    random.shuffle(order)
    for life in order:
        await record(writer, *life)
    tasks = [t for t in await rows(database, Task) if (t["call_id"] or "").startswith(f"{tag}-")]
    for number in numbers.values():
        told = [kind for (kind, whose) in history if numbers[whose] == number]
        last = next((kind for kind in reversed(told) if kind != "in vain"), "")
        state = [t["state"] for t in tasks if t["number"] == f"+{number}"]
        assert state.count("open") == (1 if last == "missed" else 0), (told, state)


async def test_the_promise_is_kept_from_the_first_try(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life("late", T0 + 500))
    due = (await the_task(database))["due_at"]
    await record(writer, *missed_life("early", T0))
    task = await the_task(database)
    assert (task["due_at"], task["last_attempt_at"]) == (due, moment(500))
    assert due - moment(520) == timedelta(minutes=30)


async def test_who_gave_up_while_nobody_listened_is_called_back(writer: Writer, database: Database) -> None:
    await record(writer, *missed_life()[:-1])
    ended = update(CallRow).values(state="ended", ended_at=moment(90), missed=True, outcome="missed")

    async def settle(unit: Unit) -> None:
        await unit.db.execute(ended)
        await CALLBACKS.follow(unit, await reread(unit, ["c1"], PEOPLE))

    await writer.do(settle, name="test")
    await writer.do(settle, name="test")
    task = await the_task(database)
    assert (task["number"], task["queue"], task["attempts"]) == ("+79161234567", "sales", 1)
    assert task["due_at"] == moment(90 + 1800)
