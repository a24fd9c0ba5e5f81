"""What people do with cards: open, change, delete and restore persons and organisations, and their numbers.

Every change names the version it was made from; when somebody else was faster, Conflict
carries the row as it is now. Every change leaves an audit row and a fact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from callcrm.accounts.policy import Actor, Right, require
from callcrm.accounts.tables import User
from callcrm.clients import fields, service
from callcrm.clients.tables import Client, ClientNumber, NumberChoice, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Unit

NUMBERS = 50


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between persons and organisations."""

    table: type[Client] | type[Organisation]
    word: str
    rules: Mapping[str, fields.Check]
    search: Callable[[Mapping[str, Any]], str]


_PERSON = _Kind(Client, "client", fields.CLIENT, fields.client_search)
_COMPANY = _Kind(Organisation, "organisation", fields.ORGANISATION, fields.organisation_search)


async def add_client(
    unit: Unit, actor: Actor, typed: Mapping[str, Any], numbers: Sequence[str] = (), *, country: str = ""
) -> int:
    """Open a person's card with what was typed; gives its id. It needs a name or a number."""
    require(actor, Right.CLIENTS)
    row = await _checked(unit, typed, _PERSON)
    if not row.get("name") and not numbers:
        raise Invalid("Write a name or a number.", {"name": "a name or a number is needed"})
    row |= {"search": fields.client_search(row), "created_at": unit.now, "changed_at": unit.now}
    client_id = int((await unit.db.execute(insert(Client).returning(Client.id), row)).scalar_one())
    await _add_numbers(unit, numbers, country, client_id=client_id)
    unit.fact("client.created", client=client_id)
    await audit.write(unit, actor, "add", "client", client_id)
    return client_id


async def add_organisation(
    unit: Unit, actor: Actor, typed: Mapping[str, Any], numbers: Sequence[str] = (), *, country: str = ""
) -> int:
    """Open an organisation's card; gives its id. It needs a name."""
    require(actor, Right.CLIENTS)
    row = await _checked(unit, typed, _COMPANY)
    if not row.get("name"):
        raise Invalid("Write the organisation's name.", {"name": "a name is needed"})
    row |= {"search": fields.organisation_search(row), "created_at": unit.now, "changed_at": unit.now}
    statement = insert(Organisation).returning(Organisation.id)
    organisation_id = int((await unit.db.execute(statement, row)).scalar_one())
    await _add_numbers(unit, numbers, country, organisation_id=organisation_id)
    unit.fact("organisation.changed", organisation=organisation_id)
    await audit.write(unit, actor, "add", "organisation", organisation_id)
    return organisation_id


async def edit_client(unit: Unit, actor: Actor, client_id: int, typed: Mapping[str, Any], version: int) -> int:
    """Change fields of a person's card; gives its new version."""
    return await _edit(unit, actor, client_id, typed, version, _PERSON)


async def edit_organisation(
    unit: Unit, actor: Actor, organisation_id: int, typed: Mapping[str, Any], version: int
) -> int:
    """Change fields of an organisation; gives its new version."""
    return await _edit(unit, actor, organisation_id, typed, version, _COMPANY)


async def delete_client(unit: Unit, actor: Actor, client_id: int, version: int) -> None:
    """Close a person's card: his calls stay in the log, his numbers know nobody. `restore_client` undoes it."""
    require(actor, Right.DELETE_CLIENTS)
    await _load(unit, client_id, version, _PERSON)
    gone = update(Client).where(Client.id == client_id).values(deleted_at=unit.now, version=Client.version + 1)
    await unit.db.execute(gone)
    await unit.db.execute(delete(NumberChoice).where(NumberChoice.client_id == client_id))
    unit.fact("client.changed", client=client_id)
    await audit.write(unit, actor, "delete", "client", client_id)


