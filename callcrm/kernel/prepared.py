"""Statements that run many times a second: compiled once, then handed straight to SQLite.

SQLAlchemy's own way from a statement to its rows costs 0.25 to 0.4 ms of processor each time, most of it
between Python's frames; on a busy desk that is what makes pops late. A `Prepared` is the same statement with
the same types: its text, the order of its parameters and what becomes of each value are worked out once per
set of parameter names. On PostgreSQL, whose driver keeps statements prepared by itself, it runs as always.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy
from sqlalchemy import Delete, Dialect, Executable, Insert, Select, Update
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from callcrm.kernel.schema import dump_json
from callcrm.kernel.sqlite import FEW, QuickConnection, as_sqlalchemy, sqlite_errors

Values = Mapping[str, Any]
Found: TypeAlias = Any  # a row: its columns are named, and known only to the statement
#: What a prepared statement runs on: a connection, or what `Database.glance` lends.
Db: TypeAlias = AsyncConnection | QuickConnection
_Process: TypeAlias = "Callable[[Any], Any] | None"
_Place: TypeAlias = "tuple[str | None, int, Any, _Process]"

#: As the engines of `Database` have it.
_DIALECT: Dialect = aiosqlite.dialect(json_serializer=dump_json)


class Prepared:
    """One statement of SQLAlchemy Core, to be run with values by name, in a transaction of the writer or alone.

    `keyed` says that an UPDATE or DELETE finds its few rows by a key, so that it may run in the event loop.
    Run on a connection that reads and has not begun, each statement on SQLite has a picture of its own.
    """

    def __init__(self, statement: Executable, *, keyed: bool = False) -> None:
        self.statement = statement
        self._keyed = keyed
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._expanding = _expanding(statement)

    async def all(self, db: Db, values: Values | None = None) -> Sequence[Found]:
        """Every row that it gives."""
        given = values or {}
        raw = driver_of(db)
        if not isinstance(raw, QuickConnection):
            return (await raw.execute(self.statement, given)).all()
        plan = self._plan(given)
        try:
            rows = await raw.rows(plan.sql, plan.bound(given), brief=self._keyed)
        except sqlite_errors as error:
            raise as_sqlalchemy(plan.sql, error) from error
        return plan.read(rows)

    async def first(self, db: Db, values: Values | None = None) -> Found | None:
        """The first row, if any."""
        rows = await self.all(db, values)
        return rows[0] if rows else None

    async def scalar(self, db: Db, values: Values | None = None) -> Any:
        """The first column of the first row; None when there is none."""
        rows = await self.all(db, values)
        return rows[0][0] if rows else None

    async def run(self, db: AsyncConnection, values: Values | Sequence[Values]) -> None:
        """Change what it changes, once with each of `values`, which all have the same names."""
        raw = driver_of(db)
        many: Sequence[Values] = [values] if isinstance(values, Mapping) else values
        if not isinstance(raw, QuickConnection):
            await raw.execute(self.statement, values)
            return
        if not many:
            return
        plan = self._plan(many[0])
        try:
            if len(many) > FEW:
                await raw.many(plan.sql, [plan.bound(one) for one in many])
                return
            for one in many:
                await raw.rows(plan.sql, plan.bound(one), brief=self._keyed)
        except sqlite_errors as error:
            raise as_sqlalchemy(plan.sql, error) from error

    def _plan(self, values: Values) -> "_Plan":
        key: tuple[Any, ...] = tuple(values)
        if self._expanding:
            key += tuple(len(values[name]) for name in self._expanding)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _plan(self.statement, values)
        return plan


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement as SQLite takes it. `places`: each parameter's name (or none), place in a list, constant, process."""

    sql: str
    places: tuple[_Place, ...]
    processes: tuple[tuple[int, Callable[[Any], Any]], ...]
    shape: Callable[..., Found]

    def bound(self, values: Values) -> list[Any]:
        """The values in the order of the statement's places."""
        bound = []
        for name, place, constant, process in self.places:
            if name is None:
                bound.append(constant)
                continue
            value = values[name] if place < 0 else values[name][place]
            bound.append(value if process is None else process(value))
        return bound

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Found]:
        """Rows with names and with Python's types."""
        found = []
        for row in rows:
            columns = list(row)
            for place, process in self.processes:
                columns[place] = process(columns[place])
            found.append(self.shape(columns))
        return found


def _expanding(statement: Executable) -> tuple[str, ...]:
    assert isinstance(statement, sqlalchemy.ClauseElement)
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return tuple(bind.key for bind in compiled.binds.values() if bind.expanding and bind.value is None)


def _plan(statement: Executable, values: Values) -> _Plan:
    assert isinstance(statement, sqlalchemy.ClauseElement)
    names = None if isinstance(statement, Select) else list(values)
    compiled = statement.compile(dialect=_DIALECT, column_keys=names)
    assert isinstance(compiled, SQLCompiler)
    state = compiled.construct_expanded_state(dict(values), escape_names=False)
    sources = {
        one: (name, place) for name, several in state.parameter_expansion.items() for place, one in enumerate(several)
    }
    constants = {**state.parameters, **_defaults(compiled)}
    places: list[_Place] = []
    for name in state.positiontup or ():
        source, place = sources.get(name, (name, -1))
        process = compiled.binds[source].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        if source in values:
            places.append((source, place, None, process))
        else:
            places.append((None, -1, process(constants[name]) if process else constants[name], None))
    columns = _columns(statement)
    processes = [column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in columns]
    row = namedtuple("Row", [column.key or "" for column in columns], rename=True)  # type: ignore[misc]
    reading = tuple((n, process) for n, process in enumerate(processes) if process is not None)
    return _Plan(state.statement, tuple(places), reading, row._make)


def _defaults(compiled: SQLCompiler) -> dict[str, Any]:
    """What the tables' own defaults put into columns that no value is given for."""
    defaults = {}
    for column in (*compiled.insert_prefetch, *compiled.update_prefetch):
        default = column.default if compiled.isinsert else column.onupdate
        assert default is not None
        value = getattr(default, "arg", None)
        if callable(value):
            value = value(None)
            if value:
                raise ValueError(f"the default of {column} is not always the same: give the value")
        defaults[column.key] = value
    return defaults


def _columns(statement: Executable) -> list[sqlalchemy.ColumnElement[Any]]:
    if isinstance(statement, (Select, Insert, Update, Delete)):
        return list(statement.exported_columns)
    return []


def driver_of(db: Db) -> Db:
    """SQLite's own connection under this one; on PostgreSQL the connection itself."""
    if isinstance(db, QuickConnection):
        return db
    sync = db.sync_connection
    assert sync is not None
    raw = sync.connection.driver_connection
    return raw if isinstance(raw, QuickConnection) else db
