"""Disputes: an operator objects to a released score; a supervisor keeps it with his reasons, or corrects it.

open ─→ kept        the score stays, and the answer says why
     ─→ corrected   a new evaluation stands in its place; the old one is kept as it was
     ─→ withdrawn   by the operator
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, literal, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, evaluations_of, require
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment
from callcrm.kernel.writer import Unit
from callcrm.quality import evaluations, forms
from callcrm.quality.questions import Form
from callcrm.quality.tables import Dispute, Evaluation

LENGTH = 4000
_D = Dispute.__table__
_NAME = func.coalesce(func.nullif(User.full_name, ""), User.name, "")


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A dispute as it is shown with its evaluation; `answered_name` is empty while it is open."""

    id: int
    state: str
    opened_at: datetime
    said: str
    questions: tuple[str, ...]
    answered_at: datetime | None
    answered_name: str
    answer: str
    new_evaluation_id: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A dispute in a list of its own, with whose score of which call it is of."""

    id: int
    evaluation_id: int
    call_id: str
    operator_id: int
    operator: str
    state: str
    opened_at: datetime
    said: str
    questions: list[str]
    answered_at: datetime | None
    answered_by: str
    answer: str
    new_evaluation_id: int | None


async def listed(db: AsyncConnection, actor: Actor, wanted: Wanted, *, state: str | None = None) -> Page[Listed]:
    """A page of the disputes of evaluations that the actor may see, the newest first; of one `state` if told."""
    statement = _listed().where(evaluations_of(actor))
    if state is not None:
        statement = statement.where(_D.c.state == state)
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, int)
        statement = statement.where(tuple_(_D.c.opened_at, _D.c.id) < tuple_(literal(at, Moment()), literal(key)))
    statement = statement.order_by(_D.c.opened_at.desc(), _D.c.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).mappings().all()
    return page(rows, wanted, lambda row: (row["opened_at"], row["id"]), lambda row: Listed(**row))


def _listed() -> Select[*tuple[Any, ...]]:
    answerer = aliased(User)
    own = ("id", "evaluation_id", "state", "opened_at", "said", "questions", "answered_at", "answer")
    return (
        select(
            *(_D.c[name] for name in (*own, "new_evaluation_id")),
            Evaluation.call_id,
            Evaluation.subject_id.label("operator_id"),
            _NAME.label("operator"),
            func.coalesce(func.nullif(answerer.full_name, ""), answerer.name, "").label("answered_by"),
        )
        .join(Evaluation, Evaluation.id == _D.c.evaluation_id)
        .join(User, User.id == Evaluation.subject_id)
        .outerjoin(answerer, answerer.id == _D.c.answered_by)
    )


async def of_evaluation(db: AsyncConnection, evaluation_id: int) -> list[DisputeLine]:
    """The disputes of an evaluation that the asker was shown, the oldest first."""
    columns = (
        *(_D.c[name] for name in ("id", "state", "opened_at", "said", "questions", "answered_at")),
        func.coalesce(_NAME, "").label("answered_name"),
        _D.c.answer,
        _D.c.new_evaluation_id,
    )
    wanted = select(*columns).outerjoin(User, User.id == _D.c.answered_by).where(_D.c.evaluation_id == evaluation_id)
    rows = (await db.execute(wanted.order_by(_D.c.id))).mappings()
    return [DisputeLine(**{**row, "questions": tuple(row["questions"])}) for row in rows]


async def open_of(db: AsyncConnection, evaluation_id: int) -> RowMapping | None:
    """The open dispute of an evaluation."""
    wanted = select(_D).where(_D.c.evaluation_id == evaluation_id, _D.c.state == "open")
    return (await db.execute(wanted)).mappings().first()


def until(form: Form, released_at: datetime) -> datetime | None:
    """Until when a score may be disputed; None for always."""
    return released_at + timedelta(days=form.dispute_days) if form.dispute_days else None


async def dispute(unit: Unit, actor: Actor, evaluation_id: int, said: str, questions: Sequence[str] = ()) -> int:
    """Object to one's own released score; gives the dispute's id.

    Raises Invalid without a reason, Conflict when it was accepted, answered, replaced or is too old.
    """
    held = await evaluations.load(unit, actor, evaluation_id)
    if held["subject_id"] != actor.user_id:
        raise NotFound("Only the operator himself disputes his score.")
    asked = await forms.version(unit.db, held["form_id"], held["form_n"])
    await _may_still(unit, held, asked.form)
    known = [key for key in dict.fromkeys(questions) if asked.form.question(key)]
    row: dict[str, Any] = {
        "evaluation_id": evaluation_id,
        "state": "open",
        "opened_at": unit.now,
        "opened_by": actor.user_id,
    }
    row |= {"said": _words(said, "Say what is not right with the score."), "questions": known}
    try:
        async with unit.db.begin_nested():
            key = int((await unit.db.execute(insert(Dispute).returning(_D.c.id), row)).scalar_one())
    except IntegrityError:
        raise Conflict("You dispute this score already.", evaluation_id) from None
    await _told(unit, actor, held, "disputed", row["said"])
    return key


async def _may_still(unit: Unit, held: RowMapping, form: Form) -> None:
    if held["replaced_by"] is not None:
        raise Conflict("This score was corrected already; look at the new one.", held["replaced_by"])
    if held["accepted_at"] is not None:
        raise Conflict("You accepted this score already.", held["id"])
    last = until(form, held["released_at"])
    if last is not None and unit.now > last:
        raise Conflict(f"A score can be disputed for {form.dispute_days} days; speak with your supervisor.", held["id"])
    earlier = select(_D.c.state).where(_D.c.evaluation_id == held["id"], _D.c.state != "withdrawn")
    state = (await unit.db.execute(earlier)).scalar()
    if state == "open":
        raise Conflict("You dispute this score already.", held["id"])
    if state is not None:
        raise Conflict("Your dispute of this score was answered; speak with your supervisor.", held["id"])


async def withdraw(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """The operator takes his objection back; he may object again while there is time."""
    held = await evaluations.load(unit, actor, evaluation_id)
    if held["subject_id"] != actor.user_id:
        raise NotFound("Only who disputes a score withdraws the dispute.")
    await _close(unit, actor, await _open(unit, evaluation_id), {"state": "withdrawn"})
    await _told(unit, actor, held, "withdrawn", "")


async def keep(unit: Unit, actor: Actor, evaluation_id: int, answer: str) -> None:
    """Answer that the score stays, and why."""
    held = await _to_answer(unit, actor, evaluation_id)
    said = _words(answer, "Say why the score stays.")
    await _close(unit, actor, await _open(unit, evaluation_id), {"state": "kept", "answer": said})
    # The answer is news to the operator: his score counts as unread until he has looked at it.
    await unit.db.execute(update(Evaluation).where(Evaluation.id == evaluation_id).values(seen_at=None))
    await _told(unit, actor, held, "kept", said)


async def begin_correction(unit: Unit, actor: Actor, evaluation_id: int) -> int:
    """A draft with the disputed answers, to be put right and submitted; gives its id, also of one begun before."""
    held = await _to_answer(unit, actor, evaluation_id)
    await _open(unit, evaluation_id)
    begun = select(Evaluation.id).where(
        Evaluation.replaces_id == evaluation_id, Evaluation.grader_id == actor.user_id, Evaluation.state == "draft"
    )
    there = (await unit.db.execute(begun)).scalar()
    if there is not None:
        return int(there)
    return await evaluations.begin_again(
        unit, actor, held, await forms.version(unit.db, held["form_id"], held["form_n"])
    )


async def corrected(unit: Unit, actor: Actor, new: RowMapping) -> None:
    """What follows when a correction is submitted: it stands in the old one's place, and its comment is the answer."""
    old_id = new["replaces_id"]
    if old_id is None:
        return
    held = await _to_answer(unit, actor, old_id)
    said = _words(new["comment"], "Write to the operator what you corrected, and why, as the comment on the whole.")
    closed: dict[str, Any] = {"state": "corrected", "answer": said, "new_evaluation_id": new["id"]}
    await _close(unit, actor, await _open(unit, old_id), closed)
    await unit.db.execute(update(Evaluation).where(Evaluation.id == old_id).values(replaced_by=new["id"]))
    await _told(unit, actor, held, "corrected", said)


