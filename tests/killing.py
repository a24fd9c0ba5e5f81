"""A simulated PBX at work, the daemon beside it as a process to be killed, and its log as if nothing had happened."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Self

from sqlalchemy import select

from ami.messages import Message
from ami.simulator import DemoPbx, Operator, Queue, Story
from ami.tracker import Tracker
from callcrm import house
from callcrm.calls import service
from callcrm.calls.call import Change
from callcrm.calls.model import Calls
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.schema import Base
from callcrm.kernel.writer import Writer
from callcrm.settings import Settings
from callcrm.settings_file import load
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.journal import read_back
from callcrm.telephony.sides import Sides

PBX = "office"
ROOT = Path(__file__).parents[1]
PATIENCE_S = 60.0
#: How much longer than recorded people talk and wait.
STRETCH = 1.5
#: Calls of every fate, of some seconds each; what is handed on, held or parked is more likely than in life.
CALLS = (
    "queue_answered",
    "queue_operator_hangs_up",
    "queue_abandoned",
    "queue_no_answer_then_second",
    "direct_answered",
    "direct_hold",
    "direct_no_answer",
    "direct_named_caller",
    "out_answered",
    "out_no_answer",
    "transfer_blind",
    "transfer_attended",
    "park_and_retrieve",
    "pickup_directed_from_queue",
    "internal_answered",
)
CONFIG = """
[database]
url = "sqlite:///{folder}/desk.db"
[web]
port = 0
[push]
port = 0
[pbx.office]
host = "127.0.0.1"
port = {port}
username = "callcrm"
secret = "callcrm-secret"
country = "RU"
trunks = "PJSIP/trunk"
operators = 'PJSIP/1\\d\\d'
[callbacks.hours]
{hours}
[log]
level = "warning"
"""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def a_story() -> Story:
    """Enough operators in two queues, whose calls outlast a restart of the daemon."""
    numbers = [str(number) for number in range(101, 131)]
    queues = (Queue("sales", tuple(numbers[:20])), Queue("support", tuple(numbers[10:]), "rrmemory", local=True))
    operators = tuple(Operator(number, f"Operator {number}") for number in numbers)
    return Story(operators, queues, talk=(STRETCH, STRETCH), wait=(STRETCH, STRETCH))


@dataclass
class Shop:
    """The PBX, all that it said (moment, message), and when somebody logged in."""

    pbx: DemoPbx
    said: list[tuple[float, Message]] = field(default_factory=list)
    _driver: "asyncio.Task[None] | None" = None

    def open(self, dice: Random, pace_s: float) -> None:
        """Begin with calls, at random distances of `pace_s` seconds on average."""
        self._driver = asyncio.create_task(self._drive(dice, pace_s), name="shop")

    async def _drive(self, dice: Random, pace_s: float) -> None:
        while True:
            await self.pbx.begin(dice.choice(CALLS))
            await asyncio.sleep(dice.uniform(0.3, 1.7) * pace_s)

    async def close(self) -> None:
        """No more calls."""
        if self._driver is not None:
            self._driver.cancel()
            await asyncio.wait({self._driver})

    async def quiet(self) -> None:
        """Waits until the calls that go on have come to their end."""
        await asyncio.gather(*(play.over() for play in list(self.pbx.plays)))

    async def listened_to(self) -> float:
        """The moment from which a client of this PBX hears everything; waits for one."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(session.user for session in self.pbx.sessions):
                await asyncio.sleep(0.01)
        return time.time()

    async def left(self) -> None:
        """Waits until no client is there any more."""
        async with asyncio.timeout(PATIENCE_S):
            while self.pbx.sessions:
                await asyncio.sleep(0.01)

    def moment_of(self, message: Message) -> float:
        """When the PBX said this, the last time that it did."""
        return next(at for at, said in reversed(self.said) if said == message)


@asynccontextmanager
async def opened_shop(seed: int) -> AsyncIterator[Shop]:
    """A PBX that is started; what it says is written down."""
    shop = Shop(DemoPbx(a_story(), seed=seed))
    tell = shop.pbx.tell

    def noted(message: Message, now: float) -> None:
        shop.said.append((time.time(), dict(message)))
        tell(message, now)

    shop.pbx.tell = noted  # type: ignore[method-assign]
    await shop.pbx.start()
    try:
        yield shop
    finally:
        await shop.pbx.stop()


