"""Evaluations: drafted and autosaved, submitted, released to the operator, accepted. Released ones never change.

    draft → submitted → released ─→ accepted, or disputed (callcrm.quality.disputes)
              │  ↑ reopened by its grader

Every step stands in the evaluation's own log and, without what was written, in the audit.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from callcrm.accounts.policy import Actor, Right, evaluations_of, require
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality import forms, reading, scorable
from callcrm.quality.forms import Version
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answers, Score, score
from callcrm.quality.tables import Evaluation, EvaluationEvent

COMMENT_LENGTH = 4000
_E = Evaluation.__table__

#: What follows in the same unit when an evaluation is submitted: unit, actor, the evaluation's row as it is now.
After = Callable[[Unit, Actor, RowMapping], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it is now. `version` is named at the next saving."""

    id: int
    version: int
    score: Score


async def save(
    unit: Unit, actor: Actor, subject: Subject, answers: Answers, comment: str = "", *, version: int = 0
) -> Saved:
    """Keep a draft as far as it is filled in; the first saving (`version` 0) makes it.

    Raises Conflict when another window of the same grader saved meanwhile, or when it is a draft no more;
    Invalid for answers that the form does not take; NotFound and NotAllowed for what is not his to score.
    """
    require(actor, Right.SCORE)
    held = await _own(unit, actor, subject)
    if held is None:
        if version:
            raise NotFound("This draft was thrown away meanwhile; reload the page to begin anew.")
        return await _begin(unit, actor, subject, answers, comment)
    return await _keep(unit, held, answers, comment, version)


async def save_id(
    unit: Unit, actor: Actor, evaluation_id: int, answers: Answers, comment: str = "", *, version: int
) -> Saved:
    """The same for a draft that is there."""
    held = await load(unit, actor, evaluation_id, grader=True)
    return await _keep(unit, held, answers, comment, version)


async def _keep(unit: Unit, held: RowMapping, answers: Answers, comment: str, version: int) -> Saved:
    if held["state"] != "draft":
        raise Conflict("This evaluation was submitted meanwhile; reopen it to change it.", held["id"])
    if held["version"] != version:
        raise Conflict("This draft was changed in another window; reload the page to go on from there.", held["id"])
    asked = await forms.version(unit.db, held["form_id"], held["form_n"])
    kept = reading.checked(asked.form, answers)
    values = {"answers": reading.as_row(kept), "comment": _comment(comment), "version": version + 1}
    await unit.db.execute(update(Evaluation).where(_E.c.id == held["id"]).values(**values, changed_at=unit.now))
    return Saved(held["id"], version + 1, score(asked.form, kept))


async def _begin(unit: Unit, actor: Actor, subject: Subject, answers: Answers, comment: str) -> Saved:
    asked = await forms.version(unit.db, subject.form_id, subject.form_n)
    if asked.state != "published" or asked.retired:
        raise Invalid("Only a published form that is in use can be scored on.", {"form": "choose another form"})
    began = await scorable.began(unit, actor, subject)
    kept = reading.checked(asked.form, answers)
    row = {
        "began": began,
        "call_id": subject.call_id,
        "form_id": subject.form_id,
        "form_n": subject.form_n,
        "subject_id": subject.operator_id,
        "grader_id": actor.user_id,
        "state": "draft",
        "answers": reading.as_row(kept),
        "comment": _comment(comment),
        "blind": asked.form.blind,
        "calibration_id": subject.calibration_id,
        "created_at": unit.now,
        "changed_at": unit.now,
    }
    try:
        async with unit.db.begin_nested():
            key = int((await unit.db.execute(insert(Evaluation).returning(_E.c.id), row)).scalar_one())
    except IntegrityError:
        raise Conflict("You have scored this call on this form already; reload the page to see it.") from None
    await log(unit, actor, key, "begun")
    return Saved(key, 1, score(asked.form, kept))


