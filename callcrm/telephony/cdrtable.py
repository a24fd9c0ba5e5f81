"""A CDR in a database's table: SQLite, PostgreSQL, MySQL or MariaDB."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, ColumnClause, Connection, DateTime, column, inspect, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from callcrm.kernel.database import reason_of
from callcrm.telephony.cdrsource import CdrSource, CdrTrouble

CONNECT_S, STATEMENT_S = 10.0, 120.0
#: The times by which rows are found, the best first.
_TIMES = ("start", "calldate", "starttime")
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
}


async def fetch(cdr: CdrSource, since: datetime) -> list[dict[str, Any]]:
    """The rows that began at `since` or later. Raises CdrTrouble."""
    engine = _engine(cdr)
    try:
        async with engine.connect() as db:
            return await _rows(db, cdr, since)
    except NoSuchTableError:
        raise CdrTrouble(
            f"There is no table {cdr.place}; set pbx.{cdr.pbx}.cdr_table to the one with the CDR."
        ) from None
    except (DBAPIError, OSError, TimeoutError) as error:
        mend = f"check pbx.{cdr.pbx}.cdr: address, user and password, and that he may read the table"
        raise CdrTrouble(f"{cdr.place} cannot be read ({reason_of(error)}); {mend}.") from None
    finally:
        await engine.dispose()


async def _rows(db: AsyncConnection, cdr: CdrSource, since: datetime) -> list[dict[str, Any]]:
    names = await db.run_sync(_columns, cdr)
    time = next((names[one] for one in _TIMES if one in names), None)
    if "uniqueid" not in names or time is None:
        lacking = "uniqueid" if time else "start or calldate"
        raise CdrTrouble(
            f"{cdr.place} has no column {lacking}; set pbx.{cdr.pbx}.cdr_table to the table with Asterisk's CDR, "
            "or add that column to it."
        )
    schema, _, bare = cdr.table.rpartition(".")
    columns: list[ColumnClause[Any]] = [column(name) for name, _ in names.values()]
    source = table(bare, *columns, schema=schema or None)
    name, kind = time
    found = await db.stream(select(source).where(source.c[name] >= _bound(cdr, kind, since)))
    return [dict(row) async for row in found.mappings()]


def _columns(connection: Connection, cdr: CdrSource) -> dict[str, tuple[str, Any]]:
    """The table's columns by their names in small letters: name as it is there, and type."""
    schema, _, bare = cdr.table.rpartition(".")
    told: Sequence[Any] = inspect(connection).get_columns(bare, schema=schema or None)
    return {str(one["name"]).lower(): (str(one["name"]), one["type"]) for one in told}


def _bound(cdr: CdrSource, kind: Any, since: datetime) -> datetime | str:
    """`since` as the column has its times: many tables hold them as text."""
    if not isinstance(kind, DateTime) or cdr.url.startswith("sqlite"):
        return f"{cdr.local(since):%Y-%m-%d %H:%M:%S}"
    return since if kind.timezone else cdr.local(since)


def _engine(cdr: CdrSource) -> AsyncEngine:
    url = _url(cdr)
    options: dict[str, Any] = {"poolclass": NullPool}
    if url.drivername.startswith("postgresql"):
        server = {"application_name": "callcrm cdr", "default_transaction_read_only": "on"}
        options["connect_args"] = {"timeout": CONNECT_S, "command_timeout": STATEMENT_S, "server_settings": server}
    elif url.drivername.startswith("mysql"):
        options["connect_args"] = {"connect_timeout": round(CONNECT_S)}
    return create_async_engine(url, **options)


def _url(cdr: CdrSource) -> URL:
    try:
        url = make_url(cdr.url)
    except (ArgumentError, ValueError):
        raise CdrTrouble(f"pbx.{cdr.pbx}.cdr is no address; write postgresql://user:password@host/asterisk.") from None
    driver = _DRIVERS[url.drivername.partition("+")[0]]
    if not driver.startswith("sqlite"):
        return url.set(drivername=driver)
    path = Path(url.database or "")
    if not path.is_file():
        raise CdrTrouble(f"{path} is not there; mount it, or set pbx.{cdr.pbx}.cdr to where Asterisk writes it.")
    # Read only: a reader that could create the file or its journal is one that could spoil it.
    uri = f"file:{quote(path.absolute().as_posix())}"
    return URL.create(driver, database=uri, query={"mode": "ro", "uri": "true", "timeout": str(CONNECT_S)})
