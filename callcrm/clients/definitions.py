"""The fields that the administrator adds to cards: defined, put in order, deleted, purged.

A deleted definition is asked for nowhere, and the values on the cards stay as they are until it is purged:
then they go from every card and from the trail of changes, some cards at a time, so that calls do not wait.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import String, cast, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.clients import fields, mails, trail
from callcrm.clients.custom import KINDS, WHATS, Definition
from callcrm.clients.tables import CardChange, Client, CustomField, Organisation
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit, Writer

MOST = 50
CHOICES = 100
BATCH = 200
_KEY = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
#: What cards have anyway, and columns of files are called.
TAKEN = frozenset({"name", "numbers", "number", "phone", "email", "emails", "job", "tags", "note", "owner", "id"})
TAKEN |= {"organisation", "organization", "company", "language", "time_zone", "time zone", "do_not_call", "do not call"}
TAKEN |= {"addresses", "address", "birthday"}
_TABLES: dict[str, Any] = {"client": Client, "organisation": Organisation}


async def of(db: AsyncConnection, what: str, *, deleted: bool = False) -> list[Definition]:
    """The definitions for persons or organisations in their order; deleted ones, too, when asked."""
    statement = select(CustomField.__table__).where(CustomField.what == what)
    if not deleted:
        statement = statement.where(CustomField.deleted_at.is_(None))
    rows = await db.execute(statement.order_by(CustomField.place, CustomField.id))
    return [_definition(row) for row in rows.mappings()]


async def one(db: AsyncConnection, field_id: int) -> Definition:
    """One definition, a deleted one too. Raises NotFound."""
    row = (await db.execute(select(CustomField.__table__).where(CustomField.id == field_id))).mappings().first()
    if row is None:
        raise NotFound("There is no such field; it may have been purged.")
    return _definition(row)


async def define(unit: Unit, actor: Actor, typed: Mapping[str, Any]) -> int:
    """Add a field at the end; gives its id. Raises Invalid with what is wrong beside each field."""
    require(actor, Right.FIELDS)
    what, kind = typed.get("what"), typed.get("kind")
    wrong = {} if what in WHATS else {"what": "choose persons or organisations"}
    wrong |= {} if kind in KINDS else {"kind": f"choose one of: {', '.join(KINDS)}"}
    others = [] if wrong else await of(unit.db, str(what), deleted=True)
    row = _checked(typed, str(kind), others, wrong)
    key = str(typed.get("key") or "").strip() or _key_of(str(row.get("label") or ""), others)
    if not _KEY.match(key) or key in TAKEN or key in {other.key for other in others}:
        wrong["key"] = "small letters, digits and _, not used by another field"
    if len([other for other in others if not other.deleted]) >= MOST:
        wrong["label"] = f"a card has at most {MOST} fields of its own"
    _refuse(wrong)
    place = max((other.place for other in others), default=0) + 1
    row |= {"what": what, "kind": kind, "key": key, "place": place, "created_at": unit.now}
    field_id = int((await unit.db.execute(insert(CustomField).returning(CustomField.id), row)).scalar_one())
    await _tell(unit, actor, "define", field_id)
    return field_id


async def redefine(unit: Unit, actor: Actor, field_id: int, typed: Mapping[str, Any], version: int) -> None:
    """Change label, choices, help, or whether it is required; kind and key stay as they are."""
    held = await _held(unit, actor, field_id, version)
    others = [other for other in await of(unit.db, held.what, deleted=True) if other.id != field_id]
    wrong: dict[str, str] = {}
    row = _checked(typed, held.kind, others, wrong)
    _refuse(wrong)
    await _set(unit, field_id, **row)
    await _tell(unit, actor, "redefine", field_id)


async def move(unit: Unit, actor: Actor, field_id: int, step: int) -> None:
    """One place up (-1) or down (1) in its list."""
    require(actor, Right.FIELDS)
    held = await one(unit.db, field_id)
    listed = await of(unit.db, held.what)
    places = [other.id for other in listed]
    if field_id not in places or step not in (-1, 1):
        raise NotFound("There is no such field to be moved.")
    here = places.index(field_id)
    there = min(max(here + step, 0), len(places) - 1)
    places.insert(there, places.pop(here))
    for place, key in enumerate(places, start=1):
        await unit.db.execute(update(CustomField).where(CustomField.id == key).values(place=place))
    await _tell(unit, actor, "move", field_id)


async def drop(unit: Unit, actor: Actor, field_id: int, version: int) -> None:
    """Ask for it no more; values stay until `purge`, and `bring_back` undoes it."""
    await _held(unit, actor, field_id, version)
    await _set(unit, field_id, deleted_at=unit.now)
    await _tell(unit, actor, "delete", field_id)


async def bring_back(unit: Unit, actor: Actor, field_id: int) -> None:
    """Ask for a deleted field again; every card has the value that it had."""
    require(actor, Right.FIELDS)
    held = await one(unit.db, field_id)
    living = await of(unit.db, held.what)
    if held.deleted and held.label.casefold() in {other.label.casefold() for other in living}:
        raise Invalid("Another field has this name by now; rename that one first.", {"label": "used twice"})
    await _set(unit, field_id, deleted_at=None)
    await _tell(unit, actor, "restore", field_id)


async def used(db: AsyncConnection, definition: Definition) -> int:
    """How many cards have a value in this field."""
    table = _TABLES[definition.what]
    return int(await db.scalar(select(func.count()).where(_has(table, definition.key))) or 0)


async def purge(writer: Writer, actor: Actor, field_id: int) -> int:
    """Take the values of a deleted field off every card and out of the trail, then the field; how many cards had it.

    Some cards are done at a time, each batch in a unit of its own: done half it is done on by the next try.
    """
    require(actor, Right.FIELDS)

    async def begin(unit: Unit) -> Definition:
        held = await one(unit.db, field_id)
        if not held.deleted:
            raise Invalid("Delete the field first; only then its values can be purged.")
        await _tell(unit, actor, "purge", field_id)
        return held

    held = await writer.do(begin, name="field.purge")
    cards, last = 0, 0
    while done := await writer.do(partial(_purge_some, held=held, after=last), name="field.purge"):
        cards, last = cards + len(done), done[-1]

    async def end(unit: Unit) -> None:
        spoken = (CardChange.what == held.what, CardChange.field == trail.CUSTOM + held.key)
        await unit.db.execute(delete(CardChange).where(*spoken))
        await unit.db.execute(delete(CustomField).where(CustomField.id == field_id))

    await writer.do(end, name="field.purge")
    return cards


async def _purge_some(unit: Unit, held: Definition, after: int) -> list[int]:
    """The next cards behind the id `after` that have a value; their ids."""
    table = _TABLES[held.what]
    some = select(*table.__table__.c).where(table.id > after, _has(table, held.key)).order_by(table.id).limit(BATCH)
    rows = (await unit.db.execute(some)).mappings().all()
    search = fields.client_search if held.what == "client" else fields.organisation_search
    written = await mails.of(unit.db, [row["id"] for row in rows], organisations=held.what == "organisation")
    for row in rows:
        custom = {key: value for key, value in row["custom"].items() if key != held.key}
        found = search({**row, "custom": custom, "emails": written.get(row["id"], [])})
        values = {"custom": custom, "search": found, "version": row["version"] + 1}
        await unit.db.execute(update(table).where(table.id == row["id"]).values(values))
    return [row["id"] for row in rows]


def _has(table: Any, key: str) -> Any:
    """The card has a value under this key: keys are of a narrow alphabet and stand in quotation marks."""
    return cast(table.custom, String).contains(f'"{key}":', autoescape=True)


def _checked(
    typed: Mapping[str, Any], kind: str, others: Sequence[Definition], wrong: dict[str, str]
) -> dict[str, Any]:
    rules = {"label": fields.line(60), "help": fields.line(300)}
    row: dict[str, Any] = {"required": bool(typed.get("required")), "choices": []}
    for name, rule in rules.items():
        try:
            row[name] = rule(typed.get(name) or "")
        except (TypeError, ValueError) as error:
            wrong[name] = str(error)
    label = str(row.get("label") or "")
    if not label:
        wrong.setdefault("label", "write how the field is called")
    if label.casefold() in {other.label.casefold() for other in others if not other.deleted} | TAKEN:
        wrong["label"] = "there is a field of this name"
    if kind == "choice":
        row["choices"] = _choices(typed.get("choices"), wrong)
    return row


def _choices(value: Any, wrong: dict[str, str]) -> list[str]:
    check = fields.line(100)
    try:
        kept = {word.casefold(): word for one_ in value or [] if (word := check(one_))}
    except (TypeError, ValueError) as error:
        wrong["choices"] = str(error)
        return []
    if not 0 < len(kept) <= CHOICES:
        wrong["choices"] = f"write what can be chosen, one a line, at most {CHOICES}"
    return list(kept.values())


def _key_of(label: str, others: Sequence[Definition]) -> str:
    """A key from the label where that is written in plain letters, else a number."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")[:36]
    base = plain if label.isascii() and _KEY.match(plain) and plain not in TAKEN else "field"
    used_ = {other.key for other in others}
    tries = (f"{base}_{n}" for n in range(1, len(used_) + 2))
    return base if base not in used_ and base != "field" else next(key for key in tries if key not in used_)


def _refuse(wrong: Mapping[str, str]) -> None:
    if wrong:
        raise Invalid("; ".join(f"{name}: {why}" for name, why in wrong.items()) + ".", dict(wrong))


async def _held(unit: Unit, actor: Actor, field_id: int, version: int) -> Definition:
    require(actor, Right.FIELDS)
    held = await one(unit.db, field_id)
    if held.deleted:
        raise NotFound("This field was deleted meanwhile.")
    if held.version != version:
        raise Conflict("Somebody else changed this field while you did; compare and save again.", held)
    return held


async def _set(unit: Unit, field_id: int, **values: Any) -> None:
    statement = update(CustomField).where(CustomField.id == field_id)
    await unit.db.execute(statement.values(version=CustomField.version + 1, **values))


async def _tell(unit: Unit, actor: Actor, act: str, field_id: int) -> None:
    await audit.write(unit, actor, act, "field", field_id)


def _definition(row: Mapping[Any, Any]) -> Definition:
    plain = {name: row[name] for name in ("id", "what", "key", "label", "kind", "required", "help", "place", "version")}
    return Definition(**plain, choices=tuple(row["choices"]), deleted=row["deleted_at"] is not None)
