"""Backup and restore: every table as lines of JSON in one zip file, the same from SQLite and from PostgreSQL.

So a backup can also move the desk from one kind of database to the other. What lies outside the
database is named in the manifest, not packed: recordings belong to the PBX, settings to the admin.
"""

import base64
import json
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, LargeBinary, Row, Table, func, insert, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.schema import Moment
from callcrm.tables import metadata

FORMAT = 1
BATCH = 500
#: Work of this moment only; a restored desk must not carry it out.
LEFT_OUT = frozenset({"commands", "sessions", "sign_ins"})

Progress = Callable[[str, int], None]


class BackupError(CallcrmError):
    """The backup cannot be written or read."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What went in or out: rows by table, and when the backup was made."""

    made_at: datetime
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def _nothing(table: str, rows: int) -> None:
    """No progress asked for."""


async def backup(database: Database, path: Path, progress: Progress = _nothing) -> Summary:
    """Writes the whole database as it is at one moment; the file appears only when it is complete (mode 0600)."""
    made_at = clock.now()
    rows: dict[str, int] = {}
    part = path.with_name(path.name + ".part")
    with _told(path):
        try:
            with _created(part) as archive:
                async with database.read() as db:
                    if database.dialect == "postgresql":  # SQLite's transactions see one picture anyway.
                        await db.execution_options(isolation_level="REPEATABLE READ")
                    for table in _tables():
                        rows[table.name] = await _write_table(db, archive, table, progress)
                    revision = await db.run_sync(_revision)
                manifest = {"callcrm": FORMAT, "schema": revision, "made_at": made_at.isoformat(), "rows": rows}
                archive.writestr("manifest.json", json.dumps(manifest, indent=1) + "\n")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return Summary(made_at, rows)


async def restore(database: Database, path: Path, *, replace: bool = False, progress: Progress = _nothing) -> Summary:
    """Reads a backup into the database, in one transaction; an inhabited one is touched only with `replace`."""
    with _told(path), zipfile.ZipFile(path) as archive:
        manifest = _manifest(archive, path)
        async with database.transaction() as db:
            await _check(db, manifest, path, replace=replace)
            for table in reversed(metadata.sorted_tables):
                await db.execute(table.delete())
            rows = {}
            for table in _tables():
                rows[table.name] = await _read_table(db, archive, table, progress)
            if database.dialect == "postgresql":
                await _count_on(db)
    return Summary(datetime.fromisoformat(manifest["made_at"]), rows)


def _tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what files do wrong into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise BackupError(
            f"There is no {path}; give the name of a file that exists, in a folder that exists."
        ) from None
    except zipfile.BadZipFile:
        raise BackupError(f"{path} is no backup of callcrm, or it is cut short; take another one.") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be used ({error.strerror or error}); give another place.") from error


@contextmanager
def _created(part: Path) -> Iterator[zipfile.ZipFile]:
    """A new file that only its owner may read: it holds names, numbers and password hashes."""
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            yield archive
        file.flush()
        os.fsync(file.fileno())


async def _write_table(db: AsyncConnection, archive: zipfile.ZipFile, table: Table, progress: Progress) -> int:
    count = 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
        async for row in _rows(db, table):
            values = [_out(value) for value in row]
            lines.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
            if count % BATCH == 0:
                progress(table.name, count)
    archive.writestr(f"{table.name}.columns.json", json.dumps(table.columns.keys()))
    progress(table.name, count)
    return count


async def _rows(db: AsyncConnection, table: Table) -> AsyncIterator[tuple[Any, ...]]:
    """Every row in the order of its key, some at a time, so that a big table does not fill the memory."""
    key = list(table.primary_key.columns)
    at = [table.columns.keys().index(column.name) for column in key]
    page = select(table).order_by(*key).limit(BATCH)
    rows: Sequence[Row[Any]] = (await db.execute(page)).all()
    while rows:
        for row in rows:
            yield tuple(row)
        last = [literal(rows[-1][n], column.type) for n, column in zip(at, key, strict=True)]
        rows = (await db.execute(page.where(tuple_(*key) > tuple_(*last)))).all() if len(rows) == BATCH else []


async def _read_table(db: AsyncConnection, archive: zipfile.ZipFile, table: Table, progress: Progress) -> int:
    columns = [table.columns[name] for name in json.loads(archive.read(f"{table.name}.columns.json"))]
    count, batch = 0, []
    with archive.open(f"{table.name}.jsonl") as lines:
        for line in lines:
            batch.append({c.name: _in(c, value) for c, value in zip(columns, json.loads(line), strict=True)})
            count += 1
            if len(batch) == BATCH:
                await db.execute(insert(table), batch)
                batch = []
                progress(table.name, count)
    if batch:
        await db.execute(insert(table), batch)
    progress(table.name, count)
    return count


def _out(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _in(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, Moment):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    except (KeyError, ValueError):
        raise BackupError(f"{path} is no backup of callcrm; take another file.") from None
    if manifest.get("callcrm") != FORMAT:
        raise BackupError(f"{path} was made by a newer callcrm; restore it with that version.")
    return manifest


async def _check(db: AsyncConnection, manifest: dict[str, Any], path: Path, *, replace: bool) -> None:
    revision = await db.run_sync(_revision)
    if manifest["schema"] != revision:
        raise BackupError(
            f"{path} holds schema {manifest['schema']}, this callcrm has {revision}; "
            "restore it with the version that made it, then upgrade."
        )
    for name in ("users", "clients", "calls"):
        found = await db.scalar(select(func.count()).select_from(metadata.tables[name]))
        if found and not replace:
            raise BackupError(
                f"The database has {found} {name} already; add --replace to put the backup in their place."
            )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _count_on(db: AsyncConnection) -> None:
    """PostgreSQL counts keys apart from the rows: go on behind the highest."""
    for table in _tables():
        for column in table.primary_key.columns:
            sequence = await db.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            )
            if sequence:
                highest = await db.scalar(select(func.coalesce(func.max(column), 0)))
                await db.execute(
                    text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": (highest or 0) + 1}
                )
