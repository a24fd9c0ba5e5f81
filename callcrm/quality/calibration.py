"""Rounds of calibration: several graders score one call apart from each other, then look at how far apart they are.

Nobody sees the others' scores before he has submitted his own, or the round is closed. What is scored in a round
is never shown to the operator, and counts nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import RIGHTS, Actor, Right, require, scope
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality import forms, scorable, spread
from callcrm.quality.reading import answers_of
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answers
from callcrm.quality.tables import Calibration, CalibrationGrader, Evaluation, QualityForm

MOST = 12
#: So many rounds a grader's drift is counted over.
ROUNDS = 50
_C = Calibration.__table__
_SUBJECT = aliased(User)


def _name(of: Any) -> ColumnElement[str]:
    return func.coalesce(func.nullif(of.full_name, ""), of.name, "")


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round in the list: how many were asked and have submitted, and whether the actor still has to."""

    id: int
    call_id: str
    form_name: str
    form_n: int
    operator: str
    made_at: datetime
    closed_at: datetime | None
    asked: int
    done: int
    mine: str


@dataclass(frozen=True, slots=True)
class Grade:
    """One grader in a round; without evaluation while he is not done, or where the actor may not see it yet."""

    user_id: int
    person: str
    state: str
    evaluation_id: int | None = None
    score: float | None = None
    compliance: float | None = None
    fatal: int = 0
    answers: Answers | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class WholeRound:
    """A round with its graders; `shown`: whether the actor may see what the others gave."""

    line: RoundLine
    subject_id: int
    form_id: int
    note: str
    made_by: int
    made_name: str
    shown: bool
    grades: tuple[Grade, ...]

    @property
    def apart(self) -> spread.Apart | None:
        """How far the scores are apart, where they are shown."""
        return spread.apart({one.user_id: one.score for one in self.grades if one.score is not None})


async def begin(unit: Unit, actor: Actor, subject: Subject, graders: Sequence[int], note: str = "") -> int:
    """Ask graders to score a call apart from each other; gives the round's id. Raises Invalid with what is wrong."""
    require(actor, Right.SCORE)
    asked = await forms.version(unit.db, subject.form_id, subject.form_n)
    if asked.state != "published" or asked.retired:
        raise Invalid("Only a published form that is in use can be scored on.", {"form": "choose another form"})
    began = await scorable.began(unit, actor, subject)
    people = sorted(set(graders))
    if not 2 <= len(people) <= MOST:
        raise Invalid("Choose the graders.", {"graders": f"2 to {MOST} of them: one alone is no comparison"})
    can = {one.id for one in await who_can(unit.db, actor)}
    if not set(people) <= can or subject.operator_id in people:
        raise Invalid("Choose the graders.", {"graders": "only who may score calls, and not the operator himself"})
    row = {"began": began, "call_id": subject.call_id, "subject_id": subject.operator_id, "note": note.strip()}
    row |= {"form_id": subject.form_id, "form_n": subject.form_n, "made_at": unit.now, "made_by": actor.user_id}
    key = int((await unit.db.execute(insert(Calibration).returning(_C.c.id), row)).scalar_one())
    rows = [{"calibration_id": key, "user_id": user_id} for user_id in people]
    await unit.db.execute(insert(CalibrationGrader), rows)
    await audit.write(unit, actor, "begin", "calibration", key, {"call": subject.call_id})
    return key


async def close(unit: Unit, actor: Actor, round_id: int) -> None:
    """End a round: who has not submitted is not waited for any more, and everybody asked sees all."""
    found = await _row(unit.db, actor, round_id)
    if found["made_by"] != actor.user_id and actor.role != "admin":
        raise NotAllowed("Who began the round closes it.")
    if found["closed_at"] is not None:
        raise Conflict("The round is closed already.", round_id)
    values = {"closed_at": unit.now, "closed_by": actor.user_id}
    await unit.db.execute(update(Calibration).where(_C.c.id == round_id).values(values))
    await audit.write(unit, actor, "close", "calibration", round_id)


async def rounds(db: AsyncConnection, actor: Actor, limit: int = 100) -> list[RoundLine]:
    """The newest rounds that the actor made, was asked in, or oversees."""
    require(actor, Right.SCORE)
    wanted = _lines(actor).where(_mine(actor)).order_by(_C.c.made_at.desc(), _C.c.id.desc()).limit(limit)
    return [_line(row) for row in (await db.execute(wanted)).mappings()]


async def whole(db: AsyncConnection, actor: Actor, round_id: int) -> WholeRound:
    """A round; the others' grades only when the actor's own is in, or the round is closed. Raises NotFound."""
    row = await _row(db, actor, round_id)
    line = _line(row)
    own = next((one for one in await _grades(db, round_id) if one.user_id == actor.user_id), None)
    shown = line.closed_at is not None or (own is None or own.state == "submitted")
    grades = [one if shown or one.user_id == actor.user_id else _hidden(one) for one in await _grades(db, round_id)]
    kept = {name: row[name] for name in ("subject_id", "form_id", "note", "made_by", "made_name")}
    return WholeRound(line=line, shown=shown, grades=tuple(grades), **kept)


