"""Who is at the other end of a call: the card of a number, opened when there is none, and who was chosen.

Runs in the writer's unit with the call's own rows. Two first calls from one number at the
same time give one card: SQLite has one writer, and PostgreSQL's writers take turns in
opening cards.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Row, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.clients.match import Known, Match, ladder
from callcrm.clients.tables import Client, ClientNumber, NumberChoice, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.fulltext import folded
from callcrm.kernel.numbers import Number, parse
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit

SAID_NAME_LIMIT = 200
_NO_NAMES = frozenset({"", "unknown", "<unknown>", "anonymous", "withheld", "private", "restricted", "unavailable"})
_CROWD = 50
_NEVER = "-"  # no number is written so: it stands for a step that cannot be taken
_OPENING_LOCK = 20260143

_REMEMBERED = (
    select(NumberChoice.client_id)
    .join(Client, Client.id == NumberChoice.client_id)
    .where(NumberChoice.e164 == bindparam("key"), Client.deleted_at.is_(None))
    .scalar_subquery()
)
_LIVING_FIRM = exists(
    select(Organisation.id).where(Organisation.id == ClientNumber.organisation_id, Organisation.deleted_at.is_(None))
)
_LOOKUP = Prepared(
    select(
        ClientNumber.e164,
        ClientNumber.national,
        ClientNumber.client_id,
        ClientNumber.organisation_id,
        _REMEMBERED.label("remembered"),
    )
    .outerjoin(Client, Client.id == ClientNumber.client_id)
    .where(
        or_(
            ClientNumber.e164 == bindparam("e164"),
            ClientNumber.national == bindparam("national"),
            ClientNumber.tail == bindparam("tail"),
        ),
        Client.deleted_at.is_(None),
        or_(ClientNumber.client_id.is_not(None), _LIVING_FIRM),  # the firm is looked up for its own numbers only
    )
    .order_by(ClientNumber.id)
    .limit(500)
)
_PEOPLE = Prepared(
    select(Client.id, Client.organisation_id)
    .where(Client.organisation_id.in_(bindparam("organisations", expanding=True)), Client.deleted_at.is_(None))
    .order_by(Client.id)
    .limit(_CROWD)
)
_OPEN_CARD = Prepared(insert(Client).returning(Client.id))
_ADD_NUMBER = Prepared(insert(ClientNumber))


async def recognise(db: AsyncConnection, number: Number) -> Match:
    """Climb down the match ladder for `number`; opens nothing. One statement, two for an organisation's number."""
    if not number.key:
        return ladder(number, ())
    asked = {
        "key": number.key,
        "e164": number.e164 or _NEVER,
        "national": number.national or _NEVER,
        "tail": number.tail or _NEVER,
    }
    rows = await _LOOKUP.all(db, asked)
    if not rows:
        return Match("none", number.key)
    book = [Known(row.e164, row.national, row.client_id, row.organisation_id) for row in rows]
    people = await _people(db, {row.organisation_id for row in rows if row.organisation_id is not None})
    return ladder(number, book, people, rows[0].remembered)


async def _people(db: AsyncConnection, organisations: Iterable[int]) -> dict[int, list[int]]:
    people: dict[int, list[int]] = {}
    if wanted := sorted(organisations):
        for row in await _PEOPLE.all(db, {"organisations": wanted}):
            people.setdefault(row.organisation_id, []).append(row.id)
    return people


async def find_or_open(unit: Unit, number: Number, *, said_name: str = "") -> Match:
    """The match of a call's number; a card is opened when nobody is known by it.

    Nothing is opened for what is no number of the public net (anonymous, extensions, codes),
    for an organisation's number, or where somebody may be meant ("maybe"). Own numbers are the
    caller's to keep away.
    """
    match = await recognise(unit.db, number)
    if match.step != "none" or not number.key:
        return match
    if unit.db.dialect.name == "postgresql":
        await unit.db.execute(select(func.pg_advisory_xact_lock(_OPENING_LOCK)))
        match = await recognise(unit.db, number)
        if match.step != "none":
            return match
    client_id = await open_card(unit, number, said_name=said_name)
    return replace(match, step="new", client_id=client_id, clients=(client_id,))


async def open_card(unit: Unit, number: Number, *, said_name: str = "") -> int:
    """Open a nameless card with this number; gives its id."""
    card = {"said_name": clean_name(said_name, number), "created_at": unit.now, "changed_at": unit.now}
    card["search"] = folded(str(card["said_name"]))
    client_id = int(await _OPEN_CARD.scalar(unit.db, card))
    await _ADD_NUMBER.run(unit.db, number_row(unit, number, client_id=client_id))
    unit.fact("client.created", client=client_id)
    return client_id


