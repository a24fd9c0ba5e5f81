"""Who sits at which phone: hot desks, lent phones, and what becomes of them at the end."""

import pytest

from callcrm.accounts import queries, seats, service
from callcrm.accounts.policy import Actor, Line
from callcrm.kernel.errors import Conflict, Invalid

P101, P102, P110 = Line("office", "101"), Line("office", "102"), Line("office", "110")


@pytest.fixture
async def house(writer):
    """Anna has 101 and 110, Boris has 102."""
    anna = await writer.do(lambda unit: service.add_user(unit, "anna", role="operator", phones=[P101, P110]), name="a")
    boris = await writer.do(lambda unit: service.add_user(unit, "boris", role="operator", phones=[P102]), name="b")
    return Actor(anna, "anna", "operator"), Actor(boris, "boris", "operator")


async def do(writer, work, *args):
    return await writer.do(lambda unit: work(unit, *args), name=work.__name__)


async def holders(database):
    async with database.read() as db:
        return {line.extension: user for line, user in (await queries.phones(db)).items()}


async def phones_of(database, actor):
    async with database.read() as db:
        return [line.extension for line in (await queries.actor_by_id(db, actor.user_id)).extensions]


async def test_the_phone_that_one_sits_at_is_rung_first_by_a_click(writer, database, house):
    anna, _ = house
    assert await phones_of(database, anna) == ["101", "110"]
    await do(writer, seats.sit, anna, P110)
    assert await phones_of(database, anna) == ["110", "101"]
    await do(writer, seats.leave, anna.user_id)
    assert await phones_of(database, anna) == ["101", "110"]


async def test_a_free_phone_of_the_pbx_is_hers_while_she_sits_there(writer, database, house):
    anna, _ = house
    await do(writer, seats.sit, anna, Line("office", "199"))
    assert (await holders(database))["199"] == anna.user_id
    await do(writer, seats.leave, anna.user_id)
    assert "199" not in await holders(database)


async def test_a_phone_of_somebody_who_is_off_is_lent_and_given_back(writer, database, bus, house):
    anna, boris = house
    heard = bus.subscribe("test")
    await do(writer, seats.sit, anna, P102)
    assert (await holders(database))["102"] == anna.user_id
    assert await phones_of(database, boris) == []
    told = await anext(heard)
    assert (told.kind, told.ids) == ("operator.changed", {"user": boris.user_id})
    await do(writer, service.end_shift, anna.user_id)
    assert (await holders(database))["102"] == boris.user_id
    assert await phones_of(database, boris) == ["102"]


async def test_two_people_on_one_phone_is_refused_in_words(writer, database, house):
    anna, boris = house
    await do(writer, service.start_shift, boris)
    with pytest.raises(Conflict, match="boris works at phone 102 now: choose another phone"):
        await do(writer, seats.sit, anna, P102)
    await do(writer, seats.sit, boris, P110)
    await do(writer, seats.sit, anna, P102)
    with pytest.raises(Conflict, match="anna works at phone 102"):
        await do(writer, seats.sit, boris, P102)
    assert (await holders(database))["102"] == anna.user_id


async def test_moving_to_another_phone_gives_the_first_one_back(writer, database, house):
    anna, boris = house
    await do(writer, seats.sit, anna, P102)
    await do(writer, seats.sit, anna, P101)
    assert (await holders(database)) == {"101": anna.user_id, "110": anna.user_id, "102": boris.user_id}


async def test_what_is_no_extension_is_told_at_its_field(writer, house):
    with pytest.raises(Invalid) as caught:
        await do(writer, seats.sit, house[0], Line("office", "10 1\r\nAction: x"))
    assert "extension" in caught.value.fields


async def test_an_administrator_changes_whose_a_phone_is_while_somebody_sits_there(writer, database, house):
    anna, boris = house
    await do(writer, seats.sit, anna, P102)
    await do(writer, service.set_phones, boris.user_id, [])
    assert (await holders(database))["102"] == anna.user_id
    await do(writer, service.set_phones, boris.user_id, [P102])
    async with database.read() as db:
        own = {one.name: one.own_phones for one in await queries.people(db)}
    assert own == {"anna": (P101, P110), "boris": (P102,)}
    await do(writer, seats.leave, anna.user_id)
    assert (await holders(database))["102"] == boris.user_id


async def test_a_closed_account_leaves_no_seat_behind(writer, database, house):
    anna, boris = house
    await writer.do(lambda unit: service.add_user(unit, "boss", role="admin"), name="boss")
    await do(writer, seats.sit, anna, P102)
    await do(writer, service.close_user, anna.user_id)
    assert await holders(database) == {"102": boris.user_id}
