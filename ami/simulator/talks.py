"""What can be heard in a call's recording: who talks with the outside for how long, and when it is on hold.

A recording runs only while its channel is bridged, holding and parking included; one that never was
bridged leaves a file without sound.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ami.messages import Message, first
from ami.simulator.living import Channel
from ami.simulator.names import MONITOR_FOLDER
from ami.simulator.state import PbxState


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of a recording; `who` is the extension (or outside number) that talks or has put on hold."""

    kind: Literal["talk", "hold"]
    who: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Recording:
    """A finished recording: the file as the PBX names it below its folder, and what is heard, in order.

    `outside` is the number on the outside, `outward` whether an operator called it; `began` the moment at
    which the channel was born.
    """

    file: str
    outside: str
    outward: bool
    began: float
    heard: tuple[Heard, ...] = ()


@dataclass
class _Running:
    file: str
    uniqueid: str
    began: float
    outward: bool
    outside: str = ""
    heard: list[Heard] = field(default_factory=list)
    now: tuple[Literal["talk", "hold"], str] | None = None
    since: float = 0.0


class Recorder:
    """Follows every recorded channel and calls `finished` when it is gone."""

    def __init__(self, state: PbxState, finished: Callable[[Recording], None]) -> None:
        self._state = state
        self._finished = finished
        self._running: dict[str, _Running] = {}

    def follow(self, message: Message, now: float) -> None:
        """An event was played (and the state has it)."""
        event = first(message, "Event")
        if event == "VarSet" and message.get("Variable") == "MIXMONITOR_FILENAME":
            self._begin(first(message, "Uniqueid"), first(message, "Value"))
        if event == "Hangup":
            self._end(first(message, "Uniqueid"), now)
        elif event in ("BridgeEnter", "BridgeLeave", "BridgeDestroy", "Hold", "Unhold", "ParkedCall", "UnParkedCall"):
            for one in self._running.values():
                self._turn(one, now)

    def finish(self, now: float) -> None:
        """The PBX stops: every recording that runs is over."""
        for uniqueid in list(self._running):
            self._end(uniqueid, now)

    def _begin(self, uniqueid: str, file: str) -> None:
        channel = self._state.channels.get(uniqueid)
        if channel is not None:
            outward = channel.extension != "trunk"
            outside = "" if outward else channel.headers["CallerIDNum"]
            name = file.removeprefix(f"{MONITOR_FOLDER}/")
            self._running[uniqueid] = _Running(name, uniqueid, channel.born, outward, outside)

    def _end(self, uniqueid: str, now: float) -> None:
        one = self._running.pop(uniqueid, None)
        if one is not None:
            self._turn(one, now, over=True)
            self._finished(Recording(one.file, one.outside, one.outward, one.began, tuple(one.heard)))

    def _turn(self, one: _Running, now: float, *, over: bool = False) -> None:
        """Close the stretch that runs when another begins."""
        next_ = None if over else self._hears(one)
        if next_ == one.now:
            return
        if one.now is not None and now > one.since:
            one.heard.append(Heard(*one.now, now - one.since))
        one.now, one.since = next_, now

    def _hears(self, one: _Running) -> tuple[Literal["talk", "hold"], str] | None:
        channel = self._state.channels.get(one.uniqueid)
        if channel is None or not channel.bridge:
            return None
        others = self._others(channel)
        if one.outward:
            one.outside = one.outside or next((who for who in map(_who, others) if who != channel.extension), "")
            return ("hold" if channel.held else "talk", channel.extension) if others else None
        if not others:
            parked = channel.bridge in self._state.bridges and channel.uniqueid in self._state.parked
            return ("hold", one.heard[-1].who if one.heard else "") if parked else None
        held = any(other.held for other in others)
        return ("hold" if held else "talk", _who(others[0]))

    def _others(self, channel: Channel) -> list[Channel]:
        """The channels at the other end, looking through pairs of Local channels."""
        bridge = self._state.bridges.get(channel.bridge)
        inside = [self._state.channels[one] for one in bridge.inside if one in self._state.channels] if bridge else []
        if bridge and bridge.headers.get("BridgeType") == "parking":
            return []
        found: list[Channel] = []
        for other in inside:
            if other.uniqueid == channel.uniqueid:
                continue
            found.extend(self._beyond(other) if other.name.startswith("Local/") else [other])
        return found

    def _beyond(self, local: Channel) -> list[Channel]:
        half = local.name[:-1] + ("2" if local.name.endswith("1") else "1")
        twin = next((one for one in self._state.channels.values() if one.name == half), None)
        return self._others(twin) if twin is not None and twin.bridge else []


def _who(channel: Channel) -> str:
    return channel.headers["CallerIDNum"] if channel.extension == "trunk" else channel.extension
