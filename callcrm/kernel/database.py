"""The store: SQLite in a file beside the service, or PostgreSQL; the same statements on both.

`Database.open` says in one sentence what is wrong when it cannot open; `read` lends a
connection that only reads, `transaction` one that writes (the `Writer` is who uses it).
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction, create_async_engine
from sqlalchemy.pool import NullPool

from callcrm.kernel import migrate as migrations
from callcrm.kernel import sqlite
from callcrm.kernel.errors import StartupError
from callcrm.kernel.prepared import Db, driver_of
from callcrm.kernel.schema import dump_json
from callcrm.kernel.trouble import DatabaseGone

BUSY_S = 5.0
CONNECT_S = 5.0
STATEMENT_S = 30.0
CHECKPOINT_S = 2.0
CHECKPOINT_BYTES = 8_000_000
READERS = 8
WRITERS = 2


class Database:
    """One opened database; `dialect` is "sqlite" or "postgresql", `place` names it to a person (no password)."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self.path = Path(url.database or "").absolute() if self.dialect == "sqlite" else None
        self.place = str(self.path) if self.path else url.render_as_string(hide_password=True)
        self._readers = _engine(self, read_only=True)
        self._writers = _engine(self, read_only=False)
        self._file = self._identity()
        self._checkpoints: asyncio.Task[None] | None = None
        self._glancing: AsyncConnection | None = None

    @classmethod
    async def open(cls, url: str, *, migrate: bool = True) -> "Database":
        """Open the database at `url` (`sqlite:///path`, `postgresql://user:password@host/name`).

        With `migrate` the schema is brought to what this version needs; without it an older
        schema is refused. Raises StartupError with the mend.
        """
        database = cls(_parsed(url))
        if database.path:
            _check_folder(database.path)
        try:
            await database._prepare(migrate)
        except BaseException as error:
            await database.close()
            if isinstance(error, (DBAPIError, OSError, TimeoutError, asyncpg.PostgresError)):
                raise StartupError(_opening_failed(database, error)) from error
            raise
        return database

    async def _prepare(self, migrate: bool) -> None:
        engine = _engine(self, read_only=False, pooled=False)
        try:
            async with engine.connect() as connection:
                if self.dialect == "sqlite":
                    # Rebuilding a table must not fire its foreign keys; they are checked afterwards.
                    await connection.run_sync(_outside_transaction, "PRAGMA foreign_keys=OFF")
                async with connection.begin():
                    await connection.run_sync(migrations.upgrade if migrate else migrations.check)
        finally:
            await engine.dispose()
        self._file = self._identity()
        if self.path and self._checkpoints is None:
            checkpoints = sqlite.checkpoint(self.path, every_s=CHECKPOINT_S, over_bytes=CHECKPOINT_BYTES)
            self._checkpoints = asyncio.create_task(checkpoints, name="database checkpoints")

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that only reads, in one transaction (one picture of the data), given back at the end."""
        async with self._readers.connect() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def glance(self) -> AsyncIterator[Db]:
        """What prepared statements read with when each may have a picture of its own, as it is at that moment.

        On SQLite one connection is kept for this: to lend and begin one costs more than the reading.
        """
        if self.path is None:
            async with self.read() as connection:
                yield connection
            return
        if self._glancing is None:
            fresh = await self._readers.connect().start()
            if self._glancing is None:
                self._glancing = fresh
            else:
                await fresh.close()
        try:
            yield driver_of(self._glancing)
        except Exception:
            await self._end_glancing()
            raise

    async def _end_glancing(self) -> None:
        connection, self._glancing = self._glancing, None
        if connection is not None:
            await connection.close()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection that writes: committed at the end, rolled back when the block raises.

        On SQLite it holds the write lock from its beginning, so that what it read stays true.
        """
        async with self._writers.begin() as connection:
            yield connection

    def connect_writer(self) -> AsyncConnection:
        """A connection for the `Writer` to keep, not begun."""
        return self._writers.connect()

    def begun(self, connection: AsyncConnection) -> sqlite.Transaction | AsyncTransaction:
        """A transaction on the connection that the `Writer` keeps, as a context."""
        raw = driver_of(connection)
        return sqlite.Transaction(connection, raw) if isinstance(raw, sqlite.QuickConnection) else connection.begin()

    def moved(self) -> bool:
        """Whether SQLite's file is no longer the one that was opened (deleted, replaced); False on PostgreSQL.

        SQLite itself would go on writing into the deleted file, and lose it all.
        """
        return self.path is not None and self._identity() != self._file

    async def reopen(self) -> None:
        """Drop every connection and open what is there now. Raises DatabaseGone when nothing of ours is."""
        await self.close()
        if self._identity() is None and self.path:
            raise DatabaseGone(f"the file {self.path} is gone")
        try:
            await self._prepare(migrate=False)
        except StartupError as error:
            raise DatabaseGone(f"the file {self.path} was replaced by another: {error}") from error

    async def close(self) -> None:
        """Close every connection; idempotent."""
        task, self._checkpoints = self._checkpoints, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._end_glancing()
        await self._readers.dispose()
        await self._writers.dispose()

    def _identity(self) -> tuple[int, int] | None:
        if self.path is None:
            return None
        try:
            found = os.stat(self.path)  # noqa: PTH116 - called before every commit: no Path in the way
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _engine(database: Database, *, read_only: bool, pooled: bool = True) -> AsyncEngine:
    options: dict[str, Any] = {"json_serializer": dump_json}
    if pooled:
        options |= {"pool_size": READERS if read_only else WRITERS, "max_overflow": 8, "pool_timeout": STATEMENT_S}
    else:
        options |= {"poolclass": NullPool}
    if database.path:
        creator = sqlite.connector(database.path, read_only=read_only, busy_s=BUSY_S)
        engine = create_async_engine(
            database.url.set(drivername="sqlite+aiosqlite"), connect_args={"async_creator_fn": creator}, **options
        )
        event.listen(engine.sync_engine, "begin", sqlite.begin("BEGIN" if read_only else sqlite.BEGIN_WRITING))
        return engine
    server = {"application_name": "callcrm", "timezone": "UTC"}
    if read_only:
        server["default_transaction_read_only"] = "on"
    # A step of the migration may take longer than a page: an index over a million rows does.
    patience = STATEMENT_S if pooled else None
    engine = create_async_engine(
        database.url.set(drivername="postgresql+asyncpg"),
        connect_args={"timeout": CONNECT_S, "command_timeout": patience, "server_settings": server},
        **options,
    )
    event.listen(engine.sync_engine, "checkout", _still_open)
    return engine


