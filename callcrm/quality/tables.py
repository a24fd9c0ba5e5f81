"""Quality forms with their versions, evaluations and their log, disputes, and rounds of calibration."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Key, String

_DRAFT = "state = 'draft'"
_FIRST = "replaces_id IS NULL AND calibration_id IS NULL"
_FATAL = "fatal > 0 AND fatal_seen_at IS NULL"
_IN_ROUND = "calibration_id IS NOT NULL"


class QualityForm(Base):
    """A form by its name; what it asks stands in its versions. One with `retired_at` is offered no more."""

    __tablename__ = "quality_forms"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    created_by: Mapped[int] = mapped_column(Key)
    retired_at: Mapped[datetime | None]


class FormVersion(Base):
    """One version of a form: `body` is a `questions.Form` as JSON, never changed once `state` is published.

    At most one version of a form is a draft; `version` counts the draft's savings.
    """

    __tablename__ = "quality_form_versions"
    __table_args__ = (
        Index(
            "uq_quality_form_versions_draft",
            "form_id",
            unique=True,
            sqlite_where=text(_DRAFT),
            postgresql_where=text(_DRAFT),
        ),
    )
    form_id: Mapped[int] = mapped_column(ForeignKey("quality_forms.id"), primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    body: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(Key)
    published_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(Key)


class Evaluation(Base):
    """One grader's score of one operator's part in a call, on one version of a form.

    `state`: draft → submitted → released; a released one is never changed. `answers`: by question's key
    {value, comment, at_s}. `score`, `earned` (as if nothing were fatal) and `compliance` are per cent, empty
    where nothing counted. `fatal` and `critical`: how many such questions failed. `replaced_by`: the
    evaluation that came of a dispute and stands in its place. `calibration_id`: given in a round of
    calibration, and the operator's score in no way. `blind`: graded without seeing whose call it is.
    `fatal_seen_at`: when a supervisor took note of its fatal error.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        Index(None, "subject_id", "released_at"),
        Index(None, "grader_id", "state"),
        Index(None, "state", "changed_at"),
        Index(None, "call_id"),
        Index(
            "ix_evaluations_fatal",
            "changed_at",
            sqlite_where=text(_FATAL),
            postgresql_where=text(_FATAL),
        ),
        Index(
            "uq_evaluations_of_round",
            "calibration_id",
            "grader_id",
            unique=True,
            sqlite_where=text(_IN_ROUND),
            postgresql_where=text(_IN_ROUND),
        ),
        Index(
            "uq_evaluations_one_each",
            "call_id",
            "form_id",
            "subject_id",
            "grader_id",
            unique=True,
            sqlite_where=text(_FIRST),
            postgresql_where=text(_FIRST),
        ),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    form_id: Mapped[int] = mapped_column(ForeignKey("quality_forms.id"))
    form_n: Mapped[int]
    subject_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    grader_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    answers: Mapped[dict[str, Any]]
    comment: Mapped[str] = mapped_column(String(), default="")
    score: Mapped[float | None]
    earned: Mapped[float | None]
    compliance: Mapped[float | None]
    band: Mapped[str] = mapped_column(String(40), default="")
    fatal: Mapped[int] = mapped_column(default=0)
    critical: Mapped[int] = mapped_column(default=0)
    blind: Mapped[bool] = mapped_column(default=False)
    calibration_id: Mapped[int | None] = mapped_column(ForeignKey("calibrations.id"))
    replaces_id: Mapped[int | None] = mapped_column(Key)
    replaced_by: Mapped[int | None] = mapped_column(Key)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None] = mapped_column(Key)
    seen_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    fatal_seen_at: Mapped[datetime | None]
    fatal_seen_by: Mapped[int | None] = mapped_column(Key)
    version: Mapped[int] = mapped_column(default=1)


class EvaluationEvent(Base):
    """The log of an evaluation: who did what to it, and when; `said` is what he wrote with it."""

    __tablename__ = "evaluation_events"
    __table_args__ = (Index(None, "evaluation_id", "at"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(Key)
    act: Mapped[str] = mapped_column(String(20))
    said: Mapped[str] = mapped_column(String(), default="")


class Dispute(Base):
    """An operator's objection to a released evaluation, and the answer to it.

    `state`: open, kept (the score stays), corrected (`new_evaluation_id` stands in its place), withdrawn.
    `questions`: the keys of those that he disputes; none means the whole.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        Index(
            "uq_disputes_open",
            "evaluation_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "state", "opened_at"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluations.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[datetime]
    opened_by: Mapped[int] = mapped_column(Key)
    said: Mapped[str] = mapped_column(String())
    questions: Mapped[list[Any]]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(Key)
    answer: Mapped[str] = mapped_column(String(), default="")
    new_evaluation_id: Mapped[int | None] = mapped_column(Key)


class Calibration(Base):
    """A round in which several graders score one call apart from each other, to see how far they are from one."""

    __tablename__ = "calibrations"
    __table_args__ = (Index(None, "made_at"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    form_id: Mapped[int] = mapped_column(ForeignKey("quality_forms.id"))
    form_n: Mapped[int]
    note: Mapped[str] = mapped_column(String(500), default="")
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(Key)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(Key)


class CalibrationGrader(Base):
    """Somebody who was asked to score the call of a round."""

    __tablename__ = "calibration_graders"
    calibration_id: Mapped[int] = mapped_column(ForeignKey("calibrations.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False, index=True)
