"""A process that writes until it is killed (`killed.py URL FIRST`); it prints each unit's number after its commit."""

import asyncio
import sys

from sqlalchemy import insert

from callcrm.kernel import clock
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.tables import Command, LinkState
from callcrm.kernel.writer import Unit, Writer


async def both(unit: Unit, n: int) -> None:
    """One unit: two rows and two facts that belong together."""
    now = clock.now()
    await unit.db.execute(insert(LinkState), {"pbx": f"{n}", "state": "up", "since": now, "words": "x" * 400})
    unit.fact("link.changed", pbx=f"{n}")
    await asyncio.sleep(0)
    command = {"id": f"{n}", "pbx": "office", "kind": "dial", "args": {}, "wanted_at": now, "expires_at": now}
    await unit.db.execute(insert(Command), command | {"changed_at": now})
    unit.fact("command.wanted", stream="pbx:office", command=f"{n}")


async def write(writer: Writer, first: int, step: int) -> None:
    """Write every `step`-th unit for ever."""
    n = first
    while True:
        await writer.do(lambda unit, n=n: both(unit, n), name="both")
        sys.stdout.write(f"{n}\n")
        sys.stdout.flush()
        n += step


async def main(url: str, first: int) -> None:
    """Several producers, so that groups are committed."""
    database = await Database.open(url, migrate=False)
    async with Writer(database, LocalBus(database)) as writer:
        await asyncio.gather(*(write(writer, first + k, 8) for k in range(8)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
