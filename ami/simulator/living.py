"""What lives in the simulated PBX: channels, bridges, queues with their members and callers."""

from dataclasses import dataclass, field


@dataclass
class Channel:
    """A living channel: its last known headers, since when it lives, and what it does."""

    headers: dict[str, str]
    born: float
    dnid: str = ""
    application: str = ""
    data: str = ""
    bridge: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    dialled: float | None = None
    held: bool = False

    @property
    def uniqueid(self) -> str:
        """Its Uniqueid."""
        return self.headers["Uniqueid"]

    @property
    def name(self) -> str:
        """Its name, such as PJSIP/101-0000002a."""
        return self.headers["Channel"]

    @property
    def extension(self) -> str:
        """The phone or peer it belongs to: 101, trunk."""
        return self.name.partition("/")[2].rpartition("-")[0]


@dataclass
class Bridge:
    """A bridge and the Uniqueids of those in it, in order of entering."""

    headers: dict[str, str]
    inside: list[str] = field(default_factory=list)


@dataclass
class Entry:
    """A caller who waits in a queue; `connected` is when an operator took him."""

    uniqueid: str
    joined: float
    connected: float | None = None


@dataclass
class Member:
    """An operator in a queue."""

    extension: str
    interface: str
    name: str
    membership: str = "static"
    paused: bool = False
    reason: str = ""
    taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    in_call: bool = False
    login: int = 0


@dataclass
class QueueNow:
    """A queue: its members, and who waits."""

    name: str
    strategy: str
    members: dict[str, Member] = field(default_factory=dict)
    waiting: list[Entry] = field(default_factory=list)
    completed: int = 0
    abandoned: int = 0
    hold_s: list[float] = field(default_factory=list)
    talk_s: list[float] = field(default_factory=list)
