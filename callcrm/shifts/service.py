"""Shifts as people work them: start at a phone, pause, be back, end. What the PBX is to do goes to it as wishes.

Each act, and each thing that happens to somebody's calls, comes through `happen`: it reads the standing, leads it
through the events and writes standing, spells and the fact `operator.changed` in one unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, select, update

from callcrm.accounts import seats
from callcrm.accounts import service as accounts
from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.tables import Phone
from callcrm.kernel.errors import Invalid
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.tables import Command
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.shifts import states
from callcrm.shifts.states import OFF, Event, Mind, Rules, Spell, State
from callcrm.shifts.tables import OperatorState, Standing
from callcrm.telephony import port

MINDS = TypeAdapter(Mind)
#: A pause that could not be sent within this many seconds is not sent any more.
EXPIRES_S = 8.0
_STORED = Prepared(
    select(Standing.state, Standing.reason, Standing.since, Standing.mind, Standing.asked)
    .where(Standing.user_id == bindparam("user"))
    .with_for_update()
)
_CLOSE = Prepared(
    delete(OperatorState).where(
        OperatorState.user_id == bindparam("user"),
        OperatorState.began >= bindparam("since"),
        OperatorState.ended.is_(None),
    ),
    keyed=True,
)
IDLE, NOBODY = Mind(), State()


@dataclass(frozen=True, slots=True)
class Stands:
    """One person's standing as it is stored. `asked`: the PBX commands that go with it, and their phones."""

    mind: Mind = IDLE
    state: State = NOBODY
    asked: tuple[tuple[str, str], ...] = ()


async def start(unit: Unit, actor: Actor, phone: Line | None = None) -> None:
    """The shift begins, at this phone; a shift that goes on moves there.

    Conflict when somebody works at the phone, in a sentence that names him.
    """
    moved = phone is not None and await _sit(unit, actor, phone)
    since = await accounts.start_shift(unit, actor)
    stands = await happen(unit, actor.user_id, [states.Started(since)])
    if moved and (reason := states.wanted(stands.mind)) is not None:
        await ask(unit, actor.user_id, reason)


async def _sit(unit: Unit, actor: Actor, phone: Line) -> bool:
    """Whether he moved; the phone that he leaves is not left paused behind him."""
    before = await _phones(unit, actor.user_id)
    stands = await stored(unit, actor.user_id)
    if before and before[0] != phone and states.wanted(stands.mind) is not None:
        await ask(unit, actor.user_id, None)
    await seats.sit(unit, actor, phone)
    unit.fact("operator.changed", user=actor.user_id)
    return bool(before) and before[0] != phone


async def end(unit: Unit, user_id: int, *, at: datetime | None = None, how: str = "") -> None:
    """The shift is over (`at`, now unless told): what was paused for it is opened, the phone is given back."""
    await happen(unit, user_id, [states.Stopped(at or unit.now)], how=how)
    await accounts.end_shift(unit, user_id)


async def pause(unit: Unit, actor: Actor, reason: str, rules: Rules) -> None:
    """Take a pause for one of the house's reasons. Invalid for another, or off shift."""
    if reason not in rules.pauses:
        known = ", ".join(rules.pauses)
        raise Invalid(f"A pause needs one of these reasons: {known}.", {"reason": f"one of {known}"})
    stands = await happen(unit, actor.user_id, [states.PausedByHand(unit.now, reason)])
    if stands.mind.on_shift is None:
        raise Invalid("Start your shift first; who is not on shift gets no calls here anyway.")


async def resume(unit: Unit, actor: Actor) -> None:
    """Be back from a pause, also from one that was taken at the phone."""
    before = await stored(unit, actor.user_id)
    await happen(unit, actor.user_id, [states.Resumed(unit.now)])
    if states.wanted(before.mind) is None and before.mind.pbx is not None:
        await ask(unit, actor.user_id, None)


async def again(unit: Unit, actor: Actor) -> None:
    """Ask the PBX once more for what it did not do."""
    stands = await stored(unit, actor.user_id)
    await ask(unit, actor.user_id, states.wanted(stands.mind))


