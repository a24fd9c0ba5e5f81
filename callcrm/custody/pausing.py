"""Pausing the recording of a call that goes on, for card data say, and letting it go on again.

A gap is asked for in the unit that writes the wishes to the PBX: one for every line of the call, for a recording may
hang at any of them. What came of them is read by `gapkeeper`, which also ends the gap when its time is over. Nothing
counts as paused before the PBX has said so.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, scope, visible_calls
from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.custody.law_tables import RecordingGap
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, NotFound
from callcrm.kernel.tables import LinkState
from callcrm.kernel.writer import Unit
from callcrm.telephony import port

#: A wish to pause that was not sent so soon is not sent any more: the card number has been said.
EXPIRES_S = 5.0
SHORTEST_S, LONGEST_S = 5.0, 1800.0
ACTIVE = ("asked", "open", "closing")
ACTION = "MixMonitorMute"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that is not recorded: how it stands, when it began and ended, and why it did not come about."""

    id: str
    call: str
    state: str
    reason: str
    asked_at: datetime
    begins_at: datetime | None
    resume_at: datetime
    ended_at: datetime | None
    ended_how: str
    wanted_by: int | None
    words: str

    @property
    def seconds(self) -> float | None:
        """How long it was; None while it lasts, and for one that never began."""
        if self.begins_at is None or self.ended_at is None:
            return None
        return round(max(0.0, (self.ended_at - self.begins_at).total_seconds()), 3)


@dataclass(frozen=True, slots=True)
class Paused:
    """What may be done with a call's recording now: `gap` is the last one, `refused` a code why nothing may.

    Codes: over, no_link, no_right, not_talking, not_yours, not_recorded.
    """

    call: str
    gap: Gap | None
    refused: str = ""

    @property
    def active(self) -> bool:
        """A gap is asked for, lasts, or is about to end."""
        return self.gap is not None and self.gap.state in ACTIVE


COLUMNS = (
    RecordingGap.id,
    RecordingGap.call_id,
    RecordingGap.state,
    RecordingGap.reason,
    RecordingGap.at,
    RecordingGap.begins_at,
    RecordingGap.resume_at,
    RecordingGap.ended_at,
    RecordingGap.ended_how,
    RecordingGap.wanted_by,
    RecordingGap.words,
)


async def gaps_of(db: AsyncConnection, call: str) -> list[Gap]:
    """A call's gaps, the oldest first, for who has seen that he may see the call."""
    query = select(*COLUMNS).where(RecordingGap.call_id == call).order_by(RecordingGap.at)
    return [Gap(*row) for row in await db.execute(query)]


async def standing(db: AsyncConnection, actor: Actor, call: str) -> Paused:
    """How the recording of a call stands for this person. NotFound for a call that he does not see."""
    columns: Select[*tuple[Any, ...]] = select(CallRow.pbx, CallRow.ended_at, CallRow.answered_at)
    row = (await db.execute(visible_calls(actor, columns).where(CallRow.id == call))).first()
    if row is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    gaps = await gaps_of(db, call)
    gap = gaps[-1] if gaps else None
    if row.ended_at is not None:
        return Paused(call, gap, "over")
    link = (await db.execute(select(LinkState.state, LinkState.detail).where(LinkState.pbx == row.pbx))).first()
    if link is None or link.state != "connected":
        return Paused(call, gap, "no_link")
    allowed = (link.detail or {}).get("allowed")
    if isinstance(allowed, list) and ACTION not in allowed:
        return Paused(call, gap, "no_right")
    if row.answered_at is None:
        return Paused(call, gap, "not_talking")
    if scope(actor) == "own" and not await _has_line(db, actor, row.pbx, call):
        return Paused(call, gap, "not_yours")
    return Paused(call, gap, "" if await _recorded(db, call) else "not_recorded")


async def pause(unit: Unit, actor: Actor, call: str, *, seconds: float, reason: str = "") -> Gap:
    """Ask the PBX to record nothing for `seconds` at most. Conflict, with a code, when this cannot be done now.

    While a gap is there already it is that gap, which then ends so long from now.
    """
    require(actor, Right.DIAL)
    await unit.db.execute(select(CallRow.id).where(CallRow.id == call).with_for_update())
    found = await standing(unit.db, actor, call)
    if found.refused:
        raise Conflict(f"The recording cannot be paused now: {found.refused.replace('_', ' ')}.", found.refused)
    seconds = min(LONGEST_S, max(SHORTEST_S, seconds))
    if found.active and found.gap is not None and found.gap.state != "closing":
        return await _prolonged(unit, found.gap, seconds)
    row = (await unit.db.execute(select(CallRow.began, CallRow.pbx).where(CallRow.id == call))).one()
    channels = await living(unit.db, call)
    gap = {
        "at": unit.now,
        "id": secrets.token_hex(16),
        "began": row.began,
        "call_id": call,
        "pbx": row.pbx,
        "state": "asked",
        "reason": reason[:100],
        "wanted_by": actor.user_id,
        "via": actor.via[:10],
        "channels": channels,
        "pausing": await _wishes(unit, "pause_recording", channels, row.pbx, call, actor.user_id),
        "resuming": [],
        "resume_at": unit.now + timedelta(seconds=seconds),
    }
    await unit.db.execute(insert(RecordingGap), gap)
    await audit.write(unit, actor, "pause", "recording", call, {"seconds": seconds})
    unit.fact("call.changed", call=call)
    return (await gaps_of(unit.db, call))[-1]


