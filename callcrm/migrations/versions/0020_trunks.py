"""A retention rule may speak of a trunk: of calls in and out that used it."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import String

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    op.add_column("retention_rules", sa.Column("trunk", String(80), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """The step back."""
    op.drop_column("retention_rules", "trunk")
