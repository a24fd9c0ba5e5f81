"""One Asterisk channel as the tracker knows it, and what its name says."""

import re
from dataclasses import dataclass, field

#: Channels that Asterisk makes for itself: no party is behind them.
INNER = ("Surrogate/", "Bridge/", "CBAnn/", "CBRec/", "Announcer/", "Recorder/", "Message/", "Snoop/", "MulticastRTP/")
NOTHING = ("", "<unknown>", "<none>", "unknown", "(null)")

_SUFFIX = re.compile(r"-(?:[0-9a-f]{8}|[0-9]+)$")
_DIGEST = re.compile(r"(<ZOMBIE>|<MASQ>)+$")


def plain(name: str) -> str:
    """A channel's name without the marks that a masquerade leaves on it."""
    return _DIGEST.sub("", name)


def endpoint_of(name: str) -> str:
    """`PJSIP/101` for `PJSIP/101-0000001a`: technology and peer, without the number of the channel."""
    name = plain(name)
    if name.startswith("AsyncGoto/"):
        name = name.removeprefix("AsyncGoto/")
    return _SUFFIX.sub("", name) if "/" in name else name


def known(value: str) -> str:
    """The value, or nothing where Asterisk says that it has none."""
    return "" if value in NOTHING else value


@dataclass(slots=True)
class Channel:
    """A channel. `root`: Linkedid when it began; `dialer`: Uniqueid of the channel
    that calls it (`presumed`: as long as nobody said so); `mate`: of the one that it should join.

    `parted`: it was in a bridge and left it;
    `asked`: when its own side asked to end; `doubted`: since when it should be over; `waning`: since
    when it may be over; `missing`: since when a list of all channels lacks it.
    `untold`: recordings of a Local half behind which no leg is known yet.
    """

    uid: str
    name: str
    root: str
    began: float
    born: int
    exact: bool = True
    told: bool = False
    unseen: bool = False
    number: str = ""
    caller_name: str = ""
    exten: str = ""
    context: str = ""
    state: int = -1
    bridge: str | None = None
    bridged_at: float = 0.0
    parted: bool = False
    dialer: str | None = None
    presumed: bool = False
    mate: str | None = None
    rung: bool = False
    dial_over: bool = False
    up: bool = False
    held: bool = False
    queue: str = ""
    parked: bool = False
    asked: float | None = None
    doubted: float | None = None
    waning: float | None = None
    missing: float | None = None
    last: float = 0.0
    peers: frozenset[str] = frozenset()
    files: set[str] = field(default_factory=set)
    untold: list[str] = field(default_factory=list)

    @property
    def local(self) -> bool:
        """One half of a Local pair."""
        return self.name.startswith("Local/")

    @property
    def party(self) -> bool:
        """Somebody may be behind it: a leg."""
        return not self.name.startswith(("Local/", *INNER))

    @property
    def other_half(self) -> str:
        """The name of the Local pair's other half."""
        name = plain(self.name)
        if name.endswith(";1"):
            return name[:-1] + "2"
        return name[:-1] + "1" if name.endswith(";2") else ""


@dataclass(slots=True)
class Bridge:
    """A bridge: `holding` when its members wait (parking), `conference` when it is a named room."""

    id: str
    members: set[str] = field(default_factory=set)
    holding: bool = False
    conference: bool = False
    typed: bool = False
