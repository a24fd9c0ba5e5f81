"""The trail of a card: each field that was changed, by whom and when, what it was and what it became.

The contents stand here and not in the audit, because they can be erased.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, shown_number
from callcrm.accounts.tables import User
from callcrm.clients.tables import CardChange
from callcrm.kernel.errors import NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment
from callcrm.kernel.writer import Unit

#: What a change of a custom field is called: this and the field's key.
CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One field, changed once; `person` is empty for the service itself."""

    at: datetime
    id: str
    what: str
    which: int
    field: str
    old: Any
    new: Any
    user_id: int | None
    person: str


async def write(unit: Unit, actor: Actor | None, what: str, which: int, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """Note what changed: each field with its value before and after."""
    rows = [
        {
            "at": unit.now,
            "id": secrets.token_hex(16),
            "what": what,
            "which": which,
            "user_id": actor.user_id if actor else None,
            "field": field,
            "old": old,
            "new": new,
        }
        for field, (old, new) in changes.items()
    ]
    if rows:
        await unit.db.execute(insert(CardChange), rows)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What `after` says differently from `before`, custom fields one by one."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, value in after.items():
        if name == "custom":
            held = before["custom"] or {}
            for key in {**held, **value}:
                if held.get(key) != value.get(key):
                    found[CUSTOM + key] = (held.get(key), value.get(key))
        elif before[name] != value:
            found[name] = (before[name], value)
    return found


_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
_LINE = select(
    CardChange.at,
    CardChange.id,
    CardChange.what,
    CardChange.which,
    CardChange.field,
    CardChange.old,
    CardChange.new,
    CardChange.user_id,
    _PERSON,
).outerjoin(User, User.id == CardChange.user_id)


async def changes(
    db: AsyncConnection, actor: Actor, what: str, which: int, wanted: Wanted | None = None, *, field: str = ""
) -> Page[ChangeLine]:
    """A page of what was changed of a card, the newest first; of one `field` when it is named."""
    require(actor, Right.CLIENTS)
    wanted = wanted or Wanted()
    statement = _LINE.where(CardChange.what == what, CardChange.which == which)
    if field:
        statement = statement.where(CardChange.field == field)
    if wanted.cursor:
        statement = statement.where(before(*decode(wanted.cursor, datetime, str)))
    statement = statement.order_by(CardChange.at.desc(), CardChange.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).all()
    return page(rows, wanted, lambda row: (row.at, row.id), lambda row: _masked(actor, ChangeLine(*row)))


async def change(db: AsyncConnection, actor: Actor, what: str, which: int, change_id: str) -> ChangeLine:
    """One change. Raises NotFound."""
    require(actor, Right.CLIENTS)
    known = and_(CardChange.what == what, CardChange.which == which, CardChange.id == change_id)
    row = (await db.execute(_LINE.where(known))).first()
    if row is None:
        raise NotFound("There is no such change of this card.")
    return ChangeLine(*row)


async def count(db: AsyncConnection, actor: Actor, what: str, which: int) -> dict[str, int]:
    """How often each field of a card was changed."""
    require(actor, Right.CLIENTS)
    statement = select(CardChange.field, func.count()).where(CardChange.what == what, CardChange.which == which)
    return {row[0]: int(row[1]) for row in await db.execute(statement.group_by(CardChange.field))}


def before(at: datetime, key: str) -> ColumnElement[bool]:
    """What lies behind this place when the newest stands first."""
    return tuple_(CardChange.at, CardChange.id) < tuple_(literal(at, Moment()), literal(key))


def _masked(actor: Actor, line: ChangeLine) -> ChangeLine:
    if line.field != "number" or not actor.masked:
        return line
    return replace(line, old=_shown(actor, line.old), new=_shown(actor, line.new))


def _shown(actor: Actor, value: Any) -> Any:
    return shown_number(actor, value) if isinstance(value, str) else value
