"""What stands on cards besides fields: notes, consents, mails."""

from datetime import timedelta
from typing import Any

import pytest

from callcrm.clients import consents, editing, notes, queries
from callcrm.clients.tables import CardNote, ClientMail, Consent
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit, Writer
from tests.calls.making import rows
from tests.people import OLGA, RUSLAN, VERA, hire

PURPOSES = ["Recording", "Offers"]


@pytest.fixture
async def ann(writer: Writer) -> int:
    await hire(writer)
    key: int = await do(writer, editing.add_client, OLGA, {"name": "Ann"})
    return key


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def test_notes_are_paged_newest_first_and_come_back(writer: Writer, database: Database, ann: int) -> None:
    keys = [await do(writer, notes.add, OLGA, f"note {n}\r\nline", client_id=ann) for n in range(3)]
    async with database.read() as db:
        first = await notes.of(db, RUSLAN, Wanted(2), client_id=ann)
        rest = await notes.of(db, RUSLAN, Wanted(2, first.next or ""), client_id=ann)
    assert [one.text for one in (*first.items, *rest.items)] == ["note 2\nline", "note 1\nline", "note 0\nline"]
    assert not first.items[0].mine and first.items[0].person == "Olga Bondar"
    with pytest.raises(NotAllowed):
        await do(writer, notes.remove, RUSLAN, keys[0], client_id=ann)
    await do(writer, notes.remove, VERA, keys[0], client_id=ann)
    async with database.read() as db:
        assert len((await notes.of(db, OLGA, client_id=ann)).items) == 2
    await do(writer, notes.bring_back, OLGA, keys[0], client_id=ann)
    assert [row["removed_at"] for row in await rows(database, CardNote)] == [None] * 3
    with pytest.raises(NotFound):
        await do(writer, notes.add, OLGA, "x", client_id=99)
    with pytest.raises(NotFound):
        await do(writer, notes.remove, OLGA, keys[0], organisation_id=ann)


async def test_a_consent_is_given_once_and_taken_back_once(writer: Writer, database: Database, ann: int) -> None:
    async def given(unit: Unit) -> int:
        typed = {"purpose": "Offers", "how": "by phone", "given_at": unit.now - timedelta(days=3)}
        return await consents.give(unit, OLGA, ann, typed, PURPOSES)

    key = await writer.do(given, name="test")
    with pytest.raises(Invalid, match="already"):
        await do(writer, consents.give, OLGA, ann, {"purpose": "Offers"}, PURPOSES)
    for typed, wrong in (({"purpose": "Else"}, "purpose"), ({"purpose": "Recording", "how": "x" * 201}, "how")):
        with pytest.raises(Invalid) as error:
            await do(writer, consents.give, OLGA, ann, typed, PURPOSES)
        assert wrong in error.value.fields
    await do(writer, consents.withdraw, RUSLAN, ann, key, "by mail")
    with pytest.raises(NotFound):
        await do(writer, consents.withdraw, RUSLAN, ann, key)
    again = await do(writer, consents.give, OLGA, ann, {"purpose": "Offers"}, PURPOSES)
    async with database.read() as db:
        found = await consents.of(db, ann)
    assert [(one.id, one.holds, one.noted_by, one.withdrawn_by) for one in found] == [
        (again, True, "Olga Bondar", ""),
        (key, False, "Olga Bondar", "Ruslan Tkach"),
    ]
    assert len(await rows(database, Consent)) == 2


async def test_mails_keep_their_order_and_their_rows(writer: Writer, database: Database, ann: int) -> None:
    await do(writer, editing.edit_client, OLGA, ann, {"emails": ["a@x.example", "B@x.example", "b@X.example"]}, 1)
    before = {row["address"]: row["id"] for row in await rows(database, ClientMail)}
    assert list(before) == ["a@x.example", "B@x.example"]
    await do(writer, editing.edit_client, OLGA, ann, {"emails": ["c@x.example", "B@x.example"]}, 2)
    async with database.read() as db:
        card = await queries.card(db, OLGA, ann)
    assert card.emails == ("c@x.example", "B@x.example")
    after = {row["address"]: row["id"] for row in await rows(database, ClientMail)}
    assert after["B@x.example"] == before["B@x.example"]
    await do(writer, editing.edit_client, OLGA, ann, {"email": "d@x.example"}, 3)
    async with database.read() as db:
        assert (await queries.card(db, OLGA, ann)).emails == ("d@x.example", "B@x.example")
