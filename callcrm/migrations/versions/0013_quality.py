"""Quality forms, evaluations, disputes, rounds of calibration."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from callcrm.kernel.schema import Json, Key, Moment, String

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: Table, then whether its key is the database's to give, its columns (name, kind, may be empty), its references.
_ID = ("id", Key, False)
_CALL = (("began", Moment(), False), ("call_id", String(40), False))
_TABLES: dict[str, tuple[tuple[str, ...], tuple[tuple[str, Any, bool], ...], dict[str, str]]] = {
    "quality_forms": (
        ("id",),
        (
            _ID,
            ("name", String(80), False),
            ("created_at", Moment(), False),
            ("created_by", Key, False),
            ("retired_at", Moment(), True),
        ),
        {},
    ),
    "quality_form_versions": (
        ("form_id", "n"),
        (
            ("form_id", Key, False),
            ("n", sa.Integer(), False),
            ("state", String(10), False),
            ("body", Json, False),
            ("version", sa.Integer(), False),
            ("changed_at", Moment(), False),
            ("changed_by", Key, False),
            ("published_at", Moment(), True),
            ("published_by", Key, True),
        ),
        {"form_id": "quality_forms"},
    ),
    "calibrations": (
        ("id",),
        (
            _ID,
            *_CALL,
            ("subject_id", Key, False),
            ("form_id", Key, False),
            ("form_n", sa.Integer(), False),
            ("note", String(500), False),
            ("made_at", Moment(), False),
            ("made_by", Key, False),
            ("closed_at", Moment(), True),
            ("closed_by", Key, True),
        ),
        {"form_id": "quality_forms", "subject_id": "users"},
    ),
    "calibration_graders": (
        ("calibration_id", "user_id"),
        (("calibration_id", Key, False), ("user_id", Key, False)),
        {"calibration_id": "calibrations", "user_id": "users"},
    ),
    "evaluations": (
        ("id",),
        (
            _ID,
            *_CALL,
            ("form_id", Key, False),
            ("form_n", sa.Integer(), False),
            ("subject_id", Key, False),
            ("grader_id", Key, False),
            ("state", String(10), False),
            ("answers", Json, False),
            ("comment", String(), False),
            ("score", sa.Double(), True),
            ("earned", sa.Double(), True),
            ("compliance", sa.Double(), True),
            ("band", String(40), False),
            ("fatal", sa.Integer(), False),
            ("critical", sa.Integer(), False),
            ("blind", sa.Boolean(), False),
            ("calibration_id", Key, True),
            ("replaces_id", Key, True),
            ("replaced_by", Key, True),
            ("created_at", Moment(), False),
            ("changed_at", Moment(), False),
            ("submitted_at", Moment(), True),
            ("released_at", Moment(), True),
            ("released_by", Key, True),
            ("seen_at", Moment(), True),
            ("accepted_at", Moment(), True),
            ("fatal_seen_at", Moment(), True),
            ("fatal_seen_by", Key, True),
            ("version", sa.Integer(), False),
        ),
        {"form_id": "quality_forms", "subject_id": "users", "grader_id": "users", "calibration_id": "calibrations"},
    ),
    "evaluation_events": (
        ("id",),
        (
            _ID,
            ("evaluation_id", Key, False),
            ("at", Moment(), False),
            ("user_id", Key, True),
            ("act", String(20), False),
            ("said", String(), False),
        ),
        {"evaluation_id": "evaluations"},
    ),
    "disputes": (
        ("id",),
        (
            _ID,
            ("evaluation_id", Key, False),
            ("state", String(10), False),
            ("opened_at", Moment(), False),
            ("opened_by", Key, False),
            ("said", String(), False),
            ("questions", Json, False),
            ("answered_at", Moment(), True),
            ("answered_by", Key, True),
            ("answer", String(), False),
            ("new_evaluation_id", Key, True),
        ),
        {"evaluation_id": "evaluations"},
    ),
}
_INDEXES = (
    ("calibrations", "made_at"),
    ("calibration_graders", "user_id"),
    ("evaluations", "subject_id", "released_at"),
    ("evaluations", "grader_id", "state"),
    ("evaluations", "state", "changed_at"),
    ("evaluations", "call_id"),
    ("evaluation_events", "evaluation_id", "at"),
    ("disputes", "evaluation_id"),
    ("disputes", "state", "opened_at"),
)
#: Unique among some rows: name, table, columns, which rows.
_UNIQUE = (
    ("uq_quality_form_versions_draft", "quality_form_versions", ["form_id"], "state = 'draft'"),
    ("uq_evaluations_of_round", "evaluations", ["calibration_id", "grader_id"], "calibration_id IS NOT NULL"),
    (
        "uq_evaluations_one_each",
        "evaluations",
        ["call_id", "form_id", "subject_id", "grader_id"],
        "replaces_id IS NULL AND calibration_id IS NULL",
    ),
    ("uq_disputes_open", "disputes", ["evaluation_id"], "state = 'open'"),
)


def upgrade() -> None:
    """One step up."""
    for table, (key, columns, references) in _TABLES.items():
        more: list[dict[str, Any]] = [
            {"autoincrement": False} if key != ("id",) and name in key else {} for name, _kind, _empty in columns
        ]
        op.create_table(
            table,
            *(
                sa.Column(name, kind, nullable=empty, **some)
                for (name, kind, empty), some in zip(columns, more, strict=True)
            ),
            *(
                sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")
                for column, other in references.items()
            ),
            sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        )
    for table, *names in _INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(names)}", table, names)
    fatal = sa.text("fatal > 0 AND fatal_seen_at IS NULL")
    op.create_index("ix_evaluations_fatal", "evaluations", ["changed_at"], sqlite_where=fatal, postgresql_where=fatal)
    for name, table, names, which in _UNIQUE:
        where = sa.text(which)
        op.create_index(name, table, names, unique=True, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """The step back."""
    for table in reversed(_TABLES):
        op.drop_table(table)
