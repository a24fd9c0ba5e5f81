"""`make demo-asterisk`: the demo on a real Asterisk, which is fetched and started, with phones that really call."""

import argparse
import asyncio
from pathlib import Path

from callcrm.daemon import end_asked, opened
from callcrm.demo import data
from callcrm.demo.run import settings_of
from callcrm.demo.story import PBX, a_story
from callcrm.demonstration import greeting, reachable
from callcrm.house import after_calls
from callcrm.kernel import logs
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.writer import Writer
from callcrm.settings import Settings
from tests.pbx import packages
from tests.pbx.errors import LabError
from tests.pbx.floor import Caller, Floor
from tests.pbx.instance import Instance, free_base
from tests.pbx.lab import Lab


def main(words: list[str]) -> None:
    """Fetches Asterisk, starts it, and runs until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make demo-asterisk", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/demo-asterisk"), help="where everything is kept")
    parser.add_argument("--web-port", type=int, default=8080)
    parser.add_argument("--push-port", type=int, default=8081)
    parser.add_argument("--pace", type=float, default=10, metavar="S", help="mean seconds between two calls")
    args = parser.parse_args(words)
    if packages.version("sid") is None:
        print("fetching Asterisk from Debian's packages (about 90 MB, once)", flush=True)
    packages.install("sid")
    folder: Path = args.data.absolute()
    instance = Instance(folder / "pbx", free_base(), channelvars="MIXMONITOR_FILENAME").start()
    try:
        asyncio.run(_work(instance, _settings(instance, folder, args.web_port, args.push_port), args.pace))
    except CallcrmError as error:
        raise LabError(str(error)) from error
    except KeyboardInterrupt:
        pass
    finally:
        instance.stop()


def _settings(instance: Instance, folder: Path, web_port: int, push_port: int) -> Settings:
    """The demo's settings, on the real PBX."""
    settings = reachable(settings_of(folder, instance.ami_port, web_port=web_port, push_port=push_port))
    pbx = settings.pbx[PBX].model_copy(
        update={"recordings": str(instance.recordings), "recordings_from": "", "dial_context": "office"}
    )
    return settings.model_copy(update={"pbx": {PBX: pbx}})


async def _work(instance: Instance, settings: Settings, pace_s: float) -> None:
    logs.configure("warning")
    await _fill(settings, instance.recordings)
    story = a_story()
    async with Lab(instance) as lab, opened(settings) as running:
        floor = Floor(lab, [Caller(one.number, one.said) for one in story.people], pace_s=pace_s)
        working = asyncio.create_task(floor.run(), name="floor")
        with end_asked() as asked:
            print(greeting(running, data.logins()), flush=True)
            print(f"  Asterisk {instance.version} runs in {instance.folder}", flush=True)
            ending = asyncio.create_task(asked.wait(), name="end")
            done, _ = await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, ending):
            task.cancel()
        await asyncio.wait({working, ending})
        if working in done:
            working.result()


async def _fill(settings: Settings, recordings: Path) -> None:
    """The demo's people and past days, on the first start."""
    database = await Database.open(settings.database.url)
    try:
        async with LocalBus(database) as bus, Writer(database, bus) as writer:
            await data.fill(database, writer, recordings, after=after_calls(settings))
    finally:
        await database.close()
