"""Tasks: repeat rules, checklists, reminders, calendar feeds; and how a person wants the pages."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TASKS = (
    ("team", String(100)),
    ("remind_min", sa.Integer()),
    ("remind_at", Moment()),
    ("reminded_at", Moment()),
    ("repeat", String(300)),
    ("repeat_when", String(10)),
    ("repeat_zone", String(64)),
    ("repeat_from", Moment()),
    ("repeat_except", Json),
    ("occurs_at", Moment()),
    ("follows_id", Key),
)
_USERS = (
    ("density", String(10)),
    ("single_keys", sa.Boolean()),
)
#: Index, column, which rows, whether unique.
_PARTIAL = (
    ("ix_tasks_remind_at", "remind_at", "remind_at IS NOT NULL", False),
    ("ix_tasks_repeats_when_due", "due_at", "repeat_when = 'due'", False),
    ("uq_tasks_follows_id", "follows_id", "follows_id IS NOT NULL", True),
)


def _task_items() -> None:
    op.create_table(
        "task_items",
        sa.Column("id", Key, nullable=False),
        sa.Column("task_id", Key, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("text", String(200), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("done_by", Key, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_items_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_task_items"),
    )
    op.create_index("ix_task_items_task_id", "task_items", ["task_id"])


def _task_reminders() -> None:
    op.create_table(
        "task_reminders",
        sa.Column("task_id", Key, nullable=False, autoincrement=False),
        sa.Column("user_id", Key, nullable=False, autoincrement=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("again_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_reminders_task_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_task_reminders_user_id"),
        sa.PrimaryKeyConstraint("task_id", "user_id", name="pk_task_reminders"),
    )
    op.create_index("ix_task_reminders_user_id", "task_reminders", ["user_id"])
    op.create_index("ix_task_reminders_again_at", "task_reminders", ["again_at"])


def _calendar_feeds() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("user_id", Key, nullable=False, autoincrement=False),
        sa.Column("key_hash", String(64), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_calendar_feeds_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_calendar_feeds"),
        sa.UniqueConstraint("key_hash", name="uq_calendar_feeds_key_hash"),
    )


def upgrade() -> None:
    """One step up: columns that may be empty, so that no row has to be written."""
    for table, columns in (("tasks", _TASKS), ("users", _USERS)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for name, column, which, unique in _PARTIAL:
        where = sa.text(which)
        op.create_index(name, "tasks", [column], unique=unique, sqlite_where=where, postgresql_where=where)
    for make in (_task_items, _task_reminders, _calendar_feeds):
        make()


def downgrade() -> None:
    """The step back."""
    for table in ("calendar_feeds", "task_reminders", "task_items"):
        op.drop_table(table)
    for name, *_ in _PARTIAL:
        op.drop_index(name, "tasks")
    for table, columns in (("users", _USERS), ("tasks", _TASKS)):
        for column, _kind in columns:
            op.drop_column(table, column)