async def resume(unit: Unit, actor: Actor, call: str) -> Gap:
    """Ask the PBX to record again. Conflict when nothing is paused, NotFound for a call that is not seen."""
    require(actor, Right.DIAL)
    await unit.db.execute(select(CallRow.id).where(CallRow.id == call).with_for_update())
    found = await standing(unit.db, actor, call)
    gap = found.gap
    if gap is None or not found.active:
        raise Conflict("The recording of this call is not paused.", "not_paused")
    if found.refused == "not_yours":
        raise Conflict("The recording cannot be resumed now: not yours.", "not_yours")
    if gap.state == "open":
        await close(unit, gap.id, "hand", actor.user_id)
    elif gap.state == "asked":  # Asked now, it might reach the PBX before the wish to pause.
        soon = {"resume_at": gap.asked_at, "ended_how": "hand", "ended_by": actor.user_id}
        await unit.db.execute(update(RecordingGap).where(RecordingGap.id == gap.id).values(**soon))
    await audit.write(unit, actor, "resume", "recording", call)
    return (await gaps_of(unit.db, call))[-1]


async def close(unit: Unit, gap_id: str, how: str, by: int | None) -> None:
    """Wish that the lines of this gap are recorded again."""
    row = (await unit.db.execute(select(RecordingGap.__table__).where(RecordingGap.id == gap_id))).mappings().one()
    wishes = await _wishes(unit, "resume_recording", row["channels"], row["pbx"], row["call_id"], by)
    values = {"state": "closing", "resuming": wishes, "ended_how": how, "ended_by": by}
    await unit.db.execute(update(RecordingGap).where(RecordingGap.id == gap_id).values(**values))
    unit.fact("call.changed", call=row["call_id"])


async def cover(unit: Unit, gap_id: str, channels: list[str]) -> None:
    """Lines that joined the call during the gap are paused like the others."""
    row = (await unit.db.execute(select(RecordingGap.__table__).where(RecordingGap.id == gap_id))).mappings().one()
    wishes = await _wishes(unit, "pause_recording", channels, row["pbx"], row["call_id"], row["wanted_by"])
    values = {"channels": [*row["channels"], *channels], "pausing": [*row["pausing"], *wishes]}
    await unit.db.execute(update(RecordingGap).where(RecordingGap.id == gap_id).values(**values))


async def living(db: AsyncConnection, call: str) -> list[str]:
    """The channels of a call that are there now."""
    alive = (LegRow.call_id == call, LegRow.cause.is_(None))
    return list((await db.execute(select(LegRow.channel).where(*alive).order_by(LegRow.n))).scalars())


async def _prolonged(unit: Unit, gap: Gap, seconds: float) -> Gap:
    until = unit.now + timedelta(seconds=seconds)
    await unit.db.execute(update(RecordingGap).where(RecordingGap.id == gap.id).values(resume_at=until))
    unit.fact("call.changed", call=gap.call)
    return (await gaps_of(unit.db, gap.call))[-1]


async def _wishes(  # noqa: PLR0917 - a sentence: what is wished of which lines of which call, by whom
    unit: Unit, kind: str, channels: list[str], pbx: str, call: str, by: int | None
) -> list[str]:
    return [
        await port.want(unit, pbx, kind, {"channel": one}, wanted_by=by, expires_s=EXPIRES_S, call_id=call)
        for one in channels
    ]


async def _has_line(db: AsyncConnection, actor: Actor, pbx: str, call: str) -> bool:
    mine = [line.extension for line in actor.extensions if line.pbx == pbx]
    own = (LegRow.call_id == call, LegRow.side == "operator", LegRow.cause.is_(None), LegRow.who.in_(mine))
    return (await db.execute(select(LegRow.n).where(*own).limit(1))).first() is not None


async def _recorded(db: AsyncConnection, call: str) -> bool:
    query = select(CallRecording.n).where(CallRecording.call_id == call).limit(1)
    return (await db.execute(query)).first() is not None
