"""Click to call: asked for once, warned of before, followed to its end, cancelled at any step.

A phone has one click to call under way (`dials.over_at` is empty, and a unique index says so): whoever asks again for
the same number meanwhile, by a second Enter, in another tab or after a reload, gets the one that there is.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Line, shown_number
from callcrm.calls.model.calls import call_id
from callcrm.calls.tables import CallRow, Dial, LegRow
from callcrm.calls.warnings import Callee, DialWarning, Warned, Week, callees, warnings_of
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.tables import Command
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony import port

#: How long the steps are followed; after that there is no news.
FOLLOWED = timedelta(seconds=120)
#: How long the end of a line may take after the PBX refused the wish for it.
_TELLING = timedelta(seconds=5)
#: The id of a line bears our clock's second, a little early so that it is the oldest of its call.
_EARLY_S = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """How numbers are read and written for one PBX, and when clients may be called."""

    country: str
    numbers: str
    week: Week


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a click to call has got.

    `step`: phone (the operator's rings), client (his rings), talking, over. `pending`: something is still to come.
    `state` and `message` are the command's; `outcome` the call's; `cause` why the operator's own line ended.
    """

    id: str
    user_id: int
    pbx: str
    extension: str
    number: str
    name: str
    client_id: int | None
    channel: str
    call: str | None
    step: str
    pending: bool
    state: str
    message: str
    outcome: str | None
    cause: int | None
    cancelled: bool
    overridden: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime


