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
    assert rules.promise(T).due == T + timedelta(minutes=30)
    assert rules.promise(T.replace(hour=20)).due == datetime(2026, 11, 19, 9, 30, tzinfo=UTC)


HOUSE = working_hours({day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")})
SHOP = working_hours({day: ["10:00-20:00"] for day in ("wed", "thu", "fri", "sat")}, time_zone="Asia/Almaty")
PLACES = Rules(
    30, HOUSE, line_queues={"+71": "shop"}, line_hours={"+72": SHOP}, queue_hours={"shop": SHOP},
    retry_min=(15.0, 60.0), escalate_min=15.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("queue", "called", "starts", "due"),
    [
        (None, None, "2026-11-18T18:00", "2026-11-18T18:30"),
        ("sales", "+79", "2026-11-18T18:00", "2026-11-18T18:30"),
        ("shop", None, "2026-11-19T05:00", "2026-11-19T05:30"),
        (None, "+71", "2026-11-19T05:00", "2026-11-19T05:30"),
        ("sales", "+72", "2026-11-19T05:00", "2026-11-19T05:30"),
    ],
)
def test_the_clock_runs_by_the_calendar_of_the_line_then_of_the_queue_then_of_the_house(
    queue: str | None, called: str | None, starts: str, due: str
) -> None:
    evening = T.replace(hour=17, minute=40)
    house = replace(PLACES, hours=working_hours({"wed": ["18:00-23:00"]}))
    promise = house.promise(evening, queue, called)
    assert (promise.starts, promise.due) == tuple(datetime.fromisoformat(f"{one}:00+00:00") for one in (starts, due))


def test_who_calls_after_hours_is_promised_from_the_opening_on() -> None:
    promise = PLACES.promise(T.replace(hour=22))
    assert promise == callbacks.Promise(T.replace(day=19, hour=9), T.replace(day=19, hour=9, minute=30))


@pytest.mark.parametrize(("tries", "later"), [(0, 15), (1, 15), (2, 60), (3, 60), (9, 60)])
def test_the_next_try_comes_later_each_time_and_the_last_rule_stays(tries: int, later: int) -> None:
    assert PLACES.next_try(T, tries) == T + timedelta(minutes=later)


def test_a_next_try_after_hours_waits_for_the_opening() -> None:
    assert PLACES.next_try(T.replace(hour=17, minute=55), 1) == T.replace(day=19, hour=9, minute=10)


def test_a_supervisor_is_told_after_working_minutes_and_not_while_it_sleeps() -> None:
    assert PLACES.escalates(T) == T + timedelta(minutes=15)
    assert PLACES.escalates(T.replace(hour=17, minute=50)) == T.replace(day=19, hour=9, minute=5)
    assert PLACES.escalates(T, T + timedelta(hours=2)) == T + timedelta(hours=2, minutes=15)
    assert PLACES.escalates(T, T - timedelta(hours=2)) == T + timedelta(minutes=15)
    assert replace(PLACES, escalate_min=0).escalates(T) is None


SOON, LATE = T + timedelta(minutes=10), T - timedelta(minutes=10)


@pytest.mark.parametrize(
    ("state", "why", "due", "closed", "fate"),
    [
        ("open", None, None, None, "none"),
        ("open", None, SOON, None, "running"),
        ("open", None, T, None, "running"),
        ("open", None, LATE, None, "broken"),
        ("done", "called_back", T, T, "kept"),
        ("done", "got_through", T, LATE, "kept"),
        ("done", "called_back", LATE, T, "broken"),
        ("done", "by_hand", SOON, LATE, "by_hand"),
        ("done", "by_hand", LATE, T, "by_hand"),
        ("dropped", "by_hand", LATE, T, "dropped"),
    ],
)
def test_what_became_of_a_promise(
    state: str, why: str | None, due: datetime | None, closed: datetime | None, fate: str
) -> None:
    assert callbacks.fate(state=state, closed_why=why, due=due, closed_at=closed, now=T) == fate


@pytest.mark.parametrize(
    ("owner", "why", "holds"),
    [(None, "queue", False), (None, "released", False), (7, "claimed", True), (7, "assigned", True),
     (7, "client_owner", False), (7, "last_operator", False)],
)  # fmt: skip
def test_who_took_it_holds_it_and_who_is_proposed_does_not(owner: int | None, why: str, holds: bool) -> None:
    assert callbacks.held(owner, why) is holds