async def drifts(db: AsyncConnection, actor: Actor) -> dict[str, spread.Drift]:
    """How each grader differs from the others, by name, over the last closed rounds that the actor may see."""
    require(actor, Right.SCORE)
    closed = (
        select(_C.c.id).where(_mine(actor), _C.c.closed_at.is_not(None)).order_by(_C.c.made_at.desc()).limit(ROUNDS)
    )
    e, grader = Evaluation, User
    wanted = (
        select(e.calibration_id, e.grader_id, _name(grader).label("person"), e.score)
        .join(grader, grader.id == e.grader_id)
        .where(e.calibration_id.in_(closed), e.state == "submitted", e.score.is_not(None))
    )
    by_round: dict[int, dict[int, float]] = {}
    names: dict[int, str] = {}
    for row in await db.execute(wanted):
        by_round.setdefault(row.calibration_id, {})[row.grader_id] = row.score
        names[row.grader_id] = row.person
    return {names[key]: one for key, one in spread.drift(by_round.values()).items()}


async def who_can(db: AsyncConnection, actor: Actor) -> list[Any]:
    """Accounts that may be asked to score: id, person."""
    require(actor, Right.SCORE)
    roles = [role for role, rights in RIGHTS.items() if Right.SCORE in rights]
    wanted = select(User.id, _name(User).label("person")).where(User.role.in_(roles), User.active.is_(True))
    if scope(actor) == "team":
        wanted = wanted.where(or_(User.team.in_(("", actor.team)), User.role == "admin"))
    return list((await db.execute(wanted.order_by("person"))).all())


async def _grades(db: AsyncConnection, round_id: int) -> list[Grade]:
    e = Evaluation.__table__
    wanted = (
        select(CalibrationGrader.user_id, _name(User).label("person"), e)
        .join(User, User.id == CalibrationGrader.user_id)
        .outerjoin(e, (e.c.calibration_id == round_id) & (e.c.grader_id == CalibrationGrader.user_id))
        .where(CalibrationGrader.calibration_id == round_id)
        .order_by("person", CalibrationGrader.user_id)
    )
    return [_grade(row) for row in (await db.execute(wanted)).mappings()]


def _grade(row: RowMapping) -> Grade:
    state = row["state"] or "open"
    if state != "submitted":
        return Grade(row["user_id"], row["person"], state, row["id"])
    figures = {name: row[name] for name in ("score", "compliance", "fatal", "comment")}
    return Grade(row["user_id"], row["person"], state, row["id"], answers=answers_of(row["answers"]), **figures)


def _hidden(one: Grade) -> Grade:
    return Grade(one.user_id, one.person, "done" if one.state == "submitted" else "open")


async def _row(db: AsyncConnection, actor: Actor, round_id: int) -> RowMapping:
    require(actor, Right.SCORE)
    found = (await db.execute(_lines(actor).where(_C.c.id == round_id, _mine(actor)))).mappings().first()
    if found is None:
        raise NotFound("There is no such round of calibration, or it is not yours to see.")
    return found


def _mine(actor: Actor) -> ColumnElement[bool]:
    asked = exists(select(CalibrationGrader.user_id).where(_asked(actor)).correlate(_C))
    mine = or_(_C.c.made_by == actor.user_id, asked)
    if scope(actor) == "team":
        return mine
    return or_(mine, _C.c.subject_id != actor.user_id)


def _asked(actor: Actor) -> ColumnElement[bool]:
    return (CalibrationGrader.calibration_id == _C.c.id) & (CalibrationGrader.user_id == actor.user_id)


def _lines(actor: Actor) -> Any:
    graders, e, maker = CalibrationGrader, Evaluation, aliased(User)
    in_round = select(func.count()).where(graders.calibration_id == _C.c.id).correlate(_C)
    done = select(func.count()).where(e.calibration_id == _C.c.id, e.state == "submitted").correlate(_C)
    own = select(e.state).where(e.calibration_id == _C.c.id, e.grader_id == actor.user_id).correlate(_C)
    asked = select(func.count()).where(_asked(actor)).correlate(_C)
    return (
        select(
            *_C.c,
            QualityForm.name.label("form_name"),
            _name(_SUBJECT).label("operator"),
            _name(maker).label("made_name"),
            in_round.scalar_subquery().label("asked"),
            done.scalar_subquery().label("done"),
            own.scalar_subquery().label("own"),
            asked.scalar_subquery().label("invited"),
        )
        .join(QualityForm, QualityForm.id == _C.c.form_id)
        .join(_SUBJECT, _SUBJECT.id == _C.c.subject_id)
        .outerjoin(maker, maker.id == _C.c.made_by)
    )


def _line(row: RowMapping) -> RoundLine:
    names = ("id", "call_id", "form_name", "form_n", "operator", "made_at", "closed_at", "asked", "done")
    waits = row["invited"] and row["own"] != "submitted" and row["closed_at"] is None
    return RoundLine(**{name: row[name] for name in names}, mine="open" if waits else row["own"] or "")
