"""Coaching lists: made of calls and comments, given, heard; on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest

from callcrm.calls import pins
from callcrm.custody import listening
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit, Writer
from callcrm.quality import coached, coaching
from callcrm.quality.coached import ListLine, MomentLine
from callcrm.quality.coaching import Stretch
from tests import people
from tests.quality.week import MONDAY, add_call

SAM = people.Actor(12, "sam", "supervisor", "south", full_name="Sam South")


@pytest.fixture
async def house(database: Database, writer: Writer) -> Writer:
    """People, a call of Olga's and one of Ruslan's, two minutes of sound each."""
    await people.hire(writer, people.Staff((*people.Staff().everybody, SAM)))
    await add_call(writer, "olgas", MONDAY)
    await add_call(writer, "ruslans", MONDAY + timedelta(hours=1), people.RUSLAN)
    return writer


async def made(writer: Writer, actor: people.Actor = people.VERA, *stretches: Stretch) -> int:
    """A list with these stretches."""

    async def work(unit: Unit) -> int:
        key = await coaching.make(unit, actor, "Openings", "Listen for the greeting.")
        for stretch in stretches:
            await coaching.add_moment(unit, actor, key, stretch, f"Hear {stretch.call_id}")
        return key

    return await writer.do(work, name="list")


async def seen(database: Database, actor: people.Actor, key: int) -> tuple[ListLine, list[MomentLine]]:
    async with database.read() as db:
        line = await coached.one_list(db, actor, key)
        return line, await coached.moments(db, actor, line)


async def give(writer: Writer, key: int, *who: people.Actor, by: people.Actor = people.VERA) -> int:
    return await writer.do(lambda unit: coaching.give(unit, by, key, [one.user_id for one in who]), name="give")


OLGAS, RUSLANS = Stretch("olgas", 0, 10.0, 25.0), Stretch("ruslans", 0, 40.0, 52.5)


async def test_a_list_is_heard_by_whom_it_was_given_to_and_by_nobody_else(database: Database, house: Writer) -> None:
    key = await made(house, people.VERA, OLGAS, RUSLANS)
    for actor in (people.OLGA, people.RUSLAN, SAM):
        with pytest.raises(NotFound):
            await seen(database, actor, key)
    assert await give(house, key, people.OLGA) == 1
    assert await give(house, key, people.OLGA) == 0
    line, moments = await seen(database, people.OLGA, key)
    assert (line.title, line.moments, line.heard, line.given, line.mine, line.seconds) == (
        "Openings", 2, 0, True, False, 27.5,
    )  # fmt: skip
    # Of a colleague's call she hears the seconds, and neither whose it was nor which.
    assert [(one.call_id, one.operator, one.own, one.words) for one in moments] == [
        ("olgas", "Olga Bondar", True, "Hear olgas"),
        ("", "", False, "Hear ruslans"),
    ]
    async with database.read() as db:
        whole = await coached.moment(db, people.OLGA, moments[1].id)
        assert (whole.call_id, whole.n, whole.from_s, whole.to_s) == ("ruslans", 0, 40.0, 52.5)
        with pytest.raises(NotFound):
            await coached.moment(db, people.RUSLAN, moments[1].id)
    await house.do(lambda unit: coaching.take_back(unit, people.VERA, key, people.OLGA.user_id), name="back")
    async with database.read() as db:
        with pytest.raises(NotFound):
            await coached.moment(db, people.OLGA, moments[1].id)


async def test_what_was_heard_is_counted_for_her_and_for_who_gave_it(database: Database, house: Writer) -> None:
    key = await made(house, people.VERA, OLGAS, RUSLANS)
    await give(house, key, people.OLGA, people.RUSLAN)
    _line, moments = await seen(database, people.OLGA, key)
    for n, one in enumerate((moments[0], moments[0], moments[1])):
        async with database.read() as db:
            assert await coached.unheard(db, people.OLGA) == (2, 1, 1)[n]
        await house.do(lambda unit, one=one: coached.heard(unit, people.OLGA, one.id), name="heard")
    async with database.read() as db:
        assert await coached.unheard(db, people.OLGA) == 0
        assert await coached.unheard(db, people.RUSLAN) == 2
        listeners = await coached.listeners(db, key)
        (shown,) = await coached.lists(db, people.VERA)
    assert [(one.name, one.heard, one.last_at is not None) for one in listeners] == [
        ("Olga Bondar", 2, True),
        ("Ruslan Tkach", 0, False),
    ]
    assert (shown.people, shown.done, shown.mine) == (2, 1, True)
    with pytest.raises(NotFound):
        await house.do(lambda unit: coached.heard(unit, SAM, moments[0].id), name="heard")


async def test_the_seconds_of_a_moment_that_were_heard_stand_among_who_listened(
    database: Database, house: Writer
) -> None:
    key = await made(house, people.VERA, RUSLANS)
    await give(house, key, people.OLGA)
    (moment,) = (await seen(database, people.OLGA, key))[1]
    async with database.read() as db:
        whole = await coached.moment(db, people.OLGA, moment.id)

    async def hear(spans: list[list[float]], actor: people.Actor = people.OLGA) -> float:
        return await house.do(
            lambda unit: coached.hear(unit, actor, moment.id, spans, address="192.0.2.7"), name="hear"
        )

    await house.do(lambda unit: coached.note_listening(unit, people.OLGA, whole, "192.0.2.7"), name="sent")
    assert await hear([[0.0, 2.0]]) == 2.0
    # Seconds are the recording's, and none outside of the moment, whatever the player says.
    assert await hear([[8.0, 900.0], [-5.0, 1.0], [20.0, 30.0], [float("nan"), 3.0]]) == 6.5
    with pytest.raises(NotFound):
        await hear([[0.0, 2.0]], people.RUSLAN)
    async with database.read() as db:
        page = await listening.listed(db, people.VERA, Wanted())
    (found,) = page.items
    assert (found.person, found.call, found.kind, found.address) == ("Olga Bondar", "ruslans", "coaching", "192.0.2.7")
    assert found.spans == ((40.0, 42.0), (48.0, 52.5))


async def test_moments_are_moved_changed_taken_out_and_put_back(database: Database, house: Writer) -> None:
    key = await made(house, people.VERA, OLGAS, RUSLANS, Stretch("olgas", 0, 60.0, 70.0))
    _line, before = await seen(database, people.VERA, key)
    first, second, third = (one.id for one in before)

    async def order() -> list[int]:
        return [one.id for one in (await seen(database, people.VERA, key))[1]]

    await house.do(lambda unit: coaching.move(unit, people.VERA, third, up=True), name="move")
    assert await order() == [first, third, second]
    await house.do(lambda unit: coaching.move(unit, people.VERA, first, up=True), name="move")
    await house.do(lambda unit: coaching.move(unit, people.VERA, second, up=False), name="move")
    assert await order() == [first, third, second]
    await house.do(lambda unit: coaching.remove(unit, people.VERA, third), name="remove")
    assert await order() == [first, second]
    await house.do(lambda unit: coaching.restore(unit, people.VERA, third), name="restore")
    assert await order() == [first, third, second]
    change = lambda unit: coaching.change_moment(unit, people.VERA, first, (11.0, 12.5), "Just this")  # noqa: E731
    await house.do(change, name="change")
    _line, after = await seen(database, people.VERA, key)
    assert (after[0].from_s, after[0].to_s, after[0].words) == (11.0, 12.5, "Just this")


@pytest.mark.parametrize(
    ("stretch", "field"),
    [
        (Stretch("olgas", 0, 130.0, 140.0), "from"),
        (Stretch("olgas", 0, 20.0, 20.5), "to"),
        (Stretch("olgas", 0, 20.0, 10.0), "to"),
    ],
)
async def test_seconds_that_are_not_there_are_refused_by_field(house: Writer, stretch: Stretch, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await made(house, people.VERA, stretch)
    assert list(refused.value.fields) == [field]


async def test_a_stretch_beyond_the_end_ends_with_the_recording(database: Database, house: Writer) -> None:
    key = await made(house, people.VERA, Stretch("olgas", 0, 100.0, 150.0))
    assert (await seen(database, people.VERA, key))[1][0].to_s == 120.0


async def test_comments_become_moments_with_their_words(database: Database, house: Writer) -> None:
    async def work(unit: Unit) -> list[int]:
        places = (pins.Place("olgas", 0, 50.0), pins.Place("olgas", 0, 1.0, 9.0))
        return [await pins.add(unit, people.VERA, place, f"At {place.at_s:g}") for place in places]

    found = await house.do(work, name="pins")
    key = await made(house)
    await house.do(lambda unit: coaching.add_pins(unit, people.VERA, key, found), name="from pins")
    _line, moments = await seen(database, people.VERA, key)
    assert [(one.from_s, one.to_s, one.words) for one in moments] == [(0.0, 9.0, "At 1"), (47.0, 65.0, "At 50")]
    with pytest.raises(NotFound):
        await house.do(lambda unit: coaching.add_pins(unit, people.VERA, key, [99]), name="from pins")


async def test_operators_make_no_lists_and_supervisors_change_their_own(database: Database, house: Writer) -> None:
    with pytest.raises(NotAllowed):
        await made(house, people.OLGA)
    key = await made(house, people.VERA, OLGAS)
    with pytest.raises(NotAllowed):
        await house.do(lambda unit: coaching.change(unit, SAM, key, "Mine", "", version=1), name="change")
    assert await house.do(lambda unit: coaching.change(unit, people.ADAM, key, "Ours", "", version=1), name="c") == 2
    with pytest.raises(Conflict):
        await house.do(lambda unit: coaching.change(unit, people.VERA, key, "Stale", "", version=1), name="change")
    with pytest.raises(NotFound):  # Sam is the south's: Olga's call is not his to hear
        await made(house, SAM, OLGAS)
    his = await made(house, SAM, RUSLANS)
    with pytest.raises(Invalid):
        await give(house, his, people.OLGA, by=SAM)
    assert await give(house, his, people.RUSLAN, by=SAM) == 1


async def test_an_empty_list_cannot_be_given_and_one_put_away_is_nobodys_until_it_comes_back(
    database: Database, house: Writer
) -> None:
    empty = await made(house)
    with pytest.raises(Invalid, match="nothing to hear"):
        await give(house, empty, people.OLGA)
    key = await made(house, people.VERA, OLGAS)
    await give(house, key, people.OLGA)
    await house.do(lambda unit: coaching.put_away(unit, people.VERA, key), name="away")
    async with database.read() as db:
        assert await coached.lists(db, people.OLGA) == []
        assert [one.id for one in await coached.lists(db, people.VERA, away=True)] == [key]
        assert await coached.unheard(db, people.OLGA) == 0
    with pytest.raises(NotFound):
        await seen(database, people.OLGA, key)
    await house.do(lambda unit: coaching.bring_back(unit, people.VERA, key), name="back")
    assert (await seen(database, people.OLGA, key))[0].moments == 1
