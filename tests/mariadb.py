"""A private MariaDB, for FreePBX and Issabel keep their CDR in one; `python -m tests.mariadb` installs it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests import apt

STARTS_S = 60.0


def lacking() -> str:
    """Why there is no MariaDB here, with the mend; empty when there is one."""
    missing = [name for name in ("mariadbd", "mariadb-install-db", "mariadb") if shutil.which(name) is None]
    return f"There is no {missing[0]} here; on Debian: apt install mariadb-server" if missing else ""


def fetch() -> str:
    """In CI, installs it where that is possible; returns why it is missing still, or nothing."""
    if lacking() and os.environ.get("CI") == "true" and apt.may_install():
        print("setting up: MariaDB for the tests of FreePBX's CDR", flush=True)
        apt.install(("mariadb-server",))
    return lacking()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server whose data are in `folder`: the address of its database `asteriskcdrdb` for who may do all there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, door = folder / "data", folder / "door"
    as_root = ["--user=root"] if os.getuid() == 0 else []
    common = ["--no-defaults", *as_root, f"--datadir={data}"]
    make = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    subprocess.run(make, check=True, capture_output=True)
    listen = [f"--socket={door}", f"--port={port}", "--bind-address=127.0.0.1", f"--pid-file={folder / 'pid'}"]
    server = subprocess.Popen(["mariadbd", *common, *listen], stderr=subprocess.DEVNULL)
    try:
        _make(door, time.monotonic() + STARTS_S)
        yield f"mysql://callcrm:secret@127.0.0.1:{port}/asteriskcdrdb"
    finally:
        server.terminate()
        server.wait()


def _make(door: Path, until: float) -> None:
    sql = (
        "CREATE DATABASE IF NOT EXISTS asteriskcdrdb CHARACTER SET utf8mb4; "
        "CREATE OR REPLACE USER callcrm@127.0.0.1 IDENTIFIED BY 'secret'; "
        "GRANT ALL ON asteriskcdrdb.* TO callcrm@127.0.0.1"
    )
    words = ["mariadb", "--no-defaults", "--user=root", f"--socket={door}", "--execute", sql]
    while (done := subprocess.run(words, capture_output=True, text=True, check=False)).returncode:
        if time.monotonic() > until:
            raise RuntimeError(f"MariaDB does not start: {done.stderr.strip()}")
        time.sleep(0.2)


if __name__ == "__main__":
    reason = fetch()
    if reason:
        print(f"no MariaDB here: the test of a CDR in it is skipped. {reason}", file=sys.stderr)
