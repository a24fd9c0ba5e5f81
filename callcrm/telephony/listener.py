"""The listener of one PBX: what its link brings, through tracker, adapter and call model, into the database.

    link → journal of raw events → tracker → signals → calls → one unit of the writer

The tracker and the model are fed in one place and never wait; what they find is written by one task, in
order, as many changes at a time as came meanwhile. When the database is slow the stream is read more slowly,
and TCP slows the PBX down: nothing is dropped. After a crash the journal is read back first, so that a snapshot's
whole seconds are not all that is left; the snapshot then tells what happened meanwhile.
"""

import asyncio
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
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony.commands import CommandRunner
from callcrm.telephony.journal import read_back
from callcrm.telephony.linkrow import LinkBook
from callcrm.telephony.queuebook import QueueBook
from callcrm.telephony.queues import Queues
from callcrm.telephony.scribe import Scribe, Troubles
from callcrm.telephony.soundnames import SoundNames

_log = structlog.get_logger(__name__)

#: Seconds between looks at the channels while there are any, ticks, and tries of a part that failed.
AUDIT_S, TICK_S, AGAIN_S = 20.0, 1.0, 5.0
#: Seconds after a log-in at which the snapshot has told all it can, and how far back a journal is read.
SETTLED_S, READ_BACK = 8.0, timedelta(hours=24)
#: Seconds of a batch's work after which others have their turn.
TURN_S = 0.001
#: Seconds before the journal's end whose changes may not have been written (turns.BEHIND_S, and a slow unit).
AGAIN_WRITTEN_S = 3.0


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
        known: Queues | None = None,
    ) -> None:
        self.pbx, self.connection = pbx, connection
        self._parts, self._database, self._writer, self._commands = parts, database, writer, commands
        self._queues = QueueBook(pbx, writer, known or Queues())
        self._troubles = Troubles(pbx)
        self._scribe = Scribe(pbx, writer, parts.record, self._troubles)
        self._links = LinkBook(pbx, writer)
        self._sounds = SoundNames()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._audited = 0.0
        self.taken = 0
        connection.subscribe(self._links.note)

    @property
    def recorded(self) -> int:
        """How many changes were written."""
        return self._scribe.recorded

    @property
    def anomalies(self) -> dict[str, int]:
        """How often the tracker met each kind of what made no sense."""
        return dict(getattr(self._parts.tracker, "odd", {}))

    @property
    def troubles(self) -> int:
        """How many faults of ours were survived."""
        return self._troubles.count

    async def start(self) -> None:
        """Read back the journal of open calls, then begin to listen."""
        await self._read_back()
        self._main = asyncio.create_task(self._run(), name=f"listener {self.pbx}")

    async def close(self) -> None:
        """Take no more; what was taken is written, then nothing is left running."""
        self._scribe.hurry()
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
        works = {"ticks": self._tick_for_ever, "links": self._links.run, "queues": self._queues.run}
        if self._commands is not None:
            works["commands"] = self._commands.run
        beside = [asyncio.create_task(self._keep_up(work), name=f"{name} {self.pbx}") for name, work in works.items()]
        recording = asyncio.create_task(self._scribe.run(), name=f"record {self.pbx}")
        await self.connection.start()
        try:
            async for batch in self.connection.batches():
                began = time.monotonic()
                for at, item in batch:
                    self._take(at, item)
                    if time.monotonic() - began > TURN_S:
                        # A pop that is ready to be told does not wait for a long batch.
                        await asyncio.sleep(0)
                        began = time.monotonic()
                await self._scribe.room()
        finally:
            for task in (*beside, *self._tasks):
                task.cancel()
            await asyncio.gather(*beside, *self._tasks, return_exceptions=True)
            self._scribe.end()
            await recording
            await self._links.write()

    async def _keep_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """A part that fails is begun again: a dead one would be missed by nobody."""
        while True:
            try:
                await work()
            except Exception:
                self._troubles.note("a part of the listener failed and is begun again")
            await asyncio.sleep(AGAIN_S)

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            at = time.time()
            self._hear(self._guarded(self._parts.tracker.tick, at), at)
            self._scribe.nudge()
            due = time.monotonic() - self._audited >= AUDIT_S
            if due and self.connection.link.up and self._parts.tracker.open_channels:
                self._audited = time.monotonic()
                self._begin(self._ask(actions.core_show_channels()), "audit")

    # ---- taking --------------------------------------------------------------
    def _take(self, at: float, item: Message | LoggedIn | LoggedOut) -> None:
        self.taken += 1
        if isinstance(item, LoggedIn):
            self._scribe.note(at, "opened")
            self._audited = time.monotonic()
            self._begin(self._snapshot(), "snapshot")
        elif isinstance(item, LoggedOut):
            self._scribe.note(at, "lost")
            self._hear(self._guarded(self._parts.tracker.lost, at), at)
        else:
            self._take_message(at, item)

    def _take_message(self, at: float, message: Message) -> None:
        self._scribe.note(at, message)
        self._queues.hear(message, at)
        if self._commands is not None and first(message, "Event") == "OriginateResponse":
            self._commands.hear(message)
        asked = self._sounds.hear(message)
        if asked is not None:
            self._begin(self._name_of_sound(asked), "recording's name")
        self._hear(self._guarded(self._parts.tracker.feed, message, at), at)

    def _hear(self, events: Sequence[Any], at: float) -> None:
        """Leg events on to the model; what changed is written."""
        if changes := self._changes(events, at):
            self._scribe.add(changes)

    def _changes(self, events: Sequence[Any], at: float) -> list[Any]:
        parts = self._parts
        changes: list[Any] = []
        try:
            signals = [signal for event in events for signal in parts.hear(event)]
            if signals:
                changes += parts.calls.steps(signals)
            changes += parts.calls.tick(at)
        except Exception:
            self._troubles.note("the call model failed")
        return changes

    def _guarded(self, turn: Callable[..., list[Any]], *args: Any) -> list[Any]:
        try:
            return turn(*args)
        except Exception:
            self._troubles.note("the tracker failed")
            return []

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
        while self.connection.link.up and self.connection.session_number == session:
            if await self._writer.do(self._settle, name=f"calls of {self.pbx} that are over"):
                return
            await asyncio.sleep(TICK_S)

    async def _settle(self, unit: Unit) -> bool:
        """False while changes wait to be written: an end that is known must not be taken for one that is not."""
        if self._parts.settle is None or not self._scribe.idle:
            return False
        await self._parts.settle(unit, {call.id for call in self._parts.calls.open_calls})
        return True

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
        """Feed tracker and model with what the journal holds of calls that are open.

        What came of it was written already, but for the last moments: that may have waited, and is written again.
        """
        parts, last = self._parts, 0.0
        fresh: deque[tuple[float, list[Any]]] = deque()
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
                fresh.append((last, self._changes(events, last)))
                while fresh[0][0] < last - AGAIN_WRITTEN_S:
                    fresh.popleft()
        self._scribe.add([change for _, changes in fresh for change in changes])
        if last:
            self._guarded(parts.tracker.lost, last)
            _log.info("calls in progress were read back", pbx=self.pbx, calls=len(parts.calls.open_calls))
