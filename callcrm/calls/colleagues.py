"""To whom a call may go: everybody with a phone at the PBX, and what he does at this moment."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import Phone, User
from callcrm.calls.tables import CallRow, LegRow


@dataclass(frozen=True, slots=True)
class Colleague:
    """One phone with its person; `state`: talking, ringing, available or off (not on shift)."""

    extension: str
    name: str
    state: str


async def colleagues(db: AsyncConnection, pbx: str, but: str = "") -> list[Colleague]:
    """The people at this PBX's phones by name, without the phone `but`; who is free comes first."""
    people = select(Phone.extension, User.full_name, User.name, User.on_shift_since)
    people = people.join(User, User.id == Phone.user_id).where(Phone.pbx == pbx, User.active, Phone.extension != but)
    busy = await _busy(db, pbx)
    found = []
    for row in await db.execute(people):
        free = "available" if row.on_shift_since is not None else "off"
        found.append(Colleague(row.extension, row.full_name or row.name, busy.get(row.extension, free)))
    order = ("available", "ringing", "talking", "off")
    return sorted(found, key=lambda one: (order.index(one.state), one.name.casefold(), one.extension))


async def _busy(db: AsyncConnection, pbx: str) -> dict[str, str]:
    """What the phones do that have a part in a call now."""
    legs = (
        select(LegRow.who, LegRow.answered_at)
        .join(CallRow, (CallRow.began == LegRow.began) & (CallRow.id == LegRow.call_id))
        .where(CallRow.pbx == pbx, CallRow.ended_at.is_(None), LegRow.side == "operator", LegRow.cause.is_(None))
    )
    found: dict[str, str] = {}
    for row in await db.execute(legs):
        if found.get(row.who) != "talking":
            found[row.who] = "talking" if row.answered_at is not None else "ringing"
    return found
