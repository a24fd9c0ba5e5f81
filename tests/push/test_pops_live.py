"""A phone rings, a screen pops: over real sockets, from facts in a real database."""

from callcrm.kernel import clock
from tests.push.stage import Stage


async def test_a_ringing_phone_pops_up_for_its_person_and_for_nobody_else(stage: Stage) -> None:
    olga, ivan = await stage.listen("olga"), await stage.listen("ivan")
    card = await stage.client("Ann Lee", tags=["vip"])
    call = await stage.call(client_id=card, facts=[("call.ringing", "olga")])
    offered = (await olga.next("pop.offered"))["data"]
    assert offered["call"] == call
    assert offered["state"] == "offered"
    assert offered["number"] == "+79161234567"
    assert offered["shown"] == "8 (916) 123-45-67"
    assert offered["clients"][0]["name"] == "Ann Lee"
    assert offered["clients"][0]["tags"] == ["vip"]
    assert offered["match"]["step"] == "exact"
    assert offered["line"] == {"number": "+74950000001", "label": "Sales"}
    assert offered["queue_label"] == "Sales desk"
    assert 4.5 < offered["waited_s"] < 8
    assert await ivan.quiet("pop.offered")


async def test_the_pop_follows_the_call_to_wrap_up(stage: Stage) -> None:
    olga = await stage.listen("olga")
    call = await stage.call(facts=[("call.ringing", "olga")])
    await olga.next("pop.offered")
    await stage.happen("call.answered", call, "olga", answered_at=clock.now(), state="talking")
    assert (await olga.next("pop.answered"))["data"]["state"] == "answered"
    await stage.happen("call.ended", call, ended_at=clock.now(), state="ended")
    ended = (await olga.next("pop.ended"))["data"]
    assert ended["state"] == "wrapup"
    assert ended["ended_at"] is not None


async def test_a_pop_is_withdrawn_with_the_name_of_who_answered(stage: Stage) -> None:
    ivan = await stage.listen("ivan")
    call = await stage.call(facts=[("call.ringing", "olga"), ("call.ringing", "ivan")])
    await ivan.next("pop.offered")
    await stage.happen("call.answered", call, "olga")
    withdrawn = (await ivan.next("pop.withdrawn"))["data"]
    assert (withdrawn["reason"], withdrawn["answered_by"]) == ("elsewhere", "Olga")


async def test_every_tab_of_a_person_shows_the_same_one_pop(stage: Stage) -> None:
    tabs = [await stage.listen("olga") for _ in range(3)]
    await stage.call(facts=[("call.ringing", "olga")])
    frames = [await tab.next("pop.offered") for tab in tabs]
    assert len({frame["data"]["pop"] for frame in frames}) == 1
    assert len({frame["id"] for frame in frames}) == 1


async def test_a_page_that_is_loaded_anew_gets_the_present_pop_before_hello(stage: Stage) -> None:
    call = await stage.call(facts=[("call.ringing", "olga")])
    await stage.happen("call.answered", call, "olga")
    await stage.settle()
    first = await stage.listen("olga")
    assert {f["type"] for f in first.seen if f["type"].startswith("pop.")} == {"pop.answered"}
    again = await stage.listen("olga")
    assert [f["data"]["call"] for f in again.seen if f["type"] == "pop.answered"] == [call]


async def test_pops_survive_a_restart_of_the_service(stage: Stage) -> None:
    ringing = await stage.call(facts=[("call.ringing", "olga")])
    talking = await stage.call(facts=[("call.ringing", "olga")])
    await stage.happen("call.answered", talking, "olga")
    over = await stage.call(facts=[("call.ringing", "olga"), ("call.answered", "olga")])
    await stage.happen("call.ended", over, ended_at=clock.now(), state="ended")
    await stage.reopen()
    olga = await stage.listen("olga")
    states = {f["data"]["call"]: f["data"]["state"] for f in olga.seen if f["type"].startswith("pop.")}
    assert states == {ringing: "offered", talking: "answered", over: "wrapup"}


async def test_what_happened_while_the_service_was_down_is_folded_into_the_pops(stage: Stage) -> None:
    call = await stage.call(facts=[("call.ringing", "olga")])
    await stage.close()
    await stage.happen("call.answered", call, "olga")
    await stage.open()
    olga = await stage.listen("olga")
    assert {f["data"]["state"] for f in olga.seen if f["type"].startswith("pop.")} == {"answered"}


async def test_an_operator_who_calls_out_sees_the_clients_card(stage: Stage) -> None:
    olga = await stage.listen("olga")
    card = await stage.client("Ann Lee")
    who = stage.actors["olga"].user_id
    call = await stage.call(direction="outbound", client_id=card, operator_id=who, operator="101", queue=None)
    offered = (await olga.next("pop.offered"))["data"]
    assert (offered["direction"], offered["clients"][0]["name"]) == ("outbound", "Ann Lee")
    await stage.happen("call.ended", call, ended_at=clock.now(), state="ended")
    assert (await olga.next("pop.ended"))["data"]["state"] == "wrapup"


async def test_a_call_folded_into_another_takes_its_pop_away(stage: Stage) -> None:
    from sqlalchemy import delete

    from callcrm.calls.tables import CallRow
    from callcrm.kernel.writer import Unit

    olga = await stage.listen("olga")
    consultation = await stage.call(direction="internal", facts=[("call.ringing", "olga")])
    await olga.next("pop.offered")

    async def fold(unit: Unit) -> None:
        await unit.db.execute(delete(CallRow).where(CallRow.id == consultation))
        unit.fact("call.changed", stream="pbx:office", call=consultation, into="another")

    await stage.writer.do(fold, name="fold")
    assert (await olga.next("pop.withdrawn"))["data"]["reason"] == "folded"
    changed = (await olga.next("call.changed"))["data"]
    assert (changed["call"], changed["state"], changed["into"]) == (consultation, "folded", "another")


async def test_a_pop_that_was_put_away_closes_in_every_tab(stage: Stage) -> None:
    from callcrm.push import service

    call = await stage.call(facts=[("call.ringing", "olga"), ("call.answered", "olga")])
    await stage.happen("call.ended", call, ended_at=clock.now(), state="ended")
    await stage.saved()
    one, two = await stage.listen("olga"), await stage.listen("olga")
    pop = next(f["data"]["pop"] for f in one.seen if f["type"] == "pop.ended")
    olga = stage.actors["olga"]
    await stage.writer.do(lambda unit: service.close_pop(unit, olga, pop), name="close")
    assert (await one.next("pop.ended"))["data"]["state"] == "closed"
    assert (await two.next("pop.ended"))["data"]["state"] == "closed"
    three = await stage.listen("olga")
    assert not [f for f in three.seen if f["type"].startswith("pop.")]


async def test_a_fact_that_cannot_be_dealt_with_is_told_and_stops_nothing(stage: Stage) -> None:
    olga = await stage.listen("olga")
    await stage.call(direction="sideways", facts=[("call.ringing", "olga")])
    assert (await olga.next("refetch"))["data"]["why"]
    call = await stage.call(facts=[("call.ringing", "olga")])
    assert (await olga.next("pop.offered"))["data"]["call"] == call


async def test_a_database_that_is_gone_for_a_moment_delays_a_pop_and_loses_none(stage: Stage) -> None:
    olga = await stage.listen("olga")
    original, failures = stage.database.glance, [OSError("gone")] * 2

    def failing():  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        return original()

    stage.database.glance = failing  # type: ignore[method-assign]
    call = await stage.call(facts=[("call.ringing", "olga")])
    assert (await olga.next("pop.offered", 5))["data"]["call"] == call
    assert not failures
