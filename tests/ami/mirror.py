"""A plain mirror of a PBX, made of a whole stream: what its snapshot would say at any moment.

It is no tracker: it believes each event as it comes, which is right only where none is missing.
"""

from collections.abc import Iterator

from ami.messages import Message, first

SHOWN = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)
TRANSFER = ("Transferer", "Transferee", "OrigTransferer", "SecondTransferer")
PREFIXES = ("", "Dest", "Parkee", "Retriever", "Target", *TRANSFER)


class Mirror:
    """Channels, bridges, queue entries and parked calls after the messages seen so far."""

    def __init__(self) -> None:
        self.channels: dict[str, dict[str, str]] = {}
        self.began: dict[str, float] = {}
        self.dnid: dict[str, str] = {}
        self.application: dict[str, tuple[str, str]] = {}
        self.bridge: dict[str, str] = {}
        self.kinds: dict[str, tuple[str, str]] = {}
        self.queues: dict[str, tuple[str, float]] = {}
        self.parked: dict[str, Message] = {}

    def see(self, message: Message, at: float) -> None:
        """Take the next message in."""
        name = first(message, "Event")
        if name == "CoreShowChannel":
            self._listed(message, at)
        elif name == "QueueEntry":
            self.queues[first(message, "Uniqueid")] = (first(message, "Queue"), at - int(first(message, "Wait")))
        if "Cause" in message and name == "Hangup":
            self._gone(first(message, "Uniqueid"))
            return
        if name == "Newchannel":
            uid = first(message, "Uniqueid")
            self.channels[uid] = {}
            self.began[uid] = at
            self.dnid[uid] = first(message, "Exten") if first(message, "ChannelState") == "4" else ""
        if name not in ("Cdr", "OriginateResponse", "QueueEntry"):
            for prefix in PREFIXES:
                uid = first(message, f"{prefix}Uniqueid")
                if uid in self.channels:
                    shown = [key for key in SHOWN if prefix + key in message]
                    self.channels[uid] |= {key: first(message, prefix + key) for key in shown}
        self._place(name, message, at)

    def _listed(self, message: Message, at: float) -> None:
        """A channel of a snapshot within the stream itself."""
        uid = first(message, "Uniqueid")
        self.channels[uid] = {key: first(message, key) for key in SHOWN}
        self.began[uid] = at - int(first(message, "Duration").rpartition(":")[2]) - 0.5
        self.dnid[uid] = first(message, "Exten")
        self.application[uid] = (first(message, "Application"), first(message, "ApplicationData"))
        if first(message, "BridgeId"):
            self.bridge[uid] = first(message, "BridgeId")

    def _gone(self, uid: str) -> None:
        for one in (self.channels, self.bridge, self.queues, self.parked):
            one.pop(uid, None)

    def _place(self, name: str, message: Message, at: float) -> None:
        uid, bridge = first(message, "Uniqueid"), first(message, "BridgeUniqueid")
        if bridge and name.startswith("Bridge") and "BridgeType" in message:
            self.kinds[bridge] = (first(message, "BridgeType"), first(message, "BridgeTechnology"))
        if name == "BridgeEnter":
            self.bridge[uid] = bridge
        elif name == "BridgeLeave" and self.bridge.get(uid) == bridge:
            del self.bridge[uid]
        elif name == "BridgeDestroy":
            self.kinds.pop(bridge, None)
        elif name == "QueueCallerJoin":
            self.queues[uid] = (first(message, "Queue"), at)
            self.application[uid] = ("Queue", f"{first(message, 'Queue')},tTk,,,60")
        elif name == "QueueCallerLeave":
            self.queues.pop(uid, None)
        elif name == "DialBegin":
            kind = "AppQueue" if uid in self.queues else "AppDial" if uid else "AppDial2"
            self.application[first(message, "DestUniqueid")] = (kind, "(Outgoing Line)")
            if uid and uid not in self.queues:
                self.application[uid] = ("Dial", first(message, "DialString"))
        elif name == "ParkedCall":
            self.parked[first(message, "ParkeeUniqueid")] = message
        elif name in ("UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp"):
            self.parked.pop(first(message, "ParkeeUniqueid"), None)

    # -- what it would say
    def login(self) -> Iterator[Message]:
        """A new log-in: the answer, and FullyBooted."""
        yield {"Response": "Success", "ActionID": "again", "Message": "Authentication accepted"}
        yield {"Event": "FullyBooted", "Privilege": "system,all", "Status": "Fully Booted"}

    def snapshot(self, at: float) -> Iterator[Message]:
        """The answers to CoreShowChannels, Status, QueueStatus, BridgeList and ParkedCalls."""
        yield from self._channels(at)
        yield from self._status(at)
        yield {"Response": "Success", "ActionID": "s-3", "EventList": "start", "Message": "Queue status will follow"}
        for uid, (queue, since) in self.queues.items():
            yield {
                "Event": "QueueEntry",
                "ActionID": "s-3",
                "Queue": queue,
                "Position": "1",
                "Channel": self.channels[uid]["Channel"],
                "Uniqueid": uid,
                "Wait": str(int(at - since)),
            }
        yield {"Event": "QueueStatusComplete", "ActionID": "s-3", "EventList": "Complete"}
        yield {"Response": "Success", "ActionID": "s-4", "EventList": "start", "Message": "Bridge listing will follow"}
        for bridge, (kind, technology) in self.kinds.items():
            yield {
                "Event": "BridgeListItem",
                "ActionID": "s-4",
                "BridgeUniqueid": bridge,
                "BridgeType": kind,
                "BridgeTechnology": technology,
            }
        yield {"Event": "BridgeListComplete", "ActionID": "s-4", "EventList": "Complete"}
        yield {"Response": "Success", "ActionID": "s-5", "EventList": "start", "Message": "Parked calls will follow"}
        for message in self.parked.values():
            yield {**message, "ActionID": "s-5"}
        yield {"Event": "ParkedCallsComplete", "ActionID": "s-5", "EventList": "Complete"}

    def _channels(self, at: float) -> Iterator[Message]:
        yield {"Response": "Success", "ActionID": "s-1", "EventList": "start", "Message": "Channels will follow"}
        for uid, headers in self.channels.items():
            application, data = self.application.get(uid, ("", ""))
            seconds = int(at - self.began[uid])
            yield {
                "Event": "CoreShowChannel",
                "ActionID": "s-1",
                **headers,
                "Application": application,
                "ApplicationData": data,
                "Duration": f"00:{seconds // 60:02}:{seconds % 60:02}",
                "BridgeId": self.bridge.get(uid, ""),
            }
        count = str(len(self.channels))
        yield {"Event": "CoreShowChannelsComplete", "ActionID": "s-1", "EventList": "Complete", "ListItems": count}

    def _status(self, at: float) -> Iterator[Message]:
        yield {"Response": "Success", "ActionID": "s-2", "EventList": "start", "Message": "Channel status will follow"}
        for uid, headers in self.channels.items():
            application, data = self.application.get(uid, ("", ""))
            yield {
                "Event": "Status",
                "Privilege": "Call",
                "ActionID": "s-2",
                **headers,
                "DNID": self.dnid.get(uid, ""),
                "Application": application,
                "Data": data,
                "Seconds": str(int(at - self.began[uid])),
                "BridgeID": self.bridge.get(uid, ""),
            }
        yield {"Event": "StatusComplete", "ActionID": "s-2", "EventList": "Complete", "Items": str(len(self.channels))}