async def submit(
    unit: Unit, actor: Actor, evaluation_id: int, *, version: int, after: Sequence[After] = ()
) -> dict[str, Any]:
    """Finish a draft; released at once where the form says so. Gives its row as it is then.

    Raises Invalid with the questions that lack an answer or a comment. `after`: what follows from it, such as
    the dispute that it corrects or the sampled call that it answers.
    """
    held = await load(unit, actor, evaluation_id, grader=True)
    if held["state"] != "draft" or held["version"] != version:
        raise Conflict("This draft was changed or submitted in another window; reload the page.", evaluation_id)
    asked = await forms.version(unit.db, held["form_id"], held["form_n"])
    found = score(asked.form, reading.answers_of(held["answers"]))
    _complete(found)
    values = {"state": "submitted", "submitted_at": unit.now, **reading.figures(asked.form, found)}
    await _change(unit, held, values)
    await log(unit, actor, evaluation_id, "submitted")
    corrected = held["replaces_id"] is not None
    released = held["calibration_id"] is None and (asked.form.release == "submit" or corrected)
    if released:
        await _release(unit, actor, held)
    _fact(unit, held, "released" if released else "submitted")
    await audit.write(unit, actor, "score", "evaluation", evaluation_id, {"call": held["call_id"]})
    now = await load(unit, actor, evaluation_id)
    for follow in after:
        await follow(unit, actor, now)
    return dict(now)


