"""The feed: takes facts from the bus, and tells each client what of them is his to see.

Pops go out first and at once. Changes of calls are gathered for a fifth of a second, so that
one call that rings, is answered and held is one message; what waits there counts as not told.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Db
from callcrm.kernel.subscription import Resync, Subscription
from callcrm.kernel.trouble import passes
from callcrm.kernel.writer import NotSaved, Writer
from callcrm.push import changes, metrics, restore, views
from callcrm.push.book import PRESENT, PopBook
from callcrm.push.cursor import Told
from callcrm.push.frames import Labels
from callcrm.push.hub import Client, Hub
from callcrm.push.pop import RULES, CallGist, Pop, Step
from callcrm.push.receipts import Receipts
from callcrm.push.resume import Resumption
from callcrm.push.teller import Live, Teller
from callcrm.push.views import CallView

log = structlog.get_logger(__name__)

Lent = TypeVar("Lent")

GATHER_S = 0.2
SAVE_S = 0.25
FORGET_S = 30.0
#: Facts taken from the bus and not yet dealt with; beyond it the bus's own bound holds.
TAKEN = 500
#: Calls that are read and told in one go when nobody waits for them.
FEW_CALLS = 3
#: Calls whose cards are kept at hand.
VIEWS = 4000
RETRY_S = 0.25
GONE = CallGist("", exists=False)
UNKNOWN = CallGist("inbound")
#: Facts that change nothing of what a pop shows of the call itself.
_PHONES = frozenset({"call.ringing", "call.stopped_ringing", "call.answered", "call.left", "pop.closed"})


class Feed:
    """One reader of the facts, who remembers the pops and tells the clients of the hub."""

    def __init__(self, database: Database, writer: Writer, bus: Bus, hub: Hub, labels: Labels) -> None:
        self._database = database
        self._writer = writer
        self._bus = bus
        self._hub = hub
        self.book = PopBook()
        self._told = Told({})
        self._teller = Teller(self.book, labels)
        self._live = Live(hub, self._told)
        self.receipts = Receipts(self.book, self._resend)
        self._resumption = Resumption(
            database, hub, book=self.book, told=self._told, teller=self._teller, receipts=self.receipts
        )
        self._views: dict[str, CallView] = {}
        self._moved: set[int] = set()
        self._gathered: set[str] = set()
        self._gather = asyncio.Event()
        self._telling = False
        self._taken: deque[Fact | Resync] = deque()
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._subscription: Subscription | None = None

    # Life

    async def run(self, started: Callable[[], Awaitable[None]]) -> None:
        """Read what is present, call `started`, then follow the facts until cancelled."""
        self._subscription = self._bus.subscribe("push")
        try:
            await self._patiently(self._restore, "pops cannot be restored at present")
            await self._glance(views.rehearse, "pops cannot be read at present")
            await started()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._take(self._subscription), name="push.take")
                tasks.create_task(self._deal(), name="push.deal")
                tasks.create_task(self._tell_gathered(), name="push.gather")
                tasks.create_task(self._save(), name="push.save")
                tasks.create_task(self._tidy(), name="push.tidy")
                tasks.create_task(self.receipts.watch(), name="push.receipts")
        finally:
            self._subscription.close()

    async def close(self) -> None:
        """Write what is not written yet."""
        if self.book.unsaved:
            try:
                await self._writer.do(self.book.take().save, name="push.pops", patience_s=5)
            except NotSaved as error:
                log.warning("the last pops were not saved", error=str(error))

    def reached(self) -> dict[str, int]:
        """How far each stream of facts was dealt with."""
        return self._told.reached()

    @property
    def gathering(self) -> bool:
        """Whether changes of calls wait to be told."""
        return bool(self._gathered) or self._telling

    # What clients ask for

    async def welcome(self, client: Client) -> None:
        """Tell a new client what is present; live frames wait until it resumes or a moment has passed."""
        await self._resumption.welcome(client)

    async def resume(self, client: Client, after: str) -> None:
        """Tell a client what it missed, or to refetch."""
        await self._resumption.resume(client, after)

    def painted(self, client: Client, named: str) -> None:
        """A receipt of a browser."""
        self.receipts.painted(client.actor.user_id, named)

    def opened(self, client: Client, named: str) -> None:
        """A person opened his pop."""
        self.receipts.opened(client.actor.user_id, named)

    # From the bus

    async def _take(self, subscription: Subscription) -> None:
        """Take facts as they come, so that a group that was written together is dealt with together."""
        async for item in subscription:
            self._taken.append(item)
            self._something.set()
            if len(self._taken) >= TAKEN:
                self._room.clear()
                await self._room.wait()

    async def _deal(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            batch = list(self._taken)
            self._taken.clear()
            self._room.set()
            if any(isinstance(item, Resync) for item in batch):
                await self._patiently(self._resync, "facts cannot be read at present")
                continue
            facts = [item for item in batch if isinstance(item, Fact)]
            try:
                await self._deal_with(facts)
            except Exception:
                log.warning("facts could not be dealt with; everybody is told to read anew", **_trace(facts))
                self._refetch_all("Something that happened could not be told.")
            for fact in facts:
                self._told.reach(fact.stream, fact.position)
            metrics.FACTS.inc(len(facts))

    async def _deal_with(self, facts: Sequence[Fact]) -> None:
        wanted = self._to_read(facts)
        if wanted:
            await self._glance(partial(self._pops, facts=facts, wanted=wanted), "pops cannot be read")
        else:
            self._tell_pops(facts, wanted, {})
        self._hold(facts)
        if changes.has_others(facts):
            await self._patiently(partial(self._others, facts=facts), "changes cannot be read")
        elif people := changes.people_of(facts):
            await self._glance(partial(self._operators, people=people), "changes cannot be read")

    async def _patiently(self, work: Callable[[AsyncConnection], Awaitable[None]], words: str) -> None:
        """Do what reads the database, in one picture of it, as often as it needs."""
        await self._reading(self._database.read, work, words)

    async def _glance(self, work: Callable[[Db], Awaitable[None]], words: str) -> None:
        """The same with prepared statements only, at once: on the way of every pop."""
        await self._reading(self._database.glance, work, words)

    async def _reading(
        self, lend: Callable[[], AbstractAsyncContextManager[Lent]], work: Callable[[Lent], Awaitable[None]], words: str
    ) -> None:
        """Again while the database is gone: a fact that was taken is not passed over."""
        while True:
            try:
                async with lend() as db:
                    await work(db)
            except Exception as error:
                if not passes(error):
                    raise
                log.warning(f"{words}; trying again", error=repr(error))
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _restore(self, db: AsyncConnection) -> None:
        await restore.restore(db, self.book, self._told, self._teller, clock.now())

    def _refetch_all(self, why: str) -> None:
        for client in list(self._hub):
            self._resumption.refetch(client, why)

    async def _resync(self, db: AsyncConnection) -> None:
        self._views.clear()
        await self._restore(db)
        self._refetch_all("The server was too busy to tell everything that happened.")
        for client in list(self._hub):
            if self.book.present(client.actor.user_id):
                await self._resumption.present(db, client)

    # Pops

    async def _pops(self, db: Db, facts: Sequence[Fact], wanted: set[str]) -> None:
        self._tell_pops(facts, wanted, await views.calls(db, wanted))

    def _tell_pops(self, facts: Sequence[Fact], wanted: set[str], found: dict[str, CallView]) -> None:
        before = {key: self._views.get(key) for key in wanted}
        self._views.update(found)
        told: set[str] = set()
        for fact in facts:
            if fact.kind in RULES:
                for step in self.book.apply(fact, self._gist(str(fact.ids.get("call")), wanted, found)):
                    self._tell_pop(step, fact)
                    told.add(step.pop.id)
        for key, view in found.items():
            if _face(before[key]) != _face(view):
                self._retell(key, told)
        self._let_go(facts)

    def _to_read(self, facts: Sequence[Fact]) -> set[str]:
        """The calls whose view is not at hand or is no longer true."""
        wanted = set()
        for fact in facts:
            key = str(fact.ids.get("call"))
            if fact.kind in _PHONES:
                if key not in self._views:
                    wanted.add(key)
            elif fact.kind == "call.began":
                wanted.add(key)
            elif fact.kind in ("call.changed", "call.linked", "call.ended", "call.noted"):
                known = self._views.pop(key, None) if not self.book.knows(key) else self._views.get(key)
                if self.book.knows(key) or (fact.kind != "call.ended" and known and known.direction == "outbound"):
                    wanted.add(key)
            elif fact.kind == "client.changed":
                wanted |= self._showing(fact.ids.get("client"))
        return wanted

    def _showing(self, client: str | int | None) -> set[str]:
        """Calls with pops that show this card."""
        shown = (key for key, view in self._views.items() if any(card.id == client for card in view.clients))
        return {key for key in shown if self.book.knows(key)}

    def _gist(self, key: str, wanted: set[str], found: dict[str, CallView]) -> CallGist:
        view = self._views.get(key)
        if key in wanted and key not in found:
            return GONE
        if view is None:
            return UNKNOWN
        return CallGist(view.direction, view.operator_id, view.operator or "")

    def _tell_pop(self, step: Step, fact: Fact) -> None:
        view = self._views.get(step.pop.call)
        if view is None:
            return
        first = step.message == "pop.offered" or (step.message == "pop.answered" and step.pop.at == fact.at)
        sent, frame_id = self._teller.pop(self._live, step.pop, view, fact.at)
        self.receipts.sent(step.pop, frame_id, fact.at, first=first, seen=sent > 0)
        self._moved.add(step.pop.user)
        log.info(
            step.message.replace(".", " "),
            call=step.pop.call,
            user=step.pop.user,
            phone=step.pop.extension,
            reason=step.pop.reason or None,
            sockets=sent,
        )

    def _retell(self, call: str, told: set[str]) -> None:
        """What a present pop shows has changed: tell it again as it stands."""
        for pop in self.book.of_call(call):
            if pop.state in PRESENT and pop.id not in told:
                self._resend(pop)

    def _resend(self, pop: Pop) -> None:
        view = self._views.get(pop.call)
        if view is not None:
            now = clock.now()
            sent, frame_id = self._teller.pop(self._live, pop, view, now)
            self.receipts.sent(pop, frame_id, now, first=False, seen=sent > 0)

    def _let_go(self, facts: Iterable[Fact]) -> None:
        """Views of calls that are over and popped up for nobody; and the oldest when there are too many."""
        for fact in facts:
            key = str(fact.ids.get("call"))
            if fact.kind == "call.ended" and not self.book.knows(key):
                self._views.pop(key, None)
        while len(self._views) > VIEWS:
            del self._views[next(iter(self._views))]

    # Everything else

    def _hold(self, facts: Sequence[Fact]) -> None:
        """Changes of calls are told a moment later; a call that was folded, at once."""
        for fact in facts:
            if fact.ids.get("into"):
                self._teller.folded(self._live, fact)
            elif key := changes.call_of(fact):
                self._told.hold(key, fact.stream, fact.position)
                self._gathered.add(key)
                self._gather.set()

    async def _others(self, db: AsyncConnection, facts: Sequence[Fact]) -> None:
        if any(changes.of_people(fact) for fact in facts):
            self._teller.set_people(await views.people(db))
        await changes.tell_others(db, facts, self._teller, self._live)

    async def _operators(self, db: Db, people: Mapping[int, datetime]) -> None:
        await changes.tell_operators(db, people, self._teller, self._live)

    async def _tell_gathered(self) -> None:
        while True:
            await self._gather.wait()
            await asyncio.sleep(GATHER_S)
            self._gather.clear()
            gathered, self._gathered = self._gathered, set()
            if not len(self._hub):
                self._release(gathered)
                continue
            self._telling = True
            try:
                await self._tell_calls(sorted(gathered))
            except Exception:
                log.warning("changes of calls could not be told; everybody is told to read anew", **_trace())
                self._release(gathered)
                self._refetch_all("Something that happened could not be told.")
            self._telling = False

    async def _tell_calls(self, keys: Sequence[str]) -> None:
        """A few at a time, so that a pop can come between."""
        for start in range(0, len(keys), FEW_CALLS):
            some = set(keys[start : start + FEW_CALLS])
            await self._glance(partial(self._calls, keys=some), "calls cannot be read")
            await asyncio.sleep(0)

    async def _calls(self, db: Db, keys: set[str]) -> None:
        found = await views.with_parties(db, await views.calls(db, keys))
        moved, self._moved = self._moved, set()
        for user in moved:
            self._teller.operator(self._live, user, clock.now(), again=False)
        for key in list(keys):
            self._release([key] if key not in self._gathered else [])
            if key in found:
                self._teller.call(self._live, found[key], clock.now())
                await asyncio.sleep(0)

    def _release(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._told.release(key)

    # Keeping

    async def _save(self) -> None:
        while True:
            await self.book.woken.wait()
            await asyncio.sleep(SAVE_S)
            self.book.woken.clear()
            batch = self.book.take()
            try:
                await self._writer.do(batch.save, name="push.pops")
            except NotSaved as error:
                log.warning("pops could not be saved; they stay in mind", error=str(error))
                self.book.put_back(batch)
            except Exception:
                log.warning("pops could not be saved", pops=len(batch.pops), **_trace())

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(FORGET_S)
            self.book.forget(clock.now())


def _trace(facts: Sequence[Fact] = ()) -> dict[str, object]:
    """What went wrong, as short text: the feed must not stand still while a logger paints it."""
    calls = sorted({str(fact.ids["call"]) for fact in facts if fact.ids.get("call")})
    return {"calls": calls, "trace": traceback.format_exc(limit=-5)}


def _face(view: CallView | None) -> object:
    """What a pop shows of its call."""
    if view is None:
        return None
    return view.clients, view.client_id, view.number, view.called, view.queue, view.match, view.said_name
