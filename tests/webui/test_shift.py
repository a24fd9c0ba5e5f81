"""The shift over HTTP: with and without a script, and what is refused in words."""

from datetime import timedelta

from sqlalchemy import insert, select

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Line
from callcrm.kernel import clock
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit
from callcrm.shifts import queries as shifts
from callcrm.shifts import service
from callcrm.shifts.tables import OperatorState, Standing
from tests import people
from tests.webui.conftest import Web, text_of

ASKS = {"HX-Request": "true", "Accept": "application/json"}


async def state_of(web: Web, actor: people.Actor) -> str:
    async with web.parts.database.read() as db:
        return (await shifts.standings(db)).get(actor.user_id, shifts.NOBODY).state


async def test_a_shift_works_without_a_script(web: Web) -> None:
    client = await web.client(people.OLGA)
    answer = await client.post("/me/shift", data={"shift": "start"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert await state_of(web, people.OLGA) == "available"
    await client.post("/me/pause", data={"reason": "Lunch"}, allow_redirects=False)
    assert "Paused: Lunch" in await text_of(client, "/shell/me")
    await client.post("/me/resume", allow_redirects=False)
    assert await state_of(web, people.OLGA) == "available"
    await client.post("/me/shift", data={"shift": "end"}, allow_redirects=False)
    assert await state_of(web, people.OLGA) == "off"


async def test_the_dialog_offers_phones_and_tells_how_the_pbx_stands(web: Web) -> None:
    await web.parts.writer.do(lambda unit: service.start(unit, people.RUSLAN), name="start")
    text = await text_of(await web.client(people.OLGA), "/me/shift")
    assert 'value="office/101"' in text
    assert "The listener has not tried this PBX yet." in text
    assert 'value="102"' not in text


async def test_what_cannot_be_is_said_in_the_dialog_and_keeps_what_was_typed(web: Web) -> None:
    await web.parts.writer.do(lambda unit: service.start(unit, people.RUSLAN), name="start")
    client = await web.client(people.OLGA, **ASKS)
    for typed, said in {
        "102": "Ruslan Tkach works at phone 102 now",
        "<b>x</b>": "is no extension of a PBX",
        "": "Type the extension of the phone",
    }.items():
        answer = await client.post("/me/shift", data={"shift": "start", "phone": "other", "other": typed})
        text = await answer.text()
        assert answer.status == 409, text
        assert said in text
        assert "<b>x</b>" not in text
    answer = await client.post("/me/shift", data={"shift": "start", "phone": "nowhere/101"})
    assert "There is no PBX nowhere" in await answer.text()
    assert await state_of(web, people.OLGA) == "off"


async def test_a_reason_that_is_not_the_houses_is_refused(web: Web) -> None:
    client = await web.client(people.OLGA, **ASKS)
    await client.post("/me/shift", data={"shift": "start"})
    answer = await client.post("/me/pause", data={"reason": "<script>"})
    assert answer.status == 422
    assert "Break, Lunch, Meeting, Training" in (await answer.json())["detail"]


async def test_another_phone_of_the_house_is_taken_and_shown(web: Web) -> None:
    client = await web.client(people.OLGA, **ASKS)
    answer = await client.post("/me/shift", data={"shift": "start", "phone": "other", "other": "110"})
    assert (await answer.json())["said"] == "The shift has begun."
    async with web.parts.database.read() as db:
        assert (await accounts.phones(db))[Line("office", "110")] == people.OLGA.user_id
    assert "phone <b>110, 101</b>" in await text_of(await web.client(people.OLGA), "/")


async def test_signing_out_of_the_last_browser_ends_the_shift(web: Web) -> None:
    one, two = await web.client(people.OLGA), await web.client(people.OLGA)
    await one.post("/me/shift", data={"shift": "start"}, allow_redirects=False)
    await one.post("/sign-out", allow_redirects=False)
    assert await state_of(web, people.OLGA) == "available"
    await two.post("/sign-out", allow_redirects=False)
    assert await state_of(web, people.OLGA) == "off"


async def test_accounts_show_what_people_do(web: Web) -> None:
    await web.parts.writer.do(lambda unit: service.start(unit, people.OLGA), name="start")
    assert "Available" in await text_of(await web.client(people.ADAM), "/accounts")


async def test_shift_times_are_seen_as_far_as_the_role_reaches_and_taken_out_by_right(web: Web) -> None:
    """Olga works until noon with a lunch; her day opens as the spells that its figures are counted from."""
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)

    async def work(unit: Unit) -> None:
        spells = ((0, "available", ""), (60, "talking", ""), (90, "wrapup", ""), (95, "paused", "=Lunch"))
        for n, (minute, state, reason) in enumerate(spells):
            began, ended = noon + timedelta(minutes=minute), noon + timedelta(minutes=[60, 90, 95, 120][n])
            row = {"began": began, "ended": ended, "user_id": people.OLGA.user_id, "state": state, "reason": reason}
            await unit.db.execute(insert(OperatorState), row | {"how": "unseen" if n == 3 else ""})
        for actor in (people.OLGA, people.RUSLAN):
            row = {"user_id": actor.user_id, "state": "off", "since": noon, "mind": {}, "asked": {}}
            await unit.db.execute(insert(Standing), row)

    await web.parts.writer.do(work, name="spells")
    day = noon.date().isoformat()
    olga, ruslan, vera = [await web.client(one) for one in (people.OLGA, people.RUSLAN, people.VERA)]
    page = f"/shifts?from={day}&to={day}"
    own, all_ = await text_of(olga, page), await text_of(vera, page)
    for figure in ("2:00:00", "1:00:00", "30:00", "5:00", "25:00", "37 %", "by rule"):
        assert figure in own and figure in all_
    assert "My shift times" in own and "Ruslan" not in own and "No shift in these days" in all_
    spells = await text_of(vera, f"/shifts/{people.OLGA.user_id}?day={day}")
    assert "Paused: =Lunch" in spells and "12:00:00" in spells and "Nobody saw its end" in spells
    only = await text_of(vera, f"/shifts/{people.OLGA.user_id}?day={day}&state=paused")
    assert "Paused: =Lunch" in only and "12:00:00" not in only
    await text_of(ruslan, f"/shifts/{people.OLGA.user_id}?day={day}", 404)
    assert "No shift in these days" in await text_of(ruslan, page)
    await text_of(olga, f"/shifts.csv?from={day}&to={day}", 403)
    lines = (await text_of(vera, f"/shifts.csv?from={day}&to={day}")).splitlines()
    told = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert len(lines) == 2 and told["day"] == day
    assert (told["on_shift_s"], told["available_s"], told["on_calls_s"], told["wrap_up_s"]) == tuple(
        map(str, (7200, 3600, 1800, 300))
    )
    assert told["pause: =Lunch"] == "1500" and "set by a rule" in told["remark"]
    async with web.parts.database.read() as db:
        (noted,) = (await db.execute(select(Audit.detail).where(Audit.what == "shifts"))).scalars()
    assert noted == {"from": day, "to": day, "people": 2}
    for bad in (f"/shifts?from={day}&to=2000-01-01", "/shifts?from=soon", "/shifts?from=0001-01-01&to=9999-12-31"):
        assert 'role="alert"' in await text_of(vera, bad, 422)
