"""Extensions that took calls lately and belong to nobody: their pops reach no one until they are given to somebody."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import Phone
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.kernel import clock

LATELY = timedelta(days=7)
MOST = 50


@dataclass(frozen=True, slots=True)
class NobodysPhone:
    """An extension, and in how many calls of the last week it had part."""

    pbx: str
    extension: str
    calls: int


async def nobodys(db: AsyncConnection) -> list[NobodysPhone]:
    """The busiest first."""
    count = func.count().label("calls")
    part = (CallRow.began == CallOperator.began) & (CallRow.id == CallOperator.call_id)
    known = (Phone.pbx == CallRow.pbx) & (Phone.extension == CallOperator.extension)
    statement = (
        select(CallRow.pbx, CallOperator.extension, count)
        .join(CallRow, part)
        .outerjoin(Phone, known)
        .where(CallOperator.began > clock.now() - LATELY, Phone.id.is_(None))
        .group_by(CallRow.pbx, CallOperator.extension)
        .order_by(count.desc(), CallOperator.extension)
        .limit(MOST)
    )
    return [NobodysPhone(*row) for row in await db.execute(statement)]
