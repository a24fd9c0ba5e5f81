"""Reading evaluations: the list under its filters, one whole with its log, those of a call, and what waits for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, ScalarSelect, and_, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import ASKER, Actor, Right, anybody, evaluations_of, may
from callcrm.accounts.tables import User
from callcrm.kernel.errors import NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.schema import Moment
from callcrm.quality import disputes, forms
from callcrm.quality.disputes import DisputeLine
from callcrm.quality.forms import Version
from callcrm.quality.reading import answers_of
from callcrm.quality.scoring import Answers
from callcrm.quality.tables import Dispute, Evaluation, EvaluationEvent, QualityForm

_E = Evaluation.__table__
_SUBJECT, _GRADER = aliased(User), aliased(User)


def _name(of: Any) -> ColumnElement[str]:
    return func.coalesce(func.nullif(of.full_name, ""), of.name, "")


@dataclass(frozen=True, slots=True)
class EvaluationLine:
    """An evaluation in a list. `disputed`: an open dispute waits; `score` is empty until it was submitted."""

    id: int
    call_id: str
    began: datetime
    form_id: int
    form_n: int
    form_name: str
    subject_id: int
    operator: str
    grader_id: int
    grader: str
    state: str
    score: float | None
    earned: float | None
    compliance: float | None
    band: str
    fatal: int
    critical: int
    blind: bool
    calibration_id: int | None
    replaces_id: int | None
    replaced_by: int | None
    created_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    released_at: datetime | None
    seen_at: datetime | None
    accepted_at: datetime | None
    fatal_seen_at: datetime | None
    version: int
    disputed: bool

    @property
    def hidden(self) -> bool:
        """A draft that is scored blind: its grader does not see whose call it is."""
        return self.state == "draft" and self.blind and self.replaces_id is None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One step in an evaluation's log."""

    at: datetime
    person: str
    act: str
    said: str


@dataclass(frozen=True, slots=True)
class WholeEvaluation:
    """An evaluation with what was asked, what was answered, its disputes and its log."""

    line: EvaluationLine
    asked: Version
    answers: Answers
    comment: str
    disputes: tuple[DisputeLine, ...]
    log: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the evaluations is asked for.

    `show`: "" all but drafts, mine (drafts of the actor), waiting (submitted, not released), disputed, fatal (not
    taken note of), own (given to the actor). `operator`, `grader`, `form`, `call`: ids; `since`,
    `until`: by their calls.
    """

    show: str = ""
    operator: int | None = None
    grader: int | None = None
    form: int | None = None
    call: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """How many scores somebody was given, their mean, and that of compliance."""

    count: int
    score: float | None
    compliance: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for the actor: drafts, to release, open disputes, fatal errors; own scores not yet looked at."""

    drafts: int = 0
    release: int = 0
    disputed: int = 0
    fatal: int = 0
    fresh: int = 0

    @property
    def count(self) -> int:
        """What stands at the rail."""
        return self.disputed + self.fatal + self.fresh


async def evaluation_list(db: AsyncConnection, actor: Actor, filters: Filters, wanted: Wanted) -> Page[EvaluationLine]:
    """A page of evaluations, the last changed first."""
    conditions = _conditions(actor, filters)
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, int)
        conditions.append(tuple_(_E.c.changed_at, _E.c.id) < tuple_(literal(at, Moment()), literal(key)))
    statement = _LINES.where(evaluations_of(actor), *conditions)
    statement = statement.order_by(_E.c.changed_at.desc(), _E.c.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).mappings().all()
    return page(rows, wanted, lambda row: (row["changed_at"], row["id"]), _line)


def _conditions(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_SHOWN.get(filters.show, _SHOWN[""])(actor)]
    asked = {_E.c.subject_id: filters.operator, _E.c.grader_id: filters.grader, _E.c.form_id: filters.form}
    found += [column == value for column, value in asked.items() if value is not None]
    if filters.call is not None:
        found.append(_E.c.call_id == filters.call)
    if filters.since is not None:
        found.append(_E.c.began >= filters.since)
    if filters.until is not None:
        found.append(_E.c.began < filters.until)
    return found


def _in_force() -> ColumnElement[bool]:
    return and_(_E.c.replaced_by.is_(None), _E.c.calibration_id.is_(None))


def _others(actor: Actor) -> ColumnElement[bool]:
    return and_(_in_force(), _E.c.subject_id != actor.user_id)


def _open_dispute() -> ColumnElement[bool]:
    return _E.c.id.in_(select(Dispute.evaluation_id).where(Dispute.state == "open"))


