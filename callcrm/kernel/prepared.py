"""Statements that run many times a second: compiled once, then handed straight to SQLite.

SQLAlchemy's own way from a statement to its rows costs 0.25 to 0.4 ms of processor each time, most of it
between Python's frames; on a busy desk that is what makes pops late. A `Prepared` is the same statement with
the same types: its text, the order of its parameters and what becomes of each value are worked out once per
set of parameter names. On PostgreSQL, whose driver keeps statements prepared by itself, it runs as always.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import sqlalchemy
from sqlalchemy import JSON, Delete, Dialect, Executable, Insert, Select, Update
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from callcrm.kernel.schema import Moment, String, dump_json, storable
from callcrm.kernel.sqlite import FEW, QuickConnection, as_sqlalchemy, is_short, sqlite_errors

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
        if self._expanding:
            given = {name: _rounded(value) if name in self._expanding else value for name, value in given.items()}
        plan = self._plan(given)
        bound = plan.bound(given)
        try:
            rows = raw.at_once(plan.sql, bound) if plan.short or self._keyed else None
            if rows is None:
                rows = await raw.rows(plan.sql, bound, brief=self._keyed)
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
                bound = plan.bound(one)
                if not (plan.short or self._keyed) or raw.at_once(plan.sql, bound) is None:
                    await raw.rows(plan.sql, bound, brief=self._keyed)
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
    """A statement as SQLite takes it. `places`: each parameter's name (or none), place in a list, constant, process.

    `plain`: names and processes, where there is nothing but names. `short`: it surely takes microseconds.
    """

    sql: str
    places: tuple[_Place, ...]
    processes: tuple[tuple[int, Callable[[Any], Any]], ...]
    shape: Callable[..., Found]
    plain: tuple[tuple[str, _Process], ...] | None
    short: bool

    def bound(self, values: Values) -> list[Any]:
        """The values in the order of the statement's places."""
        if self.plain is not None:
            return [values[name] if process is None else process(values[name]) for name, process in self.plain]
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


def _rounded(several: Sequence[Any]) -> Sequence[Any]:
    """The values of an IN list, the last as often as makes 1, 2, 4, 8 …: few texts, not one a length."""
    missing = (1 << (len(several) - 1).bit_length()) - len(several) if several else 0
    return [*several, *[several[-1]] * missing] if missing else several


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
        process = _binding(compiled.binds[source].type)
        if source in values:
            places.append((source, place, None, process))
        else:
            places.append((None, -1, process(constants[name]) if process else constants[name], None))
    columns = _columns(statement)
    processes = [_reading(column.type) for column in columns]
    row = namedtuple("Row", [column.key or "" for column in columns], rename=True)  # type: ignore[misc]
    reading = tuple((n, process) for n, process in enumerate(processes) if process is not None)
    plain = tuple((name, process) for name, place, _, process in places if name is not None and place < 0)
    return _Plan(
        state.statement,
        tuple(places),
        reading,
        row._make,
        plain if len(plain) == len(places) else None,
        is_short(state.statement),
    )


def _binding(type_: Any) -> _Process:
    """What SQLAlchemy does to a value of this type, for our own types in one step instead of three."""
    if isinstance(type_, Moment):
        return _moment_out
    if isinstance(type_, String):
        return _text_out(type_.length)
    if isinstance(type_, JSON) and type_.none_as_null:
        return _json_out
    process: _Process = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return process


def _reading(type_: Any) -> _Process:
    if isinstance(type_, Moment):
        return _moment_in
    process: _Process = type_.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return process


def _moment_out(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a naive moment of UTC."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]


def _text_out(length: int | None) -> Callable[[str | None], str | None]:
    def out(value: str | None) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value if value is None or length is None else value[:length]
        return storable(value)[:length]

    return out


def _json_out(value: Any) -> str | None:
    return None if value is None else dump_json(value)


def _moment_in(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


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
