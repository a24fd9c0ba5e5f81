"""The whole live sheet: the basics of pop and call, with the note, what is open, and the other calls of the stack."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from callcrm.accounts.policy import Actor
from callcrm.calls import queries as calls
from callcrm.calls.log import CallLine
from callcrm.push.present import PresentPop
from callcrm.push.views import CallView
from callcrm.shifts import queries as shifts
from callcrm.tasks import board
from callcrm.tasks import queries as tasks
from callcrm.tasks.queries import TaskLine
from webui import desk, rows, show, words
from webui.acting import Acts, acts_of
from webui.desk import Item, OtherPop, Sheet
from webui.i18n import _
from webui.parts import Parts
from webui.queues import queues_of
from webui.writing import writing

LAST_CALLS = 4
#: Open tasks are counted up to so many.
MOST = 99
URGENT = {"offered": 0, "answered": 1, "wrapup": 2}


async def waiting(parts: Parts, actor: Actor) -> tuple[int, int]:
    """How many callbacks and tasks wait for this person."""
    queues = queues_of(parts, actor)
    async with parts.database.glance() as db:
        return await tasks.count_waiting(db, actor, queues=queues), await tasks.count_own(db, actor, MOST)


async def sheet_of(parts: Parts, actor: Actor, hint: Mapping[str, str] | None = None) -> Sheet | None:
    """The sheet of the call that is open, or None when there is none.

    `hint`: the pop that a message just told of (desk.told), which is the wished one unless `open` names another.
    """
    hint = hint or {}
    wish = hint.get("open", hint.get("pop", ""))
    known = desk.told(await desk.pops_of(parts, actor), hint)
    pops, _quiet = desk.split([pop for pop in known if pop.state != "withdrawn" or pop.id == wish], actor.pop, wish)
    opened = desk.active(pops, wish)
    if opened is None:
        return None
    seen = await desk.call_views(parts, [pop.call for pop in pops])
    view = seen.get(opened.call)
    if view is None or not is_mine(actor, view):
        return None
    sheet = desk.basics(parts, actor, opened, view)
    mine = [pop for pop in pops if pop.call in seen and is_mine(actor, seen[pop.call])]
    others = [other(parts, actor, pop, seen[pop.call]) for pop in behind(mine, opened)]
    until = await _until(parts, actor) if opened.state == "wrapup" else None
    sheet = replace(sheet, others=tuple(others), after=following(mine, opened), until=until)
    sheet = replace(sheet, acts=await _acts(parts, actor, sheet, view))
    return await _filled(parts, actor, replace(sheet, owed_by=await _owed_by(parts, actor, view)))


async def _owed_by(parts: Parts, actor: Actor, view: CallView) -> str:
    """Who was about to call this caller back; he may be another than the one who gets the call."""
    debt = view.debt
    if debt is None or debt.owner_id is None or view.direction != "inbound":
        return ""
    async with parts.database.read() as db:
        name, holds = await board.held_by(db, debt.task)
    if debt.owner_id == actor.user_id:
        return _("You were about to call back") if holds else _("You are to call back")
    return (_("%(who)s was about to call back") if holds else _("%(who)s is to call back")) % {"who": name}


async def _acts(parts: Parts, actor: Actor, sheet: Sheet, view: CallView) -> Acts | None:
    """The pads: while one talks or calls out, and while the client is parked."""
    calling_out = sheet.state == "offered" and sheet.direction == "outbound"
    parked = sheet.state == "wrapup" and view.state == "parked"
    if sheet.state != "answered" and not calling_out and not parked:
        return None
    return await acts_of(parts, actor, sheet.call)


async def _until(parts: Parts, actor: Actor) -> datetime | None:
    """When the wrap-up ends by itself, where the queue's rule says so."""
    async with parts.database.glance() as db:
        stand = await shifts.standing(db, actor.user_id)
    return stand.until if stand.state == "wrapup" else None


def behind(pops: Sequence[PresentPop], opened: PresentPop) -> list[PresentPop]:
    """The other calls: one that rings first, then a talk, then wrap-ups, each kind from the one after the open call."""
    order = sorted(pops, key=lambda pop: (pop.at, pop.id))
    place = next(n for n, pop in enumerate(order) if pop.id == opened.id)
    return sorted([*order[place + 1 :], *order[:place]], key=lambda pop: URGENT.get(pop.state, 3))


def following(pops: Sequence[PresentPop], opened: PresentPop) -> str:
    """The call after the open one in order of coming, so that one key reaches every call in turn."""
    order = sorted(pops, key=lambda pop: (pop.at, pop.id))
    place = next(n for n, pop in enumerate(order) if pop.id == opened.id)
    return order[(place + 1) % len(order)].id


async def quiet_of(parts: Parts, actor: Actor) -> tuple[OtherPop, ...]:
    """The calls that wait in the strip for the person's key: what goes on, and the newest that is over."""
    if actor.pop == "ringing":
        return ()
    _opened, quiet = desk.split(await desk.pops_of(parts, actor), actor.pop)
    seen = await desk.call_views(parts, [pop.call for pop in quiet]) if quiet else {}
    over = [pop for pop in quiet if pop.state == "wrapup"][1:]
    mine = [pop for pop in quiet if pop not in over and pop.call in seen and is_mine(actor, seen[pop.call])]
    return tuple(other(parts, actor, pop, seen[pop.call]) for pop in mine)


def is_mine(actor: Actor, view: CallView) -> bool:
    """Whether this person has part in the call: a pop shows nobody a call of others."""
    phones = {line.extension for line in actor.extensions if line.pbx == view.pbx}
    return actor.user_id in view.parties or view.operator_id == actor.user_id or bool(phones & {*view.rang})


def other(parts: Parts, actor: Actor, pop: PresentPop, view: CallView) -> OtherPop:
    """Another call in the stack."""
    basic = desk.basics(parts, actor, pop, view)
    return OtherPop(pop.id, view.id, pop.state, view.direction, basic.title, basic.line_label)


async def _filled(parts: Parts, actor: Actor, sheet: Sheet) -> Sheet:
    async with parts.database.read() as db:
        seen = await calls.written(db, actor, sheet.call)
        last = await calls.last_calls(db, actor, sheet.client_id, LAST_CALLS, but=sheet.call) if sheet.client_id else []
        queues = queues_of(parts, actor)
        owed = await tasks.open_tasks(db, actor, client_id=sheet.client_id, number=sheet.number, queues=queues)
    open_ = [task_item(task) for task in owed[:3]] + [call_item(call) for call in last]
    return replace(sheet, open=tuple(open_[:5]), writing=writing(parts, actor, seen, sheet.queue_name))


def task_item(task: TaskLine) -> Item:
    """Something that is owed."""
    if task.kind == "callback":
        tried = {"times": words.times(task.attempts).lower()}
        word = _("Callback, tried %(times)s") % tried if task.attempts else _("Callback, agreed on")
        return Item("phone-outgoing", word, f"/callbacks?id={task.id}", due=task.due_at)
    return Item("square-check", task.title, f"/tasks?id={task.id}", due=task.due_at)


def call_item(call: CallLine) -> Item:
    """A call before this one."""
    way = words.direction(call.direction, missed=call.missed)
    when = show.at(call.at).striptags()
    by = rows.answered_by(call) if not call.missed else _("not answered")
    talk = f" {show.duration(call.talk_s)}" if call.talk_s else ""
    fate = call.disposition or rows.fate_of(call)
    return Item(way.icon, f"{when}, {by}{talk}", f"/calls/{call.id}", more=fate)
