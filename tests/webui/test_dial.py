"""Click to call, step by step: whose phone rings now, and what came of it."""

import re
from dataclasses import replace

from sqlalchemy import update

from callcrm.calls.call import Change
from callcrm.kernel.tables import Command
from tests import people
from tests.calls import making
from tests.webui import office
from tests.webui.conftest import Web, text_of


async def test_each_step_says_whose_phone_rings(web: Web) -> None:
    client = await web.client(people.OLGA)
    headers = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    async with client.post("/dial", data={"number": "+79161234567"}, headers=headers) as answer:
        text = await answer.text()
    assert "Lift your phone 101: it rings now." in text
    found = re.search(r"/dial/(\w{32})", text)
    assert found
    steps = found[0]

    life = making.outbound_life("clicked", office.ago(0), click_to_call=True)
    began, answered, ended = life[0], life[1], life[-1]
    ringing = replace(began.call, state="ringing", ringing=("101",))
    await office.record(web.parts.writer, Change("call.began", ringing, ringing.at or 0.0))
    assert "Lift your phone 101" in await text_of(client, steps)
    await web.parts.writer.do(lambda unit: unit.db.execute(update(Command).values(state="done")), name="lifted")
    assert "Calling the client…" in await text_of(client, steps)
    await office.record(web.parts.writer, answered)
    assert "The client answered." in await text_of(client, steps)
    await office.record(web.parts.writer, ended)
    assert "You talked; the call is over." in await text_of(client, steps)
