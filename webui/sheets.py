"""The whole live sheet: the basics of pop and call, with the note, what is open, and the other calls of the stack."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from callcrm.accounts.policy import Actor
from callcrm.calls import queries as calls
from callcrm.calls.log import CallLine
from callcrm.kernel import clock
from callcrm.kernel.paging import Wanted
from callcrm.push.present import PresentPop
from callcrm.push.views import CallView
from callcrm.tasks import queries as tasks
from callcrm.tasks.queries import TaskFilters, TaskLine
from webui import desk, rows, show, words
from webui.desk import Item, OtherPop, Sheet
from webui.i18n import _
from webui.parts import Parts
from webui.queues import queues_of

LAST_CALLS = 4
#: What the next step is offered for.
LATER = timedelta(days=1)


async def waiting(parts: Parts, actor: Actor) -> tuple[int, int]:
    """How many callbacks and tasks wait for this person."""
    queues = queues_of(parts, actor)
    async with parts.database.read() as db:
        callbacks = await tasks.counts(db, actor, clock.now(), queues=queues)
        own = TaskFilters(kind="task", owner=actor.user_id)
        mine = await tasks.task_list(db, actor, own, Wanted(99))
    return callbacks.mine + callbacks.nobodys, len(mine.items)


async def sheet_of(parts: Parts, actor: Actor, hint: Mapping[str, str] | None = None) -> Sheet | None:
    """The sheet of the call that is open, or None when there is none."""
    hint = hint or {}
    pops = desk.told(await desk.pops_of(parts, actor), hint)
    opened = desk.active(pops, hint.get("pop", ""))
    if opened is None:
        return None
    seen = await desk.call_views(parts, [pop.call for pop in pops])
    view = seen.get(opened.call)
    if view is None or not is_mine(actor, view):
        return None
    sheet = desk.basics(parts, actor, opened, view)
    others = [other(parts, actor, pop, seen[pop.call]) for pop in pops if pop is not opened and pop.call in seen]
    return await _filled(parts, actor, replace(sheet, others=tuple(others)))


def is_mine(actor: Actor, view: CallView) -> bool:
    """Whether this person has part in the call: a pop shows nobody a call of others."""
    phones = {line.extension for line in actor.extensions if line.pbx == view.pbx}
    return actor.user_id in view.parties or view.operator_id == actor.user_id or bool(phones & {*view.rang})


def other(parts: Parts, actor: Actor, pop: PresentPop, view: CallView) -> OtherPop:
    """Another call in the stack."""
    basic = desk.basics(parts, actor, pop, view)
    return OtherPop(pop.id, pop.state, view.direction, basic.title, basic.line_label)


async def _filled(parts: Parts, actor: Actor, sheet: Sheet) -> Sheet:
    async with parts.database.read() as db:
        note = await calls.own_note(db, actor, sheet.call)
        last = await calls.last_calls(db, actor, sheet.client_id, LAST_CALLS, but=sheet.call) if sheet.client_id else []
        queues = queues_of(parts, actor)
        owed = await tasks.open_tasks(db, actor, client_id=sheet.client_id, number=sheet.number, queues=queues)
    open_ = [task_item(task) for task in owed[:3]] + [call_item(call) for call in last]
    tomorrow = show.here(clock.now() + LATER).replace(minute=0).strftime("%Y-%m-%dT%H:%M")
    filled = replace(sheet, open=tuple(open_[:5]), next_when=tomorrow)
    if note is None:
        return filled
    chosen = note.disposition or sheet.disposition
    return replace(filled, note=note.text, note_version=note.version, disposition=chosen)


def task_item(task: TaskLine) -> Item:
    """Something that is owed."""
    if task.kind == "callback":
        word = _("Callback, tried %(times)s") % {"times": words.times(task.attempts).lower()}
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
