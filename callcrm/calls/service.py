"""Changes of the call model into rows and facts: the call log, written as often as wanted, is the same.

`record` runs in the writer's unit: the rows of each call once, in its last state, and a fact
for each change. A call's key derives from its id and its Uniqueid, so that a call seen again
after a restart, from a snapshot or from the PBX's own records is the same row. What a person
wrote or chose is never touched.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeGuard

from sqlalchemy import and_, bindparam, delete, func, select, update

from callcrm.calls import folding, sounds
from callcrm.calls.call import Call, Change
from callcrm.calls.rows import Context, Row, began, call_row, leg_rows, moment, operator_rows
from callcrm.calls.tables import CallOperator, CallRow, LegRow
from callcrm.clients import match as matching
from callcrm.clients import service as clients
from callcrm.clients.match import Match
from callcrm.kernel.numbers import Number
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit

Stored = Mapping[str, Any]

_LEGS = select(func.count()).where(LegRow.began == CallRow.began, LegRow.call_id == CallRow.id).scalar_subquery()
_EXTENSIONS = (
    select(func.aggregate_strings(CallOperator.extension, "\n"))
    .where(CallOperator.began == CallRow.began, CallOperator.call_id == CallRow.id)
    .scalar_subquery()
)
_CALLS = CallRow.__table__.c
#: What an index stands on is written only where it changed: that costs most.
_INDEXED = frozenset(column.name for index in CallRow.__table__.indexes for column in index.columns)  # type: ignore[attr-defined]
#: What is asked of a call that is there, before it is written anew.
_ASKED = ("began", "id", "client_id", "match", "state", "ended_at", "outcome", "disposition", "note_line")
_STORED = Prepared(
    select(
        *(_CALLS[name] for name in sorted(_INDEXED.union(_ASKED))),
        _LEGS.label("legs"),
        _EXTENSIONS.label("extensions"),
    )
    .where(CallRow.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=CallRow)
)
_FEWER_LEGS = delete(LegRow).where(
    LegRow.began == bindparam("b_began"), LegRow.call_id == bindparam("b_call"), LegRow.n >= bindparam("b_count")
)
_NOT_OPERATORS = delete(CallOperator).where(
    CallOperator.began == bindparam("b_began"),
    CallOperator.call_id == bindparam("b_call"),
    CallOperator.extension.in_(bindparam("b_extensions", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call as it was just written, for what follows from it in the same unit (callbacks).

    `began` is the row's key, `number` the client's, `was` the ids that were folded into it.
    """

    call: Call
    began: datetime
    number: Number
    client_id: int | None
    operator_id: int | None
    called: str | None
    new: bool
    was: tuple[str, ...] = ()


After = Callable[[Unit, Sequence[Recorded]], Awaitable[None]]


async def record(
    unit: Unit, changes: Sequence[Change], context: Context, *, after: Sequence[After] = ()
) -> list[Recorded]:
    """Write the calls of `changes` and tell the facts; `after` are run on what was written, in the same unit.

    Writing the same twice is one row. A change older than the end of its call is passed over.
    """
    batch = _Batch.of(changes)
    stored = {row["id"]: row for row in await _stored(unit, batch.ids)}
    batch = batch.without_stale(stored)
    written = [await _write(unit, call, batch.folded.get(call.id, ()), stored, context) for call in batch.calls()]
    _tell(unit, batch, stored, {one.call.id: one for one in written}, context)
    for follow in after:
        await follow(unit, written)
    return written


async def _stored(unit: Unit, ids: Sequence[str]) -> Sequence[Stored]:
    return [row._asdict() for row in await _STORED.all(unit.db, {"ids": ids})] if ids else []


@dataclass(frozen=True, slots=True)
class _Batch:
    """Changes in order, without those of calls that a later one of them folds into another."""

    changes: tuple[Change, ...]
    folded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, changes: Sequence[Change]) -> "_Batch":
        folded: dict[str, tuple[str, ...]] = {}
        for change in changes:
            if change.was:
                folded[change.call.id] = tuple(dict.fromkeys((*folded.get(change.call.id, ()), *change.was)))
        into = {gone for ids in folded.values() for gone in ids}
        return cls(tuple(change for change in changes if change.call.id not in into), folded)

    @property
    def ids(self) -> list[str]:
        gone = [one for ids in self.folded.values() for one in ids]
        return list(dict.fromkeys([*(change.call.id for change in self.changes), *gone]))

    def calls(self) -> list[Call]:
        """Each call once, as it was last."""
        last = {change.call.id: change.call for change in self.changes}
        return list(last.values())

    def without_stale(self, stored: Mapping[str, Stored]) -> "_Batch":
        return _Batch(tuple(c for c in self.changes if not _stale(c, stored.get(c.call.id))), self.folded)


def _stale(change: Change, row: Stored | None) -> bool:
    """An ended call stays ended: only what came after its end may open it again."""
    if row is None or row["state"] != "ended" or change.call.state == "ended":
        return False
    at = moment(change.at)
    return at is None or (row["ended_at"] is not None and at <= row["ended_at"])


