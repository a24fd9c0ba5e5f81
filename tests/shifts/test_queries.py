"""What is read of shifts, on both databases: times, phones to choose, the PBX's word, queues."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from callcrm.accounts import service as accounts
from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.tables import User
from callcrm.kernel import clock
from callcrm.kernel.tables import Command
from callcrm.shifts import queries, service, states
from callcrm.shifts.tables import OperatorState
from callcrm.telephony.tables import QueueRow

from .conftest import RULES

CHIEF = Actor(0, "vera", "supervisor")


async def read(house, query, *args):
    async with house.database.read() as db:
        return await query(db, *args)


async def spells(house, actor, *rows):
    """Spells that are over: (state, reason, minutes ago it began, minutes ago it ended)."""
    now = clock.now()

    async def work(unit):
        for state, reason, began, ended in rows:
            values = {"began": now - timedelta(minutes=began), "user_id": actor.user_id, "state": state, "how": ""}
            values |= {"reason": reason, "ended": None if ended is None else now - timedelta(minutes=ended)}
            await unit.db.execute(insert(OperatorState), values)

    await house.do(work)
    return now


async def test_the_time_is_what_lies_between_the_moments(house):
    now = await spells(
        house,
        house.boris,
        ("available", "", 100, 70),
        ("paused", "Lunch", 70, 40),
        ("available", "", 40, 20),
        ("talking", "", 20, None),
    )
    hour = (now - timedelta(minutes=60), now)
    own = await read(house, queries.times, house.boris, *hour)
    assert [one.user_id for one in own] == [house.boris.user_id]
    minutes = {key: seconds / 60 for key, seconds in own[0].seconds.items()}
    assert minutes == pytest.approx({("paused", "Lunch"): 20, ("available", ""): 20, ("talking", ""): 20}, abs=0.1)
    assert sum(minutes.values()) == pytest.approx(60, abs=0.1)


async def test_times_are_seen_as_far_as_the_actor_sees_people(house):
    now = await spells(house, house.boris, ("available", "", 30, None))
    span = (now - timedelta(minutes=60), now + timedelta(minutes=60))
    everybody = await read(house, queries.times, CHIEF, *span)
    assert {one.user_id for one in everybody} == {house.anna.user_id, house.boris.user_id}
    assert {one.user_id for one in await read(house, queries.times, house.anna, *span)} == {house.anna.user_id}

    async def team(unit):
        await unit.db.execute(update(User).where(User.id == house.boris.user_id).values(team="north"))

    await house.do(team)
    lead = Actor(0, "lead", "supervisor", "north")
    assert {one.user_id for one in await read(house, queries.times, lead, *span)} == {house.boris.user_id}


async def test_phones_to_choose_are_ones_own_then_the_free_ones(house):
    await house.place("101")
    await house.place("110")
    found = await read(house, queries.choices, house.anna.user_id)
    told = [(one.line.extension, one.own, one.taken_by, one.lent_by) for one in found]
    assert told == [("101", True, "", ""), ("102", False, "", "boris"), ("110", False, "", "")]
    await house.do(service.start, house.boris)
    found = await read(house, queries.choices, house.anna.user_id)
    assert [(one.line.extension, one.taken_by) for one in found][-1] == ("102", "boris")
    await house.do(service.start, house.anna, Line("office", "110"))
    (first, *_) = await read(house, queries.choices, house.anna.user_id)
    assert first.own


async def test_the_pbxs_word_is_held_against_ours(house):
    assert (await read(house, queries.agreed, house.anna.user_id)).code == "none"
    await house.place("101")
    assert (await read(house, queries.agreed, house.anna.user_id)).code == "open"
    await house.do(service.pause, house.anna, "Lunch", RULES)
    assert (await read(house, queries.agreed, house.anna.user_id)).code == "asking"

    async def refuse(unit):
        values = {"state": "refused", "result": {"message": "PBX office did not do it: no rights."}}
        await unit.db.execute(update(Command).values(**values))

    await house.do(refuse)
    found = await read(house, queries.agreed, house.anna.user_id)
    assert (found.code, found.message, found.queues) == ("refused", "PBX office did not do it: no rights.", ("sales",))
    await house.place("101", paused=True, reason="Lunch")
    assert (await read(house, queries.agreed, house.anna.user_id)).code == "agreed"
    assert (await read(house, queries.agreed, 999)).code == "none"


async def test_a_stand_has_its_reason_and_what_follows(house):
    await house.do(service.pause, house.anna, "Lunch", RULES)
    stand = (await read(house, queries.standings))[house.anna.user_id]
    assert (stand.state, stand.reason, stand.pause, stand.wanted) == ("paused", "Lunch", "Lunch", True)
    talk = [states.Talked(clock.now(), "c1")]
    await house.do(service.happen, house.anna.user_id, talk)
    stand = (await read(house, queries.standings, [house.anna.user_id]))[house.anna.user_id]
    assert (stand.state, stand.reason, stand.pause) == ("talking", "", "Lunch")
    assert await read(house, queries.standings, [house.boris.user_id]) == {}


async def test_queues_are_read_with_who_sits_in_them(house):
    row = {"pbx": "office", "queue": "sales", "waiting": 2, "longest_since": clock.now(), "members": 2}

    async def work(unit):
        await unit.db.execute(insert(QueueRow), row | {"changed_at": unit.now})
        await unit.db.execute(insert(QueueRow), row | {"queue": "help", "changed_at": unit.now})
        await accounts.change_user(unit, house.anna.user_id, full_name="Anna Berg")

    await house.do(work)
    await house.place("101", paused=True, reason="Lunch")
    await house.place("199")
    help_, sales = await read(house, queries.queues)
    assert (help_.queue, help_.waiting, help_.members) == ("help", 2, ())
    told = [(one.extension, one.user_id, one.name, one.paused) for one in sales.members]
    assert told == [("101", house.anna.user_id, "Anna Berg", True), ("199", None, "", False)]
    (only,) = await read(house, queries.queues, [("office", "sales")])
    assert only == sales
