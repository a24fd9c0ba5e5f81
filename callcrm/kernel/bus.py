"""The bus: tells whoever listens that facts were stored.

The stored facts are the truth; a bus only wakes readers up, so that each may live in a
process of its own. `LocalBus` is for one process; `PollingBus` reads SQLite's facts of
other processes every tenth of a second; `PostgresBus` (postgres_bus.py) is woken by NOTIFY.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import structlog

from callcrm.kernel.database import Database, reason_of
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import facts_after, positions
from callcrm.kernel.subscription import Subscription

log = structlog.get_logger(__name__)

POLL_S = 0.1
PAGE = 500


class Bus(Protocol):
    """Where facts are published and heard."""

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell of facts that are committed, in the order of their positions."""

    def subscribe(
        self, name: str, *, after: Mapping[str, int] | None = None, limit: int = ..., kinds: Collection[str] = ...
    ) -> Subscription:
        """Hear every fact (or those of `kinds`) from now on; of the streams in `after`, also what was stored behind."""

    async def start(self) -> None:
        """Begin to listen to other processes."""

    async def close(self) -> None:
        """End every subscription and stop; idempotent."""


class LocalBus:
    """Everything in one process: facts go straight from the writer to the subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscriptions: set[Subscription] = set()

    async def __aenter__(self) -> "LocalBus":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell of facts that are committed, in the order of their positions."""
        for subscription in tuple(self._subscriptions):
            subscription.offer(facts)

    def subscribe(
        self, name: str, *, after: Mapping[str, int] | None = None, limit: int = 1000, kinds: Collection[str] = ()
    ) -> Subscription:
        """Hear every fact (or those of `kinds`) from now on; of the streams in `after`, also what was stored behind it.

        `limit` bounds what may wait: who is slower than that gets one `Resync` in place of it.
        """
        subscription = Subscription(name, self._database, after or {}, limit, self._subscriptions.discard, kinds=kinds)
        self._subscriptions.add(subscription)
        return subscription

    async def start(self) -> None:
        """Nothing to listen to: the only writer is here."""

    async def close(self) -> None:
        """End every subscription; idempotent."""
        for subscription in tuple(self._subscriptions):
            subscription.close()


class PollingBus(LocalBus):
    """Several processes on one database: facts of the others are read from the table every `poll_s` seconds."""

    def __init__(self, database: Database, *, poll_s: float = POLL_S) -> None:
        super().__init__(database)
        self._poll_s = poll_s
        self._known: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Note where the streams stand, and begin to read what follows."""
        if self._task is None:
            async with self._database.read() as db:
                self._known = await positions(db)
            self._task = asyncio.create_task(self._follow(), name="bus")

    async def close(self) -> None:
        """End every subscription and stop reading; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().close()

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell of facts of this process at once where nothing lies between; else the table is read."""
        self._tell(facts)
        if any(fact.position > self._known.get(fact.stream, 0) for fact in facts):
            self._woken.set()

    def _tell(self, facts: Sequence[Fact]) -> None:
        """Pass on what follows without a gap on what is known; each fact once, whoever brought it."""
        fresh = []
        for fact in facts:
            if fact.position == self._known.get(fact.stream, 0) + 1:
                self._known[fact.stream] = fact.position
                fresh.append(fact)
        if fresh:
            super().publish(fresh)

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._catch_up()
            except Exception as error:
                self._say(f"Facts cannot be read ({reason_of(error)}); what other processes tell comes late.")
                await asyncio.sleep(max(self._poll_s, 0.5))
            else:
                self._say("")

    def _say(self, words: str) -> None:
        if words and words != self._trouble:
            log.error(words)
        self._trouble = words

    async def _catch_up(self) -> None:
        # What is published here while the positions are read is ahead of them: that is no going back.
        before = dict(self._known)
        async with self._database.glance() as db:
            reached = await positions(db)
            for stream, position in reached.items():
                if position < before.get(stream, 0):
                    log.warning("a stream of facts went back, as after a restore", stream=stream)
                    self._jump(stream, position)
                while self._known.get(stream, 0) < position:
                    facts = await facts_after(db, stream, self._known.get(stream, 0), PAGE)
                    self._tell(facts)
                    told = self._known.get(stream, 0)
                    if told < position and (not facts or facts[-1].position > told):
                        self._jump(stream, position)

    def _jump(self, stream: str, position: int) -> None:
        """Facts between are no longer kept: everybody reads the state anew."""
        self._known[stream] = position
        for subscription in tuple(self._subscriptions):
            subscription.resync()


async def open_bus(database: Database, *, shared: bool) -> Bus:
    """A started bus: local when this process does everything, else one that hears the other processes (`shared`)."""
    from callcrm.kernel.postgres_bus import PostgresBus

    bus: Bus
    if not shared:
        bus = LocalBus(database)
    elif database.dialect == "postgresql":
        bus = PostgresBus(database)
    else:
        bus = PollingBus(database)
    await bus.start()
    return bus
