"""From the AMI event to the pop on the socket: a recorded call, 20 times a second, to the real daemon.

    python -m bench.pop_latency [--rate 20] [--seconds 20] [--clients 200]

The daemon runs in a process of its own (`callcrm run`), with its database on disk; so do the operators' sockets
(bench.readers). The simulated PBX is in this one. A pop counts from the moment its phone's event was written to AMI
to the moment its frame was read. The same calls then go through bench.floor, so that the figures can be compared from
one machine, and one hour, to another.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ami.messages import Message, first
from ami.simulator import DemoPbx, Operator, Person, Queue, Story
from callcrm.accounts import service, sessions
from callcrm.accounts.policy import Line
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer

TRACE = "direct_answered"
PBX = "office"
FIRST = 1001
#: Frames that a pop's event can be no older than; a call's later events are told apart by it.
WITHIN_S = 2.0


@dataclass
class Tape:
    """When each phone's events were written, and how long each pop took, in seconds."""

    written: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pops: list[float] = field(default_factory=list)
    frames: int = 0
    cpu_s: float = 0.0

    def note(self, message: Message) -> None:
        """An event that makes a phone ring goes out."""
        if first(message, "Event") == "Newstate" and first(message, "ChannelStateDesc") == "Ringing":
            phone = first(message, "Channel").partition("/")[2].partition("-")[0]
            self.written[phone].append(time.time())
        if first(message, "Event") == "DialBegin":
            phone = first(message, "DestChannel").partition("/")[2].partition("-")[0]
            self.written[phone].append(time.time())

    def read(self, phone: str, at: str, now: float) -> None:
        """A new pop's frame, told `at`, was read now."""
        times = self.written[phone]
        told = _moment(at) + 0.001
        place = bisect_right(times, min(told, now)) - 1
        if place >= 0 and now - times[place] < WITHIN_S:
            self.pops.append(now - times[place])


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class TapedPbx(DemoPbx):
    """The simulated PBX, with the moment of each event noted."""

    tape: Tape

    def put(self, message: Message) -> None:
        """As always, and on the tape."""
        self.tape.note(message)
        super().put(message)


def free_port() -> int:
    """A port that nobody has at present."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def prepare(folder: Path, pbx_port: int, clients: int) -> tuple[Path, int, list[str]]:
    """A settings file, people with phones, and their tokens."""
    web, push = free_port(), free_port()
    url = f"sqlite:///{folder / 'bench.db'}"
    file = folder / "bench.toml"
    file.write_text(
        f'[database]\nurl = "{url}"\n[web]\nport = {web}\n[push]\nport = {push}\n[log]\nlevel = "warning"\n'
        f'[pbx.{PBX}]\nhost = "127.0.0.1"\nport = {pbx_port}\nusername = "callcrm"\nsecret = "callcrm-secret"\n'
        'country = "RU"\ntrunks = "PJSIP/(trunk|provider).*"\noperators = "PJSIP/[0-9]+"\n'
    )
    database = await Database.open(url)
    async with LocalBus(database) as bus, Writer(database, bus) as writer:

        async def hire(unit: Unit, n: int) -> str:
            phones = [Line(PBX, str(FIRST + n))]
            user = await service.add_user(unit, f"operator{n}", role="operator", phones=phones)
            return await sessions.add_token(unit, user, "bench")

        tokens = [await writer.do(lambda unit, n=n: hire(unit, n), name="hire") for n in range(clients)]
    await database.close()
    return file, push, tokens


async def listen(url: str, tokens: list[str]) -> asyncio.subprocess.Process:
    """The operators' browsers, all connected."""
    readers = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.readers", stdin=PIPE, stdout=PIPE, limit=64 << 20
    )
    assert readers.stdin is not None
    assert readers.stdout is not None
    readers.stdin.write(json.dumps({"url": url, "tokens": tokens}).encode() + b"\n")
    if await readers.stdout.readline() != b"ready\n":
        raise SystemExit("The operators' sockets could not be opened: look at the daemon's log.")
    return readers


async def heard(readers: asyncio.subprocess.Process, tape: Tape) -> None:
    """End the sockets, and put on the tape what they read."""
    readers.terminate()
    told = json.loads((await readers.communicate())[0])
    tape.frames = told["frames"]
    for phone, at, now in told["pops"]:
        tape.read(phone, at, now)


