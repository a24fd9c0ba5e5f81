"""Comments pinned to seconds of a recording; what each leg did besides ringing and talking."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.add_column("legs", sa.Column("up_at", Moment(), nullable=True))
    op.add_column("legs", sa.Column("stretches", Json, nullable=True))
    op.create_table(
        "pins",
        sa.Column("id", Key, nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Double(), nullable=False),
        sa.Column("until_s", sa.Double(), nullable=True),
        sa.Column("text", String(), nullable=False),
        sa.Column("author_id", Key, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("evaluation_id", Key, nullable=True),
        sa.Column("released_at", Moment(), nullable=True),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pins"),
    )
    op.create_index("ix_pins_call_id_n", "pins", ["call_id", "n"])
    op.create_index("ix_pins_evaluation_id", "pins", ["evaluation_id"])


def downgrade() -> None:
    """The step back."""
    op.drop_table("pins")
    for column in ("stretches", "up_at"):
        op.drop_column("legs", column)
