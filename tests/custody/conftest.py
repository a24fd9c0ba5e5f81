"""An office whose calls are recorded, and a PBX that does what it is told, or does not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from callcrm.calls.call import Call, Sound
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.schema import Base
from callcrm.kernel.tables import Command
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from tests import people
from tests.calls import making
from tests.webui import office


@dataclass
class Office:
    """The database, and the PBX's part in it."""

    database: Database
    writer: Writer
    bus: LocalBus

    async def talks(self, key: str = "c1", minutes: float = 5.0) -> Call:
        """A client talks with Olga, and is recorded."""

        one = making.call(key, office.ago(minutes))
        ringing = making.rings(one, "101")
        answered = making.answers(ringing[-1].call, "101")
        sound = Sound(f"in-{key}.wav", one.at)
        last = replace(answered[-1].call, recordings=(sound,))
        changes = [making.began(one), *ringing, *answered[:-1], replace(answered[-1], call=last)]
        await office.record(self.writer, *changes)
        return last

    async def ends(self, call: Call) -> None:
        """Everybody has hung up."""
        await office.record(self.writer, making.ends(call, 60.0))

    async def rows(self, table: type[Base]) -> list[dict[str, Any]]:
        """All rows of a table."""
        async with self.database.read() as db:
            return [dict(row) for row in (await db.execute(select(table.__table__))).mappings()]

    async def wishes(self, kind: str, state: str = "wanted") -> list[str]:
        """The channels of the wishes of that kind that stand so."""
        return [r["args"]["channel"] for r in await self.rows(Command) if (r["kind"], r["state"]) == (kind, state)]

    async def obeys(self, kind: str, state: str = "done", message: str = "", *, after_s: float = 0.0) -> None:
        """The PBX answers all wishes of that kind."""

        async def work(unit: Unit) -> None:
            waiting = (Command.kind == kind) & (Command.state == "wanted")
            at = unit.now + timedelta(seconds=after_s)
            values = {"state": state, "result": {"message": message}, "changed_at": at}
            for one in (await unit.db.execute(select(Command.id).where(waiting))).scalars().all():
                await unit.db.execute(update(Command).where(Command.id == one).values(**values))
                unit.fact("command.changed", stream="pbx:office", command=one, pbx="office")

        await self.writer.do(work, name="the PBX answers")

    async def arrives(self, call: str, n: int = 0, **values: Any) -> None:
        """The recording's file has come."""

        async def work(unit: Unit) -> None:
            here = (CallRecording.call_id == call) & (CallRecording.n == n)
            seen = {"state": "present", "cause": "", "seconds": 60.0, "check_at": None, **values}
            await unit.db.execute(update(CallRecording).where(here).values(**seen))
            unit.fact("recording.changed", stream="pbx:office", call=call, n=n)

        await self.writer.do(work, name="sound")

    async def recording(self, call: str, n: int = 0) -> dict[str, Any]:
        """One recording's row."""
        rows = await self.rows(CallRecording)
        return next(row for row in rows if (row["call_id"], row["n"]) == (call, n))

    async def add_recording(self, call: str, n: int, file: str, **values: Any) -> None:
        """A recording that was looked at already."""

        async def work(unit: Unit) -> None:
            began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == call))
            row = {"began": began, "call_id": call, "n": n, "pbx": "office", "file": file, "state": "present"}
            row |= {"cause": "", "seconds": 12.0, "size": 1000, "check_at": None, **values}
            await upsert(unit.db, CallRecording, row)

        await self.writer.do(work, name="recording")


@pytest.fixture
async def house(database: Database) -> AsyncIterator[Office]:
    """An office with people, linked to its PBX; on SQLite and on PostgreSQL."""
    async with LocalBus(database) as bus, Writer(database, bus) as writer:
        await people.hire(writer)
        await writer.do(office._link, name="link")
        yield Office(database, writer, bus)
