"""What each event does to the world: channels, dials, bridges, hold, queues, recordings. One function an event."""

from collections.abc import Callable

from ami import legs
from ami.messages import Message, first
from ami.tracker.channel import NOTHING, Bridge, Channel, known, plain
from ami.tracker.seeing import recorded, see
from ami.tracker.world import World

#: SoftHangupRequest's Cause is a flag of Asterisk's channel.h: 2 sends the channel elsewhere in the dialplan.
_ASYNC_GOTO = "2"

#: Events this many seconds apart may come in the other order.
_SWAPPED = 1.0

Handler = Callable[[World, Message, float], None]


def seen(world: World, message: Message, at: float) -> None:
    """The event only shows a channel as it is now."""
    see(world, message, at)


def newchannel(world: World, message: Message, at: float) -> None:
    """Newchannel: a channel begins."""
    see(world, message, at, born=True)


def hangup_request(world: World, message: Message, at: float) -> None:
    """HangupRequest: the channel's own side asked to end."""
    channel = see(world, message, at)
    if channel is None or channel.asked is not None:
        return
    channel.asked = at
    if channel.told:
        world.tell(legs.LegHungUp(at, channel.uid))


def soft_hangup(world: World, message: Message, at: float) -> None:
    """SoftHangupRequest: somebody else ended the channel; its Hangup should follow at once."""
    channel = see(world, message, at)
    if channel is not None and first(message, "Cause") != _ASYNC_GOTO:
        channel.doubted = at
        if channel.told:
            world.tell(legs.LegDismissed(at, channel.uid))


def hangup(world: World, message: Message, at: float) -> None:
    """Hangup: the channel is over."""
    channel = see(world, message, at)
    if channel is not None:
        cause = first(message, "Cause")
        world.end(channel, at, int(cause) if cause.isdigit() and len(cause) < 5 else None)


def rename(world: World, message: Message, at: float) -> None:
    """Rename: a masquerade gives channels each other's names; a leg goes on as another channel."""
    channel = world.find(first(message, "Uniqueid"))
    name = first(message, "Newname")
    if channel is None or name in NOTHING:
        return
    former = channel.name
    if former.startswith("AsyncGoto/") and not name.startswith("AsyncGoto/") and "<" not in name:
        replace(world, channel, name, at)
    elif "<" not in name and not name.startswith("AsyncGoto/"):
        world.rename(channel, name)
    channel.last = at


def replace(world: World, channel: Channel, name: str, at: float) -> None:
    """The channel takes the place of the one that had this name until now."""
    for one in list(world.channels.values()):
        if one.uid != channel.uid and plain(one.name) == plain(name) and one.told:
            world.tell(legs.LegReplaced(at, channel.uid, one.uid))
            world.move(one, None, at)
            world.rename(one, f"Surrogate/{plain(one.name)}")
    world.rename(channel, name)


# -- dialling -----------------------------------------------------------------------------
def dial_begin(world: World, message: Message, at: float) -> None:
    """DialBegin: the channel calls another; without a channel it is the PBX that calls (Originate)."""
    dialer = see(world, message, at)
    called = see(world, message, at, "Dest")
    if called is not None:
        world.ring(called, at, dialer, first(message, "DialString"))


def dial_state(world: World, message: Message, at: float) -> None:
    """DialState: the called channel rings, or makes progress."""
    dialer = see(world, message, at)
    called = see(world, message, at, "Dest")
    if called is not None and first(message, "DialStatus") == "RINGING":
        world.ring(called, at, dialer, "")


def dial_end(world: World, message: Message, at: float) -> None:
    """DialEnd: calling came to a result."""
    see(world, message, at)
    called = see(world, message, at, "Dest")
    if called is None or called.dial_over:
        return
    called.dial_over = True
    status = first(message, "DialStatus")
    if called.told:
        world.tell(legs.LegTried(at, called.uid, status))
    if status == "ANSWER":
        world.answer(called, at)
    else:
        called.doubted = at


def agent_called(world: World, message: Message, at: float) -> None:
    """AgentCalled: the queue calls a member."""
    dialer = see(world, message, at)
    called = see(world, message, at, "Dest")
    if called is not None and called.party:
        world.ring(called, at, dialer, first(message, "Interface"))


