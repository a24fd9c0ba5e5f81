"""The fair draw: repeatable, blind to order and reasons, each call with the same chance, and rules that say why."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callcrm.quality.sampler import (
    RULES,
    Candidate,
    Reason,
    Rules,
    Wish,
    by_lot,
    by_risk,
    in_pot,
    monday,
    pot,
    reasons,
    ticket,
    week,
)

AT = datetime(2026, 11, 18, 10, tzinfo=UTC)
ids = st.text(st.characters(blacklist_categories=[]), min_size=1, max_size=12)
candidates = st.builds(
    Candidate,
    call_id=ids,
    at=st.just(AT),
    talk_s=st.floats(0, 900),
    heard=st.booleans(),
    inbound=st.booleans(),
    hold_s=st.floats(0, 300),
    near=st.integers(1, 6),
    overlaps=st.integers(0, 30),
    overlap_s=st.none() | st.floats(0, 60),
    disposition=st.sampled_from(["", "Order", "Complaint"]),
)
weeks = st.lists(candidates, max_size=30, unique_by=lambda one: one.call_id)
wishes = st.builds(
    Wish,
    lots=st.integers(0, 6),
    risks=st.integers(0, 6),
    least_s=st.floats(0, 120),
    heard_only=st.booleans(),
    rules=st.builds(Rules, complaint=st.just(("complaint",))),
)
seeds = st.text("0123456789abcdef", min_size=4, max_size=32)


def calls(count: int, **more: object) -> list[Candidate]:
    return [Candidate(f"call-{n}", AT, 120.0, **more) for n in range(count)]  # type: ignore[arg-type]


@given(weeks, wishes, seeds, st.randoms(use_true_random=False))
def test_the_same_seed_and_calls_draw_the_same_in_whatever_order_they_are_read(week_, wish, seed, dice) -> None:
    shuffled = list(week_)
    dice.shuffle(shuffled)
    assert by_lot(week_, wish, seed) == by_lot(shuffled, wish, seed)
    assert by_risk(week_, wish, seed) == by_risk(shuffled, wish, seed)
    assert pot(week_, wish) == pot([*shuffled, *shuffled], wish)


@given(weeks, wishes, seeds)
def test_the_lot_takes_as_many_as_are_wished_from_the_pot_alone_and_none_twice(week_, wish, seed) -> None:
    drawn, inside = by_lot(week_, wish, seed), {one.call_id for one in in_pot(week_, wish)}
    assert len(drawn) == min(wish.lots, len(inside)) == len({one.call_id for one in drawn})
    assert {one.call_id for one in drawn} <= inside
    assert [one.place for one in drawn] == list(range(1, len(drawn) + 1))
    assert all(one.of == len(inside) == pot(week_, wish).size for one in drawn)
    left = inside - {one.call_id for one in drawn}
    assert not left or all(one.ticket <= min(ticket(seed, call) for call in left) for one in drawn)


@given(weeks, wishes, seeds)
def test_the_lot_does_not_look_at_what_tells_of_a_risk(week_, wish, seed) -> None:
    plain = [Candidate(one.call_id, one.at, one.talk_s, one.heard) for one in week_]
    assert [one.call_id for one in by_lot(week_, wish, seed)] == [one.call_id for one in by_lot(plain, wish, seed)]


@given(weeks, wishes, seeds, candidates)
def test_one_more_call_changes_the_lot_by_one_at_most(week_, wish, seed, more) -> None:
    before = {one.call_id for one in by_lot(week_, wish, seed)}
    after = {one.call_id for one in by_lot([one for one in week_ if one.call_id != more.call_id] + [more], wish, seed)}
    assert len(before - after) <= 1
    assert len(after - before) <= 1


@given(weeks, wishes, seeds)
def test_who_is_drawn_in_place_of_one_that_was_passed_over_comes_next_in_the_same_order(week_, wish, seed) -> None:
    whole = [one.call_id for one in by_lot(week_, wish, seed, lots=len(week_))]
    first = {one.call_id for one in by_lot(week_, wish, seed)}
    then = by_lot(week_, wish, seed, gone=first, lots=1)
    assert [one.call_id for one in then] == whole[wish.lots : wish.lots + 1]
    assert all(one.place == wish.lots + 1 for one in then)


@given(weeks, wishes, seeds)
def test_the_rules_take_only_what_they_name_and_those_with_most_reasons_first(week_, wish, seed) -> None:
    drawn = by_risk(week_, wish, seed)
    named = {one.call_id: reasons(one, wish.rules) for one in week_ if one.heard or not wish.heard_only}
    assert all(one.reasons and one.reasons == named[one.call_id] for one in drawn)
    assert len(drawn) == min(wish.risks, sum(bool(why) for why in named.values()))
    counts = [len(one.reasons) for one in drawn]
    assert counts == sorted(counts, reverse=True)
    taken = {one.call_id for one in drawn}
    left = [len(why) for call, why in named.items() if call not in taken]
    assert not drawn or len(drawn) < wish.risks or min(counts) >= max(left, default=0)


@given(weeks, wishes, seeds)
def test_what_was_drawn_before_does_not_come_out_again(week_, wish, seed) -> None:
    gone = {one.call_id for one in week_[::2]}
    assert not gone & {
        one.call_id for one in (*by_lot(week_, wish, seed, gone=gone), *by_risk(week_, wish, seed, gone=gone))
    }


def test_every_call_of_a_week_comes_out_as_often_as_any_other() -> None:
    week_, wish, draws = calls(20), Wish(lots=2), 4000
    seen = Counter(one.call_id for n in range(draws) for one in by_lot(week_, wish, f"seed {n}"))
    expected = draws * 2 / 20
    chi = sum((seen[one.call_id] - expected) ** 2 / expected for one in week_)
    assert len(seen) == 20
    assert chi < 43.8  # 19 degrees of freedom, one in a thousand; the seeds are the same each time


def test_a_call_that_is_too_short_or_has_no_sound_is_not_in_the_pot_but_a_rule_may_name_it() -> None:
    short, mute = Candidate("short", AT, 4.0), Candidate("mute", AT, 90.0, heard=False, hold_s=100.0)
    wish = Wish(lots=5, risks=5, least_s=30.0)
    assert by_lot([short, mute], wish, "s") == []
    assert [one.call_id for one in by_risk([short, mute], wish, "s")] == ["short"]
    heard_or_not = Wish(lots=5, risks=5, heard_only=False)
    assert {one.call_id for one in by_risk([short, mute], heard_or_not, "s")} == {"short", "mute"}


def test_each_rule_says_what_it_found_and_from_where_on_it_counts() -> None:
    rules = Rules(complaint=("Complaint",))
    one = Candidate("c", AT, 8.0, True, True, 61.0, 3, 6, 12.0, "complaint")
    assert reasons(one, rules) == (
        Reason("long_hold", 61.0, 60.0),
        Reason("repeat_caller", 3, 24.0),
        Reason("talk_over", 12.0, 10.0, 6),
        Reason("short_call", 8.0, 10.0),
        Reason("complaint", "complaint"),
    )
    assert tuple(reason.rule for reason in reasons(one, rules)) == RULES == rules.on()


def test_just_below_its_limit_no_rule_names_a_call() -> None:
    rules = Rules(complaint=("Complaint",))
    assert reasons(Candidate("c", AT, 10.5, True, True, 59.9, 2, 3, 9.9, "Order"), rules) == ()


def test_a_rule_that_is_off_names_nothing() -> None:
    off = Rules(None, None, None, None, None)
    assert off.on() == ()
    assert reasons(Candidate("c", AT, 1.0, True, True, 999.0, 9, 9, 99.0, "Complaint"), off) == ()


def test_outbound_calls_are_never_short_and_silence_about_sound_is_no_talk_over() -> None:
    assert reasons(Candidate("c", AT, 3.0, inbound=False, overlap_s=None), Rules()) == ()
    assert reasons(Candidate("c", AT, 3.0, inbound=False, overlap_s=0.0), Rules(talk_over=0.0)) == ()


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Kyiv", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]),
)
def test_every_moment_lies_in_the_week_of_its_monday(moment: datetime, zone: str) -> None:
    place = ZoneInfo(zone)
    begin = monday(moment, place)
    first, after = week(begin, place)
    assert begin.weekday() == 0
    assert first <= moment < after
    assert monday(first, place) == begin
    assert monday(after, place) == begin + timedelta(days=7)


def test_a_week_ends_at_midnight_of_the_house_also_when_the_clocks_change() -> None:
    kyiv = ZoneInfo("Europe/Kyiv")
    first, after = week(date(2026, 10, 19), kyiv)
    assert (after - first).total_seconds() == 7 * 86400  # wall clock arithmetic of one zone
    assert after.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=169)
