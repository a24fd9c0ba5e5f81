"""What is written in the sheet, by one or by two; who it was instead; and when a call opens itself."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from callcrm.dispositions import DispositionSettings
from callcrm.kernel import clock
from tests import people
from tests.calls import making
from tests.webui import office
from tests.webui.conftest import Web, text_of
from webui import writing
from webui.app import make_app


@pytest.fixture
async def busy(web: Web, tmp_path: Path) -> Web:
    """The office with its history."""
    await office.fill(web.parts.writer, tmp_path / "sound")
    return web


async def save(client: TestClient, call: str, **fields: str) -> tuple[int, dict[str, object]]:
    async with client.post(f"/calls/{call}/note", data=fields, headers={"Accept": "application/json"}) as answer:
        return answer.status, await answer.json()


async def test_a_note_is_joined_with_what_a_second_browser_wrote(busy: Web) -> None:
    await office.ring(busy.parts.writer)
    client = await busy.client(people.OLGA)
    status, body = await save(client, "now", text="W")
    assert (status, body["version"], body["text"], body["merged"]) == (200, 1, "W", False)
    status, body = await save(client, "now", text="Wants", base="W", disposition="Order")
    assert (body["version"], body["text"], body["disposition"]) == (3, "Wants", "Order")
    status, body = await save(client, "now", text="W, other tab", base="W")
    assert (status, body["text"], body["merged"]) == (200, "Wants, other tab", True)
    status, body = await save(client, "now", disposition="Not on the list")
    assert (status, body["fields"]) == (422, {"disposition": "choose one from the list"})
    text = await text_of(client, "/calls/now")
    assert "Wants, other tab" in text and 'class="tag">Order<' in text


async def test_two_people_on_one_call_see_each_others_notes(busy: Web) -> None:
    await office.ring(busy.parts.writer)
    olga, ruslan = await busy.client(people.OLGA), await busy.client(people.RUSLAN)
    await save(olga, "now", text="Wants two <b>chairs</b>", disposition="Order")
    status, body = await save(ruslan, "now", text="By Friday")
    assert (status, body["text"]) == (200, "By Friday")
    wrote = {"user": people.OLGA.user_id, "person": "Olga Bondar", "text": "Wants two <b>chairs</b>"}
    assert (body["others"], body["disposition"], body["by"]) == ([wrote], "Order", "Olga Bondar")
    async with olga.get("/calls/now/notes") as answer:
        assert [one["text"] for one in (await answer.json())["others"]] == ["By Friday"]


async def test_nobody_reads_the_notes_of_a_call_that_is_not_his(busy: Web) -> None:
    client = await busy.client(people.RUSLAN)
    for path in ("/calls/unheard/notes", "/calls/none/notes"):
        async with client.get(path) as answer:
            assert answer.status == 404


async def test_who_it_was_instead_is_found_chosen_or_named_anew(busy: Web) -> None:
    await office.ring(busy.parts.writer)
    client = await busy.client(people.OLGA)
    assert "Type a name" in await text_of(client, "/desk/call/now/people")
    text = await text_of(client, "/desk/call/now/people?q=santoso")
    assert "Budi Santoso" in text and 'data-new="santoso"' in text and "Марина" not in text
    await text_of(await busy.client(people.VERA), "/desk/call/now/people", 404)
    async with client.post("/calls/now/client/new", data={"name": "<i>Ann</i> Lee"}) as answer:
        card = (await answer.json())["client"]
    text = await text_of(client, "/")
    assert "&lt;i&gt;Ann&lt;/i&gt; Lee" in text and f'href="/clients/{card}"' in text
    async with client.post(
        "/calls/now/client/new", data={"name": " "}, headers={"Accept": "application/json"}
    ) as answer:
        assert (answer.status, list((await answer.json())["fields"])) == (422, ["name"])


@pytest.mark.parametrize(
    ("policy", "opens", "waits"), [("ringing", True, False), ("answered", False, True), ("hand", False, True)]
)
async def test_a_call_opens_when_its_person_wants_it(busy: Web, policy: str, opens: bool, waits: bool) -> None:
    client = await busy.client(people.OLGA)
    async with client.post("/me", data={"pop": policy, "language": "", "time_zone": ""}) as answer:
        assert answer.status == 200
    pop = await office.ring(busy.parts.writer)
    text = await text_of(client, "/")
    assert ('data-state="ringing" data-pop=' in text, f'data-chip="{pop}"' in text) == (opens, waits)
    assert f'data-pop="{pop}"' in await text_of(client, f"/desk/live?pop={pop}")
    await office.set_pop(busy.parts.writer, pop, state="answered")
    text = await text_of(client, "/")
    assert f'data-chip="{pop}"' in text if policy == "hand" else f'data-pop="{pop}"' in text
    await office.set_pop(busy.parts.writer, pop, opened_at=clock.now())
    assert f'data-pop="{pop}"' in await text_of(client, "/")


async def talked(busy: Web, key: str, told: str) -> str:
    """Olga has talked with a client; the row of her pop is still, or already, in this state."""
    one = making.call(key, office.ago(0.3), client=office.MARINA)
    ringing = making.rings(one, "101", after=3.0)
    talking = making.answers(ringing[-1].call, "101", 6.0)
    ended = making.ends(talking[-1].call, 15.0)
    await office.record(busy.parts.writer, making.began(one), *ringing, *talking, ended)
    return await office.add_pop(busy.parts.writer, key, people.OLGA.user_id, told)


@pytest.mark.parametrize("told", ["offered", "answered", "wrapup"])
async def test_a_queue_that_demands_a_disposition_holds_the_operator_until_there_is_one(busy: Web, told: str) -> None:
    """Also when he is quicker than the row of his pop, which is written a moment after the browser was told."""
    words = busy.parts.settings.dispositions.model_copy(update={"required": ("sales",)})
    demanding = busy.parts.settings.model_copy(update={"dispositions": words})
    parts = replace(busy.parts, settings=demanding)
    pop = await talked(busy, "now", told)
    async with TestServer(make_app(parts)) as server:
        client = await Web(parts, server).client(people.OLGA)
        assert "data-required" in await text_of(client, f"/?pop={pop}")
        asked = {"Accept": "application/json"}
        async with client.post(f"/desk/pop/{pop}/close", data={}, headers=asked) as answer:
            assert (answer.status, list((await answer.json())["fields"])) == (422, ["disposition"])
        await save(client, "now", disposition="Order")
        async with client.post(f"/desk/pop/{pop}/close", data={}, headers=asked) as answer:
            assert answer.status == 200
    assert 'class="live is-empty' in await text_of(await busy.client(people.OLGA), "/")


NOON, EVENING = datetime(2026, 11, 18, 12, 7, tzinfo=UTC), datetime(2026, 11, 22, 22, 30, tzinfo=UTC)


def test_quick_times_are_near_and_none_is_there_twice() -> None:
    times = [(one.value, one.word) for one in writing.quick_times(NOON)]
    assert times == [
        ("2026-11-18T13:07", "In an hour"),
        ("2026-11-18T17:00", "Today 17:00"),
        ("2026-11-19T09:00", "Tomorrow 09:00"),
        ("2026-11-23T09:00", "Monday 09:00"),
    ]
    late = [one.word for one in writing.quick_times(EVENING)]
    assert late == ["In an hour", "In 3 hours", "Tomorrow 09:00"]


def test_words_and_groups_have_a_digit_each_and_a_word_that_is_no_more_stays_seen() -> None:
    listed = DispositionSettings.model_validate({"default": ["Done", {"group": "Sale", "words": ["Order", "Quote"]}]})
    found = [(one.group, one.key, [(w.word, w.key) for w in one.words]) for one in writing.entries(listed, None, "Old")]
    assert found == [
        ("", "1", [("Done", "1")]),
        ("Sale", "2", [("Order", "1"), ("Quote", "2")]),
        ("", "", [("Old", "")]),
    ]
