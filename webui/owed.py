"""Tasks and callbacks as rows for people."""

from dataclasses import dataclass
from datetime import datetime

from callcrm.tasks.history import TaskEvent
from callcrm.tasks.queries import TaskLine
from webui import show, words
from webui.i18n import _
from webui.parts import Parts
from webui.queues import line_of


@dataclass(frozen=True, slots=True)
class OwedView:
    """A task or a callback in a list."""

    id: int
    state: str
    title: str
    note: str
    client_id: int | None
    client_name: str
    organisation: str
    number: str | None
    tried: int
    last_at: datetime
    line: str
    reason: str
    our_tries: int
    our_last: str
    owner_id: int | None
    owner_name: str
    due_at: datetime | None
    created_at: datetime
    closed_at: datetime | None
    closed_why: str | None
    closed_words: str
    closed_call_id: str | None
    version: int
    here: bool
    more: str
    promised_from: datetime | None = None
    escalated: bool = False


def view(parts: Parts, task: TaskLine, here: int | None = None) -> OwedView:
    """One row."""
    called_at = show.at_time(task.called_at).striptags() if task.called_at else ""
    tried = _("tried %(times)s") % {"times": words.times(task.attempts).lower()} if task.attempts else _("agreed on")
    return OwedView(
        id=task.id,
        state=task.state,
        title=task.title or _("Call back"),
        note=task.note,
        client_id=task.client_id,
        client_name=task.client_name or task.said_name,
        organisation=task.organisation,
        number=task.number,
        tried=max(1, task.attempts),
        last_at=task.last_attempt_at or task.created_at,
        line=line_of(parts, task.line, task.queue),
        reason=reason(task),
        our_tries=task.called,
        our_last=f"{words.outcome(task.called_result).lower()} {called_at}".strip(),
        owner_id=task.owner_id,
        owner_name=task.owner_name,
        due_at=task.due_at,
        created_at=task.created_at,
        closed_at=task.closed_at,
        closed_why=task.closed_why,
        closed_words=closed(task),
        closed_call_id=task.closed_call_id,
        version=task.version,
        here=task.id == here,
        more=" · ".join(part for part in (task.organisation, tried) if part),
        promised_from=task.promised_from,
        escalated=task.escalated_at is not None,
    )


def reason(task: TaskLine) -> str:
    """Why the caller was not answered."""
    if task.voicemail:
        return _("Left a voice message")
    if task.short_abandon:
        return _("Hung up at once")
    found = words.why(task.why)
    return found[:1].upper() + found[1:] if found else _("Gave up waiting") if task.waited_s else ""


def closed(task: TaskLine | TaskEvent) -> str:
    """How it was closed, in a sentence."""
    if task.closed_why == "called_back":
        return _("Our call back was answered.")
    if task.closed_why == "got_through":
        return _("The caller got through by himself.")
    by = task.closed_by_name
    if task.state == "dropped":
        return _("Dropped by %(who)s.") % {"who": by} if by else _("Dropped.")
    return _("Closed by %(who)s.") % {"who": by} if by else _("Closed by hand.")
