"""Notes on cards: what somebody wrote down of a client or an organisation besides any call."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, may, require
from callcrm.accounts.tables import User
from callcrm.clients import fields
from callcrm.clients.tables import CardNote, Client, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment
from callcrm.kernel.writer import Unit


@dataclass(frozen=True, slots=True)
class CardNoteLine:
    """One note, with who wrote it; `mine`: the actor may take it away."""

    at: datetime
    id: str
    text: str
    person: str
    mine: bool


async def add(
    unit: Unit, actor: Actor, text: str, *, client_id: int | None = None, organisation_id: int | None = None
) -> str:
    """Write a note down on a card; gives its id."""
    require(actor, Right.CLIENTS)
    kept = fields.checked({"note": text}, {"note": fields.CLIENT["note"]})["note"]
    if not kept:
        raise Invalid("Write something first.", {"note": "write something first"})
    await _card(unit, client_id, organisation_id)
    key = secrets.token_hex(16)
    row = {"at": unit.now, "id": key, "client_id": client_id, "organisation_id": organisation_id}
    await unit.db.execute(insert(CardNote), row | {"user_id": actor.user_id, "text": kept})
    await _tell(unit, actor, "add note", client_id, organisation_id)
    return key


async def remove(
    unit: Unit, actor: Actor, note_id: str, *, client_id: int | None = None, organisation_id: int | None = None
) -> None:
    """Take a note away: its writer may, and who may delete clients. `bring_back` undoes it."""
    await _turn(unit, actor, note_id, client_id, organisation_id, away=True)


async def bring_back(
    unit: Unit, actor: Actor, note_id: str, *, client_id: int | None = None, organisation_id: int | None = None
) -> None:
    """Put a note back that was taken away."""
    await _turn(unit, actor, note_id, client_id, organisation_id, away=False)


async def of(
    db: AsyncConnection,
    actor: Actor,
    wanted: Wanted | None = None,
    *,
    client_id: int | None = None,
    organisation_id: int | None = None,
) -> Page[CardNoteLine]:
    """A page of a card's notes, the newest first."""
    require(actor, Right.CLIENTS)
    wanted = wanted or Wanted()
    person = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
    statement = (
        select(CardNote.at, CardNote.id, CardNote.text, person, CardNote.user_id)
        .outerjoin(User, User.id == CardNote.user_id)
        .where(_whose(client_id, organisation_id), CardNote.removed_at.is_(None))
    )
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, str)
        place = tuple_(CardNote.at, CardNote.id)
        statement = statement.where(place < tuple_(literal(at, Moment()), literal(key)))
    statement = statement.order_by(CardNote.at.desc(), CardNote.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).all()
    every = may(actor, Right.DELETE_CLIENTS)
    return page(
        rows,
        wanted,
        lambda row: (row.at, row.id),
        lambda row: CardNoteLine(row.at, row.id, row.text, row.person, every or row.user_id == actor.user_id),
    )


async def _turn(
    unit: Unit, actor: Actor, note_id: str, client_id: int | None, organisation_id: int | None, *, away: bool
) -> None:
    require(actor, Right.CLIENTS)
    this = (CardNote.id == note_id, _whose(client_id, organisation_id))
    row = (await unit.db.execute(select(CardNote.user_id).where(*this))).first()
    if row is None:
        raise NotFound("There is no such note on this card.")
    if row.user_id != actor.user_id and not may(actor, Right.DELETE_CLIENTS):
        raise NotAllowed("This note is somebody else's; he or a supervisor may take it away.")
    await unit.db.execute(update(CardNote).where(*this).values(removed_at=unit.now if away else None))
    await _tell(unit, actor, "remove note" if away else "restore note", client_id, organisation_id)


def _whose(client_id: int | None, organisation_id: int | None) -> Any:
    if client_id is not None:
        return CardNote.client_id == client_id
    return CardNote.organisation_id == organisation_id


async def _card(unit: Unit, client_id: int | None, organisation_id: int | None) -> None:
    living: Any = select(Organisation.id).where(Organisation.id == organisation_id, Organisation.deleted_at.is_(None))
    if client_id is not None:
        living = select(Client.id).where(Client.id == client_id, Client.deleted_at.is_(None))
    if await unit.db.scalar(living) is None:
        raise NotFound("There is no such card; it may have been deleted meanwhile.")


async def _tell(unit: Unit, actor: Actor, act: str, client_id: int | None, organisation_id: int | None) -> None:
    if client_id is not None:
        unit.fact("client.changed", client=client_id)
        await audit.write(unit, actor, act, "client", client_id)
    else:
        unit.fact("organisation.changed", organisation=organisation_id)
        await audit.write(unit, actor, act, "organisation", organisation_id)
