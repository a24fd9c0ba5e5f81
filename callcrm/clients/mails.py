"""The mail addresses of cards: several each, in the order that people gave them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.clients.tables import ClientMail
from callcrm.kernel.writer import Unit


async def of(db: AsyncConnection, ids: Sequence[int], *, organisations: bool = False) -> dict[int, list[str]]:
    """The addresses of each of these persons (or organisations)."""
    owner = _owner(organisations)
    if not ids:
        return {}
    statement = select(owner, ClientMail.address).where(owner.in_(ids)).order_by(ClientMail.place, ClientMail.id)
    found: dict[int, list[str]] = {}
    for key, address in await db.execute(statement):
        found.setdefault(key, []).append(address)
    return found


async def put(unit: Unit, key: int, addresses: Sequence[str], *, organisations: bool = False) -> None:
    """Make these the addresses of the card; rows of those that stay, stay."""
    owner = _owner(organisations)
    rows = (
        await unit.db.execute(select(ClientMail.id, ClientMail.address, ClientMail.place).where(owner == key))
    ).all()
    held = {row.address: row for row in rows}
    gone = [row.id for row in rows if row.address not in addresses]
    if gone:
        await unit.db.execute(delete(ClientMail).where(ClientMail.id.in_(gone)))
    fresh = []
    for place, address in enumerate(addresses):
        if address not in held:
            fresh.append({owner.key: key, "place": place, "address": address, "folded": address.casefold()})
        elif held[address].place != place:
            await unit.db.execute(update(ClientMail).where(ClientMail.id == held[address].id).values(place=place))
    if fresh:
        await unit.db.execute(insert(ClientMail), fresh)


def _owner(organisations: bool) -> Any:
    return ClientMail.organisation_id if organisations else ClientMail.client_id
