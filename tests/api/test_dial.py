"""Click to call and live calls for programs: warnings, steps, cancelling, and what may be done now."""

from dataclasses import replace

from sqlalchemy import select

from callcrm.calls.call import Change
from callcrm.calls.service import record
from callcrm.clients import editing
from callcrm.kernel import clock
from callcrm.kernel.tables import Command, LinkState
from callcrm.kernel.upsert import upsert
from tests.api.conftest import Api
from tests.calls import making
from tests.people import OLGA, RUSLAN

NUMBER = "+79035550199"


async def marked(api: Api) -> None:
    """A client who asked not to be called."""
    card = {"name": "Nora", "do_not_call": True}
    await api.parts.writer.do(lambda unit: editing.add_client(unit, OLGA, card, [NUMBER], country="RU"), name="card")


async def test_a_warning_is_a_problem_with_its_reasons_and_an_override(api: Api) -> None:
    await marked(api)
    problem = await api.send(OLGA, "POST", "/dial", {"number": NUMBER}, 409)
    assert (problem["status"], problem["title"]) == (409, "There is a reason not to call this number now.")
    assert problem["warnings"] == [{"kind": "do_not_call", "words": "Nora asked not to be called."}]
    await api.send(OLGA, "POST", "/dial", {"number": NUMBER, "override": ["everything"]}, 422)
    wish = await api.send(OLGA, "POST", "/dial", {"number": NUMBER, "override": ["do_not_call"]}, 202)
    found = await api.get(OLGA, f"/dial/{wish['id']}")
    assert (found["step"], found["pending"], found["overridden"]) == ("phone", True, ["do_not_call"])
    assert found["says"] == "Lift your phone 101: it rings now."


async def test_a_dial_is_ones_own_and_cancelled_once(api: Api) -> None:
    wish = await api.send(OLGA, "POST", "/dial", {"number": NUMBER}, 202)
    assert await api.send(OLGA, "POST", "/dial", {"number": "8 903 555-01-99"}, 202) == wish
    await api.send(OLGA, "POST", "/dial", {"number": "+74951112233"}, 409)
    await api.get(RUSLAN, f"/dial/{wish['id']}", 404)
    for _ in range(2):
        found = await api.send(OLGA, "DELETE", f"/dial/{wish['id']}", None, 202)
        assert (found["cancelled"], found["pending"]) == (True, True)
    async with api.parts.database.read() as db:
        kinds = (await db.execute(select(Command.kind).order_by(Command.wanted_at))).scalars().all()
    assert kinds == ["dial", "cancel_dial"]


async def talking(api: Api) -> None:
    """Olga talks with a client, and the PBX is reached."""
    life = making.answered_life("live", clock.now().timestamp() - 30, others=())
    one = life[-2].call
    one = replace(one, legs=tuple(replace(leg, answered_at=one.answered_at) for leg in one.legs))
    told = [life[0], Change("call.answered", one, one.answered_at or 0.0, "101")]
    people = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
    await api.parts.writer.do(lambda unit: record(unit, told, people), name="talks")
    row = {"pbx": "office", "state": "connected", "words": "", "since": clock.now(), "version": "22"}
    row["detail"] = {"allowed": ["Hangup", "BlindTransfer", "Atxfer"]}
    await api.parts.writer.do(lambda unit: upsert(unit.db, LinkState, row), name="link")


async def test_what_may_be_done_with_a_live_call_is_told_with_the_reasons(api: Api) -> None:
    await talking(api)
    found = await api.get(OLGA, "/calls/live/actions")
    acts = {one["action"]: one for one in found["actions"]}
    assert {name for name, one in acts.items() if one["allowed"]} == {"blind", "attended", "hang_up"}
    assert "(Park)" in acts["park"]["why"]
    await api.get(RUSLAN, "/calls/live/actions", 404)


async def test_an_act_is_a_command_once_and_needs_its_target(api: Api) -> None:
    await talking(api)
    await api.send(OLGA, "POST", "/calls/live/actions", {"action": "blind"}, 422)
    await api.send(OLGA, "POST", "/calls/live/actions", {"action": "blind", "to": "*98"}, 422)
    await api.send(OLGA, "POST", "/calls/live/actions", {"action": "explode"}, 422)
    await api.send(RUSLAN, "POST", "/calls/live/actions", {"action": "hang_up"}, 404)
    body = {"action": "blind", "to": "102", "once": "0123456789abcdef" * 2}
    first = await api.send(OLGA, "POST", "/calls/live/actions", body, 202)
    assert await api.send(OLGA, "POST", "/calls/live/actions", body, 202) == first
    assert (first["kind"], first["state"]) == ("blind_transfer", "wanted")
    problem = await api.send(OLGA, "POST", "/calls/live/actions", {"action": "hang_up"}, 409)
    assert problem["detail"] == "Something is being done with this call at this moment."


async def test_a_masked_account_dials_by_the_row_that_has_the_number(api: Api) -> None:
    await api.call("one", OLGA)
    await api.mask(OLGA)
    wish = await api.send(OLGA, "POST", "/dial", {"call": "one"}, 202)
    assert wish["number"].startswith("+791") and "•" in wish["number"]
    found = await api.get(OLGA, f"/dial/{wish['id']}")
    assert "•" in found["number"] and "9161234567" not in str(found)
    for body in ({}, {"call": "one", "number": NUMBER}):
        await api.send(OLGA, "POST", "/dial", body, 422)
    await api.send(OLGA, "POST", "/dial", {"number_id": 99}, 404)
    await api.send(OLGA, "POST", "/dial", {"task": 99}, 404)
