"""What happened with a client or an organisation, newest first: calls with their sound, notes, tasks, changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any

from callcrm.accounts.policy import Actor, Right, may
from callcrm.calls import queries as calls
from callcrm.calls.log import CallLine, Filters
from callcrm.clients import notes, trail
from callcrm.clients.notes import CardNoteLine
from callcrm.kernel.errors import Invalid
from callcrm.kernel.paging import Wanted, decode, encode
from callcrm.tasks import history
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.history import Asked, TaskEvent
from webui import owed, paging, rows, show, sounds, trails, words
from webui.i18n import _
from webui.paging import Tab
from webui.parts import Parts
from webui.queues import queues_of
from webui.sounds import Sound
from webui.trails import ChangeView
from webui.words import Mark

PAGE = 30
SHOWS = frozenset({"calls", "notes", "tasks", "callbacks", "changes"})


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
    remove: str = ""
    merge: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it: the days, the filters, and where it goes on."""

    days: list[tuple[str, list[Event]]]
    tabs: list[Tab]
    more: str


@dataclass(frozen=True, slots=True)
class Whose:
    """A card whose timeline it is; one of the two is given."""

    client: int | None = None
    organisation: int | None = None

    @property
    def what(self) -> str:
        """The kind of card."""
        return "client" if self.client is not None else "organisation"

    @property
    def key(self) -> int:
        """The card's id."""
        return self.client if self.client is not None else self.organisation or 0


#: An event with its place: newest first by time, then by where it comes from, then by its key there.
Entry = tuple[datetime, int, Any, Event]
#: Greater than every key of a source, and less than every one.
_LAST = {str: "zzzzzzzzzzzz", int: 2**62}
_FIRST = {str: "", int: -1}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one page from every source that a filter names, each from its own index."""

    parts: Parts
    actor: Actor
    whose: Whose
    cursor: tuple[datetime, int, Any] | None

    def wanted(self, rank: int, kind: type) -> Wanted:
        """Where this source goes on."""
        if self.cursor is None:
            return Wanted(PAGE + 1)
        at, at_rank, key = self.cursor
        key = key if rank == at_rank else (_LAST if rank < at_rank else _FIRST)[kind]
        return Wanted(PAGE + 1, encode((at, key)))

    async def calls(self, *, noted: bool = False) -> list[Entry]:
        """Calls, with their sound."""
        filters = Filters(client=self.whose.client, organisation=self.whose.organisation, noted=noted)
        async with self.parts.database.read() as db:
            log = await calls.call_log(db, self.actor, filters, self.wanted(0, str))
        heard = await sounds.sounds_of(self.parts, self.actor, list(log.items))
        several = self.whose.organisation is not None
        return [
            (call.at, 0, call.id, of_call(self.parts, call, heard.get(call.id, ()), named=several))
            for call in log.items
        ]

    async def notes(self) -> list[Entry]:
        """Notes that were written on the card."""
        async with self.parts.database.read() as db:
            found = await notes.of(
                db,
                self.actor,
                self.wanted(1, str),
                client_id=self.whose.client,
                organisation_id=self.whose.organisation,
            )
        return [(note.at, 1, note.id, of_note(note)) for note in found.items]

    async def tasks(self, *, callbacks: bool | None) -> list[Entry]:
        """Tasks and callbacks: opened, and closed."""
        asked = Asked(self.whose.client, self.whose.organisation, callbacks)
        queues = queues_of(self.parts, self.actor)
        found: list[Entry] = []
        async with self.parts.database.read() as db:
            for rank, closed in ((2, False), (3, True)):
                wanted = self.wanted(rank, int)
                page = await history.events(db, self.actor, asked, wanted, closed=closed, queues=queues)
                found += [(event.at, rank, event.id, of_task(event)) for event in page.items]
        return found

    async def changes(self) -> list[Entry]:
        """What of the card was changed."""
        async with self.parts.database.read() as db:
            found = await trail.changes(db, self.actor, self.whose.what, self.whose.key, self.wanted(4, str))
        views = await trails.views(self.parts, found.items)
        undo = may(self.actor, Right.DELETE_CLIENTS)
        return [(view.at, 4, view.id, of_change(view, undo=undo)) for view in views]

    async def read(self, show_: str) -> list[Entry]:
        """The sources of this filter."""
        found: list[Entry] = []
        if show_ in ("", "calls", "notes"):
            found += await self.calls(noted=show_ == "notes")
        if show_ in ("", "notes"):
            found += await self.notes()
        if show_ in ("", "tasks", "callbacks"):
            found += await self.tasks(callbacks={"tasks": False, "callbacks": True}.get(show_))
        if show_ in ("", "changes"):
            found += await self.changes()
        return found


async def of_client(
    parts: Parts, actor: Actor, client_id: int, base: str, query: Mapping[str, str] = MappingProxyType({})
) -> Timeline:
    """The timeline of one client; the address's `show` is calls, notes, tasks, callbacks, changes, or all."""
    return await of_card(parts, actor, Whose(client=client_id), base, query)


