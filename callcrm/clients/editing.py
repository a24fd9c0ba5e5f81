"""What people do with cards: open and change persons and organisations, and their numbers.

Every change names the version it was made from; when somebody else was faster, Conflict
carries the row as it is now. Every change leaves an audit row, a fact, and on the card's trail
what each field was before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from callcrm.accounts.policy import Actor, Right, require
from callcrm.accounts.tables import User
from callcrm.clients import custom, definitions, fields, mails, service, trail
from callcrm.clients.kinds import COMPANY, PERSON, Kind
from callcrm.clients.tables import ClientNumber, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Unit

NUMBERS = 50


async def add_client(
    unit: Unit, actor: Actor, typed: Mapping[str, Any], numbers: Sequence[str] = (), *, country: str = ""
) -> int:
    """Open a person's card with what was typed; gives its id. It needs a name or a number, and what is required."""
    require(actor, Right.CLIENTS)
    row = await _checked(unit, typed, PERSON)
    if not row.get("name") and not numbers:
        raise Invalid("Write a name or a number.", {"name": "a name or a number is needed"})
    client_id = await _insert(unit, row, PERSON)
    await _add_numbers(unit, numbers, country, client_id=client_id)
    unit.fact("client.created", client=client_id)
    await audit.write(unit, actor, "add", "client", client_id)
    return client_id


async def add_organisation(
    unit: Unit,
    actor: Actor,
    typed: Mapping[str, Any],
    numbers: Sequence[str] = (),
    *,
    country: str = "",
    by_the_way: bool = False,
) -> int:
    """Open an organisation's card; gives its id. It needs a name, and what is required.

    `by_the_way`: opened because a person's card names it; what is required is asked for on its own page.
    """
    require(actor, Right.CLIENTS)
    row = await _checked(unit, typed, COMPANY, whole=not by_the_way)
    if not row.get("name"):
        raise Invalid("Write the organisation's name.", {"name": "a name is needed"})
    organisation_id = await _insert(unit, row, COMPANY)
    await _add_numbers(unit, numbers, country, organisation_id=organisation_id)
    unit.fact("organisation.changed", organisation=organisation_id)
    await audit.write(unit, actor, "add", "organisation", organisation_id)
    return organisation_id


async def _insert(unit: Unit, row: dict[str, Any], kind: Kind) -> int:
    addresses = row.pop("emails", [])
    row |= {"search": kind.search({**row, "emails": addresses}), "created_at": unit.now, "changed_at": unit.now}
    key = int((await unit.db.execute(insert(kind.table).returning(kind.table.id), row)).scalar_one())
    await mails.put(unit, key, addresses, organisations=kind.companies)
    return key


async def edit_client(unit: Unit, actor: Actor, client_id: int, typed: Mapping[str, Any], version: int) -> int:
    """Change fields of a person's card; gives its new version."""
    return await _edit(unit, actor, client_id, typed, version, PERSON)


async def edit_organisation(
    unit: Unit, actor: Actor, organisation_id: int, typed: Mapping[str, Any], version: int
) -> int:
    """Change fields of an organisation; gives its new version."""
    return await _edit(unit, actor, organisation_id, typed, version, COMPANY)


async def add_number(
    unit: Unit,
    actor: Actor,
    raw: str,
    *,
    client_id: int | None = None,
    organisation_id: int | None = None,
    country: str = "",
    label: str = "",
) -> int:
    """Give a number to a person or an organisation; gives the number's id. One that is there stays one."""
    require(actor, Right.CLIENTS)
    kind, owner = (PERSON, client_id) if client_id is not None else (COMPANY, organisation_id)
    if owner is None:
        raise Invalid("A number belongs to a client or to an organisation.")
    await load(unit, owner, None, kind)
    label = fields.checked({"label": label}, {"label": fields.line(100)})["label"]
    known = await _numbers_of(unit, kind, owner)
    added = await _add_numbers(unit, [raw], country, client_id=client_id, organisation_id=organisation_id, label=label)
    if added[0] not in known.values():
        await trail.write(unit, actor, kind.word, owner, {"number": (None, parse(raw, country).key)})
    tell(unit, kind, owner)
    await audit.write(unit, actor, "add number", kind.word, owner)
    return added[0]


