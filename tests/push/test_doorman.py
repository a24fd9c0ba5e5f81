"""The gateway's authenticator on the accounts' own tables."""

from datetime import timedelta

from sqlalchemy import update

from callcrm.accounts import service, sessions
from callcrm.accounts.tables import Session
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.push.doorman import Doorman


async def test_who_a_cookie_and_a_token_are_holds_until_it_does_not(database: Database, writer: Writer) -> None:
    async def hire(unit: Unit) -> tuple[int, str, str]:
        user = await service.add_user(unit, "olga", role="operator")
        await service.add_user(unit, "adam", role="admin")
        cookie = await sessions.open_session(unit, user, hours=1)
        return user, cookie, await sessions.add_token(unit, user)

    user, cookie, token = await writer.do(hire, name="hire")
    doorman = Doorman(database)
    by_cookie, by_token = await doorman.by_session(cookie), await doorman.by_token(token)
    assert by_cookie is not None
    assert by_token is not None
    assert (by_cookie.actor.name, by_token.actor.role) == ("olga", "operator")
    assert await doorman.by_session("x" * 5000) is None
    assert await doorman.by_token("x") is None
    both = [by_cookie, by_token]
    assert len(await doorman.present(both)) == 2

    await writer.do(lambda unit: service.change_user(unit, user, role="supervisor", masked=True), name="change")
    renewed = await doorman.present(both)
    assert {(one.actor.role, one.actor.masked) for one in renewed.values()} == {("supervisor", True)}

    async def expire(unit: Unit) -> None:
        past = clock.now() - timedelta(seconds=1)
        await unit.db.execute(update(Session).where(Session.user_id == user).values(expires_at=past))

    await writer.do(expire, name="expire")
    assert [proof for proof, _ in await doorman.present(both)] == ["token"]
    await writer.do(lambda unit: service.close_user(unit, user), name="close")
    assert await doorman.present(both) == {}
