"""The board of callbacks as people see it: rows with promise and holder, who is on the line, how they ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts.policy import Actor, Right, may
from callcrm.kernel import clock
from callcrm.tasks import callbacks
from callcrm.tasks.board import OnLine, Promises, Settled
from callcrm.tasks.queries import TaskLine
from webui import owed, show, words
from webui.i18n import _, ngettext
from webui.parts import Parts
from webui.queues import line_of
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An open callback. `holds`: its owner took it or was given it; else he is only proposed."""

    task: TaskLine
    name: str
    line: str
    reason: str
    last_at: datetime
    our_last: str
    mine: bool
    holds: bool
    may_act: bool
    asleep: bool
    live: Mark | None
    here: bool


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """A closed callback: what became of its promise, and how in a sentence."""

    task: TaskLine
    name: str
    mark: Mark
    sentence: str
    took: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the day, with what it means and the address of the rows behind it."""

    word: str
    value: str
    href: str
    title: str


def open_row(parts: Parts, actor: Actor, task: TaskLine, live: OnLine | None, here: int | None) -> BoardRow:
    """One open callback."""
    holds, mine = callbacks.held(task.owner_id, task.owner_why), task.owner_id == actor.user_id
    called_at = show.at(task.called_at).striptags() if task.called_at else ""
    return BoardRow(
        task=task,
        name=task.client_name or task.said_name,
        line=line_of(parts, task.line, task.queue),
        reason=owed.reason(task),
        last_at=task.last_attempt_at or task.created_at,
        our_last=f"{words.outcome(task.called_result).lower()} {called_at}".strip() if task.called else "",
        mine=mine,
        holds=holds,
        may_act=mine or not holds or may(actor, Right.ASSIGN),
        asleep=task.snoozed_until is not None and task.snoozed_until > clock.now(),
        live=_live(actor, live),
        here=task.id == here,
    )


def _live(actor: Actor, live: OnLine | None) -> Mark | None:
    """That the caller is on the line at this moment."""
    if live is None:
        return None
    with_me = live.operator_id == actor.user_id
    who = {"who": live.operator}
    if live.direction == "outbound":
        word = (
            _("You are calling") if with_me else _("%(who)s is calling") % who if live.operator else _("Being called")
        )
        return Mark("ringing", "phone-outgoing", word)
    if live.state in ("talking", "held", "parked"):
        word = _("Talking with you") if with_me else _("Talking with %(who)s") % who if live.operator else _("Talking")
        return Mark("talking", "phone-call", word)
    return Mark("ringing", "bell-ring", _("Calling us now"))


def closed_row(parts: Parts, task: TaskLine, call: Settled | None) -> ClosedRow:
    """One closed callback."""
    return ClosedRow(
        task=task,
        name=task.client_name or task.said_name,
        mark=_fate(task),
        sentence=sentence(parts, task, call),
        took=_took(task),
    )


def _fate(task: TaskLine) -> Mark:
    fate = callbacks.fate(
        state=task.state, closed_why=task.closed_why, due=task.due_at, closed_at=task.closed_at, now=clock.now()
    )
    if task.closed_why == "got_through":
        word = _("Got through, late") if fate == "broken" else _("Got through")
    else:
        word = {"kept": _("Kept"), "broken": _("Late"), "dropped": _("Dropped"), "by_hand": _("Closed by hand")}.get(
            fate, words.closed_why(task.closed_why)
        )
    state = {"broken": "late", "dropped": "offline", "by_hand": "offline"}.get(fate, "kept")
    return Mark(state, "", word)


def sentence(parts: Parts, task: TaskLine, call: Settled | None) -> str:
    """How it was closed."""
    if call is None or task.closed_why not in callbacks.BY_ITSELF:
        said = owed.closed(task)
        return f"{said} {task.closed_reason}" if task.closed_reason else said
    who = call.operator or _("somebody")
    if call.ended_at is None:
        line = line_of(parts, call.called, None) if call.direction == "inbound" else ""
        if line:
            return _("Is talking now with %(who)s, on %(line)s.") % {"who": who, "line": line}
        return _("Our call was answered: is talking now with %(who)s.") % {"who": who}
    at = show.at(call.at).striptags()
    if task.closed_why == "called_back":
        told = {"at": at, "who": who, "talk": show.duration(call.talk_s)}
        return _("Our call at %(at)s was answered: %(who)s talked %(talk)s.") % told
    told = {"at": at, "who": who, "wait": show.duration(call.wait_s)}
    return _("Called again at %(at)s, and %(who)s answered after %(wait)s.") % told


def _took(task: TaskLine) -> str:
    """How long it took against what was promised."""
    if task.closed_at is None or task.due_at is None or task.closed_why not in callbacks.BY_ITSELF:
        return ""
    began = task.promised_from or task.created_at
    took = {
        "took": show.length(task.closed_at - began),
        "left": show.length(abs(task.due_at - task.closed_at)),
    }
    if task.closed_at <= task.due_at:
        return _("After %(took)s, %(left)s before the promise ran out.") % took
    return _("After %(took)s, %(left)s after the promise ran out.") % took


def figures(found: Promises, href: Mapping[str, str]) -> tuple[Figure, ...]:
    """What became of today's promises; each figure leads to its rows."""
    share = "—" if found.share is None else f"{round(100 * found.share)} %"
    told = {"kept": found.kept, "all": found.kept + found.broken}
    return (
        Figure(_("Promised today"), str(found.promised), href["promised"], meaning("promised")),
        Figure(_("Kept"), share, href["kept"], _("%(kept)s of %(all)s.") % told + " " + meaning("kept")),
        Figure(_("Broken"), str(found.broken), href["broken"], meaning("broken")),
        Figure(_("Running"), str(found.running), href["running"], meaning("running")),
    )


