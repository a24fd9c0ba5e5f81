"""Indexes of the calls that a saved filter of the log looks for, so that few of them are found among millions."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WHICH = {
    "ix_calls_unlinked": "coalesce(client_id, 0) = 0 AND direction <> 'internal'",
    "ix_calls_unsaid": "disposition IS NULL AND answered_at IS NOT NULL AND direction <> 'internal'",
}


def upgrade() -> None:
    """One step up."""
    for name, which in _WHICH.items():
        op.create_index(name, "calls", ["at"], sqlite_where=sa.text(which), postgresql_where=sa.text(which))


def downgrade() -> None:
    """The step back."""
    for name in _WHICH:
        op.drop_index(name, "calls")
