"""Reading channels out of messages: most events carry whole channels, so that the next one mends what was lost."""

from ami import legs
from ami.messages import Message, first, values
from ami.tracker.channel import NOTHING, Channel, known, plain
from ami.tracker.world import World

_UP, _RINGING = "6", "5"
_NOWHERE = ("", "s", "h", "i", "t")
_FILE = "MIXMONITOR_FILENAME"


def see(world: World, message: Message, at: float, prefix: str = "", *, born: bool = False) -> Channel | None:
    """The channel that the message's headers with this prefix describe, brought up to date; None when there is none.

    A channel that was not known is begun (its beginning was lost), one that has ended stays ended.
    """
    uid = first(message, f"{prefix}Uniqueid")
    name = first(message, f"{prefix}Channel")
    if uid in NOTHING or uid in world.gone or len(uid) > 150:
        return None
    channel = world.find(uid)
    if channel is None:
        if name in NOTHING or "/" not in name:
            return None
        root = known(first(message, f"{prefix}Linkedid"))
        young = first(message, f"{prefix}ChannelState") != _UP and not world.gap
        channel = world.begin(uid, name, root, at, exact=born or young)
        channel.unseen = not born
        if not born:
            world.odd("channel begun unseen", f"{name} {uid} in {first(message, 'Event')}")
    elif name not in NOTHING and plain(name) != plain(channel.name):
        world.rename(channel, name)
    if channel.unseen and channel.told:
        _learn_dialled(world, channel, message, at, prefix, born=born)
    channel.last = at
    channel.doubted = channel.waning = channel.missing = None
    _update(world, channel, message, at, prefix)
    return channel


def _update(world: World, channel: Channel, message: Message, at: float, prefix: str) -> None:
    number = known(first(message, f"{prefix}CallerIDNum"))
    name = known(first(message, f"{prefix}CallerIDName"))
    renumbered = bool(number) and number != channel.number
    if number:
        channel.number = number
    if name:
        channel.caller_name = name
    exten = known(first(message, f"{prefix}Exten"))
    if exten:
        channel.exten = exten
    channel.context = first(message, f"{prefix}Context") or channel.context
    if channel.told and renumbered:
        world.tell(legs.LegNumbered(at, channel.uid, channel.number, channel.caller_name))
    world.introduce(channel)
    state = first(message, f"{prefix}ChannelState")
    if state == _UP:
        world.answer(channel, at)
    elif state == _RINGING and not channel.rung and not channel.up and channel.party:
        _ringing_unseen(world, channel, at)
    for variable in values(message, f"{prefix}ChanVariable"):
        key, _, value = variable.partition("=")
        if key == _FILE:
            recorded(world, channel, value, at)


def _learn_dialled(world: World, channel: Channel, message: Message, at: float, prefix: str, *, born: bool) -> None:
    """What a channel whose beginning was not seen had dialled: within a subroutine it says only `s`."""
    exten = known(first(message, f"{prefix}Exten"))
    if (born or channel.exten in _NOWHERE) and exten not in _NOWHERE:
        channel.unseen = False
        number = known(first(message, f"{prefix}CallerIDNum")) or channel.number
        world.tell(legs.LegNumbered(at, channel.uid, number, channel.caller_name, dialled=exten))


def _ringing_unseen(world: World, channel: Channel, at: float) -> None:
    """It rings, though nobody was seen to call it: the conversation's first leg does, unless another is told yet.

    A phone may ring before the dialling of it is told: Asterisk tells the two from threads of their own.
    """
    root = world.find(channel.root)
    if channel.dialer is None and root is not None and root.uid != channel.uid:
        world.ring(channel, at, root, "", exact=channel.exact)
        channel.presumed = True


def recorded(world: World, channel: Channel, file: str, at: float) -> None:
    """The channel's recording is this file, or one whose name is not known yet (empty)."""
    if file in channel.files or (not file and channel.files) or len(file) > 4096:
        return
    channel.files.add(file)
    world.tell_recorded(channel, file, at)
