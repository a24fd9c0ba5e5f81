"""Reading cards: whole, found by any part of a name or number in any script, and by a call's number."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from callcrm.clients import closing, editing, queries, service
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit, Writer
from tests.people import OLGA, VERA, hire

MASKED = replace(OLGA, masked=True)


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


@pytest.fixture
async def book(writer: Writer) -> dict[str, int]:
    """Three people, two of one organisation, and a stranger."""
    acme = await do(writer, editing.add_organisation, OLGA, {"name": "ТОВ «Північ Агро»"}, ["+380443382014"])

    async def add(typed: dict[str, Any], *numbers: str) -> int:
        return await do(writer, editing.add_client, OLGA, typed, numbers, country="RU")

    return {
        "acme": acme,
        "marina": await add({"name": "Марина Коваленко", "organisation_id": acme, "owner_id": 7}, "+380674128805"),
        "sergej": await add({"name": "Сергій Бондар", "organisation_id": acme, "job": "Warehouse"}),
        "ann": await add({"name": "Ann O'Hara 100%", "email": "Ann@Example.com"}, "89161234567", "+74951112233"),
        "stranger": (
            await do(writer, service.find_or_open, parse("+79261112233"), said_name="IVAN PETROV")
        ).client_id,
    }  # fmt: skip


async def found(database: Database, q: str, **more: Any) -> list[str]:
    async with database.read() as db:
        page = await queries.client_list(db, OLGA, q, country="RU", **more)
    return [line.name or line.said_name for line in page.items]


FOUND = {
    "": ["IVAN PETROV", "Ann O'Hara 100%", "Сергій Бондар", "Марина Коваленко"],
    "марина": ["Марина Коваленко"],
    "КОВАЛ": ["Марина Коваленко"],
    "ivan": ["IVAN PETROV"],
    "ann@example": ["Ann O'Hara 100%"],
    "o'hara": ["Ann O'Hara 100%"],
    "100%": ["Ann O'Hara 100%"],
    "%": [],
    "o": [],
    "an": ["Ann O'Hara 100%"],
    "hara": ["Ann O'Hara 100%"],
    "СЕРГІЙ": ["Сергій Бондар"],
    "_": [],
    "північ": ["Сергій Бондар", "Марина Коваленко"],
    "північ warehouse": ["Сергій Бондар"],
    "warehouse марина": [],
    "+7 916 123-45-67": ["Ann O'Hara 100%"],
    "8 916 123 45 67": ["Ann O'Hara 100%"],
    "8916123": ["Ann O'Hara 100%"],
    "12345": ["Ann O'Hara 100%"],
    "111 22 33": ["IVAN PETROV", "Ann O'Hara 100%"],
    "ann 4567": ["Ann O'Hara 100%"],
    "марина 4567": [],
    "+380443382014": ["Сергій Бондар", "Марина Коваленко"],
    "nobody": [],
    "' OR 1=1 --": [],
}


async def test_people_are_found_by_any_part(database: Database, book: dict[str, int]) -> None:
    assert {q: await found(database, q) for q in FOUND} == FOUND


async def test_lists_can_be_narrowed_and_ordered(database: Database, book: dict[str, int]) -> None:
    assert await found(database, "", owner=OLGA.user_id) == ["Марина Коваленко"]
    assert await found(database, "", organisation=book["acme"]) == ["Сергій Бондар", "Марина Коваленко"]
    assert await found(database, "", by_name=True) == ["Ann O'Hara 100%", "Марина Коваленко", "Сергій Бондар"]


@pytest.mark.parametrize("by_name", [False, True])
async def test_pages_follow_each_other(writer: Writer, database: Database, by_name: bool) -> None:
    for n in range(7):
        await do(writer, editing.add_client, OLGA, {"name": f"Name {n // 3}"})
    seen: list[int] = []
    cursor = ""
    for _ in range(9):
        async with database.read() as db:
            page = await queries.client_list(db, OLGA, "", Wanted(2, cursor), by_name=by_name)
        seen += [line.id for line in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert sorted(seen) == list(range(1, 8))
    assert seen == (list(range(1, 8)) if by_name else list(range(7, 0, -1)))


async def test_a_card_whole(database: Database, book: dict[str, int]) -> None:
    async with database.read() as db:
        card = await queries.card(db, OLGA, book["marina"])
        with pytest.raises(NotFound):
            await queries.card(db, OLGA, 999)
    assert (card.client.name, card.client.owner_name, card.version) == ("Марина Коваленко", "Olga Bondar", 1)
    assert [(number.number, number.kind) for number in card.client.numbers] == [("+380674128805", "mobile")]
    assert card.organisation is not None
    assert (card.organisation.name, [n.number for n in card.organisation.numbers]) == (
        "ТОВ «Північ Агро»", ["+380443382014"],
    )  # fmt: skip
    assert [one.name for one in card.colleagues] == ["Сергій Бондар"]


async def test_organisations_are_listed_and_whole(writer: Writer, database: Database, book: dict[str, int]) -> None:
    await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    async with database.read() as db:
        everyone = await queries.organisation_list(db, OLGA)
        searched = await queries.organisation_list(db, OLGA, "АГРО")
        first = await queries.organisation_list(db, OLGA, "", Wanted(1))
        second = await queries.organisation_list(db, OLGA, "", Wanted(1, first.next or ""))
        whole = await queries.organisation_card(db, OLGA, book["acme"])
        with pytest.raises(NotFound):
            await queries.organisation_card(db, OLGA, 999)
    assert [line.name for line in everyone.items] == ["Acme", "ТОВ «Північ Агро»"]
    assert [line.name for line in searched.items] == ["ТОВ «Північ Агро»"]
    assert [line.name for line in (*first.items, *second.items)] == ["Acme", "ТОВ «Північ Агро»"]
    assert second.next is None
    assert [one.name for one in whole.people] == ["Марина Коваленко", "Сергій Бондар"]


async def test_whom_a_number_belongs_to(database: Database, book: dict[str, int]) -> None:
    async with database.read() as db:
        exact = await queries.by_phone(db, OLGA, "89161234567", country="RU")
        office = await queries.by_phone(db, OLGA, "+380443382014")
        maybe = await queries.by_phone(db, OLGA, "1234567", country="RU")
        nobody = await queries.by_phone(db, OLGA, "+79990000000")
        with pytest.raises(Invalid):
            await queries.by_phone(db, OLGA, "anonymous")
    assert (exact.match.step, [line.id for line in exact.clients]) == ("exact", [book["ann"]])
    assert (office.match.organisation_id, len(office.clients)) == (book["acme"], 2)
    assert (maybe.match.step, [line.id for line in maybe.clients]) == ("maybe", [book["ann"]])
    assert (nobody.match.step, nobody.clients) == ("none", ())


async def test_a_deleted_card_is_out_of_lists_and_can_still_be_read(
    writer: Writer, database: Database, book: dict[str, int]
) -> None:
    await do(writer, closing.delete_client, VERA, book["ann"], 1)
    assert await found(database, "ann") == []
    async with database.read() as db:
        assert (await queries.card(db, OLGA, book["ann"])).deleted_at is not None
        assert (await queries.by_phone(db, OLGA, "89161234567", country="RU")).clients == ()


async def test_numbers_are_masked(database: Database, book: dict[str, int]) -> None:
    async with database.read() as db:
        page = await queries.client_list(db, MASKED)
        card = await queries.card(db, MASKED, book["marina"])
    assert "1234567" not in repr(page)
    assert "8805" not in repr(card)
    assert "443382014" not in repr(card)


async def test_one_of_many_is_found_by_index(writer: Writer, database: Database) -> None:
    """Five thousand cards; the lookup of a number reads a handful of them."""
    count = 5000

    async def fill(unit: Unit) -> None:
        moments = {"created_at": unit.now, "changed_at": unit.now}
        await unit.db.execute(insert(Client), [{"id": n, "name": f"Name {n}", **moments} for n in range(1, count)])
        numbers = [service.number_row(unit, parse(f"+7916{n:07d}"), client_id=n) for n in range(1, count)]
        await unit.db.execute(insert(ClientNumber), numbers)

    await writer.do(fill, name="test")
    async with database.read() as db:
        match = await service.recognise(db, parse("+79160004321"))
    assert (match.step, match.client_id) == ("exact", 4321)
