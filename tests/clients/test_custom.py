"""Fields of the administrator's own: defined, checked whatever comes, kept when deleted, gone when purged."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.clients import definitions, editing, trail
from callcrm.clients.custom import KINDS, Definition, as_typed, checked, value_of
from callcrm.clients.exchange import export_clients, import_clients
from callcrm.clients.tables import CardChange, Client, CustomField, Organisation
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.schema import dump_json
from callcrm.kernel.writer import Writer
from tests.calls.making import rows
from tests.people import ADAM, OLGA, VERA, hire

CHOICES = ("Dealer A", "Dealer B")


def field(kind: str, *, required: bool = False) -> Definition:
    return Definition(1, "client", "one", "One", kind, CHOICES if kind == "choice" else (), required)


anything = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["12,5", " 1 000 ", "1e400", "nan", "-0", "yes", "нет", "dealer b", "2026-02-29", "12.05.1990"]),
)


@given(kind=st.sampled_from(KINDS), typed=anything)
def test_whatever_is_typed_is_kept_as_the_kind_says_or_refused_in_words(kind: str, typed: Any) -> None:
    definition = field(kind)
    try:
        kept = value_of(definition, typed)
    except (TypeError, ValueError) as error:
        assert str(error)[:1].islower()
        return
    assert kept is None or type(kept) in {"number": (int, float), "flag": (bool,)}.get(kind, (str,))
    if kind == "choice" and kept is not None:
        assert kept in CHOICES
    dump_json(kept)
    assert value_of(definition, as_typed(kept)) == kept, "typed again as it is shown, it is the same"


@given(
    typed=st.dictionaries(st.sampled_from(["one", "other"]), anything, max_size=2),
    held=st.none() | st.dictionaries(st.just("one"), st.text(min_size=1, max_size=3), max_size=1),
)
def test_a_required_field_is_never_emptied_and_an_unknown_one_never_kept(typed: Any, held: Any) -> None:
    kept, wrong = checked([field("text", required=True)], typed, held=held)
    assert "other" not in kept and ("custom.other" in wrong) is ("other" in typed)
    if "custom.one" not in wrong:
        assert kept.get("one") or (held is not None and "one" not in typed)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("number", "12,5", 12.5),
        ("number", "1 000", 1000),
        ("number", -3, -3),
        ("date", "12.05.1990", "1990-05-12"),
        ("choice", "dealer  b", "Dealer B"),
        ("flag", "нет", False),
        ("text", "  a\tb ", "a b"),
        ("text", "   ", None),
    ],
)
def test_people_type_values_in_their_own_way(kind: str, typed: Any, kept: Any) -> None:
    assert value_of(field(kind), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("number", "NaN"), ("number", "9" * 16), ("number", True), ("date", "2026-02-30"), ("choice", "C"), ("flag", "m")],
)
def test_what_is_no_value_is_refused(kind: str, typed: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        value_of(field(kind), typed)


@pytest.fixture
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def define(writer: Writer, label: str, kind: str = "text", **more: Any) -> int:
    key: int = await do(writer, definitions.define, ADAM, {"what": "client", "kind": kind, "label": label, **more})
    return key


@pytest.mark.usefixtures("staff")
async def test_definitions_are_checked_and_only_the_administrator_makes_them(
    writer: Writer, database: Database
) -> None:
    with pytest.raises(NotAllowed):
        await do(writer, definitions.define, VERA, {"what": "client", "kind": "text", "label": "Size"})
    for typed, wrong in (
        ({"what": "car", "kind": "text", "label": "x"}, "what"),
        ({"what": "client", "kind": "song", "label": "x"}, "kind"),
        ({"what": "client", "kind": "text", "label": ""}, "label"),
        ({"what": "client", "kind": "text", "label": "E" * 61}, "label"),
        ({"what": "client", "kind": "text", "label": "Email"}, "label"),
        ({"what": "client", "kind": "text", "label": "x", "key": "a b"}, "key"),
        ({"what": "client", "kind": "choice", "label": "x", "choices": []}, "choices"),
    ):
        with pytest.raises(Invalid) as error:
            await do(writer, definitions.define, ADAM, typed)
        assert wrong in error.value.fields, typed
    await define(writer, "Size")
    with pytest.raises(Invalid, match="of this name"):
        await define(writer, "size")
    await define(writer, "Размер")
    await define(writer, "Размер 2")
    assert [row["key"] for row in await rows(database, CustomField)] == ["size", "field_1", "field_2"]


@pytest.mark.usefixtures("staff")
async def test_a_definition_is_changed_by_its_version_and_keeps_kind_and_key(
    writer: Writer, database: Database
) -> None:
    key = await define(writer, "Group", "choice", choices=["A", "B"])
    await do(writer, definitions.redefine, ADAM, key, {"label": "Price group", "choices": ["A"], "kind": "text"}, 1)
    (row,) = await rows(database, CustomField)
    assert (row["label"], row["kind"], row["key"], row["choices"]) == ("Price group", "choice", "group", ["A"])
    with pytest.raises(Conflict):
        await do(writer, definitions.redefine, ADAM, key, {"label": "Other", "choices": ["A"]}, 1)


@pytest.mark.usefixtures("staff")
async def test_values_stay_with_a_deleted_field_until_they_are_purged(writer: Writer, database: Database) -> None:
    size, other = await define(writer, "Size"), await define(writer, "Other")
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann", "custom": {"size": "XL", "other": "stays"}})
    await do(writer, editing.edit_client, OLGA, ann, {"custom": {"size": "XXL"}}, 1)
    await do(writer, definitions.drop, ADAM, size, 1)
    with pytest.raises(Invalid, match="no such field"):
        await do(writer, editing.edit_client, OLGA, ann, {"custom": {"size": "S"}}, 2)
    await do(writer, editing.edit_client, OLGA, ann, {"custom": {"other": "more"}}, 2)
    (card,) = await rows(database, Client)
    assert card["custom"] == {"size": "XXL", "other": "more"}
    await do(writer, definitions.bring_back, ADAM, size)
    await do(writer, definitions.drop, ADAM, size, 3)
    assert await definitions.purge(writer, ADAM, size) == 1
    (card,) = await rows(database, Client)
    assert (card["custom"], card["search"]) == ({"other": "more"}, "ann more")
    assert {row["field"] for row in await rows(database, CardChange)} == {"custom.other"}
    with pytest.raises(NotFound):
        await definitions.purge(writer, ADAM, size)
    with pytest.raises(Invalid, match="Delete the field first"):
        await definitions.purge(writer, ADAM, other)


@pytest.mark.usefixtures("staff")
async def test_purging_goes_through_many_cards_in_batches(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "BATCH", 2)
    size = await define(writer, "Size")
    for n in range(5):
        await do(writer, editing.add_client, OLGA, {"name": f"C{n}", "custom": {"size": "XL"} if n != 2 else {}})
    await do(writer, definitions.drop, ADAM, size, 1)
    async with database.read() as db:
        assert await definitions.used(db, (await definitions.of(db, "client", deleted=True))[0]) == 4
    assert await definitions.purge(writer, ADAM, size) == 4
    assert [row["custom"] for row in await rows(database, Client)] == [{}] * 5


@pytest.mark.usefixtures("staff")
async def test_each_field_that_changes_is_on_the_trail(writer: Writer, database: Database) -> None:
    await define(writer, "Size", "number")
    firm = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann", "emails": ["a@x.example"]})
    typed = {"custom": {"size": "3"}, "emails": ["b@x.example"], "organisation_id": firm, "tags": []}
    await do(writer, editing.edit_client, VERA, ann, typed, 1)
    number = await do(writer, editing.add_number, OLGA, "+79161234567", client_id=ann)
    await do(writer, editing.add_number, OLGA, "+79161234567", client_id=ann)
    await do(writer, editing.remove_number, OLGA, number)
    async with database.read() as db:
        mine = (await trail.changes(db, OLGA, "client", ann)).items
        theirs = (await trail.changes(db, OLGA, "organisation", firm)).items
    told = {(line.field, str(line.old), str(line.new), line.person) for line in mine}
    assert told == {
        ("custom.size", "None", "3", "Vera Chief"),
        ("emails", "['a@x.example']", "['b@x.example']", "Vera Chief"),
        ("organisation_id", "None", str(firm), "Vera Chief"),
        ("number", "None", "+79161234567", "Olga Bondar"),
        ("number", "+79161234567", "None", "Olga Bondar"),
    }
    assert [(line.field, line.old, line.new) for line in theirs] == [("person", None, ann)]


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_own_fields_go_out_into_a_file_and_come_in_again(
    writer: Writer, database: Database, tmp_path: Path, kind: str
) -> None:
    await define(writer, "Size", "number")
    await define(writer, "Agreed", "flag")
    await do(writer, definitions.define, ADAM, {"what": "organisation", "kind": "date", "label": "Dealer since"})
    head = "name;phone;company;Size;agreed;organisation: Dealer since;e-mails;addresses;birthday\n"
    line = 'Анна;8 916 123-45-67;Acme;12,5;да;01.02.2019;"a@x.example, b@x.example";Street 1;12.05.1990\n'
    (tmp_path / "book.csv").write_text(head + line + "Bad;8 916 000-00-00;;many;;;;;\n")
    report = await import_clients(writer, tmp_path / "book.csv", actor=ADAM, country="RU")
    assert (report.added, [n for n, _ in report.refused]) == (1, [3]) and "custom.size" in report.refused[0][1]
    (card,), (firm,) = await rows(database, Client), await rows(database, Organisation)
    assert (card["custom"], firm["custom"]) == ({"size": 12.5, "agreed": True}, {"dealer_since": "2019-02-01"})
    assert (card["addresses"], card["birthday"]) == (["Street 1"], "1990-05-12")
    out = tmp_path / f"out.{kind}"
    assert await export_clients(database, writer, out, actor=ADAM) == 1
    again = await import_clients(writer, out, actor=ADAM)
    assert (again.added, again.known, again.refused) == (0, 1, [])
