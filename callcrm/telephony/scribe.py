"""Writes what one PBX's listener finds: changes of calls and raw events, in order, many in one unit.

What waits is bounded: a full scribe asks its listener to read no more, TCP then slows the PBX down, and
nothing is dropped however long the database is away. A change is written together with the raw events up to it, so
the rows are never ahead of the journal; the journal is ahead of the rows by what was overtaken (turns.BEHIND_S).
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from ami.messages import Message
from callcrm.kernel.writer import NotSaved, Unit, Writer
from callcrm.telephony.journal import Journal, Part
from callcrm.telephony.turns import Turns

_log = structlog.get_logger(__name__)

#: Most changes in one unit; how many, and how many raw events, may wait before nothing more is read.
UNIT, WAITING, RAW_WAITING = 200, 2000, 20_000
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
        self._turns = Turns(UNIT)
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._ending = self._writing = self._hurried = self._given_up = False
        self._journal_due: float | None = None
        self.recorded = 0

    @property
    def idle(self) -> bool:
        """Whether every change that was taken is in the database."""
        return not len(self._turns) and not self._writing

    def note(self, at: float, what: Message | str) -> None:
        """A raw event, or a marker of the journal."""
        self._journal.note(at, what)
        if len(self._journal) > RAW_WAITING:
            self._hold()

    def add(self, changes: Sequence[Any]) -> None:
        """What changed, to be written soon."""
        self._turns.add(changes, time.monotonic(), self._journal.noted)
        self._some.set()
        if len(self._turns) > WAITING:
            self._hold()

    def nudge(self) -> None:
        """Let raw events that changed nothing not wait any longer; once a second will do."""
        if len(self._journal):
            self._journal_due = time.monotonic()
            self._some.set()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    async def run(self) -> None:
        """Write until the end."""
        while not (self._ending and not len(self._turns) and not len(self._journal)):
            await self._turn()
            self._writing = True
            try:
                await self._write()
            finally:
                self._writing = False

    async def _turn(self) -> None:
        """Wait until it is somebody's turn."""
        loop = asyncio.get_running_loop()
        while not self._pressed:
            self._some.clear()
            due = min((at for at in (self._turns.due, self._journal_due) if at is not None), default=None)
            pause = None if due is None else due - time.monotonic()
            if pause is not None and pause <= 0:
                return
            alarm = None if pause is None else loop.call_later(pause, self._some.set)
            await self._some.wait()
            if alarm is not None:
                alarm.cancel()

    @property
    def _pressed(self) -> bool:
        """Whether everything is to be written, due or not."""
        return self._ending or not self._room.is_set()

    def hurry(self) -> None:
        """We are to end soon: a database that is away is not waited for much longer."""
        self._hurried = True

    def end(self) -> None:
        """No more will be taken: `run` writes what is left, and returns."""
        self._ending = True
        self._some.set()

    def _hold(self) -> None:
        self._some.set()
        self._room.clear()

    async def _write(self) -> None:
        """One unit: what changed, and the raw events up to it."""
        turn = self._turns.take(time.monotonic(), everything=self._pressed)
        changes, self._journal_due = turn.changes, None
        part = self._journal.cut(self._turns.oldest_line if turn.in_order else None)
        if len(self._turns) <= WAITING and len(self._journal) <= RAW_WAITING:
            self._room.set()
        if part is None and not changes:
            return
        try:
            await self._persistently(changes, part, urgent=turn.urgent)
        except Exception:
            self._troubles.note("changes could not be written together")
            await self._singly(changes, part)

    async def _persistently(self, changes: Sequence[Any], part: Part | None = None, *, urgent: bool = False) -> None:
        """Write it, however long the database is away; only when we are to end it is given up."""

        async def work(unit: Unit) -> None:
            if part is not None:
                await self._journal.write(unit, part)
            if changes:
                await self._record(unit, changes)

        while not self._given_up:
            patience = LAST_PATIENCE_S if self._hurried else PATIENCE_S
            try:
                await self._writer.do(work, name=f"calls of {self._pbx}", patience_s=patience, urgent=urgent)
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
