"""What a PBX's own CDR has of calls that the log has not, or not the end of: whole ones only, and none twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls import cdrs
from callcrm.calls.call import Call
from callcrm.calls.model import call_id
from callcrm.calls.tables import CallRow, LegRow
from callcrm.kernel.database import Database
from callcrm.settings import PbxSettings
from callcrm.telephony.cdrsource import CdrSource, fetch
from callcrm.telephony.sides import Sides

BATCH = 200
#: The daemon may still be writing what ended a moment ago.
SETTLED_S = 5.0
#: So old a conversation is over, though the row of its first channel never came.
OVER_S = 24 * 3600.0
#: Legs of one conversation begin within so long of each other.
_LONG = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Missing:
    """What the CDR told: rows read, calls in them, those that the log has not or has no end of, and how many go on."""

    rows: int = 0
    told: int = 0
    calls: Sequence[Call] = ()
    going_on: int = 0


async def missing(database: Database, cdr: CdrSource, pbx: PbxSettings, since: datetime, now: datetime) -> Missing:
    """The calls since then that the log has not, or of which nobody heard the end. Raises CdrTrouble."""
    rows = [row for raw in await fetch(cdr, since) if (row := cdrs.read(raw, cdr.zone)) is not None]
    parties = cdrs.Parties(rows, Sides(pbx.trunks, pbx.operators))
    found = [one for one in cdrs.groups(rows, parties.outside) if one.start >= since.timestamp()]
    over = [one for one in found if _over(one, now.timestamp())]
    made = {call.uniqueid: call for call in cdrs.calls(over, parties, cdr.pbx)}
    async with database.read() as db:
        known = await _known(db, cdr.pbx, [one for one in over if one.root in made])
    return Missing(
        rows=sum(len(one.rows) for one in found),
        told=len(made),
        calls=[call for root, call in made.items() if root not in known],
        going_on=len(found) - len(over),
    )


def _over(group: cdrs.Group, now: float) -> bool:
    ago = now - group.end
    return ago >= OVER_S or (group.whole and ago >= SETTLED_S)


async def _known(db: AsyncConnection, pbx: str, groups: Sequence[cdrs.Group]) -> set[str]:
    """The roots of those that the log has, under whichever of their channels, unless it did not hear the end."""
    known: set[str] = set()
    for n in range(0, len(groups), BATCH):
        batch = groups[n : n + BATCH]
        ids = {one for group in batch for one in group.ids}
        calls = {call_id(pbx, one): one for one in ids}
        ended = select(CallRow.id, CallRow.state, CallRow.total_s).where(CallRow.id.in_(calls))
        heard = {calls[row.id]: row.state != "ended" or row.total_s is not None for row in await db.execute(ended)}
        legs = await _legs(db, pbx, ids, batch)
        known |= {one.root for one in batch if heard.get(one.root, True) and one.ids & (heard.keys() | legs)}
    return known


async def _legs(db: AsyncConnection, pbx: str, ids: Iterable[str], groups: Sequence[cdrs.Group]) -> set[str]:
    """Those of the ids that are legs of stored calls: a call may be filed under another first channel."""
    first = datetime.fromtimestamp(min(group.start for group in groups), UTC) - _LONG
    last = datetime.fromtimestamp(max(group.end for group in groups), UTC) + _LONG
    mine = and_(LegRow.began == CallRow.began, LegRow.call_id == CallRow.id)
    asked = select(LegRow.uniqueid).join(CallRow, mine).where(CallRow.pbx == pbx)
    return set(await db.scalars(asked.where(LegRow.began.between(first, last), LegRow.uniqueid.in_(list(ids)))))
