"""What the simulated PBX answers to each action: in Asterisk's words, and truly about what is played."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ami.messages import Message, first
from ami.simulator import snapshots
from ami.simulator.living import Channel

if TYPE_CHECKING:
    from ami.simulator.pbx import DemoPbx
    from ami.simulator.session import Session

Answer = Callable[["Session", Message], list[Message]]

#: Action → the classes of which the user must write one (none: everybody may), and what it does.
ACTIONS: dict[str, tuple[str, str]] = {
    "BlindTransfer": ("call", "Blind transfer channel(s) to the given destination"),
    "BridgeInfo": ("", "Get information about a bridge."),
    "BridgeList": ("", "Get a list of bridges in the system."),
    "CoreSettings": ("system,reporting", "Show PBX core settings (version etc)."),
    "CoreShowChannels": ("system,reporting", "List currently active channels."),
    "CoreStatus": ("system,reporting", "Show PBX core status variables."),
    "Events": ("", "Control Event Flow."),
    "Getvar": ("call,reporting", "Gets a channel variable or function value."),
    "Hangup": ("system,call", "Hangup channel."),
    "ListCommands": ("", "List available manager commands."),
    "Login": ("", "Login Manager."),
    "Logoff": ("", "Logoff Manager."),
    "MixMonitorMute": ("system,call", "Mute / unMute a Mixmonitor recording."),
    "Originate": ("originate", "Originate a call."),
    "Park": ("call", "Park a channel."),
    "ParkedCalls": ("", "List parked calls."),
    "Ping": ("", "Keepalive command."),
    "QueueAdd": ("agent", "Add interface to queue."),
    "QueuePause": ("agent", "Makes a queue member temporarily unavailable."),
    "QueueRemove": ("agent", "Remove interface from queue."),
    "QueueStatus": ("", "Show queue status."),
    "Redirect": ("call", "Redirect (transfer) a call."),
    "Setvar": ("call", "Sets a channel variable or function value."),
    "Status": ("system,call,reporting", "List channel status."),
}
_BY_NAME = {name.lower(): name for name in ACTIONS}


def _error(words: str) -> list[Message]:
    return [{"Response": "Error", "Message": words}]


def _success(words: str) -> list[Message]:
    return [{"Response": "Success", "Message": words}]


def _list(words: str, items: list[Message], complete: str) -> list[Message]:
    start: Message = {"Response": "Success", "EventList": "start", "Message": words}
    return [start, *items, {"Event": complete, "EventList": "Complete", "ListItems": str(len(items))}]


def _may(session: "Session", needed: str) -> bool:
    """Whether the user writes one of the classes that an action needs."""
    allowed = session.user.write if session.user else frozenset()
    return not needed or not allowed.isdisjoint([*needed.split(","), "all"])


class Answers:
    """Answers actions for one PBX."""

    def __init__(self, pbx: "DemoPbx") -> None:
        self._pbx = pbx
        self._state = pbx.stage.state

    def to(self, session: "Session", kind: str, message: Message) -> list[Message]:
        """The answer to an action (its headers' names in small letters)."""
        if kind not in _BY_NAME:
            return _error(
                f"Invalid/unknown command: {first(message, 'action')}. "
                "Use Action: ListCommands to show available commands."
            )
        if not _may(session, ACTIONS[_BY_NAME[kind]][0]):
            return _error("Permission denied")
        answer: Answer = getattr(self, f"_{kind}")
        return answer(session, message)

    def _ping(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        return [{"Response": "Success", "Ping": "Pong", "Timestamp": f"{self._pbx.now():.6f}"}]

    def _events(self, session: "Session", message: Message) -> list[Message]:
        session.events = first(message, "eventmask").lower() not in ("off", "false", "0", "no", "")
        return [{"Response": "Success", "Events": "On" if session.events else "Off"}]

    def _listcommands(self, session: "Session", message: Message) -> list[Message]:
        del message
        told = {
            name: f"{what}  (Priv: {needed or '<none>'})"
            for name, (needed, what) in ACTIONS.items()
            if _may(session, needed)
        }
        return [{"Response": "Success", **told}]

    def _coresettings(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        return [
            {
                "Response": "Success",
                "AMIversion": self._pbx.ami_version,
                "AsteriskVersion": self._pbx.version,
                "SystemName": "",
                "CoreMaxCalls": "0",
                "CoreMaxLoadAvg": "0.000000",
                "CoreRunUser": "",
                "CoreRunGroup": "",
                "CoreMaxFilehandles": "0",
                "CoreRealTimeEnabled": "No",
                "CoreCDRenabled": "Yes",
                "CoreHTTPenabled": "No",
            }
        ]

    def _corestatus(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        started = datetime.fromtimestamp(self._state.started, UTC)
        told = {"Date": f"{started:%Y-%m-%d}", "Time": f"{started:%H:%M:%S}"}
        return [
            {
                "Response": "Success",
                **{f"CoreStartup{key}": value for key, value in told.items()},
                **{f"CoreReload{key}": value for key, value in told.items()},
                "CoreCurrentCalls": str(len(self._state.channels)),
            }
        ]

    def _coreshowchannels(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        items = snapshots.channels(self._state, self._pbx.now())
        return _list("Channels will follow", items, "CoreShowChannelsComplete")

    def _status(self, session: "Session", message: Message) -> list[Message]:
        del session
        only = first(message, "channel")
        items = snapshots.status(self._state, self._pbx.now(), only)
        if only and not items:
            return _error("No such channel")
        answer = _list("Channel status will follow", items, "StatusComplete")
        answer[-1]["Items"] = str(len(items))
        return answer

    def _queuestatus(self, session: "Session", message: Message) -> list[Message]:
        del session
        items = snapshots.queues(self._state, self._pbx.now(), first(message, "queue"))
        return _list("Queue status will follow", items, "QueueStatusComplete")

    def _bridgelist(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        return _list("Bridge listing will follow", snapshots.bridges(self._state), "BridgeListComplete")

    def _bridgeinfo(self, session: "Session", message: Message) -> list[Message]:
        del session
        ident = first(message, "bridgeuniqueid")
        items = snapshots.bridge_info(self._state, ident)
        if items is None:
            return _error("Bridge not found")
        answer = _list("Bridge channel listing will follow", items, "BridgeInfoComplete")
        answer[-1].update(snapshots.bridge_headers(self._state.bridges[ident]))
        return answer

    def _parkedcalls(self, session: "Session", message: Message) -> list[Message]:
        del session, message
        items = snapshots.parked(self._state, self._pbx.now())
        return _list("Parked calls will follow", items, "ParkedCallsComplete")

    def _channel(self, message: Message, key: str = "channel") -> Channel | None:
        name = first(message, key)
        return next((one for one in self._state.channels.values() if name in (one.name, one.uniqueid)), None)

    def _getvar(self, session: "Session", message: Message) -> list[Message]:
        del session
        variable, channel = first(message, "variable"), self._channel(message)
        if not variable:
            return _error("No variable specified")
        if channel is None:
            return _error("No such channel")
        return [{"Response": "Success", "Variable": variable, "Value": channel.variables.get(variable, "")}]

    def _setvar(self, session: "Session", message: Message) -> list[Message]:
        del session
        channel = self._channel(message)
        if channel is None:
            return _error("No such channel")
        channel.variables[first(message, "variable")] = first(message, "value")
        return _success("Variable Set")

    def _mixmonitormute(self, session: "Session", message: Message) -> list[Message]:
        del session
        if self._channel(message) is None:
            return _error("Could not mute mixmonitor on channel: No such channel")
        return _success("MixMonitor muted" if first(message, "state") == "1" else "MixMonitor unmuted")

    def _originate(self, session: "Session", message: Message) -> list[Message]:
        if "/" not in first(message, "channel"):
            return _error("Channel not specified")
        if not first(message, "exten") and not first(message, "application"):
            return _error("Originate with 'Exten' requires 'Context' and 'Priority'")
        del session
        self._pbx.originate(message)
        return _success("Originate successfully queued")

    def _hangup(self, session: "Session", message: Message) -> list[Message]:
        del session
        channel = self._channel(message)
        if channel is None:
            return _error("No such channel")
        self._pbx.hang_up(channel)
        return _success("Channel Hungup")

    def _redirect(self, session: "Session", message: Message) -> list[Message]:
        del session
        channel = self._channel(message)
        if channel is None:
            return _error("Channel does not exist")
        if not self._pbx.send_on(channel, first(message, "exten"), transfer=False):
            return _error("Redirect failed")
        return _success("Redirect successful")

    def _blindtransfer(self, session: "Session", message: Message) -> list[Message]:
        del session
        channel = self._channel(message)
        if channel is None:
            return _error("Channel not found")
        if not self._pbx.send_on(channel, first(message, "exten"), transfer=True):
            return _error("Transfer failed")
        return _success("Transfer succeeded")

    def _park(self, session: "Session", message: Message) -> list[Message]:
        del session
        channel = self._channel(message)
        if channel is None:
            return _error("Channel does not exist")
        if not self._pbx.park(channel, message):
            return _error("Park failed")
        return _success("Park successful")

    def _queuepause(self, session: "Session", message: Message) -> list[Message]:
        del session
        paused = first(message, "paused").lower() in ("true", "1", "yes", "on")
        interface, only = first(message, "interface"), first(message, "queue")
        found = [
            queue.name
            for queue in self._state.queues.values()
            if interface in queue.members and (not only or only == queue.name)
        ]
        if not found:
            return _error("Interface not found")
        for queue in found:
            self._pbx.change_member(
                queue, interface, "Pause", {"Paused": str(int(paused)), "PausedReason": first(message, "reason")}
            )
        return _success(f"Interface {'paused' if paused else 'unpaused'} successfully")

    def _queueadd(self, session: "Session", message: Message) -> list[Message]:
        del session
        queue, interface = first(message, "queue"), first(message, "interface")
        if queue not in self._state.queues:
            return _error("Unable to add interface to queue: No such queue")
        if interface in self._state.queues[queue].members:
            return _error("Unable to add interface: Already there")
        more: Message = {
            "MemberName": first(message, "membername") or interface,
            "StateInterface": first(message, "stateinterface") or interface,
        }
        self._pbx.change_member(queue, interface, "Added", more)
        return _success("Added interface to queue")

    def _queueremove(self, session: "Session", message: Message) -> list[Message]:
        del session
        queue, interface = first(message, "queue"), first(message, "interface")
        if queue not in self._state.queues:
            return _error("Unable to remove interface from queue: No such queue")
        if interface not in self._state.queues[queue].members:
            return _error("Unable to remove interface: Not there")
        self._pbx.change_member(queue, interface, "Removed", {})
        return _success("Removed interface from queue")
