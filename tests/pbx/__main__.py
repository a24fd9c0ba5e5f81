"""The lab's commands.

python -m tests.pbx install [sid|bullseye]    fetch Asterisk 22 (sid) or 16 (bullseye)
python -m tests.pbx play [NAME…]              start one, play scenarios (all without a name), tell what happened
python -m tests.pbx demo [OPTION…]            callcrm's demo on a real Asterisk, with phones that call
"""

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.pbx import packages
from tests.pbx.errors import LabError
from tests.pbx.instance import Instance, free_base
from tests.pbx.lab import Lab
from tests.pbx.scenarios import SCENARIOS


def install(words: list[str]) -> None:
    suite = words[0] if words else "sid"
    if suite not in packages.SUITES:
        raise LabError(f"There is no suite {suite}; take one of {', '.join(packages.SUITES)}.")
    if packages.version(suite) is None:
        print(f"setting up: Asterisk from Debian's packages into {packages.cache()} (about 90 MB, once)", flush=True)
    print(f"Asterisk {packages.install(suite)} is at hand in {packages.cache() / suite}")


def play(words: list[str]) -> None:
    if unknown := [name for name in words if name not in SCENARIOS]:
        raise LabError(f"There is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}.")
    with tempfile.TemporaryDirectory(prefix="callcrm-lab-") as folder:
        instance = Instance(Path(folder), free_base()).start()
        try:
            asyncio.run(_play(instance, words or list(SCENARIOS)))
        finally:
            instance.stop()


async def _play(instance: Instance, names: list[str]) -> None:
    for name in names:
        async with Lab(instance) as lab:
            await SCENARIOS[name](lab)
            for truth in lab.truths:
                print(json.dumps({"scenario": name, **asdict(truth)}, ensure_ascii=False), flush=True)


def demo(words: list[str]) -> None:
    from tests.pbx.demo import main as run_demo

    run_demo(words)


def main() -> None:
    commands = {"install": install, "play": play, "demo": demo}
    command = commands.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if command is None:
        sys.exit(__doc__)
    try:
        command(sys.argv[2:])
    except LabError as error:
        sys.exit(str(error))


main()
