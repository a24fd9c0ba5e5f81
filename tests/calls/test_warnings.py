"""What speaks against calling somebody now: night where he is, do not call, a colleague who talks with him."""

from datetime import UTC, datetime

import pytest

from callcrm.calls import service, warnings
from callcrm.calls.warnings import Callee
from callcrm.clients import editing
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer
from callcrm.settings import DiallingSettings
from tests.calls import making
from tests.people import OLGA, RUSLAN, hire

WEEK = DiallingSettings().week
MOSCOW, SOMEWHERE_RU = "+74951234567", "+79161234567"


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 18, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "asleep"), [(4, 59, True), (5, 0, False), (17, 59, False), (18, 0, True), (22, 0, True)]
)
def test_it_is_night_by_the_clock_where_the_number_is(hour: int, minute: int, asleep: bool) -> None:
    found = warnings.night(MOSCOW, [], WEEK, at(hour, minute))
    assert bool(found) is asleep
    if asleep:
        assert found[0].facts["zone"] == "Europe/Moscow"
        assert found[0].facts["from"] == f"{(hour + 3) % 24:02}:{minute:02}"


def test_the_clients_own_zone_is_better_than_his_numbers() -> None:
    away = Callee(1, "Anna", do_not_call=False, time_zone="America/New_York")
    assert warnings.night(MOSCOW, [away], WEEK, at(22)) == []
    assert [one.kind for one in warnings.night(MOSCOW, [away], WEEK, at(8))] == ["night"]


def test_a_number_of_many_zones_warns_when_most_of_them_sleep_and_says_between_which_hours() -> None:
    assert warnings.night(SOMEWHERE_RU, [], WEEK, at(9)) == []
    (found,) = warnings.night(SOMEWHERE_RU, [], WEEK, at(19))
    assert (found.facts["zone"], found.facts["from"], found.facts["until"]) == ("", "21:00", "07:00")


@pytest.mark.parametrize("number", ["", "101", "+99912345678", "+551199999999"])
def test_where_nobody_knows_the_clock_nobody_is_warned(number: str) -> None:
    assert warnings.night(number, [], WEEK, at(2)) == []


def test_a_zone_that_is_none_is_passed_over() -> None:
    odd = Callee(1, "", do_not_call=False, time_zone="Mars/Olympus")
    assert [one.facts["zone"] for one in warnings.night(MOSCOW, [odd], WEEK, at(22))] == ["Europe/Moscow"]


def test_hours_over_midnight_are_understood() -> None:
    late = DiallingSettings(hours="18:00-02:00").week
    assert warnings.night(MOSCOW, [], late, at(22)) == []
    assert [one.kind for one in warnings.night(MOSCOW, [], late, at(9))] == ["night"]


async def asked(database: Database, user: int = OLGA.user_id) -> list[warnings.DialWarning]:
    number = f"+{making.MOBILE}"
    now = datetime.fromtimestamp(making.T0 + 60, UTC)
    open_always = DiallingSettings(hours="00:00-24:00").week
    async with database.read() as db:
        people = await warnings.callees(db, number)
        return await warnings.warnings_of(db, user, number, people, open_always, now)


async def test_do_not_call_is_said_with_the_name(writer: Writer, database: Database) -> None:
    await hire(writer)
    card = {"name": "Anna Berg", "do_not_call": True}
    await writer.do(lambda unit: editing.add_client(unit, OLGA, card, [f"+{making.MOBILE}"], country="RU"), name="card")
    (found,) = await asked(database)
    assert (found.kind, found.facts["name"]) == ("do_not_call", "Anna Berg")


async def test_a_colleagues_call_with_the_number_is_told_while_it_lasts(writer: Writer, database: Database) -> None:
    await hire(writer)
    people = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))
    life = making.answered_life(by="102", others=())
    await writer.do(lambda unit: service.record(unit, life[:1], people), name="waits")
    (waits,) = await asked(database)
    assert (waits.kind, waits.facts["who"], waits.facts["mine"]) == ("in_call", "", "")
    await writer.do(lambda unit: service.record(unit, life[1:-1], people), name="talks")
    (talks,) = await asked(database)
    assert (talks.facts["who"], talks.facts["mine"]) == ("Ruslan Tkach", "")
    (own,) = await asked(database, RUSLAN.user_id)
    assert own.facts["mine"] == "yes"
    await writer.do(lambda unit: service.record(unit, life[-1:], people), name="over")
    assert await asked(database) == []
