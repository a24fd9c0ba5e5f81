"""Whose voice the first lane of a recording holds: that of who sits at the channel that the PBX recorded."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import String

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up: recordings that are there count as they did, the client first."""
    op.add_column("recordings", sa.Column("first_lane", String(10), nullable=False, server_default="client"))


def downgrade() -> None:
    """The step back."""
    op.drop_column("recordings", "first_lane")
