"""The writer: every change of the database goes through here, many units in one transaction.

A unit is a function that is handed a `Unit`: it reads and changes rows and tells facts.
What waits is drained into one transaction (group commit); each unit has a savepoint, so
that one that fails undoes only itself. Facts get their positions at the end of the same
transaction, and are published after its commit.

A database that is locked, full or gone delays units and loses none: the group is rolled
back and tried again with growing pauses, until a unit's patience ends, which its caller
is told in a sentence.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, cast

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import clock, streams
from callcrm.kernel.database import Database, alive, reason_of
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.facts import KINDS, Fact
from callcrm.kernel.trouble import DatabaseGone, mend_of, passes

log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[["Unit"], Awaitable[T]]

PATIENCE_S = 30.0
ATTEMPT_S = 20.0
QUEUE = 1000
GROUP = 200
PAUSE_S = (0.05, 2.0)


class Publisher(Protocol):
    """Who hears of facts once they are committed: a bus."""

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell of `facts`, in the order of their positions."""


class NotSaved(CallcrmError):
    """The database could not be written as long as the unit had patience; nothing of the unit is in it."""


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


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    work: Work[T]
    name: str
    patience_s: float
    deadline: float
    done: asyncio.Future[T]
    context: dict[str, Any]
    running: bool = False
    result: T | None = None
    error: Exception | None = None

    def end(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def settle(self) -> None:
        if self.error is not None:
            self.end(self.error)
        elif not self.done.done():
            self.done.set_result(cast(T, self.result))


@dataclass(frozen=True, slots=True)
class _Trouble:
    words: str = ""
    since: datetime | None = None
    attempts: int = 0


class Writer:
    """THE writer of one database; `async with Writer(database, bus) as writer` starts and drains it."""

    def __init__(
        self, database: Database, bus: Publisher, *, patience_s: float = PATIENCE_S, queue: int = QUEUE
    ) -> None:
        self._database = database
        self._bus = bus
        self._patience_s = patience_s
        self._queue: asyncio.Queue[_Job[Any] | None] = asyncio.Queue(queue)
        self._task: asyncio.Task[None] | None = None
        self._connection: AsyncConnection | None = None
        self._trouble = _Trouble()
        self._closing = False

    async def __aenter__(self) -> "Writer":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to write."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="writer")

    @property
    def health(self) -> Health:
        """How it fares now."""
        trouble = self._trouble
        return Health(not trouble.words, trouble.words, trouble.since, self._queue.qsize())

    async def do(self, work: Work[T], *, name: str, patience_s: float | None = None) -> T:
        """Run `work` in the next transaction and return its result after the commit.

        What `work` raises is raised here, and only its own changes are undone. Waits while the
        queue is full. When the database could not be written for `patience_s` seconds (the
        writer's unless told; math.inf never gives up), raises NotSaved: nothing was stored.
        """
        if self._closing:
            raise NotSaved("Not saved: the service is shutting down; try again when it is back.")
        self.start()
        loop = asyncio.get_running_loop()
        patience = self._patience_s if patience_s is None else patience_s
        context = structlog.contextvars.get_contextvars()
        job: _Job[T] = _Job(work, name, patience, loop.time() + patience, loop.create_future(), context)
        endless = math.isinf(patience)
        try:
            async with asyncio.timeout(None if endless else patience):
                await self._queue.put(job)
        except TimeoutError:
            raise NotSaved(self._sorry(patience)) from None
        timer = None if endless else loop.call_at(job.deadline, self._expire, job)
        try:
            return await job.done
        finally:
            if timer is not None:
                timer.cancel()

    async def close(self) -> None:
        """Write what was accepted, then stop; idempotent."""
        if self._task is None or self._closing:
            return
        self._closing = True
        await self._queue.put(None)
        await self._task
        await self._let_go()

    def _expire(self, job: _Job[Any]) -> None:
        # What is in the database's hands right now may yet be committed: its attempt ends first.
        if not job.running:
            job.end(NotSaved(self._sorry(job.patience_s)))

    def _sorry(self, patience: float) -> str:
        why = self._trouble.words or "The database is too busy; wait a moment and try again."
        return f"Not saved in {patience:g} s: {why}"

    async def _run(self) -> None:
        ending = False
        while not ending:
            job = await self._queue.get()
            group: list[_Job[Any]] = []
            while True:
                if job is None:
                    ending = True
                elif not job.done.done():
                    group.append(job)
                if ending or len(group) >= GROUP or self._queue.empty():
                    break
                job = self._queue.get_nowait()
            if group:
                await self._persist(group)

    async def _persist(self, group: list[_Job[Any]]) -> None:
        """Try until every unit of the group has its end."""
        one_by_one = False
        while group:
            # After a failure one by one, in order: a unit that breaks the transaction must not break the others'.
            attempt = group[:1] if one_by_one else group
            error = await self._attempt(attempt)
            if error is None:
                self._recovered()
            elif len(attempt) == 1 and await self._its_own_fault(error):
                attempt[0].end(error)
            elif passes(error):
                await self._failed(error, attempt[0].name)
            one_by_one = one_by_one or error is not None
            now = asyncio.get_running_loop().time()
            for job in group:
                if now >= job.deadline:
                    job.end(NotSaved(self._sorry(job.patience_s)))
            group = [job for job in group if not job.done.done()]

    async def _attempt(self, jobs: list[_Job[Any]]) -> Exception | None:
        """One transaction; its units are told only when it is committed. Returns what broke it."""
        for job in jobs:
            job.running = True
        try:
            async with asyncio.timeout(ATTEMPT_S):
                facts = await self._transact(jobs)
        except Exception as error:
            await self._let_go()
            return error
        finally:
            for job in jobs:
                job.running = False
        for job in jobs:
            job.settle()
        if facts:
            self._bus.publish(facts)
        return None

    async def _transact(self, jobs: list[_Job[Any]]) -> list[Fact]:
        connection = await self._connected()
        told: list[Fact] = []
        now = clock.now()
        async with connection.begin() as transaction:
            for job in jobs:
                told += await self._one(connection, job, now, alone=len(jobs) == 1)
                # SQLite's short steps are done in place: without this a long group would hold up everybody else.
                await asyncio.sleep(0)
            if len(jobs) == 1 and jobs[0].error is not None:
                await transaction.rollback()
                return []
            return await streams.record(connection, told)

    async def _one(self, connection: AsyncConnection, job: _Job[Any], now: datetime, *, alone: bool) -> list[Fact]:
        unit = Unit(connection, now)
        job.error = None
        with structlog.contextvars.bound_contextvars(**job.context):
            try:
                async with contextlib.nullcontext() if alone else connection.begin_nested():
                    job.result = await job.work(unit)
            except Exception as error:
                if passes(error):
                    raise
                if not isinstance(error, CallcrmError):
                    log.warning("a unit of work failed and was undone", unit=job.name, error=repr(error))
                job.error = error
                return []
        return unit.facts

    async def _its_own_fault(self, error: Exception) -> bool:
        """Whether the database is well, so that `error` is the unit's: it raised or took too long by itself."""
        if not passes(error):
            return True
        if isinstance(error, (DBAPIError, DatabaseGone)):
            return False
        try:
            async with asyncio.timeout(ATTEMPT_S):
                await alive(self._database)
        except Exception:
            return False
        return True

    async def _connected(self) -> AsyncConnection:
        if self._database.moved():
            await self._let_go()
            await self._database.reopen()
        if self._connection is None:
            self._connection = await self._database.connect_writer().start()
        return self._connection

    async def _let_go(self) -> None:
        """Throw the connection away, and with it whatever transaction or limit it had."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(5):
                await connection.invalidate()
                await connection.close()
        except Exception as error:
            log.debug("a broken connection could not be closed in order", error=repr(error))

    def _recovered(self) -> None:
        if self._trouble.attempts:
            log.info("the database is written again", attempts=self._trouble.attempts)
            self._trouble = _Trouble()

    async def _failed(self, error: Exception, name: str) -> None:
        """Tell the trouble once, and pause, longer each time."""
        reason = reason_of(error)
        words = f"The database {self._database.place} cannot be written ({reason}); {mend_of(reason)}."
        if self._trouble.words != words:
            log.error(words, unit=name, error=repr(error))
        attempts = self._trouble.attempts + 1
        self._trouble = _Trouble(words, self._trouble.since or clock.now(), attempts)
        first, most = PAUSE_S
        await asyncio.sleep(min(most, first * 2 ** min(attempts - 1, 16)))
