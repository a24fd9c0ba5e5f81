"""A pop that rang before its person had a page open is not counted among those that took so long to be painted."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.add_column("pops", sa.Column("late_page", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """The step back."""
    op.drop_column("pops", "late_page")
