"""Dialling, people, queues, PBXes, health and figures."""

from sqlalchemy import insert

from callcrm.kernel import clock
from callcrm.kernel.tables import Command, LinkState
from callcrm.kernel.writer import Unit
from callcrm.shifts import service as shifts
from callcrm.shifts.states import Rules
from callcrm.telephony.tables import QueueMember, QueueRow
from tests.api.conftest import Api
from tests.people import ADAM, OLGA, RUSLAN, VERA


async def test_a_dial_is_a_command_with_an_expiry_to_be_followed(api: Api) -> None:
    wish = await api.send(OLGA, "POST", "/dial", {"number": "+79161234567"}, 202)
    assert (wish["state"], wish["extension"], wish["pbx"]) == ("wanted", "101", "office")
    assert wish["expires_at"] > wish["wanted_at"]
    async with api.parts.database.read() as db:
        row = (await db.execute(Command.__table__.select())).one()
    assert (row.id, row.kind, row.wanted_by) == (wish["id"], "dial", OLGA.user_id)
    assert (await api.get(OLGA, f"/commands/{wish['id']}"))["state"] == "wanted"
    await api.get(RUSLAN, f"/commands/{wish['id']}", 404)


async def test_a_number_that_may_not_be_dialled_is_refused_beside_its_field(api: Api) -> None:
    for number in ("*98", "+7916\r\nAction: Logoff", "x" * 50, "12;rm"):
        problem = await api.send(OLGA, "POST", "/dial", {"number": number}, 422)
        assert "number" in problem["fields"], number


async def test_only_a_supervisor_lets_anothers_phone_ring(api: Api) -> None:
    await api.send(OLGA, "POST", "/dial", {"number": "+79161234567", "operator": "ruslan"}, 403)
    wish = await api.send(VERA, "POST", "/dial", {"number": "+79161234567", "operator": "ruslan"}, 202)
    assert wish["extension"] == "102"
    await api.send(VERA, "POST", "/dial", {"number": "+79161234567"}, 422)
    await api.send(VERA, "POST", "/dial", {"number": "+79161234567", "operator": "nobody"}, 422)


async def test_people_are_listed_as_far_as_one_sees(api: Api) -> None:
    assert [one["name"] for one in (await api.get(OLGA, "/operators"))["items"]] == ["olga"]
    everybody = {one["name"]: one for one in (await api.get(VERA, "/operators"))["items"]}
    assert set(everybody) == {"olga", "ruslan", "vera", "adam"}
    assert everybody["olga"]["phones"] == [{"pbx": "office", "extension": "101"}]


async def test_queues_tell_who_waits(api: Api) -> None:
    row = {"pbx": "office", "waiting": 1, "longest_since": clock.now(), "members": 1, "changed_at": clock.now()}
    await api.do(insert(QueueRow).values(**row, queue="sales"))
    await api.do(insert(QueueRow).values(**row, queue="help"))
    place = {"pbx": "office", "queue": "sales", "state": "free", "paused": True, "reason": "Lunch"}
    for extension in ("101", "102"):
        one = {"interface": f"PJSIP/{extension}", "extension": extension, "paused_at": clock.now()}
        await api.do(insert(QueueMember).values(**place, **one))
    queues = {one["name"]: one for one in (await api.get(OLGA, "/queues"))["items"]}
    assert (queues["sales"]["waiting"], queues["sales"]["label"]) == (1, "Sales")
    assert queues["sales"]["longest_since"].endswith("Z")
    assert queues["help"]["waiting"] == 1
    assert [(one["operator"], one["paused"], one["reason"]) for one in queues["sales"]["members"]] == [
        (OLGA.user_id, True, "Lunch")
    ]
    everybody = {one["name"]: one for one in (await api.get(VERA, "/queues"))["items"]}
    assert [one["operator"] for one in everybody["sales"]["members"]] == [OLGA.user_id, RUSLAN.user_id]


async def test_people_are_listed_with_what_they_do(api: Api) -> None:
    async def rest(unit: Unit) -> None:
        await shifts.start(unit, OLGA)
        await shifts.pause(unit, OLGA, "Lunch", Rules(pauses={"Lunch": 0.0}))

    await api.parts.writer.do(rest, name="rest")
    everybody = {one["name"]: one for one in (await api.get(VERA, "/operators"))["items"]}
    assert (everybody["olga"]["state"], everybody["olga"]["reason"]) == ("paused", "Lunch")
    assert everybody["olga"]["since"].endswith("Z")
    assert (everybody["ruslan"]["state"], everybody["ruslan"]["since"]) == ("off", None)


async def test_pbxes_tell_how_the_link_stands(api: Api) -> None:
    assert (await api.get(OLGA, "/pbx"))["items"][0]["state"] == "unknown"
    row = {"pbx": "office", "state": "connected", "words": "Connected.", "since": clock.now(), "version": "22"}
    await api.do(insert(LinkState).values(**row))
    assert (await api.get(OLGA, "/pbx"))["items"][0]["words"] == "Connected."


async def test_alive_is_one_thing_and_ready_another_told_in_words(api: Api) -> None:
    client = await api.program(None)
    async with client.get("/healthz") as answer:
        assert answer.status == 200
    async with client.get("/readyz") as answer:
        lamps = await answer.json()
    assert answer.status == 503
    assert lamps["database"]["ok"] is True
    assert lamps["pbx"]["office"]["ok"] is False
    assert "listener" in lamps["pbx"]["office"]["words"]
    assert "push port" in lamps["push"]["words"]


async def test_figures_are_there_for_monitoring(api: Api) -> None:
    await api.call("open", ended_at=None, state="talking")
    await api.call("heard", OLGA)
    await api.recording("heard", "a.wav", "late")
    client = await api.program(None)
    async with client.get("/metrics") as answer:
        text = await answer.text()
    assert 'callcrm_calls_open{pbx="office",state="talking"} 1.0' in text
    assert 'callcrm_recordings{state="late"} 1.0' in text
    for name in ("callcrm_push_clients", "callcrm_pop_event_to_sent_seconds", "callcrm_writer_waiting"):
        assert name in text


async def test_without_a_token_there_is_a_problem_document_and_no_redirect(api: Api) -> None:
    assert (await api.get(None, "/calls", 401))["status"] == 401
    client = await api.program(None)
    async with client.get("/api/v1/calls", headers={"Authorization": "Bearer wrong"}) as answer:
        assert answer.status == 401
    assert (await api.get(ADAM, "/nothing", 404))["status"] == 404
