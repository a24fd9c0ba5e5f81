"""One search over everything: numbers in any spelling, ranks, rights, masks, folded letters, and rows that change."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from callcrm.calls import notes
from callcrm.clients import closing, editing, searching
from callcrm.clients.tables import Client
from callcrm.kernel import fulltext
from callcrm.kernel.database import Database
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Writer
from callcrm.search.finding import Found, find
from callcrm.tasks import service as tasks
from tests.calls import making
from tests.people import OLGA, RUSLAN, VERA, hire
from tests.webui import office

MASKED = replace(OLGA, masked=True)


@dataclass(frozen=True)
class House:
    """The office of the tests, with what was found in it by short names."""

    database: Database
    writer: Writer
    ids: dict[str, int]

    async def find(self, q: str, actor: Any = VERA, **more: Any) -> Found:
        async with self.database.read() as db:
            return await find(db, actor, q, country="RU", queues=("sales",), **more)

    async def names(self, q: str, actor: Any = VERA) -> list[str]:
        return [line.name or line.said_name for line in (await self.find(q, actor)).clients]

    async def do(self, what: Any, *args: Any, **more: Any) -> Any:
        return await self.writer.do(lambda unit: what(unit, *args, **more), name="test")

    async def add(self, name: str, *numbers: str, **typed: Any) -> int:
        return int(await self.do(editing.add_client, OLGA, {"name": name, **typed}, numbers, country="RU"))


@pytest.fixture
async def house(writer: Writer, database: Database) -> House:
    await hire(writer)
    return House(database, writer, await office.fill(writer))


SPELLINGS = [
    "+79161234567", "8 (916) 123-45-67", "8 (916) 123-45", "+7916123", "+7 916", "79161234567", "0079161234567",
    "916 123 45 67", "9161234567", "9161", "8916", "123-45-67", "123-45", "4567", "45-67", "567", "34 567",
]  # fmt: skip


async def test_a_number_is_found_in_any_spelling(house: House) -> None:
    assert [typed for typed in SPELLINGS if "Марина Коваленко" not in await house.names(typed)] == []


async def test_a_number_of_an_organisation_leads_to_it(house: House) -> None:
    await house.do(editing.add_organisation, OLGA, {"name": "Acme"}, ["+380443382014"])
    for typed in ("+380443382014", "044 338 2014", "2014", "443382"):
        assert [one.name for one in (await house.find(typed)).organisations] == ["Acme"], typed


async def test_words_are_found_whatever_their_case_and_accents(house: House) -> None:
    await house.add("Артём Ёлкин")
    await house.add("Сергій Їжак")
    await house.add("Zoë Nováková")
    for typed, name in {
        "АРТЕМ": "Артём Ёлкин", "ёлк": "Артём Ёлкин", "елкин артём": "Артём Ёлкин", "їжак": "Сергій Їжак",
        "іжак": "Сергій Їжак", "novak": "Zoë Nováková", "ZOE": "Zoë Nováková", "ковал": "Марина Коваленко",
        "ВАЛЕНК": "Марина Коваленко", "ко ма": "Марина Коваленко", "северн кова": "Марина Коваленко",
    }.items():  # fmt: skip
        assert await house.names(typed) == [name], typed


async def test_the_best_stands_first(house: House) -> None:
    await house.add("Lena Santos")
    await house.add("Olga Santo")
    await house.add("Santo Miguel")
    await house.add("Santo")
    assert await house.names("santo") == ["Santo", "Santo Miguel", "Budi Santoso", "Olga Santo", "Lena Santos"]


async def test_a_whole_number_stands_before_its_end_and_a_late_caller_before_others(house: House) -> None:
    await house.add("Whole", "4567123")
    await house.add("Nobody called", "+79031117123")
    await house.add("Called today", "+79055557123")
    await office.record(house.writer, *making.answered_life("late", office.ago(1), client="79055557123"))
    assert await house.names("4567123") == ["Whole"]
    assert await house.names("7123") == ["Called today", "Nobody called", "Whole"]


async def test_calls_are_found_by_number_by_name_and_by_id(house: House) -> None:
    found = await house.find("Santoso")
    assert [call.id for call in found.calls] == ["lost2", "lost"]
    assert [call.id for call in (await house.find("8 903 111-22-33")).calls] == ["lost2", "lost"]
    assert [call.id for call in (await house.find("moved")).calls] == ["moved"]
    assert (await house.find("Santoso", calls_only=True)).clients == ()


async def test_notes_are_found_by_the_beginnings_of_their_words(house: House) -> None:
    for typed in ("instalm", "INSTALMENTS six", "27th"):
        hit = (await house.find(typed)).notes[0]
        assert (hit.call_id, hit.name) == ("talked", "Марина Коваленко"), typed
    assert (await house.find("stalments")).notes == ()
    await house.do(editing.edit_client, OLGA, house.ids["north"], {"note": "Ждёт прайс-лист на плёнку"}, 1)
    for typed in ("плёнк", "ПЛЕНКУ", "лист"):
        assert [hit.client_id for hit in (await house.find(typed)).notes] == [house.ids["north"]], typed


NOTES = (
    "Перезвонить завтра", "перезвонили, плёнка", "ПЕРЕНОС на ждём", "перенос", "Überweisung café", "2026 20261 year's",
)  # fmt: skip
BEGINNINGS = (
    "пере", "перез", "перезвонить", "перен пл", "пере плен", "ждем", "uber", "überw", "cafe", "2026", "year", "x",
)  # fmt: skip


async def test_words_are_found_as_well_by_how_they_are_spelled(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spelled out, or (what nobody knows the spellings of, or very many have) as the beginnings that they are."""
    for n in range(24):
        note = f"{NOTES[n % len(NOTES)]} {NOTES[n % 5]}"
        await house.do(tasks.add_task, OLGA, {"title": f"Task {n}", "note": note, "owner_id": OLGA.user_id})
        await house.add(f"Client {n}", note=NOTES[-1 - n % len(NOTES)])

    async def found() -> list[Any]:
        every = [await house.find(typed) for typed in BEGINNINGS]
        return [(one.notes, [task.id for task in one.tasks]) for one in every]

    spelled = await found()
    with monkeypatch.context() as few:
        few.setattr(fulltext, "_SPELLINGS", 2)
        assert await found() == spelled
    monkeypatch.setattr(fulltext, "_INDEXED", 99)
    assert await found() == spelled
    assert [bool(notes or found_tasks) for notes, found_tasks in spelled] == [True] * (len(BEGINNINGS) - 1) + [False]


