"""Looks through recordings one after the other, the newest first, and writes what their sound tells of the call.

A recording is due when its fate is known and nobody looked through it yet (`XRAY_DUE`): the table itself is the
queue, so a restart forgets nothing and an older database is looked through by and by. The work is done in another
process (`recordings.apart`) and takes at most `share` of one processor's time.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import structlog

from callcrm.calls import xraykeeping as keeping
from callcrm.calls import xrays
from callcrm.calls.xraykeeping import Due, Quiet
from callcrm.calls.xraytables import RecordingXray
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, NotFound
from callcrm.kernel.upsert import upsert
from callcrm.kernel.wakes import Wakes, tried
from callcrm.kernel.writer import Unit, Writer
from recordings.apart import Apart
from recordings.sound import BadSound

log = structlog.get_logger(__name__)

#: A recording as a plain file of this machine, by call and number. Raises NotFound, or CallcrmError for what passes.
Local = Callable[[str, int], AbstractAsyncContextManager[Path]]

_IDLE_S = 60.0
#: Recordings that come in one moment are looked for together.
_GATHER_S = 1.0
#: After what passes by itself (the folder is away) a PBX's recordings rest: first so long, then twice as long.
_REST_S, _LONGEST_REST_S = 30.0, 3600.0
#: So many files in a row that are not there: rather the folder is away than they.
_GONE_IN_A_ROW = 3


@dataclass(slots=True)
class _Trouble:
    """Of one PBX: files in a row that were not there, and until when its recordings rest."""

    gone: int = 0
    rest_s: float = _REST_S
    until: float = 0.0


class Xraying:
    """The worker; `run` goes on until it is cancelled. `share`: of one processor's time, 0 looks through nothing.

    `quiet` tells which stretches of a call are no conversation (recording paused, on hold).
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        bus: Bus,
        local: Local,
        *,
        quiet: Quiet | None = None,
        share: float = 0.5,
        apart: Apart | None = None,
    ) -> None:
        self._database, self._writer, self._bus = database, writer, bus
        self._local, self._quiet = local, quiet
        self._share = share
        self._apart = apart or Apart()
        self._troubles: dict[str, _Trouble] = {}

    async def run(self) -> None:
        """Look through what is due, whenever something is."""
        try:
            async with Wakes(self._bus, "xrays", ("recording.changed",)) as wakes:
                while True:
                    pause = await tried(self._turn, "recordings cannot be looked through at present")
                    await wakes.rest(_REST_S if pause is None else pause, _GATHER_S)
        finally:
            await self._apart.close()

    async def _turn(self) -> float:
        """Everything that is due; seconds until more may be."""
        while self._share and await self.work_off():
            pass
        return min([_IDLE_S, *(max(1.0, one.until - time.monotonic()) for one in self._troubles.values() if one.until)])

    async def work_off(self) -> int:
        """Look through some that are due, the newest first; how many there were."""
        async with self._database.read() as db:
            due = await keeping.due(db, self._resting())
        for one in due:
            began = time.monotonic()
            await self._look(one)
            if self._share < 1:
                await asyncio.sleep((time.monotonic() - began) * (1 / self._share - 1))
        return len(due)

    def _resting(self) -> list[str]:
        now = time.monotonic()
        return [pbx for pbx, one in self._troubles.items() if one.until > now]

    async def _look(self, due: Due) -> None:
        if due.pbx in self._resting():
            return
        async with self._database.read() as db:
            without = await keeping.without(db, due, self._quiet)
        try:
            async with self._local(due.call_id, due.n) as path:
                found = await self._apart.xray(path, without)
        except BadSound as error:
            await self._note(due, None, str(error))
        except NotFound as error:
            if not self._rests(due.pbx, str(error), gone=True):
                await self._note(due, None, str(error))
        except FileNotFoundError:
            if not self._rests(due.pbx, "The file is not there.", gone=True):
                await self._note(due, None, "The file is no longer there.")
        except (CallcrmError, OSError) as error:
            self._rests(due.pbx, str(error))
        else:
            self._troubles.pop(due.pbx, None)
            await self._note(due, xrays.recording_figures(found, due.first_lane), "")

    def _rests(self, pbx: str, why: str, *, gone: bool = False) -> bool:
        """Leave a PBX's recordings alone for a while; a few files that are gone are only that."""
        trouble = self._troubles.setdefault(pbx, _Trouble())
        trouble.gone += 1
        if gone and trouble.gone < _GONE_IN_A_ROW:
            return False
        log.warning("recordings rest before they are looked through", pbx=pbx, seconds=trouble.rest_s, why=why)
        trouble.until = time.monotonic() + trouble.rest_s
        trouble.rest_s = min(_LONGEST_REST_S, trouble.rest_s * 2)
        return True

    async def _note(self, due: Due, figures: xrays.Row | None, error: str) -> None:
        row = {"began": due.began, "call_id": due.call_id, "n": due.n, "error": error}
        row |= figures or dict.fromkeys([*xrays.FIGURES, "talk"])

        async def note(unit: Unit) -> None:
            if await keeping.seen(unit, due):
                await upsert(unit.db, RecordingXray, row | {"made_at": unit.now})
                await keeping.write_call(unit, due.began, due.call_id)

        await self._writer.do(note, name="xray")