async def of_card(
    parts: Parts, actor: Actor, whose: Whose, base: str, query: Mapping[str, str] = MappingProxyType({})
) -> Timeline:
    """The timeline of a card, a page of it from the address's `cursor` on. Raises Invalid for one that is not ours."""
    show_ = query.get("show", "") if query.get("show", "") in SHOWS else ""
    reader = _Reader(parts, actor, whose, _place(query.get("cursor", "")))
    found = sorted(await reader.read(show_), key=lambda entry: entry[:3], reverse=True)
    some = found[:PAGE]
    onward = ""
    if len(found) > PAGE:
        at, rank, key, _event = some[-1]
        onward = paging.address(base, {}, show=show_, cursor=encode((at, rank, str(key))))
    known = [("", _("All")), ("calls", _("Calls")), ("notes", _("Notes")), ("tasks", _("Tasks"))]
    known += [("callbacks", _("Callbacks")), ("changes", _("Changes"))]
    tabs = [Tab(paging.address(base, {}, show=code), word, code == show_) for code, word in known]
    return Timeline(by_day(entry[3] for entry in some), tabs, onward)


def _place(cursor: str) -> tuple[datetime, int, Any] | None:
    if not cursor:
        return None
    at, rank, key = decode(cursor, datetime, int, str)
    if rank in (2, 3):
        if not key.isascii() or not key.isdigit() or len(key) > 18:
            raise Invalid(_("This place in the timeline is unknown; begin at its first page."), {"cursor": "unknown"})
        return at, rank, int(key)
    return at, rank, key


def by_day(events: Iterable[Event]) -> list[tuple[str, list[Event]]]:
    """Newest first, under the heading of its day."""
    days = groupby(events, key=lambda event: show.day_of(event.at))
    return [(show.day(found[0].at), found) for found in (list(group) for _day, group in days)]


def of_call(parts: Parts, call: CallLine, heard: Sequence[Sound], *, named: bool = False) -> Event:
    """A call in a sentence; `named`: with the client, where several are told of."""
    way = words.direction(call.direction, missed=call.missed)
    live = call.ended_at is None
    state = words.call_state(call.state)
    return Event(
        at=call.at,
        icon=way.icon,
        word=f"{rows.title(call)}: {_headline(call, live=live)}" if named else _headline(call, live=live),
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


def of_task(task: TaskEvent) -> Event:
    """A task or a callback that was opened, or closed."""
    callback = task.kind == CALLBACK
    href = f"/callbacks?id={task.id}" if callback else f"/tasks?id={task.id}"
    title = {"title": task.title[:120]}
    if task.closed:
        word = _("Callback closed") if callback else _("Task done: %(title)s") % title
        return Event(task.at, "check", word, meta=owed.closed(task), href="" if callback else href, quiet=True)
    icon = "phone-outgoing" if callback else "square-check"
    word = _("Callback promised") if callback else _("Task: %(title)s") % title
    said = "" if callback else task.note
    return Event(task.at, icon, word, href=href, meta=task.owner_name, said=said, quiet=True)


def of_note(note: CardNoteLine) -> Event:
    """A note of the card."""
    remove = note.id if note.mine else ""
    return Event(note.at, "notebook-pen", _("Note"), said=note.text, meta=note.person, remove=remove)


def of_change(view: ChangeView, *, undo: bool) -> Event:
    """A field that was changed."""
    by = _("by %(who)s") % {"who": view.person} if view.person else ""
    merge = view.merge if undo else ""
    return Event(view.at, view.icon, view.word, view.more, meta=by, href=view.href, quiet=True, merge=merge)
