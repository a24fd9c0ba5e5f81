"""When a task is due, when somebody is reminded of it, and how it repeats: what was typed, as it is stored. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from callcrm.kernel.errors import Invalid
from callcrm.tasks import repeating
from callcrm.tasks.callbacks import CALLBACK

#: What is typed of a plan.
FIELDS = frozenset({"due_at", "remind_min", "repeat", "repeat_when", "repeat_zone", "repeat_except"})
WHEN = ("done", "due")
#: At most so long before: four weeks.
EARLIEST_MIN = 4 * 7 * 24 * 60
_EXCEPTIONS = 200

Row = dict[str, Any]


def planned(task: Mapping[str, Any], typed: Mapping[str, Any]) -> Row:
    """The columns of the plan after `typed` (some of FIELDS) changed the `task` (empty for a new one).

    Raises Invalid: a reminder or a repetition without a due time, a rule that cannot be taken.
    """
    due: datetime | None = typed["due_at"] if "due_at" in typed else task.get("due_at")
    row: Row = {"due_at": due} | _reminder(task, typed, due)
    if not FIELDS & typed.keys() - {"due_at", "remind_min"}:
        return row | (_STOPPED if due is None and task.get("repeat") else {})
    return row | _repetition(task, typed, due)


def remind_at(due: datetime | None, minutes: int | None) -> datetime | None:
    """When to remind of what is due then."""
    return due - timedelta(minutes=minutes) if due is not None and minutes is not None else None


_STOPPED: Row = dict.fromkeys(("repeat", "repeat_when", "repeat_zone", "repeat_from", "repeat_except", "occurs_at"))


def _reminder(task: Mapping[str, Any], typed: Mapping[str, Any], due: datetime | None) -> Row:
    minutes = typed["remind_min"] if "remind_min" in typed else task.get("remind_min")
    if minutes is not None:
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= EARLIEST_MIN:
            raise Invalid("A reminder comes 0 to 40320 minutes before.", {"remind_min": "0 to 40320 minutes"})
        if due is None and typed.get("remind_min") is not None:
            raise Invalid("A reminder needs a due time.", {"due_at": "a reminder needs a due time"})
    if due is None:
        minutes = None
    if due == task.get("due_at") and minutes == task.get("remind_min"):
        return {"remind_min": minutes}
    return {"remind_min": minutes, "remind_at": remind_at(due, minutes), "reminded_at": None}


def _repetition(task: Mapping[str, Any], typed: Mapping[str, Any], due: datetime | None) -> Row:
    rule = repeating.checked(str(typed.get("repeat") or "")) if "repeat" in typed else task.get("repeat") or ""
    if not rule:
        return dict(_STOPPED)
    if task.get("kind", typed.get("kind")) == CALLBACK:
        raise Invalid("A callback does not repeat; make a task of it.", {"repeat": "a callback does not repeat"})
    if due is None:
        raise Invalid("What repeats needs a due time to begin with.", {"due_at": "what repeats needs a due time"})
    when = typed.get("repeat_when") or task.get("repeat_when") or WHEN[0]
    if when not in WHEN:
        raise Invalid("The next one is made when this one is done or due.", {"repeat_when": "done or due"})
    zone = str(typed.get("repeat_zone") or task.get("repeat_zone") or "UTC")
    first, occurs = task.get("repeat_from"), task.get("occurs_at")
    if rule != task.get("repeat") or zone != task.get("repeat_zone") or first is None:
        first = occurs = due
        repeating.comes(rule, due, zone)
    but = _days(typed["repeat_except"] if "repeat_except" in typed else task.get("repeat_except"))
    return {
        "repeat": rule,
        "repeat_when": when,
        "repeat_zone": zone,
        "repeat_from": first,
        "repeat_except": but or None,
        "occurs_at": occurs,
    }


def _days(typed: Any) -> list[str]:
    try:
        found = sorted({date.fromisoformat(str(day)).isoformat() for day in typed or ()})
    except (ValueError, TypeError):
        raise Invalid("Write days such as 2026-12-31.", {"repeat_except": "days such as 2026-12-31"}) from None
    if len(found) > _EXCEPTIONS:
        raise Invalid(f"At most {_EXCEPTIONS} days.", {"repeat_except": f"at most {_EXCEPTIONS} days"})
    return found


def next_after(task: Mapping[str, Any], now: datetime) -> datetime | None:
    """When the next of the task's series is due: none of those that are past already; None when it is over."""
    if not task["repeat"] or task["repeat_from"] is None:
        return None
    but = [date.fromisoformat(day) for day in task["repeat_except"] or ()]
    after = max(now, task["occurs_at"] or task["repeat_from"])
    return repeating.following(task["repeat"], task["repeat_from"], after, task["repeat_zone"] or "UTC", but=but)