def agent_seen(world: World, message: Message, at: float) -> None:
    """AgentConnect, AgentComplete, AgentRingNoAnswer: they only show two channels as they are."""
    see(world, message, at)
    see(world, message, at, "Dest")


def originated(world: World, message: Message, at: float) -> None:
    """OriginateResponse: the first leg picked up, or did not."""
    uid = first(message, "Uniqueid")
    name = first(message, "Channel")
    world.tell(
        legs.Originated(
            at=at,
            leg="" if uid in NOTHING else uid,
            endpoint=name,
            exten=known(first(message, "Exten")),
            number=known(first(message, "CallerIDNum")),
            action=first(message, "ActionID"),
            succeeded=first(message, "Response") == "Success",
        )
    )


def pickup(world: World, message: Message, at: float) -> None:
    """Pickup: the channel takes the call that rings at the target."""
    channel = see(world, message, at)
    target = see(world, message, at, "Target")
    uid = first(message, "TargetUniqueid")
    if channel is not None and channel.told:
        channel.rung = True
        channel.mate = target.dialer if target is not None else None
        world.tell(legs.LegPickedUp(at, channel.uid, target.uid if target is not None else known(uid) or None))


# -- bridges ------------------------------------------------------------------------------
def _typed(world: World, message: Message, *, known_only: bool = False) -> str:
    uid = first(message, "BridgeUniqueid")
    if uid in NOTHING or (known_only and uid not in world.bridges):
        return ""
    bridge = world.bridge(uid)
    kind, technology = first(message, "BridgeType"), first(message, "BridgeTechnology")
    if kind or technology:
        bridge.holding = kind in ("parking", "holding") or technology == "holding_bridge"
        bridge.conference = first(message, "BridgeCreator") == "ConfBridge"
        bridge.typed = True
    return uid


def bridge_create(world: World, message: Message, at: float) -> None:  # noqa: ARG001 - one shape for all
    """BridgeCreate, BridgeListItem: a bridge of some kind is there."""
    _typed(world, message)


def bridge_enter(world: World, message: Message, at: float) -> None:
    """BridgeEnter: the channel joins; the one it swaps with has left."""
    channel = see(world, message, at)
    uid = _typed(world, message)
    if channel is None or not uid:
        return
    swapped = world.find(first(message, "SwapUniqueid"))
    if swapped is not None and swapped.bridge == uid:
        world.move(swapped, None, at)
    if first(message, "BridgeType") == "parking" and not channel.parked and channel.told:
        channel.parked = True
        world.tell(legs.LegParked(at, channel.uid, "", ""))
    world.move(channel, world.bridge(uid), at)
    _count(world, world.bridge(uid), channel, first(message, "BridgeNumChannels"), at)


def _count(world: World, bridge: Bridge, channel: Channel, said: str, at: float) -> None:
    """How many the bridge should have now: mends a leaving, or a joining, that was lost."""
    if said == "1" and len(bridge.members) > 1:
        fresh = [uid for uid in bridge.members if at - world.channels[uid].bridged_at < _SWAPPED]
        if len(fresh) < len(bridge.members):
            world.odd("left unseen", f"bridge {bridge.id}")
        world.clear(bridge, at, keep=[channel.uid, *fresh])
    elif said == "2" and len(bridge.members) == 1 and not bridge.holding:
        partners = world.partners(channel)
        if len(partners) == 1:
            world.odd("joined unseen", partners[0].name)
            world.move(partners[0], bridge, at)


def bridge_leave(world: World, message: Message, at: float) -> None:
    """BridgeLeave: the channel leaves that bridge; nothing when it is elsewhere already."""
    channel = see(world, message, at)
    uid = _typed(world, message, known_only=True)
    if channel is not None and channel.bridge is not None and channel.bridge == uid:
        world.move(channel, None, at)
        channel.waning = at if channel.dialer is not None else None
    bridge = world.bridges.get(uid)
    if bridge is not None and first(message, "BridgeNumChannels") == "0":
        world.clear(bridge, at)


def bridge_destroy(world: World, message: Message, at: float) -> None:
    """BridgeDestroy: nobody is in it any more."""
    bridge = world.bridges.get(first(message, "BridgeUniqueid"))
    if bridge is not None:
        world.clear(bridge, at)
        world.bridges.pop(bridge.id, None)


