"""Quality in the browser's eyes: forms made and published, calls scored, disputes answered, rounds compared."""

import re

import pytest
from aiohttp.test_utils import TestClient

from tests.people import ADAM, OLGA, VERA
from tests.webui import office
from tests.webui.conftest import Web, text_of


@pytest.fixture
async def vera(web: Web) -> TestClient:
    """A supervisor in an office with a published form."""
    await office.fill(web.parts.writer)
    client = await web.client(VERA)
    await _post(client, "/quality/forms/new", {"name": "Sales", "like": "usual"})
    await _post(client, "/quality/forms/1/edit", {"version": "1", "do": "publish"})
    return client


async def _post(client: TestClient, path: str, form: dict[str, str], status: int = 303) -> str:
    async with client.post(path, data=form, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, f"{path}: {answer.status}\n{text[:1500]}"
        return answer.headers.get("Location", "") or text


GOOD = {"q1": "yes", "q2": "5", "q3": "yes", "q4": "yes", "q5": "4", "q6": "yes", "q7": "yes", "q8": "5"}


def sheet(**changed: str) -> dict[str, str]:
    """A filled score form of Olga's talk."""
    given = GOOD | changed
    fields = {f"a.{key}": value for key, value in given.items() if value}
    return {"form": "1", "n": "1", "operator": str(OLGA.user_id), "evaluation": "", "version": "0", **fields}


async def test_a_form_is_drafted_checked_published_and_then_changed_only_as_a_next_version(vera: TestClient) -> None:
    page = await text_of(vera, "/quality/forms/1")
    assert "version 1" in page and "Card number kept out of the recording" in page
    await _post(vera, "/quality/forms/1/draft", {})
    base = {"version": "1", "name": "Sales line", "s.s1.title": "Opening", "s.s1.weight": "20"}
    at = await _post(vera, "/quality/forms/1/edit", base | {"do": "question:s1"})
    assert at == "/quality/forms/1/edit?at=q9#k-q9"
    bad = {
        "q.q9.text": "Asked for the name",
        "q.q9.kind": "choice",
        "q.q9.options": "Asked = two",
        "q.q9.points": "many",
    }
    said = await _post(vera, "/quality/forms/1/edit", {"version": "2", "s.s1.title": "O", **bad}, 422)
    assert "Write each answer and its points like" in said
    fixed = bad | {"q.q9.options": "Asked = 2\nGuessed = 1", "q.q9.points": "3", "s.s1.title": "O", "s.s1.weight": "20"}
    at = await _post(vera, "/quality/forms/1/edit", {"version": "2", "do": "publish", **fixed})
    page = await text_of(vera, at)
    assert "The weights of the sections are 105 % together; make them 100 %." in page and "Guessed = 1" in page
    await _post(vera, "/quality/forms/1/edit", {"version": "3", "do": "up:q9", "s.s1.title": "O", "s.s1.weight": "15"})
    async with vera.post("/quality/forms/1/edit", data={"version": "3", "do": "save"}) as answer:
        assert answer.status == 409
    await _post(vera, "/quality/forms/1/edit", {"version": "4", "do": "publish"})
    assert "Asked for the name" in await text_of(vera, "/quality/forms/1")
    assert "Asked for the name" not in await text_of(vera, "/quality/forms/1?n=1")


async def test_a_question_may_depend_on_another(vera: TestClient) -> None:
    await _post(vera, "/quality/forms/1/draft", {})
    text = {"s.s3.title": "Resolution", "s.s3.weight": "35", "q.q6.text": "Date?"}
    await _post(vera, "/quality/forms/1/edit", {"version": "1", **text, "q.q6.on": "q5"})
    page = await text_of(vera, "/quality/forms/1/edit")
    assert 'name="q.q6.at.5"' in page
    chosen = {"version": "2", **text, "q.q6.on": "q5", "q.q6.at.5": "yes"}
    await _post(vera, "/quality/forms/1/edit", chosen | {"do": "publish"})
    page = await text_of(vera, "/quality/forms/1")
    assert "Asked only when “Offer fits what the client asked” is answered: 5" in page


async def test_a_call_is_scored_beside_its_story_saved_as_it_goes_and_submitted(web: Web, vera: TestClient) -> None:
    assert 'href="/calls/talked?score=new"' in await text_of(vera, "/calls/talked")
    page = await text_of(vera, "/calls/talked?score=new")
    assert "Score: Sales, form 1" in page and "“No” makes the whole score 0" in page
    judged = re.compile(r'<div class="total">[^\n]*class="state"')
    assert not judged.search(page), "a form that was just opened says nothing of the operator"
    async with vera.post("/quality/calls/talked/draft", data=sheet(q8="", q7="no")) as answer:
        kept = await answer.json()
    assert judged.search(kept["total"])
    assert kept["open"] == ["q8"] and kept["silent"] == ["q7"] and kept["version"] == 1
    assert "1 left: ends at" in kept["total"] and kept["sums"]["s1"] == "15"
    page = await text_of(vera, "/calls/talked?score=new")
    assert re.search(r'name="a.q7" value="no"[^>]* checked', page) and "Throw this draft away" in page
    again = sheet(q8="5", q7="no") | {"evaluation": "1", "version": "1"}
    at = await _post(vera, "/quality/calls/talked/submit", again)
    assert at == "/calls/talked?score=1&check=1#score"
    assert "A comment is required." in await text_of(vera, at)
    done = again | {"version": "2", "c.q7": "At 2:31 without a word", "t.q7": "151"}
    assert await _post(vera, "/quality/calls/talked/submit", done) == "/calls/talked?score=1"
    page = await text_of(vera, "/calls/talked?score=1")
    assert 'data-to="151.0"' in page and "Submitted and released" in page
    async with vera.post("/quality/calls/talked/draft", data=done | {"version": "3"}) as answer:
        assert answer.status == 409
    olga = await web.client(OLGA)
    assert "My quality" in await text_of(olga, "/quality")
    assert "At 2:31 without a word" in await text_of(olga, "/quality/evaluations/1")
    assert 'data-state="info">' in await text_of(olga, "/quality")
    assert "Score this call" not in await text_of(olga, "/calls/talked?score=new")


async def test_a_score_is_disputed_kept_and_another_corrected(web: Web, vera: TestClient) -> None:
    olga = await web.client(OLGA)
    await _post(vera, "/quality/calls/talked/submit", sheet(q4="no") | {"c.q4": "Read aloud at 1:00"})
    page = await text_of(olga, "/quality/evaluations/1")
    assert "Fatal error: the whole score is 0" in page and "I accept this score" in page
    assert "says-bad" in await _post(olga, "/quality/evaluations/1/dispute", {"said": " "}, 422)
    await _post(olga, "/quality/evaluations/1/dispute", {"said": "It was paused.", "question": "q4"})
    assert "Disputed" in await text_of(vera, "/quality?show=disputed")
    at = await _post(vera, "/quality/evaluations/1/correct", {})
    assert at == "/calls/talked?score=2" and "You correct a disputed score" in await text_of(vera, at)
    fixed = sheet() | {"evaluation": "2", "version": "1"}
    silent = await _post(vera, "/quality/calls/talked/submit", fixed)
    assert "check=1" in silent
    await _post(vera, "/quality/calls/talked/submit", fixed | {"version": "2", "comment": "You are right."})
    page = await text_of(olga, "/quality/evaluations/1")
    assert "This score was corrected after a dispute" in page and "You are right." in page
    assert "/quality/evaluations/2" in await text_of(olga, "/quality")
    await _post(olga, "/quality/evaluations/2/accept", {})
    assert "Accepted" in await text_of(vera, "/quality/evaluations/2")


async def test_what_waits_is_released_together(web: Web, vera: TestClient) -> None:
    await _post(vera, "/quality/forms/1/draft", {})
    await _post(vera, "/quality/forms/1/edit", {"version": "1", "do": "publish", "release": "hand"})
    await _post(vera, "/quality/calls/talked/submit", sheet() | {"n": "2"})
    olga = await web.client(OLGA)
    assert "No evaluation of your calls yet" in await text_of(olga, "/quality")
    assert "Release the chosen" in await text_of(vera, "/quality?show=waiting")
    await _post(vera, "/quality/release", {"id": "1"})
    assert "/quality/evaluations/1" in await text_of(olga, "/quality")


async def test_graders_score_apart_and_see_the_spread_when_they_are_done(web: Web, vera: TestClient) -> None:
    adam = await web.client(ADAM)
    asked = {"call": "talked", "operator": str(OLGA.user_id), "form": "1:1", "note": "The offer"}
    assert "2 to 12 of them" in await _post(vera, "/quality/calibration/new", asked | {"grader.9": "9"}, 422)
    await _post(vera, "/quality/calibration/new", asked | {"grader.9": "9", "grader.10": "10"})
    assert "Waits for your score" in await text_of(adam, "/quality/calibration")
    await _post(adam, "/quality/calls/talked/submit", sheet(q5="1") | {"calibration": "1"})
    hidden = await text_of(vera, "/quality/calibration/1")
    assert "shown when your own score is in" in hidden and "Standard deviation" not in hidden
    page = await text_of(vera, "/calls/talked?score=r1")
    assert 'name="calibration" value="1"' in page
    at = await _post(vera, "/quality/calls/talked/submit", sheet() | {"calibration": "1"})
    page = await text_of(vera, at)
    assert "Standard deviation" in page and re.search(r"triangle-alert[^<]*</use>|#triangle-alert", page)
    await _post(vera, "/quality/calibration/1/close", {})
    assert "Who is strict, who is mild" in await text_of(adam, "/quality/calibration")


async def test_who_scores_blind_sees_no_name_until_he_has_submitted(web: Web, vera: TestClient) -> None:
    await _post(vera, "/quality/forms/1/draft", {})
    await _post(vera, "/quality/forms/1/edit", {"version": "1", "do": "publish", "release": "submit", "blind": "yes"})
    assert "Olga Bondar" in await text_of(vera, "/calls/talked")
    page = await text_of(vera, "/calls/talked?score=new")
    assert "Operator A" in page and "Scored blind" in page
    assert "Olga" not in page and "101" not in re.sub(r'(value|data-\w+|d|points)="[^"]*"', "", page).split("<main")[1]
    await _post(vera, "/quality/calls/talked/submit", sheet() | {"n": "2"})
    assert "Olga Bondar" in await text_of(vera, "/calls/talked?score=1")


async def test_a_draft_is_thrown_away_and_an_empty_house_is_taught(web: Web) -> None:
    client = await web.client(VERA)
    assert "First a form, then scores" in await text_of(client, "/quality")
    await office.fill(web.parts.writer)
    assert "There is no published quality form yet." in await text_of(client, "/calls/talked?score=new")
    await _post(client, "/quality/forms/new", {"name": "", "like": ""}, 422)
    await _post(client, "/quality/forms/new", {"name": "Sales", "like": "usual"})
    await _post(client, "/quality/forms/1/edit", {"version": "1", "do": "publish"})
    async with client.post("/quality/calls/talked/draft", data=sheet()) as answer:
        assert (await answer.json())["evaluation"] == 1
    assert "Draft" in await text_of(client, "/quality?show=mine")
    await _post(client, "/quality/evaluations/1/drop", {"call": "talked"})
    assert "/quality/evaluations/1" not in await text_of(client, "/quality?show=mine")
    await _post(client, "/quality/forms/1/retire", {})
    assert "Out of use" in await text_of(client, "/quality/forms")
