"""How long the pages and the search take on big data: `python -m bench pages [FILE]`.

FILE is what `bench.bigdata` made (without one, a small one is made). The real daemon (`callcrm run`) works on it, with
a simulated PBX beside it; each page is fetched 30 times over loopback by somebody who is signed in. A page counts
from the request to its last byte, so the time is the server's and a little more.
"""

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import aiohttp
from sqlalchemy import func, select

from ami.simulator import DemoPbx, Operator, Person, Queue, Story
from bench import bigdata
from bench.bigcalls import PBX, QUEUES
from bench.pop_latency import cpu_s, free_port
from callcrm.accounts import sessions
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.paging import encode
from callcrm.kernel.writer import Writer
from webui.identity import COOKIE

TIMES = 30
WARM = 3
PAGE_MS, SEARCH_MS, MEMORY_MB = 100.0, 50.0, 400.0
SMALL = (20_000, 60_000)
WHO = ("operator1", "supervisor1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page to measure: what it is, its address, and how long it may take."""

    word: str
    path: str
    most_ms: float = PAGE_MS


@dataclass(frozen=True, slots=True)
class Taken:
    """How long it took, in milliseconds; `cpu`: of the service's processor, which other work does not lengthen."""

    wanted: Wanted
    who: str
    median: float
    p95: float
    cpu: float
    size: int
    status: int = 200

    @property
    def line(self) -> str:
        """A row of the table."""
        mark = "" if self.p95 <= self.wanted.most_ms else " **slow**"
        mark = mark if self.status == 200 else f" **answered {self.status}**"
        times = f"{self.median:.0f} | {self.p95:.0f}{mark} | {self.cpu:.0f}"
        return f"| {self.wanted.word} | {self.who} | {times} | {self.size // 1000} |"


async def wanted(database: Database) -> list[Wanted]:
    """The pages, of people and numbers that are there."""
    async with database.read() as db:
        newest = await db.scalar(select(func.max(CallRow.at)))
        oldest = await db.scalar(select(func.min(CallRow.at)))
        deep = oldest + (newest - oldest) / 2
        busy = (
            await db.execute(select(CallRow.client_id, CallRow.client_number).where(CallRow.client_id == 1).limit(1))
        ).one()
        rare = (
            await db.execute(
                select(CallRow.client_id, CallRow.client_number)
                .where(CallRow.at <= deep, CallRow.client_id.is_not(None))
                .order_by(CallRow.at.desc())
                .limit(1)
            )
        ).one()
        # One that both may read.
        his = select(User.id).where(User.name == WHO[0]).scalar_subquery()
        call_id = await db.scalar(
            select(CallRow.id)
            .where(CallRow.at <= deep, CallRow.operator_id == his)
            .order_by(CallRow.at.desc())
            .limit(1)
        )
        named = (
            await db.execute(
                select(Client.name, ClientNumber.e164)
                .join(ClientNumber, ClientNumber.client_id == Client.id)
                .where(Client.id > 1000, Client.name > "А")
                .limit(1)
            )
        ).one()
    pages = [*_pages(busy[0], rare[0], call_id), *_log(rare[1], deep, newest)]
    return [*pages, *_searches(named.name, named.e164, call_id)]


def _pages(busy: int, rare: int, call_id: str) -> list[Wanted]:
    return [
        Wanted("desk", "/"),
        Wanted("card of who called most", f"/clients/{busy}"),
        Wanted("card of another", f"/clients/{rare}"),
        Wanted("clients", "/clients"),
        Wanted("clients found by two words", f"/clients?q={quote('иван моро')}"),
        Wanted("callbacks", "/callbacks"),
        Wanted("callbacks, closed", "/callbacks?show=closed"),
        Wanted("tasks", "/tasks"),
        Wanted("a call's story", f"/calls/{call_id}"),
    ]


def _log(number: str, deep: datetime, newest: datetime) -> list[Wanted]:
    day = newest.date().isoformat()
    found = {
        "first page": "",
        "deep page": f"cursor={encode([deep, 'z'])}",
        "missed": "missed=yes",
        "an operator's": "operator=7",
        "a queue's": f"queue={QUEUES[0]}",
        "a queue's, deep": f"queue={QUEUES[0]}&cursor={encode([deep, 'z'])}",
        "a number's": f"number={quote(number)}",
        "a day's": f"since={day}&until={day}",
        "missed, not called back": "show=owed",
        "unlinked": "show=unlinked",
        "no outcome": "show=unsaid",
        "long hold": "show=held",
        "transferred": "show=transferred",
        "long silence": "show=silent",
        "bad sound": "show=faulty",
        "by longest silence": "sort=silence",
        "by talking at once": "sort=overlap",
        "by the operator's share": "sort=share",
        "by first word": "sort=word",
        "a queue's by longest silence": f"sort=silence&queue={QUEUES[0]}",
    }
    return [Wanted(f"call log, {word}", f"/calls?{query}") for word, query in found.items()]


def _searches(name: str, number: str, call_id: str) -> list[Wanted]:
    part = f"8 ({number[2:5]}) {number[5:8]}"
    words = ("ив", "иван", "иван моро", "енко", name, "северторг", "mail.example", "рассрочку")
    typed = (*words, number, part, number[-4:], call_id)
    return [Wanted(f"search: {one}", f"/palette?q={quote(one)}", SEARCH_MS) for one in typed]


@asynccontextmanager
async def serving(url: str, folder: Path) -> AsyncIterator[tuple[int, int]]:
    """The daemon on the database, with a PBX beside it; its port and its process."""
    story = Story(
        operators=tuple(Operator(str(bigdata.FIRST_PHONE + n), f"Operator {n}") for n in range(1, 6)),
        queues=tuple(Queue(name, (str(bigdata.FIRST_PHONE + 1),)) for name in QUEUES),
        people=(Person("79160000000"),),
    )
    pbx = DemoPbx(story, seed=1)
    await pbx.start()
    web, file = free_port(), folder / "pages.toml"
    queues = "".join(f'[queues.{name}]\nlabel = "{name.title()}"\npeople = ["operator1"]\n' for name in QUEUES)
    file.write_text(
        f'[database]\nurl = "{url}"\n[web]\nport = {web}\n[push]\nport = {free_port()}\n[log]\nlevel = "warning"\n'
        f'[pbx.{PBX}]\nhost = "127.0.0.1"\nport = {pbx.port}\nusername = "callcrm"\nsecret = "callcrm-secret"\n'
        f'country = "RU"\ntrunks = "PJSIP/(trunk|provider).*"\noperators = "PJSIP/[0-9]+"\n{queues}'
    )
    daemon = await asyncio.create_subprocess_exec(sys.executable, "-m", "callcrm", "run", "--config", str(file))
    try:
        yield web, daemon.pid
    finally:
        daemon.terminate()
        await daemon.wait()
        await pbx.stop(graceful=False)


async def cookies(database: Database) -> dict[str, str]:
    """A session for each of those who look."""
    found = {}
    async with database.read() as db:
        ids = {name: await db.scalar(select(User.id).where(User.name == name)) for name in WHO}
    async with LocalBus(database) as bus, Writer(database, bus) as writer:
        for name, user in ids.items():
            found[name] = await writer.do(lambda unit, u=user: sessions.open_session(unit, u, hours=2), name="session")
    return found


def pace() -> float:
    """Seconds for five million additions: how fast the machine is at this moment, to compare runs by."""
    began, n = time.perf_counter(), 0
    for _ in range(5_000_000):
        n += 2
    return time.perf_counter() - began


async def measure(url: str, folder: Path, times: int, only: str = "") -> tuple[list[Taken], float]:
    """Every page (or those whose word fits `only`) by everybody, and the service's memory afterwards, in MB."""
    database = await Database.open(url)
    try:
        pages, keys = [one for one in await wanted(database) if re.search(only, one.word)], await cookies(database)
    finally:
        await database.close()
    async with serving(url, folder) as (port, pid):
        taken = []
        print("| page | seen by | median | p95 | processor | kB |\n|---|---|---|---|---|---|", flush=True)
        for who in WHO:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookies={COOKIE: keys[who]}) as client:
                await _up(client)
                for one in pages:
                    taken.append(await _taken(client, one, who, times, pid))
                    print(taken[-1].line, flush=True)
        return taken, _memory(pid)


