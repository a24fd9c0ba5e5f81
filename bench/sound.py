"""What sound costs: `python -m bench sound`, or `python -m bench.sound [--count 10000] [--seen 1000]`.

An hour of a call in two lanes (8 kHz, 16 bits, 115 MB): its peaks and its X-ray, each in a process of its own whose
memory is looked at, beside plainly reading the file in blocks. Then so many recordings that have just come: each is
found, measured, drawn and looked through, in the service's own loop, whose longest standstill is measured. Then the
first sound of the hour over HTTP.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path

import aiohttp
import numpy as np
import soundfile
from aiohttp import web
from sqlalchemy import func, insert, select

from bench import playing
from bench.standstill import MOST_MS, Standstills, watched
from callcrm.accounts import sessions
from callcrm.accounts.tables import User
from callcrm.calls.soundwatch import SoundWatch
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.calls.xraying import Xraying
from callcrm.calls.xraytables import Xray
from callcrm.daemon import _COLLECT_AT, _TURN_S
from callcrm.kernel import logs
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.settings import PbxSettings, Settings
from recordings import Folder, Looker
from recordings.apart import Apart
from webui.app import make_app
from webui.identity import COOKIE
from webui.parts import Parts

RATE = 8000
HOUR_S = 3600
#: Lengths of the many, in seconds: most calls are short.
LENGTHS = (4, 8, 12, 20)
ROUNDS = 3
MOST_S, MOST_MB, MOST_FIRST_MS = 3.0, 100.0, 300.0


def speech(seconds: float, seed: int) -> np.ndarray:
    """A lane of something like speech: noise in syllables, with turns and pauses; `int16`."""
    dice = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    turns = np.repeat(dice.random(int(seconds // 3) + 1) < 0.45, 3 * RATE)[: len(at)]
    level = (0.05 + 0.05 * np.sin(2 * np.pi * 4 * at)) * turns + 0.0008
    return np.asarray(dice.normal(0, 1, len(at)) * level * 32767, np.int16)


def write_call(path: Path, seconds: float, seed: int = 1) -> Path:
    """A call in two lanes."""
    with soundfile.SoundFile(path, "w", samplerate=RATE, channels=2, subtype="PCM_16") as file:
        for begin in range(0, round(seconds), 60):
            part = min(60.0, seconds - begin)
            file.write(np.stack([speech(part, seed + begin), speech(part, seed + begin + 7)], axis=1))
    return path


#: Reading is the same bytes through the same decoder, with nothing done to them.
_WORK = {
    "reading": "sum(len(block) for block in soundfile.SoundFile(path).blocks(1 << 16, dtype='int16'))",
    "peaks": "peaks_of(path)",
    "X-ray": "xray_of(path)",
}
#: What the fresh process does: it knows the library alone, as the one that looks through recordings does.
_FRESH = """
import sys, time
from pathlib import Path
import soundfile
from recordings import peaks_of
from recordings.xray import xray_of
path, began, cpu = Path(sys.argv[1]), time.perf_counter(), time.process_time()
{work}
took, spent = time.perf_counter() - began, time.process_time() - cpu
told = Path("/proc/self/status").read_text()
print(took, spent, int(told.partition("VmHWM:")[2].split()[0]) / 1000)
"""


def measured(work: str, path: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds, and megabytes at the most, of one piece of work in a fresh process."""
    command = [sys.executable, "-c", _FRESH.format(work=_WORK[work]), str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own
    took, cpu, peak = (float(one) for one in told.split())
    return took, cpu, peak


def hour(path: Path) -> bool:
    """Measure the hour; whether it keeps the bounds."""
    found = {work: [measured(work, path) for _ in range(ROUNDS)] for work in _WORK}
    middle = {work: [statistics.median(column) for column in zip(*runs, strict=True)] for work, runs in found.items()}
    plain = middle["reading"][1]
    print(f"an hour of a call in two lanes ({path.stat().st_size / 1e6:.0f} MB), the middle of {ROUNDS} runs:")
    for work, (took, cpu, peak) in middle.items():
        print(f"  {work}: {took:.2f} s, processor {cpu:.2f} s ({cpu / plain:.1f} × reading), memory {peak:.0f} MB")
    together = middle["peaks"][0] + middle["X-ray"][0]
    most = max(peak for _, _, peak in middle.values())
    print(
        f"  peaks and X-ray together {together:.2f} s (wanted: {MOST_S}), memory {most:.0f} MB (wanted: {MOST_MB:.0f})"
    )
    return bool(together <= MOST_S and most < MOST_MB)


@contextlib.contextmanager
def _prompt() -> Iterator[None]:
    """As the daemon has it: threads give way quickly, and the collector leaves alone what stays."""
    before, collects = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_TURN_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AT)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*collects)
        sys.setswitchinterval(before)


async def many(folder: Path, count: int, seen: int) -> bool:
    """Index so many recordings in one loop, and look through the newest of them; whether it kept the bound."""
    sounds = [write_call(folder / f"{seconds}.wav", seconds, seconds) for seconds in LENGTHS]
    for n in range(count):
        os.link(sounds[n % len(sounds)], folder / f"call-{n}.wav")
    database = await Database.open(f"sqlite:///{folder}/many.db")
    async with LocalBus(database) as bus, Writer(database, bus) as writer:
        await _tell(writer, count)
        idle = Standstills()
        with _prompt():
            async with watched(idle):
                await asyncio.sleep(3.0)
            print(f"{count} recordings that have just come (the loop alone beforehand: {idle.line()}):")
            looker = Looker()
            watch = SoundWatch(database, writer, bus, {"office": Folder(folder)}, looker)
            found = await _until(watch, database, "found, measured and drawn", count)
            looker.close()

            @asynccontextmanager
            async def local(call_id: str, _n: int) -> AsyncIterator[Path]:
                yield folder / f"{call_id}.wav"

            xraying = Xraying(database, writer, bus, local, share=1, apart=Apart())
            looked = await _until(xraying, database, "looked through (the newest)", seen)
    await database.close()
    return max(found, looked) <= MOST_MS


