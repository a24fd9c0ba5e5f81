"""What stands on each tab of the board of callbacks and behind each of its figures, as conditions on the table.

For what is asked on every page `any_such` stands in the place of `Asked`: parameters instead of the moments and names,
so that a statement is made once (kernel.prepared) and given the `values`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, false, literal_column, or_

from callcrm.accounts.policy import Actor
from callcrm.kernel.schema import Key, Moment
from callcrm.tasks.callbacks import BY_ITSELF, HOLDS
from callcrm.tasks.tables import Task

SOON = timedelta(minutes=15)
#: What became of a promise; see `callbacks.fate`.
FATES = ("promised", "kept", "broken", "running", "by_hand", "dropped")
#: Rows of closed callbacks, by when; open ones, by when they are due.
TABS = ("", "mine", "queue", "free", "overdue", "soon", "escalated", "asleep", "short", "closed", *FATES)

# As text, so that the indexes that begin with the kind are used.
OPEN = Task.state == literal_column("'open'")
IS_CALLBACK = Task.kind == literal_column("'callback'")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the board is asked for; the day from `day` to `until` is the reader's. Empty: all.

    `line`: the number that was called; `owner`: who has it.
    """

    now: datetime
    day: datetime
    until: datetime
    tab: str = ""
    line: str = ""
    queue: str = ""
    owner: int | None = None
    short: bool | None = None

    @property
    def soon(self) -> datetime:
        """What is due before then is due soon."""
        return self.now + SOON


class _Any(Asked):
    """What is asked for by anybody at any time."""

    __slots__ = ()

    @property
    def soon(self) -> datetime:
        """What is due before then is due soon."""
        return cast(datetime, bindparam("soon", type_=Moment()))


def any_such(asked: Asked) -> Asked:
    """All questions of this kind, of no tab, with the parameters that `values` gives."""
    return _any(bool(asked.line), bool(asked.queue), bool(asked.owner), asked.short)


@lru_cache(maxsize=512)
def _any(line: bool, queue: bool, owner: bool, short: bool | None) -> Asked:
    now, day, until = (cast(datetime, bindparam(name, type_=Moment())) for name in ("now", "day", "until"))
    names = {name: cast(str, bindparam(name)) for name, is_given in (("line", line), ("queue", queue)) if is_given}
    whose = cast(int, bindparam("owner", type_=Key)) if owner else None
    return _Any(now, day, until, owner=whose, short=short, **names)


def values(asked: Asked) -> dict[str, Any]:
    """The parameters of `any_such`."""
    moments = {"now": asked.now, "soon": asked.soon, "day": asked.day, "until": asked.until}
    return {**moments, "line": asked.line, "queue": asked.queue, "owner": asked.owner}


def tab(asked: Asked, actor: Actor, queues: Collection[str]) -> list[ColumnElement[bool]]:
    """The rows of a tab, or behind a figure."""
    if asked.tab in FATES:
        return of_day(asked) + ([] if asked.tab == "promised" else [fate(asked.tab, asked.now)])
    if asked.tab == "closed":
        return [IS_CALLBACK, Task.state != "open", Task.closed_at >= asked.day, Task.closed_at < asked.until]
    now = asked.now
    awake = or_(Task.snoozed_until.is_(None), Task.snoozed_until <= now)
    tabs: dict[str, list[ColumnElement[bool]]] = {
        "mine": [Task.owner_id == actor.user_id],
        "queue": [Task.queue.in_(sorted(queues)) if queues else false()],
        "free": [or_(Task.owner_id.is_(None), Task.owner_why.not_in(sorted(HOLDS)))],
        "overdue": [Task.due_at < now],
        "soon": [Task.due_at >= now, Task.due_at < asked.soon],
        "escalated": [Task.escalated_at.is_not(None)],
        "asleep": [Task.snoozed_until > now],
        "short": [Task.short_abandon.is_(True)],
    }
    put_off = [] if asked.tab in ("asleep", "mine", "escalated") else [awake]
    return [IS_CALLBACK, OPEN, *tabs.get(asked.tab, []), *put_off]


def filters(asked: Asked) -> list[ColumnElement[bool]]:
    """What the board is narrowed to."""
    plain = ((Task.called, asked.line), (Task.queue, asked.queue), (Task.owner_id, asked.owner))
    found: list[ColumnElement[bool]] = [column == value for column, value in plain if _is_given(value)]
    if asked.short is not None:
        found.append(Task.short_abandon.is_(asked.short))
    return found


def _is_given(value: object) -> bool:
    return isinstance(value, BindParameter) or bool(value)


def of_day(asked: Asked) -> list[ColumnElement[bool]]:
    """What was promised for the day."""
    return [IS_CALLBACK, Task.due_at >= asked.day, Task.due_at < asked.until]


def fate(name: str, now: datetime) -> ColumnElement[bool]:
    """The condition behind `callbacks.fate`; a test holds both together."""
    by_call = Task.closed_why.in_(BY_ITSELF)
    by_person = and_(Task.state != "open", or_(Task.closed_why.is_(None), ~by_call))
    return {
        "kept": and_(Task.state != "open", by_call, Task.closed_at <= Task.due_at),
        "broken": or_(and_(OPEN, Task.due_at < now), and_(Task.state != "open", by_call, Task.closed_at > Task.due_at)),
        "running": and_(OPEN, Task.due_at >= now),
        "by_hand": and_(by_person, Task.state == "done"),
        "dropped": and_(by_person, Task.state == "dropped"),
    }[name]
