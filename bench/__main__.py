"""`python -m bench [receiving|pops|painted …] [--trace FILE] [--rounds N]`: every benchmark, or the named ones."""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from bench import receiving

USUAL = ("receiving", "pops", "painted")
WHICH = (*USUAL, "sound", "pages")


def main() -> int:
    """Run what was asked for; the exit code says whether all of it ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the machine bears.")
    parser.add_argument("which", nargs="*", help=f"only these: {', '.join(WHICH)}")
    parser.add_argument("--trace", type=Path, default=receiving.DEFAULT_TRACE, help="a recorded stream (.raw, .raw.gz)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each way of receiving")
    parser.add_argument(
        "--data", help="the big data set that the pages are measured on; without it a small one is made"
    )
    parser.add_argument("--only", default="", help="of the pages only those whose word fits, such as ^search")
    asked = parser.parse_args()
    unknown = set(asked.which) - set(WHICH)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(WHICH)}")
    which = asked.which or USUAL
    code = 0
    if "receiving" in which:
        receiving.run(asked.trace, asked.rounds)
    if "pops" in which:
        code = subprocess.run([sys.executable, "-m", "bench.pop_latency"], check=False).returncode
    if "painted" in which:
        code = code or _painted()
    if "sound" in which:
        code = subprocess.run([sys.executable, "-m", "bench.sound"], check=False).returncode or code
    if "pages" in which:
        pages = [sys.executable, "-m", "bench.pages", "--only", asked.only, *([asked.data] if asked.data else [])]
        code = subprocess.run(pages, check=False).returncode or code  # noqa: S603
    return code


def _painted() -> int:
    """The browser's part needs what the tests need: without it the rest still runs."""
    if importlib.util.find_spec("playwright") is None:
        print("No playwright here, so nothing is painted: it comes with the tests' tools (make lint sets them up).")
        return 0
    return subprocess.run([sys.executable, "-m", "bench.painted"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
