"""What a person agreed to: noted with how and when, and taken back when he says so. Nothing of it is ever deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require
from callcrm.accounts.tables import User
from callcrm.clients import fields, trail
from callcrm.clients.tables import Client, Consent
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.writer import Unit

MOST = 100


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One consent: `purpose` what for, `how` it was given; `withdrawn_at` empty while it holds."""

    id: int
    purpose: str
    how: str
    given_at: datetime
    noted_by: str
    withdrawn_at: datetime | None
    withdrawn_how: str
    withdrawn_by: str

    @property
    def holds(self) -> bool:
        """Whether it was not taken back."""
        return self.withdrawn_at is None


_NOTED, _ENDED = aliased(User), aliased(User)


async def of(db: AsyncConnection, client_id: int) -> tuple[ConsentLine, ...]:
    """A person's consents: those that hold first, then the newest."""
    statement = (
        select(
            Consent.id,
            Consent.purpose,
            Consent.how,
            Consent.given_at,
            func.coalesce(func.nullif(_NOTED.full_name, ""), _NOTED.name, "").label("noted"),
            Consent.withdrawn_at,
            Consent.withdrawn_how,
            func.coalesce(func.nullif(_ENDED.full_name, ""), _ENDED.name, "").label("ended"),
        )
        .outerjoin(_NOTED, _NOTED.id == Consent.noted_by)
        .outerjoin(_ENDED, _ENDED.id == Consent.withdrawn_by)
        .where(Consent.client_id == client_id)
        .order_by(Consent.withdrawn_at.is_not(None), Consent.given_at.desc(), Consent.id.desc())
        .limit(MOST)
    )
    return tuple(ConsentLine(*row) for row in await db.execute(statement))


async def give(unit: Unit, actor: Actor, client_id: int, typed: Mapping[str, object], purposes: Sequence[str]) -> int:
    """Note that a person agreed to one of `purposes`; gives the consent's id.

    `typed`: purpose, how, and given_at (aware, not ahead of now; empty: now). One that holds already is kept.
    """
    require(actor, Right.CLIENTS)
    await _living(unit, client_id)
    row = _checked(unit, typed, purposes)
    holds = (Consent.client_id == client_id, Consent.purpose == row["purpose"], Consent.withdrawn_at.is_(None))
    there = await unit.db.scalar(select(Consent.id).where(and_(*holds)))
    if there is not None:
        raise Invalid("He agreed to this already.", {"purpose": "it is noted already, and holds"})
    row |= {"client_id": client_id, "noted_by": actor.user_id}
    consent_id = int((await unit.db.execute(insert(Consent).returning(Consent.id), row)).scalar_one())
    await _tell(unit, actor, client_id, "consent", (None, str(row["purpose"])))
    return consent_id


async def withdraw(unit: Unit, actor: Actor, client_id: int, consent_id: int, how: str = "") -> None:
    """Note that a person took a consent back."""
    require(actor, Right.CLIENTS)
    await _living(unit, client_id)
    said = fields.checked({"how": how}, {"how": fields.line(200)})["how"]
    this = (Consent.id == consent_id, Consent.client_id == client_id, Consent.withdrawn_at.is_(None))
    purpose = await unit.db.scalar(select(Consent.purpose).where(*this))
    if purpose is None:
        raise NotFound("There is no such consent that holds; it may have been taken back meanwhile.")
    gone = {"withdrawn_at": unit.now, "withdrawn_how": said, "withdrawn_by": actor.user_id}
    await unit.db.execute(update(Consent).where(*this).values(gone))
    await _tell(unit, actor, client_id, "withdraw consent", (purpose, None))


def _checked(unit: Unit, typed: Mapping[str, object], purposes: Sequence[str]) -> dict[str, object]:
    wrong: dict[str, str] = {}
    purpose = str(typed.get("purpose") or "").strip()
    if purpose not in purposes:
        wrong["purpose"] = "choose one from the list"
    how = str(typed.get("how") or "")
    if len(how) > 200:
        wrong["how"] = f"at most 200 characters; these are {len(how)}"
    given = typed.get("given_at") or unit.now
    if not isinstance(given, datetime) or given.tzinfo is None or given > unit.now + timedelta(minutes=1):
        wrong["given_at"] = "a moment that is past"
    if wrong:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in wrong.items()) + ".", wrong)
    return {"purpose": purpose, "how": fields.line(200)(how), "given_at": given}


async def _living(unit: Unit, client_id: int) -> None:
    living = select(Client.id).where(Client.id == client_id, Client.deleted_at.is_(None))
    if await unit.db.scalar(living.with_for_update()) is None:
        raise NotFound("There is no such client; it may have been deleted meanwhile.")


async def _tell(unit: Unit, actor: Actor, client_id: int, act: str, change: tuple[str | None, str | None]) -> None:
    await trail.write(unit, actor, "client", client_id, {"consent": change})
    unit.fact("client.changed", client=client_id)
    await audit.write(unit, actor, act, "client", client_id)
