"""Reading the board of callbacks: by tab and filter, its figures, and what became of the promises of a day.

A figure and the rows behind it are the same condition, so that each can be defended by its rows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import ASKER, Actor, Right, anybody, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.kernel.paging import Page, Wanted
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Key
from callcrm.kernel.tables import Audit
from callcrm.tasks import queries, tabs
from callcrm.tasks.callbacks import CALLBACK, HOLDS
from callcrm.tasks.queries import TaskFilters, TaskLine
from callcrm.tasks.tables import Task
from callcrm.tasks.tabs import FATES, IS_CALLBACK, OPEN, Asked

#: A call that is older than this and has no end is not on the line any more: the log has lost it.
LONGEST_CALL = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows each tab has."""

    open: int = 0
    mine: int = 0
    queue: int = 0
    free: int = 0
    overdue: int = 0
    soon: int = 0
    escalated: int = 0
    asleep: int = 0
    short: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Promises:
    """What became of the promises that ran out, or run out, on one day. `promised` is the sum of the others."""

    promised: int = 0
    kept: int = 0
    broken: int = 0
    running: int = 0
    by_hand: int = 0
    dropped: int = 0

    @property
    def share(self) -> float | None:
        """Kept of those of which a call has told, 0 to 1."""
        told = self.kept + self.broken
        return self.kept / told if told else None


@dataclass(frozen=True, slots=True)
class Settled:
    """The call that closed a callback."""

    at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    direction: str
    called: str | None
    operator: str
    wait_s: float | None
    talk_s: float | None


@dataclass(frozen=True, slots=True)
class OnLine:
    """A caller of the board who is on the line now: state of his call, and who rings, talks or calls him."""

    call: str
    direction: str
    state: str
    operator_id: int | None
    operator: str
    called: str | None
    queue: str | None


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of a callback's history."""

    at: datetime
    act: str
    person: str
    detail: dict[str, Any]


async def rows(
    db: AsyncConnection, actor: Actor, asked: Asked, wanted: Wanted, *, queues: Collection[str] = ()
) -> Page[TaskLine]:
    """A page of the board."""
    closed = asked.tab == "closed"
    filters = TaskFilters(kind=CALLBACK, state=None)
    conditions = [*tabs.tab(asked, actor, queues), *tabs.filters(asked)]
    return await queries.task_list(db, actor, filters, wanted, queues=queues, narrowed=conditions, by_end=closed)


async def lately(
    db: AsyncConnection, actor: Actor, since: datetime, *, queues: Collection[str] = (), limit: int = 20
) -> list[TaskLine]:
    """Those that closed by themselves since then, newest first."""
    filters = TaskFilters(kind=CALLBACK, state="done", closed_by_itself=True)
    page = await queries.task_list(
        db, actor, filters, Wanted(limit), queues=queues, narrowed=[IS_CALLBACK, Task.closed_at >= since]
    )
    return list(page.items)


async def counts(db: AsyncConnection, actor: Actor, asked: Asked, *, queues: Collection[str] = ()) -> Counts:
    """The numbers on the tabs, under the filters that are set."""
    require(actor, Right.TASKS)
    opened, closed = _counting(anybody(actor.role, actor.team), tuple(sorted(queues)), tabs.any_such(asked))
    values = {ASKER: actor.user_id, **tabs.values(asked)}
    (each,), done = await opened.all(db, values), await closed.scalar(db, values)
    return Counts(*(int(n or 0) for n in (*each, done)))


@lru_cache(maxsize=256)
def _counting(asker: Actor, queues: tuple[str, ...], asked: Asked) -> tuple[Prepared, Prepared]:
    """What counts the open ones of each tab, and what counts the closed ones: the fields of `Counts` in their order."""
    names = [one.name for one in fields(Counts) if one.name != "closed"]
    each = [replace(asked, tab="" if name == "open" else name) for name in names]
    kinds = [_sum(and_(*tabs.tab(one, asker, queues))) for one in each]
    opened = select(*kinds).where(IS_CALLBACK, OPEN, *tabs.filters(asked))
    ended = [*tabs.tab(replace(asked, tab="closed"), asker, queues), *tabs.filters(asked)]
    closed = select(func.count()).where(*ended)
    every, done = (visible_tasks(asker, one, queues=queues) for one in (opened, closed))
    return Prepared(every), Prepared(done)


async def promises(db: AsyncConnection, actor: Actor, asked: Asked, *, queues: Collection[str] = ()) -> Promises:
    """What became of the promises that run out on the day of `asked`."""
    require(actor, Right.TASKS)
    each = _promised(anybody(actor.role, actor.team), tuple(sorted(queues)), tabs.any_such(asked))
    (numbers,) = await each.all(db, {ASKER: actor.user_id, **tabs.values(asked)})
    return Promises(*(int(n or 0) for n in numbers))


@lru_cache(maxsize=256)
def _promised(asker: Actor, queues: tuple[str, ...], asked: Asked) -> Prepared:
    fates = [name for name in FATES if name != "promised"]
    statement = select(func.count(), *(_sum(tabs.fate(name, asked.now)) for name in fates))
    statement = statement.where(*tabs.of_day(asked), *tabs.filters(asked))
    return Prepared(visible_tasks(asker, statement, queues=queues))