async def _to_answer(unit: Unit, actor: Actor, evaluation_id: int) -> RowMapping:
    require(actor, Right.SCORE)
    held = await evaluations.load(unit, actor, evaluation_id)
    if held["subject_id"] == actor.user_id:
        raise NotAllowed("Somebody else answers the dispute of your own score.")
    return held


async def _open(unit: Unit, evaluation_id: int) -> RowMapping:
    found = await open_of(unit.db, evaluation_id)
    if found is None:
        raise Conflict("This dispute was answered or withdrawn meanwhile; look again.", evaluation_id)
    return found


async def _close(unit: Unit, actor: Actor, found: RowMapping, values: dict[str, Any]) -> None:
    still = update(Dispute).where(_D.c.id == found["id"], _D.c.state == "open")
    done = await unit.db.execute(still.values(**values, answered_at=unit.now, answered_by=actor.user_id))
    if done.rowcount == 0:
        raise NotFound("This dispute was answered or withdrawn meanwhile; look again.")


async def _told(unit: Unit, actor: Actor, held: RowMapping, act: str, said: str) -> None:
    await evaluations.log(unit, actor, held["id"], act, said)
    unit.fact("evaluation.changed", evaluation=held["id"], user=held["subject_id"], act=act)
    await audit.write(unit, actor, act, "evaluation", held["id"])


def _words(typed: str, wanted: str) -> str:
    said = typed.strip()
    if not said:
        raise Invalid(wanted, {"said": wanted})
    if len(said) > LENGTH:
        raise Invalid("This is too long.", {"said": f"at most {LENGTH} characters"})
    return said
