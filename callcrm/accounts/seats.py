"""Who sits at which phone: people's own phones, and those that they sit at for a shift.

A phone's row says who sits there now; calls, pops and click-to-call follow it. Whoever sits at another's phone
gives it back when he leaves.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.tables import Phone, User
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.kernel.writer import Unit

_EXTENSION = re.compile(r"[0-9A-Za-z*#_.+-]{1,80}")


@dataclass(frozen=True, slots=True)
class Seat:
    """A phone as one may choose it: whose it is, who sits there, and whether he does so for a shift."""

    line: Line
    owner_id: int | None
    user_id: int
    name: str
    seated_at: datetime | None
    elsewhere: bool = False
    on_shift_since: datetime | None = None

    def taken_from(self, user_id: int) -> bool:
        """Whether somebody else works at it now."""
        if self.user_id == user_id:
            return False
        return self.seated_at is not None or (self.on_shift_since is not None and not self.elsewhere)


async def seats(db: AsyncConnection) -> list[Seat]:
    """Every phone that is anybody's, in the order of PBX and extension."""
    columns = (Phone.pbx, Phone.extension, Phone.owner_id, Phone.user_id, User.name, User.full_name, Phone.seated_at)
    statement = select(*columns, User.on_shift_since).join(User, User.id == Phone.user_id)
    rows = (await db.execute(statement.order_by(Phone.pbx, Phone.extension))).all()
    seated = {row.user_id for row in rows if row.seated_at is not None}
    return [
        Seat(
            Line(row.pbx, row.extension),
            row.owner_id,
            row.user_id,
            row.full_name or row.name,
            row.seated_at,
            row.seated_at is None and row.user_id in seated,
            row.on_shift_since,
        )
        for row in rows
    ]


async def sit(unit: Unit, actor: Actor, line: Line) -> None:
    """The person sits at this phone from now on, and nowhere else. Conflict when somebody works there."""
    _check(line)
    seat = next((one for one in await seats(unit.db) if one.line == line), None)
    if seat is not None and seat.taken_from(actor.user_id):
        raise Conflict(
            f"{seat.name} works at phone {line.extension} now: choose another phone, or ask for that shift to be ended."
        )
    if seat is not None and seat.user_id == actor.user_id and seat.seated_at is not None:
        return
    await leave(unit, actor.user_id)
    values = {"user_id": actor.user_id, "seated_at": unit.now}
    if seat is None:
        await unit.db.execute(insert(Phone), {"pbx": line.pbx, "extension": line.extension, "first": False, **values})
        return
    await unit.db.execute(update(Phone).where(*_at(line)).values(**values))
    if seat.user_id != actor.user_id:
        unit.fact("operator.changed", user=seat.user_id)


async def leave(unit: Unit, user_id: int) -> None:
    """The person gives back the phone that he sits at: to its owner, or to nobody."""
    mine = (Phone.user_id == user_id, Phone.seated_at.is_not(None))
    found = (await unit.db.execute(select(Phone.id, Phone.owner_id).where(*mine))).all()
    for row in found:
        if row.owner_id is None:
            await unit.db.execute(delete(Phone).where(Phone.id == row.id))
            continue
        values = {"user_id": row.owner_id, "seated_at": None}
        await unit.db.execute(update(Phone).where(Phone.id == row.id).values(**values))
        if row.owner_id != user_id:
            unit.fact("operator.changed", user=row.owner_id)


async def own(unit: Unit, user_id: int, phones: Sequence[Line]) -> None:
    """Say which phones are the person's own, the first one being rung by a click to call.

    Who sits at one of them for a shift keeps sitting there. Conflict when a phone is somebody else's.
    """
    await _disown(unit, user_id, set(phones))
    for n, line in enumerate(dict.fromkeys(phones)):
        _check(line)
        row = (await unit.db.execute(select(Phone.id, Phone.owner_id).where(*_at(line)))).first()
        if row is None:
            values = {"pbx": line.pbx, "extension": line.extension, "user_id": user_id, "owner_id": user_id}
            await unit.db.execute(insert(Phone), {**values, "first": n == 0})
        elif row.owner_id in (None, user_id):
            await unit.db.execute(update(Phone).where(Phone.id == row.id).values(owner_id=user_id, first=n == 0))
        else:
            holder = await unit.db.scalar(select(User.name).where(User.id == row.owner_id))
            raise Conflict(f"Extension {line.extension} of {line.pbx} is {holder}'s; take it from there first.")


async def vacate(unit: Unit, user_id: int) -> None:
    """The person has no phone any more, neither his own nor one that he sits at."""
    await leave(unit, user_id)
    await _disown(unit, user_id, set())


async def _disown(unit: Unit, user_id: int, keep: Iterable[Line]) -> None:
    kept = set(keep)
    columns = (Phone.id, Phone.pbx, Phone.extension, Phone.user_id, Phone.seated_at)
    for row in (await unit.db.execute(select(*columns).where(Phone.owner_id == user_id))).all():
        if Line(row.pbx, row.extension) in kept:
            continue
        if row.seated_at is None:
            await unit.db.execute(delete(Phone).where(Phone.id == row.id))
        else:
            await unit.db.execute(update(Phone).where(Phone.id == row.id).values(owner_id=None))


async def own_phones(db: AsyncConnection, user_id: int | None = None) -> dict[int, list[Line]]:
    """Whose phones are whose, whoever sits there: by account (or of this one), the first one first."""
    whose = Phone.owner_id.is_not(None) if user_id is None else Phone.owner_id == user_id
    statement = select(Phone.owner_id, Phone.pbx, Phone.extension).where(whose)
    found: dict[int, list[Line]] = {}
    for row in await db.execute(statement.order_by(Phone.first.desc(), Phone.id)):
        found.setdefault(row.owner_id, []).append(Line(row.pbx, row.extension))
    return found


def _at(line: Line) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Phone.pbx == line.pbx, Phone.extension == line.extension


def _check(line: Line) -> None:
    if not _EXTENSION.fullmatch(line.extension) or not line.pbx:
        raise Invalid(
            f"{line.extension!r} is no extension of a PBX.", {"extension": "digits or letters, as the PBX names it"}
        )
