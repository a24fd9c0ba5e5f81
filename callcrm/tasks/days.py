"""Tasks as a person's pages ask for them: his own and his groups', by day and by week, callbacks among them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.kernel.paging import Page, Wanted
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.queries import TaskFilters, TaskLine, task_list
from callcrm.tasks.tables import Task

MOST = 200
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Span:
    """What is due between two moments (the first belongs to it); None is no bound. `undated`: what has no due time."""

    since: datetime | None = None
    until: datetime | None = None
    undated: bool = False


@dataclass(frozen=True, slots=True)
class Agenda:
    """A stretch of days: what is open, by its due time, and what was done in it; `more`: it is too much to show."""

    open: tuple[TaskLine, ...]
    done: tuple[TaskLine, ...]
    more: bool = False


def mine_and_groups(actor: Actor, queues: Collection[str] = ()) -> Condition:
    """What the actor holds, or may take because it is a group's of his."""
    return or_(Task.owner_id == actor.user_id, groups(actor, queues))


def groups(actor: Actor, queues: Collection[str] = ()) -> Condition:
    """What is nobody's and belongs to a group of the actor."""
    team = Task.team == actor.team if actor.team else false()
    return and_(Task.owner_id.is_(None), or_(Task.queue.in_(sorted(queues)), team))


def due_in(span: Span) -> list[Condition]:
    """The condition of a span."""
    found: list[Condition] = [Task.due_at.is_(None)] if span.undated else []
    if span.since is not None:
        found.append(Task.due_at >= span.since)
    if span.until is not None:
        found.append(Task.due_at < span.until)
    return found


async def found(
    db: AsyncConnection,
    actor: Actor,
    filters: TaskFilters,
    wanted: Wanted,
    *,
    span: Span | None = None,
    of_groups: bool = False,
    queues: Collection[str] = (),
) -> Page[TaskLine]:
    """A page of tasks that are no callbacks (unless `filters.kind` asks for them)."""
    narrowed = due_in(span or Span())
    if filters.kind is None:
        narrowed.append(Task.kind != CALLBACK)
    if of_groups:
        narrowed.append(groups(actor, queues))
    return await task_list(db, actor, filters, wanted, queues=queues, narrowed=narrowed)


async def agenda(
    db: AsyncConnection,
    actor: Actor,
    begin: datetime,
    end: datetime,
    *,
    overdue: bool = False,
    queues: Collection[str] = (),
) -> Agenda:
    """What the actor has to do in [begin, end), callbacks too; with `overdue` also what is late from before."""
    mine = mine_and_groups(actor, queues)
    span = due_in(Span(None if overdue else begin, end))
    wanted = Wanted(MOST)
    opened = await task_list(db, actor, TaskFilters(), wanted, queues=queues, narrowed=[mine, *span])
    closed: Sequence[Any] = [Task.closed_by == actor.user_id, Task.closed_at >= begin, Task.closed_at < end]
    done = await task_list(db, actor, TaskFilters(state="done"), wanted, queues=queues, narrowed=closed)
    return Agenda(opened.items, done.items, opened.next is not None or done.next is not None)
