"""What the API takes and gives of clients and organisations."""
# ruff: noqa: RUF012 - pydantic copies defaults for each instance

from typing import Annotated

from pydantic import Field, StringConstraints

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape
from webui.api.shapes import Id, ListQuery, Long, Phone, Text

Tags = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=50)]
Phones = Annotated[list[Phone], Field(max_length=50)]
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


class WholeClient(Client):
    """A card; `version` is what a change names."""

    email: str = ""
    language: str = ""
    time_zone: str = ""
    note: str = ""
    version: int
    changed_at: Moment
    deleted_at: Moment | None = None
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
    organisation_id: Id | None = None
    owner_id: Id | None = None
    language: Short | None = None
    time_zone: Short | None = None
    tags: Tags | None = None
    note: Long | None = None
    do_not_call: bool | None = None


class ClientBody(ClientFields):
    """A new card: it needs a name or a number."""

    numbers: Phones = []


class ClientChange(ClientFields):
    """What is to be changed; `version` is the one it was read with (or send it as If-Match)."""

    version: Id | None = None
    add_numbers: Phones = Field(default=[], description="Numbers that he has, too.")


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
    version: int
    created_at: Moment
    changed_at: Moment
    numbers: list[Number] = []


class OrganisationPage(Shape):
    """Organisations in order of their names."""

    items: list[Organisation]
    next: str | None = None


class OrganisationBody(Shape):
    """A new organisation."""

    name: Text
    owner_id: Id | None = None
    note: Long = ""
    tags: Tags = []
    numbers: Phones = []
