"""What people do with cards: checked, versioned, audited, undone."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcrm.clients import closing, editing, fields
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer
from tests.calls.making import facts, rows
from tests.people import OLGA, RUSLAN, VERA, hire


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def test_a_person_and_his_organisation(writer: Writer, database: Database) -> None:
    acme = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"}, ["+74951234567"])
    typed = {
        "name": " Марина\u200b  Коваленко ",
        "organisation_id": acme,
        "email": "m@acme.example",
        "tags": ["VIP", "VIP", ""],
    }
    ann = await do(writer, editing.add_client, OLGA, typed, ["8 916 123-45-67", "+79161234567"], country="RU")
    (card,) = await rows(database, Client)
    assert (card["id"], card["name"], card["search"]) == (ann, "Марина Коваленко", "марина коваленко m@acme.example")
    assert (card["tags"], card["organisation_id"], card["version"]) == (["VIP"], acme, 1)
    numbers = await rows(database, ClientNumber)
    assert [(n["e164"], n["client_id"], n["organisation_id"]) for n in numbers] == [
        ("+74951234567", None, acme),
        ("+79161234567", ann, None),
    ]
    assert await facts(database) == [
        ("organisation.changed", {"organisation": acme}),
        ("client.created", {"client": ann}),
    ]


async def test_a_change_raises_the_version_and_leaves_a_trace_without_contents(
    writer: Writer, database: Database
) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    version = await do(writer, editing.edit_client, RUSLAN, ann, {"name": "Ann Lee", "owner_id": 8, "job": ""}, 1)
    (card,) = await rows(database, Client)
    assert (version, card["version"], card["name"], card["owner_id"], card["search"]) == (2, 2, "Ann Lee", 8, "ann lee")
    last = (await rows(database, Audit, Audit.at))[-1]
    assert (last["user_id"], last["act"], last["detail"]) == (8, "change", {"fields": ["name", "owner_id"]})


async def test_saving_what_is_there_changes_nothing(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    assert await do(writer, editing.edit_client, OLGA, ann, {"name": " Ann "}, 1) == 1
    assert len(await rows(database, Audit)) == 1


async def test_the_second_of_two_writers_sees_what_the_first_wrote(writer: Writer) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    await do(writer, editing.edit_client, OLGA, ann, {"note": "Wants two"}, 1)
    with pytest.raises(Conflict) as error:
        await do(writer, editing.edit_client, RUSLAN, ann, {"note": "Wants three"}, 1)
    assert isinstance(error.value.current, dict)
    assert (error.value.current["note"], error.value.current["version"]) == ("Wants two", 2)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "x" * 201}, "name"),
    ({"name": 5}, "name"),
    ({"email": "ann at example"}, "email"),
    ({"language": "Klingon"}, "language"),
    ({"time_zone": "../etc/passwd"}, "time_zone"),
    ({"time_zone": "Mars/Base"}, "time_zone"),
    ({"tags": "VIP"}, "tags"),
    ({"tags": [str(n) for n in range(21)]}, "tags"),
    ({"do_not_call": "yes"}, "do_not_call"),
    ({"owner_id": 999}, "owner_id"),
    ({"owner_id": True}, "owner_id"),
    ({"organisation_id": 999}, "organisation_id"),
    ({"organisation_id": 2**70}, "organisation_id"),
    ({"note": "x" * 20_001}, "note"),
    ({"version": 7}, "version"),
    ({"deleted_at": None}, "deleted_at"),
]


async def test_what_cannot_be_taken_is_named(writer: Writer) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    for typed, field in WRONG:
        with pytest.raises(Invalid) as error:
            await do(writer, editing.edit_client, OLGA, ann, typed, 1)
        assert list(error.value.fields) == [field]


async def test_a_card_needs_a_name_or_a_number(writer: Writer, database: Database) -> None:
    with pytest.raises(Invalid):
        await do(writer, editing.add_client, OLGA, {"name": " "})
    with pytest.raises(Invalid):
        await do(writer, editing.add_organisation, OLGA, {})
    with pytest.raises(Invalid):
        await do(writer, editing.add_client, OLGA, {"name": "Ann"}, ["not a number"])
    assert await rows(database, Client) == []


async def test_an_organisation_keeps_a_name(writer: Writer, database: Database) -> None:
    acme = await do(writer, editing.add_organisation, OLGA, {"name": "Acme"})
    with pytest.raises(Invalid):
        await do(writer, editing.edit_organisation, OLGA, acme, {"name": ""}, 1)
    assert await do(writer, editing.edit_organisation, OLGA, acme, {"name": "ACME Ltd"}, 1) == 2
    (row,) = await rows(database, Organisation)
    assert (row["name"], row["search"]) == ("ACME Ltd", "acme ltd")


async def test_a_number_is_added_once_and_only_to_a_card_that_is_there(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    one = await do(writer, editing.add_number, OLGA, "89161234567", client_id=ann, country="RU", label="mobile")
    same = await do(writer, editing.add_number, OLGA, "+7 916 123 45 67", client_id=ann)
    assert one == same
    (number,) = await rows(database, ClientNumber)
    assert (number["label"], number["raw"]) == ("mobile", "89161234567")
    with pytest.raises(NotFound):
        await do(writer, editing.add_number, OLGA, "+79161234567", client_id=ann + 1)
    with pytest.raises(Invalid):
        await do(writer, editing.add_number, OLGA, "+79161234567")
    with pytest.raises(NotFound):
        await do(writer, editing.remove_number, OLGA, one + 1)


async def test_only_who_may_deletes_and_it_can_be_undone(writer: Writer, database: Database) -> None:
    ann = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    with pytest.raises(NotAllowed):
        await do(writer, closing.delete_client, OLGA, ann, 1)
    await do(writer, closing.delete_client, VERA, ann, 1)
    with pytest.raises(NotFound):
        await do(writer, editing.edit_client, OLGA, ann, {"name": "Bob"}, 2)
    await do(writer, closing.restore_client, VERA, ann)
    with pytest.raises(NotFound):
        await do(writer, closing.restore_client, VERA, ann)
    (card,) = await rows(database, Client)
    assert (card["deleted_at"], card["version"]) == (None, 3)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*fields.CLIENT, "other"]), st.one_of(st.text(), st.integers(), st.none())))
def test_any_form_is_taken_or_told_why_not(typed: dict[str, Any]) -> None:
    try:
        kept = fields.checked(typed, fields.CLIENT)
    except Invalid as error:
        assert error.fields
        assert set(error.fields) <= set(typed)
    else:
        assert set(kept) == set(typed)
        assert all(len(kept[name]) <= 200 for name in ("name", "email") if name in kept)
