"""Clients as cards for people, and the facts that are changed in place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcrm.accounts.policy import Actor
from callcrm.clients import queries
from callcrm.clients.queries import Card, ClientLine, NumberLine
from webui import i18n
from webui.i18n import _
from webui.parts import Parts


@dataclass(frozen=True, slots=True)
class CardView:
    """A client; `title` is the name, or what the line said."""

    id: int
    name: str
    title: str
    said_name: str
    role: str
    job: str
    email: str
    organisation_id: int | None
    organisation: str
    owner_id: int | None
    owner_name: str
    language: str
    time_zone: str
    tags: tuple[str, ...]
    note: str
    do_not_call: bool
    version: int
    created_at: datetime
    deleted: bool
    numbers: tuple[NumberLine, ...]
    people: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A client in a list."""

    id: int
    name: str
    role: str
    number: str
    numbers: int
    owner_name: str
    tags: tuple[str, ...]
    do_not_call: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what it is now, and whether it is being changed."""

    name: str
    label: str
    value: str
    shown: str
    options: tuple[tuple[str, str], ...] = ()
    editing: bool = False
    bad: str = ""


async def read(parts: Parts, actor: Actor, client_id: int) -> CardView:
    """One card. Raises NotFound."""
    async with parts.database.read() as db:
        return view(await queries.card(db, actor, client_id))


def view(card: Card) -> CardView:
    """The card as the templates show it."""
    line = card.client
    me = {"id": line.id, "name": line.name or line.said_name, "job": line.job}
    others = [{"id": one.id, "name": one.name or one.said_name, "job": one.job} for one in card.colleagues]
    return CardView(
        id=line.id,
        name=line.name,
        title=line.name or line.said_name,
        said_name=line.said_name,
        role=role_of(line),
        job=line.job,
        email=card.email,
        organisation_id=line.organisation_id,
        organisation=line.organisation,
        owner_id=line.owner_id,
        owner_name=line.owner_name,
        language=card.language,
        time_zone=card.time_zone,
        tags=tuple(str(tag) for tag in line.tags or []),
        note=card.note,
        do_not_call=line.do_not_call,
        version=card.version,
        created_at=line.created_at,
        deleted=card.deleted_at is not None,
        numbers=line.numbers,
        people=tuple(sorted([me, *others], key=lambda one: str(one["name"]))),
    )


def line_view(line: ClientLine) -> LineView:
    """A row."""
    first = line.numbers[0] if line.numbers else None
    return LineView(
        id=line.id,
        name=line.name or line.said_name,
        role=role_of(line),
        number=(first.number or first.raw) if first else "",
        numbers=len(line.numbers),
        owner_name=line.owner_name,
        tags=tuple(str(tag) for tag in line.tags or []),
        do_not_call=line.do_not_call,
        created_at=line.created_at,
    )


def role_of(line: ClientLine) -> str:
    """What he is, and where."""
    return ", ".join(part for part in (line.job, line.organisation) if part)


def facts(card: CardView, people: list[tuple[int, str]]) -> list[Fact]:
    """What stands on the right of the card, in this order."""
    owners = (("", _("nobody")), *((str(key), name) for key, name in people))
    yes_no = (("", _("no")), ("yes", _("yes")))
    language = i18n.locale().languages.get(card.language, card.language)
    return [
        Fact("name", _("Name"), card.name, card.name),
        Fact("job", _("Role"), card.job, card.job),
        Fact("organisation", _("Organisation"), card.organisation, card.organisation),
        Fact("owner", _("Owner"), str(card.owner_id or ""), card.owner_name, owners),
        Fact("email", _("E-mail"), card.email, card.email),
        Fact("language", _("Language"), card.language, str(language)),
        Fact("time_zone", _("Time zone"), card.time_zone, card.time_zone),
        Fact("tags", _("Tags"), ", ".join(card.tags), ", ".join(card.tags)),
        Fact("do_not_call", _("Do not call"), "yes" if card.do_not_call else "", _yes(card.do_not_call), yes_no),
        Fact("note", _("Note"), card.note, card.note),
    ]


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")
