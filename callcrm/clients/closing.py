"""Cards are closed, and opened again: nothing that they hold is lost by it.

A closed organisation lets its people go, so that nobody's card names a firm that is no more; the trail of each says
that he was here, and by it he comes back when the organisation is restored, unless somebody moved him meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.clients import editing, trail
from callcrm.clients.handing import MOST_PEOPLE
from callcrm.clients.kinds import COMPANY, PERSON, Kind
from callcrm.clients.tables import CardChange, CardNote, Client, ClientMail, ClientNumber, NumberChoice
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.writer import Unit

_CHUNK = 400


async def delete_client(unit: Unit, actor: Actor, client_id: int, version: int) -> None:
    """Close a person's card: his calls stay in the log, his numbers know nobody. `restore_client` undoes it."""
    await _close(unit, actor, client_id, version, PERSON)
    await unit.db.execute(delete(NumberChoice).where(NumberChoice.client_id == client_id))


async def restore_client(unit: Unit, actor: Actor, client_id: int) -> None:
    """Open a closed card again; one that was merged comes back by undoing the merge."""
    await _open(unit, actor, client_id, PERSON)


async def delete_organisation(unit: Unit, actor: Actor, organisation_id: int, version: int) -> int:
    """Close an organisation's card; gives how many people were let go. `restore_organisation` undoes it.

    Its people keep their cards and calls; its own numbers know nobody. Invalid for more people than
    `handing` moves at once.
    """
    await _close(unit, actor, organisation_id, version, COMPANY)
    here = select(Client.id).where(Client.organisation_id == organisation_id).limit(MOST_PEOPLE + 1)
    people = list(await unit.db.scalars(here))
    if len(people) > MOST_PEOPLE:
        raise Invalid(
            f"More than {MOST_PEOPLE} people are here, too many to let go at once; merge it into another organisation "
            "or move people first."
        )
    await move_people(unit, actor, people, organisation_id, None)
    return len(people)


async def restore_organisation(unit: Unit, actor: Actor, organisation_id: int) -> int:
    """Open a closed organisation again with the people who were let go then; gives how many came back."""
    closed_at = await _open(unit, actor, organisation_id, COMPANY)
    left = select(CardChange.which, CardChange.old).where(
        CardChange.at == closed_at, CardChange.what == PERSON.word, CardChange.field == COMPANY.column
    )
    people = [row.which for row in await unit.db.execute(left) if row.old == organisation_id]
    return await move_people(unit, actor, people, None, organisation_id)


async def move_people(unit: Unit, actor: Actor, people: list[int], was: int | None, now: int | None) -> int:
    """Let people who are still at `was` belong to `now`, each with it on his trail; gives how many."""
    moved = 0
    for start in range(0, len(people), _CHUNK):
        some = and_(Client.id.in_(people[start : start + _CHUNK]), _at(was))
        ids = list(await unit.db.scalars(select(Client.id).where(some)))
        there = {"organisation_id": now, "version": Client.version + 1}
        await unit.db.execute(update(Client).where(Client.id.in_(ids)).values(there))
        moved += await note_moved(unit, actor, ids, was, now)
    return moved


async def note_moved(unit: Unit, actor: Actor, people: list[int], was: int | None, now: int | None) -> int:
    """The trails of those of these people who are at `now` say that they came from `was`; gives how many."""
    noted = 0
    for start in range(0, len(people), _CHUNK):
        here = and_(Client.id.in_(people[start : start + _CHUNK]), _at(now))
        for one in await unit.db.scalars(select(Client.id).where(here)):
            await trail.write(unit, actor, PERSON.word, one, {COMPANY.column: (was, now)})
            noted += 1
    return noted


async def hanging(db: AsyncConnection, actor: Actor, organisation_id: int) -> Mapping[str, int]:
    """What an organisation has, by what it is: clients, client_numbers, client_mails, card_notes."""
    require(actor, Right.CLIENTS)
    found = {}
    for table in (Client, ClientNumber, ClientMail, CardNote):
        mine = select(func.count()).select_from(table).where(table.organisation_id == organisation_id)
        found[table.__tablename__] = int(await db.scalar(mine) or 0)
    return found


async def _close(unit: Unit, actor: Actor, key: int, version: int, kind: Kind) -> None:
    require(actor, Right.DELETE_CLIENTS)
    await editing.load(unit, key, version, kind)
    table = kind.table
    gone = update(table).where(table.id == key).values(deleted_at=unit.now, version=table.version + 1)
    await unit.db.execute(gone)
    await trail.write(unit, actor, kind.word, key, {"card": (None, "deleted")})
    await _tell(unit, actor, "delete", key, kind)


async def _open(unit: Unit, actor: Actor, key: int, kind: Kind) -> datetime:
    """The card is open again; gives when it was closed."""
    require(actor, Right.DELETE_CLIENTS)
    table = kind.table
    closed = and_(table.id == key, table.deleted_at.is_not(None), table.merged_into.is_(None))
    closed_at = await unit.db.scalar(select(table.deleted_at).where(closed).with_for_update())
    if closed_at is None:
        raise NotFound(f"There is no deleted {kind.word} like this.")
    await unit.db.execute(update(table).where(closed).values(deleted_at=None, version=table.version + 1))
    await trail.write(unit, actor, kind.word, key, {"card": ("deleted", None)})
    await _tell(unit, actor, "restore", key, kind)
    return closed_at


async def _tell(unit: Unit, actor: Actor, act: str, key: int, kind: Kind) -> None:
    editing.tell(unit, kind, key)
    await audit.write(unit, actor, act, kind.word, key)


def _at(organisation_id: int | None) -> ColumnElement[bool]:
    return Client.organisation_id.is_(None) if organisation_id is None else Client.organisation_id == organisation_id
