"""What is searched: names by pieces of their words, what was written by its words, numbers by their ends."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import op

from callcrm.kernel.fulltext import folded
from callcrm.kernel.schema import String
from callcrm.migrations import search_postgresql, search_sqlite

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

log = structlog.get_logger(__name__)
BATCH = 10_000
TOLD_EVERY_S = 5.0
#: Indexes of the few calls that a saved filter shows.
_SOME_CALLS = {"ix_calls_transferred": "transfers <> '[]'", "ix_calls_held": "hold_s IS NOT NULL"}


def upgrade() -> None:
    """One step up: what is there is filled in; from here on each row's triggers keep it in step."""
    bind = op.get_bind()
    postgresql = bind.dialect.name == "postgresql"
    if postgresql:
        bind.exec_driver_sql("SET LOCAL statement_timeout = 0")
    op.add_column("client_numbers", sa.Column("backwards", String(20), nullable=False, server_default=sa.text("''")))
    for batch in _batches("client_numbers", "id", "id, e164, national"):
        _set("client_numbers", "backwards", [(row[0], (row[1] or row[2])[::-1]) for row in batch])
    op.create_index("ix_client_numbers_backwards", "client_numbers", ["backwards"])
    for name, where in _SOME_CALLS.items():
        op.create_index(name, "calls", ["at"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_tasks_kind_state", "tasks", ["kind", "state"])
    for name in ("organisations", "clients"):
        for batch in _batches(name, "id", "id, search"):
            _set(name, "search", [(row[0], new) for row in batch if (new := folded(row[1])) != row[1]])
    found = search_postgresql if postgresql else search_sqlite
    for statement in found.MAKE:
        bind.exec_driver_sql(statement)
    for name, key, statement in found.FILL:
        for batch in _batches(name, key, key):
            bind.execute(sa.text(statement), {"first": batch[0][0], "last": batch[-1][0]})
    for statement in found.FINISH:
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    """The step back."""
    bind = op.get_bind()
    found = search_postgresql if bind.dialect.name == "postgresql" else search_sqlite
    for statement in found.UNMAKE:
        bind.exec_driver_sql(statement)
    op.drop_index("ix_tasks_kind_state", "tasks")
    for name in _SOME_CALLS:
        op.drop_index(name, "calls")
    op.drop_index("ix_client_numbers_backwards", "client_numbers")
    with op.batch_alter_table("client_numbers") as numbers:
        numbers.drop_column("backwards")


def _batches(table: str, key: str, columns: str) -> Iterator[Sequence[Any]]:
    """A table's rows in the order of `key`, some at a time; the log says how far it has got, where it takes long."""
    bind = op.get_bind()
    page = f"SELECT {columns} FROM {table} {{}} ORDER BY {key} LIMIT {BATCH}"  # noqa: S608
    total, done, told = None, 0, time.monotonic()
    rows = bind.execute(sa.text(page.format(""))).all()
    while rows:
        yield rows
        done += len(rows)
        if time.monotonic() - told > TOLD_EVERY_S:
            total = total or bind.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            log.info("making the search's index", table=table, done=done, of=total)
            told = time.monotonic()
        last = {"last": rows[-1][0]}
        rows = bind.execute(sa.text(page.format(f"WHERE {key} > :last")), last).all()


def _set(table: str, column: str, values: Sequence[tuple[int, str]]) -> None:
    if values:
        statement = sa.text(f"UPDATE {table} SET {column} = :value WHERE id = :key")  # noqa: S608
        op.get_bind().execute(statement, [{"key": key, "value": value} for key, value in values])
