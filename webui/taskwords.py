"""Tasks in words: kinds, reminders, repetition, whose they are."""

import re
from datetime import date, datetime, timedelta

from babel.dates import format_date

from callcrm.tasks.queries import TaskLine
from webui import i18n, show
from webui.i18n import _, ngettext
from webui.parts import Parts

#: What a task may be besides a callback; the API takes any word.
KINDS = ("task", "call", "meeting", "message")
#: Minutes before the due time that are offered.
BEFORE = (0, 5, 10, 30, 60, 120, 1440)
_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
WORKING_DAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def kind(code: str) -> str:
    """What is to be done."""
    return {
        "task": _("Task"),
        "call": _("Call"),
        "meeting": _("Meeting"),
        "message": _("Message"),
        "callback": _("Callback"),
    }.get(code, code.capitalize())


def kind_icon(code: str) -> str:
    """The same as a picture."""
    icons = {"callback": "phone-outgoing", "call": "phone", "meeting": "users-round", "message": "notebook-pen"}
    return icons.get(code, "square-check")


def before(minutes: int | None) -> str:
    """When somebody is reminded."""
    if minutes is None:
        return _("No reminder")
    if minutes == 0:
        return _("When it is due")
    return _("%(span)s before") % {"span": show.span(timedelta(minutes=minutes))}


def repeats(rule: str | None) -> str:
    """A repeat rule in words; one that has no words stays as it is."""
    if not rule:
        return _("Does not repeat")
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    words = _known(parts)
    if words and "UNTIL" in parts:
        words = _("%(rule)s until %(day)s") % {"rule": words, "day": _day(parts["UNTIL"])}
    if words and "COUNT" in parts:
        words += ", " + ngettext("%(n)s time", "%(n)s times", int(parts["COUNT"])) % {"n": parts["COUNT"]}
    return words or rule


def _known(parts: dict[str, str]) -> str:
    freq, n = parts.get("FREQ", ""), int(parts.get("INTERVAL", "1"))
    if parts.keys() - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"}:
        return ""
    if parts.get("BYDAY") == "MO,TU,WE,TH,FR" and freq == "WEEKLY" and n == 1:
        return _("Every working day")
    every = {
        "DAILY": ngettext("Every day", "Every %(n)s days", n),
        "WEEKLY": ngettext("Every week", "Every %(n)s weeks", n),
        "MONTHLY": ngettext("Every month", "Every %(n)s months", n),
        "YEARLY": ngettext("Every year", "Every %(n)s years", n),
    }.get(freq, "") % {"n": n}
    days = parts.get("BYDAY", "")
    if days and (freq != "WEEKLY" or re.search(r"\d", days)):
        return ""
    if days:
        every += ": " + ", ".join(_weekday(code) for code in days.split(","))
    if "BYMONTHDAY" in parts:
        every += ", " + _("on day %(day)s") % {"day": parts["BYMONTHDAY"]}
    return every


def _weekday(code: str) -> str:
    monday = date(2026, 1, 5)
    return format_date(monday + timedelta(days=_DAYS.get(code, 0)), "EEE", locale=i18n.locale())


def _day(until: str) -> str:
    try:
        day = datetime.strptime(until[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return until
    return format_date(day, "d MMM yyyy", locale=i18n.locale())


def rules(due: datetime | None, chosen: str) -> list[tuple[str, str]]:
    """The rules that are offered, and the chosen one when it is none of them."""
    day = show.here(due).date() if due else None
    code = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day.weekday()] if day else ""
    weekly = f"FREQ=WEEKLY;BYDAY={code}" if code else "FREQ=WEEKLY"
    offered = ["", "FREQ=DAILY", WORKING_DAYS, weekly, f"{weekly};INTERVAL=2"]
    offered += ["FREQ=MONTHLY", "FREQ=YEARLY"]
    listed = [(rule, repeats(rule)) for rule in dict.fromkeys(offered)]
    if chosen and chosen not in offered:
        listed.append((chosen, repeats(chosen)))
    return [*listed, ("own", _("Another rule (RRULE)…"))]


def whose(parts: Parts, task: TaskLine) -> str:
    """The person, or the group whose people may take it."""
    if task.owner_name:
        return task.owner_name
    return group(parts, task.queue, task.team) or _("Nobody’s")


def group(parts: Parts, queue: str | None, team: str | None) -> str:
    """A group by the name that people gave it."""
    if team:
        return _("Team %(team)s") % {"team": team}
    named = parts.settings.queues.get(queue or "")
    return (named.label if named else "") or queue or ""
