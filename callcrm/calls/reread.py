"""Calls of the log as `service.record` would hand them on: for those that ended without a signal to tell of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, select

from callcrm.calls.call import Call
from callcrm.calls.rows import Context
from callcrm.calls.service import Recorded
from callcrm.calls.tables import CallRow
from callcrm.kernel.writer import Unit


async def reread(unit: Unit, ids: Sequence[str], context: Context) -> list[Recorded]:
    """What follows from a call (callbacks) may be run on these as on calls that were just written."""
    statement = select(*CallRow.__table__.columns).where(CallRow.id.in_(ids)).order_by(CallRow.at, CallRow.id)
    return [_recorded(row, context) for row in (await unit.db.execute(statement)).mappings()]


def _recorded(row: RowMapping, context: Context) -> Recorded:
    call = Call(
        id=row["id"],
        pbx=row["pbx"],
        uniqueid=row["uniqueid"],
        channel=row["channel"],
        direction=row["direction"],
        state=row["state"],
        at=_seconds(row["at"]),
        client=row["client_raw"],
        called=row["called"],
        operator=row["operator"],
        queue=row["queue"],
        answered_by=tuple(talk["operator"] for talk in row["talks"]),
        answered_at=_seconds(row["answered_at"]),
        ended_at=_seconds(row["ended_at"]),
        wait_s=row["wait_s"],
        missed=row["missed"],
        outcome=row["outcome"],
        why=row["why"],
        ended_by=row["ended_by"],
    )
    number = context.stranger(call)
    return Recorded(call, row["began"], number, row["client_id"], row["operator_id"], row["called"], new=False)


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None
