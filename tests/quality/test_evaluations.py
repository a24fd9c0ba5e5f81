"""Evaluations from draft to release, on both databases: who may, what is refused, what never changes again."""

from typing import Any

import pytest
from sqlalchemy import select

from callcrm.accounts.policy import Actor
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer
from callcrm.quality import evaluations, forms, queries
from callcrm.quality.queries import Filters, Waiting
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answer
from tests.people import ADAM, OLGA, RUSLAN, VERA
from tests.quality.forms import SALES, answers, best
from tests.quality.scored import BOSS, NIKA, House

BY_HAND = SALES.model_copy(update={"release": "hand"})


@pytest.fixture
async def house(writer: Writer) -> House:
    return await House(writer).open(calls=("one", "two"))


async def line_of(database: Database, actor: Actor, evaluation_id: int) -> queries.EvaluationLine:
    async with database.read() as db:
        return (await queries.whole(db, actor, evaluation_id)).line


async def listed(database: Database, actor: Actor, show: str = "", **more: Any) -> list[int]:
    async with database.read() as db:
        found = await queries.evaluation_list(db, actor, Filters(show, **more), Wanted())
    return [one.id for one in found.items]


async def test_a_draft_is_kept_as_far_as_it_goes_and_nobody_else_sees_it(database: Database, house: House):
    first = await house.draft(VERA, answers(greet="yes"))
    given = answers(greet="yes", card="no") | {"hold": Answer("no", "At 2:31", 151.24)}
    second = await house.do(lambda unit: evaluations.save_id(unit, VERA, first.id, given, "So far", version=1))
    assert (second.id, second.version, second.score.fatal) == (first.id, 2, ("card",))
    async with database.read() as db:
        whole = await queries.whole(db, VERA, first.id)
    assert whole.answers["hold"] == Answer("no", "At 2:31", 151.2) and whole.comment == "So far"
    assert whole.line.score is None
    for other in (OLGA, ADAM, BOSS):
        with pytest.raises(NotFound):
            await line_of(database, other, first.id)
    assert await listed(database, VERA, "mine") == [first.id] and await listed(database, ADAM) == []


async def test_two_windows_do_not_write_over_each_other(house: House):
    first = await house.draft(VERA, answers(greet="yes"))
    await house.do(lambda unit: evaluations.save_id(unit, VERA, first.id, answers(greet="no"), version=1))
    with pytest.raises(Conflict, match="another window"):
        await house.do(lambda unit: evaluations.save_id(unit, VERA, first.id, answers(greet="na"), version=1))
    with pytest.raises(Conflict, match="another window"):
        await house.draft(VERA, answers())


async def test_what_the_form_does_not_take_is_refused_with_its_place(house: House):
    for bad in ({"greet": Answer("perhaps")}, {"greet": Answer("yes", "x" * 2001)}):
        with pytest.raises(Invalid) as caught:
            await house.draft(VERA, bad)
        assert caught.value.fields.keys() == {"greet"}


async def test_nothing_unfinished_is_submitted(house: House):
    saved = await house.draft(VERA, best(SALES, but={"hold": "no"}) | {"hold": Answer("no"), "calm": Answer()})
    with pytest.raises(Invalid) as caught:
        await house.do(lambda unit: evaluations.submit(unit, VERA, saved.id, version=1))
    assert caught.value.fields == {"calm": "an answer is missing", "hold": "a comment is required"}


