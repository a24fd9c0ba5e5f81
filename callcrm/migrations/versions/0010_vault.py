"""Where recordings are kept, what was checked of them, and files without a call."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TO_KEEP = sa.text("keep_at IS NOT NULL")
_OPEN = sa.text("state = 'open'")


def _kept_sounds() -> None:
    op.create_table(
        "kept_sounds",
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("file", String(500), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("place", String(10), nullable=False),
        sa.Column("name", String(500), nullable=False),
        sa.Column("form", String(10), nullable=False),
        sa.Column("key_id", String(16), nullable=False),
        sa.Column("sha256", String(64), nullable=False),
        sa.Column("kept_sha256", String(64), nullable=False),
        sa.Column("size", Key, nullable=True),
        sa.Column("stored", Key, nullable=True),
        sa.Column("original", String(10), nullable=False),
        sa.Column("trouble", String(300), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("kept_at", Moment(), nullable=True),
        sa.Column("verified_at", Moment(), nullable=True),
        sa.Column("verify_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pbx", "file", name="pk_kept_sounds"),
    )
    op.create_index("ix_kept_sounds_state_verify_at", "kept_sounds", ["state", "verify_at"])


def _stray_sounds() -> None:
    op.create_table(
        "stray_sounds",
        sa.Column("id", Key, nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("file", String(500), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("size", Key, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("guesses", Json, nullable=False),
        sa.Column("began", Moment(), nullable=True),
        sa.Column("call_id", String(40), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("replaced", String(500), nullable=False),
        sa.Column("how", String(20), nullable=False),
        sa.Column("by", Key, nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_stray_sounds"),
    )
    op.create_index("uq_stray_sounds_file", "stray_sounds", ["pbx", "file"], unique=True)
    op.create_index("ix_stray_sounds_open", "stray_sounds", ["changed_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def upgrade() -> None:
    """One step up: what is there is taken into custody too, the newest first as its turn comes."""
    op.add_column("recordings", sa.Column("keep_at", Moment(), nullable=True))
    op.execute("UPDATE recordings SET keep_at = began WHERE state IN ('present', 'partial') AND check_at IS NULL")
    op.create_index(
        "ix_recordings_keep_at", "recordings", ["keep_at"], sqlite_where=_TO_KEEP, postgresql_where=_TO_KEEP
    )
    _kept_sounds()
    _stray_sounds()


def downgrade() -> None:
    """The step back."""
    op.drop_table("stray_sounds")
    op.drop_table("kept_sounds")
    op.drop_index("ix_recordings_keep_at", "recordings")
    op.drop_column("recordings", "keep_at")
