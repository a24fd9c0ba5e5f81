"""People: accounts, clients, and what belongs to no one feature."""

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
            "(client_id IS NULL) <> (organisation_id IS NULL)",
            name=op.f("ck_client_numbers_one_owner"),
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
    _commands,
    _facts,
    _links,
    _raw_events,
    _sign_ins,
    _streams,
    _users,
    _organisations,
    _phones,
    _sessions,
    _tokens,
    _clients,
    _client_numbers,
    _number_choices,
)


def upgrade() -> None:
    """Create them."""
    for create in TABLES:
        create()


def downgrade() -> None:
    """Drop them."""
    for create in reversed(TABLES):
        op.drop_table(create.__name__.removeprefix("_"))
