"""A database that is locked, full or gone: units wait, none is lost, and a person is told in words."""

import asyncio
import math
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert, select

from callcrm.kernel import writer as writer_module
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.streams import facts_after
from callcrm.kernel.tables import LinkState
from callcrm.kernel.writer import NotSaved, Unit, Writer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def link(unit: Unit, pbx: str, words: str = "") -> str:
    await unit.db.execute(insert(LinkState), {"pbx": pbx, "state": "up", "since": NOW, "words": words})
    unit.fact("link.changed", pbx=pbx)
    return pbx


async def stored(database: Database) -> tuple[list[str], list[int]]:
    async with database.read() as db:
        links = list((await db.scalars(select(LinkState.pbx).order_by(LinkState.pbx))).all())
        return links, [fact.position for fact in await facts_after(db, "desk", 0, 1000)]


async def until(said: object, *, within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not said():  # type: ignore[operator]
            await asyncio.sleep(0.01)


@pytest.fixture
async def on_sqlite(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr("callcrm.kernel.database.BUSY_S", 0.1)
    database = await Database.open(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
async def writing(on_sqlite: Database) -> AsyncIterator[Writer]:
    async with Writer(on_sqlite, LocalBus(on_sqlite), patience_s=20) as opened:
        yield opened


async def test_a_locked_database_delays_units_and_loses_none(on_sqlite: Database, writing: Writer):
    holder = sqlite3.connect(on_sqlite.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.create_task(writing.do(lambda unit, n=n: link(unit, f"p{n}"), name="link")) for n in range(5)]
    await until(lambda: not writing.health.well)
    assert f"The database {on_sqlite.path} cannot be written (database is locked)" in writing.health.words
    assert "end the program that holds it" in writing.health.words
    holder.execute("ROLLBACK")
    holder.close()
    assert await asyncio.gather(*waiting) == [f"p{n}" for n in range(5)]
    assert await stored(on_sqlite) == ([f"p{n}" for n in range(5)], [1, 2, 3, 4, 5])
    await until(lambda: writing.health.well)


async def test_patience_ends_with_a_sentence_and_nothing_is_stored(on_sqlite: Database, writing: Writer):
    holder = sqlite3.connect(on_sqlite.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    endless = asyncio.create_task(writing.do(lambda unit: link(unit, "endless"), name="link", patience_s=math.inf))
    with pytest.raises(NotSaved, match=r"Not saved in 0\.3 s: The database .* \(database is locked\); end the program"):
        await writing.do(lambda unit: link(unit, "impatient"), name="link", patience_s=0.3)
    holder.execute("ROLLBACK")
    holder.close()
    assert await endless == "endless"
    assert (await stored(on_sqlite))[0] == ["endless"]


async def test_a_full_queue_makes_who_comes_wait_and_then_says_so(on_sqlite: Database):
    holder = sqlite3.connect(on_sqlite.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    async with Writer(on_sqlite, LocalBus(on_sqlite), queue=2) as small:
        accepted = [asyncio.create_task(small.do(lambda unit: link(unit, "p0"), name="link"))]
        await until(lambda: not small.health.well)
        accepted += [asyncio.create_task(small.do(lambda unit, n=n: link(unit, f"p{n}"), name="l")) for n in (1, 2)]
        await until(lambda: small.health.waiting == 2)
        with pytest.raises(NotSaved):
            await small.do(lambda unit: link(unit, "too much"), name="link", patience_s=0.2)
        holder.execute("ROLLBACK")
        holder.close()
        await asyncio.gather(*accepted)
    assert (await stored(on_sqlite))[0] == ["p0", "p1", "p2"]


async def test_a_full_disk_delays_units_until_there_is_room(on_sqlite: Database, writing: Writer):
    await writing.do(lambda unit: link(unit, "before"), name="link")

    async def limit(unit: Unit, pages: int) -> None:
        # What SQLite answers when the file cannot grow is the same as on a disk that is full.
        await unit.db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await writing.do(lambda unit: limit(unit, 1), name="no more room")
    big = asyncio.create_task(writing.do(lambda unit: _big(unit), name="big"))  # noqa: PLW0108
    await until(lambda: not writing.health.well)
    assert "(database or disk is full); free space on its disk" in writing.health.words
    # The limit is the connection's: a connection after a failure is a new one, with room.
    assert await big is None
    assert (await stored(on_sqlite))[0][0] == "before"


async def _big(unit: Unit) -> None:
    for n in range(200):
        await unit.db.execute(
            insert(LinkState), {"pbx": f"q{n}", "state": "up", "since": NOW, "detail": {"x": "y" * 5000}}
        )


async def test_a_file_that_vanished_is_noticed_and_nothing_is_written_into_the_void(
    on_sqlite: Database, writing: Writer
):
    await writing.do(lambda unit: link(unit, "before"), name="link")
    assert on_sqlite.path is not None
    away = on_sqlite.path.with_suffix(".away")
    for suffix in ("", "-wal", "-shm"):
        shutil.move(f"{on_sqlite.path}{suffix}", f"{away}{suffix}")
    waiting = asyncio.create_task(writing.do(lambda unit: link(unit, "meanwhile"), name="link"))
    await until(lambda: not writing.health.well)
    assert f"the file {on_sqlite.path} is gone); put it back" in writing.health.words
    assert not on_sqlite.path.exists()
    for suffix in ("", "-wal", "-shm"):
        if Path(f"{away}{suffix}").exists():
            shutil.move(f"{away}{suffix}", f"{on_sqlite.path}{suffix}")
    assert await waiting == "meanwhile"
    assert await stored(on_sqlite) == (["before", "meanwhile"], [1, 2])


async def test_a_file_that_was_replaced_by_a_strange_one_is_not_written(
    on_sqlite: Database, writing: Writer, sqlite_template: Path
):
    await writing.do(lambda unit: link(unit, "before"), name="link")
    assert on_sqlite.path is not None
    for suffix in ("", "-wal", "-shm"):
        Path(f"{on_sqlite.path}{suffix}").unlink()
    sqlite3.connect(on_sqlite.path).close()
    waiting = asyncio.create_task(writing.do(lambda unit: link(unit, "after"), name="link"))
    await until(lambda: not writing.health.well)
    assert "was replaced by another" in writing.health.words
    shutil.copy(sqlite_template, on_sqlite.path)
    assert await waiting == "after"
    assert await stored(on_sqlite) == (["after"], [1])


async def test_a_unit_that_breaks_the_transaction_does_not_break_the_others(database: Database, writer: Writer):
    async def wrong(unit: Unit) -> None:
        await link(unit, "wrong")
        raise OSError("a file that the unit should not have read")

    results = await asyncio.gather(
        writer.do(lambda unit: link(unit, "a"), name="a"),
        writer.do(wrong, name="wrong"),
        writer.do(lambda unit: link(unit, "b"), name="b"),
        return_exceptions=True,
    )
    assert results[0] == "a"
    assert isinstance(results[1], OSError)
    assert results[2] == "b"
    assert await stored(database) == (["a", "b"], [1, 2])


async def test_a_unit_that_takes_too_long_is_ended(database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer_module, "ATTEMPT_S", 0.3)

    async def endless(unit: Unit) -> None:
        await link(unit, "endless")
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await writer.do(endless, name="endless")
    monkeypatch.setattr(writer_module, "ATTEMPT_S", 20)
    assert await writer.do(lambda unit: link(unit, "next"), name="next") == "next"
    assert await stored(database) == (["next"], [1])


async def test_who_gives_up_waiting_does_not_disturb_the_others(database: Database, writer: Writer):
    given_up = asyncio.create_task(writer.do(lambda unit: link(unit, "given up"), name="link"))
    kept = asyncio.create_task(writer.do(lambda unit: link(unit, "kept"), name="link"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await kept == "kept"
    assert await writer.do(lambda unit: link(unit, "next"), name="link") == "next"
    links, positions = await stored(database)
    assert {"kept", "next"} <= set(links)
    assert positions == list(range(1, len(links) + 1))


async def test_after_close_a_unit_is_refused_in_words(database: Database):
    writer = Writer(database, LocalBus(database))
    writer.start()
    await writer.close()
    with pytest.raises(NotSaved, match="shutting down"):
        await writer.do(lambda unit: link(unit, "late"), name="link")


@pytest.mark.postgres
async def test_a_server_that_drops_its_connections_delays_units_and_loses_none(postgres_url: str):
    database = await Database.open(postgres_url)
    killer = await asyncpg.connect(postgres_url)
    drop = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with Writer(database, LocalBus(database)) as writer:
        waiting = [
            asyncio.create_task(writer.do(lambda unit, n=n: link(unit, f"p{n:03}"), name="l")) for n in range(100)
        ]
        for _ in range(5):
            await asyncio.sleep(0.02)
            await killer.execute(drop)
        names = await asyncio.gather(*waiting)
        assert await stored(database) == (names, list(range(1, 101)))
    await killer.close()
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_is_read_only_for_a_while_delays_units(postgres_url: str):
    database = await Database.open(postgres_url)
    admin = await asyncpg.connect(postgres_url)
    name = postgres_url.split("?")[0].rsplit("/", 1)[1]
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with Writer(database, LocalBus(database)) as writer:
        waiting = asyncio.create_task(writer.do(lambda unit: link(unit, "patient"), name="link"))
        await until(lambda: not writer.health.well)
        assert "read-only transaction); make it writable again" in writer.health.words
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        assert await waiting == "patient"
    assert (await stored(database))[0] == ["patient"]
    await admin.close()
    await database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("lost", ["the answer", "the commit"])
async def test_a_connection_lost_in_the_commit_neither_doubles_nor_loses_a_unit(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, lost: str
):
    from asyncpg.transaction import Transaction

    real = Transaction.commit
    faults = []

    async def commit(transaction: Transaction) -> None:
        if faults:
            await real(transaction)
            return
        faults.append(lost)
        if lost == "the answer":
            await real(transaction)
        transaction._connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    database = await Database.open(postgres_url)
    bus = LocalBus(database)
    told = bus.subscribe("test")
    monkeypatch.setattr(Transaction, "commit", commit)
    async with Writer(database, bus) as writer:
        waiting = [asyncio.create_task(writer.do(lambda unit, n=n: link(unit, f"p{n}"), name="l")) for n in range(5)]
        assert await asyncio.gather(*waiting) == [f"p{n}" for n in range(5)]
        assert writer.health.well
    assert faults == [lost]
    assert await stored(database) == ([f"p{n}" for n in range(5)], [1, 2, 3, 4, 5])
    assert [(await anext(told)).position for _ in range(5)] == [1, 2, 3, 4, 5]
    await database.close()
