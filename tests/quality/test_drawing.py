"""Plans, draws and what waits: on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest

from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Writer
from callcrm.quality import explaining, plans, sampling, taking
from callcrm.quality.drawing import Sampler
from callcrm.quality.sampling import Sampled
from tests import people
from tests.quality.week import KYIV, MONDAY, NOW, PLAN, add_call, add_week, plan, review

SAM = people.Actor(12, "sam", "supervisor", "south", full_name="Sam South")
WEEK = "2026-11-09"


@pytest.fixture
async def sampler(database: Database, writer: Writer, time_machine) -> Sampler:  # type: ignore[no-untyped-def]
    """The sampler at noon of a Wednesday, with people."""
    time_machine.move_to(NOW, tick=False)
    await people.hire(writer, people.Staff((*people.Staff().everybody, SAM)))
    return Sampler(database, writer, KYIV)


async def came(database: Database, actor: people.Actor = people.VERA, week: str = WEEK) -> list[Sampled]:
    async with database.read() as db:
        return await sampling.of_week(db, actor, week)


async def next_one(database: Database, actor: people.Actor = people.VERA) -> Sampled | None:
    async with database.read() as db:
        return await sampling.next_sampled(db, actor)


async def test_without_a_plan_nothing_is_drawn(database: Database, writer: Writer, sampler: Sampler) -> None:
    await add_week(writer)
    assert await sampler.run_once() == 0
    assert await came(database) == []


async def test_the_week_that_is_over_is_drawn_once_as_the_plan_says(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    calls = await add_week(writer)
    held = {"hold_s": 75.0}
    await add_call(writer, "held", MONDAY + timedelta(hours=50), part_s=20.0, **held)
    await plan(writer)
    assert await sampler.run_once() == 3
    assert await sampler.run_once() == 0
    found = await came(database)
    lots = [one for one in found if one.by == "lot"]
    assert len(lots) == 2 and {one.call_id for one in lots} <= set(calls)
    assert [(one.place, one.of) for one in lots] == [(1, 12), (2, 12)]
    (risk,) = [one for one in found if one.by == "risk"]
    assert (risk.call_id, risk.reasons[0].rule, risk.reasons[0].found) == ("held", "long_hold", 75.0)


async def test_a_draw_can_be_explained_and_repeated_by_who_may_see_it(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    calls = await add_week(writer)
    await plan(writer, risks=0)
    await sampler.run_once()
    draw = (await came(database))[0].draw_id
    for actor in (people.VERA, people.OLGA, people.ADAM):
        async with database.read() as db:
            found = await explaining.explain(db, actor, draw, KYIV)
        assert {ball.call_id for ball in found.balls} == set(calls)
        assert [ball.drawn for ball in found.balls] == [True, True] + [False] * 10
        assert [ball.ticket for ball in found.balls] == sorted(ball.ticket for ball in found.balls)
        assert found.same and found.again and found.whole and found.pot == 12
    for actor in (people.RUSLAN, SAM):
        async with database.read() as db:
            with pytest.raises(NotFound):
                await explaining.explain(db, actor, draw, KYIV)


async def test_a_pot_that_has_changed_since_says_so(database: Database, writer: Writer, sampler: Sampler) -> None:
    await add_week(writer)
    await plan(writer, risks=0)
    await sampler.run_once()
    draw = (await came(database))[0].draw_id
    await add_call(writer, "late", MONDAY + timedelta(hours=3))
    async with database.read() as db:
        found = await explaining.explain(db, people.VERA, draw, KYIV)
    assert not found.same and len(found.balls) == 13


async def test_a_running_week_is_drawn_by_lot_only_on_demand_and_says_until_when(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_week(writer, begin=MONDAY + timedelta(days=7))
    await plan(writer)
    assert await sampler.run_once() == 0
    assert await sampler.draw(NOW, running_by=people.VERA.user_id) == 2
    assert await sampler.draw(NOW, running_by=people.VERA.user_id) == 0
    found = await came(database, week="2026-11-16")
    async with database.read() as db:
        told = await explaining.explain(db, people.VERA, found[0].draw_id, KYIV)
    assert (told.until, told.whole, told.drawn_by) == (NOW, False, "Vera Chief")
    assert told.pot < 12  # the calls of Thursday and Friday are still to come
    later = NOW + timedelta(days=6)
    assert await sampler.draw(later) == 0  # the plan's two are there already


async def test_the_lot_counts_a_call_that_a_rule_had_named_before(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_call(writer, "only", MONDAY + timedelta(days=7), hold_s=90.0)
    await plan(writer)
    assert await sampler.run_once() == 1
    assert [one.by for one in await came(database, week="2026-11-16")] == ["risk"]
    await sampler.draw(NOW + timedelta(days=7))
    (one,) = await came(database, week="2026-11-16")
    assert (one.by, one.reasons[0].rule) == ("lot", "long_hold")


@pytest.mark.parametrize(
    ("rule", "limit", "call"),
    [
        ("talk_over", 10.0, {"overlap_s": 12.0}),
        ("short_call", 10.0, {"part_s": 6.0}),
        ("complaint", ["Complaint"], {"disposition": "Complaint"}),
    ],
)
async def test_each_rule_finds_its_call_in_the_database(
    database: Database, writer: Writer, sampler: Sampler, rule: str, limit: object, call: dict[str, object]
) -> None:
    await add_week(writer, 3)
    await add_call(writer, "it", MONDAY + timedelta(hours=30), **call)
    await plan(writer, lots=0, risks=5, long_hold=None, **{rule: limit})
    await sampler.run_once()
    assert [(one.call_id, [why.rule for why in one.reasons]) for one in await came(database)] == [("it", [rule])]


async def test_a_repeat_caller_is_counted_over_everybodys_calls_within_the_hours(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    often, seldom = {"client_number": "+380500000001"}, {"client_number": "+380500000002"}
    await add_call(writer, "olgas", MONDAY + timedelta(hours=1), **often)
    await add_call(writer, "before", MONDAY - timedelta(hours=20), people.RUSLAN, **often)
    await add_call(writer, "ruslans", MONDAY + timedelta(hours=9), people.RUSLAN, **often)
    await add_call(writer, "twice", MONDAY + timedelta(hours=1), **seldom)
    await add_call(writer, "long after", MONDAY + timedelta(hours=40), people.RUSLAN, **seldom)
    await plan(writer, lots=0, risks=5, long_hold=None, repeat_caller=2)
    await sampler.run_once()
    found = [(one.operator_id, one.call_id, one.reasons[0].found) for one in await came(database)]
    assert found == [(people.OLGA.user_id, "olgas", 3), (people.RUSLAN.user_id, "ruslans", 2)]


async def test_a_call_of_two_operators_lies_in_both_their_pots(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    at = MONDAY + timedelta(hours=1)
    await add_call(writer, "shared", at)
    await add_call(writer, "shared", at, people.RUSLAN, state="")
    await plan(writer)
    await sampler.run_once()
    assert {(one.call_id, one.operator_id) for one in await came(database)} == {("shared", 7), ("shared", 8)}


async def test_what_is_next_is_taken_by_one_and_offered_to_nobody_else(
    database: Database, writer: Writer, sampler: Sampler, time_machine
) -> None:
    await add_week(writer, 2)
    await plan(writer)
    await sampler.run_once()
    first = await next_one(database)
    assert first is not None
    await writer.do(lambda unit: taking.take(unit, people.VERA, first.id), name="take")
    other = await next_one(database, people.ADAM)
    assert other is not None and other.id != first.id
    assert (await next_one(database)).id == first.id  # type: ignore[union-attr]
    with pytest.raises(Conflict, match="Vera Chief has this call open"):
        await writer.do(lambda unit: taking.take(unit, people.ADAM, first.id), name="take")
    time_machine.move_to(NOW + timedelta(hours=3), tick=False)
    await writer.do(lambda unit: taking.take(unit, people.ADAM, first.id), name="take")
    await writer.do(lambda unit: taking.let_go(unit, people.ADAM, first.id), name="let go")
    assert (await next_one(database)).id in (first.id, other.id)  # type: ignore[union-attr]


async def test_a_call_is_done_when_it_was_scored_and_not_by_a_draft_or_a_round_of_calibration(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_call(writer, "one", MONDAY)
    await plan(writer)
    await sampler.run_once()
    await review(writer, "one", MONDAY, people.OLGA, people.VERA, state="draft")
    assert (await next_one(database)) is not None
    await review(writer, "one", MONDAY, people.OLGA, people.ADAM)
    assert (await next_one(database)) is None
    async with database.read() as db:
        (progress,) = await sampling.progress(db, people.VERA, WEEK)
    assert (progress.operator, progress.lots, progress.reviewed, progress.left) == ("Olga Bondar", 1, 1, 0)


async def test_skipping_needs_a_reason_and_the_same_lot_gives_another_which_undoing_takes_back(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_week(writer)
    await plan(writer, risks=0)
    await sampler.run_once()
    before = await came(database)
    with pytest.raises(Invalid):
        await writer.do(lambda unit: taking.skip(unit, people.VERA, before[0].id, "  ", KYIV), name="skip")
    skip = lambda unit: taking.skip(unit, people.VERA, before[0].id, "A private call", KYIV)  # noqa: E731
    assert await writer.do(skip, name="skip") == 1
    after = await came(database)
    assert [one.state for one in after] == ["skipped", "waiting", "waiting"]
    assert (after[0].reason, after[2].place, after[2].draw_id) == ("A private call", 3, before[0].draw_id)
    async with database.read() as db:
        assert (await explaining.explain(db, people.VERA, after[0].draw_id, KYIV)).again
        (progress,) = await sampling.progress(db, people.VERA, WEEK)
    assert (progress.lots, progress.skipped, progress.left) == (2, 1, 2)
    await writer.do(lambda unit: taking.put_back(unit, people.VERA, before[0].id), name="back")
    assert await came(database) == before
    with pytest.raises(Conflict):
        await writer.do(lambda unit: taking.put_back(unit, people.VERA, before[0].id), name="back")


async def test_supervisors_of_a_team_meet_their_teams_calls_and_nobody_meets_his_own(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_week(writer, 3)
    await add_week(writer, 3, people.RUSLAN)
    await add_week(writer, 3, people.VERA)
    await plan(writer)
    await sampler.run_once()
    assert {one.operator_id for one in await came(database)} == {7, 8}
    assert {one.operator_id for one in await came(database, people.ADAM)} == {7, 8, 9}
    assert {one.operator_id for one in await came(database, SAM)} == {8}
    with pytest.raises(NotAllowed):
        await came(database, people.OLGA)
    olgas = next(one for one in await came(database) if one.operator_id == 7)
    with pytest.raises(NotFound):
        await writer.do(lambda unit: taking.take(unit, SAM, olgas.id), name="take")
    async with database.read() as db:
        assert [one.id for one in await sampling.of_call(db, people.OLGA, olgas.call_id)] == [olgas.id]
        assert await sampling.of_call(db, people.RUSLAN, olgas.call_id) == []


async def test_a_teams_own_plan_counts_for_its_people_and_the_houses_for_the_rest(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_week(writer, 8)
    await add_week(writer, 8, people.RUSLAN)
    await plan(writer)
    await plan(writer, SAM, "south", lots=5)
    with pytest.raises(NotAllowed):
        await plan(writer, SAM, "")
    await sampler.run_once()
    found = [one.operator_id for one in await came(database)]
    assert (found.count(7), found.count(8)) == (2, 5)
    async with database.read() as db:
        assert [one.team for one in await plans.plans(db, SAM)] == ["", "south"]
    await writer.do(lambda unit: plans.drop(unit, people.VERA, "south", version=1), name="drop")
    async with database.read() as db:
        assert [one.team for one in await plans.plans(db, people.VERA)] == [""]


async def test_a_plan_that_cannot_be_is_refused_by_field_and_a_stale_one_by_version(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    for wrong in (
        {"lots": -1},
        {"lots": 2.5},
        {"long_hold": 0},
        {"repeat_caller": 1},
        {"complaint": [""]},
        {"risks": None},
    ):
        with pytest.raises(Invalid) as refused:
            await plan(writer, **wrong)
        assert list(refused.value.fields) == list(wrong)
    with pytest.raises(Invalid):
        await plan(writer, lots=0, risks=0)
    assert await plan(writer, complaint=["Complaint"]) == 1
    assert await plan(writer, version=1, lots=4) == 2
    with pytest.raises(Conflict):
        await plan(writer, version=1)
    async with database.read() as db:
        (saved,) = await plans.plans(db, people.VERA)
    assert (saved.wish, saved.changed_by, saved.since) == (plans.read({**PLAN, "lots": 4}), "Vera Chief", WEEK)


async def test_a_plan_that_is_switched_off_draws_nothing_and_what_was_drawn_stays(
    database: Database, writer: Writer, sampler: Sampler
) -> None:
    await add_week(writer)
    await plan(writer, active=False)
    assert await sampler.run_once() == 0
    await plan(writer, version=1)
    assert await sampler.run_once() == 2
    await plan(writer, version=2, active=False)
    assert len(await came(database)) == 2
