"""Carries out the commands that were asked of one PBX: each once, in time, or not at all; the result in words.

A row is marked `sent` and committed before anything is sent, so that no crash and no second listener
sends it twice; what was sent before a crash is told as not known, and never sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import RowMapping, select, update

from ami.messages import Message
from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.tables import Command
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony.dialler import Dialler
from callcrm.telephony.port import PhoneSystem, Refused

_log = structlog.get_logger(__name__)
#: How many commands may be under way at one PBX; more wait, and expire.
_AT_ONCE = 20


class CommandRunner:
    """One PBX's commands. `run` until cancelled; `hear` gives it the events that bring results."""

    def __init__(self, phones: PhoneSystem, database: Database, writer: Writer, bus: Bus, *, ring_s: float) -> None:
        self._phones, self._database, self._writer, self._bus = phones, database, writer, bus
        self._dialler, self._begun = Dialler(phones, ring_s=ring_s), False
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Carry out what is wanted: what waits in the table, then what the bus tells."""
        subscription = self._bus.subscribe(f"commands {self._phones.name}", kinds=("command.wanted",))
        try:
            if not self._begun:
                await self._forget_sent()
                self._begun = True
            await self._take_waiting()
            async for told in subscription:
                if not isinstance(told, Fact):
                    await self._take_waiting()
                elif told.kind == "command.wanted" and told.ids.get("pbx") == self._phones.name:
                    self._begin(str(told.ids.get("command")))
        finally:
            subscription.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hear(self, message: Message) -> None:
        """An OriginateResponse brings the result of a dial."""
        self._dialler.hear(message)

    async def _take_waiting(self) -> None:
        query = select(Command.id).where(Command.pbx == self._phones.name, Command.state == "wanted")
        async with self._database.read() as db:
            waiting = (await db.execute(query.order_by(Command.wanted_at))).scalars().all()
        for command in waiting:
            self._begin(command)

    async def _forget_sent(self) -> None:
        """What was sent before this process began: nobody knows what became of it."""

        async def work(unit: Unit) -> None:
            mine = (Command.pbx == self._phones.name) & (Command.state == "sent")
            for command in (await unit.db.execute(select(Command.id).where(mine))).scalars().all():
                words = "callcrm was restarted while this was under way; it may have been done."
                await self._settle(unit, command, "refused", {"message": words})

        await self._writer.do(work, name="commands sent before a restart")

    def _begin(self, command: str) -> None:
        task = asyncio.create_task(self._carry_out(command), name=f"command {command}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, command: str) -> None:
        log = _log.bind(command=command, pbx=self._phones.name)
        try:
            async with self._room:
                row = await self._claim(command)
                if row is None:
                    return
                state, words = await self._perform(row)
            log.info("command", kind=row["kind"], state=state, words=words)

            async def work(unit: Unit) -> None:
                await self._settle(unit, command, state, {"message": words})

            await self._writer.do(work, name="result of a command")
        except Exception:
            log.exception("command_failed")

    async def _claim(self, command: str) -> RowMapping | None:
        """Mark it sent, and commit that, before it is sent; None when it is not to be sent (any more)."""

        async def work(unit: Unit) -> RowMapping | None:
            query = select(Command).where(Command.id == command, Command.state == "wanted").with_for_update()
            row = (await unit.db.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            if row["expires_at"] <= clock.now():
                words = "Not done: the PBX could not be asked in time; try again."
                await self._settle(unit, command, "expired", {"message": words})
                return None
            await self._settle(unit, command, "sent", None)
            return row

        return await self._writer.do(work, name="mark a command sent")

    async def _settle(self, unit: Unit, command: str, state: str, result: dict[str, Any] | None) -> None:
        values = {"state": state, "result": result, "changed_at": unit.now}
        await unit.db.execute(update(Command).where(Command.id == command).values(**values))
        stream = f"pbx:{self._phones.name}"
        unit.fact("command.changed", stream=stream, command=command, pbx=self._phones.name)

    async def _perform(self, row: RowMapping) -> tuple[str, str]:
        """Do it; the state it ends in, and the words."""
        left = (row["expires_at"] - clock.now()) / timedelta(seconds=1)
        if left <= 0:
            return "expired", "Not done: the PBX could not be asked in time; try again."
        try:
            if row["kind"] == "dial":
                return await self._dialler.dial(row["id"], row["args"], left)
            if row["kind"] == "fetch":
                return await self._dialler.fetch(row["id"], row["args"], left)
            if row["kind"] == "cancel_dial":
                return await self._cancel(row["args"]["dial"], row["args"]["channel"], left)
            return "done", await self._simply(row)(**row["args"], timeout=left)
        except Refused as refused:
            return "refused", str(refused)
        except TypeError:
            _log.exception("a command does not fit", kind=row["kind"])
            return "refused", f"The command {row['kind']} does not fit this PBX."

    def _simply(self, row: RowMapping) -> Callable[..., Awaitable[str]]:
        phones = self._phones
        known: dict[str, Callable[..., Awaitable[str]]] = {
            "hang_up": phones.hang_up,
            "blind_transfer": phones.blind_transfer,
            "attended_transfer": phones.attended_transfer,
            "complete_transfer": phones.complete_transfer,
            "cancel_transfer": phones.cancel_transfer,
            "swap_transfer": phones.swap_transfer,
            "park": phones.park,
            "hold": phones.hold,
            "pause": phones.pause,
            "unpause": phones.unpause,
            "pause_recording": phones.pause_recording,
            "resume_recording": phones.resume_recording,
        }
        if row["kind"] not in known:
            raise Refused(f"PBX {phones.name} knows no command {row['kind']!r}.")
        return known[row["kind"]]

    async def _cancel(self, dial: str, channel: str, left: float) -> tuple[str, str]:
        """A dial that still waits is never sent; one that was sent is ended."""

        async def work(unit: Unit) -> bool:
            query = select(Command.id).where(Command.id == dial, Command.state == "wanted").with_for_update()
            if (await unit.db.execute(query)).scalar_one_or_none() is None:
                return False
            await self._settle(unit, dial, "cancelled", {"message": "You cancelled the call; nothing was dialled."})
            return True

        if await self._writer.do(work, name="cancel a dial that waits"):
            return "done", "Nothing was dialled."
        return await self._dialler.cancel(dial, channel, left)
