"""The listener of one PBX: what its link brings, through tracker, adapter and call model, into the database.

    link → journal of raw events → tracker → signals → calls → one unit of the writer

The tracker and the model are fed in one place and never wait; what they find is written by one task, in
order, as many changes at a time as came meanwhile. When the database is slow the stream is read more slowly,
and TCP slows the PBX down: nothing is dropped. After a crash the journal is read back first, so that a snapshot's
whole seconds are not all that is left; the snapshot then tells what happened meanwhile.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from ami import actions
from ami.actions import Action
from ami.connection import Connection
from ami.errors import AmiError, PbxRefused
from ami.link import State
from ami.messages import Message, first
from ami.stream import LoggedIn, LoggedOut
from callcrm.kernel.database import Database
from callcrm.kernel.writer import NotSaved, Unit, Writer
from callcrm.telephony import members
from callcrm.telephony.commands import CommandRunner
from callcrm.telephony.journal import Journal, read_back
from callcrm.telephony.linkrow import LinkBook
from callcrm.telephony.soundnames import SoundNames

_log = structlog.get_logger(__name__)

#: Most changes in one unit, and how many may wait before the stream is read more slowly.
UNIT, WAITING, RAW_WAITING = 200, 2000, 20_000
AUDIT_S, TICK_S, PATIENCE_S, AGAIN_S = 20.0, 1.0, 15.0, 5.0
#: Seconds after a log-in at which the snapshot has told all it can, and how far back a journal is read.
SETTLED_S, READ_BACK = 8.0, timedelta(hours=24)


class Tracks(Protocol):
    """ami.tracker.Tracker, as far as it is used here."""

    @property
    def open_channels(self) -> int:
        """How many channels there are."""

    def feed(self, message: Message, at: float) -> list[Any]:
        """Leg events of one message."""

    def tick(self, at: float) -> list[Any]:
        """Leg events of time passing."""

    def lost(self, at: float) -> list[Any]:
        """The link is gone."""


class Models(Protocol):
    """callcrm.calls.model.Calls, as far as it is used here."""

    @property
    def open_calls(self) -> Sequence[Any]:
        """The calls that go on; each has an `id`."""

    def steps(self, signals: Iterable[Any]) -> list[Any]:
        """Changes of the signals of one moment."""

    def tick(self, at: float) -> list[Any]:
        """Changes of time passing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root puts into a listener.

    `hear`: a leg event to signals. `record`: writes changes in a unit. `open_since`: when the oldest call of
    this PBX that the database holds open began. `settle`: closes the calls that the database holds open and
    that are not among these ids (told some seconds after each snapshot).
    """

    tracker: Tracks
    hear: Callable[[Any], Sequence[Any]]
    calls: Models
    record: Callable[[Unit, Sequence[Any]], Awaitable[object]]
    open_since: Callable[[AsyncConnection], Awaitable[datetime | None]]
    settle: Callable[[Unit, Collection[str]], Awaitable[object]] | None = None


class Listener:
    """Follows one PBX until `close`. `commands` carries out what is asked of it; `link` is how it stands."""

    def __init__(
        self,
        pbx: str,
        connection: Connection,
        parts: Parts,
        *,
        database: Database,
        writer: Writer,
        commands: CommandRunner | None = None,
        known: members.Members | None = None,
    ) -> None:
        self.pbx, self.connection = pbx, connection
        self._parts, self._database, self._writer, self._commands = parts, database, writer, commands
        self._members = known or members.Members()
        self._journal = Journal(pbx)
        self._links = LinkBook(pbx, writer)
        self._sounds = SoundNames()
        self._changes: deque[Any] = deque()
        self._some, self._drained = asyncio.Event(), asyncio.Event()
        self._drained.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._audited = 0.0
        self.taken = self.recorded = self.troubles = 0
        connection.subscribe(self._links.note)

    async def start(self) -> None:
        """Read back the journal of open calls, then begin to listen."""
        await self._read_back()
        self._main = asyncio.create_task(self._run(), name=f"listener {self.pbx}")

    async def close(self) -> None:
        """Take no more; what was taken is written, then nothing is left running."""
        await self.connection.close()
        if self._main is not None:
            await self._main
            self._main = None

    async def wait(self) -> None:
        """Until it ends, by `close` or by a fault of ours, which is raised."""
        if self._main is not None:
            await asyncio.shield(self._main)

    # ---- tasks ---------------------------------------------------------------
    async def _run(self) -> None:
        works = {"ticks": self._tick_for_ever, "links": self._links.run}
        if self._commands is not None:
            works["commands"] = self._commands.run
        helpers = [asyncio.create_task(self._keep_up(work), name=f"{name} {self.pbx}") for name, work in works.items()]
        recording = asyncio.create_task(self._record_for_ever(), name=f"record {self.pbx}")
        await self.connection.start()
        try:
            async for batch in self.connection.batches():
                for at, item in batch:
                    self._take(at, item)
                await self._drained.wait()
        finally:
            for task in (*helpers, *self._tasks):
                task.cancel()
            await asyncio.gather(*helpers, *self._tasks, return_exceptions=True)
            self._some.set()
            await self._finish(recording)

    async def _keep_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """A helper that fails is begun again: a dead one would be missed by nobody."""
        while True:
            try:
                await work()
            except Exception:
                self._trouble("a part of the listener failed and is begun again")
            await asyncio.sleep(AGAIN_S)

    async def _finish(self, recording: asyncio.Task[None]) -> None:
        """Write what is left, then end."""
        while self._changes or len(self._journal):
            if not await self._write():
                break
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)
        await self._links.write()

    async def _record_for_ever(self) -> None:
        while True:
            await self._some.wait()
            await self._write()

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            at = time.time()
            self._hear(self._guarded(self._parts.tracker.tick, at), at)
            if len(self._journal):
                self._some.set()
            due = time.monotonic() - self._audited >= AUDIT_S
            if due and self.connection.link.up and self._parts.tracker.open_channels:
                self._audited = time.monotonic()
                self._begin(self._ask(actions.core_show_channels()), "audit")

    # ---- taking --------------------------------------------------------------
    def _take(self, at: float, item: Message | LoggedIn | LoggedOut) -> None:
        self.taken += 1
        if isinstance(item, LoggedIn):
            self._journal.note(at, "opened")
            self._audited = time.monotonic()
            self._begin(self._snapshot(), "snapshot")
        elif isinstance(item, LoggedOut):
            self._journal.note(at, "lost")
            self._hear(self._guarded(self._parts.tracker.lost, at), at)
        else:
            self._take_message(at, item)

    def _take_message(self, at: float, message: Message) -> None:
        self._journal.note(at, message)
        self._members.hear(message)
        if self._commands is not None and first(message, "Event") == "OriginateResponse":
            self._commands.hear(message)
        asked = self._sounds.hear(message)
        if asked is not None:
            self._begin(self._name_of_sound(asked), "recording's name")
        self._hear(self._guarded(self._parts.tracker.feed, message, at), at)

    def _hear(self, events: Sequence[Any], at: float) -> None:
        """Leg events on to the model; what changed waits to be written."""
        parts = self._parts
        changes: list[Any] = []
        try:
            signals = [signal for event in events for signal in parts.hear(event)]
            if signals:
                changes += parts.calls.steps(signals)
            changes += parts.calls.tick(at)
        except Exception:
            self._trouble("the call model failed")
        if changes:
            self._changes.extend(changes)
            self._some.set()
        self._hold_if_full()

    def _hold_if_full(self) -> None:
        """Read no more while the database is behind: what waits is bounded, and nothing is dropped."""
        if len(self._changes) > WAITING or len(self._journal) > RAW_WAITING:
            self._some.set()
            self._drained.clear()

    def _guarded(self, turn: Callable[..., list[Any]], *args: Any) -> list[Any]:
        try:
            return turn(*args)
        except Exception:
            self._trouble("the tracker failed")
            return []

    def _trouble(self, what: str) -> None:
        """A fault of ours: the first ones with their traces, a flood of them only now and then."""
        self.troubles += 1
        if self.troubles <= 3:
            _log.exception(what, pbx=self.pbx)
        elif self.troubles < 50 or self.troubles % 100 == 0:
            _log.error(what, pbx=self.pbx, why=repr(sys.exc_info()[1]), times=self.troubles)

    # ---- writing -------------------------------------------------------------
    async def _write(self) -> bool:
        """One unit: what changed, and the raw events it came out of; False when it could not be written.

        Raw events go with the last of their changes, never before: what the journal holds is in the rows too.
        """
        self._some.clear()
        changes = [self._changes.popleft() for _ in range(min(UNIT, len(self._changes)))]
        part = None if self._changes else self._journal.cut()
        if self._changes:
            self._some.set()
        elif not self._drained.is_set():
            self._drained.set()
        if part is None and not changes:
            return True

        async def work(unit: Unit) -> None:
            if part is not None:
                await self._journal.write(unit, part)
            if changes:
                await self._parts.record(unit, changes)

        try:
            written = await self._persistently(work, f"calls of {self.pbx}")
        except Exception:
            self._trouble("changes could not be written together")
            return await self._write_singly(changes)
        self.recorded += len(changes) if written else 0
        return written

    async def _persistently(self, work: Callable[[Unit], Awaitable[None]], name: str) -> bool:
        """Write it, however long the database is away; False when we are told to end meanwhile."""
        while True:
            try:
                await self._writer.do(work, name=name, patience_s=PATIENCE_S)
            except NotSaved as error:
                _log.error("calls wait for the database", pbx=self.pbx, why=str(error))
                if self.connection.link.state is State.CLOSED:
                    return False
            else:
                return True

    async def _write_singly(self, changes: Sequence[Any]) -> bool:
        """One change of many cannot be written: it must not take the others with it."""
        wrote = not changes
        for change in changes:

            async def work(unit: Unit, change: Any = change) -> None:
                await self._parts.record(unit, [change])

            try:
                if await self._persistently(work, f"call of {self.pbx}"):
                    self.recorded += 1
                    wrote = True
            except Exception:
                self._trouble("a change could not be written")
        return wrote

    # ---- asking --------------------------------------------------------------
    def _begin(self, work: Any, what: str) -> None:
        task = asyncio.create_task(work, name=f"{what} {self.pbx}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _snapshot(self) -> None:
        """Everything that is there now; its events come in the stream, in their place."""
        session = self.connection.session_number
        asked = (
            actions.core_show_channels(),
            actions.status(),
            actions.queue_status(),
            actions.bridge_list(),
            actions.parked_calls(),
        )
        for action in asked:
            await self._ask(action)
        if self._parts.settle is None:
            return
        await asyncio.sleep(SETTLED_S)
        if self.connection.link.up and self.connection.session_number == session:
            await self._writer.do(self._settle, name=f"calls of {self.pbx} that are over")

    async def _settle(self, unit: Unit) -> None:
        if self._parts.settle is not None and not self._changes:
            await self._parts.settle(unit, {call.id for call in self._parts.calls.open_calls})

    async def _ask(self, action: Action) -> bool:
        for _ in range(3):
            try:
                await self.connection.send(action, 10.0, shown=True)
            except AmiError as error:
                _log.info("the PBX did not answer", pbx=self.pbx, action=action.name, why=str(error))
                if isinstance(error, PbxRefused) or self.connection.link.state in (
                    State.GONE,
                    State.STALLED,
                    State.CLOSED,
                ):
                    return False
            else:
                return True
        return False

    async def _name_of_sound(self, begun: Message) -> None:
        """MixMonitorStart names no file; a channel variable does."""
        channel = first(begun, "Channel")
        try:
            reply = await self.connection.send(actions.getvar(channel, SoundNames.VARIABLE), 5.0)
        except AmiError as error:
            _log.info("a recording's name could not be asked for", pbx=self.pbx, channel=channel, why=str(error))
            return
        named = self._sounds.answer(begun, first(reply.response, "Value"))
        if named is not None:
            self._take_message(time.time(), named)

    # ---- after a crash -------------------------------------------------------
    async def _read_back(self) -> None:
        """Feed tracker and model with what the journal holds of calls that are open: they were written already."""
        parts, last = self._parts, 0.0
        async with self._database.read() as db:
            since = await parts.open_since(db)
            if since is None:
                return
            since = max(since, datetime.now(UTC) - READ_BACK) - timedelta(seconds=5)
            async for captured in read_back(db, self.pbx, since):
                last = max(last, captured.t or 0.0)
                if captured.message is not None:
                    events = self._guarded(parts.tracker.feed, captured.message, last)
                else:
                    events = self._guarded(parts.tracker.lost, last)
                self._hear(events, last)
                self._changes.clear()
        if last:
            self._guarded(parts.tracker.lost, last)
            self._drained.set()
            _log.info("calls in progress were read back", pbx=self.pbx, calls=len(parts.calls.open_calls))
