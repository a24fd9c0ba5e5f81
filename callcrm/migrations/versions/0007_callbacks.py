"""Callbacks: when the promise begins, the next try, escalation, reasons, and what can be undone."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = (
    ("promised_from", Moment()),
    ("next_try_at", Moment()),
    ("escalated_at", Moment()),
    ("snooze_reason", String(200)),
    ("closed_reason", String(200)),
)


def upgrade() -> None:
    """One step up."""
    for name, kind in COLUMNS:
        op.add_column("tasks", sa.Column(name, kind, nullable=True))
    op.execute("UPDATE tasks SET promised_from = created_at WHERE kind = 'callback'")
    op.create_index("ix_tasks_kind_due_at", "tasks", ["kind", "due_at"])
    op.create_index("ix_tasks_kind_closed_at", "tasks", ["kind", "closed_at"])
    op.create_table(
        "task_acts",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("act", String(20), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_task_acts"),
    )
    op.create_index("ix_task_acts_user_id_at", "task_acts", ["user_id", "at"])


def downgrade() -> None:
    """The step back."""
    op.drop_table("task_acts")
    op.drop_index("ix_tasks_kind_closed_at", "tasks")
    op.drop_index("ix_tasks_kind_due_at", "tasks")
    for name, _kind in reversed(COLUMNS):
        op.drop_column("tasks", name)
