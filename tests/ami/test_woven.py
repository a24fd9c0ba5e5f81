"""Two recorded streams woven into one, as on a busy PBX: neither call sees anything of the other."""

import random
import re
from functools import cache
from pathlib import Path

import pytest

from ami.messages import Message
from tests.ami import mutations
from tests.ami.mutations import Stream
from tests.calls.expected import CALLCRM, TRACES, traces

#: Other streams begin or end within their calls, with a snapshot or a shutdown that speaks of all of them.
WHOLE = [
    path
    for path in (*traces("jsonl.gz"), *sorted((TRACES / "more").glob("*/*.jsonl.gz")))
    if "connect_midcall" not in path.name and "pbx_stops" not in path.name
]
PAIRS = 60

_UNIQUEID = re.compile(r"(?<![\d.])(\d{10})\.(\d+)(?!\d)")
_CHANNEL = re.compile(r"-([0-9a-f]{8})(?![0-9a-f-])")
_BRIDGE = re.compile(r"([0-9a-f])([0-9a-f]{7}-[0-9a-f]{4}-)")
_OPERATOR = re.compile(r"(?<![\d.])1(0[1-9]|10)(?!\d)")
_CLIENT = re.compile(r"(?<!\d)7916(\d{7})(?!\d)")


def elsewhere(value: str) -> str:
    """The same of other channels, bridges, operators and clients of the same PBX."""
    value = _BRIDGE.sub(lambda found: f"{(int(found[1], 16) + 5) % 16:x}{found[2]}", value)
    value = _UNIQUEID.sub(lambda found: f"{found[1]}.{int(found[2]) + 50_000}", value)
    value = _CHANNEL.sub(lambda found: f"-{int(found[1], 16) + 0x10000:08x}", value)
    value = _OPERATOR.sub(lambda found: f"1{int(found[1]) + 50:02}", value)
    return _CLIENT.sub(lambda found: f"7917{found[1]}", value)


def moved(stream: Stream, by: float) -> Stream:
    """The stream as it would have come from elsewhere on the PBX, so many seconds later."""
    found: Stream = []
    for at, message in stream:
        other: Message = {
            key: elsewhere(value) if isinstance(value, str) else [elsewhere(one) for one in value]
            for key, value in (message or {}).items()
        }
        found.append((at + by, other))
    return found


@cache
def recorded(path: Path) -> Stream:
    return [(at, message) for at, message in mutations.load(path, CALLCRM) if message is not None]


@pytest.mark.parametrize("seed", range(PAIRS))
def test_calls_of_others_that_go_on_meanwhile_change_nothing(seed):
    chance = random.Random(seed)
    one, other = (recorded(chance.choice(WHOLE)) for _ in range(2))
    begin, length = one[0][0], one[-1][0] - one[0][0]
    second = moved(other, begin + chance.random() * 0.8 * length - other[0][0])
    apart = sorted([*mutations.calls(one), *mutations.calls(second)], key=lambda call: call["id"])
    together = mutations.calls(sorted([*one, *second], key=lambda line: line[0]))
    assert mutations.same(apart, sorted(together, key=lambda call: call["id"]))
