"""The keeper: from facts to states, over restarts, and ends that nobody saw."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from callcrm.accounts import service as accounts
from callcrm.accounts.tables import Session, User
from callcrm.kernel import clock
from callcrm.shifts import keeper as keeping
from callcrm.shifts import service, unseen
from callcrm.shifts.keeper import Keeper

from .conftest import RULES


@asynccontextmanager
async def kept(house, bus):
    keeper = Keeper(house.database, house.writer, bus, RULES)
    task = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        await keeper.follows.wait()
    yield keeper
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(keeping, "GATHER_S", 0.01)
    monkeypatch.setattr(keeping, "TICK_S", 0.05)


@pytest.fixture
async def keeper(house, bus):
    async with kept(house, bus) as running:
        yield running


@pytest.mark.usefixtures("keeper")
async def test_a_call_is_talk_then_timed_wrap_up_then_ready_by_itself(house):
    await house.call("c1")
    await house.happen("call.ringing", "c1", house.anna)
    await house.happen("call.answered", "c1", house.anna)
    await house.stands(house.anna, "talking", "")
    await house.happen("call.ended", "c1")
    await house.stands(house.anna, "wrapup", "")
    await house.stands(house.anna, "available", "")
    spells = await house.spells(house.anna)
    assert [one["state"] for one in spells] == ["available", "talking", "wrapup", "available"]
    assert (spells[2]["ended"] - spells[2]["began"]).total_seconds() == pytest.approx(0.4)


@pytest.mark.usefixtures("keeper")
async def test_a_required_wrap_up_lasts_until_the_pop_is_put_away(house):
    await house.call("c1", queue="support")
    await house.happen("call.answered", "c1", house.anna)
    await house.happen("call.ended", "c1")
    await house.stands(house.anna, "wrapup", "")
    await asyncio.sleep(0.6)
    assert await house.standing(house.anna) == ("wrapup", "")
    await house.happen("pop.closed", "c1", house.anna)
    await house.stands(house.anna, "available", "")


@pytest.mark.usefixtures("keeper")
async def test_a_call_that_was_handed_on_is_the_next_ones_talk_and_the_firsts_wrap_up(house):
    await house.do(service.start, house.boris)
    await house.call("c1", queue="support")
    await house.happen("call.answered", "c1", house.anna)
    await house.happen("call.left", "c1", house.anna)
    await house.happen("call.answered", "c1", house.boris)
    await house.stands(house.anna, "wrapup", "")
    await house.stands(house.boris, "talking", "")
    await house.happen("call.ended", "c1")
    await house.stands(house.boris, "wrapup", "")


@pytest.mark.usefixtures("keeper")
async def test_calling_out_is_a_call_from_the_first_moment(house):
    await house.call("c1", queue=None, direction="outbound", operator=house.anna.user_id)
    await house.stands(house.anna, "talking", "")
    await house.happen("call.ended", "c1")
    await house.stands(house.anna, "wrapup", "")


@pytest.mark.usefixtures("keeper")
async def test_a_colleagues_call_leaves_no_wrap_up(house):
    await house.call("c1", direction="internal")
    await house.happen("call.answered", "c1", house.anna)
    await house.stands(house.anna, "talking", "")
    await house.happen("call.ended", "c1")
    await house.stands(house.anna, "available", "")


@pytest.mark.usefixtures("keeper")
async def test_a_wrap_up_that_holds_calls_back_asks_the_pbx_twice(house):
    await house.call("c1", queue="quiet")
    await house.happen("call.answered", "c1", house.anna)
    await house.happen("call.ended", "c1")
    await house.stands(house.anna, "wrapup", "")
    assert [(kind, args) for kind, args, _ in await house.commands()] == [
        ("pause", {"extension": "101", "reason": "Wrap-up"})
    ]
    await house.happen("pop.closed", "c1", house.anna)
    await house.stands(house.anna, "available", "")
    assert [kind for kind, _, _ in await house.commands()] == ["pause", "unpause"]


@pytest.mark.usefixtures("keeper")
async def test_a_pause_at_the_phone_is_shown_and_lifted(house):
    await house.place("101")
    await house.place("101", queue="support")
    await house.place("101", paused=True, reason="DND")
    await asyncio.sleep(0.2)
    assert await house.standing(house.anna) == ("available", "")
    await house.place("101", paused=True, reason="DND", queue="support")
    await house.stands(house.anna, "paused", "DND")
    await house.do(service.resume, house.anna)
    await house.stands(house.anna, "available", "")
    assert [(kind, args) for kind, args, _ in await house.commands()] == [("unpause", {"extension": "101"})]
    await house.place("101", paused=False)
    await asyncio.sleep(0.1)
    assert await house.standing(house.anna) == ("available", "")


async def test_what_happened_while_it_was_away_is_made_up_for_at_its_own_time(house, bus):
    async with kept(house, bus):
        await house.call("c1")
        await house.happen("call.answered", "c1", house.anna)
        await house.stands(house.anna, "talking", "")
        await asyncio.sleep(0.1)
    await house.happen("call.ended", "c1", ago=0.0)
    await asyncio.sleep(1.0)
    async with kept(house, bus):
        await house.stands(house.anna, "available", "")
    spells = await house.spells(house.anna)
    assert [one["state"] for one in spells] == ["available", "talking", "wrapup", "available"]
    assert (spells[2]["ended"] - spells[2]["began"]).total_seconds() == pytest.approx(0.4)


async def test_nothing_counts_twice_over_a_restart(house, bus):
    async with kept(house, bus):
        await house.call("c1", queue="support")
        await house.happen("call.answered", "c1", house.anna)
        await house.happen("call.ended", "c1")
        await house.stands(house.anna, "wrapup", "")
        await asyncio.sleep(0.1)
    before = await house.spells(house.anna)
    async with kept(house, bus):
        await asyncio.sleep(0.2)
    assert await house.spells(house.anna) == before


async def test_a_talk_whose_end_nobody_told_ends_with_its_call(house, bus):
    async with kept(house, bus):
        await house.call("c1", queue="support")
        await house.happen("call.answered", "c1", house.anna)
        await house.stands(house.anna, "talking", "")
    ended = clock.now()

    async def close(unit):
        from callcrm.calls.tables import CallRow

        await unit.db.execute(update(CallRow).values(ended_at=ended, state="ended"))

    await house.do(close)
    async with kept(house, bus):
        await house.stands(house.anna, "wrapup", "")
    assert [one["ended"] for one in await house.spells(house.anna)][1] == ended


async def test_a_shift_from_before_states_were_kept_counts_from_its_beginning(house, bus):
    since = clock.now() - timedelta(hours=2)

    async def old(unit):
        await unit.db.execute(update(User).where(User.id == house.boris.user_id).values(on_shift_since=since))

    await house.do(old)
    async with kept(house, bus):
        await house.stands(house.boris, "available", "")
    assert [one["began"] for one in await house.spells(house.boris)] == [since]


@pytest.mark.usefixtures("keeper")
async def test_an_account_that_is_closed_is_off_shift(house):
    await house.do(accounts.close_user, house.anna.user_id)
    await house.stands(house.anna, "off", "")


async def session(house, actor, *, seen_ago, left):
    async def work(unit):
        row = {"id": f"s{seen_ago}", "user_id": actor.user_id, "created_at": unit.now - timedelta(days=1)}
        row |= {"seen_at": unit.now - timedelta(seconds=seen_ago), "expires_at": unit.now + timedelta(seconds=left)}
        await unit.db.execute(insert(Session), row)

    await house.do(work)


async def shift_began(house, actor, hours):
    since = clock.now() - timedelta(hours=hours)

    async def work(unit):
        await unit.db.execute(update(User).where(User.id == actor.user_id).values(on_shift_since=since))
        await service.happen(unit, actor.user_id, [service.states.Started(since)])

    await house.do(work)
    return since


LONGEST = timedelta(hours=16)


async def test_a_shift_whose_last_sign_in_ran_out_is_over_since_he_was_seen(house):
    await shift_began(house, house.boris, 5)
    await session(house, house.boris, seen_ago=3600, left=-1)
    ended = await house.do(unseen.end_shifts, LONGEST)
    assert list(ended) == [house.boris.user_id]
    (spell,) = await house.spells(house.boris)
    assert spell["how"] == "unseen"
    assert (clock.now() - spell["ended"]).total_seconds() == pytest.approx(3600, abs=5)


async def test_a_shift_that_is_too_long_is_over(house):
    since = await shift_began(house, house.boris, 17)
    ended = await house.do(unseen.end_shifts, LONGEST)
    assert list(ended) == [house.boris.user_id]
    assert [one["began"] for one in await house.spells(house.boris)] in ([], [since])


async def test_a_shift_goes_on_while_a_browser_is_signed_in_or_nobody_ever_was(house):
    await shift_began(house, house.boris, 5)
    assert await house.do(unseen.end_shifts, LONGEST) == {}
    await session(house, house.boris, seen_ago=3600, left=-1)
    await session(house, house.boris, seen_ago=1800, left=60)
    assert await house.do(unseen.end_shifts, LONGEST) == {}


async def test_signing_out_of_the_last_browser_ends_the_shift(house):
    await session(house, house.anna, seen_ago=10, left=60)
    await house.do(unseen.signed_out, house.anna.user_id)
    assert await house.standing(house.anna) == ("available", "")

    async def gone(unit):
        await unit.db.execute(Session.__table__.delete())
        await unseen.signed_out(unit, house.anna.user_id)

    await house.do(gone)
    assert await house.standing(house.anna) == ("off", "")
