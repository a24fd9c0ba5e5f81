"""Reading tasks: the board of callbacks, lists, one task with its attempts, what is open with a client.

Everything goes through `accounts.policy`. `queues` are those whose callbacks are the actor's too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import Actor, Right, require, shown_number, visible_tasks
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.schema import Moment
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.service import STATES
from callcrm.tasks.tables import Task, TaskAttempt

#: What has no due time stands behind everything that has one.
_NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
_DUE = func.coalesce(Task.due_at, literal(_NEVER, Moment()), type_=Moment())
_CLOSED = func.coalesce(Task.closed_at, Task.created_at, type_=Moment())


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task, one line.

    A callback's `number` is E.164 (masked for some). `attempts`: how often the caller tried, last at
    `last_attempt_at`; `called`: how often we called back in vain, last at `called_at` with `called_result`.
    `outcome`, `why`, `waited_s`, `voicemail` are those of the missed call that began it.
    """

    id: int
    kind: str
    state: str
    title: str
    note: str
    number: str | None
    client_id: int | None
    client_name: str
    said_name: str
    organisation: str
    pbx: str | None
    line: str | None
    queue: str | None
    owner_id: int | None
    owner_name: str
    owner_why: str
    call_id: str | None
    attempts: int
    last_attempt_at: datetime | None
    short_abandon: bool
    due_at: datetime | None
    snoozed_until: datetime | None
    created_at: datetime
    created_by: int | None
    closed_at: datetime | None
    closed_by: int | None
    closed_by_name: str
    closed_why: str | None
    closed_call_id: str | None
    version: int
    outcome: str | None
    why: str | None
    waited_s: float | None
    voicemail: str | None
    called: int
    called_at: datetime | None
    called_result: str


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try: the client's (missed) or ours (called)."""

    at: datetime
    call_id: str
    kind: str
    result: str
    user_id: int | None
    person: str


@dataclass(frozen=True, slots=True)
class WholeTask:
    """A task with each try at it, oldest first."""

    task: TaskLine
    attempts: tuple[AttemptLine, ...]


@dataclass(frozen=True, slots=True)
class TaskFilters:
    """What tasks are asked for; None means all. `nobodys`: without owner; `asleep`: also those put off."""

    kind: str | None = None
    state: str | None = "open"
    owner: int | None = None
    nobodys: bool = False
    queue: str | None = None
    client: int | None = None
    number: str | None = None
    due_before: datetime | None = None
    asleep: bool = True
    closed_by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How many open callbacks there are on the actor's board, and how they stand."""

    open: int = 0
    overdue: int = 0
    soon: int = 0
    mine: int = 0
    nobodys: int = 0
    closed_today: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """The callbacks of the moment: the actor's own, nobody's (of his queues), and those others hold."""

    mine: tuple[TaskLine, ...]
    nobodys: tuple[TaskLine, ...]
    others: tuple[TaskLine, ...]


_OWNER, _CLOSER = aliased(User), aliased(User)


def _name(user: Any) -> Any:
    return func.coalesce(func.nullif(user.full_name, ""), user.name, "")


_LINE = (
    select(
        *Task.__table__.columns,
        func.coalesce(Client.name, "").label("client_name"),
        func.coalesce(Client.said_name, "").label("said_name"),
        func.coalesce(Organisation.name, "").label("organisation"),
        _name(_OWNER).label("owner_name"),
        _name(_CLOSER).label("closed_by_name"),
        CallRow.outcome,
        CallRow.why,
        CallRow.wait_s.label("waited_s"),
        CallRow.voicemail,
    )
    .select_from(Task)
    .outerjoin(Client, Client.id == Task.client_id)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .outerjoin(_OWNER, _OWNER.id == Task.owner_id)
    .outerjoin(_CLOSER, _CLOSER.id == Task.closed_by)
    .outerjoin(CallRow, CallRow.id == Task.call_id)
)


async def task_list(
    db: AsyncConnection,
    actor: Actor,
    filters: TaskFilters | None = None,
    wanted: Wanted | None = None,
    *,
    queues: Collection[str] = (),
    now: datetime | None = None,
) -> Page[TaskLine]:
    """A page of tasks: open ones by their due time (so overdue first), closed ones newest first."""
    require(actor, Right.TASKS)
    filters, wanted = filters or TaskFilters(), wanted or Wanted()
    closed = filters.state not in (None, "open")
    place = tuple_(_CLOSED, Task.id) if closed else tuple_(_DUE, Task.id)
    statement = visible_tasks(actor, _LINE, queues=queues).where(*_conditions(filters, now))
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, int)
        last = tuple_(literal(at, Moment()), literal(key))
        statement = statement.where(place < last if closed else place > last)
    order = (_CLOSED.desc(), Task.id.desc()) if closed else (_DUE, Task.id)
    rows = (await db.execute(statement.order_by(*order).limit(wanted.rows))).mappings().all()
    lines = {line.id: line for line in await _lines(db, actor, rows)}

    def where(row: RowMapping) -> Sequence[Any]:
        return (row["closed_at"] or row["created_at"] if closed else row["due_at"] or _NEVER, row["id"])

    return page(rows, wanted, where, lambda row: lines[row["id"]])


