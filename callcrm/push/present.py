"""A person's pops as the table has them: for a page that is opened while a call is on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import Pop
from callcrm.kernel import clock
from callcrm.kernel.prepared import Db, Prepared
from callcrm.push.book import OLDEST, PRESENT

#: How long "answered by Olga" is shown.
SHOWN_AFTER = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class PresentPop:
    """One pop on somebody's screen; states are those of callcrm.push.pop."""

    id: str
    call: str
    state: str
    at: datetime
    extension: str = ""
    reason: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    opened_at: datetime | None = None


_COLUMNS: tuple[Any, ...] = (
    Pop.id,
    Pop.call_id,
    Pop.state,
    Pop.at,
    Pop.extension,
    Pop.reason,
    Pop.answered_by,
    Pop.answered_at,
    Pop.closed_at,
    Pop.opened_at,
)


_PRESENT = Prepared(
    select(*_COLUMNS)
    .where(Pop.user_id == bindparam("user"), Pop.state.in_(PRESENT), Pop.at > bindparam("since"))
    .order_by(Pop.at.desc())
    .limit(20)
)


async def present(db: Db, user_id: int) -> list[PresentPop]:
    """What this person has on his screen, newest first; the table lags the push messages by a moment."""
    return [PresentPop(*row) for row in await _PRESENT.all(db, {"user": user_id, "since": clock.now() - OLDEST})]


async def one(db: AsyncConnection, user_id: int, pop_id: str) -> PresentPop | None:
    """One of this person's pops, whatever its state."""
    row = (await db.execute(select(*_COLUMNS).where(Pop.user_id == user_id, Pop.id == pop_id))).first()
    return PresentPop(*row) if row else None


async def painted(db: AsyncConnection, user_id: int, pop_id: str) -> datetime | None:
    """When this pop stood on the person's screen, as his browser said."""
    return await db.scalar(select(Pop.painted_at).where(Pop.user_id == user_id, Pop.id == pop_id))
