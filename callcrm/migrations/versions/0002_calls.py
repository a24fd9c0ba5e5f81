"""Calls: the log, and the tasks that come of it."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _call_notes() -> None:
    op.create_table(
        "call_notes",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("user_id", Key, nullable=False, autoincrement=False),
        sa.Column("text", String(), nullable=False),
        sa.Column("disposition", String(60), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("began", "call_id", "user_id", name="pk_call_notes"),
    )
    op.create_index("ix_call_notes_call_id", "call_notes", ["call_id"])


def _call_operators() -> None:
    op.create_table(
        "call_operators",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("extension", String(80), nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("rang", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("ring_s", sa.Double(), nullable=True),
        sa.Column("talk_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("began", "call_id", "extension", name="pk_call_operators"),
    )
    op.create_index("ix_call_operators_call_id", "call_operators", ["call_id"])
    op.create_index("ix_call_operators_extension_began", "call_operators", ["extension", "began"])
    op.create_index("ix_call_operators_user_id_began", "call_operators", ["user_id", "began"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("id", String(40), nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("uniqueid", String(150), nullable=False),
        sa.Column("channel", String(200), nullable=False),
        sa.Column("direction", String(10), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("client_number", String(20), nullable=True),
        sa.Column("client_raw", String(200), nullable=True),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("match", Json, nullable=True),
        sa.Column("name", String(200), nullable=True),
        sa.Column("called", String(80), nullable=True),
        sa.Column("caller", String(80), nullable=True),
        sa.Column("operator", String(80), nullable=True),
        sa.Column("operator_id", Key, nullable=True),
        sa.Column("queue", String(100), nullable=True),
        sa.Column("outcome", String(40), nullable=True),
        sa.Column("why", String(40), nullable=True),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.Column("ended_by", String(20), nullable=True),
        sa.Column("wait_s", sa.Double(), nullable=True),
        sa.Column("talk_s", sa.Double(), nullable=True),
        sa.Column("hold_s", sa.Double(), nullable=True),
        sa.Column("total_s", sa.Double(), nullable=True),
        sa.Column("click_to_call", sa.Boolean(), nullable=False),
        sa.Column("client_ring_s", sa.Double(), nullable=True),
        sa.Column("voicemail", String(80), nullable=True),
        sa.Column("serves", String(40), nullable=True),
        sa.Column("rang", Json, nullable=False),
        sa.Column("talks", Json, nullable=False),
        sa.Column("transfers", Json, nullable=False),
        sa.Column("parked", Json, nullable=True),
        sa.Column("pickup", Json, nullable=True),
        sa.Column("state", String(12), nullable=False),
        sa.Column("note_line", String(200), nullable=False),
        sa.Column("disposition", String(60), nullable=True),
        sa.PrimaryKeyConstraint("began", "id", name="pk_calls"),
    )
    op.create_index("ix_calls_at", "calls", ["at"])
    op.create_index("ix_calls_client_id_at", "calls", ["client_id", "at"])
    op.create_index("ix_calls_client_number_at", "calls", ["client_number", "at"])
    op.create_index("ix_calls_id", "calls", ["id"])
    op.create_index("ix_calls_missed_at", "calls", ["missed", "at"])
    op.create_index("ix_calls_operator_id_at", "calls", ["operator_id", "at"])
    op.create_index("ix_calls_pbx_ended_at", "calls", ["pbx", "ended_at"])
    op.create_index("ix_calls_queue_at", "calls", ["queue", "at"])


def _legs() -> None:
    op.create_table(
        "legs",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("channel", String(200), nullable=False),
        sa.Column("uniqueid", String(150), nullable=False),
        sa.Column("side", String(10), nullable=False),
        sa.Column("who", String(80), nullable=True),
        sa.Column("at", Moment(), nullable=True),
        sa.Column("ring_s", sa.Double(), nullable=True),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("talk_s", sa.Double(), nullable=True),
        sa.Column("cause", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("began", "call_id", "n", name="pk_legs"),
    )
    op.create_index("ix_legs_call_id", "legs", ["call_id"])


def _pops() -> None:
    op.create_table(
        "pops",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("extension", String(80), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("reason", String(40), nullable=False),
        sa.Column("answered_by", String(80), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("painted_at", Moment(), nullable=True),
        sa.Column("opened_at", Moment(), nullable=True),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_pops"),
    )
    op.create_index("ix_pops_call_id", "pops", ["call_id"])
    op.create_index("ix_pops_user_id_state", "pops", ["user_id", "state"])


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("file", String(500), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("cause", String(300), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("size", Key, nullable=True),
        sa.Column("peaks", sa.LargeBinary(), nullable=True),
        sa.Column("check_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("began", "call_id", "n", name="pk_recordings"),
    )
    op.create_index("ix_recordings_call_id", "recordings", ["call_id"])
    op.create_index("ix_recordings_file", "recordings", ["file"])
    op.create_index("ix_recordings_state_check_at", "recordings", ["state", "check_at"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", String(20), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("title", String(200), nullable=False),
        sa.Column("note", String(), nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("number", String(20), nullable=True),
        sa.Column("pbx", String(100), nullable=True),
        sa.Column("called", String(80), nullable=True),
        sa.Column("queue", String(100), nullable=True),
        sa.Column("owner_id", Key, nullable=True),
        sa.Column("owner_why", String(20), nullable=False),
        sa.Column("call_id", String(40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_attempt_at", Moment(), nullable=True),
        sa.Column("short_abandon", sa.Boolean(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("snoozed_until", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", Key, nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("closed_by", Key, nullable=True),
        sa.Column("closed_why", String(20), nullable=True),
        sa.Column("closed_call_id", String(40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_tasks_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_client_id", "tasks", ["client_id"])
    op.create_index("ix_tasks_owner_id_state", "tasks", ["owner_id", "state"])
    op.create_index("ix_tasks_state_due_at", "tasks", ["state", "due_at"])
    op.create_index(
        "uq_tasks_open_callback",
        "tasks",
        ["number"],
        unique=True,
        sqlite_where=sa.text("kind = 'callback' AND state = 'open'"),
        postgresql_where=sa.text("kind = 'callback' AND state = 'open'"),
    )


def _task_attempts() -> None:
    op.create_table(
        "task_attempts",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("task_id", Key, nullable=False, autoincrement=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("kind", String(20), nullable=False),
        sa.Column("result", String(40), nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_attempts_task_id"),
        sa.PrimaryKeyConstraint("at", "task_id", "call_id", name="pk_task_attempts"),
    )
    op.create_index("ix_task_attempts_call_id", "task_attempts", ["call_id"])
    op.create_index("ix_task_attempts_task_id", "task_attempts", ["task_id"])


TABLES = (
    _call_notes,
    _call_operators,
    _calls,
    _legs,
    _pops,
    _recordings,
    _tasks,
    _task_attempts,
)


def upgrade() -> None:
    """Create them."""
    for create in TABLES:
        create()


def downgrade() -> None:
    """Drop them."""
    for create in reversed(TABLES):
        op.drop_table(create.__name__.removeprefix("_"))
