"""How the link to a PBX stands, said in words a person can act on; where the PBX is; when to try again."""

import random
import ssl
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """States of a link."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    GONE = "gone"
    STALLED = "stalled"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    MISSING_PERMISSION = "missing_permission"
    NOT_A_PBX = "not_a_pbx"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Link:
    """The link as it is now: `words` for a person, `missing` what the user may not, `since` in epoch seconds.

    `allowed`: the actions that the user may send; None while that is not known.
    """

    state: State
    words: str
    since: float
    version: str = ""
    missing: tuple[str, ...] = ()
    attempt: int = 0
    allowed: frozenset[str] | None = None

    @property
    def up(self) -> bool:
        """Whether calls are seen and commands can be sent."""
        return self.state is State.CONNECTED


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where a PBX is and who we are there; times in seconds.

    `tls`: None for plain text, else the context (see `tls_context`).
    """

    name: str
    host: str
    username: str
    secret: str = field(repr=False)
    port: int = 5038
    tls: ssl.SSLContext | None = None
    connect_s: float = 5.0
    login_s: float = 5.0
    ping_every_s: float = 5.0
    ping_s: float = 5.0
    retry_s: float = 0.5
    retry_cap_s: float = 30.0
    refused_s: float = 30.0
    refused_cap_s: float = 300.0

    @property
    def place(self) -> str:
        """The PBX for a sentence: its name and address."""
        return f"PBX {self.name} ({self.host}:{self.port})"


def tls_context(ca_file: str = "", *, verify: bool = True) -> ssl.SSLContext:
    """How a PBX's certificate is checked: by the system's authorities, or by `ca_file` (its own will do)."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Patience:
    """How long to wait before the next try: doubling from `first` up to `cap`, each between half and whole of it."""

    def __init__(self, first: float, cap: float) -> None:
        self._first, self._cap, self.tries = first, cap, 0

    def next(self) -> float:
        """Seconds to wait now."""
        whole: float = min(self._cap, self._first * 2 ** min(self.tries, 20))
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It went well: begin anew."""
        self.tries = 0


def unreachable(settings: AmiSettings, error: BaseException) -> str:
    """Why there is no connection, and the mend."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {settings.place} is not trusted ({error.verify_message}): "
            "give its certificate as the authority to trust, or one that the system knows."
        )
    if isinstance(error, ssl.SSLError):
        return f"{settings.place} does not speak TLS at this port: set tls=false, or the port of tlsbindaddr."
    if isinstance(error, TimeoutError):
        return f"{settings.place} does not answer: check the address and the firewall between."
    if isinstance(error, ConnectionRefusedError):
        return f"{settings.place} refuses connections: is Asterisk running, with enabled=yes in manager.conf?"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{settings.place} cannot be reached: {reason}."


def refused(settings: AmiSettings, said: str) -> str:
    """Why there is no log-in, and the mend."""
    return (
        f"{settings.place} refuses user {settings.username} ({said}): check username and secret, "
        "and secret, deny and permit of that user in manager.conf."
    )


def not_a_pbx(settings: AmiSettings, head: bytes) -> str:
    """What answers there is not a manager interface."""
    line = head.split(b"\n", 1)[0][:60].decode("utf-8", "replace")
    heard = "".join(character if character.isprintable() else "?" for character in line).strip("?").strip()
    said = f"it says {heard!r}" if heard else "it says nothing"
    return f"{settings.place} is no Asterisk manager interface ({said}): is the port that of manager.conf (5038)?"