def _still_open(connection: Any, _record: object, _proxy: object) -> None:
    # asyncpg has seen the server's good-bye by itself; SQLAlchemy's own check would cost three round trips a read.
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server has closed this connection")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StartupError(
            f"database.url {url!r} is not a database address; "
            "write sqlite:///data/callcrm.db or postgresql://user:password@host/callcrm."
        ) from None
    backend = {"postgres": "postgresql"}.get(parsed.drivername, parsed.drivername).split("+")[0]
    if backend not in ("sqlite", "postgresql"):
        raise StartupError(
            f"database.url names {backend!r}, which callcrm does not know; use sqlite:///… or postgresql://…."
        )
    if not parsed.database or parsed.database == ":memory:":
        wanted = "sqlite:///data/callcrm.db" if backend == "sqlite" else "postgresql://user:password@host/callcrm"
        raise StartupError(f"database.url names no database; write it like {wanted}.")
    return parsed.set(drivername=backend)


def _check_folder(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise StartupError(
            f"The database's folder {folder} does not exist; create it (mkdir -p {folder}) or set another database.url."
        )
    if path.is_dir():
        raise StartupError(f"The database {path} is a folder; set database.url to a file inside it.")
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise StartupError(
                f"{place} is not writable for the user that runs callcrm (uid {os.getuid()}); "
                "give it to that user (chown) or set another database.url."
            )


def _opening_failed(database: Database, error: BaseException) -> str:
    reason = reason_of(error)
    if database.path:
        if "not a database" in reason:
            return f"{database.path} is not an SQLite database; move it away or set another database.url."
        if "locked" in reason:
            return f"The database {database.path} is locked by another program; end that program and start again."
        return f"The database {database.path} cannot be opened ({reason}); mend that or set another database.url."
    if isinstance(error, (OSError, TimeoutError)):
        mend = "check that the server runs and that host and port are right"
    elif "password" in reason or "role" in reason or "authentication" in reason:
        mend = "check user and password in database.url"
    elif "database" in reason and "does not exist" in reason:
        mend = f"create it (createdb {database.url.database})"
    else:
        mend = "mend that or set another database.url"
    return f"The database at {database.place} cannot be opened ({reason}); {mend}."


def reason_of(error: BaseException) -> str:
    """What the database itself said, on one line, without SQL and parameters."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    said = str(error).split("\n", 1)[0].strip()
    said = said.split(">: ", 1)[-1] if said.startswith("<class") else said
    return said[:300] or ("no answer in time" if isinstance(error, TimeoutError) else repr(error))


def _outside_transaction(connection: Connection, statement: str) -> None:
    raw = connection.connection.dbapi_connection
    assert raw is not None
    raw.cursor().execute(statement)


async def alive(database: Database) -> None:
    """Raise when the database does not answer; for health checks."""
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))
