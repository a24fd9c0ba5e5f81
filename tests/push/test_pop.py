"""The rules of pops, told as what happens on a desk."""

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from callcrm.kernel.facts import Fact
from callcrm.push.pop import CallGist, Pop, steps

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLGA, IVAN = 1, 2
PHONES = {"101": OLGA, "111": OLGA, "102": IVAN, "900": None}


class Desk:
    """One call and its pops; each `on` is a second later."""

    def __init__(self, gist: CallGist | None = None) -> None:
        self.gist = gist or CallGist("inbound")
        self.pops: dict[int, Pop] = {}
        self.clock = count()

    def on(self, kind: str, phone: str = "", after: float = 1) -> list[tuple[str, int, str]]:
        at = BEGIN + timedelta(seconds=next(self.clock) * after)
        ids = {"call": "c", "extension": phone, "user": PHONES.get(phone)}
        moved = steps(self.pops, Fact(f"call.{kind}", at, ids), self.gist)
        self.pops |= {step.pop.user: step.pop for step in moved}
        return [(step.message, step.pop.user, step.pop.reason or step.pop.state) for step in moved if step.message]


def test_answered_by_one_it_is_withdrawn_from_the_other() -> None:
    desk = Desk()
    assert desk.on("ringing", "101") == [("pop.offered", OLGA, "offered")]
    assert desk.on("ringing", "102") == [("pop.offered", IVAN, "offered")]
    assert desk.on("answered", "102") == [("pop.answered", IVAN, "answered"), ("pop.withdrawn", OLGA, "elsewhere")]
    assert desk.pops[OLGA].answered_by == "102"
    assert desk.on("stopped_ringing", "101") == []
    assert desk.on("ended") == [("pop.ended", IVAN, "wrapup")]


def test_the_reason_is_told_better_when_it_comes_after_the_silence() -> None:
    desk = Desk()
    desk.on("ringing", "101")
    desk.on("ringing", "102")
    assert desk.on("stopped_ringing", "101") == [("pop.withdrawn", OLGA, "stopped")]
    assert ("pop.withdrawn", OLGA, "elsewhere") in desk.on("answered", "102")


def test_who_missed_his_turn_long_ago_is_not_told_who_answered_later() -> None:
    desk = Desk()
    desk.on("ringing", "101", after=1)
    desk.on("stopped_ringing", "101", after=1)
    for _ in range(6):
        next(desk.clock)
    assert desk.on("answered", "102") == [("pop.answered", IVAN, "answered")]


def test_a_caller_who_gives_up_takes_the_pops_away() -> None:
    desk = Desk()
    desk.on("ringing", "101")
    assert desk.on("ended") == [("pop.withdrawn", OLGA, "given_up")]


def test_two_phones_of_one_person_are_one_pop_until_both_are_silent() -> None:
    desk = Desk()
    assert len(desk.on("ringing", "101")) == 1
    assert desk.on("ringing", "111") == []
    assert desk.on("stopped_ringing", "101") == []
    assert desk.on("stopped_ringing", "111") == [("pop.withdrawn", OLGA, "stopped")]


def test_the_queue_rings_again_and_the_pop_comes_back() -> None:
    desk = Desk()
    desk.on("ringing", "101")
    desk.on("stopped_ringing", "101")
    assert desk.on("ringing", "101") == [("pop.offered", OLGA, "offered")]
    assert desk.pops[OLGA].closed_at is None


def test_a_transfer_gives_the_second_a_pop_and_the_first_wrap_up() -> None:
    desk = Desk()
    desk.on("ringing", "101")
    desk.on("answered", "101")
    assert desk.on("ringing", "102") == [("pop.offered", IVAN, "offered")]
    assert desk.on("left", "101") == [("pop.ended", OLGA, "wrapup")]
    assert desk.on("answered", "102") == [("pop.answered", IVAN, "answered")]
    assert desk.pops[OLGA].state == "wrapup"


def test_who_gets_the_caller_back_has_his_pop_again() -> None:
    desk = Desk()
    for kind, phone in (("ringing", "101"), ("answered", "101"), ("left", "101")):
        desk.on(kind, phone)
    assert desk.on("ringing", "101") == [("pop.offered", OLGA, "offered")]


def test_a_pickup_by_a_phone_that_never_rang_pops_up_answered() -> None:
    desk = Desk()
    desk.on("ringing", "101")
    assert desk.on("answered", "102") == [("pop.answered", IVAN, "answered"), ("pop.withdrawn", OLGA, "picked_up")]


def test_a_phone_that_is_nobodys_opens_no_pop_but_takes_the_others_away() -> None:
    desk = Desk()
    assert desk.on("ringing", "900") == []
    desk.on("ringing", "101")
    assert desk.on("answered", "900") == [("pop.withdrawn", OLGA, "picked_up")]


def test_calling_out_pops_up_for_the_caller_once_and_ends_in_wrap_up_unanswered() -> None:
    desk = Desk(CallGist("outbound", OLGA, "101"))
    assert desk.on("began") == [("pop.offered", OLGA, "offered")]
    assert desk.on("changed") == []
    assert desk.on("ended") == [("pop.ended", OLGA, "wrapup")]


def test_a_click_to_call_that_rings_at_his_own_phone_stays_one_pop() -> None:
    desk = Desk(CallGist("outbound", OLGA, "101"))
    desk.on("began")
    assert desk.on("ringing", "101") == []
    assert desk.on("stopped_ringing", "101") == []
    assert desk.on("answered", "101") == [("pop.answered", OLGA, "answered")]


def test_a_colleagues_call_needs_no_wrap_up() -> None:
    desk = Desk(CallGist("internal"))
    desk.on("ringing", "101")
    desk.on("answered", "101")
    assert desk.on("ended") == [("pop.ended", OLGA, "closed")]


def test_a_call_that_was_folded_into_another_leaves_no_pop() -> None:
    desk = Desk(CallGist("internal"))
    desk.on("ringing", "101")
    desk.gist = CallGist("", exists=False)
    assert desk.on("changed") == [("pop.withdrawn", OLGA, "folded")]


KINDS = st.sampled_from(["ringing", "stopped_ringing", "answered", "left", "changed", "began"])


@given(st.lists(st.tuples(KINDS, st.sampled_from(list(PHONES))), max_size=30), st.sampled_from(["inbound", "outbound"]))
def test_whatever_happens_no_pop_rings_or_talks_after_the_end(story: list[tuple[str, str]], direction: str) -> None:
    desk = Desk(CallGist(direction, OLGA, "101"))
    for kind, phone in story:
        desk.on(kind, phone)
    desk.on("ended")
    assert all(pop.state in ("wrapup", "withdrawn", "closed") for pop in desk.pops.values())
    assert all(not pop.ringing for pop in desk.pops.values() if pop.state != "wrapup")


@given(st.lists(st.tuples(KINDS, st.sampled_from(list(PHONES))), max_size=30))
def test_a_fact_that_comes_twice_tells_nothing_new(story: list[tuple[str, str]]) -> None:
    desk = Desk()
    for kind, phone in story:
        at = BEGIN + timedelta(seconds=next(desk.clock))
        fact = Fact(f"call.{kind}", at, {"call": "c", "extension": phone, "user": PHONES[phone]})
        first = steps(desk.pops, fact, desk.gist)
        desk.pops |= {step.pop.user: step.pop for step in first}
        assert not [step for step in steps(desk.pops, fact, desk.gist) if step.message]
