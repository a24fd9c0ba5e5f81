"""A prepared statement gives what the same statement gives when SQLAlchemy runs it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from callcrm.calls.tables import CallRow, Pop
from callcrm.clients.tables import Client
from callcrm.kernel.database import Database
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.sqlite import QuickConnection
from callcrm.kernel.tables import FactRow
from callcrm.kernel.trouble import passes
from callcrm.kernel.writer import Unit, Writer

AT = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)

_COLUMNS = (CallRow.id, CallRow.at, CallRow.ended_at, CallRow.missed, CallRow.match, CallRow.talks, CallRow.wait_s)
_OF = (
    select(*_COLUMNS, CallRow.state.label("stands"))
    .where(CallRow.id.in_(bindparam("ids", expanding=True)), CallRow.direction == "inbound")
    .order_by(CallRow.id)
    .limit(3)
)
OF = Prepared(_OF)
ADD = Prepared(insert(CallRow))
ADD_CARD = Prepared(insert(Client).returning(Client.id))


def call(key: str, **more: Any) -> dict[str, Any]:
    row = {"began": AT.replace(microsecond=0), "id": key, "pbx": "office", "uniqueid": key, "direction": "inbound"}
    return row | {"at": AT, "match": {"step": "new"}, "wait_s": 1.5, "missed": True, "state": "talking"} | more


async def test_gives_what_the_statement_gives(database: Database) -> None:
    async with database.transaction() as db:
        await ADD.run(db, [call("a"), call("b", match=None, wait_s=None), call("c", direction="internal")])
        for ids in (["a"], ["a", "b"], ["b", "c", "nobody"], ["a", "b", "c", "x", "y"], []):
            plain = (await db.execute(_OF, {"ids": ids})).all()
            quick = await OF.all(db, {"ids": ids})
            assert [tuple(row) for row in quick] == [tuple(row) for row in plain]
        first = await OF.first(db, {"ids": ["a"]})
    assert (first.at, first.missed, first.match, first.talks, first.stands) == (
        AT,
        True,
        {"step": "new"},
        [],
        "talking",
    )


async def test_writes_the_defaults_of_the_tables(database: Database) -> None:
    async with database.transaction() as db:
        row = {"at": AT, "id": "p", "call_id": "c", "user_id": 7}
        await Prepared(insert(Pop)).run(db, row)
        stored = (await db.execute(select(Pop.state, Pop.reason, Pop.sent_at))).one()
    assert tuple(stored) == ("offered", "", None)


async def test_gives_the_key_of_what_it_inserted(database: Database) -> None:
    async with database.transaction() as db:
        keys = [await ADD_CARD.scalar(db, {"name": name, "created_at": AT, "changed_at": AT}) for name in "ab"]
        assert keys == list((await db.execute(select(Client.id).order_by(Client.id))).scalars())


async def test_keeps_hostile_text_as_the_tables_do(database: Database) -> None:
    async with database.transaction() as db:
        await ADD.run(db, call("x", name="a\0\ud800b" + "n" * 300, match={"said": "\0\ud800"}))
        found = await db.execute(select(CallRow.name, CallRow.match))
        name, match = found.one()
    assert (len(name), name[:3], "\0" in match["said"]) == (200, "a\ufffdb", False)


async def test_changes_rows_by_key(database: Database) -> None:
    change = Prepared(
        update(CallRow)
        .where(CallRow.id == bindparam("b_id"))
        .values(ended_at=bindparam("b_at", type_=CallRow.at.type)),
        keyed=True,
    )
    async with database.transaction() as db:
        await ADD.run(db, [call("a"), call("b")])
        await change.run(db, {"b_id": "b", "b_at": AT})
        ended = await db.execute(select(CallRow.id, CallRow.ended_at).order_by(CallRow.id))
        assert [tuple(row) for row in ended] == [("a", None), ("b", AT)]


async def test_a_refused_row_is_an_error_that_does_not_pass(database: Database) -> None:
    add = Prepared(insert(FactRow))
    row = {"at": AT, "stream": "desk", "position": 1, "kind": "call.began", "ids": {}}
    async with database.transaction() as db:
        await add.run(db, row)
    with pytest.raises(IntegrityError) as refused:
        async with database.transaction() as db:
            await add.run(db, row)
    assert not passes(refused.value)


async def test_a_lock_is_an_error_that_passes(tmp_path: Any) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/locked.db")
    async with database.transaction() as holder:
        await ADD.run(holder, call("a"))
        async with database._writers.connect() as other:
            raw = other.sync_connection.connection.driver_connection  # type: ignore[union-attr]
            assert isinstance(raw, QuickConnection)
            raw.busy_s = 0.02
            with pytest.raises(OperationalError) as locked:
                await Prepared(insert(Pop)).run(other, {"at": AT, "id": "p", "call_id": "c", "user_id": 7})
            raw.busy_s = 5.0
    await database.close()
    assert passes(locked.value)


async def test_a_glance_sees_what_was_committed_since_the_last_one(database: Database) -> None:
    seen = []
    for key in ("a", "b"):
        async with database.transaction() as db:
            await ADD.run(db, call(key))
        async with database.glance() as glance:
            seen.append([row.id for row in await OF.all(glance, {"ids": ["a", "b"]})])
    assert seen == [["a"], ["a", "b"]]


async def test_a_glance_reads_on_after_a_failure_within_it(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.glance():
            raise ZeroDivisionError
    async with database.glance() as glance:
        assert await OF.all(glance, {"ids": ["a"]}) == []


async def test_prepared_and_plain_statements_are_one_transaction_of_the_writer(
    database: Database, writer: Writer
) -> None:
    async def work(unit: Unit, fails: bool) -> None:
        await ADD.run(unit.db, call("a"))
        await unit.db.execute(update(CallRow).values(state="ended"))
        if fails:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await writer.do(lambda unit: work(unit, True), name="fails")
    async with database.glance() as glance:
        assert await OF.all(glance, {"ids": ["a"]}) == []
    await writer.do(lambda unit: work(unit, False), name="holds")
    async with database.glance() as glance:
        assert [row.stands for row in await OF.all(glance, {"ids": ["a"]})] == ["ended"]
