"""How a wish to the PBX stands, for who made it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.tables import Command


@dataclass(frozen=True, slots=True)
class Wish:
    """One command: `state` is wanted, sent, done, refused or expired; `message` is for a person."""

    id: str
    pbx: str
    kind: str
    number: str
    extension: str
    state: str
    message: str
    wanted_at: datetime
    expires_at: datetime


async def wish(db: AsyncConnection, user_id: int, command: str) -> Wish | None:
    """A command that this person asked for; None for somebody else's."""
    columns = (
        Command.id,
        Command.pbx,
        Command.kind,
        Command.args,
        Command.state,
        Command.result,
        Command.wanted_at,
        Command.expires_at,
    )
    mine = (Command.id == command, Command.wanted_by == user_id)
    row = (await db.execute(select(*columns).where(*mine))).first()
    if row is None:
        return None
    args, result = row.args or {}, row.result or {}
    return Wish(
        row.id,
        row.pbx,
        row.kind,
        str(args.get("number", "")),
        str(args.get("extension", "")),
        row.state,
        str(result.get("message", "")),
        row.wanted_at,
        row.expires_at,
    )
