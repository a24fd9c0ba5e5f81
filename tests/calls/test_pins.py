"""Comments pinned to seconds of a recording: who may write, see and remove them."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from callcrm.calls import pins, service
from callcrm.calls.call import Sound
from callcrm.calls.pins import Place
from callcrm.calls.tables import CallRecording
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit, Writer
from tests.calls import making
from tests.calls.making import answered_life, rows
from tests.people import OLGA, RUSLAN, VERA, hire

PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
SECONDS = 60.0
GREETING = Place("c1", 0, 12.5)


@pytest.fixture(autouse=True)
async def recorded(writer: Writer) -> None:
    """Olga's call, with a minute of sound."""
    await hire(writer)

    async def work(unit: Unit) -> None:
        await service.record(unit, answered_life(others=(), recordings=(Sound("a.wav"),)), PEOPLE)
        await unit.db.execute(update(CallRecording).values(seconds=SECONDS, state="ok"))

    await writer.do(work, name="test")


async def do(writer: Writer, what: Any, *args: Any, **more: Any) -> Any:
    return await writer.do(lambda unit: what(unit, *args, **more), name="test")


async def seen(database: Database, who: Any) -> list[tuple[float, str]]:
    async with database.read() as db:
        return [(pin.at_s, pin.text) for pin in await pins.of_call(db, who, "c1")]


async def test_a_pin_is_seen_by_whoever_may_hear_the_call_in_the_order_of_the_sound(
    writer: Writer, database: Database
) -> None:
    await do(writer, pins.add, VERA, Place("c1", 0, 31.237, 35.0), "Put on hold\r\nwithout a word\x07")
    await do(writer, pins.add, OLGA, GREETING, " My greeting ")
    both = [(12.5, "My greeting"), (31.24, "Put on hold\nwithout a word")]
    assert [await seen(database, who) for who in (OLGA, VERA, RUSLAN)] == [both, both, []]
    audit = [(row["act"], row["which"]) for row in await rows(database, Audit) if row["what"] == "recording"]
    assert audit == [("pin", "c1/0")] * 2


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("c1", 0, -0.1), "before it"),
        (Place("c1", 0, SECONDS + 1.1), "after it"),
        (Place("c1", 0, float("nan")), "nowhere"),
        (Place("c1", 0, 10, 9), "backwards"),
        (GREETING, " \x07\n"),
        (GREETING, "x" * (pins.TEXT_LENGTH + 1)),
    ],
)
async def test_a_pin_needs_words_and_a_second_of_the_recording(
    writer: Writer, database: Database, place: Place, text: str
) -> None:
    with pytest.raises(Invalid):
        await do(writer, pins.add, VERA, place, text)
    assert await seen(database, VERA) == []


@pytest.mark.parametrize(("who", "place"), [(RUSLAN, GREETING), (VERA, Place("c1", 1, 1)), (VERA, Place("c9", 0, 1))])
async def test_nobody_pins_on_what_he_may_not_hear(writer: Writer, who: Any, place: Place) -> None:
    with pytest.raises(NotFound):
        await do(writer, pins.add, who, place, "Hello")


async def test_an_author_changes_and_removes_his_pin_and_brings_it_back(writer: Writer, database: Database) -> None:
    pin = await do(writer, pins.add, OLGA, GREETING, "Godo")
    await do(writer, pins.change, OLGA, pin, "Good")
    await do(writer, pins.remove, OLGA, pin)
    gone = await seen(database, OLGA)
    await do(writer, pins.bring_back, OLGA, pin)
    assert (gone, await seen(database, OLGA)) == ([], [(12.5, "Good")])


async def test_a_supervisor_removes_anybodys_pin_but_rewrites_none(writer: Writer, database: Database) -> None:
    hers, his = await do(writer, pins.add, OLGA, GREETING, "Mine"), await do(writer, pins.add, VERA, GREETING, "His")
    with pytest.raises(NotAllowed):
        await do(writer, pins.change, VERA, hers, "Not yours")
    with pytest.raises(NotAllowed):
        await do(writer, pins.remove, OLGA, his)
    with pytest.raises(NotFound):
        await do(writer, pins.remove, RUSLAN, his)
    await do(writer, pins.remove, VERA, hers)
    assert await seen(database, VERA) == [(12.5, "His")]


async def test_an_evaluations_pins_are_its_graders_alone_until_released_and_then_nobody_changes_them(
    writer: Writer, database: Database
) -> None:
    pin = await do(writer, pins.add, VERA, GREETING, "Greeted by name", evaluation_id=5)
    other = await do(writer, pins.add, VERA, GREETING, "Of another", evaluation_id=6)
    before = (await seen(database, OLGA), len(await seen(database, VERA)))
    for act in (pins.remove, pins.bring_back):
        with pytest.raises(NotFound):
            await do(writer, act, OLGA, pin)
    assert await do(writer, pins.release, 5) == 1
    assert (before, await seen(database, OLGA)) == (([], 2), [(12.5, "Greeted by name")])
    refused: list[type[CallcrmError]] = []
    for attempt in (lambda unit: pins.change(unit, VERA, pin, "No"), lambda unit: pins.remove(unit, VERA, pin)):
        with pytest.raises(Conflict) as error:
            await writer.do(attempt, name="test")
        refused.append(error.type)
    async with database.read() as db:
        (held,) = await pins.of_evaluation(db, VERA, 5)
        by_id = await pins.by_id(db, OLGA, [pin, other])
    assert (held.mine, held.mine_to_remove, refused, list(by_id)) == (False, False, [Conflict] * 2, [pin])


async def test_pins_stay_on_their_sound_when_calls_turn_out_to_be_one(writer: Writer, database: Database) -> None:
    two = answered_life("c2", at=making.T0 + 10, others=(), recordings=(Sound("b.wav"), Sound("a.wav")))
    await do(writer, service.record, two, PEOPLE)
    await do(writer, pins.add, VERA, Place("c2", 0, 3.0), "Of the second file")
    await do(writer, pins.add, VERA, Place("c2", 1, 2.0), "Of the file that both name")
    whole = answered_life(others=(), recordings=(Sound("a.wav"), Sound("b.wav")))
    await do(writer, service.record, [replace(whole[-1], was=("c2",))], PEOPLE)
    async with database.read() as db:
        found = [(pin.n, pin.at_s, pin.text) for pin in await pins.of_call(db, VERA, "c1")]
    assert found == [(0, 2.0, "Of the file that both name"), (1, 3.0, "Of the second file")]
