"""kill -9 at any moment: the database opens, what was acknowledged is there, and nothing is there by half."""

import asyncio
import random
import sys
from pathlib import Path

from sqlalchemy import select, text

from callcrm.kernel.database import Database
from callcrm.kernel.streams import facts_after, positions
from callcrm.kernel.tables import Command, LinkState

KILLED = Path(__file__).parent / "killed.py"
ROOT = KILLED.parent.parent.parent
ROUNDS = 3


async def _killed_after(url: str, first: int, seconds: float) -> list[str]:
    """Run the writing process, kill it so long after its first commit; returns what it had said was committed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(KILLED), url, str(first), stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        said = await process.stdout.readline()
        await asyncio.sleep(seconds)
        process.kill()
        said += await process.stdout.read()
        await process.wait()
    assert said, "the process wrote nothing"
    return said.decode().rsplit("\n", 1)[0].split()


async def test_a_killed_writer_leaves_whole_units_and_facts_without_gaps(database_url: str):
    acknowledged: set[str] = set()
    for n in range(ROUNDS):
        acknowledged |= set(await _killed_after(database_url, n * 1_000_000, random.uniform(0.0, 0.4)))
        database = await Database.open(database_url)
        async with database.read() as db:
            if database.dialect == "sqlite":
                assert await db.scalar(text("PRAGMA integrity_check")) == "ok"
            else:
                # The server may still be ending the killed client's last transaction.
                await db.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            links = set((await db.scalars(select(LinkState.pbx))).all())
            commands = set((await db.scalars(select(Command.id))).all())
            desk = await facts_after(db, "desk", 0, 1_000_000)
            office = await facts_after(db, "pbx:office", 0, 1_000_000)
            reached = await positions(db)
        await database.close()
        assert links == commands == {fact.ids["pbx"] for fact in desk} == {fact.ids["command"] for fact in office}
        assert acknowledged <= links
        for stream, facts in (("desk", desk), ("pbx:office", office)):
            assert [fact.position for fact in facts] == list(range(1, reached[stream] + 1))
    assert len(acknowledged) >= ROUNDS
