"""Reading tasks: the board, lists by urgency, one task with its tries."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from callcrm.calls import service as calls
from callcrm.clients import editing
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Writer
from callcrm.tasks import queries, service
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks
from callcrm.tasks.queries import TaskFilters
from tests.calls import making
from tests.calls.making import T0, answered_life, missed_life, outbound_life
from tests.people import ADAM, OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
SALES = ["sales"]
NUMBERS = ("79160000001", "79160000002", "79160000003", "79160000004")


def at(after: float) -> datetime:
    return datetime.fromtimestamp(T0 + after, UTC)


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def record(writer: Writer, *lives: Any) -> None:
    for life in lives:
        await do(writer, calls.record, life, PEOPLE, after=[Callbacks(Rules()).follow])


async def a_board(writer: Writer) -> None:
    """Four callers wait: two of sales, one whom Olga took, one of support; a fifth got through."""
    await record(
        writer,
        missed_life("b", T0 + 600, client=NUMBERS[1]),
        missed_life("a", T0, client=NUMBERS[0], why="busy"),
        missed_life("c", T0 + 1200, client=NUMBERS[2]),
        missed_life("d", T0 + 1800, client=NUMBERS[3], queue="support"),
        missed_life("e", T0 + 10, client="79160000005"),
        answered_life("f", T0 + 100, client="79160000005"),
    )
    await do(writer, service.claim, OLGA, 3, 1, queues=SALES)


async def test_the_board_shows_who_holds_what_most_urgent_first(writer: Writer, database: Database) -> None:
    await a_board(writer)
    async with database.read() as db:
        olgas = await queries.board(db, OLGA, queues=SALES)
        ruslans = await queries.board(db, RUSLAN, queues=["sales", "support"])
        all_of_it = await queries.board(db, VERA)
    assert [[t.call_id for t in part] for part in (olgas.mine, olgas.nobodys, olgas.others)] == [["c"], ["a", "b"], []]
    assert [[t.call_id for t in part] for part in (ruslans.mine, ruslans.nobodys, ruslans.others)] == [
        [], ["a", "b", "d"], ["c"],
    ]  # fmt: skip
    assert [[t.call_id for t in part] for part in (all_of_it.nobodys, all_of_it.others)] == [["a", "b", "d"], ["c"]]


async def test_a_line_says_what_the_board_shows(writer: Writer, database: Database) -> None:
    acme = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    await do(writer, editing.add_client, OLGA, {"name": "Ann", "organisation_id": acme}, ["+79161234567"])
    await record(
        writer,
        answered_life("earlier", T0 - 9000),
        missed_life("one", T0, why="busy", voicemail="101"),
        missed_life("two", T0 + 100),
        outbound_life("vain", T0 + 200, answered=False, by="102"),
    )
    async with database.read() as db:
        (line,) = (await queries.task_list(db, OLGA)).items
        whole = await queries.whole_task(db, OLGA, line.id)
    assert (line.client_name, line.organisation, line.number, line.line) == (
        "Ann", "Acme", "+79161234567", "+74950000001",
    )  # fmt: skip
    assert (line.owner_name, line.owner_why, line.attempts, line.last_attempt_at) == (
        "Olga Bondar", "last_operator", 2, at(100),
    )  # fmt: skip
    assert (line.outcome, line.why, line.waited_s, line.voicemail) == ("missed", "busy", 20, "101")
    assert (line.called, line.called_at, line.called_result) == (1, at(200), "no answer")
    assert [(a.call_id, a.kind, a.result, a.person) for a in whole.attempts] == [
        ("one", "missed", "busy", ""),
        ("two", "missed", "missed", ""),
        ("vain", "called", "no answer", "Ruslan Tkach"),
    ]


async def test_what_waits_for_one_is_his_own_and_nobodys_of_his_queues(writer: Writer, database: Database) -> None:
    await a_board(writer)
    async with database.read() as db:
        all_of_it = await queries.count_waiting(db, ADAM)
        olgas = await queries.count_waiting(db, OLGA, queues=SALES)
        without_queue = await queries.count_waiting(db, OLGA, queues=["none"])
        ruslans = [await queries.count_waiting(db, RUSLAN, queues=queues) for queues in (SALES, ["none"])]
    assert (all_of_it, olgas, without_queue, ruslans) == (3, 3, 1, [2, 0])


async def test_own_tasks_are_counted_up_to_a_bound_and_never_a_colleagues(writer: Writer, database: Database) -> None:
    await a_board(writer)
    for n in range(3):
        await do(writer, service.add_task, OLGA, {"title": f"Task {n}"})
    async with database.read() as db:
        counts = [await queries.count_own(db, actor, 2) for actor in (OLGA, RUSLAN, VERA)]
        listed = await queries.task_list(db, OLGA, TaskFilters(owner=OLGA.user_id, kind="task"))
        assert (counts, await queries.count_own(db, OLGA, 99), len(listed.items)) == ([2, 0, 0], 3, 3)


async def test_what_was_put_off_is_away_until_then(writer: Writer, database: Database) -> None:
    await a_board(writer)
    await do(writer, service.edit_task, OLGA, 3, {"snoozed_until": at(9000)}, 2)
    async with database.read() as db:
        before = await queries.board(db, OLGA, queues=SALES, now=at(8000))
        after = await queries.board(db, OLGA, queues=SALES, now=at(9000))
    assert ([t.call_id for t in before.mine], [t.call_id for t in after.mine]) == ([], ["c"])


FILTERS = [
    (TaskFilters(), "abcd"),
    (TaskFilters(kind="callback"), "abcd"),
    (TaskFilters(kind="mail"), ""),
    (TaskFilters(owner=OLGA.user_id), "c"),
    (TaskFilters(nobodys=True), "abd"),
    (TaskFilters(queue="support"), "d"),
    (TaskFilters(number="+79160000002"), "b"),
    (TaskFilters(due_before=at(20 + 1800 + 1)), "a"),
    (TaskFilters(state="done"), "e"),
    (TaskFilters(state="done", closed_by_itself=True), "e"),
    (TaskFilters(state=None), "aebcd"),
    (TaskFilters(client=1), "b"),
]


async def test_filters(writer: Writer, database: Database) -> None:
    await a_board(writer)
    told = []
    async with database.read() as db:
        for filters, _ in FILTERS:
            lines = (await queries.task_list(db, ADAM, filters)).items
            told.append((filters, "".join(line.call_id or "" for line in lines)))
    assert told == FILTERS


async def test_pages_follow_each_other(writer: Writer, database: Database) -> None:
    await a_board(writer)
    await do(writer, service.add_task, ADAM, {"title": "No hurry"})
    for number in range(3):
        await do(writer, service.add_task, ADAM, {"title": f"Done {number}"})
        await do(writer, service.close, ADAM, 7 + number, 1)
    for state, count in (("open", 5), ("done", 4)):
        seen: list[int] = []
        cursor = ""
        for _ in range(9):
            async with database.read() as db:
                page = await queries.task_list(db, ADAM, TaskFilters(state=state), Wanted(2, cursor))
            seen += [line.id for line in page.items]
            if page.next is None:
                break
            cursor = page.next
        assert len(seen) == len(set(seen)) == count


async def test_what_is_open_with_a_client(writer: Writer, database: Database) -> None:
    await a_board(writer)
    await do(writer, service.add_task, ADAM, {"title": "Send the quote", "client_id": 1})
    async with database.read() as db:
        by_card = await queries.open_tasks(db, ADAM, client_id=1)
        by_number = await queries.open_tasks(db, ADAM, number="+79160000001")
        neither = await queries.open_tasks(db, ADAM)
        not_his = await queries.open_tasks(db, RUSLAN, client_id=1)
    assert [task.kind for task in by_card] == ["callback", "task"]
    assert ([task.call_id for task in by_number], neither, not_his) == (["a"], [], [])


async def test_numbers_are_masked_and_foreign_tasks_not_there(writer: Writer, database: Database) -> None:
    await a_board(writer)
    masked = replace(VERA, masked=True)
    async with database.read() as db:
        lines = (await queries.task_list(db, masked)).items
        with pytest.raises(NotFound):
            await queries.whole_task(db, RUSLAN, 3, queues=["support"])
        with pytest.raises(Invalid):
            await queries.task_list(db, masked, TaskFilters(state="lost"))
    assert "7916000000" not in repr(lines)
