"""Calls of another dialplan, made on two Asterisk versions: redirects, consultations, other ways to click to call.

`tests/traces/more/expected.json` says what the phones did; there is no second of it, only who, whom and how.
"""

import json
from typing import Any

import pytest

from callcrm.calls.replay import replay_file
from tests.calls.expected import TRACES

MORE = TRACES / "more"
EXPECTED: dict[str, list[dict[str, Any]]] = json.loads((MORE / "expected.json").read_text())


def narrowed(expected: Any, got: Any) -> Any:
    """The part of `got` that `expected` speaks of."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return {key: narrowed(value, got.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [narrowed(one, other) for one, other in zip(expected, got, strict=True)]
    return got


def told(call: dict[str, Any]) -> dict[str, Any]:
    """A replayed call in the words of the expectations."""
    return {**call, "rang": [one["operator"] for one in call["rang"]], "held": call["hold_s"] is not None}


@pytest.mark.parametrize("version", ["16.28.0", "22.10.1"])
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_another_dialplan_gives_the_right_calls(name, version):
    found = [told(call) for call in replay_file(MORE / version / f"{name}.jsonl.gz")["calls"]]
    assert len(found) == len(EXPECTED[name])
    for expected, got in zip(EXPECTED[name], found, strict=True):
        assert narrowed(expected, got) == expected
        assert got["total_s"] is not None
