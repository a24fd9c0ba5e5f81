"""Mending by time: channels whose end was lost are let go when the evidence is strong enough."""

from ami.tracker.channel import Channel
from ami.tracker.world import World

#: Seconds of silence after which a channel that should be over is taken to be over.
PATIENCE = 5.0
#: The same for one that may be over: it left its bridge, or its call record was written.
LONG_PATIENCE = 45.0
#: A channel that a list of all channels lacks may just be ending: its Hangup is given so long to come.
GRACE = 2.0


def overdue(world: World, channel: Channel, at: float) -> bool:
    """Whether everything says that the channel is over, though nobody said so."""
    if channel.missing is not None:
        return at - channel.missing >= GRACE
    if channel.asked is not None and at - max(channel.asked, channel.last) >= PATIENCE:
        return True
    if channel.bridge is not None and world.near(channel) - {channel.uid}:
        return False
    if channel.doubted is not None and at - channel.doubted >= PATIENCE:
        return True
    if channel.waning is not None and channel.bridge is None and at - channel.waning >= LONG_PATIENCE:
        return True
    lonely = channel.local and world.named(channel.other_half) is None
    return (lonely or _orphaned(world, channel)) and at - channel.last >= PATIENCE


def _orphaned(world: World, channel: Channel) -> bool:
    """It was still being called when the one who called it ended."""
    return channel.dialer is not None and channel.dialer in world.gone and not channel.up and channel.bridge is None


#: Seconds that one side of an answered dial may be alone in its bridge; the other should follow at once.
ALONE = 1.0


def rejoin(world: World, at: float) -> None:
    """Who was called and answered sits alone in a bridge: that its caller joined was lost."""
    for bridge in list(world.bridges.values()):
        if bridge.holding or bridge.conference or len(bridge.members) != 1:
            continue
        channel = world.find(next(iter(bridge.members)))
        if channel is None or channel.dialer is None or at - channel.bridged_at < ALONE:
            continue
        dialer = world.find(channel.dialer)
        if dialer is not None and dialer.up and dialer.bridge is None and not dialer.queue and not dialer.parted:
            world.odd("joined unseen", dialer.name)
            world.move(dialer, bridge, channel.bridged_at)


def mend(world: World, at: float, *, until: float | None = None) -> None:
    """End what is overdue at `at`; none of it later than `until`."""
    rejoin(world, at if until is None else until)
    for channel in list(world.channels.values()):
        if channel.uid in world.channels and overdue(world, channel, at):
            world.odd("ended unseen", f"{channel.name} {channel.uid}")
            ended = channel.last if channel.asked is None else channel.asked
            world.end(channel, min(at if until is None else until, ended), None)
