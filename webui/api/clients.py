"""Clients and organisations."""

from typing import Any

from callcrm.accounts.policy import Right
from callcrm.clients import editing, queries
from callcrm.clients.queries import Card, ClientLine, NumberLine, OrganisationLine
from callcrm.kernel import audit
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit
from webui.api.clientshapes import (
    Client,
    ClientBody,
    ClientChange,
    ClientPage,
    ClientsQuery,
    Colleague,
    Number,
    Organisation,
    OrganisationBody,
    OrganisationPage,
    OrganisationsQuery,
    WholeClient,
)
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.versions import version_of


@api.operation("GET", "/clients", "Clients", right=Right.CLIENTS, query=ClientsQuery, answer=ClientPage)
async def list_clients(asked: Asked[ClientsQuery, None]) -> ClientPage:
    """Newest first; by `phone`, whom that number may belong to."""
    query, country = asked.query, asked.parts.settings.clients.country
    async with asked.parts.database.read() as db:
        if query.phone is not None:
            found = await queries.by_phone(db, asked.actor, query.phone, country=country)
            return ClientPage(items=[Client(**_client(line)) for line in found.clients], match=found.match.step)
        wanted = Wanted(query.limit, query.cursor)
        page = await queries.client_list(db, asked.actor, query.q, wanted, country=country)
    return ClientPage(items=[Client(**_client(line)) for line in page.items], next=page.next)


@api.operation("POST", "/clients", "Open a card", right=Right.CLIENTS, body=ClientBody, answer=WholeClient, status=201)
async def add_client(asked: Asked[None, ClientBody]) -> WholeClient:
    """It needs a name or a number."""
    typed = asked.body.model_dump(exclude_unset=True, exclude={"numbers"})
    country, numbers = asked.parts.settings.clients.country, asked.body.numbers
    client_id = await asked.parts.writer.do(
        lambda unit: editing.add_client(unit, asked.actor, typed, numbers, country=country), name="client"
    )
    return await _read(asked, client_id)


@api.operation("GET", "/clients/{id}", "One card", right=Right.CLIENTS, answer=WholeClient)
async def get_client(asked: Asked[None, None]) -> WholeClient:
    """Each look at a card leaves an audit row."""
    card = await _read(asked, asked.number("id"))
    await asked.parts.writer.do(
        lambda unit: audit.write(unit, asked.actor, "view", "client", card.id, address=asked.address), name="view"
    )
    return card


@api.operation(
    "PATCH",
    "/clients/{id}",
    "Change a card",
    right=Right.CLIENTS,
    body=ClientChange,
    answer=WholeClient,
    errors=(409,),
)
async def change_client(asked: Asked[None, ClientChange]) -> WholeClient:
    """The version keeps two people from overwriting each other."""
    client_id, version = asked.number("id"), version_of(asked.request, asked.body.version)
    typed = asked.body.model_dump(exclude_unset=True, exclude={"version", "add_numbers"})
    country, numbers = asked.parts.settings.clients.country, asked.body.add_numbers

    async def change(unit: Unit) -> None:
        await editing.edit_client(unit, asked.actor, client_id, typed, version)
        for number in numbers:
            await editing.add_number(unit, asked.actor, number, client_id=client_id, country=country)

    await asked.parts.writer.do(change, name="client")
    return await _read(asked, client_id)


@api.operation(
    "GET",
    "/organisations",
    "Organisations",
    right=Right.CLIENTS,
    query=OrganisationsQuery,
    answer=OrganisationPage,
)
async def list_organisations(asked: Asked[OrganisationsQuery, None]) -> OrganisationPage:
    """In order of their names."""
    query = asked.query
    async with asked.parts.database.read() as db:
        page = await queries.organisation_list(db, asked.actor, query.q, Wanted(query.limit, query.cursor))
    return OrganisationPage(items=[_organisation(line) for line in page.items], next=page.next)


@api.operation(
    "POST",
    "/organisations",
    "Open an organisation",
    right=Right.CLIENTS,
    body=OrganisationBody,
    answer=Organisation,
    status=201,
)
async def add_organisation(asked: Asked[None, OrganisationBody]) -> Organisation:
    """It needs a name."""
    typed = asked.body.model_dump(exclude_unset=True, exclude={"numbers"})
    country, numbers = asked.parts.settings.clients.country, asked.body.numbers
    key = await asked.parts.writer.do(
        lambda unit: editing.add_organisation(unit, asked.actor, typed, numbers, country=country), name="organisation"
    )
    async with asked.parts.database.read() as db:
        found = await queries.organisation_card(db, asked.actor, key)
    return _organisation(found.organisation)


async def _read(asked: "Asked[object, object]", client_id: int) -> WholeClient:
    async with asked.parts.database.read() as db:
        card = await queries.card(db, asked.actor, client_id)
    return _whole(card)


def _whole(card: Card) -> WholeClient:
    plain = ("email", "language", "time_zone", "note", "version", "changed_at", "deleted_at")
    colleagues = [Colleague(**{name: getattr(one, name) for name in Colleague.model_fields}) for one in card.colleagues]
    return WholeClient(**_client(card.client), **{n: getattr(card, n) for n in plain}, colleagues=colleagues)


def _client(line: ClientLine) -> dict[str, Any]:
    values = {name: getattr(line, name) for name in Client.model_fields if name not in ("numbers", "tags")}
    return values | {"numbers": [_number(one) for one in line.numbers], "tags": [str(tag) for tag in line.tags or []]}


def _organisation(line: OrganisationLine) -> Organisation:
    values = {name: getattr(line, name) for name in Organisation.model_fields if name not in ("numbers", "tags")}
    return Organisation(
        **values, numbers=[_number(one) for one in line.numbers], tags=[str(t) for t in line.tags or []]
    )


def _number(one: NumberLine) -> Number:
    return Number(**{name: getattr(one, name) for name in Number.model_fields})
