"""Disputes of released scores, and rounds of calibration."""

from datetime import timedelta

import pytest
import time_machine

from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.writer import Writer
from callcrm.quality import calibration, disputes, evaluations, queries
from callcrm.quality.spread import Drift, apart, by_question, drift
from tests.people import ADAM, OLGA, RUSLAN, VERA
from tests.quality.forms import SALES, answers, best
from tests.quality.scored import BOSS, NIKA, House


@pytest.fixture
async def house(writer: Writer) -> House:
    return await House(writer).open(calls=("one", "two"))


async def test_a_dispute_is_answered_and_the_score_stays(database: Database, house: House):
    row = await house.finished(VERA, but={"calm": "2"})
    key = row["id"]
    for actor in (RUSLAN, VERA):
        with pytest.raises(CallcrmError):
            await house.do(lambda unit, actor=actor: disputes.dispute(unit, actor, key, "no"))
    with pytest.raises(Invalid):
        await house.do(lambda unit: disputes.dispute(unit, OLGA, key, "  "))
    await house.do(lambda unit: disputes.dispute(unit, OLGA, key, "I was calm.", ["calm", "calm", "none"]))
    with pytest.raises(Conflict):
        await house.do(lambda unit: disputes.dispute(unit, OLGA, key, "Again"))
    with pytest.raises(Conflict):
        await house.do(lambda unit: evaluations.accept(unit, OLGA, key))
    async with database.read() as db:
        assert [(await queries.waiting(db, one)).disputed for one in (VERA, BOSS, NIKA)] == [1, 1, 0]
    for actor in (OLGA, NIKA):
        with pytest.raises(CallcrmError):
            await house.do(lambda unit, actor=actor: disputes.keep(unit, actor, key, "no"))
    await house.do(lambda unit: disputes.keep(unit, BOSS, key, "At 3:10 it was not."))
    with pytest.raises(Conflict):
        await house.do(lambda unit: disputes.keep(unit, ADAM, key, "Neither do I think so"))
    with pytest.raises(Conflict, match="was answered"):
        await house.do(lambda unit: disputes.dispute(unit, OLGA, key, "But"))
    async with database.read() as db:
        whole = await queries.whole(db, OLGA, key)
    assert [(one.act, one.person) for one in whole.log[3:]] == [("disputed", "Olga Bondar"), ("kept", "Boss North")]
    only = whole.disputes[0]
    assert (only.state, only.questions, only.answer) == ("kept", ("calm",), "At 3:10 it was not.")
    assert whole.line.score == row["score"]


async def test_a_correction_stands_in_the_place_of_the_score_which_is_kept(database: Database, house: House):
    old = await house.finished(VERA, but={"card": "no"})
    await house.do(lambda unit: disputes.dispute(unit, OLGA, old["id"], "The recording was paused."))
    draft = await house.do(lambda unit: disputes.begin_correction(unit, BOSS, old["id"]))
    assert draft == await house.do(lambda unit: disputes.begin_correction(unit, BOSS, old["id"]))
    fixed = best(SALES)
    silent = await house.do(lambda unit: evaluations.save_id(unit, BOSS, draft, fixed, version=1))
    with pytest.raises(Invalid, match="what you corrected"):
        await house.do(lambda unit: evaluations.submit(unit, BOSS, draft, version=2, after=[disputes.corrected]))
    saved = await house.do(
        lambda unit: evaluations.save_id(unit, BOSS, draft, fixed, "You are right.", version=silent.version)
    )
    done = await house.do(
        lambda unit: evaluations.submit(unit, BOSS, draft, version=saved.version, after=[disputes.corrected])
    )
    assert (done["state"], done["score"], done["replaces_id"]) == ("released", 100.0, old["id"])
    async with database.read() as db:
        before, now = await queries.whole(db, OLGA, old["id"]), await queries.whole(db, OLGA, draft)
        assert [line.id for line in await queries.of_call(db, VERA, "one")] == [draft]
        assert (await queries.waiting(db, VERA)).fatal == 0
    assert (before.line.score, before.line.replaced_by) == (0.0, draft)
    assert before.disputes[0].state == "corrected" and before.disputes[0].new_evaluation_id == draft
    assert now.line.score == 100.0 and now.line.replaced_by is None