async def test_submitted_is_released_at_once_and_never_changes_again(database: Database, house: House):
    row = await house.finished(VERA, but={"hold": "no", "calm": "3"})
    assert (row["state"], row["score"], row["band"], row["critical"]) == ("released", 79.2, "Exceeds", 1)
    assert (await line_of(database, OLGA, row["id"])).score == 79.2
    again = lambda unit: evaluations.save_id(unit, VERA, row["id"], answers(greet="no"), version=row["version"])  # noqa: E731
    for work in (
        again,
        lambda unit: evaluations.submit(unit, VERA, row["id"], version=row["version"]),
        lambda unit: evaluations.reopen(unit, VERA, row["id"]),
        lambda unit: evaluations.drop(unit, VERA, row["id"]),
    ):
        with pytest.raises(Conflict):
            await house.do(work)
    with pytest.raises(Conflict):
        await house.draft(VERA, answers(greet="no"))
    assert (await line_of(database, VERA, row["id"])).score == 79.2
    async with database.read() as db:
        acts = (await db.execute(select(Audit.act).where(Audit.what == "evaluation"))).scalars().all()
    assert acts == ["score"]


async def test_what_is_released_by_hand_waits_and_may_be_reopened_until_then(database: Database, writer: Writer):
    house = await House(writer).open(BY_HAND)
    row = await house.finished(VERA)
    with pytest.raises(NotFound):
        await line_of(database, OLGA, row["id"])
    with pytest.raises(NotFound):
        await house.do(lambda unit: evaluations.reopen(unit, ADAM, row["id"]))
    await house.do(lambda unit: evaluations.reopen(unit, VERA, row["id"]))
    line = await line_of(database, VERA, row["id"])
    assert (line.state, line.score, line.band) == ("draft", None, "")
    await house.do(lambda unit: evaluations.submit(unit, VERA, row["id"], version=line.version))
    assert await listed(database, ADAM, "waiting") == [row["id"]]
    with pytest.raises(NotFound):
        await house.do(lambda unit: evaluations.release(unit, NIKA, [row["id"]]))
    assert await house.do(lambda unit: evaluations.release(unit, BOSS, [row["id"], row["id"]])) == 1
    assert (await line_of(database, OLGA, row["id"])).state == "released"
    assert await house.do(lambda unit: evaluations.release(unit, ADAM, [row["id"]])) == 0


async def test_who_may_score_whom(house: House):
    for actor, error in ((OLGA, NotAllowed), (RUSLAN, NotAllowed), (NIKA, NotAllowed)):
        with pytest.raises(error):
            await house.draft(actor, answers())
    assert (await house.draft(BOSS, answers())).id and (await house.draft(ADAM, answers())).id
    own = Subject("one", RUSLAN.user_id, house.form_id, 1)
    with pytest.raises(Invalid, match="did not talk"):
        await house.do(lambda unit: evaluations.save(unit, VERA, own, answers()))
    for subject in (Subject("none", OLGA.user_id, house.form_id, 1), Subject("one", OLGA.user_id, house.form_id, 9)):
        with pytest.raises(NotFound):
            await house.do(lambda unit, subject=subject: evaluations.save(unit, VERA, subject, answers()))


async def test_the_operator_sees_and_accepts_what_is_his(database: Database, house: House):
    row = await house.finished(VERA)
    for other in (RUSLAN, NIKA):
        with pytest.raises(NotFound):
            await line_of(database, other, row["id"])
    async with database.read() as db:
        assert await queries.waiting(db, OLGA) == Waiting(fresh=1)
    await house.do(lambda unit: evaluations.see(unit, VERA, row["id"]))
    assert (await line_of(database, OLGA, row["id"])).seen_at is None
    await house.do(lambda unit: evaluations.see(unit, OLGA, row["id"]))
    await house.do(lambda unit: evaluations.accept(unit, OLGA, row["id"]))
    with pytest.raises(NotFound):
        await house.do(lambda unit: evaluations.accept(unit, VERA, row["id"]))
    async with database.read() as db:
        whole = await queries.whole(db, OLGA, row["id"])
        assert await queries.waiting(db, OLGA) == Waiting()
    assert [one.act for one in whole.log] == ["begun", "submitted", "released", "seen", "accepted"]
    assert whole.line.accepted_at is not None and await listed(database, OLGA, "own") == [row["id"]]


