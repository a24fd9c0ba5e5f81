"""Organisations can be merged, told apart, and closed."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.add_column("organisations", sa.Column("deleted_at", Moment(), nullable=True))
    op.add_column("organisations", sa.Column("merged_into", Key, nullable=True))
    op.create_table(
        "organisation_merges",
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
        sa.PrimaryKeyConstraint("at", "id", name="pk_organisation_merges"),
    )
    op.create_index("ix_organisation_merges_gone_id", "organisation_merges", ["gone_id"])
    op.create_index("ix_organisation_merges_kept_id", "organisation_merges", ["kept_id"])
    op.create_table(
        "organisations_apart",
        sa.Column("low_id", Key, autoincrement=False, nullable=False),
        sa.Column("high_id", Key, autoincrement=False, nullable=False),
        sa.Column("said_by", Key, nullable=True),
        sa.Column("said_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["high_id"], ["organisations.id"], name="fk_organisations_apart_high_id"),
        sa.ForeignKeyConstraint(["low_id"], ["organisations.id"], name="fk_organisations_apart_low_id"),
        sa.PrimaryKeyConstraint("low_id", "high_id", name="pk_organisations_apart"),
    )


def downgrade() -> None:
    """The step back."""
    op.drop_table("organisations_apart")
    op.drop_table("organisation_merges")
    op.drop_column("organisations", "merged_into")
    op.drop_column("organisations", "deleted_at")