def number_row(
    unit: Unit, number: Number, *, client_id: int | None = None, organisation_id: int | None = None, label: str = ""
) -> dict[str, object]:
    """The row of a number; exactly one owner is given."""
    return {
        "client_id": client_id,
        "organisation_id": organisation_id,
        "e164": number.e164,
        "national": number.national,
        "tail": number.tail,
        "backwards": (number.e164 or number.national)[::-1],
        "raw": number.raw[:80],
        "kind": number.kind,
        "label": label,
        "created_at": unit.now,
    }


def clean_name(name: str | None, number: Number | None = None) -> str:
    """The caller's name as the line said it, without marks that hide in text; empty when it says nothing."""
    seen = "".join(c if c.isprintable() else " " for c in (name or "")[: 4 * SAID_NAME_LIMIT])
    kept = " ".join(unicodedata.normalize("NFC", seen).split())[:SAID_NAME_LIMIT]
    if kept.casefold() in _NO_NAMES or (number and number.key and parse(kept, number.country).key == number.key):
        return ""
    return kept


@dataclass(frozen=True, slots=True)
class Choice:
    """Who a number was said to be; `dropped`: cards that existed for this number only, and are gone now."""

    match: Match
    dropped: tuple[int, ...] = ()


async def choose(unit: Unit, actor: Actor, number: Number, client_id: int) -> Choice:
    """Say whose number this is, and remember it.

    The person gets the number unless it is his or his organisation's. A card that was opened
    for this number and that nobody has touched since was he, and is closed.
    Raises NotFound for no such client, Invalid for what is no number.
    """
    if not number.key:
        raise Invalid("This call has no number that could belong to somebody.")
    owner = (
        await unit.db.execute(
            select(Client.id, Client.organisation_id).where(Client.id == client_id, Client.deleted_at.is_(None))
        )
    ).first()
    if owner is None:
        raise NotFound("There is no such client; he may have been deleted meanwhile.")
    before = await recognise(unit.db, number)
    holders = await _holders(unit.db, number)
    if not any(_has(row, owner.id, owner.organisation_id) for row in holders):
        await _ADD_NUMBER.run(unit.db, number_row(unit, number, client_id=client_id))
    await _remember(unit, actor, number, client_id)
    others = [row.client_id for row in holders if row.client_id not in (None, client_id)]
    dropped = await _drop_untouched(unit, others)
    unit.fact("client.changed", client=client_id)
    await audit.write(unit, actor, "choose", "client", client_id, {"dropped": list(dropped)})
    clients = tuple(one for one in before.clients if one not in dropped and one != client_id)
    match = Match("chosen", number.key, client_id, (client_id, *clients), before.organisation_id, False, actor.user_id)
    return Choice(match, dropped)


async def _holders(db: AsyncConnection, number: Number) -> Sequence[Row[int | None, int | None]]:
    same = (
        ClientNumber.e164 == number.e164
        if number.e164
        else and_(ClientNumber.e164 == "", ClientNumber.national == number.national)
    )
    return (await db.execute(select(ClientNumber.client_id, ClientNumber.organisation_id).where(same))).all()


def _has(row: Row[int | None, int | None], client_id: int, organisation_id: int | None) -> bool:
    return row[0] == client_id or (organisation_id is not None and row[1] == organisation_id)


async def _remember(unit: Unit, actor: Actor, number: Number, client_id: int) -> None:
    choice = {"e164": number.key, "client_id": client_id, "chosen_by": actor.user_id, "chosen_at": unit.now}
    await upsert(unit.db, NumberChoice, choice)


async def forget_choice(unit: Unit, key: str, client_id: int) -> None:
    """The number is no longer this person's: what was remembered of it goes, too."""
    gone = delete(NumberChoice).where(NumberChoice.e164 == key, NumberChoice.client_id == client_id)
    await unit.db.execute(gone)


async def _drop_untouched(unit: Unit, cards: Sequence[int]) -> tuple[int, ...]:
    """Close those of the cards that a call opened and nobody has touched: nothing but one number in them."""
    if not cards:
        return ()
    other = select(ClientNumber.id).where(ClientNumber.client_id == Client.id).offset(1)
    untouched = select(Client.id).where(
        Client.id.in_(cards), Client.name == "", Client.version == 1, Client.deleted_at.is_(None), ~exists(other)
    )
    dropped = tuple((await unit.db.execute(untouched)).scalars())
    if dropped:
        await unit.db.execute(update(Client).where(Client.id.in_(dropped)).values(deleted_at=unit.now))
        for card in dropped:
            unit.fact("client.changed", client=card)
    return dropped
