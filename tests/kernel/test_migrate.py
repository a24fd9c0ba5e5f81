"""Migrations: from nothing, and from any older schema with its data, to exactly the tables of this version."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, insert, inspect, select, text

from callcrm.accounts.tables import User
from callcrm.kernel import clock, fulltext, migrate
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.kernel.schema import String
from callcrm.tables import metadata


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with nothing behind it."""
    return (
        request.getfixturevalue("new_postgres_url") if request.param == "postgres" else f"sqlite:///{tmp_path}/new.db"
    )


def _differences(connection: Connection) -> list[object]:
    compared = {"compare_type": True, "compare_server_default": True, "include_name": fulltext.is_ours}
    return compare_metadata(MigrationContext.configure(connection, opts=compared), metadata)


async def test_an_empty_database_becomes_exactly_the_tables(new_url: str):
    database = await Database.open(new_url)
    async with database.read() as db:
        assert await db.run_sync(_differences) == []
        found = await db.run_sync(lambda connection: set(inspect(connection).get_table_names()))
    await database.close()
    assert {name for name in found if not fulltext.is_index(name)} == {*metadata.tables, "alembic_version"}


async def test_the_comparison_would_see_a_column_that_is_missing(new_url: str):
    database = await Database.open(new_url)
    async with database.transaction() as db:
        await db.execute(text("ALTER TABLE users DROP COLUMN theme"))
        assert [entry[0] for entry in await db.run_sync(_differences)] == ["add_column"]
    await database.close()


async def test_an_older_database_is_brought_up_with_its_data(new_url: str):
    steps = [script.revision for script in ScriptDirectory.from_config(migrate.configuration()).walk_revisions()]
    oldest = steps[-1]
    assert len(steps) > 1
    database = await Database.open(new_url)
    async with database.transaction() as db:
        await db.execute(insert(User), {"name": "anna", "role": "operator", "created_at": clock.now()})
        await db.run_sync(lambda connection: _downgrade(connection, oldest))
    await database.close()

    with pytest.raises(StartupError, match=f"schema is {oldest}, this version needs {steps[0]}; run callcrm migrate"):
        await Database.open(new_url, migrate=False)
    database = await Database.open(new_url)
    async with database.read() as db:
        assert await db.scalar(select(User.name)) == "anna"
        assert await db.run_sync(_differences) == []
    await database.close()


def _downgrade(connection: Connection, revision: str) -> None:
    config = migrate.configuration()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def test_a_newer_database_is_refused_and_left_alone(database_url: str):
    database = await Database.open(database_url)
    async with database.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for wanted in (True, False):
        with pytest.raises(StartupError, match=r"written by a newer callcrm \(schema 9999\); install that version"):
            await Database.open(database_url, migrate=wanted)
    async with database.transaction() as db:
        assert await db.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        head = ScriptDirectory.from_config(migrate.configuration()).get_current_head()
        await db.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
    await database.close()


async def test_many_that_start_at_once_migrate_once(new_url: str):
    databases = await asyncio.gather(*(Database.open(new_url) for _ in range(4)))
    async with databases[0].read() as db:
        assert await db.run_sync(_differences) == []
    for database in databases:
        await database.close()


async def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path):
    path = tmp_path / "mine.db"
    with sqlite3.connect(path) as mine:
        mine.execute("CREATE TABLE tasks (what TEXT)")
        mine.execute("INSERT INTO tasks VALUES ('feed the cat')")
    mine.close()
    with pytest.raises(StartupError, match="tasks"):
        await Database.open(f"sqlite:///{path}")
    with sqlite3.connect(path) as mine:
        assert mine.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("tasks",)]
        assert mine.execute("SELECT what FROM tasks").fetchall() == [("feed the cat",)]
    mine.close()


def test_the_next_step_is_written_from_how_the_tables_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from callcrm.migrations.__main__ import write_step

    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "FOLDER", folder)
    table = metadata.tables["users"]
    table.append_column(Column("nickname", String(30), nullable=True))
    try:
        written = write_step("Nicknames").read_text(encoding="utf-8")
    finally:
        table._columns.remove(table.c.nickname)  # type: ignore[attr-defined]
    assert "batch_op.add_column(sa.Column('nickname', String(30), nullable=True))" in written
    assert '"""Nicknames."""' in written
    compile(written, "step", "exec")
