"""A person's tasks as a calendar (RFC 5545), at a secret address of his own that can be renewed or shut."""

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Todo, vRecur
from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.accounts.queries import actor_by_id, digest
from callcrm.kernel import audit
from callcrm.kernel.paging import Wanted
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.tasks import days, repeating
from callcrm.tasks.queries import TaskFilters, TaskLine, task_list
from callcrm.tasks.tables import CalendarFeed, Task

LENGTH = timedelta(minutes=15)
#: What was done stays in the calendar so long.
KEPT = timedelta(days=14)
_PAGES = 10


async def renew(unit: Unit, actor: Actor) -> str:
    """A new secret key for the actor's address; the old one is worthless. It is shown this once."""
    key = secrets.token_urlsafe(32)
    row = {"user_id": actor.user_id, "key_hash": digest(key), "made_at": unit.now}
    await upsert(unit.db, CalendarFeed, row)
    await audit.write(unit, actor, "renew", "calendar address", actor.user_id)
    return key


async def shut(unit: Unit, actor: Actor) -> None:
    """No address any more; none is no error."""
    await unit.db.execute(delete(CalendarFeed).where(CalendarFeed.user_id == actor.user_id))
    await audit.write(unit, actor, "shut", "calendar address", actor.user_id)


async def made_at(db: AsyncConnection, user_id: int) -> datetime | None:
    """Since when the person has his address; None without one."""
    found: datetime | None = await db.scalar(select(CalendarFeed.made_at).where(CalendarFeed.user_id == user_id))
    return found


async def reader(db: AsyncConnection, key: str) -> Actor | None:
    """Whose address it is; None for an unknown key or a closed account."""
    user_id = await db.scalar(select(CalendarFeed.user_id).where(CalendarFeed.key_hash == digest(key)))
    return await actor_by_id(db, user_id, via="calendar") if user_id is not None else None


async def lines(
    db: AsyncConnection, actor: Actor, now: datetime, *, queues: Collection[str] = ()
) -> Sequence[TaskLine]:
    """What stands in the calendar: everything of his that has a due time, and what he did lately."""
    mine = or_(days.mine_and_groups(actor, queues), Task.closed_by == actor.user_id)
    lately = or_(Task.state == "open", Task.closed_at >= now - KEPT)
    narrowed = [mine, lately, Task.due_at.is_not(None), Task.state != "dropped"]
    found: list[TaskLine] = []
    wanted = Wanted(200)
    for _ in range(_PAGES):
        page = await task_list(
            db, actor, TaskFilters(state=None), wanted, queues=queues, narrowed=narrowed, by_end=False
        )
        found += page.items
        if page.next is None:
            break
        wanted = Wanted(200, page.next)
    return found


def calendar(tasks: Sequence[TaskLine], *, name: str, site: str, todos: bool = False) -> bytes:
    """The calendar as text: events, which every program shows, or to-dos. `site` is where the pages are."""
    made = Calendar()
    made.add("prodid", "-//callcrm//tasks//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    for task in tasks:
        for entry in _entries(task, site, todos=todos):
            made.add_component(entry)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _entries(task: TaskLine, site: str, *, todos: bool) -> list[Event | Todo]:
    assert task.due_at is not None
    if not task.repeat or task.occurs_at is None or task.state != "open":
        return [_entry(task, task.due_at, site, todos=todos)]
    clock = ZoneInfo(task.repeat_zone or "UTC")
    whole = _entry(task, task.occurs_at.astimezone(clock), site, todos=todos)
    rule = repeating.rest(task.repeat, task.repeat_from or task.occurs_at, task.occurs_at, str(clock))
    whole.add("rrule", vRecur.from_ical(rule))
    for day in task.repeat_except or ():
        at = task.occurs_at.astimezone(clock).time()
        whole.add("exdate", datetime.combine(date.fromisoformat(str(day)), at, clock))
    if task.due_at == task.occurs_at:
        return [whole]
    moved = _entry(task, task.due_at.astimezone(clock), site, todos=todos)
    moved.add("recurrence-id", task.occurs_at.astimezone(clock))
    return [whole, moved]


def _entry(task: TaskLine, due: datetime, site: str, *, todos: bool) -> Event | Todo:
    entry: Any = Todo() if todos else Event()
    title = task.title or ("Call back" if task.kind == "callback" else task.kind.capitalize())
    who = task.client_name or task.said_name or (task.number or "")
    entry.add("uid", f"task-{task.id}@callcrm")
    entry.add("dtstamp", task.closed_at or task.created_at)
    entry.add("sequence", task.version)
    entry.add("summary", f"{title}: {who}" if who and who not in title else title)
    entry.add("description", task.note)
    entry.add("url", f"{site}/tasks/{task.id}")
    entry.add("categories", [task.kind])
    _times(entry, task, due, todos=todos)
    if task.remind_min is not None and task.state == "open":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", timedelta(minutes=-task.remind_min), parameters={"RELATED": "START"})
        entry.add_component(alarm)
    return entry  # type: ignore[no-any-return]


def _times(entry: Any, task: TaskLine, due: datetime, *, todos: bool) -> None:
    entry.add("dtstart", due)
    if not todos:
        entry.add("dtend", due + LENGTH)
        entry.add("status", "CONFIRMED")
        entry.add("transp", "TRANSPARENT")
        return
    entry.add("due", due + LENGTH)
    if task.state == "open":
        entry.add("status", "NEEDS-ACTION")
    else:
        entry.add("status", "COMPLETED")
        entry.add("completed", (task.closed_at or task.created_at).astimezone(UTC))
