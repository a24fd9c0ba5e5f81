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
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import clock, streams
from callcrm.kernel.database import Database, alive, reason_of
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import Recorded
from callcrm.kernel.trouble import DatabaseGone, mend_of, passes
from callcrm.kernel.unit import Health, InDoubt, Job, NotSaved, Trouble, Unit, Work
from callcrm.kernel.waiting import Waiting

__all__ = ["Health", "InDoubt", "NotSaved", "Unit", "Writer"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

PATIENCE_S = 30.0
ATTEMPT_S = 20.0
QUEUE = 1000
#: Units in one transaction at most. SQLite's commits wait for no disk: there short transactions let urgent units in.
GROUP = {"sqlite": 8, "postgresql": 200}
PAUSE_S = (0.05, 2.0)
_CLOSED = "Not saved: the service is shutting down; try again when it is back."


class Publisher(Protocol):
    """Who hears of facts once they are committed: a bus."""

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell of `facts`, in the order of their positions."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A commit whose answer was lost: perhaps done, perhaps not."""

    transaction: str
    jobs: list[Job[Any]]
    facts: list[Fact]


class Writer:
    """THE writer of one database; `async with Writer(database, bus) as writer` starts and drains it."""

    def __init__(
        self, database: Database, bus: Publisher, *, patience_s: float = PATIENCE_S, queue: int = QUEUE
    ) -> None:
        self._database = database
        self._bus = bus
        self._patience_s = patience_s
        self._queue = Waiting(queue)
        self._task: asyncio.Task[None] | None = None
        self._connection: AsyncConnection | None = None
        self._trouble = Trouble()
        self._committing: str | None = None
        self._sealed: list[Fact] = []
        self._doubt: _Doubt | None = None
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
        return Health(not trouble.words, trouble.words, trouble.since, len(self._queue))

    async def do(self, work: Work[T], *, name: str, patience_s: float | None = None, urgent: bool = False) -> T:
        """Run `work` in the next transaction and return its result after the commit.

        An `urgent` one goes ahead of all that waits: somebody looks at his screen for it.
        What `work` raises is raised here, and only its own changes are undone. Waits while the
        queue is full. When the database could not be written for `patience_s` seconds (the
        writer's unless told; math.inf never gives up), raises NotSaved: nothing was stored.
        """
        if self._closing:
            raise NotSaved(_CLOSED)
        self.start()
        loop = asyncio.get_running_loop()
        patience = self._patience_s if patience_s is None else patience_s
        context = structlog.contextvars.get_contextvars()
        job: Job[T] = Job(work, name, patience, loop.time() + patience, loop.create_future(), context, urgent)
        endless = math.isinf(patience)
        try:
            async with asyncio.timeout(None if endless else patience):
                await self._queue.put(job)
        except TimeoutError:
            raise NotSaved(f"Not saved in {patience:g} s: {self._why()}") from None
        if self._task is None or self._task.done():
            raise NotSaved(_CLOSED)
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
        self._queue.end()
        await self._task
        for late in self._queue.drain():
            late.end(NotSaved(_CLOSED))
        await self._let_go()

    def _expire(self, job: Job[Any]) -> None:
        # What is in the database's hands right now may yet be committed: its attempt ends first.
        if not job.running:
            job.give_up(self._why())

    def _why(self) -> str:
        return self._trouble.words or "The database is too busy; wait a moment and try again."

    async def _run(self) -> None:
        while group := await self._queue.next_group(GROUP[self._database.dialect]):
            try:
                await self._persist(group)
            except Exception as error:
                log.exception("the writer failed over a group of units", units=[job.name for job in group])
                for job in group:
                    job.end(error)

    async def _persist(self, group: list[Job[Any]]) -> None:
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
                    job.give_up(self._why())
            group = [job for job in group if not job.done.done()]

    async def _attempt(self, jobs: list[Job[Any]]) -> Exception | None:
        """One transaction; its units are told only when it is committed. Returns what broke it."""
        for job in jobs:
            job.running = True
        self._committing = None
        recorded = Recorded([])
        try:
            async with asyncio.timeout(ATTEMPT_S):
                if await self._was_done_after_all():
                    return None
                recorded = await self._transact(jobs)
        except Exception as error:
            if self._committing is not None and passes(error):
                self._doubt = _Doubt(self._committing, jobs, self._sealed)
                for job in jobs:
                    job.doubted = True
            await self._let_go()
            return error
        finally:
            for job in jobs:
                job.running = False
        self._tell(jobs, recorded.facts)
        return None

    def _tell(self, jobs: list[Job[Any]], facts: list[Fact]) -> None:
        """After the commit: callers get their results, the bus its facts."""
        for job in jobs:
            job.settle()
        if facts:
            self._bus.publish(facts)

    async def _was_done_after_all(self) -> bool:
        """Clear up a doubt: whether the commit whose answer was lost had been done, so that it is not done twice."""
        doubt = self._doubt
        if doubt is None:
            return False
        connection = await self._connected()
        async with connection.begin():
            done = await streams.was_committed(connection, doubt.transaction)
        if done is None:
            raise DatabaseGone("it is still busy with the last transaction")
        self._doubt = None
        for job in doubt.jobs:
            job.doubted = False
        if done:
            self._tell(doubt.jobs, doubt.facts)
        return done

    async def _transact(self, jobs: list[Job[Any]]) -> Recorded:
        connection = await self._connected()
        told: list[Fact] = []
        now = clock.now()
        async with self._database.begun(connection) as transaction:
            for job in jobs:
                if job is not jobs[0]:
                    # SQLite's short steps are done in place: without this a long group would hold up everybody else.
                    await asyncio.sleep(0)
                told += await self._one(connection, job, now, alone=len(jobs) == 1)
            if len(jobs) == 1 and jobs[0].error is not None:
                await transaction.rollback()
                return Recorded([])
            recorded = await streams.record(connection, told)
            self._committing, self._sealed = recorded.transaction, recorded.facts
        self._committing = None
        return recorded

    async def _one(self, connection: AsyncConnection, job: Job[Any], now: datetime, *, alone: bool) -> list[Fact]:
        unit = Unit(connection, now)
        job.error = None
        with structlog.contextvars.bound_contextvars(**job.context):
            try:
                async with contextlib.nullcontext() if alone else _savepoint(connection):
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
        if self._doubt is not None or isinstance(error, (DBAPIError, DatabaseGone)):
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
            self._trouble = Trouble()

    async def _failed(self, error: Exception, name: str) -> None:
        """Tell the trouble once, and pause, longer each time."""
        reason = reason_of(error)
        words = f"The database {self._database.place} cannot be written ({reason}); {mend_of(reason)}."
        if self._trouble.words != words:
            log.error(words, unit=name, error=repr(error))
        attempts = self._trouble.attempts + 1
        self._trouble = Trouble(words, self._trouble.since or clock.now(), attempts)
        first, most = PAUSE_S
        await asyncio.sleep(min(most, first * 2 ** min(attempts - 1, 16)))


@contextlib.asynccontextmanager
async def _savepoint(connection: AsyncConnection) -> AsyncIterator[None]:
    """Undo what the block did, and only that, when it raises; nothing is undone by itself on a broken connection."""
    await connection.exec_driver_sql("SAVEPOINT unit")
    try:
        yield
    except Exception as error:
        if not passes(error):
            await connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
            await connection.exec_driver_sql("RELEASE SAVEPOINT unit")
        raise
    await connection.exec_driver_sql("RELEASE SAVEPOINT unit")