_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, CallRow.operator, "").label("person")
_SETTLED = Prepared(
    select(CallRow.id, CallRow.at, CallRow.answered_at, CallRow.ended_at, CallRow.direction, CallRow.called)
    .add_columns(_PERSON, CallRow.wait_s, CallRow.talk_s)
    .outerjoin(User, User.id == CallRow.operator_id)
    .where(CallRow.id.in_(bindparam("ids", expanding=True, type_=CallRow.id.type)))
)
_ON_THE_LINE = Prepared(
    select(Task.id, CallRow.id, CallRow.direction, CallRow.state, CallRow.operator_id)
    .add_columns(_PERSON, CallRow.called, CallRow.queue)
    .select_from(Task)
    .join(CallRow, CallRow.client_number == Task.number)
    .outerjoin(User, User.id == CallRow.operator_id)
    .where(Task.id.in_(bindparam("ids", expanding=True, type_=Key)))
    .where(CallRow.ended_at.is_(None), CallRow.at > bindparam("since"))
    .order_by(CallRow.at)
)


async def settled(db: AsyncConnection, lines: Iterable[TaskLine]) -> dict[str, Settled]:
    """The calls that closed these callbacks, by their ids."""
    ids = [line.closed_call_id for line in lines if line.closed_call_id]
    if not ids:
        return {}
    return {key: Settled(*more) for key, *more in await _SETTLED.all(db, {"ids": ids})}


async def on_the_line(db: AsyncConnection, lines: Sequence[TaskLine], now: datetime) -> dict[int, OnLine]:
    """Which of these callers are on the line at this moment, by the callback's id."""
    if not lines:
        return {}
    asked = {"ids": [line.id for line in lines], "since": now - LONGEST_CALL}
    return {key: OnLine(*more) for key, *more in await _ON_THE_LINE.all(db, asked)}


async def my_callers(db: AsyncConnection, actor: Actor, now: datetime) -> list[tuple[TaskLine, OnLine]]:
    """Callers whom this person is to call back and who are on the line now, at whomever's phone."""
    require(actor, Right.TASKS)
    calling = exists(
        select(CallRow.id)
        .where(
            CallRow.client_number == Task.number,
            CallRow.direction == "inbound",
            CallRow.ended_at.is_(None),
            CallRow.at > now - LONGEST_CALL,
        )
        .correlate(Task)
    )
    filters = TaskFilters(kind=CALLBACK, owner=actor.user_id)
    lines = (await queries.task_list(db, actor, filters, Wanted(5), narrowed=[OPEN, calling])).items
    found = await on_the_line(db, lines, now)
    return [(line, found[line.id]) for line in lines if line.id in found]


async def held_by(db: AsyncConnection, task_id: int) -> tuple[str, bool]:
    """Who is to call back, by name, and whether he holds it; for a pop, so whoever asks may know."""
    person = func.coalesce(func.nullif(User.full_name, ""), User.name)
    statement = select(person, Task.owner_why).join(User, User.id == Task.owner_id).where(Task.id == task_id)
    row = (await db.execute(statement)).first()
    return (str(row[0]), row[1] in HOLDS) if row is not None else ("", False)


async def history(db: AsyncConnection, task_id: int) -> list[Deed]:
    """Who did what with a task, oldest first; the caller has made sure that it may be seen."""
    person = func.coalesce(func.nullif(User.full_name, ""), User.name, "")
    statement = (
        select(Audit.at, Audit.act, person, Audit.detail)
        .outerjoin(User, User.id == Audit.user_id)
        .where(Audit.what == "task", Audit.which == str(task_id))
        .order_by(Audit.at)
        .limit(200)
    )
    return [Deed(*row) for row in await db.execute(statement)]


async def lines_called(db: AsyncConnection, actor: Actor, *, queues: Collection[str] = ()) -> list[str]:
    """The lines whose callers wait for a call back."""
    called = _lines_called(anybody(actor.role, actor.team), tuple(sorted(queues)))
    return [row[0] for row in await called.all(db, {ASKER: actor.user_id}) if row[0]]


@lru_cache(maxsize=256)
def _lines_called(asker: Actor, queues: tuple[str, ...]) -> Prepared:
    statement = select(Task.called).where(IS_CALLBACK, OPEN, Task.called.is_not(None)).distinct()
    return Prepared(visible_tasks(asker, statement, queues=queues).order_by(Task.called).limit(100))


def narrowed(
    now: datetime, *, line: str = "", overdue: bool = False, escalated: bool = False, short: bool | None = None
) -> list[ColumnElement[bool]]:
    """Conditions for `queries.task_list`, for who asks by fields and not by tabs."""
    found = tabs.filters(Asked(now, now, now, line=line, short=short))
    if overdue:
        found += [OPEN, Task.due_at < now]
    return found + ([Task.escalated_at.is_not(None)] if escalated else [])


def _sum(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))
