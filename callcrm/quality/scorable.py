"""Who may score whose part in which call."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from callcrm.accounts.policy import Actor, scope, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality.tables import Calibration, CalibrationGrader


@dataclass(frozen=True, slots=True)
class Subject:
    """What is scored: an operator's part in a call, on a version of a form; within a round of calibration or not."""

    call_id: str
    operator_id: int
    form_id: int
    form_n: int
    calibration_id: int | None = None


async def began(unit: Unit, actor: Actor, subject: Subject) -> datetime:
    """When the call began, where the actor may score this operator's part in it; else NotFound, NotAllowed, Invalid."""
    if subject.operator_id == actor.user_id:
        raise NotAllowed("Nobody scores his own call; ask a colleague.")
    talked = select(CallOperator.call_id).where(
        CallOperator.began == CallRow.began,
        CallOperator.call_id == CallRow.id,
        CallOperator.user_id == subject.operator_id,
        CallOperator.answered.is_(True),
    )
    columns: tuple[Any, ...] = (CallRow.began, CallRow.ended_at, talked.exists().label("talked"))
    wanted: Select[Any] = select(*columns)
    row = (await unit.db.execute(visible_calls(actor, wanted.where(CallRow.id == subject.call_id)))).first()
    if row is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    if row.ended_at is None:
        raise Invalid("The call goes on; it can be scored when it is over.")
    if not row.talked:
        raise Invalid("This operator did not talk in this call.", {"operator": "choose who talked"})
    await _reached(unit, actor, subject)
    moment: datetime = row.began
    return moment


async def _reached(unit: Unit, actor: Actor, subject: Subject) -> None:
    if subject.calibration_id is not None:
        rounds = Calibration.id == CalibrationGrader.calibration_id
        asked = select(CalibrationGrader.user_id).join(Calibration, rounds)
        mine = (CalibrationGrader.calibration_id == subject.calibration_id, CalibrationGrader.user_id == actor.user_id)
        if (await unit.db.execute(asked.where(*mine, Calibration.closed_at.is_(None)))).first() is None:
            raise NotAllowed("This round of calibration is closed, or you were not asked to score in it.")
    elif scope(actor) == "team":
        team = (await unit.db.execute(select(User.team).where(User.id == subject.operator_id))).scalar()
        if team != actor.team:
            raise NotAllowed("You score the people of your own team.")
