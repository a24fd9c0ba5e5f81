"""Quality for programs: what the pages show, with their rights and their blindness."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from callcrm.calls.tables import CallRow
from callcrm.kernel import clock
from callcrm.quality import coaching, disputes, evaluations, forms
from callcrm.quality.coaching import Stretch
from callcrm.quality.sampling_tables import SampledCall, SamplingDraw
from callcrm.quality.scorable import Subject
from callcrm.quality.tables import FormVersion
from tests.api.conftest import Api
from tests.people import ADAM, OLGA, RUSLAN, VERA
from tests.quality.forms import SALES, best


async def do(api: Api, work: Any, *given: Any, **named: Any) -> Any:
    return await api.parts.writer.do(lambda unit: work(unit, *given, **named), name="test")


@pytest.fixture
async def scored(api: Api) -> int:
    """Olga's call, scored by Vera with a lost hold and released; gives the evaluation."""
    await api.call("one", OLGA, talks=[{"operator": "101", "talk_s": 60.0, "at": None}])
    form_id = await do(api, forms.add, VERA, "Sales", SALES)
    await do(api, forms.publish, VERA, form_id, 1)
    subject = Subject("one", OLGA.user_id, form_id, 1)
    saved = await do(api, evaluations.save, VERA, subject, best(SALES, but={"hold": "no"}), "Say it before you press.")
    await do(api, evaluations.submit, VERA, saved.id, version=1)
    return int(saved.id)


async def test_forms_are_read_with_what_each_version_asks(api: Api, scored: int) -> None:
    (form,) = (await api.get(VERA, "/forms"))["items"]
    assert (form["name"], form["published"], form["draft"], form["used"]) == ("Sales", 1, None, 1)
    (version,) = (await api.get(VERA, f"/forms/{form['id']}"))["items"]
    assert version == await api.get(VERA, f"/forms/{form['id']}/versions/1")
    assert [one["key"] for one in version["asks"]["sections"]] == ["opening", "law", "solve", "talk"]
    assert version["asks"]["sections"][1]["questions"][1]["severity"] == "fatal"
    assert [one["upto"] for one in version["asks"]["bands"]] == [25, 50, 75, 100]
    await api.get(OLGA, "/forms", 403)
    await api.get(VERA, f"/forms/{form['id']}/versions/9", 404)


async def test_an_evaluation_is_read_with_its_answers_scores_and_dispute(api: Api, scored: int) -> None:
    await do(api, disputes.dispute, OLGA, scored, "I said it at 0:31.", ["hold"])
    whole = await api.get(VERA, f"/evaluations/{scored}")
    line = whole["evaluation"]
    assert (line["state"], line["operator_id"], line["disputed"], line["call_id"]) == (
        "released",
        OLGA.user_id,
        True,
        "one",
    )
    answers = {one["question"]: one for one in whole["answers"]}
    assert (answers["hold"]["value"], answers["hold"]["share"]) == ("no", 0)
    assert {one["section"]: one["score"] for one in whole["sections"]}["opening"] == 100
    assert sum(one["weight"] for one in whole["sections"]) == pytest.approx(100)
    total = sum(one["score"] * one["weight"] for one in whole["sections"]) / 100
    assert line["score"] == pytest.approx(total, abs=0.1)
    (dispute,) = whole["disputes"]
    assert dispute == (await api.get(VERA, "/disputes?state=open"))["items"][0]
    assert (dispute["state"], dispute["said"], dispute["questions"]) == ("open", "I said it at 0:31.", ["hold"])
    assert [step["act"] for step in whole["log"]] == ["begun", "submitted", "released", "disputed"]
    await do(api, disputes.keep, VERA, scored, "It is not on the recording.")
    (answered,) = (await api.get(OLGA, "/disputes"))["items"]
    assert (answered["state"], answered["answer"]) == ("kept", "It is not on the recording.")
    assert (await api.get(VERA, "/disputes?state=open"))["items"] == []


async def test_an_operator_is_given_his_own_released_scores_and_nobody_elses(api: Api, scored: int) -> None:
    assert [one["id"] for one in (await api.get(OLGA, "/evaluations"))["items"]] == [scored]
    assert (await api.get(RUSLAN, "/evaluations?call=one"))["items"] == []
    assert (await api.get(RUSLAN, "/disputes"))["items"] == []
    await api.get(RUSLAN, f"/evaluations/{scored}", 404)
    await api.get(OLGA, "/evaluations?show=waiting", 403)
    assert (await api.get(OLGA, f"/evaluations/{scored}"))["evaluation"]["seen_at"]
    asked = {"": [scored], "operator=7": [scored], "operator=8": [], "call=none": [], "show=disputed": []}
    for query, expected in asked.items():
        assert [one["id"] for one in (await api.get(VERA, f"/evaluations?{query}"))["items"]] == expected, query


