"""Signing in: one refusal for every reason, a throttle by name and by address, sessions that end."""

import asyncio
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from callcrm.accounts import passwords, queries, service, sessions, signing_in
from callcrm.accounts.tables import Session, SignIn, Token, User
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import NotFound
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Writer

PASSWORD = "correct horse"


@pytest.fixture
async def anna(writer: Writer) -> int:
    hashed = await passwords.hashed(PASSWORD)
    return await writer.do(
        lambda unit: service.add_user(unit, "Anna", role="operator", password_hash=hashed), name="add user"
    )


async def enter(
    database: Database, writer: Writer, name: str = "anna", password: str = PASSWORD, address: str = "10.0.0.1"
):
    return await signing_in.sign_in(database, writer, name, password, hours=12, address=address, agent="Firefox")


async def actor_of(database: Database, cookie: str):
    async with database.read() as db:
        return await queries.actor_by_session(db, cookie)


async def test_the_right_password_opens_a_session_and_is_noted(database: Database, writer: Writer, anna: int):
    entry = await enter(database, writer, " ANNA ")
    assert entry.actor.user_id == anna
    assert await actor_of(database, entry.cookie) == entry.actor
    async with database.read() as db:
        stored = (await db.execute(select(Session))).one()
        audited = (await db.execute(select(Audit.act, Audit.address).where(Audit.user_id == anna))).one()
    assert entry.cookie not in str(stored)
    assert (stored.address, stored.agent) == ("10.0.0.1", "Firefox")
    assert tuple(audited) == ("sign in", "10.0.0.1")


