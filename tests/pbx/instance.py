"""One running Asterisk of our own: its folder, its ports, its process."""

import contextlib
import os
import shutil
import signal
import socket
import string
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.pbx import packages
from tests.pbx.errors import LabError

CONF = Path(__file__).parent / "conf"
#: What makes a WAV of both voices on a PBX, as an admin gets it.
STEREO = Path(__file__).parents[2] / "config" / "asterisk" / "callcrm-stereo"
OPERATORS = tuple(str(number) for number in range(101, 111))
#: AMI users: what callcrm asks for, everything, and one that sees no calls.
AMI_USERS = {"callcrm": "callcrm-secret", "full": "full-secret", "blind": "blind-secret"}
FOLDERS = (
    "etc",
    "lib/keys",
    "run",
    "log/cdr-csv",
    "log/cdr-custom",
    "log/cel-custom",
    "spool/monitor",
    "spool/voicemail",
)


class _Template(string.Template):
    """`@NAME@` in Asterisk's files, where the dollar sign is taken."""

    delimiter = "@"
    pattern = r"@(?:(?P<named>[A-Z_]+)@|(?P<escaped>@@)|(?P<braced>(?!))|(?P<invalid>(?!)))"  # type: ignore[assignment]


@dataclass
class Instance:
    """Where an Asterisk of ours listens and keeps its files.

    `base`: the first of its ports: +38 AMI, +60 SIP, +70 the provider's side, +1000…+1999 sound.
    """

    folder: Path
    base: int
    suite: str = "sid"
    timestamps: bool = False
    channelvars: str = ""
    host: str = "127.0.0.1"
    trunk_host: str = "127.0.0.2"
    users: dict[str, str] = field(default_factory=lambda: dict(AMI_USERS))
    process: "subprocess.Popen[bytes] | None" = None
    _claim: socket.socket | None = None

    @property
    def ami_port(self) -> int:
        return self.base + 38

    @property
    def sip_port(self) -> int:
        return self.base + 60

    @property
    def trunk_port(self) -> int:
        return self.base + 70

    @property
    def recordings(self) -> Path:
        """The folder that reported recording names are relative to."""
        return self.folder / "spool/monitor"

    @property
    def version(self) -> str:
        return packages.version(self.suite) or ""

    def start(self, patience_s: float = 60) -> "Instance":
        """Writes the configuration, starts Asterisk and waits until it is fully booted."""
        self._take_ports()
        try:
            return self._started(patience_s)
        except BaseException:
            self.stop()
            raise

    def _take_ports(self) -> None:
        """Whoever has the base has the ports above: two who found it free would take one's Asterisk for both's."""
        self._claim = socket.socket(type=socket.SOCK_DGRAM)
        try:
            self._claim.bind((self.host, self.base))
        except OSError:
            self._give_ports()
            raise LabError(f"The ports from {self.base} on are taken.") from None

    def _give_ports(self) -> None:
        if self._claim is not None:
            self._claim.close()
        self._claim = None

    def _started(self, patience_s: float) -> "Instance":
        tree = packages.root(self.suite)
        if not tree.is_dir():
            raise LabError("Asterisk is not there yet; fetch it with: python -m tests.pbx install")
        self._write_configuration(tree)
        words = [*packages.command(tree), "-C", str(self.folder / "etc/asterisk.conf"), "-f", "-n"]
        with (self.folder / "log/console").open("ab") as console:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                cwd=self.folder,
                env=packages.environment(),
                start_new_session=True,
            )
        until = time.monotonic() + patience_s
        while not self._booted():
            if self.process.poll() is not None or time.monotonic() > until:
                raise LabError(f"Asterisk did not come up; its own words are in {self.folder}/log/console.")
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        """Ends it: asked at first, then by force. Its folder stays."""
        for sign, patience_s in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            if self.process is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
                self.process = None
        self.process = None
        self._give_ports()

    def console(self, words: str) -> str:
        """What one command of Asterisk's console prints."""
        command = [
            *packages.command(packages.root(self.suite)),
            "-C",
            str(self.folder / "etc/asterisk.conf"),
            "-rx",
            words,
        ]
        return subprocess.run(command, capture_output=True, text=True, env=packages.environment(), check=False).stdout

    def _write_configuration(self, tree: Path) -> None:
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        values = self._values(tree)
        for template in CONF.glob("*.conf"):
            (self.folder / "etc" / template.name).write_text(_Template(template.read_text()).substitute(values))
        shutil.copy(tree / "etc/asterisk/indications.conf", self.folder / "etc")

    def _values(self, tree: Path) -> dict[str, object]:
        modules = next(iter([*tree.glob("usr/lib/*/asterisk/modules"), tree / "usr/lib/asterisk/modules"]))
        return {
            "RUN": self.folder,
            "STEREO": STEREO,
            "MODULES": modules,
            "DATA": tree / "usr/share/asterisk",
            "AMI_PORT": self.ami_port,
            "SIP_PORT": self.sip_port,
            "TRUNK_HOST": self.trunk_host,
            "TRUNK_PORT": self.trunk_port,
            "RTP_FIRST": self.base + 1000,
            "RTP_LAST": self.base + 1999,
            "TIMESTAMPS": "yes" if self.timestamps else "no",
            "CHANNELVARS": f"channelvars = {self.channelvars}" if self.channelvars else "",
            "OPERATORS": "\n".join(_operator(number) for number in OPERATORS),
            "MAILBOXES": "\n".join(f"{number} => 1234,Operator {number}" for number in OPERATORS),
        }

    def _booted(self) -> bool:
        """Does a log-in see FullyBooted?"""
        try:
            with socket.create_connection((self.host, self.ami_port), 1) as link:
                link.settimeout(1)
                link.sendall(f"Action: Login\r\nUsername: full\r\nSecret: {self.users['full']}\r\n\r\n".encode())
                seen = b""
                while b"FullyBooted" not in seen:
                    more = link.recv(65536)
                    if not more:
                        return False
                    seen += more
                return True
        except OSError:
            return False


def _operator(number: str) -> str:
    return (
        f"[{number}](operator)\nauth = {number}\naors = {number}\ncallerid = Operator {number} <{number}>\n"
        f"mailboxes = {number}@default\n\n"
        f"[{number}](operator-auth)\nusername = {number}\npassword = {password(number)}\n\n"
        f"[{number}](operator-aor)\n"
    )


def password(number: str) -> str:
    """The password of an operator's phone."""
    return f"secret-{number}"


def free_base(first: int = 20000, last: int = 32000, step: int = 2000, start: int = 0) -> int:
    """A base whose AMI and SIP ports are free now; `start` spreads those who ask at the same time."""
    bases = list(range(first, last, step))
    for n in range(len(bases)):
        base = bases[(start * 5 + n) % len(bases)]
        if _is_free(base):
            return base
    raise LabError("No free ports for an Asterisk between 20000 and 32000.")


def _is_free(base: int) -> bool:
    with (
        socket.socket() as ami,
        socket.socket(type=socket.SOCK_DGRAM) as sip,
        socket.socket(type=socket.SOCK_DGRAM) as far,
        socket.socket(type=socket.SOCK_DGRAM) as claim,
    ):
        try:
            claim.bind(("127.0.0.1", base))
            ami.bind(("127.0.0.1", base + 38))
            sip.bind(("127.0.0.1", base + 60))
            far.bind(("127.0.0.2", base + 70))
        except OSError:
            return False
        return True
