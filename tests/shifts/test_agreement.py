"""Whether the PBX has it as we do, in a table."""

from datetime import UTC, datetime, timedelta

import pytest

from callcrm.shifts.agreement import Agreement, Place, Wish, agreement

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def place(queue, paused, ago=60.0):
    return Place(queue, paused, NOW - timedelta(seconds=ago))


def wish(state, ago=30.0, message=""):
    return Wish(state, message, NOW - timedelta(seconds=ago))


TABLE = {
    "in no queue": (True, [wish("refused")], [], Agreement("none")),
    "calls are wanted and come": (False, [], [place("sales", False)], Agreement("open")),
    "none are wanted and none come": (True, [wish("done")], [place("sales", True)], Agreement("agreed")),
    "the PBX is being asked": (True, [wish("sent", 0.1)], [place("sales", False)], Agreement("asking")),
    "it answered a moment ago": (True, [wish("done", 0.5)], [place("sales", False)], Agreement("asking")),
    "it answered, and nothing came of it": (
        True,
        [wish("done", 5)],
        [place("sales", False)],
        Agreement("differs", queues=("sales",)),
    ),
    "it was changed there right after": (
        True,
        [wish("done", 0.5)],
        [place("sales", False, 0.2), place("support", True)],
        Agreement("differs", queues=("sales",)),
    ),
    "it was refused": (
        True,
        [wish("refused", 5, "No rights.")],
        [place("sales", False), place("help", False)],
        Agreement("refused", "No rights.", ("help", "sales")),
    ),
    "it was too late": (
        False,
        [wish("expired", 5, "Too late.")],
        [place("sales", True)],
        Agreement("refused", "Too late.", ("sales",)),
    ),
    "it was refused, and is so all the same": (
        True,
        [wish("refused", 5, "No rights.")],
        [place("sales", True)],
        Agreement("agreed"),
    ),
    "paused there in one queue": (
        False,
        [],
        [place("sales", True), place("help", False)],
        Agreement("differs", queues=("sales",)),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_it_is_said_how_it_stands(name):
    wanted, wishes, places, expected = TABLE[name]
    assert agreement(wanted, wishes, places, NOW) == expected
    assert expected.well == (expected.code not in ("refused", "differs"))
