"""Comments pinned to seconds of a recording: what somebody heard there, for whoever may hear the call.

A pin counts from the beginning of its recording, so that it stays on its word whatever is learned of the call later.
Pins of an evaluation are drafts: its grader sees, changes and removes them until `release`; from then on everybody
who may hear the call sees them, and nobody changes them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, RowMapping, Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, may, require, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls.notes import clean
from callcrm.calls.tables import CallRecording, CallRow, Pin
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Unit

TEXT_LENGTH = 2_000
#: Of a recording whose length is not known a pin may be so far in, at most.
_LONGEST_S = 86_400.0
#: A browser's clock and the file's header may differ by so much at a recording's end.
_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class PinLine:
    """A pin as people see it; `mine`: the actor wrote it and may still change it, `mine_to_remove`: he may remove it.

    `at_s` and `until_s` are seconds of recording `n` of the call.
    """

    id: int
    call_id: str
    n: int
    at_s: float
    until_s: float | None
    text: str
    author_id: int
    author: str
    at: datetime
    evaluation_id: int | None
    mine: bool
    mine_to_remove: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pin goes: seconds of a call's recording; `until_s` None: one moment."""

    call_id: str
    n: int
    at_s: float
    until_s: float | None = None


async def add(unit: Unit, actor: Actor, place: Place, text: str, *, evaluation_id: int | None = None) -> int:
    """Pin a comment; gives the pin's id. `evaluation_id`: the actor's own draft, which the caller has checked.

    Raises NotAllowed, NotFound for a recording that is not his to hear, Invalid for no text or no such second.
    """
    require(actor, Right.LISTEN)
    began, seconds = await _recording(unit, actor, place)
    _check(place, seconds)
    row = {
        "began": began,
        "call_id": place.call_id,
        "n": place.n,
        "at_s": round(place.at_s, 2),
        "until_s": None if place.until_s is None else round(place.until_s, 2),
        "text": _said(text),
        "author_id": actor.user_id,
        "at": unit.now,
        "evaluation_id": evaluation_id,
    }
    key = (await unit.db.execute(insert(Pin).values(row).returning(Pin.id))).scalar_one()
    await _note(unit, actor, "pin", f"{place.call_id}/{place.n}", key)
    return int(key)


async def change(unit: Unit, actor: Actor, pin_id: int, text: str) -> None:
    """Say something else at the same second; only its author may, and only until it is released."""
    row = await _mine(unit, actor, pin_id)
    if row.author_id != actor.user_id:
        raise NotAllowed("This comment is somebody else's; pin one of your own beside it.")
    await unit.db.execute(update(Pin).where(Pin.id == pin_id).values(text=_said(text)))
    await _note(unit, actor, "change pin", f"{row.call_id}/{row.n}", pin_id)


async def remove(unit: Unit, actor: Actor, pin_id: int) -> None:
    """Take a pin away: its author may, and who may see the audit; `bring_back` undoes it."""
    await _turn(unit, actor, pin_id, away=True)


async def bring_back(unit: Unit, actor: Actor, pin_id: int) -> None:
    """Put a pin back that was taken away."""
    await _turn(unit, actor, pin_id, away=False)


async def release(unit: Unit, evaluation_id: int) -> int:
    """Show an evaluation's pins to everybody who may hear the call, for good; gives how many."""
    drafts = (Pin.evaluation_id == evaluation_id, Pin.released_at.is_(None), Pin.removed_at.is_(None))
    return (await unit.db.execute(update(Pin).where(*drafts).values(released_at=unit.now))).rowcount


async def of_call(db: AsyncConnection, actor: Actor, call_id: str) -> list[PinLine]:
    """A call's pins that the actor may see, in the order of the sound; none without the right to listen."""
    if not may(actor, Right.LISTEN):
        return []
    statement = visible_calls(actor, _pins().where(Pin.call_id == call_id, _shown_to(actor)))
    return [_line(actor, row) for row in (await db.execute(statement)).mappings()]


async def by_id(db: AsyncConnection, actor: Actor, ids: Collection[int]) -> dict[int, PinLine]:
    """Those of these pins that the actor may see, by id: what a list of moments is made of."""
    require(actor, Right.LISTEN)
    statement = visible_calls(actor, _pins().where(Pin.id.in_(ids), _shown_to(actor)))
    rows = (await db.execute(statement)).mappings()
    return {row["id"]: _line(actor, row) for row in rows}


