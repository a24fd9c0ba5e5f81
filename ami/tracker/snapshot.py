"""The PBX's present, asked for after each log-in (and now and then): what is so is adopted, what is gone is ended.

CoreShowChannels and Status list every channel, QueueStatus the callers who wait, BridgeList the
kinds of the bridges, ParkedCalls who is parked. Their seconds are whole.
"""

from dataclasses import dataclass, field

from ami import legs
from ami.messages import Message, first
from ami.tracker.channel import NOTHING, Channel
from ami.tracker.handlers import running
from ami.tracker.seeing import see
from ami.tracker.world import World


@dataclass(slots=True)
class Listing:
    """One list as it comes: since which step, and whose channels it has named."""

    step: int
    at: float
    seen: set[str] = field(default_factory=set)


class Snapshot:
    """Takes lists in, and settles what they say against what was believed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lists: dict[str, Listing] = {}
        self.bridges: dict[str, str] = {}
        self.adopted: list[tuple[Channel, Message]] = []
        self.gap: float | None = None

    def item(self, message: Message, at: float) -> None:
        """CoreShowChannel, Status: one channel of a list."""
        key = first(message, "ActionID")
        listing = self.lists.setdefault(key, Listing(self.world.step, at))
        uid = first(message, "Uniqueid")
        listing.seen.add(uid)
        if uid in NOTHING or uid in self.world.gone or "/" not in first(message, "Channel"):
            return
        known_before = self.world.find(uid)
        since = _since(message, uid, at)
        if known_before is None:
            root = first(message, "Linkedid")
            self.world.begin(uid, first(message, "Channel"), root, since, exact=False)
        channel = see(self.world, message, at)
        if channel is None:
            return
        dnid = first(message, "DNID")
        if dnid and not channel.exact and channel.told and channel.dialer is None:
            self.world.tell(legs.LegNumbered(at, uid, channel.number, channel.caller_name, dialled=dnid))
        if known_before is None:
            self.adopted.append((channel, message))
        bridge = first(message, "BridgeId") or first(message, "BridgeID")
        self.bridges[uid] = bridge

    def _adopt_all(self, at: float) -> None:
        """Only when all are known can be said who called whom."""
        adopted, self.adopted = self.adopted, []
        for channel, message in sorted(adopted, key=lambda one: one[0].uid != one[0].root):
            if channel.uid in self.world.channels:
                self._adopt(channel, message, at)

    def _adopt(self, channel: Channel, message: Message, at: float) -> None:
        application = first(message, "Application")
        if application.startswith(("AppDial", "AppQueue")) and channel.party:
            self.world.ring(channel, at, self.world.find(channel.root), "", exact=False)
        if channel.told:
            data = first(message, "ApplicationData") or first(message, "Data")
            running(self.world, channel, application, data, channel.began)

    def complete(self, message: Message, at: float) -> None:
        """CoreShowChannelsComplete, StatusComplete: the list is whole if it has as many as it says."""
        listing = self.lists.pop(first(message, "ActionID"), None) or Listing(self.world.step, at)
        self._adopt_all(at)
        said = first(message, "ListItems")
        if said.isdigit() and int(said) != len(listing.seen):
            self.world.odd("list with gaps", f"{len(listing.seen)} of {said} channels")
            return
        for channel in list(self.world.channels.values()):
            if channel.uid not in listing.seen and channel.born < listing.step:
                self._missing(channel, at)
        if first(message, "Event") == "CoreShowChannelsComplete":
            self.gap = None

    def _missing(self, channel: Channel, at: float) -> None:
        if self.gap is None:
            channel.missing = at
            return
        self.world.odd("ended unseen", f"{channel.name} {channel.uid}")
        self.world.end(channel, max(channel.last, min(self.gap, at)), None)

    def settle(self, at: float) -> None:
        """Put the channels into the bridges that the list named, but for those that moved since."""
        self._adopt_all(at)
        for uid, bridge in list(self.bridges.items()):
            channel = self.world.find(uid)
            if channel is not None and channel.bridge != (bridge or None):
                if channel.bridge is not None or not bridge:
                    self.world.odd("moved unseen", channel.name)
                self.world.move(channel, self.world.bridge(bridge) if bridge else None, at, exact=False)
        self.bridges.clear()

    def moved(self, uid: str) -> None:
        """The channel moved since it was listed: the list knows less."""
        self.bridges.pop(uid, None)

    def queue_entry(self, message: Message, at: float) -> None:
        """QueueEntry: a caller who waits."""
        channel = self.world.find(first(message, "Uniqueid"))
        queue = first(message, "Queue")
        if channel is not None and channel.told and queue and channel.queue != queue:
            channel.queue = queue
            wait = first(message, "Wait")
            since = at - (int(wait) if wait.isdigit() else 0)
            self.world.tell(legs.LegQueued(since, channel.uid, queue, channel.exten, exact=False))


def _since(message: Message, uid: str, at: float) -> float:
    """When the channel began: the middle of the second that its age leaves, narrowed by the second in its Uniqueid."""
    latest = at - _age(message)
    earliest = latest - 1.0
    second = uid.rpartition("-")[2].partition(".")[0]
    if second.isdigit() and len(second) < 12:
        low, high = max(earliest, float(second)), min(latest, float(second) + 1.0)
        if low <= high:
            earliest, latest = low, high
    return (earliest + latest) / 2


def _age(message: Message) -> float:
    """Whole seconds since the channel began: `Seconds`, or `Duration` as hh:mm:ss."""
    seconds = first(message, "Seconds")
    if seconds.isdigit():
        return float(seconds)
    total = 0
    for part in first(message, "Duration").split(":"):
        if not part.isdigit() or len(part) > 6:
            return 0.0
        total = total * 60 + int(part)
    return float(total)
