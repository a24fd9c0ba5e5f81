"""Events a second that are received and tracked by ours, against received (and counted) by stock panoramisk."""

import asyncio
import gzip
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from panoramisk import Manager

from ami.link import AmiSettings
from ami.messages import Message
from ami.session import Session
from ami.tracker import WANTED, Tracker
from bench.server import END

DEFAULT_TRACE = Path(__file__).parent.parent / "tests" / "traces" / "load" / "queue-10cps-30s.raw.gz"
#: Of the flood of VarSet only what names a recording is read, as the service does.
NAMES = dict.fromkeys(WANTED, ()) | {"VarSet": ("MIXMONITOR_FILENAME",), "BenchEnd": ()}


@dataclass(frozen=True, slots=True)
class Taken:
    """One run: seconds on the wall, seconds of this process's CPU."""

    wall: float
    cpu: float


async def stock(port: int) -> Taken:
    """panoramisk as it is, one `*` callback that counts."""
    ended = asyncio.get_running_loop().create_future()
    seen = 0

    def count(_manager: Manager, event: object) -> None:
        nonlocal seen
        seen += 1
        if event.event == "BenchEnd":  # type: ignore[attr-defined]
            ended.set_result(seen)

    manager = Manager(host="127.0.0.1", port=port, username="bench", secret="bench", ping_delay=600)  # noqa: S106
    manager.register_event("*", count)
    with stopwatch() as watch:
        await manager.connect()
        await ended
    manager.connection_lost = lambda _: None  # It would reconnect.
    manager.close()
    return watch[0]


async def ours(port: int, *, names: dict[str, tuple[str, ...]] = NAMES) -> Taken:
    """Our protocol with its filter by name, each event through the tracker."""
    ended = asyncio.get_running_loop().create_future()
    feed = Tracker().feed

    def take(at: float, message: Message) -> None:
        feed(message, at)
        if message.get("Event") == "BenchEnd":
            ended.set_result(None)

    with stopwatch() as watch:
        session = await Session.open(AmiSettings("bench", "127.0.0.1", "bench", "bench", port), take, names)
        await ended
    session.close()
    return watch[0]


@contextmanager
def stopwatch() -> Iterator[list[Taken]]:
    """Seconds of wall and CPU of what is done within."""
    taken: list[Taken] = []
    wall, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken.append(Taken(time.perf_counter() - wall, time.process_time() - cpu))


@contextmanager
def serving(trace: Path, times: int) -> Iterator[int]:
    """The server's process, and its port."""
    command = [sys.executable, "-m", "bench.server", str(trace), str(times)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        if process.stdout is None:
            raise RuntimeError("the server says nothing")
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


def events_in(trace: Path, times: int) -> int:
    """How many events a connection gets."""
    data = trace.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.count(b"\r\n\r\nEvent: ") * times + END.count(b"Event: ")


Variant = Callable[[int], Awaitable[Taken]]


def run(trace: Path = DEFAULT_TRACE, rounds: int = 5, times: int = 1) -> float:
    """Print the comparison; the ratio of ours to stock."""
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
    variants: dict[str, Variant] = {
        "stock panoramisk, one * callback that counts": stock,
        "callcrm: every event parsed and tracked": lambda port: ours(port, names={**NAMES, **_all_of(trace)}),
        "callcrm: dropped by name before decoding, tracked": ours,
    }
    count = events_in(trace, times)
    taken: dict[str, list[Taken]] = {name: [] for name in variants}
    with serving(trace, times) as port:
        for variant in variants.values():
            asyncio.run(_once(variant, port))
        for _ in range(rounds):
            for name, variant in variants.items():
                taken[name].append(asyncio.run(_once(variant, port)))
    return _print(taken, count, rounds)


async def _once(variant: Variant, port: int) -> Taken:
    return await variant(port)


def _all_of(trace: Path) -> dict[str, tuple[str, ...]]:
    data = gzip.decompress(trace.read_bytes()) if trace.suffix == ".gz" else trace.read_bytes()
    names = {block.split(b"\r\n", 1)[0] for block in data.split(b"Event: ")[1:]}
    return {name.decode("ascii", "replace"): () for name in names}


def _print(taken: dict[str, list[Taken]], count: int, rounds: int) -> float:
    print(
        f"Events received over loopback from another process: {count:,} events, medians of {rounds} interleaved runs."
    )
    wall = {name: statistics.median(one.wall for one in runs) for name, runs in taken.items()}
    cpu = {name: statistics.median(one.cpu for one in runs) for name, runs in taken.items()}
    base = next(iter(taken))
    for name in taken:
        rate, busy = count / wall[name], count / cpu[name]
        print(f"  {name:<52} {rate:>9,.0f} ev/s  {wall[base] / wall[name]:4.1f} ×   ({busy:,.0f} ev/s of CPU)")
    last = list(taken)[-1]
    return wall[base] / wall[last]
