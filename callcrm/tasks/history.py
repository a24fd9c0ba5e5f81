"""Tasks and callbacks as things that happened with a client or an organisation: opened then, closed then."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.clients.tables import Client
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.tables import Task


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """A task was opened or closed (`closed`) at this moment."""

    at: datetime
    id: int
    closed: bool
    kind: str
    state: str
    title: str
    note: str
    owner_name: str
    closed_by_name: str
    closed_why: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose tasks: of one `client`, or of the people of one `organisation`; `callbacks`: only these, or none."""

    client: int | None = None
    organisation: int | None = None
    callbacks: bool | None = None


_OWNER, _CLOSER = aliased(User), aliased(User)


async def events(
    db: AsyncConnection,
    actor: Actor,
    asked: Asked,
    wanted: Wanted | None = None,
    *,
    closed: bool,
    queues: Collection[str] = (),
) -> Page[TaskEvent]:
    """A page of openings or of closings, the newest first."""
    require(actor, Right.TASKS)
    wanted = wanted or Wanted()
    at = Task.closed_at if closed else Task.created_at
    place = tuple_(at, Task.id)
    statement: Select[*tuple[Any, ...]] = (
        select(
            at.label("at"),
            Task.id,
            literal(closed).label("closed"),
            Task.kind,
            Task.state,
            Task.title,
            Task.note,
            func.coalesce(func.nullif(_OWNER.full_name, ""), _OWNER.name, "").label("owner_name"),
            func.coalesce(func.nullif(_CLOSER.full_name, ""), _CLOSER.name, "").label("closed_by_name"),
            Task.closed_why,
        )
        .outerjoin(_OWNER, _OWNER.id == Task.owner_id)
        .outerjoin(_CLOSER, _CLOSER.id == Task.closed_by)
        .where(at.is_not(None))
    )
    if asked.client is not None:
        statement = statement.where(Task.client_id == asked.client)
    else:
        people = select(Client.id).where(Client.organisation_id == asked.organisation)
        statement = statement.where(Task.client_id.in_(people))
    if asked.callbacks is not None:
        statement = statement.where((Task.kind == CALLBACK) if asked.callbacks else (Task.kind != CALLBACK))
    if wanted.cursor:
        last, key = decode(wanted.cursor, datetime, int)
        statement = statement.where(place < tuple_(literal(last, Moment()), literal(key)))
    statement = visible_tasks(actor, statement, queues=queues).order_by(at.desc(), Task.id.desc())
    rows = (await db.execute(statement.limit(wanted.rows))).all()
    return page(rows, wanted, lambda row: (row.at, row.id), lambda row: TaskEvent(**{**row._mapping, "closed": closed}))
