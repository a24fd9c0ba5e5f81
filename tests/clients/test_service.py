"""Cards: found by a call's number, opened for a stranger, and chosen when a number is shared."""

from typing import Any

import pytest
from sqlalchemy import select, update

from callcrm.accounts.policy import Actor
from callcrm.clients import closing, editing, service
from callcrm.clients.match import Match
from callcrm.clients.tables import Client, ClientNumber, NumberChoice
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.numbers import Number, parse
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit, Writer
from tests.calls.making import facts, rows
from tests.people import ADAM, OLGA, VERA, hire

MOBILE = parse("+79161234567")
OFFICE_LINE = parse("+74951234567")


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def find(writer: Writer, number: Number, said_name: str = "") -> Match:
    return await writer.do(lambda unit: service.find_or_open(unit, number, said_name=said_name), name="test")


async def choose(writer: Writer, number: Number, client_id: int, actor: Actor = OLGA) -> service.Choice:
    return await writer.do(lambda unit: service.choose(unit, actor, number, client_id), name="test")


async def add(writer: Writer, name: str, *numbers: str, **typed: Any) -> int:
    def work(unit: Unit) -> Any:
        return editing.add_client(unit, OLGA, {"name": name, **typed}, numbers, country="RU")

    return await writer.do(work, name="test")


async def company(writer: Writer, name: str, *numbers: str) -> int:
    def work(unit: Unit) -> Any:
        return editing.add_organisation(unit, OLGA, {"name": name}, numbers, country="RU")

    return await writer.do(work, name="test")


async def test_a_strangers_first_call_opens_a_card_and_his_second_finds_it(writer: Writer, database: Database) -> None:
    first = await find(writer, MOBILE, "Ann Lee")
    second = await find(writer, MOBILE)
    assert (first.step, second.step) == ("new", "exact")
    assert first.client_id == second.client_id
    (card,) = await rows(database, Client)
    assert (card["said_name"], card["search"], card["version"]) == ("Ann Lee", "ann lee", 1)
    assert await facts(database) == [("client.created", {"client": card["id"]})]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Ann Lee", "Ann Lee"),
        ("  Ann\t Lee \x07", "Ann Lee"),
        ("\u202eeeL nnA", "eeL nnA"),
        ("<unknown>", ""),
        ("ANONYMOUS", ""),
        ("+7 916 123-45-67", ""),
        ("89161234567", ""),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("☎" * 10_000, "☎" * 200),
        (None, ""),
    ],
)
def test_a_said_name_is_cleaned(said: str | None, kept: str) -> None:
    assert service.clean_name(said, MOBILE) == kept


@pytest.mark.parametrize("raw", ["", "anonymous", "101", "*98", "livekit-77"])
async def test_nothing_is_opened_for_what_is_no_number(writer: Writer, database: Database, raw: str) -> None:
    match = await find(writer, parse(raw, "RU"))
    assert match.client_id is None
    assert await rows(database, Client) == []


async def test_a_local_number_gets_a_card_of_its_own(writer: Writer, database: Database) -> None:
    first = await find(writer, parse("123456", "RU"))
    second = await find(writer, parse("12-34-56", "RU"))
    assert (first.step, second.step, second.client_id) == ("new", "national", first.client_id)
    (number,) = await rows(database, ClientNumber)
    assert (number["e164"], number["national"], number["kind"]) == ("", "123456", "local")


async def test_a_number_that_may_be_somebodys_opens_no_second_card(writer: Writer, database: Database) -> None:
    ann = await add(writer, "Ann", "1234567")
    match = await find(writer, OFFICE_LINE)
    assert (match.step, match.client_id, match.clients) == ("maybe", None, (ann,))
    assert len(await rows(database, Client)) == 1


async def test_people_who_share_a_number_are_offered_and_the_choice_is_remembered(
    writer: Writer, database: Database
) -> None:
    ann, bob = await add(writer, "Ann", "+79161234567"), await add(writer, "Bob", "8 916 123-45-67")
    before = await find(writer, MOBILE)
    chosen = await choose(writer, MOBILE, bob)
    after = await find(writer, MOBILE)
    assert (before.client_id, before.clients) == (None, (ann, bob))
    assert (chosen.match.step, chosen.match.client_id, chosen.dropped) == ("chosen", bob, ())
    assert (after.step, after.client_id, after.clients, after.remembered) == ("exact", bob, (ann, bob), True)
    assert len(await rows(database, ClientNumber)) == 2


async def test_an_organisations_line_offers_its_people(writer: Writer, database: Database) -> None:
    acme = await company(writer, "Acme", "+7 495 123-45-67")
    ann = await add(writer, "Ann", organisation_id=acme)
    bob = await add(writer, "Bob", organisation_id=acme)
    before = await find(writer, OFFICE_LINE)
    await choose(writer, OFFICE_LINE, ann)
    after = await find(writer, OFFICE_LINE)
    assert (before.step, before.client_id, before.clients, before.organisation_id) == ("exact", None, (ann, bob), acme)
    assert (after.client_id, after.remembered, after.organisation_id) == (ann, True, acme)
    assert len(await rows(database, ClientNumber)) == 1


