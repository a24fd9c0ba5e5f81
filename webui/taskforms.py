"""The form of a task: what it offers, and what was typed as the service takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from callcrm.tasks.queries import TaskLine
from webui import show, taskwords
from webui.i18n import _
from webui.queues import queues_of
from webui.visit import Visit, as_id

#: How the service's fields are called in the form.
FIELDS = {
    "due_at": "due",
    "owner_id": "whose",
    "client_id": "client",
    "remind_min": "remind",
    "time_zone": "repeat",
    "team": "whose",
    "repeat_except": "except",
    "item": "items",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """What may be chosen in the form: (code, word) each."""

    kinds: list[tuple[str, str]]
    whose: list[tuple[str, str]]
    remind: list[tuple[str, str]]
    rules: list[tuple[str, str]]
    when: list[tuple[str, str]]


async def offered(visit: Visit, typed: Mapping[str, str]) -> Offered:
    """The choices for this person; what was typed is among them."""
    minutes = [str(n) for n in taskwords.BEFORE]
    if typed.get("remind", "").isdigit() and typed["remind"] not in minutes:
        minutes.append(typed["remind"])
    try:
        due = moment(typed.get("due", ""))
    except Invalid:
        due = None
    rule = typed.get("repeat", "")
    return Offered(
        kinds=[(code, taskwords.kind(code)) for code in taskwords.KINDS],
        whose=await _whose(visit),
        remind=[("", taskwords.before(None)), *((n, taskwords.before(int(n))) for n in minutes)],
        rules=taskwords.rules(due, rule if rule != "own" else ""),
        when=[("done", _("When this one is done")), ("due", _("When this one is due, done or not"))],
    )


async def _whose(visit: Visit) -> list[tuple[str, str]]:
    """People and groups that this person may give a task to: himself and his groups, a supervisor all."""
    actor, parts = visit.actor, visit.parts
    me = (f"u:{actor.user_id}", _("%(name)s (you)") % {"name": actor.full_name or actor.name})
    if not may(actor, Right.ASSIGN):
        queues, teams = queues_of(parts, actor), [actor.team] if actor.team else []
        others: list[tuple[str, str]] = []
    else:
        async with parts.database.read() as db:
            people = await accounts.people(db)
        queues, teams = list(parts.settings.queues), sorted({person.team for person in people if person.team})
        others = [(f"u:{person.id}", person.shown) for person in people if person.id != actor.user_id]
    groups = [(f"q:{name}", taskwords.group(parts, name, None)) for name in queues]
    return [me, *groups, *((f"t:{team}", taskwords.group(parts, None, team)) for team in teams), *others]


def moment(typed: str) -> datetime | None:
    """A date and time of the reader's clock; None when nothing was typed. Raises Invalid."""
    if not typed:
        return None
    try:
        found = datetime.fromisoformat(typed)
        aware = found if found.tzinfo else found.replace(tzinfo=show.here(clock.now()).tzinfo)
        aware.astimezone(UTC)
    except (ValueError, OverflowError):
        says = _("Write a date and a time, such as 2026-01-31T10:00.")
        raise Invalid(says, {"due_at": says}) from None
    return aware


def read(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    """The form as the service takes it. Raises Invalid."""
    typed: dict[str, Any] = {"title": form.get("title", ""), "note": form.get("note", "")}
    typed |= {"due_at": moment(form.get("due", "")), "client_id": _id(form, "client")}
    typed |= _holder(visit, form.get("whose", ""))
    remind, rule = form.get("remind", ""), form.get("repeat", "")
    typed["remind_min"] = int(remind) if remind.isascii() and remind.isdigit() and len(remind) < 7 else None
    typed["repeat"] = form.get("rule", "") if rule == "own" else rule
    if typed["repeat"]:
        typed |= {"repeat_when": form.get("repeat_when") or "done", "repeat_zone": show.zone()}
        typed["repeat_except"] = [day for day in form.get("except", "").replace(",", " ").split() if day]
    return typed


def _id(form: Mapping[str, str], name: str) -> int | None:
    return as_id(form[name]) if form.get(name) else None


def _holder(visit: Visit, code: str) -> dict[str, Any]:
    """A person (u:), a queue (q:) or a team (t:)."""
    sort, _colon, which = (code or f"u:{visit.actor.user_id}").partition(":")
    return {
        "owner_id": as_id(which) if sort == "u" else None,
        "queue": which if sort == "q" else None,
        "team": which if sort == "t" else None,
    }


def filled(task: TaskLine) -> dict[str, str]:
    """A task as its form shows it."""
    holder = f"u:{task.owner_id}" if task.owner_id else f"q:{task.queue}" if task.queue else f"t:{task.team or ''}"
    return {
        "title": task.title,
        "note": task.note,
        "kind": task.kind,
        "due": show.here(task.due_at).strftime("%Y-%m-%dT%H:%M") if task.due_at else "",
        "client": str(task.client_id or ""),
        "whose": holder,
        "remind": "" if task.remind_min is None else str(task.remind_min),
        "repeat": task.repeat or "",
        "repeat_when": task.repeat_when or "done",
        "except": ", ".join(str(day) for day in task.repeat_except or ()),
    }


def complaints(error: Invalid) -> dict[str, str]:
    """What is wrong, by the form's own fields."""
    return {FIELDS.get(name, name): why for name, why in error.fields.items()} or {"title": str(error)}
