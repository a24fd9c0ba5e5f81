"""What the writer handles: a unit of work, the job that carries it, and how it all fares in words."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.facts import KINDS, Fact

T = TypeVar("T")
Work = Callable[["Unit"], Awaitable[T]]


class NotSaved(CallcrmError):
    """The database could not be written as long as the unit had patience; nothing of the unit is in it."""


class InDoubt(NotSaved):
    """The connection was lost in the commit, and nobody could be asked since whether it had been done."""


class Unit:
    """One unit of work inside the group's transaction.

    `db` runs SQLAlchemy Core statements; `now` is the same moment throughout. The work may
    run again after a rollback, so it must change nothing but `db`.
    """

    def __init__(self, db: AsyncConnection, now: datetime) -> None:
        self.db = db
        self.now = now
        self.facts: list[Fact] = []

    def fact(self, kind: str, *, stream: str = "desk", at: datetime | None = None, **ids: str | int | None) -> None:
        """Tell that `kind` (one of facts.KINDS) happened; stored and published with the commit."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a kind of fact; add it to callcrm.kernel.facts.KINDS")
        for name, value in ids.items():
            if value is not None and not isinstance(value, (str, int)):
                raise TypeError(f"a fact holds ids: {name} is {value!r}")
        self.facts.append(Fact(kind, at or self.now, ids, stream))


@dataclass(frozen=True, slots=True)
class Health:
    """How the writer fares, for people: `words` is empty while all is well; `waiting` counts units."""

    well: bool
    words: str = ""
    since: datetime | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps the database from being written, since when, and how often it was tried."""

    words: str = ""
    since: datetime | None = None
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """A unit's work on its way; `done` is its caller's.

    `urgent`: it goes ahead of what waits. `running`: in the database's hands at this moment.
    `doubted`: perhaps committed.
    """

    work: Work[T]
    name: str
    patience_s: float
    deadline: float
    done: asyncio.Future[T]
    context: dict[str, Any]
    urgent: bool = False
    running: bool = False
    doubted: bool = False
    result: T | None = None
    error: Exception | None = None

    def end(self, error: Exception) -> None:
        """Tell the caller of an error."""
        if not self.done.done():
            self.done.set_exception(error)

    def settle(self) -> None:
        """Tell the caller how the work ended."""
        if self.error is not None:
            self.end(self.error)
        elif not self.done.done():
            self.done.set_result(cast(T, self.result))

    def give_up(self, why: str) -> None:
        """Tell the caller that his patience is at its end."""
        if self.doubted:
            self.end(InDoubt(f"It is not known whether this was saved: {why} Look whether it is there."))
        else:
            self.end(NotSaved(f"Not saved in {self.patience_s:g} s: {why}"))
