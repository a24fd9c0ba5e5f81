"""What happened with a client, newest first: calls with their sound, notes and tasks, by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from callcrm.accounts.policy import Actor
from callcrm.calls import queries as calls
from callcrm.calls.log import CallLine, Filters
from callcrm.kernel.paging import Wanted
from callcrm.tasks import queries as tasks
from callcrm.tasks.queries import TaskFilters, TaskLine
from webui import owed, paging, rows, show, sounds, words
from webui.i18n import _
from webui.paging import Tab
from webui.parts import Parts
from webui.queues import queues_of
from webui.sounds import Sound
from webui.words import Mark

PAGE = 30


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: datetime
    icon: str
    word: str
    more: str = ""
    said: str = ""
    meta: str = ""
    href: str = ""
    mark: Mark | None = None
    quiet: bool = False
    sounds: tuple[Sound, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it: the days, the filters, and where it goes on."""

    days: list[tuple[str, list[Event]]]
    tabs: list[Tab]
    more: str


async def of_client(
    parts: Parts, actor: Actor, client_id: int, base: str, query: Mapping[str, str] = MappingProxyType({})
) -> Timeline:
    """The timeline of one client; the address's `show` is calls, tasks, or nothing for all."""
    show_, cursor = query.get("show", ""), query.get("cursor", "")
    queues = queues_of(parts, actor)
    async with parts.database.read() as db:
        log = await calls.call_log(db, actor, Filters(client=client_id), Wanted(PAGE, cursor))
        found = TaskFilters(client=client_id, state=None)
        done = await tasks.task_list(db, actor, found, Wanted(PAGE), queues=queues)
    heard = await sounds.sounds_of(parts, actor, list(log.items))
    events = [] if show_ == "tasks" else [of_call(parts, call, heard.get(call.id, ())) for call in log.items]
    oldest = log.items[-1].at if log.items and log.next else None
    if show_ != "calls":
        events += [event for task in done.items for event in of_task(task) if not oldest or event.at >= oldest]
    known = (("", _("All")), ("calls", _("Calls")), ("tasks", _("Tasks")))
    tabs = [Tab(paging.address(base, {}, show=code), word, code == show_) for code, word in known]
    onward = paging.address(base, {}, show=show_, cursor=log.next) if log.next and show_ != "tasks" else ""
    return Timeline(by_day(events), tabs, onward)


def by_day(events: Iterable[Event]) -> list[tuple[str, list[Event]]]:
    """Newest first, under the heading of its day."""
    ordered = sorted(events, key=lambda event: event.at, reverse=True)
    days = groupby(ordered, key=lambda event: show.day_of(event.at))
    return [(show.day(found[0].at), found) for found in (list(group) for _day, group in days)]


def of_call(parts: Parts, call: CallLine, heard: Sequence[Sound]) -> Event:
    """A call in a sentence."""
    way = words.direction(call.direction, missed=call.missed)
    live = call.ended_at is None
    state = words.call_state(call.state)
    return Event(
        at=call.at,
        icon=way.icon,
        word=_headline(call, live=live),
        more=_who(parts, call, live=live),
        said=call.note_line,
        meta=call.disposition or rows.fate_of(call),
        href=f"/calls/{call.id}",
        mark=state if live else None,
        quiet=call.missed or (not live and call.answered_at is None),
        sounds=tuple(one for one in heard if not live or one.playable),
    )


def _headline(call: CallLine, *, live: bool) -> str:
    if call.direction == "outbound":
        return _("We are calling") if live else _("We called")
    return _("Calling now") if live else _("Called us")


def _who(parts: Parts, call: CallLine, *, live: bool) -> str:
    where = rows.line(parts, call)
    if live:
        return where
    if call.answered_at is None and call.direction != "outbound":
        return _("gave up after %(time)s") % {"time": show.duration(call.wait_s or call.total_s)}
    names = {"who": rows.answered_by(call), "line": where, "time": show.duration(call.talk_s)}
    if call.direction == "outbound":
        return _("%(who)s talked %(time)s") % names if call.talk_s else names["who"]
    if not where:
        return _("%(who)s answered, talked %(time)s") % names
    return _("%(who)s answered on %(line)s, talked %(time)s") % names


def of_task(task: TaskLine) -> Iterable[Event]:
    """When it was opened, and when it was closed."""
    callback = task.kind == "callback"
    icon = "phone-outgoing" if callback else "square-check"
    href = f"/callbacks?id={task.id}" if callback else f"/tasks?id={task.id}"
    word = _("Callback promised") if callback else _("Task: %(title)s") % {"title": task.title[:120]}
    meta = task.owner_name
    yield Event(task.created_at, icon, word, href=href, meta=meta, said="" if callback else task.note, quiet=True)
    if task.closed_at is not None:
        done = _("Callback closed") if callback else _("Task done: %(title)s") % {"title": task.title[:120]}
        yield Event(task.closed_at, "check", done, meta=owed.closed(task), quiet=True)
