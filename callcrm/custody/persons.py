"""Person files and erasures as people see them: asked for, how far they have got, fetched."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import User
from callcrm.custody.law_tables import Erasure, PersonFile
from callcrm.custody.personfile import ask
from callcrm.kernel import audit
from callcrm.kernel.writer import Unit

__all__ = ["Asked", "Erased", "ask", "erasures_of", "files_of", "note_fetching"]
_WORKS = ("wanted", "working")
_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A person file: how it stands, and its progress."""

    id: str
    at: datetime
    person: str
    reason: str
    state: str
    done: int
    total: int
    words: str
    file: str
    size: int | None
    sha256: str
    expires_at: datetime | None

    @property
    def works(self) -> bool:
        """It is not done yet."""
        return self.state in _WORKS


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure, and its certificate once it is done."""

    id: str
    at: datetime
    person: str
    reason: str
    state: str
    done: int
    total: int
    words: str
    certificate: dict[str, Any] | None
    sha256: str
    done_at: datetime | None

    @property
    def works(self) -> bool:
        """It is not done yet."""
        return self.state in _WORKS


async def files_of(db: AsyncConnection, client_id: int, limit: int = 20) -> list[Asked]:
    """A client's person files, the newest first."""
    of = PersonFile
    columns = (of.id, of.at, _PERSON, of.reason, of.state, of.done, of.total, of.words)
    query = select(*columns, of.file, of.size, of.sha256, of.expires_at).outerjoin(User, User.id == of.wanted_by)
    query = query.where(of.client_id == client_id).order_by(of.at.desc()).limit(limit)
    return [Asked(*row) for row in await db.execute(query)]


async def erasures_of(db: AsyncConnection, client_id: int, limit: int = 20) -> list[Erased]:
    """A client's erasures, the newest first."""
    of = Erasure
    columns = (of.id, of.at, _PERSON, of.reason, of.state, of.done, of.total, of.words)
    query = select(*columns, of.certificate, of.sha256, of.done_at).outerjoin(User, User.id == of.wanted_by)
    query = query.where(of.client_id == client_id).order_by(of.at.desc()).limit(limit)
    return [Erased(*row) for row in await db.execute(query)]


async def note_fetching(unit: Unit, actor: Actor, client_id: int, key: str) -> None:
    """Somebody takes the file."""
    await audit.write(unit, actor, "download", "client", client_id, {"file": "person file", "id": key})
