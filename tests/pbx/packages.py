"""Fetches Asterisk: Debian's packages of it, unpacked into a cache folder, nothing installed on the machine.

`sid` brings Asterisk 22, `bullseye` Asterisk 16. The same mirror is asked that the machine's apt uses.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.pbx.errors import LabError

SUITES = ("sid", "bullseye")
#: What Asterisk's packages ask for but a process started by hand can do without.
NOT_NEEDED = re.compile(
    r"(adduser|base-passwd|debconf|dirmngr|dpkg|gnupg.*|gpg.*|init-system-helpers|libc-gconv.*|libdebconfclient0"
    r"|libsnmp-base|login.*|lsb-base|passwd|pci\.ids|perl.*|pinentry.*|tar|tzdata)"
)
LEFT_OUT = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/locale",
    "./usr/lib/*/gconv",
    "./usr/lib/*/perl*",
    "./usr/share/perl*",
)


def cache() -> Path:
    """Where unpacked Asterisks live; `CALLCRM_LAB_CACHE` names another place."""
    if named := os.environ.get("CALLCRM_LAB_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callcrm-lab"


def root(suite: str) -> Path:
    """The folder that holds the unpacked tree of one suite."""
    return cache() / suite / "root"


def version(suite: str) -> str | None:
    """The version that is in the cache, None when there is none."""
    told = cache() / suite / "version"
    return told.read_text().strip() if told.is_file() else None


def install(suite: str = "sid") -> str:
    """Makes sure that the suite's Asterisk is in the cache; returns its version."""
    if have := version(suite):
        return have
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise LabError(f"{tool} is missing: Asterisk can be fetched on Debian and Ubuntu only.")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache()) as scratch:
        return _fetch(suite, Path(scratch))


def _fetch(suite: str, scratch: Path) -> str:
    tree = scratch / "root"
    _unpack(_download(suite, scratch), tree)
    # Debian makes this link by a maintainer script, which is not run here.
    (tree / "usr/share/asterisk/sounds/en").symlink_to("en_US_f_Allison")
    told = subprocess.run([*command(tree), "-V"], capture_output=True, text=True, env=environment(), check=False)
    if told.returncode:
        raise LabError(f"The fetched Asterisk does not start: {told.stderr.strip() or told.stdout.strip()}")
    (scratch / "version").write_text(told.stdout.split()[1] + "\n")
    home = cache() / suite
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    tree.rename(home / "root")
    (scratch / "version").rename(home / "version")
    return told.stdout.split()[1]


@dataclass(frozen=True)
class Source:
    """One line of apt: where packages come from, and whose signature they bear."""

    mirror: str
    suite: str
    components: str
    keyring: Path

    @property
    def text(self) -> str:
        signed = f"Signed-By: {self.keyring}\n" if self.keyring.exists() else ""
        return f"Types: deb\nURIs: {self.mirror}\nSuites: {self.suite}\nComponents: {self.components}\n{signed}"


def source(suite: str, etc: Path = Path("/etc")) -> Source:
    """The machine's own mirror: on Debian with the wanted suite, on Ubuntu with its own release."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', (etc / "os-release").read_text(), re.MULTILINE))
    keyrings = Path("/usr/share/keyrings")
    if release.get("ID") == "debian":
        return Source(mirror(etc), suite, "main", keyrings / "debian-archive-keyring.gpg")
    if release.get("ID") == "ubuntu":
        codename = release.get("VERSION_CODENAME", "")
        return Source(mirror(etc), codename, "main universe", keyrings / "ubuntu-archive-keyring.gpg")
    raise LabError(
        f"{release.get('PRETTY_NAME', 'This system')} is neither Debian nor Ubuntu: Asterisk cannot be fetched here."
    )


def mirror(etc: Path) -> str:
    """The mirror that this machine's apt is set to."""
    folder = etc / "apt"
    files = [*sorted(folder.glob("sources.list.d/*.sources")), folder / "sources.list"]
    for text in (file.read_text() for file in files if file.is_file()):
        for found in re.finditer(r"^(?:URIs:|deb(?: \[.*?\])?)\s+(https?://\S+)", text, re.MULTILINE):
            if "security" not in found[1]:
                return found[1]
    raise LabError("No mirror is named in /etc/apt, so Asterisk cannot be fetched; name one there.")


def _apt_settings(suite: str, scratch: Path) -> dict[str, str]:
    """An apt of its own: own lists, own state, one source."""
    for folder in ("sources", "state/lists/partial", "cache/archives/partial", "debs"):
        (scratch / folder).mkdir(parents=True)
    (scratch / "status").touch()
    (scratch / "sources/debian.sources").write_text(source(suite).text)
    (scratch / "apt.conf").write_text(
        f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{scratch}/sources";\n'
        f'Dir::State "{scratch}/state";\nDir::State::status "{scratch}/status";\nDir::Cache "{scratch}/cache";\n'
        'APT::Install-Recommends "false";\nAPT::Sandbox::User "root";\nAcquire::Languages "none";\n'
    )
    return {**os.environ, "APT_CONFIG": str(scratch / "apt.conf"), "LC_ALL": "C.UTF-8"}


def _download(suite: str, scratch: Path) -> list[Path]:
    settings = _apt_settings(suite, scratch)

    def run(*words: str, folder: Path = scratch) -> str:
        done = subprocess.run(words, env=settings, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(words[:2])} failed: {(done.stderr.strip().splitlines() or ['no word why'])[-1]}")
        return done.stdout

    run("apt-get", "update", "-qq")
    wanted = ["asterisk", "asterisk-moh-opsound-gsm"]
    # Asterisk 16 has its voicemail in a package of its own.
    if re.search(r"Candidate: \d", run("apt-cache", "policy", "asterisk-voicemail")):
        wanted.append("asterisk-voicemail")
    plan = re.findall(r"^Inst (\S+)", run("apt-get", "install", "-s", *wanted), re.MULTILINE)
    run(
        "apt-get",
        "download",
        "-qq",
        *(name for name in plan if not NOT_NEEDED.fullmatch(name)),
        folder=scratch / "debs",
    )
    return sorted((scratch / "debs").glob("*.deb"))


def _unpack(packages: list[Path], tree: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    leave_out = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as source:
            subprocess.run(
                ["tar", "-x", "-C", tree, "--no-same-owner", "--keep-directory-symlink", *leave_out, "-f", "-"],
                stdin=source.stdout,
                check=True,
            )


def command(tree: Path) -> list[str]:
    """How to start the unpacked Asterisk: by its own loader, with its own libraries."""
    libraries = next(iter(sorted(tree.glob("usr/lib/*-linux-gnu"))), tree / "usr/lib")
    loaders = [
        *tree.glob("usr/lib64/ld-linux-*.so.*"),
        *libraries.glob("ld-linux-*.so.*"),
        *tree.glob("usr/lib/ld-linux-*.so.*"),
    ]
    if not loaders:
        raise LabError("The fetched packages hold no program loader.")
    return [str(loaders[0]), "--library-path", f"{libraries}:{tree}/usr/lib", f"{tree}/usr/sbin/asterisk"]


def environment() -> dict[str, str]:
    """The environment of that process: the machine's OpenSSL settings are none of its business."""
    return {**os.environ, "OPENSSL_CONF": "/dev/null"}
