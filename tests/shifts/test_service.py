"""A shift as people work it: rows, wishes to the PBX, facts."""

import pytest

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Line
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.shifts import service

from .conftest import RULES


async def test_a_shift_begins_and_is_told(house, bus):
    heard = bus.subscribe("test")
    await house.do(service.start, house.boris)
    assert await house.standing(house.boris) == ("available", "")
    told = [await anext(heard) for _ in range(2)]
    assert [one.ids for one in told] == [
        {"user": house.boris.user_id},
        {"user": house.boris.user_id, "state": "available"},
    ]
    async with house.database.read() as db:
        assert (await accounts.person(db, "boris")).on_shift_since is not None


async def test_a_pause_is_a_spell_and_a_wish_to_the_pbx(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    assert await house.standing(house.anna) == ("paused", "Lunch")
    assert await house.commands() == [("pause", {"extension": "101", "reason": "Lunch"}, "wanted")]
    await house.do(service.resume, house.anna)
    spells = await house.spells(house.anna)
    assert [(one["state"], one["reason"], one["ended"] is None) for one in spells] == [
        ("available", "", False),
        ("paused", "Lunch", False),
        ("available", "", True),
    ]
    assert spells[0]["ended"] == spells[1]["began"]
    assert spells[1]["ended"] == spells[2]["began"]


async def test_a_wish_that_was_not_sent_yet_is_taken_back_by_the_next(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    await house.do(service.resume, house.anna)
    assert [(kind, state) for kind, _, state in await house.commands()] == [
        ("pause", "expired"),
        ("unpause", "wanted"),
    ]


async def test_the_same_pause_twice_is_asked_for_once(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    await house.do(service.pause, house.anna, "Lunch", RULES)
    assert len(await house.commands()) == 1
    await house.do(service.again, house.anna)
    assert [state for _, _, state in await house.commands()] == ["expired", "wanted"]


async def test_a_reason_that_is_not_the_houses_is_refused(house):
    with pytest.raises(Invalid, match="one of these reasons: Lunch, Break"):
        await house.do(service.pause, house.anna, "Siesta\r\n", RULES)
    assert await house.standing(house.anna) == ("available", "")


async def test_who_is_not_on_shift_takes_no_pause(house):
    with pytest.raises(Invalid, match="Start your shift first"):
        await house.do(service.pause, house.boris, "Lunch", RULES)
    assert await house.standing(house.boris) is None
    assert await house.commands() == []


async def test_the_end_of_a_shift_opens_what_was_paused_for_it(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    await house.do(service.end, house.anna.user_id)
    assert await house.standing(house.anna) == ("off", "")
    assert [kind for kind, _, _ in await house.commands()] == ["pause", "unpause"]
    assert all(one["ended"] is not None for one in await house.spells(house.anna))


async def test_a_hot_desk_is_taken_at_the_start_and_given_back_at_the_end(house):
    await house.do(service.start, house.anna, Line("office", "102"))
    async with house.database.read() as db:
        assert (await accounts.phones(db))[Line("office", "102")] == house.anna.user_id
    with pytest.raises(Conflict, match="anna works at phone 102"):
        await house.do(service.start, house.boris, Line("office", "102"))
    assert await house.standing(house.boris) is None
    await house.do(service.end, house.anna.user_id)
    async with house.database.read() as db:
        assert (await accounts.phones(db))[Line("office", "102")] == house.boris.user_id


async def test_a_pause_goes_along_to_another_phone_and_leaves_none_behind(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    await house.do(service.start, house.anna, Line("office", "110"))
    asked = [(kind, args["extension"]) for kind, args, _ in await house.commands()]
    assert asked[:2] == [("pause", "101"), ("unpause", "101")]
    assert ("pause", "110") in asked
