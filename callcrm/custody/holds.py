"""Legal holds: what must not be deleted while a dispute or an inquiry lasts, by no rule and by no erasure."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, ClientNumber
from callcrm.custody.law_tables import LegalHold
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit

WHATS = ("call", "client", "number")


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold; `over` when it was lifted or its day has passed. `title`: the card's name, where it is one."""

    id: int
    what: str
    which: str
    title: str
    reason: str
    placed_at: datetime
    placed_by: str
    until: datetime | None
    lifted_at: datetime | None
    lifted_why: str
    over: bool


def active(now: datetime) -> ColumnElement[bool]:
    """The condition on `legal_holds` for those that hold now."""
    return and_(LegalHold.lifted_at.is_(None), or_(LegalHold.until.is_(None), LegalHold.until > now))


def on_hold(now: datetime) -> ColumnElement[bool]:
    """The condition on `calls` for those that a hold keeps: the call's own, its client's or its number's."""
    ours = or_(
        and_(LegalHold.what == "call", LegalHold.which == CallRow.id),
        and_(LegalHold.what == "client", LegalHold.which == cast(CallRow.client_id, String)),
        and_(LegalHold.what == "number", LegalHold.which == CallRow.client_number),
    )
    return exists(select(LegalHold.id).where(active(now), ours).correlate(CallRow))


async def of_client(db: AsyncConnection, client_id: int, now: datetime) -> list[Hold]:
    """The holds that keep anything of a client: of his card, his numbers, or one of his calls."""
    numbers = select(ClientNumber.e164).where(ClientNumber.client_id == client_id, ClientNumber.e164 != "")
    calls = select(CallRow.id).where(CallRow.client_id == client_id)
    ours = or_(
        and_(LegalHold.what == "client", LegalHold.which == str(client_id)),
        and_(LegalHold.what == "number", LegalHold.which.in_(numbers)),
        and_(LegalHold.what == "call", LegalHold.which.in_(calls)),
    )
    return await _read(db, now, and_(active(now), ours))


async def of_call(db: AsyncConnection, call: str, now: datetime) -> list[Hold]:
    """The holds that keep a call: its own, its client's, its number's."""
    row = (await db.execute(select(CallRow.client_id, CallRow.client_number).where(CallRow.id == call))).first()
    client, number = (row.client_id, row.client_number) if row is not None else (None, None)
    ours = or_(
        and_(LegalHold.what == "call", LegalHold.which == call),
        and_(LegalHold.what == "client", LegalHold.which == str(client)),
        and_(LegalHold.what == "number", LegalHold.which == (number or "")),
    )
    return await _read(db, now, and_(active(now), ours))


async def listed(db: AsyncConnection, now: datetime) -> list[Hold]:
    """Every hold, those that last first."""
    return sorted(await _read(db, now, None), key=lambda hold: (hold.over, -hold.placed_at.timestamp()))


async def place(unit: Unit, actor: Actor, what: str, which: str, reason: str, *, until: datetime | None = None) -> int:
    """Keep something from now on; the hold's id. Invalid when it is not said why, NotFound when there is none such."""
    require(actor, Right.RETENTION)
    wrong = {} if what in WHATS else {"what": "is call, client or number"}
    if len(reason.strip()) < 3:
        wrong["reason"] = "Say why: the case, the letter, who asked."
    if until is not None and until <= unit.now:
        wrong["until"] = "This day has passed."
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    await _must_exist(unit, what, which)
    there = (LegalHold.what == what, LegalHold.which == which, active(unit.now))
    if (await unit.db.execute(select(LegalHold.id).where(*there))).first() is not None:
        raise Conflict("There is a hold of this already.")
    values = {"what": what, "which": which, "reason": reason.strip(), "placed_at": unit.now, "until": until}
    made = await unit.db.execute(insert(LegalHold).values(**values, placed_by=actor.user_id).returning(LegalHold.id))
    hold_id: int = made.scalar_one()
    await audit.write(unit, actor, "hold", what, which, {"hold": hold_id})
    return hold_id


async def lift(unit: Unit, actor: Actor, hold_id: int, why: str) -> None:
    """Let rules and erasures reach it again. Invalid when it is not said why."""
    require(actor, Right.RETENTION)
    if len(why.strip()) < 3:
        raise Invalid("Say why the hold is lifted.", {"why": "Say why the hold is lifted."})
    row = (await unit.db.execute(select(LegalHold.__table__).where(LegalHold.id == hold_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such hold.")
    if row["lifted_at"] is not None:
        raise Conflict("This hold was lifted already.")
    values = {"lifted_at": unit.now, "lifted_by": actor.user_id, "lifted_why": why.strip()}
    await unit.db.execute(update(LegalHold).where(LegalHold.id == hold_id).values(**values))
    await audit.write(unit, actor, "lift", row["what"], row["which"], {"hold": hold_id})


async def _must_exist(unit: Unit, what: str, which: str) -> None:
    if what == "call":
        there = (await unit.db.execute(select(CallRow.id).where(CallRow.id == which))).first() is not None
    elif what == "client":
        wanted = int(which) if which.isascii() and which.isdigit() and len(which) < 18 else -1
        there = (await unit.db.execute(select(Client.id).where(Client.id == wanted))).first() is not None
    else:
        if not which.startswith("+") or len(which) > 20:
            raise Invalid("Write the number whole, with its country.", {"which": "Write it like +79161234567."})
        return
    if not there:
        raise NotFound(f"There is no such {what}.")


async def _read(db: AsyncConnection, now: datetime, condition: ColumnElement[bool] | None) -> list[Hold]:
    columns = LegalHold.__table__.columns
    query = select(*columns, User.name.label("by"), User.full_name).outerjoin(User, User.id == LegalHold.placed_by)
    rows = (await db.execute(query if condition is None else query.where(condition))).mappings().all()
    ids = [int(row["which"]) for row in rows if row["what"] == "client"]
    found = await db.execute(select(Client.id, Client.name).where(Client.id.in_(ids)))
    names: dict[int, str] = {row.id: row.name for row in found}
    return [
        Hold(
            **{name: row[name] for name in ("id", "what", "which", "reason", "placed_at", "until")},
            title=names.get(int(row["which"]), "") if row["what"] == "client" else "",
            placed_by=row["full_name"] or row["by"] or "",
            lifted_at=row["lifted_at"],
            lifted_why=row["lifted_why"],
            over=row["lifted_at"] is not None or (row["until"] is not None and row["until"] <= now),
        )
        for row in rows
    ]
