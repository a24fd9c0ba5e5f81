"""How long pops took to stand on a screen, and which never did: for who looks after the house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import User
from callcrm.calls.tables import Pop

#: The newest pops of a day are looked at, and of those never painted the newest are named.
LATELY = timedelta(days=1)
MOST, NAMED = 500, 8
#: A pop that was over sooner had no time to be painted.
TOO_SHORT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Unpainted:
    """A pop that no screen painted; `sent` is false when the person had no page open when it rang."""

    at: datetime
    call: str
    person: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Latencies:
    """Pops of late: seconds from the phone's event to the painted frame; None where nothing was painted.

    `late`: those that were painted by a page which was opened after the phone had rung; how long that took is no
    matter of the way of a pop.
    """

    pops: int = 0
    painted: int = 0
    late: int = 0
    median_s: float | None = None
    p95_s: float | None = None
    unsent: int = 0
    unpainted: int = 0
    named: tuple[Unpainted, ...] = ()


async def latencies(db: AsyncConnection, now: datetime) -> Latencies:
    """The newest pops, as their receipts tell."""
    person = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
    statement = (
        select(Pop.at, Pop.call_id, Pop.late_page, Pop.sent_at, Pop.painted_at, Pop.closed_at, person)
        .outerjoin(User, User.id == Pop.user_id)
        .where(Pop.at > now - LATELY)
        .order_by(Pop.at.desc(), Pop.id)
        .limit(MOST)
    )
    return figures((await db.execute(statement)).all())


def figures(rows: Sequence[Any]) -> Latencies:
    """The same from rows (at, call_id, late_page, sent_at, painted_at, closed_at, person), the newest first."""
    painted = [row for row in rows if row.painted_at]
    took = sorted(max(0.0, (row.painted_at - row.at).total_seconds()) for row in painted if not row.late_page)
    never = [row for row in rows if row.painted_at is None and not _over_at_once(row)]
    return Latencies(
        pops=len(rows),
        painted=len(painted),
        late=len(painted) - len(took),
        median_s=percentile(took, 50),
        p95_s=percentile(took, 95),
        unsent=sum(not _sent(row) for row in never),
        unpainted=sum(_sent(row) for row in never),
        named=tuple(Unpainted(row.at, row.call_id, row.person, _sent(row)) for row in never[:NAMED]),
    )


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """The smallest value that `share` per cent do not exceed; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def _sent(row: Any) -> bool:
    """Whether a page was open for it; one that came later has what it missed in its text, and paints no pop."""
    return row.sent_at is not None and not row.late_page


def _over_at_once(row: Any) -> bool:
    return row.closed_at is not None and row.closed_at - row.at < TOO_SHORT
