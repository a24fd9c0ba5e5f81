"""The tracker: AMI messages in, what the legs do out. Pure: no clock, no I/O, and no input makes it raise.

    tracker = Tracker()
    for event in tracker.feed(message, at): ...

`at` are seconds on the caller's clock. What was lost is mended by later events (each carries whole
channels), by a snapshot, or by time (`tick`); what makes no sense is counted in `anomalies`.
"""

from ami.legs import LegEvent, PbxStopped
from ami.messages import Message, first
from ami.tracker import handing
from ami.tracker import handlers as on
from ami.tracker.mending import mend
from ami.tracker.snapshot import Snapshot
from ami.tracker.world import World

HANDLERS: dict[str, on.Handler] = {
    "Newchannel": on.newchannel,
    "Newstate": on.seen,
    "NewCallerid": on.seen,
    "NewConnectedLine": on.seen,
    "MusicOnHoldStart": on.seen,
    "MusicOnHoldStop": on.seen,
    "HangupRequest": on.hangup_request,
    "SoftHangupRequest": on.soft_hangup,
    "Hangup": on.hangup,
    "Rename": on.rename,
    "DialBegin": on.dial_begin,
    "DialState": on.dial_state,
    "DialEnd": on.dial_end,
    "OriginateResponse": on.originated,
    "Pickup": on.pickup,
    "BridgeCreate": on.bridge_create,
    "BridgeEnter": on.bridge_enter,
    "BridgeLeave": on.bridge_leave,
    "BridgeDestroy": on.bridge_destroy,
    "LocalBridge": on.pair_seen,
    "LocalOptimizationBegin": on.pair_seen,
    "LocalOptimizationEnd": on.pair_seen,
    "Hold": on.hold,
    "Unhold": on.unhold,
    "QueueCallerJoin": on.queue_join,
    "QueueCallerLeave": on.queue_leave,
    "QueueCallerAbandon": on.seen,
    "AgentCalled": on.agent_called,
    "AgentConnect": on.agent_seen,
    "AgentComplete": on.agent_seen,
    "AgentRingNoAnswer": on.agent_seen,
    "MixMonitorStart": on.monitor_start,
    "VarSet": on.var_set,
    "MessageWaiting": on.message_waiting,
    "Newexten": on.new_exten,
    "Cdr": on.cdr,
    "CEL": on.cel,
    "BlindTransfer": handing.blind_transfer,
    "AttendedTransfer": handing.attended_transfer,
    "ParkedCall": handing.parked_call,
    "UnParkedCall": handing.unparked_call,
    "ParkedCallTimeOut": handing.parked_timeout,
    "ParkedCallGiveUp": handing.parked_given_up,
    "BridgeListItem": on.bridge_create,
}

#: Every event that the tracker reads; the connection may drop all others unread.
WANTED = frozenset(HANDLERS) | {
    "FullyBooted",
    "Shutdown",
    "CoreShowChannel",
    "CoreShowChannelsComplete",
    "Status",
    "StatusComplete",
    "QueueEntry",
    "BridgeListComplete",
}

#: Seconds after a list of channels at which it is settled, if no list of bridges came.
SETTLE = 2.0


class Tracker:
    """Follows one PBX. One thread, one stream."""

    def __init__(self) -> None:
        self._world = World()
        self._snapshot = Snapshot(self._world)
        self._ticked = float("-inf")
        self._listed: float | None = None
        self._last: float | None = None
        self._logged_in = False

    @property
    def anomalies(self) -> list[tuple[str, str]]:
        """What should not have been so: (kind, detail), the first ones."""
        return self._world.details

    @property
    def odd(self) -> dict[str, int]:
        """How often each kind of anomaly was met."""
        return self._world.anomalies

    @property
    def open_channels(self) -> int:
        """How many channels are there."""
        return len(self._world.channels)

    def feed(self, message: Message, at: float) -> list[LegEvent]:
        """What this message says that was not known before."""
        world = self._world
        world.step += 1
        name = first(message, "Event")
        try:
            handler = HANDLERS.get(name)
            if handler is not None:
                handler(world, message, at)
                if name in ("BridgeEnter", "BridgeLeave"):
                    self._snapshot.moved(first(message, "Uniqueid"))
            else:
                self._other(name, message, at)
        except Exception as error:
            world.odd("unreadable", f"{name}: {type(error).__name__}: {error}")
        if at - self._ticked >= 1.0:
            self._tick(at)
        self._last = at
        return self._told()

    def tick(self, at: float) -> list[LegEvent]:
        """Let what is overdue end; call it about once a second."""
        self._tick(at)
        return self._told()

    def lost(self, at: float) -> list[LegEvent]:
        """The link is gone: calls are kept until a snapshot tells what became of them."""
        self._gap(at)
        return self._told()

    def stopped(self, at: float) -> list[LegEvent]:
        """The PBX went down: everything ends."""
        self._world.tell(PbxStopped(at, ""))
        for channel in list(self._world.channels.values()):
            self._world.end(channel, at, None)
        return self._told()

    def finish(self, at: float) -> list[LegEvent]:
        """No more will come: what should be over is over, the rest stays open."""
        self._snapshot.settle(at)
        mend(self._world, at + 3600.0, until=at)
        return self._told()

    # -- inside
    def _gap(self, at: float) -> None:
        if self._snapshot.gap is None and self._logged_in:
            self._snapshot.gap = at
            self._world.gap = True

    def _other(self, name: str, message: Message, at: float) -> None:
        snapshot = self._snapshot
        if name in ("CoreShowChannel", "Status"):
            snapshot.item(message, at)
        elif name in ("CoreShowChannelsComplete", "StatusComplete"):
            snapshot.complete(message, at)
            self._listed = at
            self._world.gap = False
        elif name == "QueueEntry":
            snapshot.queue_entry(message, at)
        elif name == "BridgeListComplete":
            snapshot.settle(at)
            self._listed = None
        elif name == "FullyBooted":
            if self._logged_in:
                self._gap(self._last if self._last is not None else at)
            self._logged_in = True
        elif name == "Shutdown":
            self._world.out += self.stopped(at)

    def _tick(self, at: float) -> None:
        self._ticked = at
        if self._listed is not None and at - self._listed >= SETTLE:
            self._snapshot.settle(at)
            self._listed = None
        mend(self._world, at)

    def _told(self) -> list[LegEvent]:
        told, self._world.out = self._world.out, []
        return told