async def _up(client: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with client.get("/readyz"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)


async def _taken(client: aiohttp.ClientSession, page: Wanted, who: str, many: int, pid: int) -> Taken:
    times: list[float] = []
    size, cpu = 0, 0.0
    for n in range(WARM + many):
        cpu = cpu_s(pid) if n == WARM else cpu
        begun = time.perf_counter()
        async with client.get(page.path) as answer:
            size = len(await answer.read())
        if n >= WARM:
            times.append((time.perf_counter() - begun) * 1000)
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    spent = (cpu_s(pid) - cpu) * 1000 / many
    return Taken(page, who.rstrip("0123456789"), median, p95, spent, size, answer.status)


def _memory(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(told.split("VmRSS:")[1].split()[0]) / 1000


async def run(file: Path | str | None, times: int = TIMES, only: str = "") -> int:
    """Measure and print; 1 when something was slower or bigger than it may."""
    with tempfile.TemporaryDirectory(prefix="callcrm-pages-") as place:
        url = str(file) if file and "://" in str(file) else f"sqlite:///{file or Path(place) / 'small.db'}"
        if file is None:
            await asyncio.to_thread(bigdata.make, Path(place) / "small.db", clients=SMALL[0], calls=SMALL[1])
        before = pace()
        taken, memory = await measure(url, Path(place), times, only)
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    print(f"\n{load}; five million additions took {before:.2f} s before and {pace():.2f} s after")
    print(f"milliseconds of {times} each\n")
    print(f"memory of the service afterwards: {memory:.0f} MB")
    slow = [one for one in taken if one.p95 > one.wanted.most_ms or one.status != 200]
    return 1 if slow or memory > MEMORY_MB else 0


def main() -> int:
    """Run it from the command line."""
    wishes = argparse.ArgumentParser(prog="python -m bench.pages", description="How long the pages take on big data.")
    wishes.add_argument("file", nargs="?", help="what bench.bigdata made, or the address of a PostgreSQL database")
    wishes.add_argument("--times", type=int, default=TIMES, help="how often each page is fetched")
    wishes.add_argument("--only", default="", help="only pages whose word fits this expression, such as ^search")
    told = wishes.parse_args()
    file = told.file if told.file and "://" in told.file else Path(told.file).absolute() if told.file else None
    return asyncio.run(run(file, told.times, told.only))


if __name__ == "__main__":
    sys.exit(main())