async def restore_client(unit: Unit, actor: Actor, client_id: int) -> None:
    """Open a closed card again."""
    require(actor, Right.DELETE_CLIENTS)
    back = update(Client).where(Client.id == client_id, Client.deleted_at.is_not(None))
    found = await unit.db.execute(back.values(deleted_at=None, version=Client.version + 1))
    if found.rowcount == 0:
        raise NotFound("There is no deleted client like this.")
    unit.fact("client.changed", client=client_id)
    await audit.write(unit, actor, "restore", "client", client_id)


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
    kind, owner = (_PERSON, client_id) if client_id is not None else (_COMPANY, organisation_id)
    if owner is None:
        raise Invalid("A number belongs to a client or to an organisation.")
    await _load(unit, owner, None, kind)
    label = fields.checked({"name": label}, {"name": fields.CLIENT["job"]})["name"]
    added = await _add_numbers(unit, [raw], country, client_id=client_id, organisation_id=organisation_id, label=label)
    _tell(unit, kind, owner)
    await audit.write(unit, actor, "add number", kind.word, owner)
    return added[0]


async def remove_number(unit: Unit, actor: Actor, number_id: int) -> None:
    """Take a number off its card."""
    require(actor, Right.CLIENTS)
    row = (await unit.db.execute(select(ClientNumber).where(ClientNumber.id == number_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such number; it may have been removed meanwhile.")
    await unit.db.execute(delete(ClientNumber).where(ClientNumber.id == number_id))
    kind, owner = (_PERSON, row["client_id"]) if row["client_id"] is not None else (_COMPANY, row["organisation_id"])
    if kind is _PERSON:
        await service.forget_choice(unit, row["e164"] or row["national"], owner)
    _tell(unit, kind, owner)
    await audit.write(unit, actor, "remove number", kind.word, owner)


async def _add_numbers(
    unit: Unit,
    raws: Sequence[str],
    country: str,
    *,
    client_id: int | None = None,
    organisation_id: int | None = None,
    label: str = "",
) -> list[int]:
    mine = ClientNumber.client_id == client_id if client_id else ClientNumber.organisation_id == organisation_id
    held = (await unit.db.execute(select(ClientNumber.id, ClientNumber.e164, ClientNumber.national).where(mine))).all()
    there = {row.e164 or row.national: row.id for row in held}
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


async def _edit(  # noqa: PLR0917
    unit: Unit, actor: Actor, key: int, typed: Mapping[str, Any], version: int, kind: _Kind
) -> int:
    require(actor, Right.CLIENTS)
    before = await _load(unit, key, version, kind)
    changed = {n: v for n, v in (await _checked(unit, typed, kind)).items() if v != before[n]}
    if not changed:
        return version
    if kind is _COMPANY and changed.get("name") == "":
        raise Invalid("An organisation needs a name.", {"name": "a name is needed"})
    search = kind.search({**before, **changed})
    values = {**changed, "search": search, "version": version + 1, "changed_at": unit.now}
    await unit.db.execute(update(kind.table).where(kind.table.id == key).values(values))
    _tell(unit, kind, key)
    await audit.write(unit, actor, "change", kind.word, key, {"fields": sorted(changed)})
    return version + 1


async def _load(unit: Unit, key: int, version: int | None, kind: _Kind) -> dict[str, Any]:
    """The row as it is, locked until the commit; Conflict when it is of another version."""
    columns = kind.table.__table__.columns
    found = (await unit.db.execute(select(*columns).where(kind.table.id == key).with_for_update())).mappings().first()
    if found is None or found.get("deleted_at") is not None:
        raise NotFound(f"There is no such {kind.word}; it may have been deleted meanwhile.")
    row = dict(found)
    if version is not None and row["version"] != version:
        raise Conflict("Somebody else changed this card while you did; compare and save again.", row)
    return row


async def _checked(unit: Unit, typed: Mapping[str, Any], kind: _Kind) -> dict[str, Any]:
    row = fields.checked(typed, kind.rules)
    for name, table, word in (("owner_id", User, "person"), ("organisation_id", Organisation, "organisation")):
        if row.get(name) is not None:
            found = await unit.db.execute(select(table.id).where(table.id == row[name]))
            if found.first() is None:
                raise Invalid(f"There is no such {word}.", {name: "choose one from the list"})
    return row


def _tell(unit: Unit, kind: _Kind, key: int) -> None:
    if kind is _PERSON:
        unit.fact("client.changed", client=key)
    else:
        unit.fact("organisation.changed", organisation=key)
