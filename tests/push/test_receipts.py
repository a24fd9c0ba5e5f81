"""Receipts of browsers: painted, opened, and what is done about a pop that nobody painted."""

from typing import Any

import pytest
from sqlalchemy import select

from callcrm.calls.tables import Pop
from callcrm.push import metrics
from tests.push.stage import Stage


async def stored(stage: Stage, pop: str) -> Any:
    await stage.saved()
    async with stage.database.read() as db:
        return (await db.execute(select(*Pop.__table__.columns).where(Pop.id == pop))).one()


@pytest.mark.parametrize("by", ["pop", "message"])
async def test_a_receipt_sets_the_time_by_the_pops_id_or_the_messages(stage: Stage, by: str) -> None:
    olga = await stage.listen("olga")
    await stage.call(facts=[("call.ringing", "olga")])
    offered = await olga.next("pop.offered")
    pop = offered["data"]["pop"]
    named = pop if by == "pop" else offered["id"]
    await olga.say(type="pop.painted", id=named)
    await olga.say(type="pop.opened", id=named)
    await olga.socket.ping()
    await stage.call(facts=[("call.ringing", "olga")])
    await olga.next("pop.offered")
    row = await stored(stage, pop)
    assert row.sent_at <= row.painted_at <= row.opened_at


async def test_the_first_of_several_receipts_counts(stage: Stage) -> None:
    olga = await stage.listen("olga")
    await stage.call(facts=[("call.ringing", "olga")])
    pop = (await olga.next("pop.offered"))["data"]["pop"]
    before = metrics.PAINTED._value.get()
    for _ in range(3):
        await olga.say(type="pop.painted", id=pop)
    await stage.call(facts=[("call.ringing", "olga")])
    await olga.next("pop.offered")
    await olga.say(type="resume", after="")
    await olga.next("hello")
    assert metrics.PAINTED._value.get() - before == 1


async def test_nobody_signs_for_somebody_elses_pop(stage: Stage) -> None:
    olga, ivan = await stage.listen("olga"), await stage.listen("ivan")
    await stage.call(facts=[("call.ringing", "olga")])
    pop = (await olga.next("pop.offered"))["data"]["pop"]
    await ivan.say(type="pop.painted", id=pop)
    await ivan.say(type="resume", after="")
    await ivan.next("hello")
    assert (await stored(stage, pop)).painted_at is None


async def test_a_pop_that_nobody_painted_is_sent_once_more_and_counted(stage: Stage) -> None:
    stage.feed.receipts.paint_s = 0.2
    olga = await stage.listen("olga")
    before = metrics.RESENT._value.get()
    await stage.call(facts=[("call.ringing", "olga")])
    first = await olga.next("pop.offered")
    again = await olga.next("pop.offered")
    assert again["data"] == first["data"]
    assert metrics.RESENT._value.get() - before == 1
    assert await olga.quiet("pop.offered", 0.5)


async def test_a_painted_pop_is_not_sent_again(stage: Stage) -> None:
    stage.feed.receipts.paint_s = 0.2
    olga = await stage.listen("olga")
    await stage.call(facts=[("call.ringing", "olga")])
    await olga.say(type="pop.painted", id=(await olga.next("pop.offered"))["data"]["pop"])
    assert await olga.quiet("pop.offered", 0.6)


async def test_a_pop_is_known_to_have_waited_for_its_page(stage: Stage) -> None:
    await stage.call(facts=[("call.ringing", "olga")])
    await stage.saved()
    olga = await stage.listen("olga", hello=False)
    waited = await olga.next("pop.offered")
    await stage.call(facts=[("call.ringing", "olga")])
    at_once = await olga.next("pop.offered")
    for one in (waited, at_once):
        await olga.say(type="pop.painted", id=one["id"])
    await olga.say(type="resume", after="")
    await olga.next("hello")
    assert (await stored(stage, waited["data"]["pop"])).late_page
    assert not (await stored(stage, at_once["data"]["pop"])).late_page
