"""Cards that may be the same person or organisation twice: one mail, one national number, or one name.

People of one name are the same where they are in one organisation; organisations of one name, however it is written.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.clients import editing, searching
from callcrm.clients.kinds import COMPANY, PERSON, Kind
from callcrm.clients.tables import Client, ClientMail, ClientNumber, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.fulltext import folded
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Key
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit

#: So many are offered on a card.
MOST = 5
#: So many are looked at for each reason.
_CROWD = 50
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another card that may be the same person or organisation; `reasons`: mail, number, name."""

    id: int
    name: str
    said_name: str
    reasons: tuple[str, ...]
    created_at: datetime


async def of(db: AsyncConnection, actor: Actor, card_id: int, kind: Kind = PERSON) -> tuple[Duplicate, ...]:
    """Who may be the same as this one: those with more reasons first. A deleted card has none."""
    require(actor, Right.CLIENTS)
    table = kind.table
    living = table.deleted_at.is_(None)
    name = await _NAMES[kind.word].scalar(db, {"card": card_id})
    if name is None:
        return ()
    alike = await (_same_firm(db, card_id, name) if kind.companies else _same_name(db, card_id, name))
    reasons: dict[int, list[str]] = {}
    for reason, ids in (
        ("mail", await _same_mail(db, card_id, kind)),
        ("number", await _same_number(db, card_id, kind)),
        ("name", alike),
    ):
        for one in ids:
            reasons.setdefault(one, []).append(reason)
    for one in await _told_apart(db, card_id, kind):
        reasons.pop(one, None)
    if not reasons:
        return ()
    said = literal("") if kind.companies else Client.said_name
    columns = (table.id, table.name, said.label("said_name"), table.created_at)
    rows = await db.execute(select(*columns).where(table.id.in_(reasons), living))
    found = [Duplicate(row.id, row.name, row.said_name, tuple(reasons[row.id]), row.created_at) for row in rows]
    return tuple(sorted(found, key=lambda one: (-len(one.reasons), one.id))[:MOST])


async def say_apart(unit: Unit, actor: Actor, card_id: int, other_id: int, kind: Kind = PERSON) -> None:
    """Say that two cards are two people or two organisations: neither is offered on the other any more."""
    require(actor, Right.CLIENTS)
    if card_id == other_id:
        raise Invalid("This is one and the same card.")
    table = kind.table
    both = select(table.id).where(table.id.in_((card_id, other_id)), table.deleted_at.is_(None))
    if len((await unit.db.execute(both)).all()) != 2:
        raise NotFound("One of these cards is gone; look again.")
    low, high = sorted((card_id, other_id))
    row = {"low_id": low, "high_id": high, "said_by": actor.user_id, "said_at": unit.now}
    await upsert(unit.db, kind.apart, row, keep=("said_by", "said_at"))
    await audit.write(unit, actor, "tell apart", kind.word, low, {"other": high})
    editing.tell(unit, kind, card_id)


_CARD = bindparam("card", type_=Key)


def _name(kind: Kind) -> Prepared:
    return Prepared(select(kind.table.name).where(kind.table.id == _CARD, kind.table.deleted_at.is_(None)))


def _with_mail(kind: Kind) -> Prepared:
    mine, theirs = ClientMail.__table__.alias(), ClientMail.__table__.alias()
    mine_is, theirs_is = mine.c[kind.column], theirs.c[kind.column]
    statement = select(theirs_is).join(mine, mine.c.folded == theirs.c.folded)
    return Prepared(statement.where(mine_is == _CARD, theirs_is.is_not(None), theirs_is != _CARD).limit(_CROWD))


def _with_number(kind: Kind) -> Prepared:
    mine, theirs = ClientNumber.__table__.alias(), ClientNumber.__table__.alias()
    mine_is, theirs_is = mine.c[kind.column], theirs.c[kind.column]
    same = and_(mine.c.national == theirs.c.national, mine.c.national != "")
    statement = select(theirs_is, theirs.c.national, theirs.c.e164, mine.c.e164).join(mine, same)
    return Prepared(statement.where(mine_is == _CARD, theirs_is.is_not(None), theirs_is != _CARD).limit(_CROWD))


_KINDS = (PERSON, COMPANY)
_NAMES = {kind.word: _name(kind) for kind in _KINDS}
_MAILS = {kind.word: _with_mail(kind) for kind in _KINDS}
_NUMBERS = {kind.word: _with_number(kind) for kind in _KINDS}


async def _same_mail(db: AsyncConnection, card_id: int, kind: Kind) -> Iterable[int]:
    return [row[0] for row in await _MAILS[kind.word].all(db, {"card": card_id})]


async def _same_number(db: AsyncConnection, card_id: int, kind: Kind) -> Iterable[int]:
    rows = await _NUMBERS[kind.word].all(db, {"card": card_id})
    # Two numbers that both name their country are the same only in the same country.
    same = [row for row in rows if len(row[1]) >= _SHORTEST and (not row[2] or not row[3] or row[2] == row[3])]
    return [row[0] for row in same]


async def _same_name(db: AsyncConnection, client_id: int, name: str) -> Iterable[int]:
    organisation_id = await db.scalar(select(Client.organisation_id).where(Client.id == client_id))
    if not name or organisation_id is None:
        return []
    statement = select(Client.id, Client.name).where(
        Client.organisation_id == organisation_id, Client.deleted_at.is_(None), Client.id != client_id
    )
    rows = await db.execute(statement.order_by(Client.id).limit(1000))
    return [row.id for row in rows if row.name.casefold() == name.casefold()]


async def _same_firm(db: AsyncConnection, organisation_id: int, name: str) -> Iterable[int]:
    """Organisations whose names are the same but for case, spaces and marks, by the words that they are found by."""
    words = _bare(name)
    if not words:
        return []
    statement = (
        select(Organisation.id, Organisation.name)
        .where(
            Organisation.id != organisation_id,
            Organisation.deleted_at.is_(None),
            searching.organisations(" ".join(re.findall(r"\w+", name)), db.dialect.name),
        )
        .order_by(Organisation.id)
        .limit(_CROWD)
    )
    return [row.id for row in await db.execute(statement) if _bare(row.name) == words]


def _bare(name: str) -> str:
    return "".join(c for c in folded(name) if c.isalnum())


async def _told_apart(db: AsyncConnection, card_id: int, kind: Kind) -> set[int]:
    pairs = kind.apart
    pair = select(pairs.low_id, pairs.high_id).where(or_(pairs.low_id == card_id, pairs.high_id == card_id))
    return {one for row in await db.execute(pair) for one in row} - {card_id}
