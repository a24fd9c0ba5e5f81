"""`python -m bench [receiving|pops …] [--trace FILE] [--rounds N]`: every benchmark, or those that are named."""

import argparse
import subprocess
import sys
from pathlib import Path

from bench import receiving

WHICH = ("receiving", "pops")


def main() -> int:
    """Run what was asked for; the exit code says whether all of it ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What the machine bears.")
    parser.add_argument("which", nargs="*", help=f"only these: {', '.join(WHICH)}")
    parser.add_argument("--trace", type=Path, default=receiving.DEFAULT_TRACE, help="a recorded stream (.raw, .raw.gz)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each way of receiving")
    asked = parser.parse_args()
    unknown = set(asked.which) - set(WHICH)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(WHICH)}")
    which = asked.which or WHICH
    code = 0
    if "receiving" in which:
        receiving.run(asked.trace, asked.rounds)
    if "pops" in which:
        code = subprocess.run([sys.executable, "-m", "bench.pop_latency"], check=False).returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
