"""Reading tasks: the board of callbacks, lists, one task with its attempts, what is open with a client.

Everything goes through `accounts.policy`. `queues` are those whose callbacks are the actor's too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from callcrm.accounts.policy import ASKER, Actor, Right, anybody, require, shown_number, visible_tasks
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.schema import Key, Moment
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.service import STATES
from callcrm.tasks.tables import Task, TaskAttempt, TaskItem

#: What has no due time stands behind everything that has one.
_NEVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
_DUE = func.coalesce(Task.due_at, literal(_NEVER, Moment()), type_=Moment())
#: As it stands: an index knows it, so that the newest of very many are not sorted out of all.
_CLOSED = Task.closed_at
_IDS = bindparam("ids", expanding=True, type_=Key)


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task, one line.

    A callback's `number` is E.164 (masked for some). `attempts`: how often the caller tried, last at
    `last_attempt_at`; `called`: how often we called back in vain, last at `called_at` with `called_result`.
    `outcome`, `why`, `waited_s`, `voicemail` are those of the missed call that began it.
    `items` and `ticked` count the checklist; the rest is as the table has it.
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
    promised_from: datetime | None = None
    next_try_at: datetime | None = None
    escalated_at: datetime | None = None
    snooze_reason: str | None = None
    closed_reason: str | None = None
    team: str | None = None
    remind_min: int | None = None
    remind_at: datetime | None = None
    reminded_at: datetime | None = None
    repeat: str | None = None
    repeat_when: str | None = None
    repeat_zone: str | None = None
    repeat_from: datetime | None = None
    repeat_except: list[Any] | None = None
    occurs_at: datetime | None = None
    follows_id: int | None = None
    items: int = 0
    ticked: int = 0


#: What a row has beyond this is the service's own business; `called` means another thing there.
_SHOWN = frozenset(one.name for one in fields(TaskLine)) - {"called"}


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
    narrowed: Sequence[ColumnElement[bool]] = (),
    by_end: bool | None = None,
    few: bool = False,
) -> Page[TaskLine]:
    """A page of tasks: open ones by their due time (so overdue first), closed ones newest first.

    `narrowed`: further conditions (`few`: they name few tasks, by an index of their own); `by_end`: which of the two
    orders, where the state does not tell.
    """
    require(actor, Right.TASKS)
    filters, wanted = filters or TaskFilters(), wanted or Wanted()
    closed = filters.state not in (None, "open") if by_end is None else by_end
    place = tuple_(_CLOSED, Task.id) if closed else tuple_(_DUE, Task.id)
    found = visible_tasks(actor, select(Task.id), queues=queues, few=few).where(*_conditions(filters, now), *narrowed)
    if closed:
        found = found.where(_CLOSED.is_not(None))
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, int)
        last = tuple_(literal(at, Moment()), literal(key))
        found = found.where(place < last if closed else place > last)
    order = (_CLOSED.desc(), Task.id.desc()) if closed else (_DUE, Task.id)
    # First which they are, then what stands on them: the database would join clients and calls to all, and sort then.
    ids = (await db.execute(found.order_by(*order).limit(wanted.rows))).scalars().all()
    every = _those(anybody(actor.role, actor.team), tuple(sorted(queues)))
    shown = await every.all(db, {"ids": ids, ASKER: actor.user_id}) if ids else []
    rows = sorted((row._asdict() for row in shown), key=lambda row: ids.index(row["id"]))
    lines = {line.id: line for line in await _lines(db, actor, rows)}

    def where(row: Mapping[str, Any]) -> Sequence[Any]:
        return (row["closed_at"] if closed else row["due_at"] or _NEVER, row["id"])

    return page(rows, wanted, where, lambda row: lines[row["id"]])


@lru_cache(maxsize=256)
def _those(asker: Actor, queues: tuple[str, ...]) -> Prepared:
    """The lines of these few ids."""
    return Prepared(visible_tasks(asker, _LINE, queues=queues, few=True).where(Task.id.in_(_IDS)))


async def board(
    db: AsyncConnection, actor: Actor, *, queues: Collection[str] = (), limit: int = 200, now: datetime | None = None
) -> Board:
    """The open callbacks by who holds them, the most urgent first; those put off are left out until then."""
    filters = TaskFilters(kind=CALLBACK, asleep=now is None)
    lines = (await task_list(db, actor, filters, Wanted(limit), queues=queues, now=now)).items
    mine = tuple(line for line in lines if line.owner_id == actor.user_id)
    others = tuple(line for line in lines if line.owner_id not in (None, actor.user_id))
    return Board(mine, tuple(line for line in lines if line.owner_id is None), others)


async def count_waiting(db: Db, actor: Actor, *, queues: Collection[str] = ()) -> int:
    """How many open callbacks wait for the actor: his own, and nobody's of his queues."""
    counted = _waiting(anybody(actor.role, actor.team), tuple(sorted(queues)))
    return int(await counted.scalar(db, {ASKER: actor.user_id}))


