"""A person's own figures of the day: what the strip at the top shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, case, func, select

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.kernel.prepared import Db, Prepared

_OWN = Prepared(
    select(
        func.count(case((CallOperator.answered, 1))),
        func.count(case((and_(CallOperator.rang, CallRow.missed), 1))),
        func.coalesce(func.sum(CallOperator.talk_s), 0.0),
    )
    .join(CallRow, and_(CallRow.began == CallOperator.began, CallRow.id == CallOperator.call_id))
    .where(CallOperator.user_id == bindparam("user"), CallOperator.began >= bindparam("since"))
    .where(CallRow.direction != "internal")
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls answered and missed, and seconds talked. A call that a colleague answered is nobody's miss."""

    answered: int = 0
    missed: int = 0
    talk_s: float = 0.0

    @property
    def average_s(self) -> float | None:
        """Seconds talked a call; None without calls."""
        return self.talk_s / self.answered if self.answered else None


async def own(db: Db, actor: Actor, since: datetime) -> Figures:
    """The figures of this person from `since` on."""
    ((answered, missed, talked),) = await _OWN.all(db, {"user": actor.user_id, "since": since})
    return Figures(int(answered), int(missed), float(talked or 0))