async def remove_number(unit: Unit, actor: Actor, number_id: int) -> None:
    """Take a number off its card."""
    require(actor, Right.CLIENTS)
    row = (await unit.db.execute(select(ClientNumber).where(ClientNumber.id == number_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such number; it may have been removed meanwhile.")
    await unit.db.execute(delete(ClientNumber).where(ClientNumber.id == number_id))
    kind, owner = (PERSON, row["client_id"]) if row["client_id"] is not None else (COMPANY, row["organisation_id"])
    if kind is PERSON:
        await service.forget_choice(unit, row["e164"] or row["national"], owner)
    await trail.write(unit, actor, kind.word, owner, {"number": (row["e164"] or row["national"], None)})
    tell(unit, kind, owner)
    await audit.write(unit, actor, "remove number", kind.word, owner)


async def drop_number(
    unit: Unit, actor: Actor, key: str, *, client_id: int | None = None, organisation_id: int | None = None
) -> None:
    """Take the number that is `key` (E.164, or the digits of what is none) off the card."""
    kind, owner = (PERSON, client_id) if client_id is not None else (COMPANY, organisation_id)
    held = await _numbers_of(unit, kind, owner or 0)
    if key not in held:
        raise NotFound("This number is not on the card any more.")
    await remove_number(unit, actor, held[key])


async def _add_numbers(
    unit: Unit,
    raws: Sequence[str],
    country: str,
    *,
    client_id: int | None = None,
    organisation_id: int | None = None,
    label: str = "",
) -> list[int]:
    kind, owner = (PERSON, client_id) if client_id is not None else (COMPANY, organisation_id)
    there = await _numbers_of(unit, kind, owner or 0)
    added = []
    for raw in raws:
        number = parse(raw, country)
        if not number.key:
            raise Invalid(f"{raw[:40]!r} is no telephone number.", {"number": "write it with its area or country code"})
        if number.key not in there:
            if len(there) >= NUMBERS:
                raise Invalid(f"A card holds at most {NUMBERS} numbers.")
            row = service.number_row(unit, number, client_id=client_id, organisation_id=organisation_id, label=label)
            statement = insert(ClientNumber).returning(ClientNumber.id)
            there[number.key] = int((await unit.db.execute(statement, row)).scalar_one())
        added.append(there[number.key])
    return added


async def _numbers_of(unit: Unit, kind: Kind, owner: int) -> dict[str, int]:
    mine = ClientNumber.organisation_id == owner if kind.companies else ClientNumber.client_id == owner
    held = (await unit.db.execute(select(ClientNumber.id, ClientNumber.e164, ClientNumber.national).where(mine))).all()
    return {row.e164 or row.national: row.id for row in held}


async def _edit(  # noqa: PLR0917
    unit: Unit, actor: Actor, key: int, typed: Mapping[str, Any], version: int, kind: Kind
) -> int:
    require(actor, Right.CLIENTS)
    before = await load(unit, key, version, kind)
    row = await _checked(unit, typed, kind, before)
    changed = {name: value for name, value in row.items() if value != before[name]}
    if not changed:
        return version
    if kind.companies and changed.get("name") == "":
        raise Invalid("An organisation needs a name.", {"name": "a name is needed"})
    after = {**before, **changed}
    values = {name: value for name, value in changed.items() if name != "emails"}
    values |= {"search": kind.search(after), "version": version + 1, "changed_at": unit.now}
    await unit.db.execute(update(kind.table).where(kind.table.id == key).values(values))
    if "emails" in changed:
        await mails.put(unit, key, changed["emails"], organisations=kind.companies)
    tell(unit, kind, key)
    differences = trail.differences(before, changed)
    await trail.write(unit, actor, kind.word, key, differences)
    await _tell_organisations(unit, actor, kind, key, differences)
    await audit.write(unit, actor, "change", kind.word, key, {"fields": sorted(differences)})
    return version + 1


async def _tell_organisations(
    unit: Unit, actor: Actor, kind: Kind, key: int, differences: Mapping[str, tuple[Any, Any]]
) -> None:
    """Who came to an organisation or left it stands on its trail, too."""
    if kind.companies or "organisation_id" not in differences:
        return
    left, joined = differences["organisation_id"]
    for organisation, change in ((left, (key, None)), (joined, (None, key))):
        if organisation is not None:
            await trail.write(unit, actor, "organisation", organisation, {"person": change})
            unit.fact("organisation.changed", organisation=organisation)


async def load(unit: Unit, key: int, version: int | None, kind: Kind) -> dict[str, Any]:
    """The row as it is, with its mails, locked until the commit; Conflict when it is of another version."""
    columns = kind.table.__table__.columns
    found = (await unit.db.execute(select(*columns).where(kind.table.id == key).with_for_update())).mappings().first()
    if found is None or found.get("deleted_at") is not None:
        raise NotFound(f"There is no such {kind.word}; it may have been deleted meanwhile.")
    row = dict(found)
    row["emails"] = (await mails.of(unit.db, [key], organisations=kind.companies)).get(key, [])
    if version is not None and row["version"] != version:
        raise Conflict("Somebody else changed this card while you did; compare and save again.", row)
    return row


async def _checked(
    unit: Unit, typed: Mapping[str, Any], kind: Kind, held: Mapping[str, Any] | None = None, *, whole: bool = True
) -> dict[str, Any]:
    """What was typed as it is kept; every mistake is told at once. `held`: the card as it is, None for a new one."""
    wrong: dict[str, str] = {}
    row: dict[str, Any] = {}
    try:
        row = fields.checked(typed, kind.rules)
    except Invalid as error:
        wrong = dict(error.fields)
    await _check_ids(unit, row, wrong)
    if "custom" not in wrong and ("custom" in typed or (held is None and whole)):
        said = typed.get("custom") or {}
        before = held["custom"] if held is not None else None
        asked = await definitions.of(unit.db, kind.word)
        kept, bad = custom.checked(asked, said, held=before if whole else {})
        wrong |= bad
        merged = {**(before or {}), **kept}
        row["custom"] = {key: value for key, value in merged.items() if value is not None}
    if wrong:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in wrong.items()) + ".", wrong)
    if "email" in row:
        _first_mail(row, held)
    return row


async def _check_ids(unit: Unit, row: Mapping[str, Any], wrong: dict[str, str]) -> None:
    for name, table, word in (("owner_id", User, "person"), ("organisation_id", Organisation, "organisation")):
        if row.get(name) is not None:
            there = select(table.id).where(table.id == row[name])
            if table is Organisation:
                there = there.where(Organisation.deleted_at.is_(None))
            if (await unit.db.execute(there)).first() is None:
                wrong[name] = f"there is no such {word}: choose one from the list"


def _first_mail(row: dict[str, Any], held: Mapping[str, Any] | None) -> None:
    """`email` is the first of several; what is named besides stays behind it."""
    first = row.pop("email")
    others = row.get("emails", held["emails"][1:] if held else [])
    row["emails"] = ([first] if first else []) + [one for one in others if one.casefold() != first.casefold()]


def tell(unit: Unit, kind: Kind, key: int) -> None:
    """The fact that a card was changed."""
    if kind is PERSON:
        unit.fact("client.changed", client=key)
    else:
        unit.fact("organisation.changed", organisation=key)