async def measure(rate: float, seconds: float, clients: int, *, floor: bool = False) -> Tape:
    """Play the calls to callcrm, or to the bare relay; the tape tells."""
    tape = Tape()
    story = Story(
        operators=tuple(Operator(str(FIRST + n), f"Operator {n}") for n in range(clients)),
        queues=(Queue("sales", (str(FIRST),)),),
        people=tuple(Person(f"7916{n:07}") for n in range(2000)),
    )
    pbx = TapedPbx(story, seed=1)
    pbx.tape = tape
    await pbx.start()
    with tempfile.TemporaryDirectory(prefix="callcrm-bench-") as place:
        if floor:
            push, tokens = free_port(), [str(FIRST + n) for n in range(clients)]
            command = ["-m", "bench.floor", str(pbx.port), str(push)]
        else:
            file, push, tokens = await prepare(Path(place), pbx.port, clients)
            command = ["-m", "callcrm", "run", "--config", str(file)]
        daemon = await asyncio.create_subprocess_exec(sys.executable, *command)
        try:
            await up(push, pbx)
            readers = await listen(f"ws://127.0.0.1:{push}/push", tokens)
            await asyncio.sleep(1.5)
            tape.cpu_s = -cpu_s(daemon.pid)
            await _play(pbx, rate, seconds)
            tape.cpu_s += cpu_s(daemon.pid)
            await asyncio.sleep(2)
            await heard(readers, tape)
        finally:
            daemon.terminate()
            await daemon.wait()
            await pbx.stop(graceful=False)
    return tape


def cpu_s(pid: int) -> float:
    """Processor time that a process has used, in seconds; 0 where that cannot be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def up(push: int, pbx: DemoPbx) -> None:
    """Until the daemon takes sockets and has logged in at the PBX."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", push)
                writer.close()
                if any(session.user for session in pbx.sessions):
                    return
            except OSError:
                pass
            await asyncio.sleep(0.1)


async def _play(pbx: DemoPbx, rate: float, seconds: float) -> None:
    """One call in each stretch of 1/rate seconds, at any moment of it, to one operator after the other.

    At an exactly even pace the moments of all calls fall on one another, or never do.
    """
    loop = asyncio.get_running_loop()
    begin, moments = loop.time(), random.Random(1)
    plays = []
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + (n + moments.random()) / rate - loop.time()))
        plays.append(await pbx.begin(TRACE))
    for play in plays:
        await play.over()


def percentiles(tape: Tape) -> dict[int, float]:
    """The median, 95th and 99th percentile and the worst (100), in milliseconds."""
    pops = sorted(tape.pops)
    return {p: pops[min(len(pops) - 1, int(len(pops) * p / 100))] * 1000 for p in (50, 95, 99, 100)}


def report(tape: Tape, floor: Tape, rate: float, clients: int) -> str:
    """The figures in words."""
    if not tape.pops or not floor.pops:
        return "No pop came: look at the daemon's log."
    at, least = percentiles(tape), percentiles(floor)
    return (
        f"from the AMI event to the pop's frame, {rate:g} calls/s, {clients} clients, {len(tape.pops)} pops: "
        f"p50 {at[50]:.1f} ms, p95 {at[95]:.1f} ms, p99 {at[99]:.1f} ms, worst {at[100]:.1f} ms "
        f"({tape.frames} frames read; {tape.cpu_s / len(tape.pops) * 1000:.1f} ms of the daemon's processor a call; "
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)\n"
        f"  a bare relay that keeps nothing, in the same run: "
        f"p50 {least[50]:.1f} ms, p95 {least[95]:.1f} ms, p99 {least[99]:.1f} ms "
        f"({floor.cpu_s / len(floor.pops) * 1000:.1f} ms of processor a call); callcrm takes "
        f"{at[50] / least[50]:.1f} × its p50, {at[95] / least[95]:.1f} × its p95, {at[99] / least[99]:.1f} × its p99"
    )


async def compare(rate: float, seconds: float, clients: int) -> str:
    """callcrm, then the floor."""
    tape = await measure(rate, seconds, clients)
    return report(tape, await measure(rate, seconds, clients, floor=True), rate, clients)


def main() -> None:
    """Run it from the command line."""
    wishes = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    wishes.add_argument("--rate", type=float, default=20)
    wishes.add_argument("--seconds", type=float, default=20)
    wishes.add_argument("--clients", type=int, default=200)
    told = wishes.parse_args()
    print(asyncio.run(compare(told.rate, told.seconds, told.clients)))


if __name__ == "__main__":
    main()
