"""Calls that ended while nobody listened: they do not stay open for ever, and nobody who waited is forgotten."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from callcrm.calls.tables import CallRow
from callcrm.calls.unfinished import end_unknown, open_since
from callcrm.kernel.database import Database
from callcrm.kernel.tables import FactRow
from callcrm.kernel.writer import Writer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def fill(database: Database) -> None:
    call = {"pbx": "office", "uniqueid": "1.1", "direction": "inbound", "state": "ringing"}
    rows = [
        {**call, "id": "waited", "began": NOON, "at": NOON},
        {**call, "id": "talked", "began": NOON, "at": NOON + timedelta(minutes=1), "answered_at": NOON},
        {**call, "id": "goes-on", "began": NOON, "at": NOON + timedelta(minutes=2)},
        {**call, "id": "elsewhere", "began": NOON, "at": NOON - timedelta(hours=1), "pbx": "other"},
    ]
    async with database.transaction() as db:
        for row in rows:
            await db.execute(insert(CallRow), row)


async def test_what_the_snapshot_does_not_know_is_ended(database: Database, writer: Writer) -> None:
    await fill(database)
    ended = await writer.do(lambda unit: end_unknown(unit, "office", {"goes-on"}), name="settle")
    assert sorted(ended) == ["talked", "waited"]
    async with database.read() as db:
        told = select(CallRow.id, CallRow.state, CallRow.outcome, CallRow.missed, CallRow.total_s).order_by(CallRow.id)
        rows = {row.id: tuple(row)[1:] for row in await db.execute(told)}
        facts = [row.ids["call"] for row in await db.execute(select(FactRow.ids).where(FactRow.kind == "call.ended"))]
    assert rows["waited"] == ("ended", "missed", True, None)
    assert rows["talked"] == ("ended", "answered", False, None)
    assert rows["goes-on"][0] == rows["elsewhere"][0] == "ringing"
    assert sorted(facts) == ["talked", "waited"]


async def test_the_journal_is_read_from_the_oldest_open_call_on(database: Database, writer: Writer) -> None:
    await fill(database)
    async with database.read() as db:
        assert await open_since(db, "office") == NOON
        assert await open_since(db, "nowhere") is None