@lru_cache(maxsize=256)
def _waiting(asker: Actor, queues: tuple[str, ...]) -> Prepared:
    waits = or_(Task.owner_id == asker.user_id, Task.owner_id.is_(None))
    statement = select(func.count()).where(Task.kind == CALLBACK, Task.state == "open", waits)
    return Prepared(visible_tasks(asker, statement, queues=queues))


async def count_own(db: Db, actor: Actor, most: int) -> int:
    """How many open tasks (no callbacks) the actor holds, counted up to `most`."""
    return int(await _own(anybody(actor.role, actor.team), most).scalar(db, {ASKER: actor.user_id}))


@lru_cache(maxsize=64)
def _own(asker: Actor, most: int) -> Prepared:
    held = select(Task.id).where(Task.owner_id == asker.user_id, Task.state == "open", Task.kind != CALLBACK)
    some = visible_tasks(asker, held).limit(most).subquery()
    return Prepared(select(func.count()).select_from(some))


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


_OUR_TRIES = Prepared(
    select(TaskAttempt.task_id, TaskAttempt.at, TaskAttempt.result)
    .where(TaskAttempt.task_id.in_(_IDS), TaskAttempt.kind == "called")
    .order_by(TaskAttempt.at)
)
_TICKS = Prepared(
    select(TaskItem.task_id, func.count(), func.count(TaskItem.done_at))
    .where(TaskItem.task_id.in_(_IDS))
    .group_by(TaskItem.task_id)
)


async def _lines(db: AsyncConnection, actor: Actor, rows: Sequence[RowMapping | Mapping[str, Any]]) -> list[TaskLine]:
    ids = [row["id"] for row in rows]
    tries, ticks = await _our_tries(db, ids), await _ticks(db, ids)
    lines = []
    for row in rows:
        given = {name: value for name, value in row.items() if name in _SHOWN}
        ours = tries.get(row["id"], [])
        last = ours[-1] if ours else None
        given |= {"line": row["called"], "number": shown_number(actor, row["number"])}
        given["items"], given["ticked"] = ticks.get(row["id"], (0, 0))
        given |= {"called": len(ours), "called_at": last and last[0], "called_result": last[1] if last else ""}
        lines.append(TaskLine(**given))
    return lines


async def _our_tries(db: AsyncConnection, ids: Sequence[int]) -> dict[int, list[tuple[datetime, str]]]:
    if not ids:
        return {}
    found: dict[int, list[tuple[datetime, str]]] = {}
    for row in await _OUR_TRIES.all(db, {"ids": ids}):
        found.setdefault(row.task_id, []).append((row.at, row.result))
    return found


async def _ticks(db: AsyncConnection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many lines each checklist has, and how many of them are ticked."""
    if not ids:
        return {}
    return {row[0]: (row[1], row[2]) for row in await _TICKS.all(db, {"ids": ids})}