#: Has loaded what `callcrm run` needs, and becomes it at each line: a restart is not to take a busy machine seconds.
KEEPER = """
import os, sys
from callcrm import cli, daemon
from webui import app
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        cli.main()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass
class Daemon:
    """`callcrm run` on a SQLite file in a folder, as a process that is killed and started again."""

    folder: Path
    port: int
    _keeper: Process | None = None
    _running: int = 0

    async def __aenter__(self) -> Self:
        hours = "\n".join(f'{day} = ["00:00-24:00"]' for day in DAYS)
        self.config.write_text(CONFIG.format(folder=self.folder, port=self.port, hours=hours))
        words = ("-c", KEEPER, "run", "--config", str(self.config))
        pipe = asyncio.subprocess.PIPE
        with self.log.open("wb") as log:
            self._keeper = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=log
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        if self._running:
            os.kill(self._running, signal.SIGKILL)
        self._keeper.stdin.close()
        await self._keeper.wait()

    @property
    def config(self) -> Path:
        return self.folder / "callcrm.toml"

    @property
    def log(self) -> Path:
        """The file with all that it said."""
        return self.folder / "log"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'desk.db'}"

    async def start(self) -> None:
        assert self._keeper is not None
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(b"run\n")
        self._running = await self._number()

    async def kill(self) -> None:
        """kill -9."""
        assert await self._ended(signal.SIGKILL) == -signal.SIGKILL, self.log.read_text()

    async def stop(self) -> int:
        """Ask it to end; its exit code."""
        return await self._ended(signal.SIGTERM)

    async def _ended(self, sign: signal.Signals) -> int:
        os.kill(self._running, sign)
        self._running = 0
        return await self._number()

    async def _number(self) -> int:
        """What the keeper says next."""
        assert self._keeper is not None
        assert self._keeper.stdout is not None
        return int(await asyncio.wait_for(self._keeper.stdout.readline(), PATIENCE_S))


async def rows(database: Database, table: type[Base], *wheres: Any) -> list[dict[str, Any]]:
    """What lies in a table, in order of its key."""
    async with database.read() as db:
        found = await db.execute(select(table.__table__).where(*wheres).order_by(*table.__table__.primary_key))
        return [dict(row) for row in found.mappings()]


async def journalled(database: Database) -> list[tuple[float, Message]]:
    """All that the daemon has written down of what the PBX told and answered."""
    async with database.read() as db:
        told = [captured async for captured in read_back(db, PBX, datetime(2000, 1, 1, tzinfo=UTC))]
    return [(one.t or 0.0, one.message) for one in told if one.message is not None]


def changes_of(said: list[tuple[float, Message]]) -> list[Change]:
    """What the calls of a whole stream are told as."""
    tracker, adapter, calls = Tracker(), Adapter(Sides("PJSIP/trunk", r"PJSIP/1\d\d")), Calls(PBX)
    told: list[Change] = []
    for at, message in said:
        signals = [signal for event in tracker.feed(message, at) for signal in adapter.hear(event)]
        told += calls.steps(signals) + calls.tick(at)
    end = said[-1][0]
    for event in tracker.finish(end):
        told += calls.steps(adapter.hear(event))
    return told + calls.finish(end)


@asynccontextmanager
async def undisturbed(url: str, config: Path, changes: list[Change]) -> AsyncIterator[Database]:
    """The log that these changes make when nobody is killed."""
    settings: Settings = load(config)
    database = await Database.open(url)
    try:
        async with LocalBus(database) as bus, Writer(database, bus) as writer:
            async with database.read() as db:
                context = await house.context(settings, db)
            after = house.after_calls(settings)
            for n in range(0, len(changes), 50):
                part = changes[n : n + 50]
                await writer.do(lambda unit, part=part: service.record(unit, part, context, after=after), name="calls")
        yield database
    finally:
        await database.close()
