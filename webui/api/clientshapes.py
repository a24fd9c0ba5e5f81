"""What the API takes and gives of clients and organisations."""
# ruff: noqa: RUF012 - pydantic copies defaults for each instance

from typing import Annotated

from pydantic import Field, StringConstraints

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape
from webui.api.shapes import Id, ListQuery, Long, Phone, Text

Tags = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=50)]
Phones = Annotated[list[Phone], Field(max_length=50)]
Several = Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=20)]
Custom = dict[
    Annotated[str, StringConstraints(max_length=40)],
    Annotated[str, StringConstraints(max_length=2000)] | bool | int | float | None,
]
Short = Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)]


class ClientsQuery(ListQuery):
    """Whom is looked for: `phone` by the same ladder as a call, `q` by any part of a name or number."""

    phone: str | None = Field(default=None, max_length=80, description="Whose number is this? (+ is %2B)")
    q: str = Field(default="", max_length=200, description="Parts of a name, an organisation, a number.")


class Number(Shape):
    """A number of a card."""

    id: int
    number: str = Field(description="E.164, or the digits of what is none.")
    raw: str = Field(description="As it was written.")
    kind: str = ""
    label: str = ""


class Client(Shape):
    """A person who calls."""

    id: int
    name: str = Field(description="Empty until somebody names him.")
    said_name: str = Field(default="", description="What the line said.")
    job: str = ""
    organisation_id: int | None = None
    organisation: str = ""
    owner_id: int | None = None
    owner_name: str = ""
    tags: list[str] = []
    do_not_call: bool = False
    created_at: Moment
    numbers: list[Number] = []


class Colleague(Shape):
    """Another person of the same organisation."""

    id: int
    name: str
    said_name: str = ""
    job: str = ""


class Consent(Shape):
    """What a person agreed to; `withdrawn_at` is null while it holds."""

    id: int
    purpose: str
    how: str = ""
    given_at: Moment
    noted_by: str = ""
    withdrawn_at: Moment | None = None
    withdrawn_how: str = ""
    withdrawn_by: str = ""


class WholeClient(Client):
    """A card; `version` is what a change names."""

    email: str = Field(default="", description="The first of the mail addresses.")
    emails: list[str] = []
    addresses: list[str] = []
    language: str = ""
    time_zone: str = ""
    birthday: str = Field(default="", description="YYYY-MM-DD, or empty.")
    note: str = ""
    custom: Custom = Field(default={}, description="The fields that the administrator defined, by their keys.")
    consents: list[Consent] = []
    version: int
    changed_at: Moment
    deleted_at: Moment | None = None
    merged_into: int | None = Field(default=None, description="The card that this one was merged into.")
    colleagues: list[Colleague] = []


class ClientPage(Shape):
    """Clients; asked by `phone`, the likeliest first, and `match` says why (exact, national, maybe, none)."""

    items: list[Client]
    next: str | None = None
    match: str | None = None


class ClientFields(Shape):
    """What of a card can be typed."""

    name: Text | None = None
    job: Text | None = None
    email: Text | None = None
    emails: Several | None = None
    addresses: Several | None = None
    organisation_id: Id | None = None
    owner_id: Id | None = None
    language: Short | None = None
    time_zone: Short | None = None
    birthday: Short | None = None
    custom: Custom | None = Field(default=None, description="Only what is named is changed; null takes it away.")
    tags: Tags | None = None
    note: Long | None = None
    do_not_call: bool | None = None


class ClientBody(ClientFields):
    """A new card: it needs a name or a number."""

    numbers: Phones = []


class NewConsent(Shape):
    """Something that a person agreed to."""

    purpose: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(
        description="One of the setting clients.consents."
    )
    how: Text = Field(default="", description="How he gave it: by phone, in writing…")
    given_at: Moment | None = Field(default=None, description="When; now, unless it is told.")


class ClientChange(ClientFields):
    """What is to be changed; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    add_numbers: Phones = Field(default=[], description="Numbers that he has, too.")
    add_consents: Annotated[list[NewConsent], Field(max_length=20)] = []
    withdraw_consents: Annotated[list[Id], Field(max_length=20)] = Field(
        default=[], description="Consents that he took back, by their ids."
    )


class OrganisationsQuery(ListQuery):
    """Which organisations are looked for."""

    q: str = Field(default="", max_length=200, description="Parts of the name.")


class Organisation(Shape):
    """A company that people call from."""

    id: int
    name: str
    owner_id: int | None = None
    owner_name: str = ""
    note: str = ""
    tags: list[str] = []
    addresses: list[str] = []
    custom: Custom = Field(default={}, description="The fields that the administrator defined, by their keys.")
    version: int
    created_at: Moment
    changed_at: Moment
    numbers: list[Number] = []


class WholeOrganisation(Organisation):
    """An organisation with its mail addresses and its people."""

    email: str = Field(default="", description="The first of the mail addresses.")
    emails: list[str] = []
    people: list[Colleague] = []


class OrganisationPage(Shape):
    """Organisations in order of their names."""

    items: list[Organisation]
    next: str | None = None


class OrganisationFields(Shape):
    """What of an organisation can be typed."""

    name: Text | None = None
    owner_id: Id | None = None
    note: Long | None = None
    tags: Tags | None = None
    email: Text | None = None
    emails: Several | None = None
    addresses: Several | None = None
    custom: Custom | None = Field(default=None, description="Only what is named is changed; null takes it away.")


class OrganisationBody(OrganisationFields):
    """A new organisation; it needs a name."""

    name: Text
    numbers: Phones = []


class OrganisationChange(OrganisationFields):
    """What is to be changed; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    add_numbers: Phones = Field(default=[], description="Numbers that it has, too.")


class CustomField(Shape):
    """A field that the administrator added to cards; its values stand under `key` in their `custom`."""

    what: str = Field(description="client or organisation")
    key: str
    label: str
    kind: str = Field(description="text, number, date, choice or flag")
    choices: list[str] = []
    required: bool = False
    help: str = ""


class CustomFields(Shape):
    """Every field of cards, in the order in which they are shown."""

    items: list[CustomField]
