"""A small house on shift: Anna at 101, Boris at 102; rows of calls, facts as the listener tells them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from callcrm.accounts import service as accounts
from callcrm.accounts.policy import Actor, Line
from callcrm.calls.tables import CallRow
from callcrm.kernel import clock
from callcrm.kernel.tables import Command
from callcrm.shifts import service
from callcrm.shifts.states import Rules, WrapUpRule
from callcrm.shifts.tables import OperatorState, Standing
from callcrm.telephony.tables import QueueMember

RULES = Rules(
    pauses={"Lunch": 45.0, "Break": 15.0},
    queues={
        "sales": WrapUpRule("timed", 0.4),
        "support": WrapUpRule("required"),
        "quiet": WrapUpRule("required", pauses=True),
    },
)


class House:
    """People and calls, as rows and facts."""

    def __init__(self, database, writer):
        self.database, self.writer = database, writer
        self.anna = self.boris = None

    async def do(self, work, *args, **named):
        return await self.writer.do(lambda unit: work(unit, *args, **named), name=work.__name__)

    async def hire(self, name, extension):
        line = Line("office", extension)
        user = await self.do(accounts.add_user, name, role="operator", phones=[line])
        return Actor(user, name, "operator", extensions=(line,))

    async def rows(self, table, *where):
        async with self.database.read() as db:
            return [dict(row) for row in (await db.execute(select(table.__table__).where(*where))).mappings()]

    async def standing(self, actor):
        rows = await self.rows(Standing, Standing.user_id == actor.user_id)
        return (rows[0]["state"], rows[0]["reason"]) if rows else None

    async def stands(self, actor, *expected):
        """Until the person's state and reason are these."""
        async with asyncio.timeout(20):
            while (found := await self.standing(actor)) != expected:
                await asyncio.sleep(0.02)
        return found

    async def spells(self, actor):
        rows = await self.rows(OperatorState, OperatorState.user_id == actor.user_id)
        return sorted(rows, key=lambda row: row["began"])

    async def commands(self):
        rows = await self.rows(Command)
        return [(row["kind"], row["args"], row["state"]) for row in sorted(rows, key=lambda row: row["wanted_at"])]

    async def call(self, key, *, queue="sales", direction="inbound", operator=None):
        """A call of the log."""
        now = clock.now()
        row = {"began": now.replace(microsecond=0), "id": key, "pbx": "office", "uniqueid": key, "state": "ringing"}
        row |= {"direction": direction, "at": now, "queue": queue, "operator_id": operator}

        async def work(unit):
            await unit.db.execute(insert(CallRow), row)
            unit.fact("call.began", stream="pbx:office", call=key, pbx="office")

        await self.do(work)

    async def happen(self, kind, key, actor=None, *, ago=0.0, **ids):
        """A fact of the call; its end is in its row, too."""
        when = clock.now() - timedelta(seconds=ago)

        async def work(unit):
            if kind == "call.ended":
                await unit.db.execute(update(CallRow).where(CallRow.id == key).values(ended_at=when, state="ended"))
            who = {"user": actor.user_id, "extension": actor.extensions[0].extension} if actor else {}
            unit.fact(kind, stream="pbx:office", at=when, call=key, **who, **ids)

        await self.do(work)

    async def place(self, extension, *, paused=False, reason="", queue="sales"):
        """The PBX's word on a place in a queue."""
        row = {"pbx": "office", "queue": queue, "interface": f"PJSIP/{extension}", "extension": extension}
        row |= {"name": "", "state": "free", "paused": paused, "reason": reason, "paused_at": clock.now()}

        async def work(unit):
            key = (QueueMember.queue == queue, QueueMember.extension == extension)
            changed = await unit.db.execute(update(QueueMember).where(*key).values(row))
            if not changed.rowcount:
                await unit.db.execute(insert(QueueMember), row)
            unit.fact("phone.paused", stream="pbx:office", pbx="office", extension=extension)

        await self.do(work)


@pytest.fixture
async def house(database, writer):
    made = House(database, writer)
    made.anna, made.boris = await made.hire("anna", "101"), await made.hire("boris", "102")
    await made.do(service.start, made.anna)
    return made
