"""Reading the call log: what each role sees, filters, pages, one call whole."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, update

from callcrm.accounts.policy import Actor
from callcrm.calls import notes, queries, service
from callcrm.calls.call import Change, Sound, Transfer
from callcrm.calls.log import CallLine, Filters
from callcrm.calls.tables import CallRow
from callcrm.clients import editing
from callcrm.clients.tables import Client
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted
from callcrm.kernel.prepared import driver_of
from callcrm.kernel.sqlite import QuickConnection
from callcrm.kernel.writer import Writer
from tests.calls import making
from tests.calls.making import T0, answered_life, missed_life, outbound_life
from tests.people import ADAM, OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
MASKED = replace(VERA, masked=True)


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def record(writer: Writer, *lives: list[Change]) -> None:
    for life in lives:
        await do(writer, service.record, life, PEOPLE)


async def log(database: Database, actor: Actor, wanted: Wanted | None = None, **filters: Any) -> Page[CallLine]:
    async with database.read() as db:
        return await queries.call_log(db, actor, Filters(**filters), wanted)


async def ids(database: Database, actor: Actor, **filters: Any) -> list[str]:
    return [line.id for line in (await log(database, actor, **filters)).items]


def at(after: float) -> datetime:
    return datetime.fromtimestamp(T0 + after, UTC)


async def a_day(writer: Writer) -> None:
    """Four calls: Olga answered, nobody answered, Ruslan called out, Ruslan talks now."""
    await record(
        writer,
        answered_life("a", T0, others=()),
        missed_life("b", T0 + 100, client="79261112233"),
        outbound_life("c", T0 + 200, to="+380443382014", by="102"),
        answered_life("d", T0 + 300, by="102", others=(), client="79261112233", queue="support")[:-1],
    )


async def test_a_line_says_what_a_list_shows(writer: Writer, database: Database) -> None:
    acme = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    typed = {"name": "Ann Lee", "organisation_id": acme}
    ann = await do(writer, editing.add_client, OLGA, typed, ["+79161234567"])
    await record(writer, answered_life("a", name="ANN", recordings=(Sound("a.wav"),)))
    (line,) = (await log(database, VERA)).items
    assert (line.client_name, line.said_name, line.organisation, line.client_id) == ("Ann Lee", "ANN", "Acme", ann)
    assert (line.client_number, line.called, line.queue) == ("+79161234567", "+74950000001", "sales")
    assert (line.operator_id, line.operator_name, line.answered_by) == (OLGA.user_id, "Olga Bondar", ["101"])
    assert [(p.extension, p.person, p.rang, p.answered) for p in line.parts] == [
        ("101", "Olga Bondar", True, True),
        ("102", "Ruslan Tkach", True, False),
    ]
    assert [(r.n, r.file, r.state) for r in line.recordings] == [(0, "a.wav", "writing")]
    assert line.match["step"] == "exact"


async def test_everybody_sees_what_his_role_reaches(writer: Writer, database: Database) -> None:
    await a_day(writer)
    assert await ids(database, ADAM) == ["d", "c", "b", "a"]
    assert await ids(database, VERA) == ["d", "c", "b", "a"]
    assert await ids(database, OLGA) == ["b", "a"]
    assert await ids(database, RUSLAN) == ["d", "c", "b"]
    assert await ids(database, replace(VERA, team="north")) == ["b", "a"]


async def test_the_clients_owner_sees_his_clients_calls(writer: Writer, database: Database) -> None:
    await a_day(writer)
    await writer.do(lambda u: u.db.execute(update(Client).values(owner_id=OLGA.user_id)), name="test")
    assert await ids(database, OLGA) == ["d", "c", "b", "a"]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"since": at(100), "until": at(300)}, "cb"),
    ({"direction": "inbound"}, "dba"),
    ({"direction": "outbound"}, "c"),
    ({"missed": True}, "b"),
    ({"missed": False}, "dca"),
    ({"number": "+79261112233"}, "db"),
    ({"operator": RUSLAN.user_id}, "dcb"),
    ({"operator": OLGA.user_id, "missed": False}, "a"),
    ({"extension": "101"}, "ba"),
    ({"queue": "support"}, "d"),
    ({"pbx": "office"}, "dcba"),
    ({"pbx": "other"}, ""),
    ({"live": True}, "d"),
    ({"live": False}, "cba"),
    ({"owed": True}, ""),
    ({"unlinked": True}, ""),
    ({"unsaid": True}, "dca"),
    ({"transferred": True}, ""),
    ({"held_s": 1.0}, ""),
]


async def test_filters(writer: Writer, database: Database) -> None:
    await a_day(writer)
    told = [(filters, "".join(await ids(database, ADAM, **filters))) for filters, _ in FILTERS]
    assert told == FILTERS


async def test_saved_filters_find_what_needs_somebody(writer: Writer, database: Database) -> None:
    handed = (Transfer("blind", "101", "102", True),)
    await record(
        writer,
        missed_life("owed", T0),
        answered_life("handed", T0 + 100, client="79261112233", transfers=handed, hold_s=90.0),
        missed_life("hidden", T0 + 200, client=None),
    )
    await do(writer, notes.set_disposition, ADAM, "handed", "Resolved")
    assert await ids(database, ADAM, owed=True) == ["hidden", "owed"]
    assert await ids(database, ADAM, unlinked=True) == ["hidden"]
    assert await ids(database, ADAM, unsaid=True) == []
    assert await ids(database, ADAM, transferred=True) == ["handed"]
    assert await ids(database, ADAM, held_s=60.0) == ["handed"]
    assert await ids(database, ADAM, client=1) == ["owed"]


async def test_pages_follow_each_other_without_gap_or_repetition(writer: Writer, database: Database) -> None:
    """Also where many calls began in the same moment."""
    lives = [missed_life(f"{n:02}", T0 + n // 4) for n in range(11)]
    await record(writer, *lives)
    seen: list[str] = []
    cursor = ""
    for _ in range(6):
        one = await log(database, ADAM, Wanted(3, cursor))
        seen += [line.id for line in one.items]
        if one.next is None:
            break
        cursor = one.next
    assert seen == [f"{n:02}" for n in reversed(range(11))]


@pytest.mark.parametrize(("limit", "rows"), [(0, 1), (-5, 1), (2, 2), (10_000, 3)])
async def test_the_size_of_a_page_is_bounded(writer: Writer, database: Database, limit: int, rows: int) -> None:
    await record(writer, *(missed_life(f"{n}", T0 + n) for n in range(3)))
    assert len((await log(database, ADAM, Wanted(limit))).items) == rows
    assert Wanted(10_000).rows == 201


@pytest.mark.parametrize("cursor", ["nonsense", "é", "W10", "WzEsMl0", "bnVsbA", "WyIyMDI2LTAxLTAxIiwiYSJd", "=" * 9])
async def test_a_cursor_of_somebody_elses_making_is_told(database: Database, cursor: str) -> None:
    with pytest.raises(Invalid):
        await log(database, ADAM, Wanted(3, cursor))


async def test_filters_that_make_no_sense_are_told(database: Database) -> None:
    with pytest.raises(Invalid):
        await log(database, ADAM, direction="sideways")
    with pytest.raises(Invalid):
        await log(database, ADAM, since=datetime(2026, 1, 1))


async def test_one_call_whole(writer: Writer, database: Database) -> None:
    await record(writer, answered_life("a"))
    await do(writer, notes.note, OLGA, "a", "Wants two")
    async with database.read() as db:
        whole = await queries.whole_call(db, RUSLAN, "a")
        seen = await queries.written(db, RUSLAN, "a")
        with pytest.raises(NotFound):
            await queries.written(db, RUSLAN, "b")
    assert [(leg.n, leg.side, leg.who, leg.person) for leg in whole.legs] == [
        (0, "trunk", "79161234567", ""),
        (1, "operator", "101", "Olga Bondar"),
        (2, "operator", "102", "Ruslan Tkach"),
    ]
    assert [(note.person, note.text, note.version) for note in whole.notes] == [("Olga Bondar", "Wants two", 1)]
    assert [(note.user_id, note.text) for note in seen.notes] == [(OLGA.user_id, "Wants two")]


async def test_a_call_that_is_not_yours_is_not_there(writer: Writer, database: Database) -> None:
    await record(writer, answered_life("a", others=()))
    async with database.read() as db:
        with pytest.raises(NotFound):
            await queries.whole_call(db, RUSLAN, "a")
        with pytest.raises(NotFound):
            await queries.whole_call(db, ADAM, "b")


async def test_numbers_are_masked_everywhere_for_who_may_not_see_them(writer: Writer, database: Database) -> None:
    await record(writer, answered_life("a", recordings=(Sound("in-79161234567.wav"),)))
    await record(writer, outbound_life("b", T0 + 100, to="+380443382014"))
    (out, line) = (await log(database, MASKED)).items
    async with database.read() as db:
        whole = await queries.whole_call(db, MASKED, "a")
    told = repr((line, out, whole))
    for digits in ("79161234567", "380443382014"):
        assert digits not in told
    assert line.client_number == "+791••••••67"
    assert line.called == "+74950000001"


async def test_a_clients_last_calls_newest_first(writer: Writer, database: Database) -> None:
    await record(writer, *(answered_life(f"{n}", T0 + n * 100) for n in range(4)))
    async with database.read() as db:
        last = await queries.last_calls(db, ADAM, 1, 2, but="3")
    assert [line.id for line in last] == ["2", "1"]


async def test_a_page_costs_three_statements_however_long_it_is(writer: Writer, database: Database) -> None:
    lives = [answered_life(f"{n}", T0 + n * 60, client=f"7916{n:07d}")[-1] for n in range(60)]
    await do(writer, service.record, lives, PEOPLE)
    said: list[str] = []
    async with database.read() as db:
        raw = driver_of(db)
        if isinstance(raw, QuickConnection):
            # What is prepared goes past SQLAlchemy.
            raw._conn.set_trace_callback(said.append)
        else:
            event.listen(db.sync_connection, "before_cursor_execute", lambda *told: said.append(told[2]))
        one = await queries.call_log(db, OLGA, Filters(), Wanted(50))
    assert len(one.items) == 50
    assert len([statement for statement in said if statement.startswith(("SELECT", "WITH"))]) == 3


async def test_an_organisations_calls_are_those_of_its_people_and_of_its_own_numbers(
    writer: Writer, database: Database
) -> None:
    firm = await do(writer, editing.add_organisation, VERA, {"name": "Acme"}, ["+74951112233"])
    await do(writer, editing.add_client, VERA, {"name": "Ann", "organisation_id": firm}, ["+79161112233"])
    await record(
        writer,
        missed_life("anns", T0, client="79161112233"),
        missed_life("firms", T0 + 100, client="74951112233"),
        missed_life("others", T0 + 200, client="79998887766"),
    )
    assert await ids(database, VERA, organisation=firm) == ["firms", "anns"]
    assert await ids(database, VERA, organisation=firm + 1) == []
    await do(writer, editing.add_number, VERA, "+79998887766", organisation_id=firm)
    assert await ids(database, VERA, organisation=firm) == ["others", "firms", "anns"]


async def test_calls_of_which_something_was_written_are_found(writer: Writer, database: Database) -> None:
    await a_day(writer)
    assert await ids(database, VERA, noted=True) == []
    await do(writer, lambda unit: unit.db.execute(update(CallRow).where(CallRow.id == "a").values(note_line="Tea")))
    assert await ids(database, VERA, noted=True) == ["a"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"transferred": True}, "ix_calls_transferred"),
        ({"held_s": 60.0}, "ix_calls_held"),
        ({"unlinked": True}, "ix_calls_unlinked"),
        ({"owed": True}, "ix_calls_missed_at (missed=? AND at>?)"),
        ({"unsaid": True}, "ix_calls_unsaid"),
    ],
)
async def test_a_rare_kind_of_call_is_found_by_an_index_of_its_own(
    database: Database, asked: dict[str, Any], index: str
) -> None:
    for actor in (
        (ADAM,) if asked.keys() & {"unsaid", "owed", "held_s"} else (ADAM, OLGA)
    ):  # of these many are one's own
        told: list[tuple[str, Any]] = []
        async with database.read() as db:
            event.listen(db.sync_connection, "before_cursor_execute", lambda *said: told.append((said[2], said[3])))  # noqa: B023
            await queries.call_log(db, actor, Filters(**asked))
            plan = (await db.exec_driver_sql("EXPLAIN QUERY PLAN " + told[0][0], told[0][1])).all()
        assert index in plan[0][3]