def pair_seen(world: World, message: Message, at: float) -> None:
    """LocalBridge, LocalOptimizationBegin, …End: they show the two halves of a Local pair."""
    see(world, message, at, "LocalOne")
    see(world, message, at, "LocalTwo")


# -- hold, queues, recordings, voicemail -----------------------------------------------------
def hold(world: World, message: Message, at: float) -> None:
    """Hold: the channel's phone put its party on hold."""
    channel = see(world, message, at)
    if channel is not None and not channel.held and channel.told:
        channel.held = True
        world.tell(legs.LegHeld(at, channel.uid))


def unhold(world: World, message: Message, at: float) -> None:
    """Unhold: it took its party back; a stray one is nothing."""
    channel = see(world, message, at)
    if channel is not None and channel.held:
        channel.held = False
        world.tell(legs.LegResumed(at, channel.uid))


def queue_join(world: World, message: Message, at: float) -> None:
    """QueueCallerJoin: the caller waits in the queue."""
    channel = see(world, message, at)
    queue = first(message, "Queue")
    if channel is not None and channel.told and queue and channel.queue != queue:
        channel.queue = queue
        world.tell(legs.LegQueued(at, channel.uid, queue, channel.exten))


def queue_leave(world: World, message: Message, at: float) -> None:
    """QueueCallerLeave, QueueCallerAbandon: he waits there no more."""
    channel = see(world, message, at)
    if channel is not None and channel.queue and channel.queue == first(message, "Queue"):
        channel.queue = ""
        world.tell(legs.LegUnqueued(at, channel.uid, first(message, "Queue")))


def monitor_start(world: World, message: Message, at: float) -> None:
    """MixMonitorStart: the channel is recorded; the file's name comes otherwise."""
    channel = see(world, message, at)
    if channel is not None:
        recorded(world, channel, "", at)


def var_set(world: World, message: Message, at: float) -> None:
    """VarSet: of all variables, only the recording's name matters."""
    if first(message, "Variable") != "MIXMONITOR_FILENAME":
        return
    channel = see(world, message, at)
    if channel is not None and first(message, "Value"):
        recorded(world, channel, first(message, "Value"), at)


def message_waiting(world: World, message: Message, at: float) -> None:
    """MessageWaiting with a channel: that caller left a message."""
    channel = see(world, message, at)
    box = first(message, "Mailbox").partition("@")[0]
    if channel is not None and channel.told and box:
        world.tell(legs.LegMailed(at, channel.uid, box))


def running(world: World, channel: Channel, application: str, data: str, at: float) -> None:
    """The channel runs an application: what that says of queues and voicemail."""
    argument = data.partition(",")[0].strip()
    if application == "Queue" and argument:
        world.tell(legs.LegQueued(at, channel.uid, argument, channel.exten, admitted=False))
    elif application == "VoiceMail" and argument:
        world.tell(legs.LegMailed(at, channel.uid, argument.partition("@")[0]))


def new_exten(world: World, message: Message, at: float) -> None:
    """Newexten: the dialplan goes on; who asks for a queue that lets nobody in is known by it."""
    channel = see(world, message, at)
    if channel is not None and channel.told:
        running(world, channel, first(message, "Application"), first(message, "AppData"), at)


def cdr(world: World, message: Message, at: float) -> None:
    """Cdr: good for the recording's name; and the channel it is of should be over."""
    uid = first(message, "UniqueID")
    file = first(message, "RecordingFile") or first(message, "recordingfile")
    channel = world.find(uid)
    if file and channel is None:
        world.tell(legs.LegRecorded(at, uid, plain(first(message, "Channel")), file))
    elif file and channel is not None and file not in channel.files:
        world.tell_recorded(channel, file, at)
    if channel is not None:
        channel.files.add(file)
        if channel.bridge is None:
            channel.waning = at


def cel(world: World, message: Message, at: float) -> None:
    """CEL, where a site sends it: what other events tell too, so it only mends."""
    uid = first(message, "UniqueID")
    channel = world.find(uid)
    kind = first(message, "EventName")
    if channel is None:
        return
    if kind == "APP_START" and channel.told:
        running(world, channel, first(message, "Application"), first(message, "AppData"), at)
    elif kind == "CHAN_END":
        channel.doubted = at