@pytest.mark.parametrize(
    ("name", "password"), [("anna", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("anna\0", "x")]
)
async def test_every_wrong_try_is_refused_in_the_same_words(database, writer, anna, name, password):
    with pytest.raises(signing_in.WrongPassword, match=r"^Name or password is wrong\.$"):
        await enter(database, writer, name, password)
    async with database.read() as db:
        assert await db.scalar(select(func.count()).select_from(Session)) == 0


async def test_a_closed_account_and_one_without_a_password_are_refused_in_the_same_words(database, writer, anna):
    await writer.do(lambda unit: service.add_user(unit, "robot", role="operator"), name="add")
    await writer.do(lambda unit: service.close_user(unit, anna), name="close")
    for name in ("robot", "anna"):
        with pytest.raises(signing_in.WrongPassword, match=r"^Name or password is wrong\.$"):
            await enter(database, writer, name)


async def test_after_ten_wrong_tries_a_name_waits_even_with_the_right_password(database, writer, anna):
    with time_machine.travel("2026-11-21 12:00", tick=False) as clock_:
        for n in range(signing_in.BY_NAME):
            with pytest.raises(signing_in.WrongPassword):
                await enter(database, writer, password="wrong", address=f"10.0.0.{n}")
        with pytest.raises(signing_in.TooManyTries, match="wait 15 min") as caught:
            await enter(database, writer, address="10.9.9.9")
        assert caught.value.wait_s == 900
        clock_.shift(timedelta(minutes=15, seconds=1))
        assert (await enter(database, writer)).actor.name == "anna"


async def test_entering_ends_the_count_of_wrong_tries(database, writer, anna):
    with time_machine.travel("2026-11-21 12:00", tick=False) as clock_:
        for _ in range(3):
            for _ in range(signing_in.BY_NAME - 1):
                clock_.shift(timedelta(seconds=1))
                with pytest.raises(signing_in.WrongPassword):
                    await enter(database, writer, password="wrong")
            clock_.shift(timedelta(seconds=1))
            assert (await enter(database, writer)).actor.user_id == anna


async def test_an_address_that_tries_many_names_waits(database, writer, anna, monkeypatch):
    monkeypatch.setattr(signing_in, "BY_ADDRESS", 6)
    for n in range(6):
        with pytest.raises(signing_in.WrongPassword):
            await enter(database, writer, f"name{n}")
    with pytest.raises(signing_in.TooManyTries):
        await enter(database, writer)
    assert (await enter(database, writer, address="10.0.0.2")).actor.user_id == anna


async def test_many_tries_at_the_same_time_are_counted_too(database, writer, anna):
    tries = [enter(database, writer, password=f"wrong {n}", address=f"10.0.1.{n}") for n in range(25)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    kinds = [type(result) for result in results]
    assert kinds.count(signing_in.WrongPassword) == signing_in.BY_NAME
    assert kinds.count(signing_in.TooManyTries) == 25 - signing_in.BY_NAME


async def test_a_weaker_hash_is_renewed_on_entering(database, writer, anna, monkeypatch):
    from argon2 import PasswordHasher

    async with database.read() as db:
        before = await db.scalar(select(User.password_hash))
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    await enter(database, writer)
    async with database.read() as db:
        after = await db.scalar(select(User.password_hash))
    assert before != after
    assert "m=128,t=2" in after
    assert await passwords.matches(PASSWORD, after)


async def test_a_session_ends_by_sign_out_expiry_and_closing(database, writer, anna):
    one, two, three = [await enter(database, writer) for _ in range(3)]
    await writer.do(lambda unit: sessions.sign_out(unit, one.cookie), name="sign out")
    assert await actor_of(database, one.cookie) is None
    assert await actor_of(database, two.cookie) is not None
    with time_machine.travel(clock.now() + timedelta(hours=13)):
        assert await actor_of(database, two.cookie) is None
    await writer.do(lambda unit: service.close_user(unit, anna), name="close")
    assert await actor_of(database, three.cookie) is None
    assert await actor_of(database, "made up") is None


async def test_use_puts_the_end_off_but_not_for_ever(database, writer, anna):
    cookie = (await enter(database, writer)).cookie
    began = clock.now()
    for hours in range(0, 24 * 20, 11):
        with time_machine.travel(began + timedelta(hours=hours), tick=False):
            async with database.read() as db:
                found = await queries.signed_in(db, cookie)
            if found is None:
                break
            assert sessions.stale(found, clock.now()) == (hours > 0)
            await writer.do(lambda unit, found=found: sessions.touch(unit, found, hours=12), name="touch")
    assert timedelta(days=13) < timedelta(hours=hours) < timedelta(days=15)


async def test_a_new_password_signs_out_every_other_browser(database, writer, anna):
    here, elsewhere = await enter(database, writer), await enter(database, writer)
    hashed = await passwords.hashed("battery staple")
    keep = queries.digest(here.cookie)
    await writer.do(lambda unit: service.set_password(unit, anna, hashed, keep=keep), name="password")
    assert await actor_of(database, here.cookie) is not None
    assert await actor_of(database, elsewhere.cookie) is None
    with pytest.raises(signing_in.WrongPassword):
        await enter(database, writer)
    await enter(database, writer, password="battery staple")


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(database, writer, anna):
    token = await writer.do(lambda unit: sessions.add_token(unit, anna, "script"), name="token")
    assert token.startswith("callcrm_")
    async with database.read() as db:
        actor = await queries.actor_by_token(db, token)
        (line,) = await queries.tokens(db, anna)
        assert token not in str((await db.execute(select(Token))).one())
        assert await queries.actor_by_token(db, token + "x") is None
    assert (actor.user_id, actor.via, line.label, line.used_at) == (anna, "token", "script", None)
    await writer.do(lambda unit: sessions.note_token_use(unit, token), name="use")
    await writer.do(lambda unit: sessions.revoke_token(unit, anna, line.id), name="revoke")
    async with database.read() as db:
        assert await queries.actor_by_token(db, token) is None
        (line,) = await queries.tokens(db, anna)
    assert line.used_at is not None
    assert line.revoked_at is not None
    with pytest.raises(NotFound):
        await writer.do(lambda unit: sessions.revoke_token(unit, anna, line.id), name="revoke")


async def test_the_sweep_drops_what_has_ended_and_nothing_else(database, writer, anna):
    kept = await enter(database, writer)
    ended = await enter(database, writer)
    past = clock.now() - timedelta(days=40)

    async def age(unit):
        await unit.db.execute(update(Session).where(Session.id == queries.digest(ended.cookie)).values(expires_at=past))
        oldest = await unit.db.scalar(select(SignIn.id).limit(1))
        await unit.db.execute(update(SignIn).where(SignIn.id == oldest).values(at=past))

    await writer.do(age, name="age")
    await writer.do(sessions.sweep, name="sweep")
    async with database.read() as db:
        assert [line.id for line in await queries.sessions(db, anna)] == [queries.digest(kept.cookie)]
        assert await db.scalar(select(func.count()).select_from(SignIn)) == 1
