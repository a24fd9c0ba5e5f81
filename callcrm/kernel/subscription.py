"""One listener on the bus: first what it missed, from the table; then what comes, in order, each fact once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import facts_after, positions
from callcrm.kernel.trouble import passes

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAGE = 500
RETRY_S = 0.5
#: Who is further behind than this reads the state anew, which is quicker.
BACKLOG = 20_000


@dataclass(frozen=True, slots=True)
class Resync:
    """Facts were passed over: read the state anew; facts behind `positions` (per stream) follow."""

    positions: Mapping[str, int]


class Subscription(AsyncIterator[Fact | Resync]):
    """An async iterator of facts, bounded: a slow listener gets a `Resync` in place of what it did not take.

    Of `kinds` only, where some are named. `taken` tells the position of each stream up to which facts were handed
    out; given as `after` to another subscription, that one goes on from there. Ends at `close`.
    """

    def __init__(
        self,
        name: str,
        database: Database,
        after: Mapping[str, int],
        limit: int,
        forget: Callable[["Subscription"], None],
        *,
        kinds: Collection[str] = (),
    ) -> None:
        self.name = name
        self.taken: dict[str, int] = dict(after)
        self._behind = set(after)
        self._announced: dict[str, int] = {}
        self._missed: deque[Fact] = deque()
        self._waiting: deque[Fact] = deque()
        self._lost = False
        self._database = database
        self._limit = limit
        self._forget = forget
        self._kinds = frozenset(kinds)
        self._woken = asyncio.Event()
        self._closed = False

    def offer(self, facts: Sequence[Fact]) -> None:
        """Queue `facts`; called by the bus."""
        if self._closed or self._lost:
            return
        if self._behind:
            # What is told of a stream that is still being read from the table will be read there.
            self._announced.update({fact.stream: fact.position for fact in facts})
            facts = [fact for fact in facts if fact.stream not in self._behind]
        if self._kinds:
            # Who hears few kinds is not woken by the many others: on a busy desk the wakes are what is paid.
            facts = [fact for fact in facts if fact.kind in self._kinds]
            if not facts:
                return
        if len(self._waiting) + len(facts) > self._limit:
            log.warning("a listener is too slow and must read the state anew", listener=self.name, limit=self._limit)
            self.resync()
            return
        self._waiting.extend(facts)
        self._woken.set()

    def resync(self) -> None:
        """Drop what waits, and hand out a `Resync` in its place."""
        self._lost = True
        self._waiting.clear()
        self._woken.set()

    def close(self) -> None:
        """End the iteration, also for who waits in it; idempotent."""
        self._closed = True
        self._forget(self)
        self._woken.set()

    async def __anext__(self) -> Fact | Resync:
        while not self._closed:
            if self._lost:
                return await self._start_anew()
            if not self._missed and self._behind:
                await self._read_on()
            elif not self._missed and not self._waiting:
                self._woken.clear()
                await self._woken.wait()
            else:
                fact = (self._missed or self._waiting).popleft()
                if fact.position > self.taken.get(fact.stream, 0):
                    self.taken[fact.stream] = fact.position
                    if not self._kinds or fact.kind in self._kinds:
                        return fact
        raise StopAsyncIteration

    async def _start_anew(self) -> Resync:
        # Cleared before the positions are read: what comes while they are read is queued behind them.
        self._lost = False
        try:
            reached = await self._patiently(positions)
        except BaseException:
            self._lost = True
            raise
        self._behind.clear()
        self._missed.clear()
        self.taken = dict(reached)
        return Resync(reached)

    async def _read_on(self) -> None:
        """Read what lies behind `taken` of one stream; a stream with nothing more is caught up."""
        stream = min(self._behind)
        taken = self.taken[stream]

        async def page(db: AsyncConnection) -> tuple[list[Fact], int]:
            # In this order: a fact that comes between the two is among the facts, and none is missed.
            reached = (await positions(db)).get(stream, 0)
            return await facts_after(db, stream, taken, PAGE), reached

        facts, reached = await self._patiently(page)
        pruned = facts[0].position != taken + 1 if facts else taken < reached
        if pruned or taken > reached or reached - taken > BACKLOG:
            self.resync()
        elif facts:
            self._missed.extend(facts)
        elif self._announced.get(stream, 0) <= taken:
            self._behind.discard(stream)

    async def _patiently(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `query` reads, tried again while the database is gone."""
        while True:
            try:
                async with self._database.read() as db:
                    return await query(db)
            except Exception as error:
                if not passes(error):
                    raise
                log.warning("facts cannot be read at present", listener=self.name, error=repr(error))
            await asyncio.sleep(RETRY_S)
