"""Clients and organisations."""

from typing import Any

from callcrm.accounts.policy import Right
from callcrm.clients import consents, definitions, editing, queries
from callcrm.clients.custom import WHATS
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
    Consent,
    CustomField,
    CustomFields,
    Number,
    Organisation,
    OrganisationBody,
    OrganisationChange,
    OrganisationPage,
    OrganisationsQuery,
    WholeClient,
    WholeOrganisation,
)
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.versions import version_of

_ADDED = {"version", "add_numbers", "add_consents", "withdraw_consents"}


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
    typed = asked.body.model_dump(exclude_unset=True, exclude=_ADDED)
    settings, body = asked.parts.settings.clients, asked.body

    async def change(unit: Unit) -> None:
        await editing.edit_client(unit, asked.actor, client_id, typed, version)
        for number in body.add_numbers:
            await editing.add_number(unit, asked.actor, number, client_id=client_id, country=settings.country)
        for one in body.add_consents:
            await consents.give(unit, asked.actor, client_id, one.model_dump(), settings.consents)
        for gone in body.withdraw_consents:
            await consents.withdraw(unit, asked.actor, client_id, gone)

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
    answer=WholeOrganisation,
    status=201,
)
async def add_organisation(asked: Asked[None, OrganisationBody]) -> WholeOrganisation:
    """It needs a name."""
    typed = asked.body.model_dump(exclude_unset=True, exclude={"numbers"})
    country, numbers = asked.parts.settings.clients.country, asked.body.numbers
    key = await asked.parts.writer.do(
        lambda unit: editing.add_organisation(unit, asked.actor, typed, numbers, country=country), name="organisation"
    )
    return await _read_organisation(asked, key)


@api.operation("GET", "/organisations/{id}", "One organisation", right=Right.CLIENTS, answer=WholeOrganisation)
async def get_organisation(asked: Asked[None, None]) -> WholeOrganisation:
    """Each look leaves an audit row."""
    found = await _read_organisation(asked, asked.number("id"))
    await asked.parts.writer.do(
        lambda unit: audit.write(unit, asked.actor, "view", "organisation", found.id, address=asked.address),
        name="view",
    )
    return found


@api.operation(
    "PATCH",
    "/organisations/{id}",
    "Change an organisation",
    right=Right.CLIENTS,
    body=OrganisationChange,
    answer=WholeOrganisation,
    errors=(409,),
)
async def change_organisation(asked: Asked[None, OrganisationChange]) -> WholeOrganisation:
    """The version keeps two people from overwriting each other."""
    key, version = asked.number("id"), version_of(asked.request, asked.body.version)
    typed = asked.body.model_dump(exclude_unset=True, exclude=_ADDED)
    country, numbers = asked.parts.settings.clients.country, asked.body.add_numbers

    async def change(unit: Unit) -> None:
        await editing.edit_organisation(unit, asked.actor, key, typed, version)
        for number in numbers:
            await editing.add_number(unit, asked.actor, number, organisation_id=key, country=country)

    await asked.parts.writer.do(change, name="organisation")
    return await _read_organisation(asked, key)


@api.operation("GET", "/custom-fields", "Fields of cards", right=Right.CLIENTS, answer=CustomFields)
async def list_fields(asked: Asked[None, None]) -> CustomFields:
    """What the administrator added to the cards of persons and of organisations."""
    async with asked.parts.database.read() as db:
        found = [one for what in WHATS for one in await definitions.of(db, what)]
    plain = [name for name in CustomField.model_fields if name != "choices"]
    shapes = [CustomField(**{name: getattr(one, name) for name in plain}, choices=list(one.choices)) for one in found]
    return CustomFields(items=shapes)


async def _read_organisation(asked: "Asked[object, object]", key: int) -> WholeOrganisation:
    async with asked.parts.database.read() as db:
        found = await queries.organisation_card(db, asked.actor, key)
    emails = found.organisation.emails
    return WholeOrganisation(
        **_organisation(found.organisation).model_dump(),
        email=emails[0] if emails else "",
        emails=list(emails),
        people=[_colleague(one) for one in found.people],
    )


def _colleague(one: queries.Colleague) -> Colleague:
    return Colleague(**{name: getattr(one, name) for name in Colleague.model_fields})


async def _read(asked: "Asked[object, object]", client_id: int) -> WholeClient:
    async with asked.parts.database.read() as db:
        card = await queries.card(db, asked.actor, client_id)
    return _whole(card)


def _whole(card: Card) -> WholeClient:
    plain = ["language", "time_zone", "birthday", "note", "addresses", "custom"]
    plain += ["version", "changed_at", "deleted_at", "merged_into"]
    colleagues = [_colleague(one) for one in card.colleagues]
    given = [Consent(**{name: getattr(one, name) for name in Consent.model_fields}) for one in card.consents]
    return WholeClient(
        **_client(card.client),
        **{name: getattr(card, name) for name in plain},
        email=card.emails[0] if card.emails else "",
        emails=list(card.emails),
        consents=given,
        colleagues=colleagues,
    )


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