async def test_tasks_are_found_by_their_words_and_by_whom_they_are_for(house: House) -> None:
    assert [task.title for task in (await house.find("price list")).tasks] == ["Send the new price list"]
    assert "Send the new price list" in [task.title for task in (await house.find("коваленко")).tasks]
    assert [task.number for task in (await house.find("santoso")).tasks] == ["+79031112233"]


async def test_nobody_finds_what_is_not_his(house: House) -> None:
    """Ruslan had no part in Olga's talk; of the transferred one he had."""
    assert (await house.find("instalments", OLGA)).notes != ()
    await house.do(tasks.add_task, OLGA, {"title": "Olgas secret plan", "owner_id": OLGA.user_id})
    stranger = replace(RUSLAN, user_id=99, extensions=())
    for actor in (RUSLAN, stranger):
        assert (await house.find("secret plan", actor)).tasks == ()
    assert (await house.find("instalments", stranger)).notes == ()
    assert (await house.find("santoso", stranger)).calls == ()
    assert (await house.find("talked", stranger)).calls == ()
    assert (await house.find("moved", stranger)).calls == ()
    assert [call.id for call in (await house.find("moved", RUSLAN)).calls] == ["moved"]


async def test_own_notes_are_found_among_many_of_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callcrm.search.finding._TEXTS", 3)
    for n in range(5):
        key = f"other{n}"
        await office.record(house.writer, *making.answered_life(key, office.ago(5 - n), by="102", client=office.NORTH))
        await house.do(notes.note, RUSLAN, key, "wants instalments as well")
    assert [hit.call_id for hit in (await house.find("instalments", OLGA)).notes] == ["talked"]


