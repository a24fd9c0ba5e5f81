"""Debian's packages that tests need, installed where that may be done."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence


def may_install() -> bool:
    """Whether this is root on a Debian or one of its kind."""
    return os.getuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """Install them without what they only recommend; what apt says when it cannot goes to standard error."""
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    silent = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (words, ["apt-get", "update", "-qq"], words):
        done = subprocess.run(step, env=silent, capture_output=True, text=True, check=False)
        if step is words and done.returncode == 0:
            return
    print((done.stderr.strip().splitlines() or ["apt-get failed without a word"])[-1], file=sys.stderr, flush=True)
