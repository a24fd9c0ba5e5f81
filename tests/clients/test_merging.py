"""Two cards become one and two again: everything goes over, and everything comes back as it was."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from callcrm.calls.tables import CallRow
from callcrm.clients import (
    closing,
    consents,
    definitions,
    duplicates,
    editing,
    kinds,
    merging,
    notes,
    service,
    trail,
)
from callcrm.clients.queries import card, organisation_card, organisation_list
from callcrm.clients.tables import (
    CardNote,
    Client,
    ClientMail,
    ClientNumber,
    Consent,
    CustomField,
    Merge,
    NumberChoice,
    Organisation,
)
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.schema import Base
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks import service as tasks
from callcrm.tasks.tables import Task
from tests.calls.making import rows
from tests.people import ADAM, OLGA, VERA, hire

#: What a merge leaves behind by right: its own row, the trail, the audit and what was told.
TOLD = {"merges", "organisation_merges", "card_changes", "audit", "facts", "streams", "alembic_version", "users"}
HELD = (CallRow, Task, Consent, CardNote, NumberChoice, ClientMail, ClientNumber)


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def picture(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but those that only tell, without versions: these only grow."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with database.read() as db:
        for table in Base.metadata.sorted_tables:
            if table.name not in TOLD:
                lines = (await db.execute(select(table).order_by(*table.primary_key.columns))).mappings().all()
                found[table.name] = [{name: value for name, value in row.items() if name != "version"} for row in lines]
    return found


async def call(unit: Unit, key: str, client: int) -> None:
    row = {"began": unit.now, "id": key, "pbx": "office", "uniqueid": key, "direction": "inbound", "at": unit.now}
    await unit.db.execute(insert(CallRow), row | {"client_id": client, "state": "ended", "ended_at": unit.now})


async def filled(unit: Unit, one: int, n: int, prefix: str) -> None:
    """Calls, tasks, a note and a consent of one card."""
    for k in range(n):
        await call(unit, f"{prefix}{k}", one)
    await tasks.add_task(unit, OLGA, {"title": f"{prefix} task", "client_id": one})
    await notes.add(unit, OLGA, f"{prefix} note", client_id=one)
    await consents.give(unit, OLGA, one, {"purpose": "Offers", "how": "by phone"}, ["Offers"])


async def two(writer: Writer) -> tuple[int, int]:
    """Two cards of one person, each with something of everything."""
    firm = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    marina = {"name": "Marina", "emails": ["m@acme.example", "x@acme.example"], "tags": ["VIP"], "note": "Likes tea"}
    kept = await do(writer, editing.add_client, OLGA, marina | {"organisation_id": firm}, ["+79161234567"])
    other = {
        "name": "M. Kovalenko",
        "emails": ["M@acme.example", "home@x.example"],
        "job": "Buyer",
        "note": "Calls late",
    }
    other |= {"tags": ["VIP", "Solar"], "addresses": ["Main street 5"], "do_not_call": True, "birthday": "1990-05-12"}
    gone = await do(writer, editing.add_client, OLGA, other, ["+79161234567", "+380674128805"])
    await do(writer, filled, kept, 1, "kept")
    await do(writer, filled, gone, 2, "gone")
    return kept, gone


async def versions(database: Database, *ids: int) -> tuple[int, ...]:
    found = {row["id"]: row["version"] for row in await rows(database, Client)}
    return tuple(found[one] for one in ids)


async def merge(
    writer: Writer, database: Database, kept: int, gone: int, sides: Mapping[str, str] | None = None
) -> str:
    both = await versions(database, kept, gone)
    merge_id: str = await do(writer, merging.merge, VERA, kept, gone, versions=both, sides=sides)
    return merge_id


async def test_everything_of_the_other_card_goes_over(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    await merge(writer, database, kept, gone, {"note": "both", "name": "kept"})
    async with database.read() as db:
        found = await card(db, VERA, kept)
    assert (found.client.name, found.client.job, found.birthday) == ("Marina", "Buyer", "1990-05-12")
    assert found.emails == ("m@acme.example", "x@acme.example", "home@x.example")
    assert [number.number for number in found.client.numbers] == ["+79161234567", "+380674128805"]
    assert (found.client.tags, found.addresses, found.client.do_not_call) == (["VIP", "Solar"], ["Main street 5"], True)
    assert found.note == "Likes tea\n\nCalls late"
    for table in (CallRow, Task, CardNote, Consent):
        assert {row["client_id"] for row in await rows(database, table)} == {kept}, table
    (closed,) = [row for row in await rows(database, Client) if row["id"] == gone]
    assert (closed["merged_into"], closed["deleted_at"] is not None) == (kept, True)
    assert "home@x.example" in {row["search"] for row in await rows(database, Client) if row["id"] == kept}.pop()


async def test_undone_everything_is_as_it_was_before(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    before = await picture(database)
    counted = await versions(database, kept, gone)
    merge_id = await merge(writer, database, kept, gone, {"name": "gone", "note": "gone"})
    assert await picture(database) != before
    assert await do(writer, merging.undo, VERA, merge_id) == (kept, gone)
    assert await picture(database) == before
    assert all(now > then for now, then in zip(await versions(database, kept, gone), counted, strict=True))
    with pytest.raises(NotFound, match="undone already"):
        await do(writer, merging.undo, VERA, merge_id)


async def test_what_happened_since_the_merge_stays_when_it_is_undone(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    merge_id = await merge(writer, database, kept, gone)
    (version,) = await versions(database, kept)
    await do(writer, editing.edit_client, OLGA, kept, {"job": "Director"}, version)
    await do(writer, call, "later", kept)
    third = await do(writer, editing.add_client, OLGA, {"name": "Third"})
    await do(writer, lambda unit: unit.db.execute(update(CallRow).where(CallRow.id == "gone0").values(client_id=third)))
    await do(writer, merging.undo, VERA, merge_id)
    cards = {row["id"]: row for row in await rows(database, Client)}
    assert (cards[kept]["job"], cards[kept]["birthday"], cards[gone]["job"]) == ("Director", "", "Buyer")
    calls = {row["id"]: row["client_id"] for row in await rows(database, CallRow)}
    assert calls == {"kept0": kept, "gone0": third, "gone1": gone, "later": kept}


async def test_a_merge_is_told_on_both_trails_and_can_be_found(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    merge_id = await merge(writer, database, kept, gone)
    async with database.read() as db:
        told = (await trail.changes(db, VERA, "client", kept)).items
        other = (await trail.changes(db, VERA, "client", gone)).items
        now = (await db.scalar(select(Merge.at))) + timedelta(days=1)
        open_ = await merging.last(db, VERA, gone, now)
        late = await merging.last(db, VERA, gone, now + timedelta(days=merging.UNDO_DAYS))
    assert {line.field for line in told} >= {"merge", "job", "tags"}
    assert [line.new for line in told if line.field == "merge"] == [{"client": gone, "id": merge_id}]
    assert other[0].new == {"merged_into": kept}
    assert open_ is not None and (open_.id, open_.kept_id) == (merge_id, kept)
    assert late is None


async def test_an_old_merge_stays(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    merge_id = await merge(writer, database, kept, gone)

    async def age(unit: Unit) -> None:
        old = unit.now - timedelta(days=merging.UNDO_DAYS, minutes=1)
        await unit.db.execute(update(Merge).where(Merge.id == merge_id).values(at=old))

    await do(writer, age)
    with pytest.raises(NotFound, match="30 days"):
        await do(writer, merging.undo, VERA, merge_id)


async def test_a_merge_into_a_card_that_was_merged_on_waits_for_that_one(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    before = await picture(database)
    first = await merge(writer, database, kept, gone)
    third = await do(writer, editing.add_client, OLGA, {"name": "Third"})
    second = await merge(writer, database, third, kept)
    with pytest.raises(Conflict, match="bring that one back first"):
        await do(writer, merging.undo, VERA, first)
    await do(writer, merging.undo, VERA, second)
    await do(writer, merging.undo, VERA, first)
    await do(writer, lambda unit: unit.db.execute(delete(Client).where(Client.id == third)))
    assert await picture(database) == before


async def test_cards_that_changed_since_the_preview_are_compared_again(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    both = await versions(database, kept, gone)
    await do(writer, editing.edit_client, OLGA, gone, {"job": "Chief"}, both[1])
    with pytest.raises(Conflict, match="compare them again"):
        await do(writer, merging.merge, VERA, kept, gone, versions=both)
    assert await rows(database, Merge) == []


async def test_who_may_not_delete_clients_may_not_merge_them(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    both = await versions(database, kept, gone)
    with pytest.raises(NotAllowed):
        await do(writer, merging.merge, OLGA, kept, gone, versions=both)
    with pytest.raises(NotAllowed):
        await do(writer, merging.undo, OLGA, "x")
    with pytest.raises(Invalid, match="itself"):
        await do(writer, merging.merge, VERA, kept, kept, versions=both)
    with pytest.raises(Invalid, match="one of the two"):
        await do(writer, merging.merge, VERA, kept, gone, versions=both, sides={"name": "neither"})


async def test_the_preview_says_what_differs_and_how_much_goes_over(writer: Writer, database: Database) -> None:
    kept, gone = await two(writer)
    async with database.read() as db:
        found = await merging.preview(db, VERA, kept, gone)
    proposed = {one.field: one.side for one in found.differences}
    assert proposed["name"] == "kept" and proposed["job"] == "gone" and proposed["do_not_call"] == "gone"
    assert (found.rows["calls"], found.rows["tasks"], found.rows["card_notes"]) == (2, 1, 1)
    assert (found.rows["client_numbers"], found.rows["client_mails"]) == (1, 1)


async def test_every_table_that_names_a_client_is_handed_over(writer: Writer, database: Database) -> None:
    """A table that somebody adds later is handed over, too, unless it names clients by another column."""
    named = {table.name for table in Base.metadata.sorted_tables if "client_id" in table.c}
    assert {table.__tablename__ for table in HELD} <= named
    async with database.read() as db:
        counted = set(await merging.handing.counts(db, 1, 2))
    assert counted == named


@st.composite
def cards(draw: st.DrawFn) -> dict[str, Any]:
    """A card with anything in it."""
    word = st.sampled_from(["", "Ann", "Анна", "x" * 50, "<b>", "Éve"])
    mails = st.lists(st.sampled_from(["a@x.example", "A@x.example", "b@x.example", "c@y.example"]), max_size=3)
    return {
        "typed": {
            "name": draw(st.sampled_from(["Ann", "Anna", "Bob"])),
            "job": draw(word),
            "note": draw(st.sampled_from(["", "one", "two\nlines"])),
            "tags": draw(st.lists(st.sampled_from(["VIP", "Solar", "Dealer"]), max_size=3)),
            "addresses": draw(st.lists(st.sampled_from(["Street 1", "Street 2"]), max_size=2)),
            "emails": draw(mails),
            "do_not_call": draw(st.booleans()),
            "birthday": draw(st.sampled_from(["", "1990-05-12"])),
            "language": draw(st.sampled_from(["", "uk", "en"])),
            "custom": {
                "size": draw(st.sampled_from(["", "3", "12.5"])),
                "agreed": draw(st.sampled_from(["", "yes", "no"])),
            },
        },
        "numbers": draw(st.lists(st.sampled_from(["+79161234567", "+79161234568", "+442079460958"]), max_size=3)),
        "calls": draw(st.integers(0, 3)),
        "tasks": draw(st.integers(0, 2)),
    }


SIDES = st.dictionaries(
    st.sampled_from(["name", "job", "note", "do_not_call", "birthday", "language", "custom.size", "custom.agreed"]),
    st.sampled_from(["kept", "gone"]),
)


async def emptied(unit: Unit) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in ("users", "streams", "custom_fields"):
            await unit.db.execute(delete(table))


async def opened(unit: Unit, one: Mapping[str, Any], prefix: str) -> int:
    client = await editing.add_client(unit, OLGA, one["typed"], one["numbers"])
    for n in range(one["calls"]):
        await call(unit, f"{prefix}{n}", client)
    for n in range(one["tasks"]):
        await tasks.add_task(unit, OLGA, {"title": f"{prefix}{n}", "client_id": client})
        await notes.add(unit, OLGA, f"{prefix}{n}", client_id=client)
    return client


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=cards(), second=cards(), sides=SIDES)
async def test_whatever_two_cards_hold_merge_then_undo_gives_the_same_rows(
    writer: Writer, database: Database, first: dict[str, Any], second: dict[str, Any], sides: dict[str, str]
) -> None:
    await do(writer, emptied)
    if not await rows(database, CustomField):
        for label, kind in (("Size", "number"), ("Agreed", "flag")):
            await do(writer, definitions.define, ADAM, {"what": "client", "label": label, "kind": kind})
    kept, gone = await do(writer, opened, first, "a"), await do(writer, opened, second, "b")
    before = await picture(database)
    merge_id = await merge(writer, database, kept, gone, sides)
    for table in HELD:
        left = [row for row in await rows(database, table) if row["client_id"] == gone]
        assert table in (ClientNumber, ClientMail) or left == []
    await do(writer, merging.undo, VERA, merge_id)
    assert await picture(database) == before


async def test_duplicates_are_offered_with_their_reasons_until_somebody_says_no(
    writer: Writer, database: Database
) -> None:
    kept, gone = await two(writer)
    firm = (await rows(database, Organisation))[0]["id"]
    namesake = await do(writer, editing.add_client, OLGA, {"name": "marina", "organisation_id": firm})
    await do(writer, editing.add_client, OLGA, {"name": "Marina"}, ["+442079460958"])
    async with database.read() as db:
        found = await duplicates.of(db, OLGA, kept)
    assert [(one.id, one.reasons) for one in found] == [(gone, ("mail", "number")), (namesake, ("name",))]
    await do(writer, duplicates.say_apart, OLGA, gone, kept)
    await do(writer, duplicates.say_apart, OLGA, kept, gone)
    await do(writer, closing.delete_client, VERA, namesake, 1)
    async with database.read() as db:
        assert await duplicates.of(db, OLGA, kept) == ()
        assert await duplicates.of(db, OLGA, namesake) == ()


async def firms(writer: Writer) -> tuple[int, int]:
    """Two organisations that are one, each with people, numbers, mails and a note."""
    acme = {"name": "Acme Ltd.", "emails": ["office@acme.example"], "tags": ["Dealer"]}
    kept = await do(writer, editing.add_organisation, OLGA, acme, ["+74951112233"])
    other = {"name": "ACME Ltd", "emails": ["Office@acme.example", "sales@acme.example"], "note": "Pays late"}
    gone = await do(writer, editing.add_organisation, OLGA, other, ["+74951112233", "+74951112244"])
    for n, firm in enumerate((kept, gone, gone)):
        await do(writer, editing.add_client, OLGA, {"name": f"Person {n}", "organisation_id": firm})
    await do(writer, notes.add, OLGA, "of the other", organisation_id=gone)
    return kept, gone


async def merge_firms(writer: Writer, database: Database, kept: int, gone: int) -> str:
    found = {row["id"]: row["version"] for row in await rows(database, Organisation)}
    both, firm = (found[kept], found[gone]), kinds.COMPANY
    merge_id: str = await do(writer, merging.merge, VERA, kept, gone, versions=both, kind=firm)
    return merge_id


async def test_two_organisations_become_one_with_everybody_and_two_again(writer: Writer, database: Database) -> None:
    kept, gone = await firms(writer)
    before = await picture(database)
    async with database.read() as db:
        seen = await merging.preview(db, VERA, kept, gone, kinds.COMPANY)
        (twin,) = await duplicates.of(db, OLGA, kept, kinds.COMPANY)
    assert (seen.rows["clients"], seen.rows["card_notes"], seen.rows["client_numbers"]) == (2, 1, 1)
    assert (twin.id, twin.reasons) == (gone, ("mail", "number", "name"))
    merge_id = await merge_firms(writer, database, kept, gone)
    async with database.read() as db:
        one, other = await organisation_card(db, VERA, kept), await organisation_card(db, VERA, gone)
        listed = [line.id for line in (await organisation_list(db, VERA)).items]
        told = (await trail.changes(db, VERA, "client", 2)).items[0]
    assert [person.name for person in one.people] == ["Person 0", "Person 1", "Person 2"]
    assert one.organisation.note == "Pays late" and one.organisation.emails[1] == "sales@acme.example"
    assert [number.number for number in one.organisation.numbers] == ["+74951112233", "+74951112244"]
    assert (other.people, other.organisation.merged_into, listed) == ((), kept, [kept])
    assert (told.field, told.old, told.new) == ("organisation_id", gone, kept)
    assert await do(writer, merging.undo, VERA, merge_id, kinds.COMPANY) == (kept, gone)
    assert await picture(database) == before


async def test_a_closed_organisation_lets_its_people_go_and_gets_back_who_stayed(
    writer: Writer, database: Database
) -> None:
    kept, gone = await firms(writer)
    number = parse("+74951112244", "RU")
    with pytest.raises(NotAllowed):
        await do(writer, closing.delete_organisation, OLGA, gone, 1)
    async with database.read() as db:
        assert (await closing.hanging(db, OLGA, gone))["clients"] == 2
        assert (await service.recognise(db, number)).step != "none"
    assert await do(writer, closing.delete_organisation, VERA, gone, 1) == 2
    people = {row["id"]: row for row in await rows(database, Client)}
    assert [people[n]["organisation_id"] for n in (1, 2, 3)] == [kept, None, None]
    async with database.read() as db:
        assert (await service.recognise(db, number)).step == "none"
        assert [line.id for line in (await organisation_list(db, VERA, deleted=True)).items] == [gone]
    with pytest.raises(NotFound):
        await do(writer, notes.add, OLGA, "too late", organisation_id=gone)
    with pytest.raises(Invalid):
        await do(writer, editing.edit_client, OLGA, 2, {"organisation_id": gone}, people[2]["version"])
    await do(writer, editing.edit_client, OLGA, 3, {"organisation_id": kept}, people[3]["version"])
    assert await do(writer, closing.restore_organisation, VERA, gone) == 1
    assert [row["organisation_id"] for row in await rows(database, Client)] == [kept, gone, kept]
    with pytest.raises(NotFound):
        await do(writer, closing.restore_organisation, VERA, gone)


async def test_organisations_that_were_told_apart_are_not_offered_again(writer: Writer, database: Database) -> None:
    kept, gone = await firms(writer)
    await do(writer, duplicates.say_apart, OLGA, gone, kept, kinds.COMPANY)
    async with database.read() as db:
        assert await duplicates.of(db, OLGA, kept, kinds.COMPANY) == ()
        assert await duplicates.of(db, OLGA, gone, kinds.COMPANY) == ()


async def test_numbers_of_two_countries_are_no_duplicate(writer: Writer, database: Database) -> None:
    one = await do(writer, editing.add_client, OLGA, {"name": "One"}, ["+79161234567"])
    await do(writer, editing.add_client, OLGA, {"name": "Two"}, ["+19161234567"])
    async with database.read() as db:
        assert await duplicates.of(db, OLGA, one) == ()