async def test_what_is_scored_blind_names_nobody_until_it_is_submitted(api: Api, scored: int) -> None:
    await api.do(update(FormVersion).values(body=SALES.model_copy(update={"blind": True}).model_dump(mode="json")))
    await api.call("two", OLGA, minutes=9, talks=[{"operator": "101", "talk_s": 60.0, "at": None}])
    saved = await do(api, evaluations.save, ADAM, Subject("two", OLGA.user_id, 1, 1), best(SALES))
    draft = await api.get(ADAM, f"/evaluations/{saved.id}")
    assert (draft["evaluation"]["operator_id"], draft["evaluation"]["operator"]) == (None, "")
    await api.get(VERA, f"/evaluations/{saved.id}", 404)
    await sampled(api, "two")
    (review,) = (await api.get(VERA, "/reviews/next"))["items"]
    assert (review["call_id"], review["operator_id"], review["operator"]) == ("two", None, "")
    await do(api, evaluations.submit, ADAM, saved.id, version=1)
    line = (await api.get(ADAM, f"/evaluations/{saved.id}"))["evaluation"]
    assert (line["operator_id"], line["operator"]) == (OLGA.user_id, OLGA.full_name)


async def sampled(api: Api, call: str, week: str = "") -> str:
    """A call of Olga's that came out by lot; gives its week."""
    week = week or clock.now().date().isoformat()
    async with api.parts.database.read() as db:
        began = (await db.execute(CallRow.__table__.select().where(CallRow.id == call))).one().began
    its = {"week": week, "operator_id": OLGA.user_id}
    draw = {
        **its,
        "at": clock.now(),
        "plan_id": 1,
        "by": "lot",
        "seed": "5",
        "until": clock.now(),
        "pot": 3,
        "drawn": 1,
    }
    one = {**its, "draw_id": 1, "began": began, "call_id": call, "by": "lot", "place": 1, "of": 3, "ticket": "0a"}
    why = [{"rule": "long_hold", "found": 75.0, "limit": 60.0, "times": 0}]
    await api.do(insert(SamplingDraw).values(**draw), insert(SampledCall).values(**one, reasons=why))
    return week


async def test_what_is_next_says_why_and_the_week_how_far_it_has_got(api: Api, scored: int) -> None:
    await api.call("two", OLGA, minutes=9)
    week = await sampled(api, "two")
    (review,) = (await api.get(VERA, "/reviews/next"))["items"]
    assert (review["by"], review["place"], review["of"], review["operator"]) == ("lot", 1, 3, OLGA.full_name)
    assert review["reasons"] == [{"rule": "long_hold", "found": 75.0, "limit": 60.0, "times": 0}]
    progress = await api.get(VERA, "/reviews/progress")
    assert (progress["week"], progress["weeks"]) == (week, [week])
    (row,) = progress["items"]
    assert (row["operator_id"], row["lots"], row["reviewed"], row["left"]) == (OLGA.user_id, 1, 0, 1)
    assert (await api.get(VERA, "/reviews/progress?week=2001-01-01"))["items"] == []
    await api.get(VERA, "/reviews/progress?week=soon", 422)
    for path in ("/reviews/next", "/reviews/progress"):
        await api.get(OLGA, path, 403)


async def test_a_coaching_list_tells_a_stranger_to_the_call_neither_call_nor_colleague(api: Api) -> None:
    await api.call("one", OLGA)
    await api.recording("one", "a.wav")
    key = await do(api, coaching.make, VERA, "Openings")
    await do(api, coaching.add_moment, VERA, key, Stretch("one", 0, 2.0, 9.0), "Listen to the first breath")
    await do(api, coaching.give, VERA, key, [RUSLAN.user_id])
    (line,) = (await api.get(RUSLAN, "/coaching-lists"))["items"]
    assert (line["title"], line["given"], line["mine"], line["moments"], line["heard"]) == (
        "Openings",
        True,
        False,
        1,
        0,
    )
    theirs = await api.get(RUSLAN, f"/coaching-lists/{key}")
    assert (theirs["moments"][0]["call_id"], theirs["moments"][0]["operator"], theirs["people"]) == (None, "", [])
    hers = await api.get(VERA, f"/coaching-lists/{key}")
    assert (hers["moments"][0]["call_id"], hers["moments"][0]["from_s"]) == ("one", 2.0)
    assert [(one["operator_id"], one["heard"]) for one in hers["people"]] == [(RUSLAN.user_id, 0)]
    assert (await api.get(OLGA, "/coaching-lists"))["items"] == []
    await api.get(OLGA, f"/coaching-lists/{key}", 404)
    await do(api, coaching.put_away, VERA, key)
    assert (await api.get(VERA, "/coaching-lists"))["items"] == []
    assert [one["id"] for one in (await api.get(VERA, "/coaching-lists?away=true"))["items"]] == [key]
