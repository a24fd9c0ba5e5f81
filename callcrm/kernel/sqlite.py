"""SQLite as callcrm opens it: few thread hops, WAL, transactions that lose no update.

aiosqlite sends every step (cursor, execute, fetch, close) through a thread; on a busy desk
these hops are most of a query's time. So what is surely short is done in place (opening
and ending transactions, inserting a few rows: microseconds, nothing waits for the disk).
A query is begun in place and given up when it proves long; then it runs in the thread and
fetches its rows in the same hop. `checkpoint` keeps the one slow step of WAL, the copying
back into the file, away from the writer.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
import structlog
from aiosqlite.context import contextmanager
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only

from callcrm.kernel import fulltext

log = structlog.get_logger(__name__)

T = TypeVar("T")
#: What the driver raises.
sqlite_errors = (sqlite3.Error, sqlite3.Warning)
BEGIN_WRITING = "BEGIN IMMEDIATE"
_CACHED_STATEMENTS = 512
#: Rows that are inserted in place at most; more go through the thread.
FEW = 32
_BUSY_PAUSE_S = 0.004
#: How long a query may be to be answered in place: a page of rows by an index, half a millisecond. What is given up
#: has to be done once more, in the thread.
_STEPS = 10_000
#: Pages (4 kB) at which a commit copies the WAL back itself, if `checkpoint` does not get to it.
_CHECKPOINT_PAGES = 25_000


class QuickCursor(aiosqlite.Cursor):
    """A cursor that holds all rows as soon as it has executed."""

    _rows: list[Any]
    brief = False

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "QuickCursor":
        """Run `sql` and fetch what it gives, in place or in one hop; a lock is waited for without blocking."""
        values = tuple(parameters or ())
        deadline = 0.0
        while True:
            try:
                self._rows = await self._once(sql, values)
            except sqlite3.OperationalError as error:
                now = asyncio.get_running_loop().time()
                deadline = deadline or now + self._connected.busy_s
                if not _is(error, sqlite3.SQLITE_BUSY) or now > deadline:
                    raise
            else:
                return self
            await asyncio.sleep(_BUSY_PAUSE_S)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> "QuickCursor":
        """Run `sql` with each of `parameters`, in place when they are few."""
        rows = list(parameters)
        if self._connected.idle and len(rows) <= FEW and is_short(sql):
            self._cursor.executemany(sql, rows)
        else:
            await self._connected._execute(self._cursor.executemany, sql, rows)
        self._rows = []
        return self

    async def _once(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        if self._connected.idle:
            if self.brief or is_short(sql):
                return self._run(sql, values)
            # What the full text does within one of SQLite's steps nobody can interrupt.
            if sql.startswith("SELECT") and " MATCH " not in sql:
                try:
                    return self._run_briefly(sql, values)
                except sqlite3.OperationalError as error:
                    if not _is(error, sqlite3.SQLITE_INTERRUPT):
                        raise
        return await self._connected._execute(self._run, sql, values)

    def _run_briefly(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        """Run a query that only reads, and interrupt it when it takes more than _STEPS of SQLite's machine."""
        raw = self._cursor.connection
        raw.set_progress_handler(_enough, _STEPS)
        try:
            return self._run(sql, values)
        finally:
            raw.set_progress_handler(None, 0)

    def _run(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        self._cursor.execute(sql, values)
        return self._cursor.fetchall() if self._cursor.description else []

    async def fetchall(self) -> Iterable[sqlite3.Row]:
        """The rows that came with `execute`."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the cursor; its statement is done, so nothing waits for a thread."""
        if self._connected.idle:
            self._cursor.close()
        else:
            await self._connected._execute(self._cursor.close)

    @property
    def _connected(self) -> "QuickConnection":
        return cast(QuickConnection, self._conn)


def is_short(sql: str) -> bool:
    """Whether a statement surely takes microseconds, whatever the tables hold."""
    return sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE")) or (sql.startswith("INSERT") and "SELECT" not in sql)


def _is(error: sqlite3.Error, code: int) -> bool:
    return error.sqlite_errorcode & 0xFF == code


def _enough() -> int:
    return 1


class QuickConnection(aiosqlite.Connection):
    """A connection that does in place what touches no page, as long as its thread is idle."""

    read_only = False
    busy_s = 0.0
    #: Counted up by the loop only and by the thread only, so that neither needs a lock.
    _sent = 0
    _done = 0

    @property
    def idle(self) -> bool:
        """Whether the connection's thread has nothing to do (a cancelled query may still run there)."""
        return self._sent == self._done

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._sent += 1
        self._tx.put_nowait((None, partial(self._in_thread, loop, future, partial(fn, *args, **kwargs))))
        return await future

    def _in_thread(self, loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", work: Callable[[], T]) -> None:
        tell: Callable[[], None]
        try:
            tell = partial(_set, future, work(), None)
        except BaseException as error:
            tell = partial(_set, future, None, error)
        self._done += 1
        try:
            loop.call_soon_threadsafe(tell)
        except RuntimeError:
            # Who asked was cancelled, and his loop has ended since: nobody waits for this.
            log.debug("a query ended after its loop")

    def stop(self) -> None:
        """End the thread after what it has to do; nobody needs to wait for that."""
        self._running = False
        self._tx.put_nowait((None, self._close_in_thread))

    def _close_in_thread(self) -> object:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        return aiosqlite.core._STOP_RUNNING_SENTINEL

    async def rows(self, sql: str, values: Sequence[Any], *, brief: bool = False) -> list[Any]:
        """Run one statement and give its rows, without anything around it; `brief`: surely short, whatever it is."""
        cursor = QuickCursor(self, self._conn.cursor())
        cursor.brief = brief
        return (await cursor.execute(sql, values))._rows

    def at_once(self, sql: str, values: Sequence[Any]) -> list[Any] | None:
        """The same for a statement that is surely short, in place; None when it must wait for a thread or a lock."""
        if not self.idle:
            return None
        try:
            cursor = self._conn.execute(sql, values)
        except sqlite3.OperationalError as error:
            if _is(error, sqlite3.SQLITE_BUSY):
                return None
            raise
        return cursor.fetchall() if cursor.description else []

    async def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement with each of `rows`."""
        await QuickCursor(self, self._conn.cursor()).executemany(sql, rows)

    async def commit(self) -> None:
        """Commit in place: in WAL with synchronous=NORMAL this writes to the page cache and waits for no disk."""
        if self.idle:
            self._conn.commit()
        else:
            await super().commit()

    async def rollback(self) -> None:
        """Undo, in place."""
        if self.idle:
            self._conn.rollback()
        else:
            await super().rollback()

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        """A new cursor, made in place."""
        return QuickCursor(self, self._conn.cursor())


def as_sqlalchemy(sql: str, error: Exception) -> BaseException:
    """What the driver raised, as everybody who judges errors knows it."""
    return DBAPIError.instance(sql, None, error, Exception)


def begin(sql: str) -> Callable[[Connection], None]:
    """What SQLAlchemy calls at the beginning of a transaction: `sql`, in place, a lock being waited for.

    Nothing where `Transaction` has begun it.
    """

    def begun(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert isinstance(raw, QuickConnection)
        if raw.in_transaction:
            return
        try:
            await_only(raw.rows(sql, ()))
        except sqlite_errors as error:
            raise as_sqlalchemy(sql, error) from error

    return begun


class Transaction:
    """A transaction that writes, on a connection that is kept: committed at the end, rolled back when the block raises.

    Begun and ended in place; SQLAlchemy has part in it only when one of its own statements was run.
    """

    def __init__(self, connection: AsyncConnection, raw: QuickConnection) -> None:
        self._connection = connection
        self._raw = raw

    async def __aenter__(self) -> "Transaction":
        await self._told(self._raw.rows(BEGIN_WRITING, ()), BEGIN_WRITING)
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            await self.rollback()
        elif self._connection.in_transaction():
            await self._connection.commit()
        elif self._raw.in_transaction:
            try:
                await self._told(self._raw.commit(), "COMMIT")
            except Exception:
                await self.rollback()
                raise

    async def rollback(self) -> None:
        """Undo it all; the block may end afterwards."""
        if self._connection.in_transaction():
            await self._connection.rollback()
        elif self._raw.in_transaction:
            await self._told(self._raw.rollback(), "ROLLBACK")

    async def _told(self, work: Awaitable[object], sql: str) -> None:
        try:
            await work
        except sqlite_errors as error:
            raise as_sqlalchemy(sql, error) from error


def _set(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def connector(path: Path, *, read_only: bool, busy_s: float) -> Callable[..., QuickConnection]:
    """What SQLAlchemy calls for a new connection to the file at `path`."""

    def connect(*_args: object, **_kwargs: object) -> QuickConnection:
        connection = QuickConnection(partial(_open, path, read_only, busy_s), iter_chunk_size=64)
        connection.read_only = read_only
        connection.busy_s = busy_s
        connection._thread.daemon = True
        return connection

    return connect


def _open(path: Path, read_only: bool, busy_s: float) -> sqlite3.Connection:
    # isolation_level None: the driver opens no transaction of its own accord (it would be a deferred one,
    # in which two tasks that read and then write lose each other's updates).
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=busy_s, check_same_thread=False, cached_statements=_CACHED_STATEMENTS
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-10000")
        connection.execute(fulltext.SPELLED)
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        # A lock is waited for in the loop (QuickCursor.execute), not in a blocking call.
        connection.execute("PRAGMA busy_timeout=0")
    except BaseException:
        connection.close()
        raise
    return connection


async def checkpoint(path: Path, *, every_s: float, over_bytes: int) -> None:
    """Copy the WAL back into the file at `path` whenever it has grown over `over_bytes`, until cancelled.

    PASSIVE on a connection of its own: neither readers nor the writer wait for it.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(_checkpoint, path, over_bytes)
        except (OSError, sqlite3.Error) as error:
            log.warning("the WAL could not be copied back into the database", error=str(error))


def _checkpoint(path: Path, over_bytes: int) -> None:
    wal = Path(f"{path}-wal")
    if not wal.exists() or wal.stat().st_size <= over_bytes:
        return
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    finally:
        connection.close()
