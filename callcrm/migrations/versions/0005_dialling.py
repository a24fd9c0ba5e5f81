"""Calls that are asked for from the desk."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each wish says of which call it is; each click to call is a row, and a phone has one at a time."""
    op.add_column("commands", sa.Column("call_id", String(40), nullable=True))
    op.create_index("ix_commands_call_id", "commands", ["call_id"])
    op.create_table(
        "dials",
        sa.Column("id", String(32), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("extension", String(80), nullable=False),
        sa.Column("number", String(40), nullable=False),
        sa.Column("name", String(200), nullable=False),
        sa.Column("client_id", Key, nullable=True),
        sa.Column("channel", String(30), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("overridden", Json, nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("cancelled_at", Moment(), nullable=True),
        sa.Column("over_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dials"),
    )
    op.create_index("ix_dials_user_id_asked_at", "dials", ["user_id", "asked_at"])
    still = sa.text("over_at IS NULL")
    op.create_index(
        "uq_dials_open", "dials", ["pbx", "extension"], unique=True, sqlite_where=still, postgresql_where=still
    )


def downgrade() -> None:
    """The step back."""
    op.drop_table("dials")
    op.drop_index("ix_commands_call_id", "commands")
    with op.batch_alter_table("commands") as commands:
        commands.drop_column("call_id")
