"""Turns a captured AMI stream into logical calls, with no database and no PBX."""

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ami.capture import read_capture, visible_to
from ami.tracker import Tracker
from callcrm.calls.call import Call, CallLeg, Change, Transfer
from callcrm.calls.model import Calls
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides

#: The pace at which a stream without times is played: order is all that it has.
_STEP = 1e-6


class Replay:
    """One stream through the tracker, the adapter and the call model."""

    def __init__(self, *, pbx: str = "pbx", trunks: str = "", operators: str = "") -> None:
        self.anomalies: list[dict[str, str]] = []
        self._told: Counter[str] = Counter()
        self.sides = Sides(trunks, operators, told=lambda what, side: self._odd("guessed", f"{what} is {side}"))
        self.tracker = Tracker()
        self.adapter = Adapter(self.sides)
        self.calls = Calls(pbx)
        self.found: dict[str, Call] = {}

    def _odd(self, kind: str, detail: str) -> None:
        self.anomalies.append({"kind": kind, "detail": detail})

    def take(self, events: Any, at: float) -> None:
        """Leg events on to the call model."""
        signals = [signal for event in events for signal in self.adapter.hear(event)]
        if signals:
            self._keep(self.calls.steps(signals))
        self._keep(self.calls.tick(at))

    def _keep(self, changes: list[Change]) -> None:
        for change in changes:
            for one in change.was:
                self.found.pop(one, None)
            self.found[change.call.id] = change.call

    def finish(self, at: float, *, closed: bool) -> None:
        """The stream is at its end; `closed`: because the PBX closed it."""
        self.take(self.tracker.stopped(at) if closed else self.tracker.finish(at), at)
        self._keep(self.calls.finish(at))
        for kind, detail in self.tracker.anomalies:
            self._odd(kind, detail)


def replay_file(
    path: Path | str,
    *,
    trunks: str = "",
    operators: str = "",
    pbx: str = "pbx",
    classes: Collection[str] | None = None,
) -> dict[str, Any]:
    """The calls of one captured stream, as the contract's Replay part describes them.

    `trunks` and `operators` are regular expressions for whole endpoints; `classes` shows the stream as a
    user who reads only these would see it. Raises OSError for a file that cannot be opened and re.error for
    an expression that is none.
    """
    for expression in (trunks, operators):
        re.compile(expression)
    capture = read_capture(path)
    replay = Replay(pbx=pbx, trunks=trunks, operators=operators)
    events, at, timed, origin, closed = 0, 0.0, False, None, False
    for captured in capture:
        if captured.t is not None:
            timed = True
            origin = captured.t if origin is None else origin
            at = max(at, captured.t)
        else:
            at += 0.0 if timed else _STEP
        if captured.kind == "banner":
            replay.take(replay.tracker.lost(at), at)
            continue
        if captured.kind == "closed":
            closed = True
            replay.take(replay.tracker.lost(at), at)
            continue
        if captured.message is None or (classes is not None and not visible_to(captured.message, classes)):
            continue
        events += 1
        closed = False
        replay.take(replay.tracker.feed(captured.message, at), at)
    replay.finish(at, closed=closed)
    for kind, count in capture.anomalies.items():
        replay._odd(kind, f"{count} times")
    base = origin if timed and origin is not None and origin > 1e8 else 0.0
    calls = sorted(replay.found.values(), key=lambda call: (call.at or 0.0, call.uniqueid))
    return {
        "file": str(path),
        "calls": [as_json(call, base, timed=timed) for call in calls],
        "anomalies": replay.anomalies,
        "events": events,
    }


def as_json(call: Call, base: float, *, timed: bool = True) -> dict[str, Any]:
    """A call in the words of the contract; moments relative to `base`, all seconds null when there were no times."""

    def seconds(value: float | None) -> float | None:
        return round(value, 3) if timed and value is not None else None

    def moment(value: float | None) -> float | None:
        return round(value - base, 3) if timed and value is not None else None

    parked, pickup = call.parked, call.pickup
    out: dict[str, Any] = {
        "id": call.id,
        "channel": call.channel,
        "direction": call.direction,
        "client": call.client,
        "called": call.called,
        "name": call.name,
        "caller": call.caller,
        "operator": call.operator,
        "queue": call.queue,
        "at": moment(call.at),
        "rang": [{"operator": one.operator, "ring_s": seconds(one.ring_s)} for one in call.rang],
        "talks": [{"operator": one.operator, "talk_s": seconds(one.talk_s)} for one in call.talks],
        "answered_by": list(call.answered_by),
        "wait_s": seconds(call.wait_s),
        "total_s": seconds(call.total_s),
        "missed": call.missed,
        "outcome": call.outcome,
        "why": call.why,
        "ended_by": call.ended_by,
        "transfers": [_transfer(one, seconds) for one in call.transfers],
        "parked": None
        if parked is None
        else _bare(
            by=parked.by,
            space=parked.space,
            retrieved_by=parked.retrieved_by,
            timed_out=parked.timed_out or None,
            given_up=parked.given_up or None,
        ),
        "pickup": None if pickup is None else {"from": pickup.from_, "by": pickup.by},
        "hold_s": seconds(call.hold_s),
        "click_to_call": call.click_to_call or None,
        "client_ring_s": seconds(call.client_ring_s),
        "voicemail": call.voicemail,
        "serves": call.serves,
        "recordings": [{"file": one.file, "state": "unknown"} for one in call.recordings],
        "legs": [_leg(one, seconds, moment) for one in call.legs],
    }
    return out


def _bare(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _transfer(one: Transfer, seconds: Any) -> dict[str, Any]:
    found = {"kind": one.kind, "from": one.from_, "to": one.to, "answered": one.answered}
    return found | _bare(consult_s=seconds(one.consult_s), talk_s=seconds(one.talk_s))


def _leg(one: CallLeg, seconds: Any, moment: Any) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "side": one.side,
        "who": one.who,
        "at": moment(one.at),
        "ring_s": seconds(one.ring_s),
        "answered_at": moment(one.answered_at),
        "talk_s": seconds(one.talk_s),
        "cause": one.cause,
        "stretches": [
            {"kind": stretch.kind, "who": stretch.who, "at": moment(stretch.at), "until": moment(stretch.until)}
            for stretch in one.stretches
        ],
    }