async def reopen(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """Take a submitted evaluation back to its draft, while nobody has been told of it."""
    held = await load(unit, actor, evaluation_id, grader=True)
    if held["state"] != "submitted":
        raise Conflict("What was released cannot be changed any more; a dispute can correct it.", evaluation_id)
    if held["calibration_id"] is not None:
        raise Conflict("In a round of calibration a score stays as it was submitted.", evaluation_id)
    none = {"score": None, "earned": None, "compliance": None, "band": "", "fatal": 0, "critical": 0}
    await _change(unit, held, {"state": "draft", "submitted_at": None, **none})
    await log(unit, actor, evaluation_id, "reopened")
    _fact(unit, held, "reopened")
    await audit.write(unit, actor, "reopen", "evaluation", evaluation_id)


async def release(unit: Unit, actor: Actor, evaluation_ids: Sequence[int]) -> int:
    """Show submitted evaluations to their operators; gives how many were. Those that are released already stay."""
    require(actor, Right.SCORE)
    done = 0
    for evaluation_id in sorted(set(evaluation_ids)):
        held = await load(unit, actor, evaluation_id)
        if held["state"] == "submitted" and held["calibration_id"] is None:
            await _release(unit, actor, held)
            _fact(unit, held, "released")
            await audit.write(unit, actor, "release", "evaluation", evaluation_id)
            done += 1
    return done


async def drop(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """Throw one's own draft away."""
    held = await load(unit, actor, evaluation_id, grader=True)
    if held["state"] != "draft":
        raise Conflict("Only a draft can be thrown away.", evaluation_id)
    await unit.db.execute(delete(EvaluationEvent).where(EvaluationEvent.evaluation_id == evaluation_id))
    await unit.db.execute(delete(Evaluation).where(_E.c.id == evaluation_id))
    await audit.write(unit, actor, "drop", "evaluation", evaluation_id, {"call": held["call_id"]})


async def see(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """The operator opened his evaluation for the first time."""
    held = await load(unit, actor, evaluation_id)
    if held["subject_id"] == actor.user_id and held["seen_at"] is None:
        await unit.db.execute(update(Evaluation).where(_E.c.id == evaluation_id).values(seen_at=unit.now))
        await log(unit, actor, evaluation_id, "seen")


async def accept(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """The operator takes the score as it is. Raises NotFound for anybody else's, Conflict while he disputes it."""
    from callcrm.quality.disputes import open_of

    held = await load(unit, actor, evaluation_id)
    if held["subject_id"] != actor.user_id:
        raise NotFound("Only the operator himself accepts his score.")
    if await open_of(unit.db, evaluation_id) is not None:
        raise Conflict("You dispute this score; withdraw the dispute first.", evaluation_id)
    if held["accepted_at"] is None:
        values = {"accepted_at": unit.now, "seen_at": held["seen_at"] or unit.now}
        await unit.db.execute(update(Evaluation).where(_E.c.id == evaluation_id).values(values))
        await log(unit, actor, evaluation_id, "accepted")
        _fact(unit, held, "accepted")


async def note_fatal(unit: Unit, actor: Actor, evaluation_id: int) -> None:
    """A supervisor has taken note of a fatal error: it waits for nobody any more."""
    require(actor, Right.SCORE)
    held = await load(unit, actor, evaluation_id)
    if held["fatal"] and held["fatal_seen_at"] is None:
        values = {"fatal_seen_at": unit.now, "fatal_seen_by": actor.user_id}
        await unit.db.execute(update(Evaluation).where(_E.c.id == evaluation_id).values(values))
        await log(unit, actor, evaluation_id, "fatal noted")
        _fact(unit, held, "noted")


async def load(unit: Unit, actor: Actor, evaluation_id: int, *, grader: bool = False) -> RowMapping:
    """An evaluation that the actor may see, locked; his own work only, with `grader`. Raises NotFound."""
    wanted = select(_E).where(_E.c.id == evaluation_id, evaluations_of(actor)).with_for_update()
    held = (await unit.db.execute(wanted)).mappings().first()
    if held is None:
        raise NotFound("There is no such evaluation, or it is not yours to see.")
    if grader and held["grader_id"] != actor.user_id:
        raise NotFound("Only who scores a call changes its score; this one is somebody else's work.")
    return held


async def log(unit: Unit, actor: Actor | None, evaluation_id: int, act: str, said: str = "") -> None:
    """A line in the evaluation's own log."""
    row = {"evaluation_id": evaluation_id, "at": unit.now, "user_id": actor.user_id if actor else None}
    await unit.db.execute(insert(EvaluationEvent), row | {"act": act, "said": said})


async def begin_again(unit: Unit, actor: Actor, held: RowMapping, asked: Version) -> int:
    """A draft that is to stand in place of a released evaluation, with its answers; gives its id."""
    kept = ("began", "call_id", "form_id", "form_n", "subject_id", "answers", "comment")
    row = {name: held[name] for name in kept} | {"comment": "", "grader_id": actor.user_id, "blind": asked.form.blind}
    row |= {"state": "draft", "replaces_id": held["id"], "created_at": unit.now, "changed_at": unit.now}
    key = int((await unit.db.execute(insert(Evaluation).returning(_E.c.id), row)).scalar_one())
    await log(unit, actor, key, "begun")
    return key


async def _own(unit: Unit, actor: Actor, subject: Subject) -> RowMapping | None:
    wanted = select(_E).where(
        _E.c.call_id == subject.call_id,
        _E.c.form_id == subject.form_id,
        _E.c.subject_id == subject.operator_id,
        _E.c.grader_id == actor.user_id,
        _E.c.calibration_id.is_(None)
        if subject.calibration_id is None
        else _E.c.calibration_id == subject.calibration_id,
        _E.c.replaces_id.is_(None),
    )
    return (await unit.db.execute(wanted.with_for_update())).mappings().first()


def _complete(found: Score) -> None:
    wrong = dict.fromkeys(found.open, "an answer is missing") | dict.fromkeys(found.silent, "a comment is required")
    if wrong:
        raise Invalid("Not finished: answer every question, and comment where it is required.", wrong)


async def _release(unit: Unit, actor: Actor, held: RowMapping) -> None:
    values = {"state": "released", "released_at": unit.now, "released_by": actor.user_id}
    await unit.db.execute(update(Evaluation).where(_E.c.id == held["id"]).values(values))
    await log(unit, actor, held["id"], "released")


def _fact(unit: Unit, held: RowMapping, act: str) -> None:
    unit.fact("evaluation.changed", evaluation=held["id"], user=held["subject_id"], act=act)


async def _change(unit: Unit, held: RowMapping, values: dict[str, Any]) -> None:
    values = values | {"version": held["version"] + 1, "changed_at": unit.now}
    await unit.db.execute(update(Evaluation).where(_E.c.id == held["id"]).values(values))


def _comment(typed: str) -> str:
    if len(typed) > COMMENT_LENGTH:
        raise Invalid("The comment is too long.", {"comment": f"at most {COMMENT_LENGTH} characters"})
    return typed.strip()
