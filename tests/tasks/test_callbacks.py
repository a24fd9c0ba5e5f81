"""The rules of callbacks, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callcrm.kernel.calendar import working_hours
from callcrm.tasks import callbacks
from callcrm.tasks.callbacks import Rules, Story

T = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
MISSED = Story("inbound", T, None, T + timedelta(seconds=20), True, "missed", None, "caller", 20.0)
TALKED = Story("inbound", T, T + timedelta(seconds=5), None, False, "answered", None, None, 5.0)
CALLED = Story("outbound", T, T + timedelta(seconds=5), None, False, "answered")
IN_VAIN = Story("outbound", T, None, T + timedelta(seconds=20), False, "no answer")


@pytest.mark.parametrize(
    ("call", "owes", "settles", "in_vain"),
    [
        (MISSED, True, "", False),
        (replace(MISSED, why="closed"), True, "", False),
        (replace(MISSED, why="ivr"), True, "", False),
        (replace(MISSED, why="busy"), True, "", False),
        (replace(MISSED, ended_at=None), False, "", False),
        (replace(MISSED, missed=False), False, "", False),
        (TALKED, False, "got_through", False),
        (replace(TALKED, ended_at=T), False, "got_through", False),
        (CALLED, False, "called_back", False),
        (IN_VAIN, False, "", True),
        (replace(IN_VAIN, outcome="busy"), False, "", True),
        (replace(IN_VAIN, ended_at=None), False, "", False),
        (replace(IN_VAIN, outcome="operator did not pick up"), False, "", False),
        (replace(CALLED, direction="internal"), False, "", False),
        (replace(MISSED, direction="internal"), False, "", False),
    ],
)
def test_what_a_call_means_for_a_callback(call: Story, owes: bool, settles: str, in_vain: bool) -> None:
    assert (callbacks.owes(call), callbacks.settles(call), callbacks.tried_in_vain(call)) == (owes, settles, in_vain)


@pytest.mark.parametrize(
    ("call", "short"),
    [
        (replace(MISSED, wait_s=4.9), True),
        (replace(MISSED, wait_s=5.0), False),
        (replace(MISSED, wait_s=2.0, why="ivr"), True),
        (replace(MISSED, wait_s=2.0, why="closed"), False),
        (replace(MISSED, wait_s=0.0, why="busy"), False),
        (replace(MISSED, wait_s=0.0, why="offline"), False),
        (replace(MISSED, wait_s=2.0, ended_by="other side"), False),
        (replace(MISSED, wait_s=None), False),
    ],
)
def test_who_gives_up_at_once_is_marked(call: Story, short: bool) -> None:
    assert callbacks.short_abandon(call, Rules(short_abandon_s=5)) is short


@pytest.mark.parametrize(
    ("after", "settled"), [(timedelta(seconds=-1), False), (timedelta(0), True), (timedelta(hours=1), True)]
)
def test_only_a_talk_after_his_last_try_settles_it(after: timedelta, settled: bool) -> None:
    assert callbacks.settles_since(replace(CALLED, answered_at=T + after), T) is settled
    assert callbacks.settles_since(CALLED, None)
    assert not callbacks.settles_since(IN_VAIN, T)


@pytest.mark.parametrize(
    ("client", "last", "owner", "why"),
    [
        (1, 2, 1, "client_owner"),
        (None, 2, 2, "last_operator"),
        (None, None, None, "queue"),
    ],
)
def test_who_is_to_call_back(client: int | None, last: int | None, owner: int | None, why: str) -> None:
    assert callbacks.owner(client, last) == (owner, why)


def test_a_line_has_a_queue_for_those_who_were_not_let_in() -> None:
    rules = Rules(line_queues={"+74950000004": "sales", "+74950000005": ""})
    assert rules.queue(None, "+74950000004") == "sales"
    assert rules.queue("support", "+74950000004") == "support"
    assert rules.queue(None, "+74950000005") is None
    assert rules.queue(None, None) is None


def test_the_promise_counts_working_minutes() -> None:
    rules = Rules(30, working_hours({"wed": ["09:00-18:00"], "thu": ["09:00-18:00"]}))
    assert rules.due(T) == T + timedelta(minutes=30)
    assert rules.due(T.replace(hour=20)) == datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
