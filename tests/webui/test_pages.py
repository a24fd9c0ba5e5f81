"""The pages: what stands on them, that nothing hostile gets in, that forms keep what was typed."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from callcrm.accounts.policy import Actor
from callcrm.kernel import clock
from callcrm.tasks import service as tasks
from tests import people
from tests.webui import office
from tests.webui.conftest import Web, text_of
from tests.webui.test_middleware import INLINE

PLAIN = ["/", "/clients", "/clients/new", "/calls", "/callbacks", "/tasks", "/tasks/new", "/me", "/palette?q=ма"]


@pytest.fixture
async def busy(web: Web, tmp_path: Path) -> Web:
    """The office with its history."""
    await office.fill(web.parts.writer, tmp_path / "sound")
    return web


class Tags(HTMLParser):
    """The elements and attributes of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def harmless(text: str, path: str) -> None:
    """No element or attribute came out of somebody's name."""
    for tag, attributes in Tags(text).found:
        assert tag != "img", path
        assert tag != "script" or attributes.get("src"), path
        assert "style" not in attributes and not [name for name in attributes if name.startswith("on")], (path, tag)


@pytest.mark.parametrize("actor", [people.OLGA, people.ADAM], ids=lambda actor: actor.role)
async def test_hostile_names_are_text_everywhere_and_nothing_is_inline(busy: Web, actor: Actor) -> None:
    await office.ring(busy.parts.writer, "evil", client="442079460000")
    client = await busy.client(actor)
    more = ["/calls/stranger", "/calls/talked", "/calls/talked/legs", "/calls/evil", "/clients/4", "/desk/live?desk=1"]
    more += ["/desk/client", "/desk/work", "/clients?q=script", "/palette?q=script", "/calls?q=%3Cscript%3E"]
    more += [f"/clients?q={office.HOSTILE}", "/tasks?show=all", "/callbacks?show=closed"]
    more += ["/pbx", "/accounts", "/accounts/8"] if actor is people.ADAM else []
    seen = 0
    for path in [*PLAIN, *more]:
        async with client.get(path) as answer:
            text = await answer.text()
            assert answer.status == 200, (path, answer.status)
        harmless(text, path)
        assert "&lt;built-in" not in text and "&lt;bound method" not in text, path
        assert not INLINE.search(re.sub(r"&lt;.*?&gt;", "", text)), path
        seen += "&lt;script&gt;alert(1)" in text
    assert seen >= 8


async def test_the_desk_shows_what_is_owed_and_what_was_called(busy: Web) -> None:
    text = await text_of(await busy.client(people.OLGA), "/")
    assert "Ready for the next call" in text and "No call" in text
    assert "Budi Santoso" in text and "tried twice" in text
    assert "Send the new price list" in text


async def test_a_call_that_rings_stands_in_the_sheet_of_whose_phone_rings(busy: Web) -> None:
    await office.ring(busy.parts.writer)
    text = await text_of(await busy.client(people.OLGA), "/calls")
    assert 'data-state="ringing"' in text and "Lift the phone 101" in text
    assert "Марина Коваленко" in text and "Matched: this very number" in text
    other = await text_of(await busy.client(people.VERA), "/")
    assert 'id="live" class="live is-empty' in other


async def test_a_pop_that_only_the_socket_knows_is_shown_from_its_call(busy: Web) -> None:
    pop = await office.ring(busy.parts.writer, "soon", client=None)
    await office.set_pop(busy.parts.writer, pop, state="closed")
    client = await busy.client(people.OLGA)
    told = f"/desk/live?desk=1&pop={pop}&call=soon&state=offered&phone=101"
    assert "Number withheld" in await text_of(client, told)
    stranger = await busy.client(people.VERA)
    assert "Number withheld" not in await text_of(stranger, told)


async def test_answered_elsewhere_is_said_with_the_name(busy: Web) -> None:
    pop = await office.ring(busy.parts.writer)
    told = f"/desk/live?desk=1&pop={pop}&call=now&state=withdrawn&reason=elsewhere&by=Ruslan"
    assert "Answered by Ruslan" in await text_of(await busy.client(people.OLGA), told)


async def test_people_who_share_a_number_are_offered_and_the_choice_is_kept(busy: Web) -> None:
    pop = await office.ring(busy.parts.writer, "shared", client=office.SHARED)
    client = await busy.client(people.OLGA)
    text = await text_of(client, f"/desk/live?desk=1&pop={pop}")
    assert "2 people share this number" in text and "Oxana Lys" in text
    async with client.post(
        "/calls/shared/client", data={"client": "3"}, headers={"Accept": "application/json"}
    ) as answer:
        assert answer.status == 200
    assert "Matched: chosen by a person" in await text_of(client, f"/desk/live?desk=1&pop={pop}")
    pop = await office.ring(busy.parts.writer, "again", client=office.SHARED)
    assert 'class="who"><a class="plain" href="/clients/3"' in await text_of(client, f"/desk/live?desk=1&pop={pop}")


