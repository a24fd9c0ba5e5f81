"""What people do now: shifts, pauses and wrap-up."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("user_id", Key, sa.ForeignKey("users.id", name="fk_standings_user_id"), autoincrement=False),
        sa.Column("state", String(12), nullable=False),
        sa.Column("reason", String(60), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("mind", Json, nullable=False),
        sa.Column("asked", Json, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_standings"),
    )


def _operator_states() -> None:
    op.create_table(
        "operator_states",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("user_id", Key, nullable=False, autoincrement=False),
        sa.Column("state", String(12), nullable=False),
        sa.Column("reason", String(60), nullable=False),
        sa.Column("ended", Moment(), nullable=True),
        sa.Column("how", String(12), nullable=False),
        sa.PrimaryKeyConstraint("began", "user_id", name="pk_operator_states"),
    )
    op.create_index("ix_operator_states_user_id_began", "operator_states", ["user_id", "began"])


def _reader_positions() -> None:
    op.create_table(
        "reader_positions",
        sa.Column("reader", String(40), nullable=False),
        sa.Column("stream", String(100), nullable=False),
        sa.Column("position", Key, nullable=False),
        sa.PrimaryKeyConstraint("reader", "stream", name="pk_reader_positions"),
    )


def _queues() -> None:
    op.create_table(
        "queues",
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("queue", String(100), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("longest_since", Moment(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "queue", name="pk_queues"),
    )


def _queue_members() -> None:
    op.create_table(
        "queue_members",
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("queue", String(100), nullable=False),
        sa.Column("interface", String(150), nullable=False),
        sa.Column("extension", String(80), nullable=False),
        sa.Column("name", String(200), nullable=False),
        sa.Column("state", String(12), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", String(60), nullable=False),
        sa.Column("paused_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "queue", "interface", name="pk_queue_members"),
    )
    op.create_index("ix_queue_members_pbx_extension", "queue_members", ["pbx", "extension"])


def upgrade() -> None:
    """One step up: every phone is its present person's own."""
    op.add_column("phones", sa.Column("owner_id", Key, nullable=True))
    op.add_column("phones", sa.Column("seated_at", Moment(), nullable=True))
    op.execute("UPDATE phones SET owner_id = user_id")
    _standings()
    _operator_states()
    _reader_positions()
    _queues()
    _queue_members()


def downgrade() -> None:
    """The step back: who sits at a phone keeps it."""
    for table in ("queue_members", "queues", "reader_positions", "operator_states", "standings"):
        op.drop_table(table)
    op.drop_column("phones", "seated_at")
    op.drop_column("phones", "owner_id")
