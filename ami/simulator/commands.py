"""What clients make the simulated PBX do: click to call, hang up, send on, change a queue's members."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ami.messages import Message, first
from ami.simulator.living import Channel, Member
from ami.simulator.play import Play
from ami.simulator.snapshots import bridge_headers, member_headers
from ami.simulator.story import Person
from ami.simulator.trace import Step, Token, Trace, load

if TYPE_CHECKING:
    from ami.simulator.pbx import DemoPbx

_DEFAULT_TIMEOUT_MS = 30_000


class Commands:
    """Carries out for one PBX what Answers has accepted."""

    def __init__(self, pbx: "DemoPbx") -> None:
        self._pbx = pbx
        self._state = pbx.stage.state

    # ---- click to call -------------------------------------------------------------------------
    async def originate(self, message: Message) -> None:
        """Ring the operator when he is free, then the number; tells OriginateResponse either way."""
        extension = first(message, "channel").partition("/")[2].partition("@")[0]
        casting = self._pbx.casting
        if extension not in {one.extension for one in self._pbx.story.operators}:
            self._refused(message, "0")
            return
        casting.reserved.add(extension)
        try:
            async with asyncio.timeout(int(first(message, "timeout") or _DEFAULT_TIMEOUT_MS) / 1000):
                while extension in casting.busy:
                    self._pbx.free_again.clear()
                    await self._pbx.free_again.wait()
            if first(message, "application") == "ParkedCall":
                casting.busy.add(extension)
                await self._fetch(message, extension)
            else:
                self._ring(message, extension)
        except (TimeoutError, ValueError):
            self._refused(message, "3")
        finally:
            casting.reserved.discard(extension)

    async def _fetch(self, message: Message, extension: str) -> None:
        """Somebody who is parked; the phone is busy until its line is gone."""
        try:
            await self._pbx.parking.fetch(message, extension)
        finally:
            self._pbx.spawn(self._free_when_quiet(extension), "pbx-fetched")

    async def _free_when_quiet(self, extension: str) -> None:
        while self._state.channels_of(extension):  # noqa: ASYNC110 - who hangs it up does not know of us
            await asyncio.sleep(0.2)
        self._pbx.casting.busy.discard(extension)
        self._pbx.free_again.set()

    def _ring(self, message: Message, extension: str) -> None:
        exten = first(message, "exten")
        inside = any(one.extension == exten for one in self._pbx.story.operators)
        trace = load("click_to_call")
        clicked = first(message, "callerid").partition("<")[0].strip().strip('"') or exten
        people = {number: Person(exten) for number in trace.clients}
        extra = {"ActionID": first(message, "actionid"), "Context": first(message, "context") or "internal"}
        if inside:
            self._pbx.casting.busy.add(exten)
        play = self._pbx.perform(trace, dict.fromkeys(trace.operators, extension), people, extra=extra, clicked=clicked)
        if chosen := first(message, "channelid"):
            born = next(step for step in trace.steps if step.event == "Newchannel")
            play.names[_token(born, "Uniqueid")] = chosen
        if inside:
            self._pbx.spawn(self._free_after(play, exten), "pbx-free")

    async def _free_after(self, play: Play, extension: str) -> None:
        await play.over()
        self._pbx.casting.busy.discard(extension)

    def _refused(self, message: Message, reason: str) -> None:
        self._pbx.put(
            {
                "Event": "OriginateResponse",
                "Privilege": "call,all",
                "ActionID": first(message, "actionid"),
                "Response": "Failure",
                "Channel": first(message, "channel"),
                "Context": first(message, "context"),
                "Exten": first(message, "exten"),
                "Reason": reason,
                "Uniqueid": "<unknown>",
                "CallerIDNum": "<unknown>",
                "CallerIDName": "<unknown>",
            }
        )

    # ---- ending a call ---------------------------------------------------------------------------
    def hang_up(self, channel: Channel) -> None:
        """The whole play that the channel belongs to ends here, with the events that this makes."""
        uniqueids = {channel.uniqueid}
        if bridge := self._state.bridges.get(channel.bridge):
            uniqueids |= set(bridge.inside)
        for play in self._pbx.plays:
            if channel.uniqueid in play.uniqueids:
                play.cut()
                uniqueids |= play.uniqueids
        for message in list(self._ending([one for one in self._state.channels.values() if one.uniqueid in uniqueids])):
            self._pbx.put(message)

    def _ending(self, channels: list[Channel]) -> Iterator[Message]:
        for channel in channels:
            yield {"Event": "HangupRequest", "Privilege": "call,all", **channel.headers}
            yield from self._out_of_queue(channel)
        for ident in dict.fromkeys(one.bridge for one in channels if one.bridge):
            bridge = self._state.bridges[ident]
            inside = [one for one in channels if one.bridge == ident]
            for left, channel in enumerate(inside, 1):
                headers = bridge_headers(bridge) | {"BridgeNumChannels": str(len(inside) - left)}
                yield {"Event": "BridgeLeave", "Privilege": "call,all", **headers, **channel.headers}
            if bridge.headers.get("BridgeType") == "basic":
                headers = bridge_headers(bridge) | {"BridgeNumChannels": "0"}
                yield {"Event": "BridgeDestroy", "Privilege": "call,all", **headers}
        for channel in channels:
            cause = {"Cause": "16", "Cause-txt": "Normal Clearing"}
            yield {"Event": "Hangup", "Privilege": "call,all", **channel.headers, **cause}

    def _out_of_queue(self, channel: Channel) -> Iterator[Message]:
        for queue in self._state.queues.values():
            if any(entry.uniqueid == channel.uniqueid for entry in queue.waiting):
                head: Message = {"Privilege": "agent,all", **channel.headers, "Queue": queue.name, "Position": "1"}
                yield {"Event": "QueueCallerAbandon", **head, "OriginalPosition": "1", "HoldTime": "0"}
                yield {"Event": "QueueCallerLeave", **head, "Count": "0"}

    # ---- sending on --------------------------------------------------------------------------------
    def send_on(self, channel: Channel, exten: str, *, transfer: bool) -> bool:
        """From here on the call goes as a recorded blind transfer did, or (not `transfer`) as a Redirect does.

        Only a plain talk of two can be sent on, and only to an operator who is free.
        """
        bridge = self._state.bridges.get(channel.bridge)
        inside = [self._state.channels[one] for one in bridge.inside] if bridge else []
        peer = next((one for one in inside if one is not channel), None)
        known = exten in {one.extension for one in self._pbx.story.operators}
        if peer is None or len(inside) != 2 or exten in self._pbx.casting.busy or not known:
            return False
        goes, stays = (peer, channel) if transfer else (channel, peer)
        if "Local/" in goes.name or stays.extension not in {one.extension for one in self._pbx.story.operators}:
            return False
        tail = _tail(transfer=transfer)
        play = next((one for one in self._pbx.plays if channel.uniqueid in one.uniqueids), None)
        if play is not None:
            play.cut()
        new = self._pbx.perform(tail, {"101": stays.extension, "102": exten}, {})
        new.uniqueids |= {goes.uniqueid, stays.uniqueid}
        self._seed(new, goes, stays)
        return True

    def _seed(self, play: Play, goes: Channel, stays: Channel) -> None:
        """Let the recorded transfer speak of the channels that are there."""
        whole = load("transfer_blind_by_ami")
        step = next(one for one in whole.steps if one.event == "BlindTransfer")
        for role, channel in (("Transferee", goes), ("Transferer", stays)):
            play.names[_token(step, f"{role}Channel")] = channel.name
            play.names[_token(step, f"{role}Uniqueid")] = channel.uniqueid
            play.names[_token(step, f"{role}Linkedid")] = channel.headers["Linkedid"]
        play.names[_token(step, "BridgeUniqueid")] = goes.bridge
        number = _token(step, "TransfereeCallerIDNum")
        play.names[number] = goes.headers["CallerIDNum"]
        play.names[Token("said", number.key)] = goes.headers["CallerIDName"]
        play.names[_token(step, "TransfereeExten")] = goes.dnid
        file = goes.variables.get("MIXMONITOR_FILENAME", "").partition("/monitor/")[2]
        for token in {one for each in whole.steps for _, ps in each.headers for one in ps if isinstance(one, Token)}:
            if token.kind == "file":
                play.names[token] = file

    # ---- queues --------------------------------------------------------------------------------------
    def change_member(self, queue: str, interface: str, what: str, more: Message) -> None:
        """QueueMemberAdded, QueueMemberRemoved or QueueMemberPause."""
        place = self._state.queues[queue]
        member = place.members.get(interface) or self._newcomer(interface, more)
        headers = member_headers(self._state, place, member)
        head: Message = {"Event": f"QueueMember{what}", "Privilege": "agent,all"}
        self._pbx.put(head | headers | more)

    def _newcomer(self, interface: str, more: Message) -> Member:
        phone = first(more, "StateInterface", interface).partition("/")[2].partition("@")[0]
        name = first(more, "MemberName", interface)
        return Member(phone, interface, name, membership="dynamic", login=int(self._pbx.now()))


def _token(step: Step, header: str) -> Token:
    token = dict(step.headers)[header][0]
    if not isinstance(token, Token):
        raise TypeError(f"{header} of {step.event} is no token")
    return token


def _tail(*, transfer: bool) -> Trace:
    """What follows a blind transfer; of a Redirect no event tells, only what it does."""
    whole = load("transfer_blind_by_ami")
    at = next(n for n, step in enumerate(whole.steps) if step.event == "BlindTransfer")
    steps = whole.steps[at if transfer else at + 1 :]
    began = steps[0].at
    name = "sent_on" if transfer else "redirected"
    moved = tuple(replace(step, at=step.at - began) for step in steps)
    return replace(whole, name=name, steps=moved, epoch=whole.epoch + int(began), seconds=moved[-1].at)
