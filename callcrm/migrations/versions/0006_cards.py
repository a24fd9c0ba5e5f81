"""The client card: several mails, custom fields, consent, changes, notes and merges."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NEW_TABLES = ("client_mails", "consents", "custom_fields", "card_changes", "card_notes", "merges", "not_the_same")


def _client_mails() -> None:
    op.create_table(
        "client_mails",
        sa.Column("id", Key, nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("address", String(200), nullable=False),
        sa.Column("folded", String(200), nullable=False),
        sa.CheckConstraint("(client_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_client_mails_one_owner")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_mails_client_id"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_client_mails_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_client_mails"),
    )
    op.create_index("ix_client_mails_client_id", "client_mails", ["client_id"])
    op.create_index("ix_client_mails_folded", "client_mails", ["folded"])
    op.create_index("ix_client_mails_organisation_id", "client_mails", ["organisation_id"])


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", Key, nullable=False),
        sa.Column("client_id", Key, nullable=False),
        sa.Column("purpose", String(60), nullable=False),
        sa.Column("how", String(200), nullable=False),
        sa.Column("given_at", Moment(), nullable=False),
        sa.Column("noted_by", Key, nullable=True),
        sa.Column("withdrawn_at", Moment(), nullable=True),
        sa.Column("withdrawn_how", String(200), nullable=False),
        sa.Column("withdrawn_by", Key, nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_consents_client_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_client_id", "consents", ["client_id"])


def _custom_fields() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("id", Key, nullable=False),
        sa.Column("what", String(20), nullable=False),
        sa.Column("key", String(40), nullable=False),
        sa.Column("label", String(60), nullable=False),
        sa.Column("kind", String(10), nullable=False),
        sa.Column("choices", Json, nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("help", String(300), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_custom_fields"),
        sa.UniqueConstraint("what", "key", name="uq_custom_fields_what_key"),
    )


def _card_changes() -> None:
    op.create_table(
        "card_changes",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("what", String(20), nullable=False),
        sa.Column("which", Key, nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("field", String(60), nullable=False),
        sa.Column("old", Json, nullable=True),
        sa.Column("new", Json, nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_card_changes"),
    )
    op.create_index("ix_card_changes_what_which_at", "card_changes", ["what", "which", "at"])


def _card_notes() -> None:
    op.create_table(
        "card_notes",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("organisation_id", Key, nullable=True),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("text", String(), nullable=False),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_card_notes"),
    )
    op.create_index("ix_card_notes_client_id_at", "card_notes", ["client_id", "at"])
    op.create_index("ix_card_notes_organisation_id_at", "card_notes", ["organisation_id", "at"])


def _merges() -> None:
    op.create_table(
        "merges",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("kept_id", Key, nullable=False),
        sa.Column("gone_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("moved", Json, nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.Column("undone_by", Key, nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_merges"),
    )
    op.create_index("ix_merges_gone_id", "merges", ["gone_id"])
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])


def _not_the_same() -> None:
    op.create_table(
        "not_the_same",
        sa.Column("low_id", Key, autoincrement=False, nullable=False),
        sa.Column("high_id", Key, autoincrement=False, nullable=False),
        sa.Column("said_by", Key, nullable=True),
        sa.Column("said_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["high_id"], ["clients.id"], name="fk_not_the_same_high_id"),
        sa.ForeignKeyConstraint(["low_id"], ["clients.id"], name="fk_not_the_same_low_id"),
        sa.PrimaryKeyConstraint("low_id", "high_id", name="pk_not_the_same"),
    )


def _mails_of_before() -> None:
    """The one address that a card had becomes the first of several."""
    op.execute(
        "INSERT INTO client_mails (client_id, place, address, folded) "
        "SELECT id, 0, email, lower(email) FROM clients WHERE email <> '' ORDER BY id"
    )


def _fill(table: str, name: str, kind: Any, empty: str) -> None:
    """A column that every row has from now on."""
    op.add_column(table, sa.Column(name, kind, nullable=True))
    op.execute(f"UPDATE {table} SET {name} = '{empty}'")  # noqa: S608 - names and values of this file


def upgrade() -> None:
    """Tables, and what persons and organisations have besides."""
    for create in (_client_mails, _consents, _custom_fields, _card_changes, _card_notes, _merges, _not_the_same):
        create()
    _mails_of_before()
    for table in ("clients", "organisations"):
        _fill(table, "addresses", Json, "[]")
        _fill(table, "custom", Json, "{}")
    _fill("clients", "birthday", String(10), "")
    with op.batch_alter_table("organisations") as batch:
        batch.alter_column("addresses", existing_type=Json, nullable=False)
        batch.alter_column("custom", existing_type=Json, nullable=False)
    with op.batch_alter_table("clients") as batch:
        for name, kind in (("addresses", Json), ("custom", Json), ("birthday", String(10))):
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.add_column(sa.Column("merged_into", Key, nullable=True))
        batch.drop_column("email")


def downgrade() -> None:
    """Back to one mail a card."""
    op.add_column("clients", sa.Column("email", String(200), nullable=True))
    op.execute(
        "UPDATE clients SET email = coalesce("
        "(SELECT address FROM client_mails WHERE client_id = clients.id ORDER BY place, id LIMIT 1), '')"
    )
    with op.batch_alter_table("clients") as batch:
        batch.alter_column("email", existing_type=String(200), nullable=False)
        for name in ("addresses", "custom", "birthday", "merged_into"):
            batch.drop_column(name)
    with op.batch_alter_table("organisations") as batch:
        batch.drop_column("addresses")
        batch.drop_column("custom")
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
