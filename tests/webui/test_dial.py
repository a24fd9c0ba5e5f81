"""Click to call, step by step: whose phone rings now, what warns before, what came of it, and how it is cancelled."""

import re
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import select, update

from callcrm.accounts.tables import User
from callcrm.calls.call import Call, CallLeg, Change
from callcrm.calls.tables import Dial
from callcrm.clients import editing
from callcrm.kernel.tables import Audit, Command
from tests import people
from tests.calls import making
from tests.webui import office
from tests.webui.conftest import Web, text_of

NUMBER = "+79161234567"
PAGE = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


async def press(client: TestClient, path: str = "/dial", **fields: str) -> str:
    """A button that is pressed; the fragment that comes back."""
    async with client.post(path, data=fields, headers=PAGE) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def followed(text: str) -> str:
    """Where the steps are asked for."""
    found = re.search(r'hx-get="(/dial/\w{32})"', text)
    assert found
    return found[1]


async def rows(web: Web, statement: Any) -> list[Any]:
    async with web.parts.database.read() as db:
        return list(await db.execute(statement))


async def settle(web: Web, state: str) -> None:
    await web.parts.writer.do(lambda unit: unit.db.execute(update(Command).values(state=state)), name="settle")


async def life(web: Web, *, answered: bool = True, **ends: Any) -> list[Change]:
    """The call of the dial as the PBX tells it."""
    (dial,) = await rows(web, select(Dial.call_id, Dial.channel))
    cause = ends.pop("cause", None)
    changes = making.outbound_life(dial.call_id, office.ago(0), answered, click_to_call=True)

    def of_dial(one: Call) -> Call:
        own = CallLeg("PJSIP/101-1", dial.channel, "operator", "101", one.at, None, None, None, cause)
        return replace(one, uniqueid=dial.channel, legs=(own, *one.legs[1:]))

    told = [replace(change, call=of_dial(change.call)) for change in changes]
    told[-1] = replace(told[-1], call=replace(told[-1].call, **ends))
    return told


async def test_each_step_says_whose_phone_rings(web: Web) -> None:
    client = await web.client(people.OLGA)
    text = await press(client, number=NUMBER)
    assert "Lift your phone 101: it rings now." in text
    steps = followed(text)
    began, answered, *_, ended = await life(web)
    ringing = replace(began.call, state="ringing", ringing=("101",))
    await office.record(web.parts.writer, Change("call.began", ringing, ringing.at or 0.0))
    assert "Lift your phone 101" in await text_of(client, steps)
    await settle(web, "done")
    assert "Calling the client…" in await text_of(client, steps)
    await office.record(web.parts.writer, answered)
    assert "The client answered." in await text_of(client, steps)
    await office.record(web.parts.writer, ended)
    assert "You talked; the call is over." in await text_of(client, steps)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("busy", "The client’s line is busy."),
        ("no answer", "The client did not answer."),
        ("no such number", "There is no such number."),
        ("congestion", "The provider has no free line at present."),
    ],
)
async def test_what_became_of_the_clients_phone_is_said_in_words(web: Web, outcome: str, says: str) -> None:
    client = await web.client(people.OLGA)
    steps = followed(await press(client, number=NUMBER))
    await settle(web, "done")
    await office.record(web.parts.writer, *await life(web, answered=False, outcome=outcome))
    assert says in await text_of(client, steps)


@pytest.mark.parametrize(
    ("state", "cause", "says"),
    [
        ("refused", 17, "Your own phone 101 is busy; the client was not called."),
        ("refused", 21, "You declined the call at your phone 101; the client was not called."),
        ("sent", 19, "Your own phone 101 did not answer; the client was not called."),
    ],
)
async def test_why_ones_own_phone_did_not_come_to_it_is_said(web: Web, state: str, cause: int, says: str) -> None:
    client = await web.client(people.OLGA)
    steps = followed(await press(client, number=NUMBER))
    await settle(web, state)
    outcome = {"outcome": "operator did not pick up", "cause": cause}
    await office.record(web.parts.writer, *await life(web, answered=False, **outcome))
    assert says in await text_of(client, steps)


async def test_a_wish_that_ran_out_was_not_dialled_and_never_will_be(web: Web) -> None:
    client = await web.client(people.OLGA)
    steps = followed(await press(client, number=NUMBER))
    await settle(web, "expired")
    assert "nothing was dialled, and nothing will be" in await text_of(client, steps)


async def test_a_double_enter_and_a_second_tab_make_one_call(web: Web) -> None:
    first, second = await web.client(people.OLGA), await web.client(people.OLGA)
    told = [await press(client, number=number) for client in (first, second) for number in (NUMBER, "8 916 1234567")]
    assert len({followed(text) for text in told}) == 1
    assert len(await rows(web, select(Command.id))) == 1
    assert "is calling +79161234567; cancel that call first" in await press(second, number="+74951112233")


async def test_a_page_that_is_loaded_anew_shows_the_call_that_is_under_way(web: Web) -> None:
    client = await web.client(people.OLGA)
    async with client.get("/dial/now") as answer:
        assert answer.status == 204
    steps = followed(await press(client, number=NUMBER))
    assert followed(await text_of(client, "/dial/now")) == steps
    await settle(web, "refused")
    async with client.get("/dial/now") as answer:
        assert answer.status == 204


