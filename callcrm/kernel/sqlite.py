"""SQLite as callcrm opens it: one thread hop a statement, WAL, transactions that lose no update.

aiosqlite sends every step (cursor, execute, fetch, close) through its thread; on a busy
desk these hops are most of a query's time. Steps that touch no page are done in place
here, and a query fetches its rows in the hop that runs it.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from aiosqlite.context import contextmanager

T = TypeVar("T")
_CACHED_STATEMENTS = 512


class QuickCursor(aiosqlite.Cursor):
    """A cursor that holds all rows as soon as it has executed."""

    _rows: list[Any]

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "QuickCursor":
        """Run `sql` and fetch what it gives, in one hop."""
        if sql == "BEGIN" and self._connected.idle:  # a deferred one takes no lock yet
            self._rows = self._run(sql, ())
        else:
            self._rows = await self._connected._execute(self._run, sql, parameters or ())
        return self

    def _run(self, sql: str, parameters: Iterable[Any]) -> list[Any]:
        # "parameters" of execute is a sequence for qmark SQL, which is all that SQLAlchemy sends here.
        self._cursor.execute(sql, tuple(parameters))
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


class QuickConnection(aiosqlite.Connection):
    """A connection that does in place what touches no page, as long as its thread is idle."""

    read_only = False
    #: Counted up by the loop only and by the thread only, so that neither needs a lock.
    _sent = 0
    _done = 0

    @property
    def idle(self) -> bool:
        """Whether the connection's thread has nothing to do (a cancelled query may still run there)."""
        return self._sent == self._done

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        self._sent += 1
        run = cast(Callable[..., Awaitable[T]], super()._execute)
        return await run(partial(self._counted, fn), *args, **kwargs)

    def _counted(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            return fn(*args, **kwargs)
        finally:
            self._done += 1

    async def rollback(self) -> None:
        """Undo; in place where there is nothing to undo (a reader, or no transaction)."""
        if self.idle and (self.read_only or not self._conn.in_transaction):
            self._conn.rollback()
        else:
            await super().rollback()

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        """A new cursor, made in place."""
        return QuickCursor(self, self._conn.cursor())


def connector(path: Path, *, read_only: bool, busy_s: float) -> Callable[..., QuickConnection]:
    """What SQLAlchemy calls for a new connection to the file at `path`."""

    def connect(*_args: object, **_kwargs: object) -> QuickConnection:
        connection = QuickConnection(partial(_open, path, read_only, busy_s), iter_chunk_size=64)
        connection.read_only = read_only
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
        connection.execute("PRAGMA cache_size=-16000")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection
