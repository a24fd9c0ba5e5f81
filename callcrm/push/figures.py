"""What `/readyz` and `/metrics` read of the database: open calls, recordings, pops and links, as numbers."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel import clock
from callcrm.kernel.tables import LinkState

#: Recordings older than this are history, not health.
LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by (pbx, state), (pbx) and state."""

    open_calls: dict[tuple[str, str], int]
    recordings: dict[str, int]
    links: dict[str, str]


async def figures(db: AsyncConnection) -> Figures:
    """The figures of now."""
    calls = select(CallRow.pbx, CallRow.state, func.count().label("n")).where(CallRow.ended_at.is_(None))
    sounds = select(CallRecording.state, func.count().label("n")).where(CallRecording.began > clock.now() - LATELY)
    open_calls = {(r.pbx, r.state): r.n for r in await db.execute(calls.group_by(CallRow.pbx, CallRow.state))}
    recordings = {r.state: r.n for r in await db.execute(sounds.group_by(CallRecording.state))}
    links = {r.pbx: r.state for r in await db.execute(select(LinkState.pbx, LinkState.state))}
    return Figures(open_calls, recordings, links)
