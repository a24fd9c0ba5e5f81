"""How recordings fare, for whoever runs the PBX: states, troubles in words, calls and files that lack each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, shown_number
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody.tables import KeptSound, StraySound
from callcrm.kernel import audit, clock
from callcrm.kernel.errors import NotFound
from callcrm.kernel.writer import Unit

DAYS = 30
SHOWN = 50
_TROUBLED = ("waiting", "damaged", "gone")


@dataclass(frozen=True, slots=True)
class Count:
    """How many recordings of a PBX have this state."""

    pbx: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A sound that could not be kept yet, is damaged or gone; its call where it has one."""

    pbx: str
    file: str
    state: str
    words: str
    tries: int
    call_id: str | None
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """A recording that was told of and has no file."""

    call_id: str
    n: int
    pbx: str
    file: str
    state: str
    cause: str
    at: datetime
    talk_s: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """A call that a stray may belong to, as people know calls; `why` are codes of reasons."""

    call_id: str
    points: int
    why: tuple[str, ...]
    certain: bool
    at: datetime
    number: str | None
    talk_s: float | None


@dataclass(frozen=True, slots=True)
class StrayLine:
    """A file without a call, or one that was linked."""

    id: int
    pbx: str
    file: str
    size: int
    seconds: float | None
    changed_at: datetime
    state: str
    how: str
    call_id: str | None
    fits: tuple[Fit, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page. `kept`: sounds by their state in custody; `untold`: talks that no PBX told a recording of."""

    counts: tuple[Count, ...]
    kept: dict[str, int]
    waiting: int
    troubles: tuple[Trouble, ...]
    lost: tuple[Lost, ...]
    untold: int
    strays: tuple[StrayLine, ...]
    open_strays: int
    settled: tuple[StrayLine, ...]


async def overview(db: AsyncConnection, actor: Actor, days: int = DAYS) -> Overview:
    """How recordings of the last `days` fare. Raises NotAllowed."""
    require(actor, Right.PBX)
    since = clock.now() - timedelta(days=days)
    open_ = StraySound.state == "open"
    waiting = select(func.count()).select_from(CallRecording).where(CallRecording.keep_at.is_not(None))
    return Overview(
        counts=await _counts(db, since),
        kept={row.state: row.sounds for row in await db.execute(_KEPT)},
        waiting=await db.scalar(waiting) or 0,
        troubles=await _troubles(db),
        lost=await _lost(db, since),
        untold=await _untold(db, since),
        strays=await _strays(db, actor, open_, StraySound.changed_at.desc()),
        open_strays=await db.scalar(select(func.count()).select_from(StraySound).where(open_)) or 0,
        settled=await _strays(db, actor, StraySound.state != "open", StraySound.settled_at.desc()),
    )


_KEPT = select(KeptSound.state, func.count().label("sounds")).group_by(KeptSound.state)


async def _counts(db: AsyncConnection, since: datetime) -> tuple[Count, ...]:
    by = (CallRecording.pbx, CallRecording.state)
    counted = select(*by, func.count()).where(CallRecording.began >= since).group_by(*by).order_by(*by)
    return tuple(Count(*row) for row in await db.execute(counted))


async def _troubles(db: AsyncConnection) -> tuple[Trouble, ...]:
    told = and_(CallRecording.pbx == KeptSound.pbx, CallRecording.file == KeptSound.file)
    wanted = (
        select(KeptSound.pbx, KeptSound.file, KeptSound.state, KeptSound.trouble, KeptSound.tries)
        .add_columns(CallRecording.call_id, CallRecording.keep_at)
        .outerjoin(CallRecording, told)
        .where(KeptSound.state.in_(_TROUBLED))
        .limit(SHOWN)
    )
    return tuple(Trouble(*row) for row in await db.execute(wanted))


async def _lost(db: AsyncConnection, since: datetime) -> tuple[Lost, ...]:
    part = and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id)
    wanted = (
        select(CallRecording.call_id, CallRecording.n, CallRecording.pbx, CallRecording.file)
        .add_columns(CallRecording.state, CallRecording.cause, CallRow.at, CallRow.talk_s)
        .join(CallRow, part)
        .where(CallRecording.state == "missing", CallRecording.began >= since)
        .order_by(CallRecording.began.desc())
        .limit(SHOWN)
    )
    return tuple(Lost(*row) for row in await db.execute(wanted))


async def _untold(db: AsyncConnection, since: datetime) -> int:
    """Talks without any recording, of PBXes that tell of recordings at all."""
    records = select(CallRecording.pbx).where(CallRecording.began >= since).distinct()
    told = exists().where(CallRecording.began == CallRow.began, CallRecording.call_id == CallRow.id)
    wanted = select(func.count()).select_from(CallRow).where(CallRow.at >= since, CallRow.talk_s > 0)
    return await db.scalar(wanted.where(CallRow.pbx.in_(records), CallRow.direction != "internal", ~told)) or 0


async def _strays(db: AsyncConnection, actor: Actor, which: Any, order: Any) -> tuple[StrayLine, ...]:
    rows = (await db.execute(select(StraySound).where(which).order_by(order).limit(SHOWN))).all()
    calls = await _calls(db, {guess["call_id"] for row in rows for guess in row.guesses})
    return tuple(
        StrayLine(
            row.id,
            row.pbx,
            row.file,
            row.size,
            row.seconds,
            row.changed_at,
            row.state,
            row.how,
            row.call_id,
            tuple(_fit(actor, guess, calls[guess["call_id"]]) for guess in row.guesses if guess["call_id"] in calls),
        )
        for row in rows
    )


def _fit(actor: Actor, guess: dict[str, Any], call: Any) -> Fit:
    number = shown_number(actor, call.client_number)
    return Fit(call.id, guess["points"], tuple(guess["why"]), guess["certain"], call.at, number, call.talk_s)


async def _calls(db: AsyncConnection, ids: set[str]) -> dict[str, Any]:
    if not ids:
        return {}
    columns = (CallRow.id, CallRow.at, CallRow.client_number, CallRow.talk_s)
    return {row.id: row for row in await db.execute(select(*columns).where(CallRow.id.in_(sorted(ids))))}


async def try_again(unit: Unit, actor: Actor, pbx: str, file: str) -> None:
    """Have a troubled sound tried again at once: kept, or compared with its checksum. Raises NotFound."""
    require(actor, Right.PBX)
    this = and_(KeptSound.pbx == pbx, KeptSound.file == file)
    state = await unit.db.scalar(select(KeptSound.state).where(this))
    if state is None:
        raise NotFound("There is no such recording in the list any more.")
    if state == "waiting":
        mine = and_(CallRecording.pbx == pbx, CallRecording.file == file)
        due = update(CallRecording).where(mine).values(keep_at=unit.now)
        rows: Sequence[Any] = (await unit.db.execute(due.returning(CallRecording.call_id, CallRecording.n))).all()
        for row in rows:
            unit.fact("recording.changed", stream=f"pbx:{pbx}", call=row.call_id, n=row.n)
    else:
        await unit.db.execute(update(KeptSound).where(this).values(verify_at=unit.now))
    await audit.write(unit, actor, "try again", "recording", f"{pbx}/{file}"[:200])