async def test_an_organisation_without_people_gets_no_nameless_person(writer: Writer, database: Database) -> None:
    acme = await company(writer, "Acme", "+7 495 123-45-67")
    match = await find(writer, OFFICE_LINE)
    assert (match.client_id, match.organisation_id) == (None, acme)
    assert await rows(database, Client) == []


async def test_a_card_that_a_call_opened_gives_way_to_whom_it_was(writer: Writer, database: Database) -> None:
    opened = (await find(writer, MOBILE)).client_id
    ann = await add(writer, "Ann")
    choice = await choose(writer, MOBILE, ann)
    match = await find(writer, MOBILE)
    assert choice.dropped == (opened,)
    assert (match.step, match.client_id, match.remembered) == ("exact", ann, False)
    gone = [row["id"] for row in await rows(database, Client) if row["deleted_at"]]
    assert gone == [opened]


async def test_a_card_that_somebody_touched_stays(writer: Writer, database: Database) -> None:
    opened = (await find(writer, MOBILE)).client_id
    assert opened is not None
    await writer.do(lambda unit: editing.edit_client(unit, OLGA, opened, {"job": "buyer"}, 1), name="test")
    ann = await add(writer, "Ann")
    assert (await choose(writer, MOBILE, ann)).dropped == ()
    match = await find(writer, MOBILE)
    assert (match.client_id, set(match.clients), match.remembered) == (ann, {ann, opened}, True)


async def test_a_maybe_that_was_chosen_is_exact_from_then_on(writer: Writer) -> None:
    ann = await add(writer, "Ann", "1234567")
    await choose(writer, OFFICE_LINE, ann)
    match = await find(writer, OFFICE_LINE)
    assert (match.step, match.client_id) == ("exact", ann)


async def test_nobody_can_be_chosen_for_no_number_nor_somebody_who_is_gone(writer: Writer) -> None:
    ann = await add(writer, "Ann")
    with pytest.raises(Invalid):
        await choose(writer, parse("anonymous"), ann)
    with pytest.raises(NotFound):
        await choose(writer, MOBILE, ann + 1)


async def test_a_deleted_person_is_not_found_by_his_number(writer: Writer) -> None:
    ann = await add(writer, "Ann", "+79161234567")
    await add(writer, "Bob", "+79161234567")
    await choose(writer, MOBILE, ann)
    await writer.do(lambda unit: closing.delete_client(unit, VERA, ann, 1), name="test")
    match = await find(writer, MOBILE)
    assert (ann in match.clients, match.remembered) == (False, False)
    await writer.do(lambda unit: closing.restore_client(unit, VERA, ann), name="test")
    assert ann in (await find(writer, MOBILE)).clients


async def test_a_number_taken_away_is_forgotten(writer: Writer, database: Database) -> None:
    ann = await add(writer, "Ann", "+79161234567")
    await add(writer, "Bob", "+79161234567")
    await choose(writer, MOBILE, ann)
    mine = next(row["id"] for row in await rows(database, ClientNumber) if row["client_id"] == ann)
    await writer.do(lambda unit: editing.remove_number(unit, OLGA, mine), name="test")
    match = await find(writer, MOBILE)
    assert (match.remembered, ann in match.clients) == (False, False)
    assert await rows(database, NumberChoice) == []


async def test_a_choice_leaves_its_trace(writer: Writer, database: Database) -> None:
    ann = await add(writer, "Ann")
    await choose(writer, MOBILE, ann, ADAM)
    trace = [(row["user_id"], row["act"], row["which"]) for row in await rows(database, Audit)]
    assert (ADAM.user_id, "choose", str(ann)) in trace
    assert ("client.changed", {"client": ann}) in await facts(database)


async def test_a_lookup_among_many_is_by_index(writer: Writer, database: Database) -> None:
    """The plan names indexes only: a scan of the numbers would be a slow pop in a year."""

    async def plan(unit: Unit) -> str:
        if unit.db.dialect.name == "postgresql":
            return "INDEX"
        asked = {"key": "k", "e164": "e", "national": "n", "tail": "t"}
        compiled = service._LOOKUP.statement.compile(dialect=unit.db.dialect)
        values = tuple(compiled.construct_params(asked)[name] for name in compiled.positiontup or ())
        found = await unit.db.exec_driver_sql("EXPLAIN QUERY PLAN " + str(compiled), values)
        return "\n".join(str(row[-1]) for row in found)

    said = await writer.do(plan, name="test")
    assert "INDEX" in said
    assert "SCAN" not in said


async def test_a_card_of_version_one_is_a_stranger_until_named(writer: Writer, database: Database) -> None:
    await find(writer, MOBILE)

    async def name(unit: Unit) -> None:
        client = (await unit.db.execute(select(Client.id))).scalar_one()
        await unit.db.execute(update(Client).values(name="Ann"))
        assert await service._drop_untouched(unit, [client]) == ()

    await writer.do(name, name="test")
    (card,) = await rows(database, Client)
    assert card["deleted_at"] is None