async def test_a_fatal_error_waits_until_a_supervisor_took_note(database: Database, house: House):
    row = await house.finished(VERA, but={"card": "no"})
    assert (row["score"], row["earned"], row["band"], row["compliance"]) == (0.0, 87.5, "Issue", 50.0)
    async with database.read() as db:
        assert [(await queries.waiting(db, one)).fatal for one in (VERA, BOSS, NIKA, OLGA)] == [1, 1, 0, 0]
    await house.do(lambda unit: evaluations.note_fatal(unit, BOSS, row["id"]))
    assert await listed(database, VERA, "fatal") == []


async def test_lists_narrow_by_person_form_and_time(database: Database, house: House):
    one, two = await house.finished(VERA), await house.finished(ADAM, "two")
    first = (await line_of(database, VERA, one["id"])).began
    assert await listed(database, VERA) == [two["id"], one["id"]]
    assert await listed(database, VERA, grader=ADAM.user_id) == [two["id"]]
    assert await listed(database, VERA, operator=RUSLAN.user_id) == []
    assert await listed(database, VERA, since=first) == [one["id"]]
    async with database.read() as db:
        page = await queries.evaluation_list(db, VERA, Filters(), Wanted(1))
        rest = await queries.evaluation_list(db, VERA, Filters(), Wanted(1, page.next or ""))
        assert [line.id for line in await queries.of_call(db, VERA, "two")] == [two["id"]]
    assert [line.id for line in (*page.items, *rest.items)] == [two["id"], one["id"]] and rest.next is None


async def test_a_published_form_is_changed_by_a_new_version_only(database: Database, house: House):
    row = await house.finished(VERA)
    other = SALES.model_copy(update={"sections": SALES.sections[:1]})
    with pytest.raises(NotFound):
        await house.do(lambda unit: forms.save_draft(unit, VERA, house.form_id, other, 1))
    n = await house.do(lambda unit: forms.begin_draft(unit, VERA, house.form_id))
    assert n == 2 and await house.do(lambda unit: forms.begin_draft(unit, ADAM, house.form_id)) == 2
    held = await house.do(lambda unit: forms.save_draft(unit, VERA, house.form_id, other, 1, name="Sales, short"))
    with pytest.raises(Invalid) as caught:
        await house.do(lambda unit: forms.publish(unit, VERA, house.form_id, held))
    assert "sections" in caught.value.fields
    with pytest.raises(Conflict):
        await house.do(lambda unit: forms.save_draft(unit, ADAM, house.form_id, SALES, 1))
    await house.do(lambda unit: forms.save_draft(unit, VERA, house.form_id, SALES, held))
    await house.do(lambda unit: forms.publish(unit, VERA, house.form_id, held + 1))
    async with database.read() as db:
        assert (await queries.whole(db, OLGA, row["id"])).asked.n == 1
        assert [(one.n, one.form) for one in await forms.offered(db, VERA)] == [(2, SALES)]
        assert (await forms.listed(db, VERA))[0].used == 1


async def test_a_retired_form_is_offered_no_more_and_what_was_scored_stays(database: Database, house: House):
    row = await house.finished(VERA)
    await house.do(lambda unit: forms.retire(unit, VERA, house.form_id))
    with pytest.raises(Invalid):
        await house.draft(VERA, answers(), "two")
    async with database.read() as db:
        assert await forms.offered(db, VERA) == []
        assert (await queries.whole(db, OLGA, row["id"])).asked.form == SALES
    await house.do(lambda unit: forms.retire(unit, VERA, house.form_id, back=True))
    assert (await house.draft(VERA, answers(), "two")).id


async def test_a_draft_form_that_was_never_published_goes_with_its_draft(database: Database, house: House):
    made = await house.do(lambda unit: forms.add(unit, VERA, " Support  line "))
    assert await house.do(lambda unit: forms.drop_draft(unit, VERA, made, 1)) is False
    with pytest.raises(NotAllowed):
        await house.do(lambda unit: forms.add(unit, OLGA, "Mine"))
    async with database.read() as db:
        assert [one.name for one in await forms.listed(db, VERA)] == ["Sales"]
