"""What the sound itself tells of a conversation: figures a call and a recording, and when each recording began."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Moment, String

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

#: Recordings whose fate is known and that were not looked through yet.
_DUE = "xrayed_at IS NULL AND check_at IS NULL AND (state || '') IN ('present', 'partial', 'paused')"
#: Indexes of the few calls that a saved filter shows.
_SOME = {
    "ix_xrays_silent": "longest_silence_s >= 20",
    "ix_xrays_talkover": "overlap_s >= 10",
    "ix_xrays_late": "operator_first_word_s >= 5",
    "ix_xrays_onesided": "operator_share >= 0.8",
    "ix_xrays_faulty": "fault IS NOT NULL",
}
_SORTED = ("longest_silence_s", "overlap_s", "operator_share", "operator_first_word_s")


def upgrade() -> None:
    """One step up: what is there is looked through by and by."""
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql("SET LOCAL statement_timeout = 0")
    op.add_column("recordings", sa.Column("at", Moment(), nullable=True))
    op.add_column("recordings", sa.Column("xrayed_at", Moment(), nullable=True))
    op.create_index(
        "ix_recordings_xray_due",
        "recordings",
        ["began"],
        sqlite_where=sa.text(_DUE),
        postgresql_where=sa.text(_DUE),
    )
    op.create_table(
        "recording_xrays",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("error", String(300), nullable=False),
        *_figures(),
        sa.Column("longest_silence_at_s", sa.Double(), nullable=True),
        sa.Column("talk", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("began", "call_id", "n", name="pk_recording_xrays"),
    )
    op.create_index("ix_recording_xrays_call_id", "recording_xrays", ["call_id"])
    op.create_table(
        "xrays",
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        *_figures(),
        sa.Column("longest_silence_at_s", sa.Double(), nullable=True),
        sa.Column("client_share", sa.Double(), nullable=True),
        sa.Column("operator_share", sa.Double(), nullable=True),
        sa.Column("fault", String(20), nullable=True),
        sa.PrimaryKeyConstraint("began", "call_id", name="pk_xrays"),
    )
    op.create_index("ix_xrays_call_id", "xrays", ["call_id"])
    op.create_index("ix_xrays_at", "xrays", ["at"])
    for name in _SORTED:
        op.create_index(f"ix_xrays_{name}_at", "xrays", [name, "at"])
    for name, where in _SOME.items():
        op.create_index(name, "xrays", ["at"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _figures() -> list[sa.Column[Any]]:
    """Those that a recording and a call have alike, in seconds and dBFS."""
    sides = ("talk_s", "first_word_s", "loudness_db", "peak_db", "clipped_s")
    names = [
        "seconds",
        "silence_s",
        "longest_silence_s",
        "overlap_s",
        *(f"{side}_{name}" for side in ("client", "operator") for name in sides),
    ]
    whole: list[sa.Column[Any]] = [
        sa.Column("lanes", sa.Integer(), nullable=True),
        sa.Column("overlaps", sa.Integer(), nullable=True),
    ]
    return [*whole, *(sa.Column(name, sa.Double(), nullable=True) for name in names)]


def downgrade() -> None:
    """The step back."""
    op.drop_table("xrays")
    op.drop_table("recording_xrays")
    op.drop_index("ix_recordings_xray_due", "recordings")
    with op.batch_alter_table("recordings") as recordings:
        recordings.drop_column("xrayed_at")
        recordings.drop_column("at")
