"""A client who is parked is told to be so, by whom and where, in whatever order the PBX tells it.

ParkedCall, the parking place's BridgeEnter and the end of the operator's line come from threads of their own. While
the client waits nothing else happens that would bring a call up to date.
"""

from itertools import permutations

import pytest

from ami.capture import read_capture
from ami.messages import Message
from ami.tracker import Tracker
from callcrm.calls.call import Call
from callcrm.calls.model import Calls
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.sides import Sides
from tests.ami.mirror import Mirror
from tests.calls.expected import TRACES

STREAM = [
    (one.message, one.t)
    for one in read_capture(TRACES / "22.10.1" / "park_and_retrieve.jsonl.gz")
    if one.message is not None and one.t is not None
]
FETCHED = next(n for n, (message, _) in enumerate(STREAM) if message.get("Application") == "ParkedCall")


def _at(event: str, **more: str) -> int:
    """Where the stream has such an event, before the client is fetched."""
    wanted = {"Event": event, **more}.items()
    return next(n for n, (message, _) in enumerate(STREAM[:FETCHED]) if wanted <= message.items())


TRANSFER, PARKED = _at("BlindTransfer"), _at("ParkedCall")
PLACE = _at("BridgeEnter", BridgeType="parking")
AWAY = next(n for n, (m, _) in enumerate(STREAM) if n > TRANSFER and m.get("Event") == "BridgeLeave")
LEFT = next(n for n, (m, _) in enumerate(STREAM) if n > AWAY and m.get("Event") == "BridgeLeave")
ENDED = _at("Hangup")
#: The operator's line ends after it has left the bridge, the client comes to his place after he has left it.
ORDERS = [
    order
    for order in permutations((AWAY, PARKED, PLACE, LEFT, ENDED))
    if order.index(LEFT) < order.index(ENDED) and order.index(AWAY) < order.index(PLACE)
]


class Listening:
    """The calls of a stream, as what was told of them last has them."""

    def __init__(self) -> None:
        self.tracker, self.calls = Tracker(), Calls("pbx")
        self.adapter = Adapter(Sides("PJSIP/trunk", r"PJSIP/1\d\d"))
        self.rows: dict[str, Call] = {}

    def hear(self, *messages: Message, at: float) -> None:
        """Messages of one moment."""
        events = [event for message in messages for event in self.tracker.feed(message, at)]
        for change in self.calls.steps([signal for event in events for signal in self.adapter.hear(event)]):
            self.rows[change.call.id] = change.call

    def expect_parked(self) -> None:
        (row,) = self.rows.values()
        assert row.state == "parked"
        assert row.parked is not None
        assert (row.parked.by, row.parked.space) == ("101", "701")


def until_parking(listening: Listening, *, handed: bool) -> float:
    """Hears all that comes before, with the operator's own transfer or (an action parks) without it."""
    for n, (message, at) in enumerate(STREAM[:ENDED]):
        if n not in (AWAY, PARKED, PLACE, LEFT) and (handed or n != TRANSFER):
            listening.hear(message, at=at)
    return STREAM[ENDED][1]


def named(order: tuple[int, ...]) -> str:
    return "-".join({AWAY: "away", PARKED: "parked", PLACE: "place", LEFT: "left", ENDED: "ended"}[n] for n in order)


@pytest.mark.parametrize("handed", [True, False], ids=["handed", "acted"])
@pytest.mark.parametrize("order", ORDERS, ids=named)
def test_it_is_told_who_parked_whom_where(order: tuple[int, ...], handed: bool) -> None:
    one_by_one, at_once = Listening(), Listening()
    at = until_parking(one_by_one, handed=handed)
    for n in order:
        one_by_one.hear(STREAM[n][0], at=at)
    until_parking(at_once, handed=handed)
    at_once.hear(*(STREAM[n][0] for n in order), at=at)
    one_by_one.expect_parked()
    at_once.expect_parked()


@pytest.mark.parametrize("order", ORDERS, ids=named)
@pytest.mark.parametrize("after", range(1, 6))
def test_a_snapshot_in_between_takes_nothing_back(order: tuple[int, ...], after: int) -> None:
    listening, mirror = Listening(), Mirror()
    at = until_parking(listening, handed=False)
    for n, (message, seen) in enumerate(STREAM[:ENDED]):
        if n not in order:
            mirror.see(message, seen)
    for count, n in enumerate(order, 1):
        listening.hear(STREAM[n][0], at=at)
        mirror.see(STREAM[n][0], at)
        if count == after:
            for answer in mirror.snapshot(at):
                listening.hear(answer, at=at)
    listening.expect_parked()
