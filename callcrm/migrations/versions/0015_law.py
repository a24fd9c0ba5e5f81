"""Gaps for card data, retention, legal holds, who listened, person files, erasures."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    _recording_gaps()
    _retention_rules()
    _deletions()
    _legal_holds()
    _listenings()
    _person_files()
    _erasures()


def downgrade() -> None:
    """The step back."""
    for name in (
        "erasures",
        "person_files",
        "listenings",
        "legal_holds",
        "deletions",
        "retention_rules",
        "recording_gaps",
    ):
        op.drop_table(name)


def _recording_gaps() -> None:
    op.create_table(
        "recording_gaps",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("pbx", String(100), nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("reason", String(100), nullable=False),
        sa.Column("wanted_by", Key, nullable=True),
        sa.Column("via", String(10), nullable=False),
        sa.Column("channels", Json, nullable=False),
        sa.Column("pausing", Json, nullable=False),
        sa.Column("resuming", Json, nullable=False),
        sa.Column("begins_at", Moment(), nullable=True),
        sa.Column("resume_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_how", String(10), nullable=False),
        sa.Column("ended_by", Key, nullable=True),
        sa.Column("words", String(300), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_recording_gaps"),
    )
    op.create_index("ix_recording_gaps_call_id", "recording_gaps", ["call_id"])
    op.create_index("ix_recording_gaps_state_resume_at", "recording_gaps", ["state", "resume_at"])


def _retention_rules() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", String(100), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("line", String(80), nullable=False),
        sa.Column("queue", String(100), nullable=False),
        sa.Column("direction", String(10), nullable=False),
        sa.Column("tag", String(60), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", Key, nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", Key, nullable=True),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_retention_rules"),
    )


def _deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("why", String(10), nullable=False),
        sa.Column("rule_id", Key, nullable=True),
        sa.Column("words", String(300), nullable=False),
        sa.Column("user_id", Key, nullable=True),
        sa.Column("call_began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("file", String(500), nullable=False),
        sa.Column("size", Key, nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("outcome", String(10), nullable=False),
        sa.Column("trouble", String(300), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_deletions"),
    )
    op.create_index("ix_deletions_call_id", "deletions", ["call_id"])
    op.create_index("ix_deletions_rule_id_at", "deletions", ["rule_id", "at"])


def _legal_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", Key, nullable=False),
        sa.Column("what", String(10), nullable=False),
        sa.Column("which", String(40), nullable=False),
        sa.Column("reason", String(500), nullable=False),
        sa.Column("placed_at", Moment(), nullable=False),
        sa.Column("placed_by", Key, nullable=True),
        sa.Column("until", Moment(), nullable=True),
        sa.Column("lifted_at", Moment(), nullable=True),
        sa.Column("lifted_by", Key, nullable=True),
        sa.Column("lifted_why", String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_legal_holds"),
    )
    op.create_index("ix_legal_holds_what_which", "legal_holds", ["what", "which"])


def _listenings() -> None:
    op.create_table(
        "listenings",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", String(10), nullable=False),
        sa.Column("address", String(64), nullable=False),
        sa.Column("reason", String(300), nullable=False),
        sa.Column("spans", Json, nullable=False),
        sa.Column("heard_s", sa.Double(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name="pk_listenings"),
    )
    op.create_index("ix_listenings_call_id_n", "listenings", ["call_id", "n"])
    op.create_index("ix_listenings_user_id_at", "listenings", ["user_id", "at"])


def _person_files() -> None:
    op.create_table(
        "person_files",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("client_id", Key, nullable=False),
        sa.Column("reason", String(300), nullable=False),
        sa.Column("wanted_by", Key, nullable=True),
        sa.Column("state", String(10), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("words", String(300), nullable=False),
        sa.Column("file", String(100), nullable=False),
        sa.Column("size", Key, nullable=True),
        sa.Column("sha256", String(64), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("ready_at", Moment(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_person_files"),
    )
    op.create_index("ix_person_files_state", "person_files", ["state"])


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("id", String(32), nullable=False),
        sa.Column("client_id", Key, nullable=False),
        sa.Column("reason", String(300), nullable=False),
        sa.Column("wanted_by", Key, nullable=True),
        sa.Column("state", String(10), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("words", String(300), nullable=False),
        sa.Column("certificate", Json, nullable=True),
        sa.Column("sha256", String(64), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("at", "id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_client_id", "erasures", ["client_id"])
    op.create_index("ix_erasures_state", "erasures", ["state"])
