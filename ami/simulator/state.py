"""What goes on in the simulated PBX at this moment: channels, bridges, callers in queues, parked calls.

It follows the events that are sent, so that a snapshot taken at any moment tells what was played.
"""

from collections.abc import Iterator

from ami.messages import Message, first
from ami.simulator.living import Bridge, Channel, Entry, Member, QueueNow
from ami.simulator.story import Story

_KEPT = [
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
]


class PbxState:
    """All of it. `apply` takes an event in; unknown events and unknown channels change nothing."""

    def __init__(self, story: Story, started: float) -> None:
        self.started = started
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.queues: dict[str, QueueNow] = {}
        self.parked: dict[str, Message] = {}
        self.parked_at: dict[str, float] = {}
        self.served: dict[str, Entry] = {}
        for queue in story.queues:
            now = self.queues[queue.name] = QueueNow(queue.name, queue.strategy)
            for extension in queue.members:
                interface = queue.interface(extension)
                now.members[interface] = Member(extension, interface, story.name_of(extension), login=int(started))

    def apply(self, message: Message, now: float) -> None:
        """Take an event in."""
        event = first(message, "Event")
        if event == "Newchannel":
            self._born(message, now)
        self._keep(message, "")
        self._keep(message, "Dest")
        follow = getattr(self, f"_on_{event.lower()}", None)
        if follow is not None:
            follow(message, now)

    def channels_of(self, extension: str) -> list[Channel]:
        """The channels of a phone."""
        return [one for one in self.channels.values() if one.name.startswith(f"PJSIP/{extension}-")]

    def device(self, extension: str) -> str:
        """The state of a phone in Asterisk's words."""
        states = {one.headers["ChannelState"] for one in self.channels_of(extension)}
        if any(one.held for one in self.channels_of(extension)):
            return "ONHOLD" if states == {"6"} else "INUSE"
        if "6" in states or "4" in states:
            return "RINGINUSE" if "5" in states else "INUSE"
        return "RINGING" if "5" in states else "NOT_INUSE"

    def members_of(self, extension: str) -> Iterator[tuple[QueueNow, Member]]:
        """The places that an operator has in queues."""
        for queue in self.queues.values():
            for member in queue.members.values():
                if member.extension == extension:
                    yield queue, member

    def waiting(self, queue: str) -> list[Entry]:
        """Who waits in a queue; empty for an unknown one."""
        return self.queues[queue].waiting if queue in self.queues else []

    def _born(self, message: Message, now: float) -> None:
        headers = {key: first(message, key) for key in _KEPT}
        self.channels[headers["Uniqueid"]] = Channel(headers, now, dnid=headers["Exten"])

    def _keep(self, message: Message, prefix: str) -> None:
        channel = self.channels.get(first(message, f"{prefix}Uniqueid"))
        if channel is None or f"{prefix}ChannelState" not in message:
            return
        for key in _KEPT:
            if f"{prefix}{key}" in message:
                channel.headers[key] = first(message, f"{prefix}{key}")

    def _on_newexten(self, message: Message, now: float) -> None:
        del now
        if channel := self.channels.get(first(message, "Uniqueid")):
            channel.application, channel.data = first(message, "Application"), first(message, "AppData")

    def _on_varset(self, message: Message, now: float) -> None:
        del now
        if channel := self.channels.get(first(message, "Uniqueid")):
            channel.variables[first(message, "Variable")] = first(message, "Value")

    def _on_dialbegin(self, message: Message, now: float) -> None:
        if channel := self.channels.get(first(message, "DestUniqueid")):
            channel.dialled = now

    def _on_hold(self, message: Message, now: float) -> None:
        del now
        if channel := self.channels.get(first(message, "Uniqueid")):
            channel.held = message["Event"] == "Hold"

    _on_unhold = _on_hold

    def _on_bridgecreate(self, message: Message, now: float) -> None:
        del now
        self._bridge(message)

    def _bridge(self, message: Message) -> Bridge:
        ident = first(message, "BridgeUniqueid")
        headers = {
            key: first(message, key) for key in message if key.startswith("Bridge") and key != "BridgeNumChannels"
        }
        return self.bridges.setdefault(ident, Bridge(headers))

    def _on_bridgeenter(self, message: Message, now: float) -> None:
        del now
        bridge = self._bridge(message)
        uniqueid, swapped = first(message, "Uniqueid"), first(message, "SwapUniqueid")
        for one in (uniqueid, swapped):
            self._out_of_bridge(one)
        if channel := self.channels.get(uniqueid):
            channel.bridge = first(message, "BridgeUniqueid")
            bridge.inside.append(uniqueid)
        self._link(bridge)

    def _link(self, bridge: Bridge) -> None:
        """Those in a bridge adopt the oldest Linkedid among them, as Asterisk does, silently."""
        inside = [self.channels[one] for one in bridge.inside if one in self.channels]
        if bridge.headers.get("BridgeType") == "basic" and len(inside) > 1:
            oldest = min((one.headers["Linkedid"] for one in inside), key=_age)
            for one in inside:
                one.headers["Linkedid"] = oldest

    def _on_bridgeleave(self, message: Message, now: float) -> None:
        del now
        channel = self.channels.get(first(message, "Uniqueid"))
        if channel is not None and channel.bridge == first(message, "BridgeUniqueid"):
            self._out_of_bridge(channel.uniqueid)

    def _out_of_bridge(self, uniqueid: str) -> None:
        channel = self.channels.get(uniqueid)
        if channel is None or not channel.bridge:
            return
        inside = self.bridges[channel.bridge].inside if channel.bridge in self.bridges else []
        if uniqueid in inside:
            inside.remove(uniqueid)
        channel.bridge = ""

    def _on_bridgedestroy(self, message: Message, now: float) -> None:
        del now
        bridge = self.bridges.get(first(message, "BridgeUniqueid"))
        if bridge is not None:
            for uniqueid in list(bridge.inside):
                self._out_of_bridge(uniqueid)
            del self.bridges[first(message, "BridgeUniqueid")]

    def _on_hangup(self, message: Message, now: float) -> None:
        del now
        uniqueid = first(message, "Uniqueid")
        self._out_of_bridge(uniqueid)
        self.channels.pop(uniqueid, None)
        self.served.pop(uniqueid, None)
        self._unpark(uniqueid)
        for queue in self.queues.values():
            queue.waiting = [one for one in queue.waiting if one.uniqueid != uniqueid]

    def _on_queuecallerjoin(self, message: Message, now: float) -> None:
        queue = self.queues.setdefault(first(message, "Queue"), QueueNow(first(message, "Queue"), "ringall"))
        queue.waiting.append(Entry(first(message, "Uniqueid"), now))

    def _on_queuecallerleave(self, message: Message, now: float) -> None:
        del now
        queue = self.queues.get(first(message, "Queue"))
        for entry in self.waiting(first(message, "Queue")):
            if queue and entry.uniqueid == first(message, "Uniqueid"):
                queue.waiting.remove(entry)
                self.served[entry.uniqueid] = entry
                return

    def _on_queuecallerabandon(self, message: Message, now: float) -> None:
        del now
        if queue := self.queues.get(first(message, "Queue")):
            queue.abandoned += 1

    def _on_agentconnect(self, message: Message, now: float) -> None:
        queue, entry = self.queues.get(first(message, "Queue")), self.served.get(first(message, "Uniqueid"))
        if queue and (member := queue.members.get(first(message, "Interface"))):
            member.in_call = True
        if queue and entry:
            entry.connected = now
            queue.hold_s.append(now - entry.joined)

    def _on_agentcomplete(self, message: Message, now: float) -> None:
        queue, entry = self.queues.get(first(message, "Queue")), self.served.get(first(message, "Uniqueid"))
        if queue and (member := queue.members.get(first(message, "Interface"))):
            member.in_call, member.taken, member.last_call = False, member.taken + 1, int(now)
        if queue:
            queue.completed += 1
            queue.talk_s.append(now - entry.connected if entry and entry.connected else 0.0)

    def _on_queuememberadded(self, message: Message, now: float) -> None:
        interface = first(message, "Interface")
        phone = (first(message, "StateInterface") or interface).partition("/")[2].partition("@")[0]
        if queue := self.queues.get(first(message, "Queue")):
            queue.members[interface] = Member(
                phone, interface, first(message, "MemberName"), membership="dynamic", login=int(now)
            )

    def _on_queuememberremoved(self, message: Message, now: float) -> None:
        del now
        if queue := self.queues.get(first(message, "Queue")):
            queue.members.pop(first(message, "Interface"), None)

    def _on_queuememberpause(self, message: Message, now: float) -> None:
        queue = self.queues.get(first(message, "Queue"))
        if queue and (member := queue.members.get(first(message, "Interface"))):
            member.paused, member.reason = first(message, "Paused") == "1", first(message, "PausedReason")
            member.last_pause = int(now)

    def _on_parkedcall(self, message: Message, now: float) -> None:
        uniqueid = first(message, "ParkeeUniqueid")
        self.parked[uniqueid], self.parked_at[uniqueid] = message, now

    def _on_unparkedcall(self, message: Message, now: float) -> None:
        del now
        self._unpark(first(message, "ParkeeUniqueid"))

    _on_parkedcalltimeout = _on_parkedcallgiveup = _on_unparkedcall

    def _unpark(self, uniqueid: str) -> None:
        self.parked.pop(uniqueid, None)
        self.parked_at.pop(uniqueid, None)


def _age(linkedid: str) -> tuple[int, int]:
    epoch, _, count = linkedid.partition(".")
    return (int(epoch), int(count)) if epoch.isdigit() and count.isdigit() else (1 << 62, 0)
