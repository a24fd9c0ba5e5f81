"""From the AMI event to the pop painted in a browser, while 20 calls a second run through the daemon.

    python -m bench painted        (python -m bench.painted [--rate 20] [--seconds 60] [--clients 200])

Chromium sits at the desk as one operator; the calls are spread over all of them, and every second and a half one is
his. A pop counts from the moment his phone's event was written to AMI to the moment at which the browser has painted
the frame with it (the page's own receipt); both clocks are this machine's.
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from bisect import bisect_right
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select

from ami.simulator import DemoPbx, Operator, Person, Queue, Story
from bench.pop_latency import FIRST, TRACE, WITHIN_S, Tape, TapedPbx, prepare, up
from callcrm.accounts import sessions
from callcrm.accounts.tables import User
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.settings import load
from webui.identity import COOKIE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu"]
#: How often a call is the watched operator's, and how much faster than recorded it is played.
EVERY_S, SPEED = 1.5, 6.0
#: The page says when a frame with a pop was painted; the same pop is painted again when its call changes.
LISTEN = """
window.painted = {};
document.addEventListener("pop-painted", ({ detail }) => {
  window.painted[detail.pop] ??= [Date.parse(detail.since) / 1000, detail.at / 1000];
});
"""


async def cookie(file: Path) -> tuple[str, int]:
    """A session of the watched operator, and the port of the pages."""
    settings = load(file)
    database = await Database.open(settings.database.url)
    async with LocalBus(database) as bus, Writer(database, bus) as writer:

        async def sign_in(unit: Unit) -> str:
            user = await unit.db.scalar(select(User.id).where(User.name == "operator0"))
            return await sessions.open_session(unit, user, hours=1)

        made = await writer.do(sign_in, name="sign in")
    await database.close()
    return made, settings.web.port


async def desk(browser: Browser, address: str, session: str) -> Page:
    """The operator's desk, connected, warm from one look at every part."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": COOKIE, "value": session, "url": address}])
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector("html[data-push=open]")
    return page


async def _background(pbx: DemoPbx, rate: float, seconds: float) -> None:
    """Calls to everybody else, each at any moment of its stretch of 1/rate seconds."""
    loop = asyncio.get_running_loop()
    begin, moments, plays = loop.time(), random.Random(2), []
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + (n + moments.random()) / rate - loop.time()))
        plays.append(await pbx.begin(TRACE))
    for play in plays:
        await play.over()


async def _watched(pbx: DemoPbx, seconds: float) -> None:
    """Calls to the watched operator, as fast as somebody could put them away."""
    loop = asyncio.get_running_loop()
    begin, moments = loop.time(), random.Random(3)
    for n in range(int(seconds / EVERY_S)):
        await asyncio.sleep(max(0.0, begin + EVERY_S * (n + 0.2 * moments.random()) - loop.time()))
        await pbx.play(TRACE, operators=[str(FIRST)], speed=SPEED)


def latencies(tape: Tape, painted: dict[str, tuple[float, float]]) -> list[float]:
    """Each painted pop against the event that made its phone ring, in seconds, sorted.

    A ringing phone is told twice, by its dialling and by its state: the pop is of whichever the daemon took, told as
    `since`, in whole milliseconds.
    """
    times = tape.written[str(FIRST)]
    found = []
    for since, at in painted.values():
        place = bisect_right(times, since + 0.001) - 1
        if place >= 0 and since - times[place] < WITHIN_S:
            found.append(at - times[place])
    return sorted(found)


async def measure(rate: float, seconds: float, clients: int) -> tuple[list[float], int]:
    """Play the calls; latencies in seconds, and how many calls were his."""
    story = Story(
        operators=tuple(Operator(str(FIRST + n), f"Operator {n}") for n in range(clients)),
        queues=(Queue("sales", (str(FIRST),)),),
        people=tuple(Person(f"7916{n:07}") for n in range(2000)),
    )
    pbx = TapedPbx(story, seed=1)
    pbx.tape = Tape()
    pbx.casting.reserved.add(str(FIRST))
    await pbx.start()
    with tempfile.TemporaryDirectory(prefix="callcrm-bench-") as place:
        file, push, _tokens = await prepare(Path(place), pbx.port, clients)
        session, port = await cookie(file)
        daemon = await asyncio.create_subprocess_exec(sys.executable, "-m", "callcrm", "run", "--config", str(file))
        try:
            await up(push, pbx)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                page = await desk(browser, f"http://127.0.0.1:{port}", session)
                await pbx.play(TRACE, operators=[str(FIRST)], speed=SPEED)  # warm: not counted
                await page.evaluate("window.painted = {}")
                pbx.tape.written.clear()
                await asyncio.gather(_background(pbx, rate - 1 / EVERY_S, seconds), _watched(pbx, seconds))
                await asyncio.sleep(1)
                painted = await page.evaluate("window.painted")
                await browser.close()
        finally:
            daemon.terminate()
            await daemon.wait()
            await pbx.stop(graceful=False)
    return latencies(pbx.tape, painted), int(seconds / EVERY_S)


def report(found: list[float], calls: int, rate: float) -> str:
    """The figures in words."""
    if not found:
        return "No pop was painted: look at the daemon's log."
    at = {p: found[min(len(found) - 1, int(len(found) * p / 100))] * 1000 for p in (50, 95, 99)}
    return (
        f"from the AMI event to the pop painted in Chromium, {rate:g} calls/s, {len(found)} pops of {calls} calls: "
        f"p50 {at[50]:.0f} ms, p95 {at[95]:.0f} ms, p99 {at[99]:.0f} ms, worst {found[-1] * 1000:.0f} ms "
        f"(load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)"
    )


def main() -> None:
    """Run it from the command line."""
    wishes = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    wishes.add_argument("--rate", type=float, default=20)
    wishes.add_argument("--seconds", type=float, default=60)
    wishes.add_argument("--clients", type=int, default=200)
    told = wishes.parse_args()
    if CHROMIUM is None:
        print("No Chromium here, so nothing is painted. On Debian: apt install chromium")
        return
    found, calls = asyncio.run(measure(told.rate, told.seconds, told.clients))
    print(report(found, calls, told.rate))


if __name__ == "__main__":
    main()