async def of_evaluation(db: AsyncConnection, actor: Actor, evaluation_id: int) -> list[PinLine]:
    """The pins of an evaluation that the actor may see, in the order of the sound."""
    require(actor, Right.LISTEN)
    statement = visible_calls(actor, _pins().where(Pin.evaluation_id == evaluation_id, _shown_to(actor)))
    return [_line(actor, row) for row in (await db.execute(statement)).mappings()]


def _pins() -> Select[*tuple[Any, ...]]:
    person = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("author")
    call = and_(CallRow.began == Pin.began, CallRow.id == Pin.call_id)
    statement = select(*Pin.__table__.columns, person).select_from(Pin).join(CallRow, call)
    return statement.outerjoin(User, User.id == Pin.author_id).order_by(Pin.n, Pin.at_s, Pin.id)


def _shown_to(actor: Actor) -> ColumnElement[bool]:
    mine = or_(Pin.evaluation_id.is_(None), Pin.released_at.is_not(None), Pin.author_id == actor.user_id)
    return and_(Pin.removed_at.is_(None), mine)


def _line(actor: Actor, found: RowMapping) -> PinLine:
    given = {name: found[name] for name in PinLine.__slots__ if not name.startswith("mine")}
    mine = found["author_id"] == actor.user_id and found["released_at"] is None
    plain = found["evaluation_id"] is None
    return PinLine(**given, mine=mine, mine_to_remove=mine or (plain and may(actor, Right.AUDIT)))


async def _recording(unit: Unit, actor: Actor, place: Place) -> tuple[datetime, float | None]:
    part = and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id)
    statement: Select[*tuple[Any, ...]] = select(CallRow.began, CallRecording.seconds).join(CallRecording, part)
    this = statement.where(CallRecording.call_id == place.call_id, CallRecording.n == place.n)
    row = (await unit.db.execute(visible_calls(actor, this))).first()
    if row is None:
        raise NotFound("There is no such recording, or it is not yours to hear.")
    return row.began, row.seconds


def _check(place: Place, seconds: float | None) -> None:
    last = _LONGEST_S if seconds is None else seconds + _SLACK_S
    if not 0 <= place.at_s <= last:
        raise Invalid("This recording has no such second.", {"at_s": "is outside the recording"})
    if place.until_s is not None and not place.at_s <= place.until_s <= last:
        raise Invalid("A stretch ends after it began, within the recording.", {"until_s": "is outside the recording"})


def _said(text: str) -> str:
    said = clean(text).strip()
    if not said:
        raise Invalid("Write what you heard at this second.", {"text": "write something first"})
    if len(said) > TEXT_LENGTH:
        raise Invalid(f"A pinned comment has at most {TEXT_LENGTH} characters.", {"text": "too long"})
    return said


async def _mine(unit: Unit, actor: Actor, pin_id: int) -> Row[*tuple[Any, ...]]:
    """The pin, if the actor sees it and it is no part of a released evaluation."""
    require(actor, Right.LISTEN)
    call = and_(CallRow.began == Pin.began, CallRow.id == Pin.call_id)
    columns = (Pin.call_id, Pin.n, Pin.author_id, Pin.evaluation_id, Pin.released_at)
    seen = or_(Pin.evaluation_id.is_(None), Pin.released_at.is_not(None), Pin.author_id == actor.user_id)
    statement: Select[*tuple[Any, ...]] = select(*columns).join(CallRow, call).where(Pin.id == pin_id, seen)
    row = (await unit.db.execute(visible_calls(actor, statement))).first()
    if row is None:
        raise NotFound("There is no such comment, or it is not yours to see.")
    if row.released_at is not None:
        raise Conflict("This comment is part of a released evaluation, which nobody changes any more.")
    return row


async def _turn(unit: Unit, actor: Actor, pin_id: int, *, away: bool) -> None:
    row = await _mine(unit, actor, pin_id)
    if row.author_id != actor.user_id and not may(actor, Right.AUDIT):
        raise NotAllowed("This comment is somebody else's; he or a supervisor may take it away.")
    await unit.db.execute(update(Pin).where(Pin.id == pin_id).values(removed_at=unit.now if away else None))
    await _note(unit, actor, "remove pin" if away else "restore pin", f"{row.call_id}/{row.n}", pin_id)


async def _note(unit: Unit, actor: Actor, act: str, recording: str, pin_id: int) -> None:
    await audit.write(unit, actor, act, "recording", recording, {"pin": pin_id})