async def _write(
    unit: Unit, call: Call, was: Sequence[str], stored: Mapping[str, Stored], context: Context
) -> Recorded:
    before = stored.get(call.id)
    first = before["began"] if before else began(call) or unit.now.replace(microsecond=0)
    number = context.stranger(call)
    held = matching.read(before["match"], before["client_id"]) if before else None
    match = held if _stays(held, number) else await clients.find_or_open(unit, number, said_name=call.name or "")
    row = call_row(call, first, context, number)
    row |= {"name": clients.clean_name(call.name, number) or None}
    row |= {"client_id": match.client_id, "match": match.data()}
    await _write_row(unit, row, before, keep=("client_id", "match") if match is held else ())
    await _write_legs(unit, leg_rows(call, first), before)
    await _write_operators(unit, operator_rows(call, first, context), before)
    gone = [stored[one] for one in was if one in stored]
    if gone:
        await folding.fold(unit, gone, into=(first, call.id))
    if call.recordings or gone:
        await sounds.write(unit, call, first)
    return Recorded(call, first, number, match.client_id, row["operator_id"], row["called"], before is None, tuple(was))


async def _write_row(unit: Unit, row: Row, before: Stored | None, *, keep: Sequence[str]) -> None:
    """A row that is there is written anew but for what an index stands on and what did not change."""
    if before is None:
        await upsert(unit.db, CallRow, row, keep=keep)
        return
    left = {name for name in _INDEXED if name in row and before[name] == row[name]} | {"began", "id", *keep}
    changed = {name: value for name, value in row.items() if name not in left}
    values = {f"v_{name}": value for name, value in changed.items()}
    values |= {"b_began": before["began"], "b_id": before["id"]}
    await _change(tuple(changed)).run(unit.db, values)


@lru_cache(maxsize=512)
def _change(names: tuple[str, ...]) -> Prepared:
    values = {name: bindparam(f"v_{name}", type_=_CALLS[name].type) for name in names}
    row = and_(CallRow.began == bindparam("b_began"), CallRow.id == bindparam("b_id"))
    return Prepared(update(CallRow).where(row).values(values), keyed=True)


def _stays(held: Match | None, number: Number) -> TypeGuard[Match]:
    """A match stays, unless the number turned out to be another; a person's choice always stays."""
    return held is not None and (held.chosen or held.number == number.key)


async def _write_legs(unit: Unit, rows: Sequence[Row], before: Stored | None) -> None:
    await upsert(unit.db, LegRow, rows)
    if before and before["legs"] > len(rows):
        key = {"b_began": before["began"], "b_call": before["id"], "b_count": len(rows)}
        await unit.db.execute(_FEWER_LEGS, key)


async def _write_operators(unit: Unit, rows: Sequence[Row], before: Stored | None) -> None:
    """Who sat at the phone then is kept: phones change hands."""
    await upsert(unit.db, CallOperator, rows, keep=("user_id",))
    there = set((before["extensions"] or "").split("\n")) if before and before["extensions"] is not None else set()
    gone = sorted(there - {row["extension"] for row in rows})
    if before and gone:
        key = {"b_began": before["began"], "b_call": before["id"], "b_extensions": gone}
        await unit.db.execute(_NOT_OPERATORS, key)


def _tell(
    unit: Unit,
    batch: _Batch,
    stored: Mapping[str, Stored],
    written: Mapping[str, Recorded],
    context: Context,
) -> None:
    begun, changed = set(stored), set[str]()
    ended = {key for key, row in stored.items() if row["state"] == "ended"}
    for change in batch.changes:
        call = change.call
        kind = _told_as(change, stored.get(call.id), call.id in begun, call.id in ended)
        begun.add(call.id)
        if change.kind == "call.ended":
            ended.add(call.id)
        if kind == "call.changed" and change.operator is None:
            # Once a unit: whoever hears of it reads the row as it is after all of them.
            if call.id in changed:
                continue
            changed.add(call.id)
        if kind:
            one = written[call.id]
            unit.fact(kind, stream=f"pbx:{call.pbx}", at=_when(unit, change), **_ids(change, one, context))
    for into, was in batch.folded.items():
        for gone in was:
            if gone in stored and into in written:
                unit.fact("call.changed", stream=f"pbx:{written[into].call.pbx}", call=gone, into=into)


def _told_as(change: Change, row: Stored | None, begun: bool, ended: bool) -> str:
    """The fact's kind; what was told before is not told again as if it were news."""
    if change.kind == "call.began" and begun:
        return "call.changed"
    if change.kind == "call.ended" and ended:
        same = row is not None and row["ended_at"] == moment(change.call.ended_at)
        return "" if same and row is not None and row["outcome"] == change.call.outcome else "call.changed"
    return change.kind


def _when(unit: Unit, change: Change) -> datetime:
    """The PBX's time, unless its clock or a capture's seconds are nowhere near ours."""
    at = moment(change.at)
    return at if at is not None and at <= unit.now + timedelta(days=1) else unit.now


def _ids(change: Change, one: Recorded, context: Context) -> dict[str, Any]:
    ids: dict[str, Any] = {"call": one.call.id, "pbx": one.call.pbx, "client": one.client_id}
    if change.operator is not None:
        ids |= {"extension": change.operator, "user": context.user(one.call.pbx, change.operator)}
    return ids
