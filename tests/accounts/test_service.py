"""Accounts: people and their phones, and what may not be done to them."""

import pytest
from sqlalchemy import select

from callcrm.accounts import queries, service, sessions
from callcrm.accounts.policy import Actor, Line
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer


async def add(writer: Writer, name: str, role: str = "operator", **more) -> int:
    return await writer.do(lambda unit: service.add_user(unit, name, role=role, **more), name="add user")


async def test_an_account_has_a_name_a_role_and_phones(database: Database, writer: Writer, bus: LocalBus):
    told = bus.subscribe("test")
    lines = [Line("office", "101"), Line("branch", "201"), Line("office", "101")]
    user_id = await add(writer, " Anna.B ", full_name="Anna B.", team="sales", phones=lines)
    async with database.read() as db:
        (person,) = await queries.people(db)
        assert await queries.phones(db) == {Line("office", "101"): user_id, Line("branch", "201"): user_id}
        assert await queries.person(db, "ANNA.B") == person
        actor = await queries.actor_by_id(db, user_id)
    assert (person.name, person.shown, person.role, person.team, person.has_password) == (
        "anna.b",
        "Anna B.",
        "operator",
        "sales",
        False,
    )
    assert actor.extensions == person.phones == (Line("office", "101"), Line("branch", "201"))
    fact = await anext(told)
    assert (fact.kind, fact.ids) == ("operator.changed", {"user": user_id})


@pytest.mark.parametrize("name", ["", " ", "a b", "<script>", "../etc", "x" * 101, "a\nb"])
async def test_a_name_that_cannot_be_typed_safely_is_refused(writer: Writer, name: str):
    with pytest.raises(Invalid) as caught:
        await add(writer, name)
    assert set(caught.value.fields) == {"name"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"role": "boss"}, "role"),
        ({"theme": "pink"}, "theme"),
        ({"time_zone": "Europe/Moskow"}, "time_zone"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"password_hash": "x"}, "password_hash"),
    ],
)
async def test_a_wrong_field_is_refused_by_its_name(database: Database, writer: Writer, fields, wrong):
    user_id = await add(writer, "anna")
    with pytest.raises(Invalid) as caught:
        await writer.do(lambda unit: service.change_user(unit, user_id, **fields), name="change")
    assert set(caught.value.fields) == {wrong}


async def test_two_accounts_have_neither_name_nor_phone_in_common(writer: Writer):
    await add(writer, "anna", phones=[Line("office", "101")])
    with pytest.raises(Conflict, match="already an account named anna"):
        await add(writer, "ANNA")
    with pytest.raises(Conflict, match="Extension 101 of office is anna's"):
        await add(writer, "boris", phones=[Line("office", "101")])
    await add(writer, "boris", phones=[Line("branch", "101")])
    with pytest.raises(Invalid, match="no extension"):
        await add(writer, "vera", phones=[Line("office", "10 1\r\n")])


async def test_phones_are_replaced_together(database: Database, writer: Writer):
    user_id = await add(writer, "anna", phones=[Line("office", "101")])
    phones = [Line("office", "102"), Line("office", "101")]
    await writer.do(lambda unit: service.set_phones(unit, user_id, phones), name="phones")
    async with database.read() as db:
        assert (await queries.actor_by_id(db, user_id)).extensions == tuple(phones)
    with pytest.raises(NotFound):
        await writer.do(lambda unit: service.set_phones(unit, 999, phones), name="phones")


async def test_the_last_administrator_stays_one(writer: Writer):
    first = await add(writer, "adam", "admin")
    for wrong in (
        lambda unit: service.change_user(unit, first, role="operator"),
        lambda unit: service.close_user(unit, first),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            await writer.do(wrong, name="wrong")
    second = await add(writer, "eve", "admin")
    await writer.do(lambda unit: service.change_user(unit, first, role="operator"), name="right")
    with pytest.raises(Conflict):
        await writer.do(lambda unit: service.close_user(unit, second), name="wrong")


async def test_closing_takes_everything_that_opens_doors_and_reopening_gives_none_back(
    database: Database, writer: Writer
):
    await add(writer, "adam", "admin")
    user_id = await add(writer, "anna", phones=[Line("office", "101")])
    cookie = await writer.do(lambda unit: sessions.open_session(unit, user_id, hours=1), name="open")
    token = await writer.do(lambda unit: sessions.add_token(unit, user_id), name="token")
    await writer.do(lambda unit: service.close_user(unit, user_id), name="close")
    with pytest.raises(NotFound):
        await writer.do(lambda unit: sessions.add_token(unit, user_id), name="token")
    await writer.do(lambda unit: service.reopen_user(unit, user_id), name="reopen")
    async with database.read() as db:
        assert await queries.actor_by_session(db, cookie) is None
        assert await queries.actor_by_token(db, token) is None
        assert await queries.phones(db) == {}
        assert (await queries.person(db, "anna")).active


async def test_a_shift_begins_once_and_ends(database: Database, writer: Writer):
    actor = Actor(await add(writer, "anna"), "anna", "operator")
    since = await writer.do(lambda unit: service.start_shift(unit, actor), name="start")
    assert await writer.do(lambda unit: service.start_shift(unit, actor), name="again") == since
    async with database.read() as db:
        assert (await queries.person(db, "anna")).on_shift_since == since
    await writer.do(lambda unit: service.end_shift(unit, actor.user_id), name="end")
    async with database.read() as db:
        assert (await queries.person(db, "anna")).on_shift_since is None


async def test_every_change_of_an_account_is_audited_with_who_did_it(database: Database, writer: Writer):
    boss = Actor(await add(writer, "adam", "admin"), "adam", "admin")
    user_id = await add(writer, "anna", by=boss)
    await writer.do(lambda unit: service.change_user(unit, user_id, by=boss, team="sales", masked=True), name="change")
    await writer.do(lambda unit: service.set_phones(unit, user_id, [], by=boss), name="phones")
    await writer.do(lambda unit: sessions.add_token(unit, user_id, by=boss), name="token")
    await writer.do(lambda unit: service.close_user(unit, user_id, by=boss), name="close")
    statement = select(Audit.act, Audit.detail).where(Audit.which == str(user_id), Audit.user_id == boss.user_id)
    async with database.read() as db:
        rows = (await db.execute(statement.order_by(Audit.at))).all()
    assert [row.act for row in rows] == ["add", "change", "change phones", "add token", "close"]
    assert rows[1].detail == {"fields": ["masked", "team"]}
