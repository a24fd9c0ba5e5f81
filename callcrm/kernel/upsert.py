"""Insert or update, said once for both databases."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Base

Row = dict[str, Any]


async def upsert(
    db: AsyncConnection,
    table: type[Base],
    rows: Row | Sequence[Row],
    *,
    key: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> None:
    """Insert `rows`, or update what is there under the same `key` (the primary key unless told).

    Every row names the same columns. A column in `keep` is written when the row is new and
    left alone afterwards; when nothing but key and kept columns are given, a row that is
    there stays as it is.
    """
    many = [rows] if isinstance(rows, dict) else list(rows)
    if not many:
        return
    await _statement(db.dialect.name, table, tuple(many[0]), tuple(key), tuple(keep)).run(db, many)


@lru_cache(maxsize=512)
def _statement(
    dialect: str, model: type[Base], columns: tuple[str, ...], key: tuple[str, ...], keep: tuple[str, ...]
) -> Prepared:
    table = model.__table__
    assert isinstance(table, Table)
    names = key or tuple(column.name for column in table.primary_key)
    insert: sqlite.Insert | postgresql.Insert
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changed = {name: insert.excluded[name] for name in columns if name not in names and name not in keep}
    if not changed:
        return Prepared(insert.on_conflict_do_nothing(index_elements=names))
    return Prepared(insert.on_conflict_do_update(index_elements=names, set_=changed))
