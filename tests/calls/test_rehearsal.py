"""The call that never was."""

from sqlalchemy import func, select

from callcrm import house
from callcrm.calls.rehearsal import rehearse
from callcrm.calls.rows import Context, Site
from callcrm.calls.tables import CallOperator, CallRow, LegRow
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.database import Database
from callcrm.kernel.schema import Base
from callcrm.kernel.tables import FactRow, Stream
from callcrm.kernel.writer import Writer
from callcrm.settings import Settings
from callcrm.tasks.tables import Task

TABLES: tuple[type[Base], ...] = (CallRow, LegRow, CallOperator, Client, ClientNumber, FactRow, Stream, Task)


async def test_nothing_of_the_rehearsal_stays(database: Database, writer: Writer) -> None:
    context = Context({"office": Site("RU")}, {("office", "101"): 1})
    await rehearse(writer, context, "office", after=house.after_calls(Settings()))
    async with database.read() as db:
        for table in TABLES:
            assert (await db.execute(select(func.count()).select_from(table))).scalar_one() == 0, table.__tablename__


async def test_a_rehearsal_writes_a_whole_call_before_it_is_undone(database: Database, writer: Writer) -> None:
    states: list[str] = []

    async def look(unit, recorded) -> None:
        states.extend(one.call.state for one in recorded)
        assert (await unit.db.execute(select(func.count()).select_from(CallRow))).scalar_one() == 1

    await rehearse(writer, Context(), "office", after=[look])
    assert states == ["ringing", "talking", "ended"]