async def board(
    db: AsyncConnection, actor: Actor, *, queues: Collection[str] = (), limit: int = 200, now: datetime | None = None
) -> Board:
    """The open callbacks by who holds them, the most urgent first; those put off are left out until then."""
    filters = TaskFilters(kind=CALLBACK, asleep=now is None)
    lines = (await task_list(db, actor, filters, Wanted(limit), queues=queues, now=now)).items
    mine = tuple(line for line in lines if line.owner_id == actor.user_id)
    others = tuple(line for line in lines if line.owner_id not in (None, actor.user_id))
    return Board(mine, tuple(line for line in lines if line.owner_id is None), others)


async def counts(
    db: AsyncConnection, actor: Actor, now: datetime, *, queues: Collection[str] = (), day: datetime | None = None
) -> Counts:
    """Figures of the actor's board at `now`; `day` is when today began for him."""
    opened = Task.state == "open"
    soon = now + timedelta(minutes=15)
    statement = select(
        _count(opened),
        _count(and_(opened, Task.due_at < now)),
        _count(and_(opened, Task.due_at >= now, Task.due_at < soon)),
        _count(and_(opened, Task.owner_id == actor.user_id)),
        _count(and_(opened, Task.owner_id.is_(None))),
        _count(and_(Task.state == "done", Task.closed_at >= (day or now - timedelta(hours=24)))),
    ).where(Task.kind == CALLBACK, or_(opened, Task.closed_at >= (day or now - timedelta(hours=24))))
    row = (await db.execute(visible_tasks(actor, statement, queues=queues))).one()
    return Counts(*(int(value or 0) for value in row))


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


async def whole_task(db: AsyncConnection, actor: Actor, task_id: int, *, queues: Collection[str] = ()) -> WholeTask:
    """One task with each try. Raises NotFound when there is none that the actor may see."""
    require(actor, Right.TASKS)
    statement = visible_tasks(actor, _LINE, queues=queues).where(Task.id == task_id)
    rows = (await db.execute(statement)).mappings().all()
    if not rows:
        raise NotFound("There is no such task, or it is not yours to see.")
    tries = (
        select(
            func.coalesce(CallRow.at, TaskAttempt.at, type_=Moment()).label("at"),
            TaskAttempt.call_id,
            TaskAttempt.kind,
            TaskAttempt.result,
            TaskAttempt.user_id,
            _name(User).label("person"),
        )
        .outerjoin(User, User.id == TaskAttempt.user_id)
        .outerjoin(CallRow, and_(CallRow.began == TaskAttempt.at, CallRow.id == TaskAttempt.call_id))
        .where(TaskAttempt.task_id == task_id)
        .order_by(TaskAttempt.at, TaskAttempt.call_id)
    )
    attempts = tuple(AttemptLine(*row) for row in await db.execute(tries))
    return WholeTask((await _lines(db, actor, rows))[0], attempts)


async def open_tasks(
    db: AsyncConnection,
    actor: Actor,
    *,
    client_id: int | None = None,
    number: str | None = None,
    queues: Collection[str] = (),
) -> list[TaskLine]:
    """What is open with a client, or with a number, the most urgent first."""
    whose = [Task.client_id == client_id] if client_id is not None else []
    whose += [Task.number == number] if number else []
    if not whose:
        return []
    statement = visible_tasks(actor, _LINE, queues=queues).where(or_(*whose), Task.state == "open")
    rows = (await db.execute(statement.order_by(_DUE, Task.id).limit(50))).mappings().all()
    return await _lines(db, actor, rows)


def _conditions(filters: TaskFilters, now: datetime | None) -> list[ColumnElement[bool]]:
    if filters.state is not None and filters.state not in STATES:
        raise Invalid("A task is open, done or dropped.", {"state": "open, done or dropped"})
    plain = {
        "kind": filters.kind,
        "state": filters.state,
        "owner_id": filters.owner,
        "queue": filters.queue,
        "client_id": filters.client,
        "number": filters.number,
    }
    columns = Task.__table__.columns
    found: list[ColumnElement[bool]] = [columns[name] == value for name, value in plain.items() if value is not None]
    if filters.nobodys:
        found.append(Task.owner_id.is_(None))
    if filters.due_before is not None:
        found.append(Task.due_at < filters.due_before)
    if not filters.asleep and now is not None:
        found.append(or_(Task.snoozed_until.is_(None), Task.snoozed_until <= now))
    if filters.closed_by_itself:
        found.append(Task.closed_why.in_(("called_back", "got_through")))
    return found


async def _lines(db: AsyncConnection, actor: Actor, rows: Sequence[RowMapping]) -> list[TaskLine]:
    tries = await _our_tries(db, [row["id"] for row in rows])
    lines = []
    for row in rows:
        given = {name: value for name, value in row.items() if name != "called"}
        ours = tries.get(row["id"], [])
        last = ours[-1] if ours else None
        given |= {"line": row["called"], "number": shown_number(actor, row["number"])}
        given |= {"called": len(ours), "called_at": last and last[0], "called_result": last[1] if last else ""}
        lines.append(TaskLine(**given))
    return lines


async def _our_tries(db: AsyncConnection, ids: Sequence[int]) -> dict[int, list[tuple[datetime, str]]]:
    if not ids:
        return {}
    statement = (
        select(TaskAttempt.task_id, TaskAttempt.at, TaskAttempt.result)
        .where(TaskAttempt.task_id.in_(ids), TaskAttempt.kind == "called")
        .order_by(TaskAttempt.at)
    )
    found: dict[int, list[tuple[datetime, str]]] = {}
    for row in await db.execute(statement):
        found.setdefault(row.task_id, []).append((row.at, row.result))
    return found