async def _tell(writer: Writer, count: int) -> None:
    began = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    async def add(numbers: range, unit: Unit) -> None:
        calls, sounds = [], []
        for n in numbers:
            at = began + timedelta(seconds=30 * n)
            key = {"began": at, "pbx": "office"}
            times = {"at": at, "answered_at": at, "ended_at": at + timedelta(seconds=LENGTHS[n % len(LENGTHS)])}
            call = {"id": f"call-{n}", "uniqueid": str(n), "direction": "inbound", "state": "ended"}
            calls.append(key | times | call | {"talk_s": float(LENGTHS[n % len(LENGTHS)])})
            sound = {"call_id": f"call-{n}", "n": 0, "file": f"call-{n}.wav", "state": "writing", "at": at}
            sounds.append(key | sound | {"check_at": unit.now})
        await unit.db.execute(insert(CallRow), calls)
        await unit.db.execute(insert(CallRecording), sounds)

    for first in range(0, count, 500):
        await writer.do(partial(add, range(first, min(count, first + 500))), name="bench")


async def _until(part: SoundWatch | Xraying, database: Database, word: str, count: int) -> float:
    """Run a worker until it has done all; the longest piece of the loop's own work, in milliseconds."""
    standstills, began = Standstills(), time.perf_counter()
    statement = select(func.count()).select_from(CallRecording).where(CallRecording.state == "present")
    if isinstance(part, Xraying):
        statement = select(func.count()).select_from(Xray)
    async with watched(standstills):
        task = asyncio.create_task(part.run())
        done = 0
        while done < count:
            await asyncio.sleep(0.5)
            async with database.read() as db:
                done = int(await db.scalar(statement) or 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    took = time.perf_counter() - began
    print(
        f"  {word} in {took:.1f} s ({count / took:.0f} a second); the loop stood still {standstills.line()}", flush=True
    )
    return max(standstills.busy)


async def first_sound(folder: Path, path: Path) -> bool:
    """How soon the first sound of the hour is there: as browsers ask, once signed in, for all and for a part."""
    database = await Database.open(f"sqlite:///{folder}/web.db")
    pbx = PbxSettings(host="127.0.0.1", username="callcrm", recordings=str(folder))
    halfway = f"bytes={RATE * 4 * HOUR_S // 2}-"
    async with LocalBus(database) as bus, Writer(database, bus) as writer:
        cookie = await writer.do(partial(_one_hour, path.name), name="bench")
        app = make_app(Parts(Settings(pbx={"office": pbx}), database, writer, bus))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/calls/hour/recordings/0"
        async with aiohttp.ClientSession(cookies={COOKIE: cookie}) as session:
            beginning = [await _taken(session, address, "bytes=0-") for _ in range(20)]
            middle = [await _taken(session, address, halfway) for _ in range(20)]
        played = await playing.heard(address.removesuffix("/recordings/0"), cookie, [0.0, HOUR_S / 2])
        await runner.cleanup()
    await database.close()
    for at, times in (played or {}).items():
        print(f"the same heard in Chromium after the key, from second {at:.0f}: {playing.line(times)}")
    for word, times in (("from the beginning", beginning), ("from the middle", middle)):
        told = f"{statistics.median(times):.0f} ms, at most {max(times):.0f} ms"
        print(f"first second of the hour's sound over HTTP, {word}: {told}")
    medians = [statistics.median(times) for times in (beginning, middle, *(played or {}).values())]
    return max(medians) <= MOST_FIRST_MS


async def _one_hour(name: str, unit: Unit) -> str:
    """A supervisor, his session's cookie, and a call of an hour."""
    await unit.db.execute(insert(User).values(id=1, name="vera", role="supervisor", created_at=unit.now))
    key = {"began": unit.now.replace(microsecond=0), "pbx": "office"}
    call = {"id": "hour", "uniqueid": "1", "direction": "inbound", "at": unit.now, "state": "ended"}
    await unit.db.execute(insert(CallRow).values(**key, **call))
    sound = {"call_id": "hour", "n": 0, "file": name, "state": "present", "seconds": HOUR_S, "channels": 2}
    await unit.db.execute(insert(CallRecording).values(**key, **sound))
    return await sessions.open_session(unit, 1, hours=1)


async def _taken(session: aiohttp.ClientSession, address: str, part: str) -> float:
    """Milliseconds until a second of sound has come; the rest is left, as by a browser that plays."""
    began = time.perf_counter()
    async with session.get(address, headers={"Range": part}) as answer:
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise RuntimeError(f"the sound was answered with {answer.status}: {await answer.text()}")
        await answer.content.readexactly(RATE * 4)
        return (time.perf_counter() - began) * 1000


def main() -> int:
    """Measure; the exit code says whether the bounds were kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.sound")
    parser.add_argument("--count", type=int, default=10_000, help="recordings to be indexed")
    parser.add_argument("--seen", type=int, default=1000, help="how many of them are looked through")
    asked = parser.parse_args()
    logs.configure("warning")
    with tempfile.TemporaryDirectory(prefix="callcrm-sound-") as made:
        path = write_call(Path(made) / "hour.wav", HOUR_S)
        kept = hour(path)
        kept = asyncio.run(first_sound(Path(made), path)) and kept
        kept = asyncio.run(many(Path(made), asked.count, min(asked.seen, asked.count))) and kept
    print("all within their bounds" if kept else "not all within their bounds")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
