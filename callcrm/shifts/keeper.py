"""Keeps everybody's state: follows the facts, and leads each person's standing through what happened to his calls.

Facts are gathered for a moment and written together, with the positions that were reached, so that after a restart
nothing counts twice and nothing is missed. Ends that nobody saw have rules (`unseen.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import select

from callcrm.kernel import clock
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.facts import Fact
from callcrm.kernel.streams import positions
from callcrm.kernel.subscription import Resync
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.shifts import service, unseen
from callcrm.shifts.agreement import SOON
from callcrm.shifts.happenings import CALLS, Happenings
from callcrm.shifts.service import Stands
from callcrm.shifts.states import Rules
from callcrm.shifts.tables import ReaderPosition, Standing

log = structlog.get_logger(__name__)

READER = "shifts"
#: How long facts are gathered, in seconds (long enough that a call's end is one unit, short enough that the unit is
#: no block on a pop's way); how often a wrap-up's time and the ends that nobody saw are looked at.
GATHER_S, TICK_S, UNSEEN_S = 0.05, 1.0, 60.0
AGAIN_S = 1.0
#: Facts that wait to be written; beyond it the bus's own bound holds.
WAITING = 2000
PEOPLE = frozenset({"operator.changed", "phone.paused", "command.changed"})
#: When the PBX's answer has become its events, too, or never will.
SETTLED = SOON + timedelta(seconds=0.3)
Work = Callable[[Unit], Awaitable[dict[int, Stands]]]


class Keeper:
    """One reader of the facts, for the whole house. `run` until cancelled; `follows` is set once it hears them."""

    def __init__(self, database: Database, writer: Writer, bus: Bus, rules: Rules, *, longest_h: float = 16) -> None:
        self._database, self._writer, self._bus, self._rules = database, writer, bus, rules
        self._longest = timedelta(hours=longest_h)
        self._stands: dict[int, Stands] = {}
        self._calls: dict[str, set[int]] = {}
        self._later: dict[int, datetime] = {}
        self._waiting: list[Fact] = []
        self._woken, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._reached: dict[str, int] = {}
        self._anew = True
        self.follows = asyncio.Event()

    async def run(self) -> None:
        """Go on where it stopped, then follow."""
        self._reached = await self._read_positions()
        subscription = self._bus.subscribe("shifts", after=self._reached)
        self.follows.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write_for_ever(), name="shifts.write")
                tasks.create_task(self._tick_for_ever(), name="shifts.tick")
                tasks.create_task(self._unseen_for_ever(), name="shifts.unseen")
                async for item in subscription:
                    self._take(item)
                    await self._room.wait()
        finally:
            subscription.close()

    def _take(self, item: Fact | Resync) -> None:
        """Cheap: most facts are nobody's matter here."""
        if isinstance(item, Resync):
            self._anew = True
            self._reached |= item.positions
            self._woken.set()
            return
        self._reached[item.stream] = item.position
        if item.kind == "call.changed" and "into" not in item.ids:
            return
        if item.kind in CALLS or (item.kind in PEOPLE and "state" not in item.ids):
            self._waiting.append(item)
            self._woken.set()
            if len(self._waiting) > WAITING:
                self._room.clear()

    # ---- writing -------------------------------------------------------------
    async def _write_for_ever(self) -> None:
        self._woken.set()
        while True:
            await self._woken.wait()
            await asyncio.sleep(GATHER_S)
            self._woken.clear()
            facts, self._waiting = self._waiting, []
            self._room.set()
            anew, self._anew = self._anew, False
            work = partial(self._write, facts=facts, reached=dict(self._reached), anew=anew)
            if not await self._persistently(work):
                self._waiting = facts + self._waiting
                self._anew = self._anew or anew
                self._woken.set()
                await asyncio.sleep(AGAIN_S)

    async def _persistently(self, work: Work) -> bool:
        """Whether it was written; a database that is away is waited for, a fault of ours passes over what made it."""
        try:
            found = await self._writer.do(work, name="states of people")
        except CallcrmError as error:
            log.warning("people's states were not saved; trying again", error=str(error))
            return False
        except Exception:
            log.exception("people's states could not be found; everybody is looked at anew")
            self._anew = True
            return True
        self._remember(found)
        return True

    async def _write(
        self, unit: Unit, facts: list[Fact], reached: Mapping[str, int], *, anew: bool
    ) -> dict[int, Stands]:
        found = await unseen.repair(unit, await _everybody(unit), self._rules) if anew else {}
        known = _index(found) if anew else self._calls
        happened = Happenings(known, self._rules)
        for user, events in (await happened.of(unit, facts)).items():
            found[user] = await service.happen(unit, user, events)
        await _tell(unit, sorted(happened.told))
        self._later |= dict.fromkeys(happened.told, unit.now + SETTLED)
        rows = [{"reader": READER, "stream": stream, "position": at} for stream, at in reached.items()]
        await upsert(unit.db, ReaderPosition, rows)
        return found

    def _remember(self, found: Mapping[int, Stands]) -> None:
        self._stands |= found
        for user, stands in found.items():
            for call in [one for one, users in self._calls.items() if user in users]:
                self._calls[call].discard(user)
                if not self._calls[call]:
                    del self._calls[call]
            for call in stands.mind.calls:
                self._calls.setdefault(call, set()).add(user)

    # ---- time ----------------------------------------------------------------
    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = clock.now()
            due = [user for user, one in self._stands.items() if _over(one, now)]
            if due:
                await self._persistently(partial(_lapse, users=due))
            unsure = [user for user, at in self._later.items() if at <= now]
            if unsure and await self._persistently(partial(_tell, users=unsure)):
                self._later = {user: at for user, at in self._later.items() if at > now}

    async def _unseen_for_ever(self) -> None:
        while True:
            await asyncio.sleep(UNSEEN_S)
            await self._persistently(partial(unseen.end_shifts, longest=self._longest))

    async def _read_positions(self) -> dict[str, int]:
        """How far it had come; in a stream that it never read, what is told from this moment on."""
        statement = select(ReaderPosition.stream, ReaderPosition.position).where(ReaderPosition.reader == READER)
        while True:
            try:
                async with self._database.read() as db:
                    return await positions(db) | {row.stream: row.position for row in await db.execute(statement)}
            except Exception as error:
                log.warning("people's states cannot be read at present; trying again", error=repr(error))
                await asyncio.sleep(AGAIN_S)


def _over(stands: Stands, now: datetime) -> bool:
    until = stands.mind.until
    return until is not None and until <= now


async def _tell(unit: Unit, users: Iterable[int]) -> dict[int, Stands]:
    """Have their strips read anew although nothing of their states changed: the PBX's word on them did."""
    for user in users:
        unit.fact("operator.changed", user=user, state="told")
    return {}


async def _lapse(unit: Unit, users: Iterable[int]) -> dict[int, Stands]:
    return {user: await service.happen(unit, user, []) for user in users}


async def _everybody(unit: Unit) -> dict[int, Stands]:
    columns = (Standing.user_id, Standing.state, Standing.reason, Standing.since, Standing.mind, Standing.asked)
    return {row.user_id: service.read(row) for row in await unit.db.execute(select(*columns))}


def _index(found: Mapping[int, Stands]) -> dict[str, set[int]]:
    calls: dict[str, set[int]] = {}
    for user, stands in found.items():
        for call in stands.mind.calls:
            calls.setdefault(call, set()).add(user)
    return calls
