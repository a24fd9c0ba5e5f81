"""How long an event loop stands still: watched from within, beside one that does nothing in a process of its own."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

TICK_S = 0.001
MOST_MS = 20.0


@dataclass
class Standstills:
    """How long the loop stood still, in milliseconds, measured by one who wants to run every millisecond.

    `waits`: by the clock. `own`: as much of each as this process had a processor, its threads included. `busy`: as much
    as the loop's own thread had one. `idle`: by the clock, of a loop in another process that did nothing meanwhile.
    """

    waits: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)

    async def watch(self) -> None:
        """Note how much later than wanted each turn comes."""
        while True:
            wanted, cpu, mine = time.perf_counter() + TICK_S, time.process_time(), time.thread_time()
            await asyncio.sleep(TICK_S)
            waited = (time.perf_counter() - wanted) * 1000
            self.waits.append(waited)
            self.own.append(min(waited, (time.process_time() - cpu) * 1000))
            self.busy.append(min(waited, (time.thread_time() - mine) * 1000))

    def line(self) -> str:
        """The longest, and how many were long."""
        told = [("by the clock", self.waits), ("an idle loop meanwhile", self.idle)]
        told += [("of ours the process had a processor", self.own), ("of that the loop's thread", self.busy)]
        return "; ".join([*(f"{word} {_said(waits)}" for word, waits in told if waits), f"{len(self.waits)} looks"])


def _said(waits: Sequence[float]) -> str:
    several = sorted(waits)
    long = sum(one > MOST_MS for one in several)
    return (
        f"at most {several[-1]:.1f} ms, p99 {several[int(len(several) * 0.99)]:.1f}, over {MOST_MS:.0f} ms {long} times"
    )


@asynccontextmanager
async def watched(standstills: Standstills) -> AsyncIterator[None]:
    """Watch this loop, and an idle one in a process of its own, while the block lasts."""
    command = (sys.executable, "-m", "bench.standstill")
    beside = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1)
    task = asyncio.create_task(standstills.watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        told, _ = await beside.communicate(b"\n")
        standstills.idle += [float(one) for one in told.split()]


async def _idle() -> list[float]:
    """Watch until a line comes in."""
    standstills, ends = Standstills(), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ends.set)
    task = asyncio.create_task(standstills.watch())
    await ends.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return standstills.waits


if __name__ == "__main__":
    print(*(f"{one:.2f}" for one in asyncio.run(_idle())))
