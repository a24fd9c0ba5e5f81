"""Clients and organisations as cards for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcrm.accounts.policy import Actor
from callcrm.clients import queries
from callcrm.clients.consents import ConsentLine
from callcrm.clients.custom import Definition
from callcrm.clients.queries import Card, ClientLine, Colleague, NumberLine, OrganisationCard
from callcrm.kernel import clock
from webui import show
from webui.parts import Parts


@dataclass(frozen=True, slots=True)
class CardView:
    """A client; `title` is the name, or what the line said. `base` is the card's address."""

    id: int
    name: str
    title: str
    said_name: str
    role: str
    job: str
    emails: tuple[str, ...]
    organisation_id: int | None
    organisation: str
    owner_id: int | None
    owner_name: str
    language: str
    time_zone: str
    birthday: str
    addresses: tuple[str, ...]
    tags: tuple[str, ...]
    note: str
    do_not_call: bool
    version: int
    created_at: datetime
    deleted: bool
    merged_into: int | None
    numbers: tuple[NumberLine, ...]
    people: tuple[dict[str, Any], ...]
    consents: tuple[ConsentLine, ...]
    custom: Mapping[str, Any]
    fields: tuple[Definition, ...]
    base: str

    @property
    def what(self) -> str:
        """The kind of card."""
        return "client"

    @property
    def there(self) -> str:
        """What the clock says where the client is; empty when nobody knows where that is, or it is here."""
        if not self.time_zone:
            return ""
        now = clock.now()
        away = now.astimezone(show.zone_named(self.time_zone))
        return "" if away.utcoffset() == show.here(now).utcoffset() else away.strftime("%H:%M")


@dataclass(frozen=True, slots=True)
class CompanyView:
    """An organisation with its people; a closed one has none."""

    id: int
    name: str
    owner_id: int | None
    owner_name: str
    emails: tuple[str, ...]
    addresses: tuple[str, ...]
    tags: tuple[str, ...]
    note: str
    version: int
    created_at: datetime
    deleted: bool
    merged_into: int | None
    numbers: tuple[NumberLine, ...]
    people: tuple[dict[str, Any], ...]
    custom: Mapping[str, Any]
    fields: tuple[Definition, ...]
    base: str

    @property
    def title(self) -> str:
        """What stands at its head."""
        return self.name

    @property
    def what(self) -> str:
        """The kind of card."""
        return "organisation"


AnyCard = CardView | CompanyView


@dataclass(frozen=True, slots=True)
class LineView:
    """A client in a list."""

    id: int
    name: str
    role: str
    number: str
    number_id: int
    numbers: int
    owner_name: str
    tags: tuple[str, ...]
    do_not_call: bool
    created_at: datetime


async def read(parts: Parts, actor: Actor, client_id: int) -> CardView:
    """One card. Raises NotFound."""
    async with parts.database.read() as db:
        return view(await queries.card(db, actor, client_id))


async def read_company(parts: Parts, actor: Actor, organisation_id: int) -> CompanyView:
    """One organisation. Raises NotFound."""
    async with parts.database.read() as db:
        return company_view(await queries.organisation_card(db, actor, organisation_id))


async def read_any(parts: Parts, actor: Actor, what: str, key: int) -> AnyCard:
    """A card of either kind. Raises NotFound."""
    if what == "organisation":
        return await read_company(parts, actor, key)
    return await read(parts, actor, key)


def view(card: Card) -> CardView:
    """The card as the templates show it."""
    line = card.client
    others = [_person(one) for one in card.colleagues]
    me = {"id": line.id, "name": line.name or line.said_name, "job": line.job}
    return CardView(
        id=line.id,
        name=line.name,
        title=line.name or line.said_name,
        said_name=line.said_name,
        role=role_of(line),
        job=line.job,
        emails=card.emails,
        organisation_id=line.organisation_id,
        organisation=line.organisation,
        owner_id=line.owner_id,
        owner_name=line.owner_name,
        language=card.language,
        time_zone=card.time_zone,
        birthday=card.birthday,
        addresses=_texts(card.addresses),
        tags=_texts(line.tags),
        note=card.note,
        do_not_call=line.do_not_call,
        version=card.version,
        created_at=line.created_at,
        deleted=card.deleted_at is not None,
        merged_into=card.merged_into,
        numbers=line.numbers,
        people=tuple(sorted([me, *others], key=lambda one: str(one["name"]))),
        consents=card.consents,
        custom=card.custom,
        fields=card.fields,
        base=f"/clients/{line.id}",
    )


def company_view(card: OrganisationCard) -> CompanyView:
    """The organisation as the templates show it."""
    line = card.organisation
    return CompanyView(
        id=line.id,
        name=line.name,
        owner_id=line.owner_id,
        owner_name=line.owner_name,
        emails=line.emails,
        addresses=_texts(line.addresses),
        tags=_texts(line.tags),
        note=line.note,
        version=line.version,
        created_at=line.created_at,
        deleted=line.deleted_at is not None,
        merged_into=line.merged_into,
        numbers=line.numbers,
        people=tuple(_person(one) for one in card.people),
        custom=line.custom,
        fields=card.fields,
        base=f"/organisations/{line.id}",
    )


def line_view(line: ClientLine) -> LineView:
    """A row."""
    first = line.numbers[0] if line.numbers else None
    return LineView(
        id=line.id,
        name=line.name or line.said_name,
        role=role_of(line),
        number=first_number(line.numbers),
        number_id=first.id if first else 0,
        numbers=len(line.numbers),
        owner_name=line.owner_name,
        tags=_texts(line.tags),
        do_not_call=line.do_not_call,
        created_at=line.created_at,
    )


def first_number(numbers: Sequence[NumberLine]) -> str:
    """The first number as it is shown; empty without one."""
    return (numbers[0].number or numbers[0].raw) if numbers else ""


def role_of(line: ClientLine) -> str:
    """What he is, and where."""
    return ", ".join(part for part in (line.job, line.organisation) if part)


def _person(one: Colleague) -> dict[str, Any]:
    return {"id": one.id, "name": one.name or one.said_name, "job": one.job}


def _texts(values: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(str(value) for value in values or ())