async def happen(unit: Unit, user_id: int, events: Sequence[Event], *, how: str = "") -> Stands:
    """Lead a person's standing through `events`, up to now; what it is afterwards.

    `how` is noted with a spell that these events ended.
    """
    before = await stored(unit, user_id)
    mind, state, spells = states.follow(before.mind, before.state, events, unit.now)
    after = Stands(mind, state, before.asked)
    if mind != before.mind or state != before.state:
        await _save(unit, user_id, after)
    if state != before.state:
        if before.state.since is not None:
            await _CLOSE.run(unit.db, {"user": user_id, "since": before.state.since})
        await _write_spells(unit, user_id, spells, state, how)
        unit.fact("operator.changed", user=user_id, state=state.code)
    wish, wished = states.wanted(mind), states.wanted(before.mind)
    if wish != wished:
        await ask(unit, user_id, wish)
    return after


async def stored(unit: Unit, user_id: int) -> Stands:
    """The standing as it is stored, locked until the unit ends; nothing is known of who never worked."""
    row = await _STORED.first(unit.db, {"user": user_id})
    return Stands() if row is None else read(row)


def read(row: Any) -> Stands:
    """A row of standings."""
    since = None if row.state == OFF and not row.mind else row.since
    return Stands(MINDS.validate_python(row.mind), State(row.state, row.reason, since), tuple(row.asked.items()))


async def ask(unit: Unit, user_id: int, reason: str | None) -> None:
    """Have the PBX give the person's phones no calls, for this reason; or (None) calls again.

    An earlier wish that was not sent yet is not sent any more: the newest one is what counts.
    """
    stands = await stored(unit, user_id)
    waiting = (Command.id.in_([command for command, _ in stands.asked]), Command.state == "wanted")
    values = {"state": "expired", "result": {"message": "Not done: something else was asked for meanwhile."}}
    await unit.db.execute(update(Command).where(*waiting).values(**values, changed_at=unit.now))
    asked: dict[str, str] = {}
    for line in await _phones(unit, user_id):
        args = {"extension": line.extension} | ({} if reason is None else {"reason": reason})
        kind = "unpause" if reason is None else "pause"
        command = await port.want(unit, line.pbx, kind, args, wanted_by=user_id, expires_s=EXPIRES_S)
        asked[command] = line.extension
    await _save(unit, user_id, Stands(stands.mind, stands.state, tuple(asked.items())))


async def _phones(unit: Unit, user_id: int) -> list[Line]:
    seated = Phone.seated_at.is_not(None)
    statement = select(Phone.pbx, Phone.extension).where(Phone.user_id == user_id)
    return [Line(*row) for row in await unit.db.execute(statement.order_by(seated.desc(), Phone.id))]


async def _save(unit: Unit, user_id: int, stands: Stands) -> None:
    row = {
        "user_id": user_id,
        "state": stands.state.code,
        "reason": stands.state.reason,
        "since": stands.state.since or unit.now,
        "mind": MINDS.dump_python(stands.mind, mode="json"),
        "asked": dict(stands.asked),
    }
    await upsert(unit.db, Standing, row)


async def _write_spells(unit: Unit, user_id: int, spells: Iterable[Spell], state: State, how: str) -> None:
    """What is over, in place of the spell that was open and is forgotten; and the present one, which is open."""
    rows = [_row(user_id, one.began, one.code, one.reason, one.ended) for one in spells]
    if rows:
        rows[-1]["how"] = how
    if state.code != OFF and state.since is not None:
        rows.append(_row(user_id, state.since, state.code, state.reason, None))
    await upsert(unit.db, OperatorState, rows)


def _row(user_id: int, began: datetime, state: str, reason: str, ended: datetime | None) -> dict[str, Any]:
    row: dict[str, Any] = {"began": began, "user_id": user_id, "state": state, "reason": reason}
    return row | {"ended": ended, "how": ""}
