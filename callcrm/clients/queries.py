"""Reading cards: one card, lists found by any part of a name or number, whom a number belongs to.

Who may see clients sees all of them; numbers are masked where the account is. A client's calls
and tasks are read by `calls.queries.last_calls` and `tasks.queries.open_tasks`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require, shown_number, visible_clients
from callcrm.accounts.tables import User
from callcrm.clients import consents, definitions, mails, searching
from callcrm.clients.consents import ConsentLine
from callcrm.clients.custom import Definition
from callcrm.clients.match import Match
from callcrm.clients.service import recognise
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.paging import Page, Wanted, decode, page


@dataclass(frozen=True, slots=True)
class NumberLine:
    """A number of a card: `number` is E.164, or the digits of what is none (masked for some)."""

    id: int
    number: str
    raw: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One person, one line of a list."""

    id: int
    name: str
    said_name: str
    job: str
    organisation_id: int | None
    organisation: str
    owner_id: int | None
    owner_name: str
    tags: list[Any]
    do_not_call: bool
    created_at: datetime
    numbers: tuple[NumberLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another person of the same organisation."""

    id: int
    name: str
    said_name: str
    job: str


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One organisation, one line of a list."""

    id: int
    name: str
    owner_id: int | None
    owner_name: str
    note: str
    tags: list[Any]
    addresses: list[Any]
    custom: dict[str, Any]
    version: int
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None = None
    merged_into: int | None = None
    numbers: tuple[NumberLine, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A person's card, whole but for calls and tasks; `version` is what an edit is made from.

    `custom`: the values of the administrator's fields by their keys, those of deleted fields left out.
    """

    client: ClientLine
    language: str
    time_zone: str
    birthday: str
    note: str
    addresses: list[Any]
    custom: dict[str, Any]
    version: int
    changed_at: datetime
    deleted_at: datetime | None
    merged_into: int | None
    emails: tuple[str, ...] = ()
    consents: tuple[ConsentLine, ...] = ()
    fields: tuple[Definition, ...] = ()
    organisation: OrganisationLine | None = None
    colleagues: tuple[Colleague, ...] = ()


@dataclass(frozen=True, slots=True)
class OrganisationCard:
    """An organisation with its people."""

    organisation: OrganisationLine
    people: tuple[Colleague, ...]
    fields: tuple[Definition, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a number belongs to: why, and everybody it may be (the likeliest first)."""

    match: Match
    clients: tuple[ClientLine, ...]


_OWNER = aliased(User)
_OWNER_NAME = func.coalesce(func.nullif(_OWNER.full_name, ""), _OWNER.name, "").label("owner_name")
_LINE = (
    select(
        *Client.__table__.columns,
        func.coalesce(Organisation.name, "").label("organisation"),
        _OWNER_NAME,
    )
    .select_from(Client)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .outerjoin(_OWNER, _OWNER.id == Client.owner_id)
)
_PLAIN: tuple[str, ...] = ("language", "time_zone", "birthday", "note", "addresses")
_PLAIN += ("version", "changed_at", "deleted_at", "merged_into")
_COMPANY = select(*Organisation.__table__.columns, _OWNER_NAME).outerjoin(_OWNER, _OWNER.id == Organisation.owner_id)


async def card(db: AsyncConnection, actor: Actor, client_id: int) -> Card:
    """One card, a deleted one too. Raises NotFound. Who shows it to a person writes the audit row."""
    row = (await db.execute(visible_clients(actor, _LINE).where(Client.id == client_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such client.")
    (line,) = await _lines(db, actor, [row])
    organisation: OrganisationLine | None = None
    colleagues: tuple[Colleague, ...] = ()
    if row["organisation_id"] is not None:
        whole = await organisation_card(db, actor, row["organisation_id"])
        organisation = whole.organisation
        colleagues = tuple(one for one in whole.people if one.id != client_id)
    defined = await definitions.of(db, "client")
    return Card(
        line,
        **{name: row[name] for name in _PLAIN},
        custom=_living(row["custom"], defined),
        emails=tuple((await mails.of(db, [client_id])).get(client_id, ())),
        consents=await consents.of(db, client_id),
        fields=tuple(defined),
        organisation=organisation,
        colleagues=colleagues,
    )


def _living(custom: Mapping[str, Any], defined: Sequence[Definition]) -> dict[str, Any]:
    """The values whose fields are not deleted, in the fields' order."""
    return {one.key: custom[one.key] for one in defined if one.key in custom}


async def client_list(
    db: AsyncConnection,
    actor: Actor,
    q: str = "",
    wanted: Wanted | None = None,
    *,
    country: str = "",
    owner: int | None = None,
    organisation: int | None = None,
    by_name: bool = False,
    deleted: bool = False,
) -> Page[ClientLine]:
    """A page of cards, the newest first, or in order of their names (`by_name`: those that have one).

    `deleted`: the closed ones instead of the living.

    `q`: any parts of name, job, mail address, organisation or number, each of which must be found
    (see `searching`).
    """
    wanted = wanted or Wanted()
    closed = Client.deleted_at.is_not(None) if deleted else Client.deleted_at.is_(None)
    statement = visible_clients(actor, _LINE).where(closed)
    statement = searching.listed(statement, q, country, db.dialect.name, masked=actor.masked)
    if owner is not None:
        statement = statement.where(Client.owner_id == owner)
    if organisation is not None:
        statement = statement.where(Client.organisation_id == organisation)
    statement = _by_name(statement, wanted.cursor) if by_name else _newest(statement, wanted.cursor)
    rows = (await db.execute(statement.limit(wanted.rows))).mappings().all()
    lines = {line.id: line for line in await _lines(db, actor, rows)}

    def place(row: RowMapping) -> Sequence[Any]:
        return (row["name"], row["id"]) if by_name else (row["id"],)

    return page(rows, wanted, place, lambda row: lines[row["id"]])


async def client_lines(db: AsyncConnection, actor: Actor, ids: Sequence[int]) -> dict[int, ClientLine]:
    """These persons' lines by their ids; deleted ones are left out."""
    statement = visible_clients(actor, _LINE).where(Client.id.in_(ids), Client.deleted_at.is_(None))
    rows = (await db.execute(statement)).mappings().all() if ids else ()
    return {line.id: line for line in await _lines(db, actor, rows)}


async def organisation_lines(db: AsyncConnection, actor: Actor, ids: Sequence[int]) -> dict[int, OrganisationLine]:
    """These organisations' lines by their ids; closed ones are left out."""
    require(actor, Right.CLIENTS)
    statement = _COMPANY.where(Organisation.id.in_(ids), Organisation.deleted_at.is_(None))
    rows = (await db.execute(statement)).mappings().all() if ids else ()
    return {line.id: line for line in await _companies(db, actor, rows)}


async def by_phone(db: AsyncConnection, actor: Actor, phone: str, *, country: str = "") -> Found:
    """Whom this number belongs to, by the same ladder as for a call."""
    require(actor, Right.CLIENTS)
    number = parse(phone, country)
    if not number.key:
        raise Invalid(f"{phone[:40]!r} is no telephone number.", {"phone": "write it with its area or country code"})
    match = await recognise(db, number)
    ids = list(dict.fromkeys(one for one in (match.client_id, *match.clients) if one is not None))
    if not ids:
        return Found(match, ())
    rows = (await db.execute(visible_clients(actor, _LINE).where(Client.id.in_(ids)))).mappings().all()
    lines = {line.id: line for line in await _lines(db, actor, rows)}
    return Found(match, tuple(lines[one] for one in ids if one in lines))


async def organisation_card(db: AsyncConnection, actor: Actor, organisation_id: int) -> OrganisationCard:
    """One organisation with its people, a closed one too. Raises NotFound."""
    require(actor, Right.CLIENTS)
    row = (await db.execute(_COMPANY.where(Organisation.id == organisation_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such organisation.")
    defined = await definitions.of(db, "organisation")
    (line,) = await _companies(db, actor, [row])
    line = replace(
        line,
        custom=_living(line.custom, defined),
        emails=tuple((await mails.of(db, [organisation_id], organisations=True)).get(organisation_id, ())),
    )
    people = select(Client.id, Client.name, Client.said_name, Client.job).where(
        Client.organisation_id == organisation_id, Client.deleted_at.is_(None)
    )
    found = await db.execute(people.order_by(Client.name, Client.id).limit(200))
    return OrganisationCard(line, tuple(Colleague(*one) for one in found), tuple(defined))


async def names(
    db: AsyncConnection, clients: Sequence[int] = (), organisations: Sequence[int] = ()
) -> tuple[dict[int, str], dict[int, str]]:
    """What persons and organisations of these ids are called, deleted ones too."""
    called = func.coalesce(func.nullif(Client.name, ""), Client.said_name)
    persons = select(Client.id, called).where(Client.id.in_(clients))
    companies = select(Organisation.id, Organisation.name).where(Organisation.id.in_(organisations))
    found = (await db.execute(persons)).all() if clients else ()
    houses = (await db.execute(companies)).all() if organisations else ()
    return {row[0]: row[1] for row in found}, {row[0]: row[1] for row in houses}


async def organisation_list(
    db: AsyncConnection, actor: Actor, q: str = "", wanted: Wanted | None = None, *, deleted: bool = False
) -> Page[OrganisationLine]:
    """A page of organisations in order of their names; `q` as for clients. `deleted`: the closed ones instead."""
    require(actor, Right.CLIENTS)
    wanted = wanted or Wanted()
    statement = _COMPANY.where(Organisation.deleted_at.is_not(None) if deleted else Organisation.deleted_at.is_(None))
    if q.strip():
        statement = statement.where(searching.organisations(q, db.dialect.name))
    if wanted.cursor:
        name, key = decode(wanted.cursor, str, int)
        behind = and_(Organisation.name == name, Organisation.id > key)
        statement = statement.where(or_(Organisation.name > name, behind))
    statement = statement.order_by(Organisation.name, Organisation.id).limit(wanted.rows)
    rows = (await db.execute(statement)).mappings().all()
    lines = {line.id: line for line in await _companies(db, actor, rows)}
    return page(rows, wanted, lambda row: (row["name"], row["id"]), lambda row: lines[row["id"]])


def _newest(statement: Select[*tuple[Any, ...]], cursor: str) -> Select[*tuple[Any, ...]]:
    if cursor:
        (key,) = decode(cursor, int)
        statement = statement.where(Client.id < key)
    return statement.order_by(Client.id.desc())


def _by_name(statement: Select[*tuple[Any, ...]], cursor: str) -> Select[*tuple[Any, ...]]:
    statement = statement.where(Client.name > "")
    if cursor:
        name, key = decode(cursor, str, int)
        statement = statement.where(or_(Client.name > name, and_(Client.name == name, Client.id > key)))
    return statement.order_by(Client.name, Client.id)


async def _lines(db: AsyncConnection, actor: Actor, rows: Sequence[RowMapping]) -> list[ClientLine]:
    numbers = await _numbers(db, actor, ClientNumber.client_id, [row["id"] for row in rows])
    names = [name for name in ClientLine.__slots__ if name != "numbers"]
    return [ClientLine(**{n: row[n] for n in names}, numbers=tuple(numbers.get(row["id"], ()))) for row in rows]


async def _companies(db: AsyncConnection, actor: Actor, rows: Sequence[RowMapping]) -> list[OrganisationLine]:
    numbers = await _numbers(db, actor, ClientNumber.organisation_id, [row["id"] for row in rows])
    names = [name for name in OrganisationLine.__slots__ if name not in ("numbers", "emails")]
    return [OrganisationLine(**{n: row[n] for n in names}, numbers=tuple(numbers.get(row["id"], ()))) for row in rows]


async def _numbers(db: AsyncConnection, actor: Actor, owner: Any, ids: Sequence[int]) -> dict[int, list[NumberLine]]:
    if not ids:
        return {}
    statement = select(
        owner.label("owner"),
        ClientNumber.id,
        ClientNumber.e164,
        ClientNumber.national,
        ClientNumber.raw,
        ClientNumber.kind,
        ClientNumber.label,
    ).where(owner.in_(ids))
    found: dict[int, list[NumberLine]] = {}
    for row in await db.execute(statement.order_by(ClientNumber.id)):
        number = shown_number(actor, row.e164 or row.national) or ""
        raw = number if actor.masked else row.raw
        found.setdefault(row.owner, []).append(NumberLine(row.id, number, raw, row.kind, row.label))
    return found