async def test_a_correction_comes_too_late_when_the_dispute_is_settled(house: House):
    old = await house.finished(VERA)
    await house.do(lambda unit: disputes.dispute(unit, OLGA, old["id"], "No"))
    draft = await house.do(lambda unit: disputes.begin_correction(unit, VERA, old["id"]))
    saved = await house.do(lambda unit: evaluations.save_id(unit, VERA, draft, best(SALES), "Yes", version=1))
    await house.do(lambda unit: disputes.withdraw(unit, OLGA, old["id"]))
    with pytest.raises(Conflict, match="withdrawn"):
        await house.do(
            lambda unit: evaluations.submit(unit, VERA, draft, version=saved.version, after=[disputes.corrected])
        )
    # Who took his objection back may think again.
    assert await house.do(lambda unit: disputes.dispute(unit, OLGA, old["id"], "Yet"))


async def test_a_score_that_is_accepted_or_too_old_is_not_disputed(house: House):
    one, two = await house.finished(VERA), await house.finished(VERA, "two")
    await house.do(lambda unit: evaluations.accept(unit, OLGA, one["id"]))
    with pytest.raises(Conflict, match="accepted"):
        await house.do(lambda unit: disputes.dispute(unit, OLGA, one["id"], "No"))
    with time_machine.travel(clock.now() + timedelta(days=15)), pytest.raises(Conflict, match="14 days"):
        await house.do(lambda unit: disputes.dispute(unit, OLGA, two["id"], "No"))


async def test_graders_of_a_round_see_each_other_only_when_they_are_done(database: Database, house: House):
    mine = await house.finished(VERA)  # that the call was scored before is no hindrance
    people = [VERA.user_id, BOSS.user_id]
    for wrong in ([VERA.user_id], [VERA.user_id, OLGA.user_id], [VERA.user_id, RUSLAN.user_id]):
        with pytest.raises(Invalid):
            await house.do(lambda unit, wrong=wrong: calibration.begin(unit, VERA, house.subject(), wrong))
    key = await house.do(lambda unit: calibration.begin(unit, VERA, house.subject(), people, "The card"))
    with pytest.raises(NotAllowed):
        await house.finished(ADAM, calibration=key)
    strict = await house.finished(BOSS, but={"calm": "1", "need": "na"}, calibration=key)
    assert strict["state"] == "submitted"
    for stranger in (OLGA, NIKA):
        with pytest.raises((NotFound, NotAllowed)):
            async with database.read() as db:
                await calibration.whole(db, stranger, key)
    async with database.read() as db:
        before = await calibration.whole(db, VERA, key)
        with pytest.raises(NotFound):
            await queries.whole(db, VERA, strict["id"])
        assert (await calibration.rounds(db, VERA))[0].mine == "open"
    assert not before.shown and {one.score for one in before.grades} == {None} and before.apart is None
    mild = await house.finished(VERA, calibration=key)
    async with database.read() as db:
        after = await calibration.whole(db, VERA, key)
        assert (await queries.of_call(db, OLGA, "one"))[0].id == mine["id"]
        assert await calibration.drifts(db, VERA) == {}
    assert after.shown and after.apart is not None
    assert (after.apart.low, after.apart.high) == (strict["score"], mild["score"])
    with pytest.raises(NotAllowed):
        await house.do(lambda unit: calibration.close(unit, BOSS, key))
    await house.do(lambda unit: calibration.close(unit, VERA, key))
    with pytest.raises(Conflict):
        await house.do(lambda unit: evaluations.reopen(unit, BOSS, strict["id"]))
    async with database.read() as db:
        found = await calibration.drifts(db, BOSS)
    assert found["Boss North"].bias == -found["Vera Chief"].bias == pytest.approx(strict["score"] - 100)


def test_spread_is_told_by_grader_and_by_question() -> None:
    assert apart({1: 50.0}) is None
    found = apart({1: 60.0, 2: 80.0, 3: 100.0})
    assert found is not None and (found.mean, found.spread, found.deviation) == (80.0, 40.0, 16.3)
    assert found.off == {1: -20.0, 2: 0.0, 3: 20.0}
    asked = frozenset(question.key for question in SALES.questions())
    given = {
        1: (asked, answers(calm="1", need="na", greet="yes")),
        2: (asked, answers(calm="4", need="3", greet="yes")),
    }
    by_key = {one.key: one for one in by_question(SALES, given)}
    assert (by_key["calm"].spread, by_key["calm"].mixed, by_key["calm"].agree) == (75.0, False, False)
    assert (by_key["need"].spread, by_key["need"].mixed) == (0.0, True)
    assert by_key["greet"].agree
    assert drift([{1: 50.0, 2: 70.0}, {1: 80.0, 2: 70.0}, {3: 10.0}]) == {
        1: Drift(2, -5.0, 15.0),
        2: Drift(2, 5.0, 15.0),
    }
