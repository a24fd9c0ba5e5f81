"""Which errors of a database pass by themselves (locked, full, gone), and which are the statement's own."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from callcrm.kernel.errors import CallcrmError

#: SQLite's primary result codes: busy, locked, out of memory, read-only, interrupted, disk error, full, cannot open,
#: lock protocol. (An unknown table or wrong SQL is plain 1, and never passes.)
_SQLITE_PASSING = frozenset({5, 6, 7, 8, 9, 10, 13, 14, 15})
#: PostgreSQL's classes: connection, rolled back, out of resources, operator's intervention, system error;
#: and "read-only", as a standby says while it takes over.
_POSTGRES_PASSING = ("08", "40", "53", "57", "58", "25006")


class DatabaseGone(CallcrmError):
    """The database cannot be written at present; told in one sentence with the mend."""


def passes(error: BaseException) -> bool:
    """Whether it is worth trying the same again later."""
    if isinstance(error, (DatabaseGone, OSError, TimeoutError, PoolTimeout)):
        return True
    if not isinstance(error, DBAPIError):
        return isinstance(error, (asyncpg.InterfaceError, asyncpg.PostgresConnectionError))
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_PASSING
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    return state.startswith(_POSTGRES_PASSING)


def mend_of(reason: str) -> str:
    """What a person can do about `reason`, as the end of a sentence."""
    said = reason.lower()
    for word, mend in (
        ("locked", "end the program that holds it"),
        ("busy", "end the program that holds it"),
        ("full", "free space on its disk"),
        ("space", "free space on its disk"),
        ("readonly", "make it writable again"),
        ("read-only", "make it writable again"),
        ("gone", "put it back"),
        ("i/o", "check its disk"),
    ):
        if word in said:
            return mend
    return "check that its server runs and can be reached"