def number_of(typed: str, rules: Rules, shown: str = "") -> tuple[str, str]:
    """What is dialled for a number in any spelling, and its E.164 (empty for an extension).

    Invalid in words, with the number as it may be `shown`.
    """
    read = parse(typed, rules.country)
    compact = re.sub(r"[\s()./-]", "", typed)
    for candidate in dict.fromkeys((read.e164, read.e164.removeprefix("+"), compact)):
        if candidate and re.fullmatch(rules.numbers, candidate):
            return candidate, read.e164
    told = (shown or typed)[:40]
    raise Invalid(f"The number {told} may not be dialled from here.", {"number": "may not be dialled"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as somebody asks for it: from which phone, the number as typed, and the warnings he overrides."""

    line: Line
    typed: str
    rules: Rules
    name: str = ""
    override: frozenset[str] = frozenset()
    address: str = ""


async def place(writer: Writer, actor: Actor, asked: Asked) -> str:
    """Ask for a call; the dial's id. Warned when a warning was not overridden, Conflict while another is under way."""
    try:
        return await writer.do(lambda unit: ask(unit, actor, asked), name="dial")
    except IntegrityError:  # another process was faster for the same phone
        raise Conflict(f"Phone {asked.line.extension} is calling already; cancel that call first.") from None


async def ask(unit: Unit, actor: Actor, asked: Asked) -> str:
    """The same within a unit."""
    line, rules = asked.line, asked.rules
    number, e164 = number_of(asked.typed, rules, shown_number(actor, asked.typed) or "")
    there = await _under_way(unit, line)
    if there is not None:
        if there.number == number:
            return there.id
        other = shown_number(actor, there.number)
        raise Conflict(f"Phone {line.extension} is calling {other}; cancel that call first.", there.id)
    people = await callees(unit.db, e164)
    warnings = await warnings_of(unit.db, actor.user_id, e164, people, rules.week, unit.now)
    if any(one.kind not in asked.override for one in warnings):
        raise Warned(warnings)
    dial = await _want(unit, actor, asked, number, people, warnings)
    if warnings:
        detail = {"warnings": [one.kind for one in warnings], "clients": [one.id for one in people]}
        await audit.write(unit, actor, "override", "dial", dial, detail, address=asked.address)
    return dial


async def _want(  # noqa: PLR0917 - what was asked, and what was found of it
    unit: Unit, actor: Actor, asked: Asked, number: str, people: Sequence[Callee], warnings: Sequence[DialWarning]
) -> str:
    line, client = asked.line, people[0] if len(people) == 1 else None
    shown = asked.name or (client.name if client else "")
    channel = _fresh_id(unit.now)
    args = {"extension": line.extension, "number": number, "name": _plain(shown), "channel": channel}
    dial = await port.want(unit, line.pbx, "dial", args, wanted_by=actor.user_id, call_id=call_id(line.pbx, channel))
    row = {
        "id": dial,
        "user_id": actor.user_id,
        "pbx": line.pbx,
        "extension": line.extension,
        "number": number,
        "name": shown[:200],
        "client_id": client.id if client else None,
        "channel": channel,
        "call_id": call_id(line.pbx, channel),
        "overridden": [one.kind for one in warnings],
        "asked_at": unit.now,
    }
    await unit.db.execute(insert(Dial).values(**row))
    return dial


async def cancel(unit: Unit, actor: Actor, dial: str) -> None:
    """End a call that was asked for and that the client has not answered; Conflict when he has."""
    await unit.db.execute(select(Dial.id).where(Dial.id == dial).with_for_update())
    there = await progress(unit.db, actor, dial, unit.now)
    if there.step == "talking":
        raise Conflict("The client has answered; hang up instead.")
    if there.cancelled or not there.pending:
        return
    await unit.db.execute(update(Dial).where(Dial.id == dial).values(cancelled_at=unit.now))
    args = {"dial": dial, "channel": there.channel}
    await port.want(unit, there.pbx, "cancel_dial", args, wanted_by=actor.user_id, call_id=there.call)


async def progress(db: AsyncConnection, actor: Actor, dial: str, now: datetime) -> Progress:
    """How far a call of this person has got; NotFound for somebody else's."""
    rows = (await db.execute(_STATEMENT.where(Dial.id == dial, Dial.user_id == actor.user_id))).all()
    if not rows:
        raise NotFound("There is no such call of yours.")
    return _progress(rows[0], now)


async def open_dial(db: AsyncConnection, actor: Actor, now: datetime) -> Progress | None:
    """The call that this person has under way: what a page shows again after a reload."""
    mine = (Dial.user_id == actor.user_id, Dial.over_at.is_(None), Dial.asked_at > now - FOLLOWED)
    row = (await db.execute(_STATEMENT.where(*mine).order_by(Dial.asked_at.desc()).limit(1))).first()
    found = _progress(row, now) if row is not None else None
    return found if found is not None and found.pending else None


_STATEMENT = (
    select(
        *Dial.__table__.columns,
        Command.state,
        Command.result,
        Command.expires_at,
        Command.changed_at,
        CallRow.id.label("found_call"),
        CallRow.answered_at,
        CallRow.ended_at,
        CallRow.outcome,
        LegRow.cause,
    )
    .join(Command, Command.id == Dial.id)
    .outerjoin(CallRow, CallRow.id == Dial.call_id)
    .outerjoin(LegRow, (LegRow.call_id == CallRow.id) & (LegRow.uniqueid == Dial.channel))
)


async def _under_way(unit: Unit, line: Line) -> Progress | None:
    """The phone's open dial; one that is over is marked so first."""
    where = (Dial.pbx == line.pbx, Dial.extension == line.extension, Dial.over_at.is_(None))
    held = (await unit.db.execute(select(Dial.id).where(*where).with_for_update())).scalar_one_or_none()
    if held is None:
        return None
    row = (await unit.db.execute(_STATEMENT.where(Dial.id == held))).first()
    found = _progress(row, unit.now) if row is not None else None
    if found is not None and found.pending:
        return found
    await unit.db.execute(update(Dial).where(Dial.id == held).values(over_at=unit.now))
    return None


def _progress(row: Any, now: datetime) -> Progress:
    step, pending = _step(row, now)
    return Progress(
        id=row.id,
        user_id=row.user_id,
        pbx=row.pbx,
        extension=row.extension,
        number=row.number,
        name=row.name,
        client_id=row.client_id,
        channel=row.channel,
        call=row.found_call,
        step=step,
        pending=pending,
        state=row.state,
        message=str((row.result or {}).get("message", "")),
        outcome=row.outcome if row.ended_at is not None else None,
        cause=row.cause,
        cancelled=row.cancelled_at is not None,
        overridden=tuple(row.overridden or ()),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
    )


def _step(row: Any, now: datetime) -> tuple[str, bool]:
    """What truly became of the call wins over what the PBX said of the wish."""
    if row.ended_at is not None:
        return "over", False
    if row.answered_at is not None:
        return "talking", False
    if row.state in ("refused", "expired", "cancelled"):
        # The PBX says why a line ended after it refused the wish: a line that is there still has that to say.
        awaited = row.found_call is not None and now - row.changed_at < _TELLING
        return ("phone", True) if awaited else ("over", False)
    late = now - row.asked_at > FOLLOWED
    if late and row.found_call is None:
        return "over", False
    return ("client" if row.state == "done" else "phone"), True


def _fresh_id(now: datetime) -> str:
    """An id as Asterisk writes them, of a number that its own count never reaches."""
    return f"{int(now.timestamp()) - _EARLY_S}.{random.SystemRandom().randrange(10**8, 10**9)}"


def _plain(name: str) -> str:
    """What a caller's name may hold on the way to the PBX; the rest is left out."""
    return re.sub(r"[^\w .'()+-]", "", name)[:80].strip()