_SHOWN = {
    "": lambda actor: and_(_others(actor), _E.c.state != "draft"),
    "mine": lambda actor: and_(_E.c.state == "draft", _E.c.grader_id == actor.user_id),
    "waiting": lambda actor: and_(_others(actor), _E.c.state == "submitted"),
    "disputed": lambda actor: and_(_others(actor), _open_dispute()),
    "fatal": lambda actor: and_(_others(actor), _unnoted()),
    "own": lambda actor: and_(_in_force(), _E.c.subject_id == actor.user_id, _E.c.state == "released"),
}


def _unnoted() -> ColumnElement[bool]:
    return and_(_E.c.fatal > 0, _E.c.fatal_seen_at.is_(None), _E.c.state != "draft")


async def whole(db: AsyncConnection, actor: Actor, evaluation_id: int) -> WholeEvaluation:
    """One evaluation. Raises NotFound for one that the actor may not see."""
    wanted = _LINES.add_columns(_E.c.answers, _E.c.comment).where(_E.c.id == evaluation_id, evaluations_of(actor))
    row = (await db.execute(wanted)).mappings().first()
    if row is None:
        raise NotFound("There is no such evaluation, or it is not yours to see.")
    return WholeEvaluation(
        line=_line(row),
        asked=await forms.version(db, row["form_id"], row["form_n"]),
        answers=answers_of(row["answers"]),
        comment=row["comment"],
        disputes=tuple(await disputes.of_evaluation(db, evaluation_id)),
        log=tuple(await _log(db, evaluation_id)),
    )


async def _log(db: AsyncConnection, evaluation_id: int) -> Sequence[LogLine]:
    e = EvaluationEvent
    wanted = select(e.at, func.coalesce(_name(User), ""), e.act, e.said).outerjoin(User, User.id == e.user_id)
    rows = await db.execute(wanted.where(e.evaluation_id == evaluation_id).order_by(e.id))
    return [LogLine(*row) for row in rows]


async def of_call(db: AsyncConnection, actor: Actor, call_id: str) -> list[EvaluationLine]:
    """The evaluations in force of a call that the actor may see, one's own drafts and rounds with them."""
    wanted = _LINES.where(_E.c.call_id == call_id, _E.c.replaced_by.is_(None), evaluations_of(actor))
    return [_line(row) for row in (await db.execute(wanted.order_by(_E.c.id))).mappings()]


async def own_figures(db: AsyncConnection, actor: Actor, since: datetime) -> OwnFigures:
    """The actor's own scores of calls since then: how many, and their means."""
    asked = (_SHOWN["own"](actor), evaluations_of(actor), _E.c.began >= since)
    row = (await db.execute(select(func.count(), func.avg(_E.c.score), func.avg(_E.c.compliance)).where(*asked))).one()
    return OwnFigures(*row)


async def waiting(db: Db, actor: Actor) -> Waiting:
    """How much waits for the actor; each count goes by an index, for every page asks."""
    (counts,) = await _waiting(anybody(actor.role, actor.team)).all(db, {ASKER: actor.user_id})
    numbers = [int(value or 0) for value in counts]
    return Waiting(*numbers) if may(actor, Right.SCORE) else Waiting(fresh=numbers[0])


@lru_cache(maxsize=64)
def _waiting(asker: Actor) -> Prepared:
    fresh = _count(asker, and_(_SHOWN["own"](asker), _E.c.seen_at.is_(None)))
    if not may(asker, Right.SCORE):
        return Prepared(select(fresh))
    counts = [_count(asker, _SHOWN[show](asker)) for show in ("mine", "waiting", "disputed", "fatal")]
    return Prepared(select(*counts, fresh))


def _count(actor: Actor, which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(_E).where(which, evaluations_of(actor)).scalar_subquery()


_LINES = (
    select(
        *(
            _E.c[name]
            for name in (
                *("id", "call_id", "began", "form_id", "form_n", "subject_id", "grader_id", "state", "score", "earned"),
                *("compliance", "band", "fatal", "critical", "blind", "calibration_id", "replaces_id", "replaced_by"),
                *("created_at", "changed_at", "submitted_at", "released_at", "seen_at", "accepted_at"),
                *("fatal_seen_at", "version"),
            )
        ),
        QualityForm.name.label("form_name"),
        _name(_SUBJECT).label("operator"),
        _name(_GRADER).label("grader"),
        _open_dispute().label("disputed"),
    )
    .join(QualityForm, QualityForm.id == _E.c.form_id)
    .join(_SUBJECT, _SUBJECT.id == _E.c.subject_id)
    .join(_GRADER, _GRADER.id == _E.c.grader_id)
)


def _line(row: RowMapping) -> EvaluationLine:
    values: dict[str, Any] = {name: row[name] for name in EvaluationLine.__dataclass_fields__}
    return EvaluationLine(**{**values, "disputed": bool(row["disputed"])})
