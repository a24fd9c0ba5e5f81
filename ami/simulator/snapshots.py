"""Answers to the actions that ask what goes on: lists of messages, each list ended by its Complete event."""

from collections.abc import Iterator

from ami.messages import Message, first
from ami.simulator.living import Bridge, Channel, Entry, Member, QueueNow
from ami.simulator.state import PbxState

#: QueueMember's Status for a phone's state.
STATUS = {"NOT_INUSE": "1", "INUSE": "2", "RINGING": "6", "RINGINUSE": "7", "ONHOLD": "8"}


def channels(state: PbxState, now: float) -> list[Message]:
    """CoreShowChannels."""
    return [{"Event": "CoreShowChannel", **_shown(one, now)} for one in state.channels.values()]


def _shown(channel: Channel, now: float) -> Message:
    seconds = int(now - channel.born)
    duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return {
        **channel.headers,
        "Application": channel.application,
        "ApplicationData": channel.data,
        "Duration": duration,
        "BridgeId": channel.bridge,
    }


def status(state: PbxState, now: float, only: str = "") -> list[Message]:
    """Status, of all channels or of one by its name."""
    return [_status(one, now) for one in state.channels.values() if not only or only in (one.name, one.uniqueid)]


def _status(channel: Channel, now: float) -> Message:
    return {
        "Event": "Status",
        "Privilege": "Call",
        **channel.headers,
        "Type": channel.name.partition("/")[0],
        "DNID": channel.dnid if channel.dnid != "s" else "",
        "EffectiveConnectedLineNum": channel.headers["ConnectedLineNum"],
        "EffectiveConnectedLineName": channel.headers["ConnectedLineName"],
        "TimeToHangup": "0",
        "BridgeID": channel.bridge,
        "Application": channel.application,
        "Data": channel.data,
        "Nativeformats": "(alaw)",
        "Readformat": "alaw",
        "Readtrans": "",
        "Writeformat": "alaw",
        "Writetrans": "",
        "Callgroup": "0",
        "Pickupgroup": "0",
        "Seconds": str(int(now - channel.born)),
    }


def queues(state: PbxState, now: float, only: str = "") -> list[Message]:
    """QueueStatus, of all queues or of one."""
    return [
        message
        for queue in state.queues.values()
        if not only or queue.name == only
        for message in _queue(state, queue, now)
    ]


def _queue(state: PbxState, queue: QueueNow, now: float) -> Iterator[Message]:
    yield {
        "Event": "QueueParams",
        "Queue": queue.name,
        "Max": "0",
        "Strategy": queue.strategy,
        "Calls": str(len(queue.waiting)),
        "Holdtime": str(_mean(queue.hold_s)),
        "TalkTime": str(_mean(queue.talk_s)),
        "Completed": str(queue.completed),
        "Abandoned": str(queue.abandoned),
        "ServiceLevel": "0",
        "ServicelevelPerf": "0.0",
        "ServicelevelPerf2": "0.0",
        "Weight": "0",
    }
    for member in queue.members.values():
        yield {"Event": "QueueMember", **member_headers(state, queue, member, event=False)}
    for position, entry in enumerate(queue.waiting, 1):
        yield from _entry(state, queue, entry, position, now)


def _mean(seconds: list[float]) -> int:
    return round(sum(seconds) / len(seconds)) if seconds else 0


def member_headers(state: PbxState, queue: QueueNow, member: Member, *, event: bool = True) -> Message:
    """A member as QueueMemberStatus tells it, or (not `event`) as the list QueueMember does."""
    names = ("MemberName", "Interface") if event else ("Name", "Location")
    message: Message = {
        "Queue": queue.name,
        names[0]: member.name,
        names[1]: member.interface,
        "StateInterface": f"PJSIP/{member.extension}",
        "Membership": member.membership,
        "Penalty": "0",
        "CallsTaken": str(member.taken),
        "LastCall": str(member.last_call),
        "LastPause": str(member.last_pause),
        "LoginTime": str(member.login),
        "InCall": str(int(member.in_call)),
        "Status": STATUS[state.device(member.extension)],
        "Paused": str(int(member.paused)),
        "PausedReason": member.reason,
    }
    if event:
        message["Ringinuse"] = "0"
    return message | {"Wrapuptime": "0"}


def _entry(state: PbxState, queue: QueueNow, entry: Entry, position: int, now: float) -> Iterator[Message]:
    channel = state.channels.get(entry.uniqueid)
    if channel is None:
        return
    said = {key: value.replace("<unknown>", "unknown") for key, value in channel.headers.items()}
    yield {
        "Event": "QueueEntry",
        "Queue": queue.name,
        "Position": str(position),
        "Channel": channel.name,
        "Uniqueid": channel.uniqueid,
        **{key: said[key] for key in ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")},
        "Wait": str(int(now - entry.joined)),
        "Priority": "0",
    }


def bridges(state: PbxState) -> list[Message]:
    """BridgeList."""
    return [{"Event": "BridgeListItem", **bridge_headers(one)} for one in state.bridges.values()]


def bridge_headers(bridge: Bridge) -> dict[str, str]:
    """A bridge with how many are in it now."""
    headers = dict(bridge.headers)
    mode = headers.pop("BridgeVideoSourceMode", "none")
    return {**headers, "BridgeNumChannels": str(len(bridge.inside)), "BridgeVideoSourceMode": mode}


def bridge_info(state: PbxState, ident: str) -> list[Message] | None:
    """BridgeInfo: who is in a bridge; None when there is no such bridge."""
    bridge = state.bridges.get(ident)
    if bridge is None:
        return None
    inside = [state.channels[one] for one in bridge.inside if one in state.channels]
    return [{"Event": "BridgeInfoChannel", **one.headers} for one in inside]


def parked(state: PbxState, now: float) -> list[Message]:
    """ParkedCalls."""
    return [
        {
            **{key: value for key, value in told.items() if key != "Privilege"},
            "Event": "ParkedCall",
            "ParkingDuration": str(int(now - state.parked_at[uniqueid])),
            "ParkingTimeout": str(
                max(0, int(first(told, "ParkingTimeout", "0")) - int(now - state.parked_at[uniqueid]))
            ),
        }
        for uniqueid, told in state.parked.items()
    ]
