"""Parking a caller who is in a talk, and giving him back: in the words of a recorded parking, for any call."""

import asyncio
import uuid
from typing import TYPE_CHECKING

from ami.messages import Message, first
from ami.simulator.living import Bridge, Channel
from ami.simulator.snapshots import bridge_headers

if TYPE_CHECKING:
    from ami.simulator.pbx import DemoPbx

#: Seconds a phone rings before somebody lifts it, and after which nobody fetched a caller: he hangs up.
_LIFTS_S, _GIVES_UP_S = 1.5, 120.0
_NO_TALK_YET = {
    "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>",
    "Language": "en",
    "AccountCode": "",
    "Priority": "1",
}


class Parking:
    """One PBX's parked callers."""

    def __init__(self, pbx: "DemoPbx") -> None:
        self._pbx = pbx
        self._state = pbx.stage.state

    def park(self, channel: Channel, message: Message) -> bool:
        """Park this caller; whom he talked with is hung up. False when he is in no talk of two."""
        talk = self._state.bridges.get(channel.bridge)
        others = [self._state.channels[one] for one in talk.inside if one != channel.uniqueid] if talk else []
        if talk is None or len(others) != 1 or talk.headers.get("BridgeType") == "parking":
            return False
        for play in self._pbx.plays:
            if channel.uniqueid in play.uniqueids:
                play.cut()
        seconds = int(first(message, "timeout") or "45000") // 1000
        told = {
            **_prefixed("Parkee", channel),
            "ParkerDialString": first(message, "timeoutchannel"),
            "Parkinglot": first(message, "parkinglot") or "default",
            "ParkingSpace": self._pbx.counters.next_space(),
            "ParkingTimeout": str(seconds),
            "ParkingDuration": "0",
        }
        self._put("ParkedCall", told)
        self._leave(channel, talk)
        self._enter(channel, self._bridge("parking", self._pbx.counters.parking))
        self._leave(others[0], talk)
        self._hang_up(others[0])
        self._put("BridgeDestroy", bridge_headers(talk))
        self._pbx.casting.busy.discard(others[0].extension)
        self._pbx.free_again.set()
        self._pbx.spawn(self._given_up(channel.uniqueid), "pbx-parked")
        return True

    async def _given_up(self, uniqueid: str) -> None:
        await asyncio.sleep(_GIVES_UP_S / self._pbx.speed)
        told, channel = self._state.parked.get(uniqueid), self._state.channels.get(uniqueid)
        if told is not None and channel is not None:
            self._put("ParkedCallGiveUp", told)
            self._out(channel)
            self._pbx.counters.spaces.discard(first(told, "ParkingSpace"))

    async def fetch(self, message: Message, extension: str) -> bool:
        """Ring the phone, and give it whom is parked at the space; False when nobody is there (any more)."""
        space = first(message, "data").partition(",")[2]
        retriever = self._ring(message, extension)
        await asyncio.sleep(_LIFTS_S / self._pbx.speed)
        self._state_of(retriever, "6", "Up")
        self._answer(message, retriever)
        told = next((one for one in self._state.parked.values() if first(one, "ParkingSpace") == space), None)
        parkee = self._state.channels.get(first(told, "ParkeeUniqueid")) if told else None
        if told is None or parkee is None:
            self._hang_up(retriever)
            return False
        self._put("UnParkedCall", {**told, **_prefixed("Retriever", retriever), "ParkingTimeout": "0"})
        self._leave(parkee, self._state.bridges[parkee.bridge])
        talk = self._bridge("basic", str(uuid.UUID(int=self._pbx.dice.getrandbits(128), version=4)))
        self._enter(parkee, talk)
        self._enter(retriever, talk)
        self._pbx.counters.spaces.discard(space)
        return True

    def _ring(self, message: Message, extension: str) -> Channel:
        now = self._pbx.now()
        uniqueid = self._pbx.counters.next_uniqueid(now)
        number = first(message, "callerid").partition("<")[2].rstrip(">") or extension
        headers = {
            "Channel": f"PJSIP/{extension}-{self._pbx.counters.next_channel()}",
            "ChannelState": "0",
            "ChannelStateDesc": "Down",
            "CallerIDNum": number,
            "CallerIDName": number,
            **_NO_TALK_YET,
            "Context": "internal",
            "Exten": "",
            "Uniqueid": uniqueid,
            "Linkedid": uniqueid,
        }
        self._put("Newchannel", headers)
        channel = self._state.channels[uniqueid]
        self._put("DialBegin", {**{f"Dest{key}": value for key, value in headers.items()}, "DialString": extension})
        self._state_of(channel, "5", "Ringing")
        return channel

    def _answer(self, message: Message, channel: Channel) -> None:
        self._put(
            "OriginateResponse",
            {
                "ActionID": first(message, "actionid"),
                "Response": "Success",
                "Channel": channel.name,
                "Context": "",
                "Exten": "",
                "Reason": "4",
                "Uniqueid": channel.uniqueid,
                "CallerIDNum": channel.headers["CallerIDNum"],
                "CallerIDName": channel.headers["CallerIDName"],
            },
        )
        ended = {f"Dest{key}": value for key, value in channel.headers.items()}
        self._put("DialEnd", {**ended, "DialStatus": "ANSWER"})

    # ---- what is told ------------------------------------------------------------------------------
    def _put(self, event: str, headers: Message | dict[str, str]) -> None:
        head: Message = {"Event": event, "Privilege": "call,all"}
        self._pbx.put(head | {key: value for key, value in headers.items() if key not in head})

    def _bridge(self, kind: str, ident: str) -> Bridge:
        technology = "holding_bridge" if kind == "parking" else "simple_bridge"
        headers = {"BridgeUniqueid": ident, "BridgeType": kind, "BridgeTechnology": technology}
        headers |= {"BridgeCreator": "<unknown>", "BridgeName": "<unknown>", "BridgeVideoSourceMode": "none"}
        if ident not in self._state.bridges:
            self._put("BridgeCreate", {**headers, "BridgeNumChannels": "0"})
        return self._state.bridges[ident]

    def _enter(self, channel: Channel, bridge: Bridge) -> None:
        inside = {**bridge_headers(bridge), "BridgeNumChannels": str(len(bridge.inside) + 1)}
        self._put("BridgeEnter", {**inside, **channel.headers})

    def _leave(self, channel: Channel, bridge: Bridge) -> None:
        inside = {**bridge_headers(bridge), "BridgeNumChannels": str(len(bridge.inside) - 1)}
        self._put("BridgeLeave", {**inside, **channel.headers})

    def _state_of(self, channel: Channel, state: str, words: str) -> None:
        self._put("Newstate", {**channel.headers, "ChannelState": state, "ChannelStateDesc": words})

    def _out(self, channel: Channel) -> None:
        if bridge := self._state.bridges.get(channel.bridge):
            self._leave(channel, bridge)
        self._hang_up(channel)

    def _hang_up(self, channel: Channel) -> None:
        self._put("Hangup", {**channel.headers, "Cause": "16", "Cause-txt": "Normal Clearing"})


def _prefixed(role: str, channel: Channel) -> dict[str, str]:
    """A channel's headers as an event with several channels bears them."""
    return {f"{role}{key}": value for key, value in channel.headers.items()}
