"""Click to call as rows: once, warned of, followed, cancelled at each step, free again when it is over."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from callcrm.accounts.policy import Line
from callcrm.calls import dialling, service
from callcrm.calls.call import CallLeg, Change
from callcrm.calls.dialling import Asked, Progress, Rules
from callcrm.calls.tables import CallRow, Dial
from callcrm.calls.warnings import Warned
from callcrm.clients import editing
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.tables import Audit, Command
from callcrm.kernel.writer import Writer
from callcrm.settings import DiallingSettings
from tests.calls import making
from tests.calls.making import rows
from tests.people import OLGA, RUSLAN, hire

LINE = Line("office", "101")
RULES = Rules("RU", r"^\+?[0-9]{3,15}$", DiallingSettings(hours="00:00-24:00").week)
NUMBER = "+79161234567"
PEOPLE = making.context(("101", OLGA.user_id), ("102", RUSLAN.user_id))


@pytest.fixture(autouse=True)
async def staff(writer: Writer) -> None:
    await hire(writer)


async def ask(writer: Writer, number: str = NUMBER, override: tuple[str, ...] = (), line: Line = LINE) -> str:
    return await dialling.place(writer, OLGA, Asked(line, number, RULES, override=frozenset(override)))


async def settle(writer: Writer, state: str) -> None:
    """The listener has done its part."""
    await writer.do(
        lambda unit: unit.db.execute(update(Command).where(Command.kind == "dial").values(state=state)), name="settle"
    )


async def seen(database: Database, dial: str) -> Progress:
    async with database.read() as db:
        return await dialling.progress(db, OLGA, dial, clock.now())


async def life(writer: Writer, database: Database, *, answered: bool = True, until: int = 99, **ends: Any) -> None:
    """The call of the newest dial, as the model tells it; `until`: how many changes of it."""
    row = (await rows(database, Dial, Dial.asked_at))[-1]
    at = row["asked_at"].timestamp()
    changes = making.outbound_life(row["call_id"], at, answered, click_to_call=True)
    own = CallLeg("PJSIP/101-1", row["channel"], "operator", "101", at, None, None, None, ends.pop("cause", None))
    legs = (own, *changes[0].call.legs[1:])
    told = [Change(c.kind, replace(c.call, uniqueid=row["channel"], legs=legs), c.at, c.operator) for c in changes]
    told[-1] = replace(told[-1], call=replace(told[-1].call, **ends))
    await writer.do(lambda unit: service.record(unit, told[:until], PEOPLE), name="life")


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("+7 916 123-45-67", NUMBER),
        ("8 (916) 123-45-67", NUMBER),
        ("tel:+7-916-123-45-67", NUMBER),
        ("79161234567", NUMBER),
        ("102", "102"),
    ],
)
def test_a_number_in_any_spelling_is_dialled_in_one(typed: str, dialled: str) -> None:
    assert dialling.number_of(typed, RULES)[0] == dialled


@pytest.mark.parametrize("typed", ["", "abc", "*98", "12", "1" * 30, "+7916\r\nAction: Hangup"])
def test_what_the_rules_do_not_allow_is_not_dialled(typed: str) -> None:
    with pytest.raises(Invalid):
        dialling.number_of(typed, RULES)


def test_a_pbx_without_plus_gets_the_digits() -> None:
    assert dialling.number_of("8 916 123 45 67", replace(RULES, numbers=r"^[0-9]{3,15}$"))[0] == "79161234567"


async def test_a_second_enter_or_another_tab_gets_the_call_that_is_under_way(
    writer: Writer, database: Database
) -> None:
    first, *more = await asyncio.gather(*(ask(writer) for _ in range(5)))
    assert set(more) == {first}
    await settle(writer, "sent")
    assert await ask(writer, "8 916 123-45-67") == first
    assert [row["id"] for row in await rows(database, Command)] == [first]
    with pytest.raises(Conflict, match="cancel that call first"):
        await ask(writer, "+74951112233")


@pytest.mark.parametrize("state", ["refused", "expired", "cancelled"])
async def test_after_a_call_that_came_to_nothing_the_phone_is_free_again(
    writer: Writer, database: Database, state: str
) -> None:
    first = await ask(writer)
    await settle(writer, state)
    assert (await seen(database, first)).pending is False
    assert await ask(writer) != first


async def test_the_steps_follow_what_the_pbx_tells(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    assert (await seen(database, dial)).step == "phone"
    await settle(writer, "sent")
    assert (await seen(database, dial)).step == "phone"
    await settle(writer, "done")
    assert (await seen(database, dial)).step == "client"
    await life(writer, database, until=2)
    talking = await seen(database, dial)
    assert (talking.step, talking.pending) == ("talking", False)
    await life(writer, database)
    over = await seen(database, dial)
    assert (over.step, over.outcome, over.pending) == ("over", "answered", False)


@pytest.mark.parametrize("outcome", ["busy", "no answer", "no such number", "failed"])
async def test_the_clients_end_is_the_calls_true_outcome(writer: Writer, database: Database, outcome: str) -> None:
    dial = await ask(writer)
    await settle(writer, "done")
    await life(writer, database, answered=False, outcome=outcome)
    found = await seen(database, dial)
    assert (found.step, found.outcome) == ("over", outcome)


async def test_why_the_own_phone_was_not_lifted_is_the_cause_of_its_line(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    await settle(writer, "refused")
    await life(writer, database, answered=False, outcome="operator did not pick up", cause=17)
    assert (await seen(database, dial)).cause == 17


async def test_a_refused_call_is_over_when_its_line_has_said_why_or_stays_silent(
    writer: Writer, database: Database
) -> None:
    dial = await ask(writer)
    await life(writer, database, until=1)
    await settle(writer, "refused")
    found = await seen(database, dial)
    assert (found.step, found.pending) == ("phone", True)
    async with database.read() as db:
        later = await dialling.progress(db, OLGA, dial, clock.now() + timedelta(seconds=6))
    assert (later.step, later.pending) == ("over", False)
    await life(writer, database, answered=False, outcome="operator did not pick up", cause=17)
    found = await seen(database, dial)
    assert (found.step, found.pending, found.cause) == ("over", False, 17)


async def test_cancelling_asks_once_and_only_while_something_is_to_come(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    for _ in range(2):
        await writer.do(lambda unit: dialling.cancel(unit, OLGA, dial), name="cancel")
    asked = [row for row in await rows(database, Command) if row["kind"] == "cancel_dial"]
    (row,) = await rows(database, Dial)
    assert [one["args"] for one in asked] == [{"dial": dial, "channel": row["channel"]}]
    assert (await seen(database, dial)).cancelled
    with pytest.raises(NotFound):
        await writer.do(lambda unit: dialling.cancel(unit, RUSLAN, dial), name="cancel")


async def test_a_call_that_was_answered_is_not_cancelled(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    await settle(writer, "done")
    await life(writer, database, until=2)
    with pytest.raises(Conflict, match="hang up instead"):
        await writer.do(lambda unit: dialling.cancel(unit, OLGA, dial), name="cancel")


async def test_a_warning_stops_the_call_until_it_is_overridden_and_that_is_audited(
    writer: Writer, database: Database
) -> None:
    card = {"name": "Anna Berg", "do_not_call": True}
    client = await writer.do(lambda unit: editing.add_client(unit, OLGA, card, [NUMBER], country="RU"), name="card")
    with pytest.raises(Warned) as error:
        await ask(writer, override=("night",))
    assert [one.kind for one in error.value.warnings] == ["do_not_call"]
    assert await rows(database, Command) == []
    dial = await ask(writer, override=("do_not_call",))
    (row,) = await rows(database, Dial)
    assert (row["name"], row["overridden"]) == ("Anna Berg", ["do_not_call"])
    (told,) = [one for one in await rows(database, Audit) if one["act"] == "override"]
    assert (told["what"], told["which"], told["user_id"]) == ("dial", dial, OLGA.user_id)
    assert told["detail"]["warnings"] == ["do_not_call"]
    assert told["detail"]["clients"] == [getattr(client, "id", client)]


async def test_two_phones_call_at_the_same_time_and_one_phone_does_not(writer: Writer, database: Database) -> None:
    first = await ask(writer)
    second = await ask(writer, "+74951112233", line=Line("office", "105"))
    assert first != second
    assert len(await rows(database, Dial)) == 2


async def test_a_page_that_is_loaded_anew_shows_the_call_under_way(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    async with database.read() as db:
        found = await dialling.open_dial(db, OLGA, clock.now())
        assert await dialling.open_dial(db, RUSLAN, clock.now()) is None
        assert await dialling.open_dial(db, OLGA, clock.now() + timedelta(minutes=5)) is None
    assert found is not None
    assert found.id == dial


async def test_the_id_of_the_line_is_one_that_the_log_reads_as_a_moment(writer: Writer, database: Database) -> None:
    dial = await ask(writer)
    await settle(writer, "done")
    await life(writer, database)
    (row,) = await rows(database, CallRow)
    (asked,) = await rows(database, Dial)
    assert (row["id"], row["uniqueid"]) == (asked["call_id"], asked["channel"])
    assert abs(row["began"] - asked["asked_at"]) < timedelta(seconds=5)
    assert (await seen(database, dial)).call == row["id"]
