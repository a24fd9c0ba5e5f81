"""What became of a click to call: the call that it led to, as far as it has got."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallRow

#: The PBX's clock may be so far from ours.
CLOCKS_APART = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Dialled:
    """The call of a click."""

    id: str
    outcome: str | None
    answered_at: datetime | None
    ended_at: datetime | None


async def latest(db: AsyncConnection, user_id: int, pbx: str, since: datetime) -> Dialled | None:
    """The newest click to call of this person that began after `since`."""
    statement = (
        select(
            CallRow.id,
            CallRow.outcome,
            CallRow.answered_at,
            CallRow.ended_at,
        )
        .where(
            CallRow.operator_id == user_id,
            CallRow.pbx == pbx,
            CallRow.click_to_call,
            CallRow.at > since - CLOCKS_APART,
        )
        .order_by(CallRow.at.desc())
        .limit(1)
    )
    row = (await db.execute(statement)).first()
    return Dialled(*row) if row else None
