"""Writes what one PBX's listener finds: changes of calls and raw events, in order, many in one unit.

What waits is bounded: a full scribe asks its listener to read no more, TCP then slows the PBX down, and
nothing is dropped however long the database is away.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from ami.messages import Message
from callcrm.kernel.writer import NotSaved, Unit, Writer
from callcrm.telephony.journal import Journal, Part

_log = structlog.get_logger(__name__)

#: Most changes in one unit; how many, and how many raw events, may wait before nothing more is read.
UNIT, WAITING, RAW_WAITING = 200, 2000, 20_000
#: Changes that nobody waits for at this moment, and how long they wait for one that somebody does.
_UNHURRIED, GATHER_S = frozenset({"call.began", "call.changed"}), 0.01
PATIENCE_S, LAST_PATIENCE_S = 15.0, 3.0


class Troubles:
    """Faults of ours: counted, the first ones logged with their traces, a flood of them only now and then."""

    def __init__(self, pbx: str) -> None:
        self._pbx = pbx
        self.count = 0

    def note(self, what: str) -> None:
        """One more; called where it is handled."""
        self.count += 1
        if self.count <= 3:
            _log.exception(what, pbx=self._pbx)
        elif self.count < 50 or self.count % 100 == 0:
            _log.error(what, pbx=self._pbx, why=repr(sys.exc_info()[1]), times=self.count)


class Scribe:
    """Takes at once, writes in the background: `run` until `end`, which returns when all is written."""

    def __init__(
        self, pbx: str, writer: Writer, record: Callable[[Unit, Sequence[Any]], Awaitable[object]], troubles: Troubles
    ) -> None:
        self._pbx, self._writer, self._record, self._troubles = pbx, writer, record, troubles
        self._journal = Journal(pbx)
        self._changes: deque[Any] = deque()
        self._some, self._room, self._now = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()
        self._ending = self._writing = self._hurried = self._given_up = False
        self.recorded = 0

    @property
    def idle(self) -> bool:
        """Whether every change that was taken is in the database."""
        return not self._changes and not self._writing

    def note(self, at: float, what: Message | str) -> None:
        """A raw event, or a marker of the journal."""
        self._journal.note(at, what)
        if len(self._journal) > RAW_WAITING:
            self._hold()

    def add(self, changes: Sequence[Any]) -> None:
        """What changed, to be written soon."""
        self._changes.extend(changes)
        self._some.set()
        if any(getattr(change, "kind", "") not in _UNHURRIED for change in changes):
            self._now.set()
        if len(self._changes) > WAITING:
            self._hold()

    def nudge(self) -> None:
        """Let raw events that changed nothing not wait any longer; once a second will do."""
        if len(self._journal):
            self._some.set()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def run(self) -> None:
        """Write until the end."""
        while not (self._ending and not self._changes and not len(self._journal)):
            await self._some.wait()
            await self._gather()
            self._writing = True
            try:
                await self._write()
            finally:
                self._writing = False
            if self._ending:
                self._some.set()

    async def _gather(self) -> None:
        """A call that begins is written together with the phone that rings for it: one unit, and the pop no later."""
        if not self._ending and not self._now.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._now.wait()
        self._now.clear()

    def hurry(self) -> None:
        """We are to end soon: a database that is away is not waited for much longer."""
        self._hurried = True

    def end(self) -> None:
        """No more will be taken: `run` writes what is left, and returns."""
        self._ending = True
        self._some.set()
        self._now.set()

    def _hold(self) -> None:
        self._some.set()
        self._room.clear()

    async def _write(self) -> None:
        """One unit: what changed, and the raw events it came out of.

        Raw events go with the last of their changes, never before: what the journal holds is in the rows too.
        """
        self._some.clear()
        changes = [self._changes.popleft() for _ in range(min(UNIT, len(self._changes)))]
        part = None
        if self._changes:
            self._some.set()
            self._now.set()
        else:
            part = self._journal.cut()
            self._room.set()
        if part is None and not changes:
            return
        try:
            await self._persistently(changes, part)
        except Exception:
            self._troubles.note("changes could not be written together")
            await self._singly(changes, part)

    async def _persistently(self, changes: Sequence[Any], part: Part | None = None) -> None:
        """Write it, however long the database is away; only when we are to end it is given up."""

        async def work(unit: Unit) -> None:
            if part is not None:
                await self._journal.write(unit, part)
            if changes:
                await self._record(unit, changes)

        while not self._given_up:
            patience = LAST_PATIENCE_S if self._hurried else PATIENCE_S
            try:
                await self._writer.do(work, name=f"calls of {self._pbx}", patience_s=patience)
            except NotSaved as error:
                self._given_up = self._hurried
                said = "calls were lost with the database away" if self._given_up else "calls wait for the database"
                _log.error(said, pbx=self._pbx, changes=len(changes), why=str(error))
            else:
                self.recorded += len(changes)
                return

    async def _singly(self, changes: Sequence[Any], part: Part | None) -> None:
        """One change of many cannot be written: it must not take the others with it."""
        works: list[tuple[list[Any], Part | None]] = [([change], None) for change in changes]
        works += [([], part)] if part is not None else []
        for one, its_part in works:
            try:
                await self._persistently(one, its_part)
            except Exception:
                self._troubles.note("a change could not be written")