async def test_an_operator_does_not_reach_a_call_of_others(busy: Web) -> None:
    from tests.calls import making

    await office.record(busy.parts.writer, *making.outbound_life("his", office.ago(3), to="79160000001", by="102"))
    client = await busy.client(people.OLGA)
    await text_of(client, "/calls/his", 404)
    async with client.post("/calls/his/note", data={"text": "x"}) as answer:
        assert answer.status == 404
    assert "his" in await text_of(await busy.client(people.VERA), "/calls/his")


async def test_forms_keep_what_was_typed_and_say_beside_the_field_what_is_wrong(busy: Web) -> None:
    client = await busy.client(people.OLGA)
    typed = {"name": "Ann <b>Lee</b>", "organisation": "Acme", "number": "not a number", "email": "no mail"}
    async with client.post("/clients/new", data=typed) as answer:
        text = await answer.text()
        assert answer.status == 422
    assert 'value="Ann &lt;b&gt;Lee&lt;/b&gt;"' in text and 'value="no mail"' in text and 'value="Acme"' in text
    assert 'id="f-email-says"' in text and "a mail address looks like" in text
    async with client.post("/tasks/new", data={"title": "", "note": "keep this", "due": "2027-01-01T10:00"}) as answer:
        text = await answer.text()
        assert answer.status == 422
    assert "keep this" in text and 'id="f-title-says"' in text and 'value="2027-01-01T10:00"' in text


async def test_a_fact_is_changed_in_place_and_a_mistake_is_told_beside_it(busy: Web) -> None:
    client = await busy.client(people.OLGA)
    part = await text_of(client, "/clients/2/facts/emails")
    version = re.search(r'name="version" value="(\d+)"', part)
    assert version is not None
    send = {"value": "no mail", "version": version.group(1)}
    async with client.post("/clients/2/facts/emails", data=send, headers={"HX-Request": "true"}) as answer:
        text = await answer.text()
        assert answer.status == 422 and "no mail" in text and "a mail address looks like" in text
    async with client.post("/clients/2/facts/emails", data=send | {"value": "s@b.example"}) as answer:
        assert "s@b.example" in await answer.text()
    async with client.post("/clients/2/facts/emails", data=send | {"value": "z@b.example"}) as answer:
        text = await answer.text()
        assert answer.status == 409 and "meanwhile to: s@b.example" in text and "z@b.example" in text


async def test_an_unknown_caller_is_named_with_one_field(busy: Web) -> None:
    pop = await office.ring(busy.parts.writer, "new", client="79150001122")
    client = await busy.client(people.OLGA)
    text = await text_of(client, f"/desk/live?desk=1&pop={pop}")
    found = re.search(r'action="/clients/(\d+)/name"', text)
    assert found is not None and "New card: nobody had this number" in text
    async with client.post(f"/clients/{found.group(1)}/name", data={"name": "Gleb", "version": "1"}) as answer:
        assert "Gleb" in await answer.text()


async def test_ready_puts_the_pop_away_and_keeps_the_next_step(busy: Web) -> None:
    pop = await office.ring(busy.parts.writer)
    client = await busy.client(people.OLGA)
    send = {"next": "task", "what": "Send the contract", "when": "2027-01-01T10:00"}
    async with client.post(f"/desk/pop/{pop}/close", data=send) as answer:
        assert answer.status == 200
    assert "Send the contract" in await text_of(client, "/tasks")
    assert 'class="live is-empty' in await text_of(client, "/")
    async with (await busy.client(people.RUSLAN)).post(f"/desk/pop/{pop}/close", data={}) as answer:
        assert answer.status == 404


async def test_filters_stand_in_the_address_and_a_search_leads_where_it_belongs(busy: Web) -> None:
    client = await busy.client(people.VERA)
    missed = await text_of(client, "/calls?missed=yes")
    assert "/calls/lost" in missed and "/calls/talked" not in missed
    owed = await text_of(client, "/calls?show=owed")
    assert "/calls/lost2" in owed and "/calls/kept" not in owed
    assert "No call is like this" in await text_of(client, "/calls?since=2001-01-01&until=2001-01-02")
    assert "A day is written like" in await text_of(client, "/calls?since=yesterday")
    async with client.get("/calls?q=8 903 111-22-33", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/calls?number=%2B79031112233"
    async with client.get("/calls?q=Budi", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/clients?q=Budi"


async def test_the_palette_finds_clients_pages_and_actions(busy: Web) -> None:
    client = await busy.client(people.OLGA)
    assert 'href="/clients/1"' in await text_of(client, "/palette?q=ковален")
    assert "Budi Santoso" in await text_of(client, "/palette?q=1112233")
    text = await text_of(client, "/palette?q=call")
    assert 'href="/calls"' in text and 'href="/accounts"' not in text


async def test_a_call_back_that_was_agreed_on_was_not_tried_no_times(busy: Web) -> None:
    due = clock.now() + timedelta(hours=1)
    wish = {"kind": "callback", "title": "Call back", "number": "+79161230000", "due_at": due}
    await busy.parts.writer.do(lambda unit: tasks.add_task(unit, people.OLGA, wish), name="task")
    text = await text_of(await busy.client(people.OLGA), "/desk/work")
    assert "agreed on" in text
    assert "0 times" not in text
