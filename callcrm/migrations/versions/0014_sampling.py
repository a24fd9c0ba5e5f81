"""What to review next, and moments to learn from."""

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step up."""
    _plans()
    _draws()
    _sampled()
    _lists()
    _moments()
    _given()


def downgrade() -> None:
    """The step back."""
    for name in (
        "coaching_seen",
        "coaching_given",
        "coaching_moments",
        "coaching_lists",
        "sampled_calls",
        "sampling_draws",
        "sampling_plans",
    ):
        op.drop_table(name)


def _plans() -> None:
    op.create_table(
        "sampling_plans",
        sa.Column("id", Key, nullable=False),
        sa.Column("team", String(100), nullable=False),
        sa.Column("lots", sa.Integer(), nullable=False),
        sa.Column("risks", sa.Integer(), nullable=False),
        sa.Column("least_s", sa.Double(), nullable=False),
        sa.Column("heard_only", sa.Boolean(), nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", Key, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sampling_plans"),
        sa.UniqueConstraint("team", name="uq_sampling_plans_team"),
    )


def _draws() -> None:
    op.create_table(
        "sampling_draws",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("week", String(10), nullable=False),
        sa.Column("operator_id", Key, nullable=False),
        sa.Column("plan_id", Key, nullable=False),
        sa.Column("by", String(10), nullable=False),
        sa.Column("seed", String(32), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("wish", Json, nullable=False),
        sa.Column("pot", sa.Integer(), nullable=False),
        sa.Column("checksum", String(64), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("drawn_by", Key, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sampling_draws"),
    )
    op.create_index("ix_sampling_draws_week_operator_id", "sampling_draws", ["week", "operator_id"])


def _sampled() -> None:
    op.create_table(
        "sampled_calls",
        sa.Column("id", Key, nullable=False),
        sa.Column("draw_id", Key, nullable=False),
        sa.Column("week", String(10), nullable=False),
        sa.Column("operator_id", Key, nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("by", String(10), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("ticket", String(16), nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("state", String(10), nullable=False),
        sa.Column("reason", String(200), nullable=False),
        sa.Column("taken_by", Key, nullable=True),
        sa.Column("taken_at", Moment(), nullable=True),
        sa.Column("closed_by", Key, nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sampled_calls"),
        sa.UniqueConstraint("call_id", "operator_id", name="uq_sampled_calls_call_id_operator_id"),
    )
    op.create_index("ix_sampled_calls_state_week", "sampled_calls", ["state", "week"])
    op.create_index("ix_sampled_calls_week_operator_id", "sampled_calls", ["week", "operator_id"])


def _lists() -> None:
    op.create_table(
        "coaching_lists",
        sa.Column("id", Key, nullable=False),
        sa.Column("title", String(120), nullable=False),
        sa.Column("note", String(), nullable=False),
        sa.Column("made_by", Key, nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("put_away_at", Moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_coaching_lists"),
    )


def _moments() -> None:
    op.create_table(
        "coaching_moments",
        sa.Column("id", Key, nullable=False),
        sa.Column("list_id", Key, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("call_id", String(40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("from_s", sa.Double(), nullable=False),
        sa.Column("to_s", sa.Double(), nullable=False),
        sa.Column("words", String(500), nullable=False),
        sa.Column("pin_id", Key, nullable=True),
        sa.Column("added_by", Key, nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.Column("removed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_coaching_moments"),
    )
    op.create_index("ix_coaching_moments_call_id", "coaching_moments", ["call_id"])
    op.create_index("ix_coaching_moments_list_id_place", "coaching_moments", ["list_id", "place"])


def _given() -> None:
    op.create_table(
        "coaching_given",
        sa.Column("list_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("given_by", Key, nullable=False),
        sa.Column("given_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "user_id", name="pk_coaching_given"),
    )
    op.create_index("ix_coaching_given_user_id", "coaching_given", ["user_id"])
    op.create_table(
        "coaching_seen",
        sa.Column("moment_id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("moment_id", "user_id", name="pk_coaching_seen"),
    )