async def test_a_masked_operator_finds_whole_numbers_only(house: House) -> None:
    assert await house.names("8 (916) 123-45-67", MASKED) == ["Марина Коваленко"]
    for typed in SPELLINGS:
        if parse(typed, "RU").e164 != "+79161234567":
            found = await house.find(typed, MASKED)
            assert (found.clients, found.calls) == ((), ()), typed
    assert "1234567" not in repr(await house.find("коваленко", MASKED))


async def test_what_changes_is_found_as_it_is_now(house: House) -> None:
    acme = await house.do(editing.add_organisation, OLGA, {"name": "Rosehip Ltd"})
    key = await house.add("Gone Soon", "+79261110000", organisation_id=acme)
    assert await house.names("rosehip") == ["Gone Soon"]
    await house.do(editing.edit_organisation, OLGA, acme, {"name": "Hawthorn Ltd"}, 1)
    assert (await house.names("rosehip"), await house.names("hawthorn gone")) == ([], ["Gone Soon"])
    await house.do(editing.edit_client, OLGA, key, {"name": "Here Again"}, 1)
    assert (await house.names("gone"), await house.names("again")) == ([], ["Here Again"])
    await house.do(closing.delete_client, VERA, key, 2)
    assert (await house.names("again"), await house.names("9261110000")) == ([], [])
    await house.do(closing.restore_client, VERA, key)
    assert await house.names("again") == ["Here Again"]


async def test_what_is_erased_leaves_nothing_behind(house: House) -> None:
    key = await house.add("Erased Person", note="a very private matter")
    assert (await house.find("private matter")).notes != ()
    await house.do(lambda unit: unit.db.execute(delete(Client).where(Client.id == key)))
    assert (await house.find("private matter")).notes == ()
    assert await house.names("erased") == []


async def test_what_is_rolled_back_is_not_found(house: House) -> None:
    async def work(unit: Any) -> None:
        await unit.db.execute(update(Client).where(Client.id == house.ids["marina"]).values(search="somebody else"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await house.writer.do(work, name="test")
    assert await house.names("somebody") == []
    assert await house.names("марина") == ["Марина Коваленко"]


async def test_odd_letters_find_nothing_and_break_nothing(house: House) -> None:
    for typed in ("", "x", "%", "__", '"', "a\"b' OR 1=1", "* AND *", "\ue000call", "!(a|b)&", "\x00\ud800", "a:* | b"):
        found = await house.find(typed)
        assert (found.clients, found.organisations, found.notes) == ((), (), ()), typed


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fulltext.folded(text)
    assert fulltext.folded(once) == once
    assert fulltext.folded(text.upper()) == fulltext.folded(text.upper().lower())


@given(st.integers(0, 9_999_999), st.sampled_from(["+7", "8", "7", ""]), st.data())
@settings(max_examples=200)
def test_any_spelling_of_a_whole_number_is_that_number(n: int, before: str, data: st.DataObject) -> None:
    digits = f"916{n:07}"
    spelt = before + "".join(
        c + data.draw(st.sampled_from(["", "", " ", "-", ") ", " - "]), label="mark") for c in digits
    ).rstrip(" -)")
    assert searching.is_number(spelt)
    first, *_ = searching.ways(spelt, "RU")
    assert first[0] == searching.EXACT
    assert f"+7{digits}" in str(first[1].compile(compile_kwargs={"literal_binds": True}))
    assert [rank for rank, _ in searching.ways(spelt, "RU", masked=True)] == [searching.EXACT]


@given(st.text("0123456789", min_size=3, max_size=12), st.text("0123456789", max_size=10))
def test_the_range_of_a_beginning_holds_what_begins_so_and_nothing_else(digits: str, rest: str) -> None:
    low, high = _bounds(digits)
    assert low <= digits + rest < high
    other = rest[: len(digits)].ljust(len(digits), "5")
    if other != digits:
        assert not low <= other + rest < high


def _bounds(digits: str) -> tuple[str, str]:
    condition = searching._begins(fulltext.CLIENTS.c.text, digits)
    values = [str(clause.right.value) for clause in condition.clauses]
    return values[0], values[1]