def meaning(fate: str) -> str:
    """What a figure counts."""
    return {
        "promised": _("Callbacks whose promise runs out on this day: kept, broken, running, closed by hand, dropped."),
        "kept": _("A call back was answered, or the caller got through, before the promise ran out."),
        "broken": _("The promise ran out before anybody talked with the caller; open ones are still waiting."),
        "running": _("Still open, and the promise has not run out."),
        "by_hand": _("Closed by a person, without a call: neither kept nor broken."),
        "dropped": _("Dropped by a person, with a reason: neither kept nor broken."),
    }.get(fate, "")


def fate_word(fate: str) -> str:
    """A figure's name as a heading."""
    return {
        "promised": _("Promised on this day"), "kept": _("Kept"), "broken": _("Broken"), "running": _("Running"),
        "by_hand": _("Closed by hand"), "dropped": _("Dropped"),
    }.get(fate, "")  # fmt: skip


def did(act: str, n: int) -> str:
    """An act that can be undone, in a few words."""
    one = {
        "take": _("taken"), "release": _("let go"), "hand_over": _("handed over"), "snooze": _("put off"),
        "wake": _("due again"), "close": _("closed"), "drop": _("dropped"),
    }.get(act, act)  # fmt: skip
    return ngettext("%(n)s callback %(did)s", "%(n)s callbacks %(did)s", n) % {"n": n, "did": one}


def reasons_to_put_off() -> tuple[str, ...]:
    """Why a callback waits; keys 1 to 4."""
    return (
        _("The client asked for a later time"),
        _("No answer at this time of day"),
        _("An answer from inside is needed first"),
        _("Something more urgent is on"),
    )


def reasons_to_close() -> tuple[tuple[str, str], ...]:
    """(state, words) for closing by hand; keys 1 to 5."""
    return (
        ("done", _("Answered another way: mail, message, in person")),
        ("dropped", _("Wrong number")),
        ("dropped", _("Advertising or nuisance")),
        ("dropped", _("Does not want to be called")),
        ("dropped", _("Hung up at once, did not try again")),
    )


def deed(act: str) -> str:
    """One line of the history."""
    return {
        "add": _("made it"), "take": _("took it"), "claim": _("took it"), "release": _("let it go"),
        "hand_over": _("handed it over"), "snooze": _("put it off"), "wake": _("made it due again"),
        "close": _("closed it"), "drop": _("dropped it"), "reopen": _("opened it again"), "undo": _("undid that"),
        "change": _("changed it"), "escalate": _("The supervisors were told that it is overdue"),
    }.get(act, act)  # fmt: skip
