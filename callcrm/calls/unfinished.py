"""Calls that the log holds open: since when, and the end of those that nobody can tell anything of any more."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallRow
from callcrm.kernel.writer import Unit


async def open_since(db: AsyncConnection, pbx: str) -> datetime | None:
    """When the oldest call of this PBX that the log holds open began; None when there is none."""
    return await db.scalar(select(func.min(CallRow.at)).where(CallRow.pbx == pbx, CallRow.ended_at.is_(None)))


async def end_unknown(unit: Unit, pbx: str, going_on: Collection[str]) -> list[str]:
    """End the calls of this PBX that the log holds open though they are not among those that go on; their ids.

    They ended while nobody listened. When, and by whom, is not known and stays empty; a caller who was still
    waiting counts as missed, for he may have been.
    """
    open_calls = select(CallRow.began, CallRow.id, CallRow.direction, CallRow.answered_at)
    found = (await unit.db.execute(open_calls.where(CallRow.pbx == pbx, CallRow.ended_at.is_(None)))).all()
    gone = [row for row in found if row.id not in going_on]
    for row in gone:
        missed = row.direction == "inbound" and row.answered_at is None
        outcome = "answered" if row.answered_at else "missed" if missed else "no answer"
        ended = update(CallRow).where(CallRow.began == row.began, CallRow.id == row.id)
        await unit.db.execute(
            ended.values(
                state="ended", ended_at=unit.now, missed=missed, outcome=func.coalesce(CallRow.outcome, outcome)
            )
        )
        unit.fact("call.ended", stream=f"pbx:{pbx}", call=row.id, pbx=pbx)
    return [row.id for row in gone]
