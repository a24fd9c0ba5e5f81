"""Opening databases, and what each way of not opening says; what both keep alike."""

import asyncio
import os
import sqlite3
import stat
import time
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from callcrm.accounts.tables import User
from callcrm.clients.tables import Organisation
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.kernel.schema import storable
from callcrm.kernel.tables import LinkState
from callcrm.kernel.upsert import upsert


async def refused(url: str) -> str:
    with pytest.raises(StartupError) as caught:
        await Database.open(url)
    said = str(caught.value)
    assert "\n" not in said
    return said


async def test_a_bad_address_is_said_with_a_good_one():
    assert "write sqlite:///data/callcrm.db" in await refused("data/callcrm.db")
    assert "names 'mysql', which callcrm does not know" in await refused("mysql://a/b")
    assert "names no database; write it like postgresql://" in await refused("postgresql://host")
    assert "names no database; write it like sqlite:///data" in await refused("sqlite://")


async def test_a_missing_folder_is_said_with_how_to_make_it(tmp_path: Path):
    assert f"create it (mkdir -p {tmp_path / 'data'})" in await refused(f"sqlite:///{tmp_path}/data/callcrm.db")


async def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path):
    assert "is a folder" in await refused(f"sqlite:///{tmp_path}")


async def test_what_is_not_writable_is_said_with_whose_it_must_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # As root every folder is writable; what the system answers to anybody else is told here instead.
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).stat().st_mode & stat.S_IWUSR != 0)
    tmp_path.chmod(0o500)
    said = await refused(f"sqlite:///{tmp_path}/callcrm.db")
    tmp_path.chmod(0o700)
    assert f"{tmp_path} is not writable" in said
    assert "chown" in said


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "letter.db"
    path.write_text("Dear Sirs, " * 1000)
    assert "is not an SQLite database; move it away" in await refused(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear Sirs")


async def test_a_locked_file_is_said(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("callcrm.kernel.database.BUSY_S", 0.2)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program; end that program" in await refused(sqlite_url)
    holder.close()


async def test_a_server_that_is_not_there_is_said_without_the_password():
    said = await refused("postgresql://callcrm:sesame@127.0.0.1:1/callcrm")
    assert "check that the server runs" in said
    assert "sesame" not in said


@pytest.mark.postgres
async def test_a_database_that_the_server_does_not_have_is_said(postgres_server: str):
    assert "create it (createdb nothing)" in await refused(postgres_server.format("nothing"))


async def test_what_reads_cannot_write(database: Database):
    with pytest.raises(DBAPIError):
        async with database.read() as db:
            await db.execute(insert(LinkState), {"pbx": "office", "state": "up", "since": clock.now()})


async def test_reading_sees_one_picture_of_the_data(database: Database):
    async with database.transaction() as db:
        await _organisation(db, "before")
    async with database.read() as db:
        first = (await db.scalars(select(Organisation.name))).all()
        async with database.transaction() as other:
            await _organisation(other, "meanwhile")
        second = (await db.scalars(select(Organisation.name))).all()
    assert first == ["before"]
    assert second == (["before"] if database.dialect == "sqlite" else ["before", "meanwhile"])


async def _organisation(db, name: str, **more) -> None:
    await db.execute(insert(Organisation), {"name": name, "created_at": clock.now(), "changed_at": clock.now(), **more})


HOSTILE = [
    "<script>alert(1)</script>",
    "Zo\u00eb \U0001f600",
    "a\0b",
    "half \ud83d of a pair",
    "'; DROP TABLE users; --",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_kept_as_far_as_it_can_be_on_both(database: Database, name: str):
    async with database.transaction() as db:
        await _organisation(db, name, note=name, tags=[name, {name: [name]}])
    async with database.read() as db:
        found = (await db.execute(select(Organisation).where(Organisation.name == name))).one()
    clean = storable(name)
    assert found.name == clean[:200]
    assert found.note == clean
    assert found.tags == [clean, {clean: [clean]}]
    assert "\0" not in found.name


async def test_moments_come_back_aware_and_equal(database: Database):
    now = clock.now()
    async with database.transaction() as db:
        await db.execute(insert(LinkState), {"pbx": "office", "state": "up", "since": now})
    async with database.read() as db:
        found = await db.scalar(select(LinkState.since).where(LinkState.since == now))
    assert found == now
    assert found.tzinfo is not None


async def test_a_key_must_point_at_something(database: Database):
    with pytest.raises(DBAPIError):
        async with database.transaction() as db:
            await _organisation(db, "nobody's", owner_id=12345)


async def test_upsert_inserts_then_updates_and_keeps_what_it_is_told_to(database: Database):
    row = {"name": "anna", "full_name": "Anna", "role": "operator", "created_at": clock.now()}
    async with database.transaction() as db:
        await upsert(db, User, [row, row | {"name": "boris"}], key=["name"])
        await upsert(db, User, row | {"full_name": "Anna B.", "role": "admin"}, key=["name"], keep=["role"])
        await upsert(db, User, row | {"full_name": "ignored"}, key=["name"], keep=["full_name", "role", "created_at"])
        await upsert(db, User, [])
        found = (await db.execute(select(User.name, User.full_name, User.role).order_by(User.name))).all()
    assert [tuple(line) for line in found] == [("anna", "Anna B.", "operator"), ("boris", "Anna", "operator")]


async def test_sqlite_keeps_what_makes_it_safe_and_quick(sqlite_url: str):
    database = await Database.open(sqlite_url)
    wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}
    for connection in (database.read(), database.transaction()):
        async with connection as db:
            assert {name: await db.scalar(text(f"PRAGMA {name}")) for name in wanted} == wanted
    await database.close()
    await database.close()


async def test_the_wal_is_copied_back_while_everybody_works(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("callcrm.kernel.database.CHECKPOINT_S", 0.01)
    monkeypatch.setattr("callcrm.kernel.database.CHECKPOINT_BYTES", 100_000)
    database = await Database.open(sqlite_url)
    assert database.path is not None
    before = database.path.stat().st_size
    for n in range(50):
        async with database.transaction() as db:
            await _organisation(db, f"{n}", note="x" * 20_000)
    async with asyncio.timeout(20):
        while database.path.stat().st_size < before + 1_000_000:
            await asyncio.sleep(0.01)
    async with database.read() as db:
        assert len((await db.scalars(select(Organisation.id))).all()) == 50
    await database.close()


async def test_a_long_query_neither_blocks_the_loop_nor_disturbs_what_was_written_before_it(sqlite_url: str):
    database = await Database.open(sqlite_url)
    counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i FROM n"
    long = text(f"SELECT count(*) FROM ({counting})")
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - began)

    watching = asyncio.create_task(watch())
    async with database.transaction() as db:
        await _organisation(db, "before")
        began = time.perf_counter()
        assert await db.scalar(long) == 300_000
        took = time.perf_counter() - began
        assert await db.scalar(select(Organisation.name)) == "before"
    watching.cancel()
    async with database.read() as db:
        assert (await db.scalars(select(Organisation.name))).all() == ["before"]
        assert await db.scalar(long) == 300_000
    await database.close()
    assert len(gaps) >= 3
    assert min(gaps) < took / 2


async def test_a_query_of_many_rows_gives_all_of_them_in_order(sqlite_url: str):
    database = await Database.open(sqlite_url)
    rows = [{"name": f"{n:05}", "created_at": clock.now(), "changed_at": clock.now()} for n in range(5000)]
    async with database.transaction() as db:
        await db.execute(insert(Organisation), rows)
    for limit in (1, 40, 400, 5000):
        async with database.read() as db:
            found = (await db.scalars(select(Organisation.name).order_by(Organisation.name).limit(limit))).all()
        assert found == [f"{n:05}" for n in range(limit)]
    await database.close()


@pytest.mark.postgres
async def test_reading_goes_on_after_the_server_has_dropped_its_connections(postgres_url: str):
    database = await Database.open(postgres_url)
    async with database.read() as one, database.read() as two:
        for db in (one, two):
            assert await db.scalar(text("SELECT 1")) == 1
    killer = await asyncpg.connect(postgres_url)
    dropped = await killer.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert dropped >= 2
    await killer.close()
    await asyncio.sleep(0.1)
    for _ in range(3):
        async with database.read() as db:
            assert await db.scalar(text("SELECT 1")) == 1
    await database.close()
