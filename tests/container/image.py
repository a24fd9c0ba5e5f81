"""An image of the tree, and a container from it: buildah in a chroot, which shares the machine's network."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.container import tools
from tests.pbx.errors import LabError
from tests.pbx.packages import mirror

ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/debian:bookworm-slim"
PLAIN = "localhost/callcrm-plain-bookworm:latest"
#: The plain base as one machine needs it; the tag says what was told it.
OURS = "localhost/callcrm-base-bookworm"
#: Images, those of single steps with them, above which all steps are made anew, so that the cache does not grow.
MOST_KEPT = 20
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: As Debian's own slim image: no manuals, and apt keeps nothing.
TAKEN_AWAY = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "dev")
KEEPS_NOTHING = 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nAPT::Install-Recommends "false";\n'


class NotToBeHad(Exception):
    """Packages cannot be fetched here, so nothing can be said about the image."""


def cache() -> Path:
    """Where the base lies; `CALLCRM_IMAGE_CACHE` names another place."""
    if named := os.environ.get("CALLCRM_IMAGE_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callcrm-image"


def run(*words: str | Path, seconds: float = 600) -> str:
    """What a command prints. Raises NotToBeHad when packages were out of reach, else AssertionError when it failed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds, cwd="/")
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode and (sign := tools.UNREACHABLE.search(said)):
        line = next(line for line in said.splitlines() if sign[0] in line)
        raise NotToBeHad(f"What the image is made of could not be had: {line.strip()}")
    assert done.returncode == 0, f"{' '.join(map(str, words[:8]))} failed:\n{said[-6000:]}"
    return done.stdout


def store(*words: str | Path, seconds: float = 600) -> str:
    """buildah, on images of its own."""
    return run(*stored(), *words, seconds=seconds)


def stored() -> list[str]:
    """How every buildah command here begins."""
    return ["buildah", "--root", str(cache() / "storage"), "--runroot", str(cache() / "run")]


@contextmanager
def alone() -> Iterator[None]:
    """One run at a time uses the storage."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def plain_base() -> None:
    """Debian bookworm, minimal; made once and kept."""
    if PLAIN in store("images", "--format", "{{.Name}}:{{.Tag}}").split():
        return
    with tempfile.TemporaryDirectory(prefix=".base-", dir=cache()) as scratch:
        tree = Path(scratch, "tree")
        signed = [f"--keyring={KEYRING}"] if KEYRING.exists() else []
        run("debootstrap", "--variant=minbase", *signed, "bookworm", tree, *own_mirror())
        for folder in TAKEN_AWAY:
            shutil.rmtree(tree / folder)
            (tree / folder).mkdir()
        (tree / "etc/apt/apt.conf.d/99slim").write_text(KEEPS_NOTHING)
        box = store("from", "scratch").strip()
        store("copy", "-q", box, tree, "/")
        store("commit", "-q", "--rm", box, PLAIN)


def own_mirror() -> list[str]:
    """The mirror of a machine that is a Debian itself; elsewhere debootstrap knows one."""
    if "\nID=debian\n" not in f"\n{Path('/etc/os-release').read_text()}":
        return []
    try:
        return [mirror(Path("/etc"))]
    except LabError:
        return []


def base() -> None:
    """The plain base under the name that the Dockerfile asks for, told what the machine knows of fetching packages.

    Made once for what is told, so that the steps that stand on it are found again.
    """
    plain_base()
    certificates, settings, words = tools.own_certificates(), tools.apt_settings(), tools.environment()
    told = hashlib.sha256(json.dumps([certificates, settings, words]).encode()).hexdigest()
    ours = f"{OURS}:{told[:16]}"
    if ours not in store("images", "--format", "{{.Name}}:{{.Tag}}").split():
        box = store("from", "--pull-never", PLAIN).strip()
        with tempfile.TemporaryDirectory() as scratch:
            for n, pem in enumerate(certificates):
                Path(scratch, f"own-{n}.crt").write_text(pem + "\n")
            store("copy", "-q", box, scratch, "/usr/local/share/ca-certificates")
            file = Path(scratch, "99machine")
            file.write_text(settings)
            store("copy", "-q", box, file, "/etc/apt/apt.conf.d/99machine")
        for name, value in words.items():
            store("config", "--env", f"{name}={value}", box)
        store("commit", "-q", "--rm", box, ours)
    store("tag", ours, BASE)


def export(folder: Path) -> None:
    """The tree as it is checked out: what git knows of, and nothing else."""
    listed = run("git", "-C", ROOT, "-c", "safe.directory=*", "ls-files", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


@dataclass(frozen=True)
class Image:
    """What `buildah bud` made: its id, how long that took and what it tells an engine."""

    id: str
    seconds: float
    config: dict[str, Any]


@contextmanager
def built() -> Iterator[Image]:
    """The image of the tree, taken away afterwards; steps whose input is the same are kept for the next time."""
    with alone(), tempfile.TemporaryDirectory(prefix="callcrm-image-") as scratch:
        store("rm", "--all")
        if len(store("images", "--all", "--quiet").split()) > MOST_KEPT:
            store("rmi", "--prune")
        base()
        tree, told = Path(scratch, "tree"), Path(scratch, "id")
        export(tree)
        files = [f"--volume={path}:{place}:ro" for place, path in tools.files().items()]
        begun = time.monotonic()
        options = ("--layers", "--isolation", "chroot", "--format", "docker", "--pull-never", *files)
        store("bud", *options, "--iidfile", told, "-f", tree / "Dockerfile", tree)
        seconds = time.monotonic() - begun
        name = told.read_text().strip().removeprefix("sha256:")
        try:
            yield Image(name, seconds, json.loads(store("inspect", "--type", "image", name))["Docker"]["config"])
        finally:
            store("rmi", "--force", name)
            store("rmi", BASE)


@dataclass(frozen=True)
class Container:
    """A container from the image: its name and the folder where its files can be seen."""

    name: str
    files: Path

    def command(self, *words: str) -> list[str]:
        """The words that run something in it, as its user and in its folder."""
        return [*stored(), "run", "--isolation", "chroot", self.name, "--", *words]

    def do(self, *words: str) -> str:
        """What a command prints in it."""
        return run(*self.command(*words), seconds=60)

    def size_mb(self) -> float:
        """What its files take."""
        return int(run("du", "-sxk", self.files).split()[0]) / 1024


@contextmanager
def container(image: Image) -> Iterator[Container]:
    """A container, taken away afterwards."""
    name = store("from", "--pull-never", image.id).strip()
    try:
        yield Container(name, Path(store("mount", name).strip()))
    finally:
        store("rm", name)
