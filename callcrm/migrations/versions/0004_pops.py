"""Pops and what an operator writes after a call."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import String

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each person says when a call opens itself on his screen."""
    op.add_column("users", sa.Column("pop", String(10), nullable=True))


def downgrade() -> None:
    """The step back."""
    with op.batch_alter_table("users") as users:
        users.drop_column("pop")
