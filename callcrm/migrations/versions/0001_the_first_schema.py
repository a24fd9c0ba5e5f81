"""The first schema."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("act", String(40), nullable=False),
        sa.Column("what", String(40), nullable=False),
        sa.Column("which", String(100), nullable=False),
        sa.Column("address", String(64), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_audit"),
    )
    op.create_index("ix_audit_user_id_at", "audit", ["user_id", "at"])
    op.create_index("ix_audit_what_which", "audit", ["what", "which"])


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


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", String(32), nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("kind", String(20), nullable=False),
        sa.Column("args", Json, nullable=False),
        sa.Column("wanted_by", Key, nullable=True),
        sa.Column("wanted_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_pbx_state", "commands", ["pbx", "state"])


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("stream", String(100), nullable=False),
        sa.Column("position", Key, nullable=False, autoincrement=False),
        sa.Column("kind", String(40), nullable=False),
        sa.Column("ids", Json, nullable=False),
        sa.PrimaryKeyConstraint("at", "stream", "position", name="pk_facts"),
    )
    op.create_index("ix_facts_stream_position", "facts", ["stream", "position"])


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


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("state", String(20), nullable=False),
        sa.Column("words", String(500), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=True),
        sa.Column("version", String(100), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.PrimaryKeyConstraint("pbx", name="pk_links"),
    )


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


def _raw_events() -> None:
    op.create_table(
        "raw_events",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("part", Key, nullable=False, autoincrement=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("began", "pbx", "part", name="pk_raw_events"),
    )
    op.create_index("ix_raw_events_until", "raw_events", ["until"])


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


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("name", String(100), nullable=False),
        sa.Column("address", String(64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_address_at", "sign_ins", ["address", "at"])
    op.create_index("ix_sign_ins_name_at", "sign_ins", ["name", "at"])


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("name", String(100), nullable=False),
        sa.Column("position", Key, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_streams"),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", String(100), nullable=False),
        sa.Column("full_name", String(200), nullable=False),
        sa.Column("role", String(20), nullable=False),
        sa.Column("team", String(100), nullable=False),
        sa.Column("password_hash", String(200), nullable=True),
        sa.Column("language", String(10), nullable=False),
        sa.Column("time_zone", String(64), nullable=False),
        sa.Column("theme", String(10), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("on_shift_since", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )


def _organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", String(200), nullable=False),
        sa.Column("owner_id", Key, nullable=True),
        sa.Column("note", String(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("search", String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_organisations_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    op.create_index("ix_organisations_created_at", "organisations", ["created_at"])
    op.create_index("ix_organisations_name", "organisations", ["name"])
    op.create_index("ix_organisations_owner_id", "organisations", ["owner_id"])


def _phones() -> None:
    op.create_table(
        "phones",
        sa.Column("id", Key, nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("extension", String(80), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_phones_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_phones"),
        sa.UniqueConstraint("pbx", "extension", name="uq_phones_pbx_extension"),
    )
    op.create_index("ix_phones_user_id", "phones", ["user_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", String(64), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("address", String(64), nullable=False),
        sa.Column("agent", String(300), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


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


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("hash", String(64), nullable=False),
        sa.Column("label", String(100), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", String(200), nullable=False),
        sa.Column("said_name", String(200), nullable=False),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("job", String(100), nullable=False),
        sa.Column("email", String(200), nullable=False),
        sa.Column("owner_id", Key, nullable=True),
        sa.Column("language", String(10), nullable=False),
        sa.Column("time_zone", String(64), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("note", String(), nullable=False),
        sa.Column("do_not_call", sa.Boolean(), nullable=False),
        sa.Column("search", String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_clients_organisation_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_clients_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_clients"),
    )
    op.create_index("ix_clients_created_at", "clients", ["created_at"])
    op.create_index("ix_clients_name", "clients", ["name"])
    op.create_index("ix_clients_organisation_id", "clients", ["organisation_id"])
    op.create_index("ix_clients_owner_id", "clients", ["owner_id"])


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


def _client_numbers() -> None:
    op.create_table(
        "client_numbers",
        sa.Column("id", Key, nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("e164", String(20), nullable=False),
        sa.Column("national", String(20), nullable=False),
        sa.Column("tail", String(8), nullable=False),
        sa.Column("raw", String(80), nullable=False),
        sa.Column("kind", String(20), nullable=False),
        sa.Column("label", String(100), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "(client_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_client_numbers_one_owner")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_numbers_client_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_client_numbers_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_client_numbers"),
    )
    op.create_index("ix_client_numbers_client_id", "client_numbers", ["client_id"])
    op.create_index("ix_client_numbers_e164", "client_numbers", ["e164"])
    op.create_index("ix_client_numbers_national", "client_numbers", ["national"])
    op.create_index("ix_client_numbers_organisation_id", "client_numbers", ["organisation_id"])
    op.create_index("ix_client_numbers_tail", "client_numbers", ["tail"])


def _number_choices() -> None:
    op.create_table(
        "number_choices",
        sa.Column("e164", String(20), nullable=False),
        sa.Column("client_id", Key, nullable=False),
        sa.Column("chosen_by", Key, nullable=True),
        sa.Column("chosen_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_number_choices_client_id"),
        sa.PrimaryKeyConstraint("e164", name="pk_number_choices"),
    )
    op.create_index("ix_number_choices_client_id", "number_choices", ["client_id"])


TABLES = (
    _audit,
    _call_notes,
    _call_operators,
    _calls,
    _commands,
    _facts,
    _legs,
    _links,
    _pops,
    _raw_events,
    _recordings,
    _sign_ins,
    _streams,
    _users,
    _organisations,
    _phones,
    _sessions,
    _tasks,
    _tokens,
    _clients,
    _task_attempts,
    _client_numbers,
    _number_choices,
)


def upgrade() -> None:
    """From nothing."""
    for create in TABLES:
        create()


def downgrade() -> None:
    """To nothing."""
    for create in reversed(TABLES):
        op.drop_table(create.__name__.removeprefix("_"))