async def test_a_call_is_cancelled_once_and_says_so(web: Web) -> None:
    client = await web.client(people.OLGA)
    steps = followed(await press(client, number=NUMBER))
    assert "The call is being ended." in await press(client, f"{steps}/cancel")
    await press(client, f"{steps}/cancel")
    kinds = [row.kind for row in await rows(web, select(Command.kind))]
    assert sorted(kinds) == ["cancel_dial", "dial"]
    await settle(web, "cancelled")
    assert "You cancelled the call." in await text_of(client, steps)
    other = await web.client(people.RUSLAN)
    await text_of(other, steps, 404)


async def marked(web: Web) -> None:
    """A client who asked not to be called."""
    card = {"name": "Anna <b>Berg</b>", "do_not_call": True}
    await web.parts.writer.do(
        lambda unit: editing.add_client(unit, people.OLGA, card, [NUMBER], country="RU"), name="card"
    )


async def test_a_warning_comes_before_the_call_and_the_second_press_calls(web: Web) -> None:
    await marked(web)
    client = await web.client(people.OLGA)
    text = await press(client, number=NUMBER)
    assert "Anna &lt;b&gt;Berg&lt;/b&gt; asked not to be called." in text
    assert await rows(web, select(Command.id)) == []
    (override,) = re.findall(r'name="override" value="([^"]*)"', text)
    assert override == "do_not_call"
    assert "Lift your phone" in await press(client, number=NUMBER, override=override)
    (told,) = await rows(web, select(Audit.act, Audit.detail).where(Audit.act == "override"))
    assert told.detail["warnings"] == ["do_not_call"]


async def test_an_override_of_another_warning_does_not_count(web: Web) -> None:
    await marked(web)
    client = await web.client(people.OLGA)
    assert "Not called yet" in await press(client, number=NUMBER, override="night,in_call,anything")
    assert await rows(web, select(Command.id)) == []


async def test_a_tel_link_asks_and_calls_nobody_by_itself(web: Web) -> None:
    await marked(web)
    client = await web.client(people.OLGA)
    text = await text_of(client, "/dial?number=tel:%2B7-916-123-45-67")
    assert "Call this number?" in text
    assert "asked not to be called." in text
    assert f'name="number" value="{NUMBER}"' in text
    assert await rows(web, select(Command.id)) == []
    assert "may not be dialled" in await text_of(client, "/dial?number=tel:*98%3Cscript%3E", 422)


async def test_another_site_cannot_make_a_call(web: Web) -> None:
    client = await web.client(people.OLGA)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    async with client.post("/dial", data={"number": NUMBER}, headers=foreign) as answer:
        assert answer.status == 403
    assert await rows(web, select(Command.id)) == []


async def test_without_scripts_the_warning_is_a_page_with_its_form(web: Web) -> None:
    await marked(web)
    client = await web.client(people.OLGA)
    same = {"Sec-Fetch-Site": "same-origin"}
    async with client.post("/dial", data={"number": NUMBER}, headers=same, allow_redirects=False) as answer:
        assert answer.status == 409
        assert "Call anyway" in await answer.text()
    fields = {"number": NUMBER, "override": "do_not_call"}
    async with client.post("/dial", data=fields, headers=same, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_typing_a_number_in_the_palette_offers_to_call_it(web: Web) -> None:
    client = await web.client(people.OLGA)
    for typed in ("8 (916) 123-45-67", "%2B7 916 1234567", "79161234567"):
        assert f'data-dial="{NUMBER}"' in await text_of(client, f"/palette?q={typed}")
    assert 'data-dial="102"' in await text_of(client, "/palette?q=102")
    assert "data-dial" not in await text_of(client, "/palette?q=anna")
    vera = await web.client(people.VERA)
    assert "data-dial" not in await text_of(vera, "/palette?q=79161234567")


async def test_who_sees_numbers_masked_calls_by_the_row_and_never_gets_the_number(web: Web) -> None:
    await marked(web)
    masked = update(User).where(User.id == people.OLGA.user_id).values(masked=True)
    await web.parts.writer.do(lambda unit: unit.db.execute(masked), name="mask")
    await office.record(web.parts.writer, *making.answered_life("olgas", office.ago(30), others=()))
    client = await web.client(replace(people.OLGA, masked=True))
    told = [await text_of(client, page) for page in ("/clients", "/clients/1", "/calls/olgas")]
    assert 'data-whom="number:1"' in await text_of(client, "/palette?q=berg")
    assert all('name="number" value="+' not in text for text in told)
    (whom,) = set(re.findall(r'name="whom" value="(number:[^"]*)"', told[1]))
    assert 'name="whom" value="call:olgas"' in told[2]
    warned = await press(client, whom=whom)
    assert "asked not to be called." in warned and f'name="whom" value="{whom}"' in warned
    steps = await press(client, whom=whom, override="do_not_call")
    assert "Lift your phone" in steps
    assert await rows(web, select(Dial.number)) == [(NUMBER,)]
    (audited,) = await rows(web, select(Audit.detail).where(Audit.act == "override"))
    assert audited.detail["warnings"] == ["do_not_call"]
    busy = await press(client, number="+74951112233")
    assert "is calling +791" in busy and "cancel that call first" in busy
    assert "on no card any more" in await press(client, whom="number:999")
    assert "not yours to see" in await press(client, whom="call:nobodys")
    assert "is not said" in await press(client, whom="task:1 OR 1")
    told += [warned, steps, busy, await text_of(client, "/dial/now")]
    assert not any(NUMBER in text or NUMBER[1:] in text for text in told)
