"""Where calls are played: corrects the figures that depend on all that goes on, and tells what follows."""

from collections.abc import Callable
from datetime import UTC, datetime

from ami.messages import Message, first
from ami.simulator.living import Entry, Member, QueueNow
from ami.simulator.snapshots import member_headers
from ami.simulator.state import PbxState
from ami.simulator.story import Story
from ami.simulator.talks import Recorder, Recording

_MOVES_A_PHONE = frozenset(("Newchannel", "Newstate", "Hangup", "Hold", "Unhold"))
_MOVES_A_MEMBER = frozenset(("AgentConnect", "AgentComplete"))


class Stage:
    """The state, and what every event does to it.

    `channelvars`: events of class call repeat MIXMONITOR_FILENAME of their channels in ChanVariable, as
    `channelvars=` in manager.conf makes it.
    """

    def __init__(
        self,
        story: Story,
        now: float,
        *,
        channelvars: bool = True,
        on_recording: Callable[[Recording], None] | None = None,
    ) -> None:
        self.state = PbxState(story, now)
        self._channelvars = channelvars
        self._recorder = Recorder(self.state, on_recording or (lambda _: None))
        self._extensions = {one.extension for one in story.operators}
        self._devices: dict[str, str] = {}

    def put(self, message: Message, now: float) -> list[Message]:
        """Play an event; returns it as it is to be sent, and those that follow from it."""
        event = first(message, "Event")
        correct = getattr(self, f"_correct_{event.lower()}", None)
        if correct is not None:
            correct(message, now)
        variables = self._variables(message) if event == "Hangup" else {}
        self.state.apply(message, now)
        self._correct_bridge(message)
        self._recorder.follow(message, now)
        if self._channelvars and "call" in first(message, "Privilege"):
            message.update(variables or self._variables(message))
        return [message, *self._follows(event, message)]

    def finish(self, now: float) -> None:
        """The PBX stops: recordings that run are over, as Asterisk closes its files."""
        self._recorder.finish(now)

    def _variables(self, message: Message) -> Message:
        added: Message = {}
        for prefix in ("", "Dest"):
            channel = self.state.channels.get(first(message, f"{prefix}Uniqueid"))
            if channel is not None and f"{prefix}ChannelState" in message:
                added[f"{prefix}ChanVariable"] = (
                    f"MIXMONITOR_FILENAME={channel.variables.get('MIXMONITOR_FILENAME', '')}"
                )
        return added

    def _follows(self, event: str, message: Message) -> list[Message]:
        if event in _MOVES_A_PHONE:
            return self._phone(first(message, "Channel").partition("/")[2].rpartition("-")[0])
        if event in _MOVES_A_MEMBER:
            queue = self.state.queues.get(first(message, "Queue"))
            member = queue.members.get(first(message, "Interface")) if queue else None
            return [self._member(queue, member)] if queue and member else []
        return []

    def _phone(self, extension: str) -> list[Message]:
        if extension not in self._extensions:
            return []
        device = self.state.device(extension)
        if self._devices.get(extension, "NOT_INUSE") == device:
            return []
        self._devices[extension] = device
        changed: Message = {
            "Event": "DeviceStateChange",
            "Privilege": "call,all",
            "Device": f"PJSIP/{extension}",
            "State": device,
        }
        return [changed, *(self._member(queue, member) for queue, member in self.state.members_of(extension))]

    def _member(self, queue: QueueNow, member: Member) -> Message:
        return {"Event": "QueueMemberStatus", "Privilege": "agent,all", **member_headers(self.state, queue, member)}

    def _correct_bridge(self, message: Message) -> None:
        bridge = self.state.bridges.get(first(message, "BridgeUniqueid"))
        if bridge is not None and message.get("BridgeType") == "parking" and "BridgeNumChannels" in message:
            message["BridgeNumChannels"] = str(len(bridge.inside))

    def _entry(self, message: Message) -> tuple[int, Entry | None]:
        """The caller's position in the queue (from 1) and his entry, also when he has just left it."""
        for position, entry in enumerate(self.state.waiting(first(message, "Queue")), 1):
            if entry.uniqueid == first(message, "Uniqueid"):
                return position, entry
        return 1, self.state.served.get(first(message, "Uniqueid"))

    def _correct_queuecallerjoin(self, message: Message, now: float) -> None:
        del now
        count = len(self.state.waiting(first(message, "Queue"))) + 1
        message["Position"] = message["Count"] = str(count)

    def _correct_queuecallerleave(self, message: Message, now: float) -> None:
        del now
        position, _ = self._entry(message)
        message["Position"] = str(position)
        message["Count"] = str(max(0, len(self.state.waiting(first(message, "Queue"))) - 1))

    def _correct_queuecallerabandon(self, message: Message, now: float) -> None:
        position, entry = self._entry(message)
        message["Position"] = str(position)
        if entry is not None:
            message["HoldTime"] = str(int(now - entry.joined))

    def _correct_agentconnect(self, message: Message, now: float) -> None:
        _, entry = self._entry(message)
        channel = self.state.channels.get(first(message, "DestUniqueid"))
        if entry is not None:
            message["HoldTime"] = str(int(now - entry.joined))
            since = channel.dialled if channel and channel.dialled is not None else entry.joined
            message["RingTime"] = str(int(now - since))

    def _correct_agentcomplete(self, message: Message, now: float) -> None:
        _, entry = self._entry(message)
        if entry is not None and entry.connected is not None:
            message["HoldTime"] = str(int(entry.connected - entry.joined))
            message["TalkTime"] = str(int(now - entry.connected))

    def _correct_agentringnoanswer(self, message: Message, now: float) -> None:
        channel = self.state.channels.get(first(message, "DestUniqueid"))
        if channel is not None and channel.dialled is not None:
            message["RingTime"] = str(int((now - channel.dialled) * 1000))

    def _correct_cdr(self, message: Message, now: float) -> None:
        del now
        start, answer, end = (_seconds(first(message, key)) for key in ("StartTime", "AnswerTime", "EndTime"))
        if start is not None and end is not None:
            message["Duration"] = str(max(0, int(end - start)))
            message["BillableSeconds"] = str(max(0, int(end - answer)) if answer is not None else 0)


def _seconds(value: str) -> float | None:
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
