"""Who a cookie or a token is, and whether that still holds: the gateway's authenticator, from the accounts' tables."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from callcrm.accounts import queries
from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import Session, Token, User
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.push.hub import SignedIn

_WHO = (User.role, User.team, User.masked, User.name, User.full_name)


class Doorman:
    """Recognises people by the accounts' tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_session(self, cookie: str) -> SignedIn | None:
        """Whose session this cookie is."""
        async with self._database.read() as db:
            found = await queries.signed_in(db, cookie)
        return SignedIn(found.actor, "session", found.session) if found else None

    async def by_token(self, token: str) -> SignedIn | None:
        """Whose API token this is."""
        async with self._database.read() as db:
            actor = await queries.actor_by_token(db, token)
        return SignedIn(actor, "token", queries.digest(token)) if actor else None

    async def present(self, signed: Iterable[SignedIn]) -> dict[tuple[str, str], SignedIn]:
        """Those that still hold, each with the role, team and masking of now. Two statements for all of them."""
        known = {(one.proof, one.key): one for one in signed}
        sessions = [key for proof, key in known if proof == "session"]
        tokens = [key for proof, key in known if proof == "token"]
        by_session = (
            select(Session.id.label("key"), *_WHO)
            .join(User, User.id == Session.user_id)
            .where(Session.id.in_(sessions), Session.expires_at > clock.now(), User.active)
        )
        by_token = (
            select(Token.hash.label("key"), *_WHO)
            .join(User, User.id == Token.user_id)
            .where(Token.hash.in_(tokens), Token.revoked_at.is_(None), User.active)
        )
        still: dict[tuple[str, str], SignedIn] = {}
        async with self._database.read() as db:
            for proof, statement in (("session", by_session), ("token", by_token)):
                for row in await db.execute(statement):
                    one = known[proof, row.key]
                    still[proof, row.key] = replace(one, actor=_as_now(one.actor, row))
        return still


def _as_now(actor: Actor, row: object) -> Actor:
    values = {name: getattr(row, name) for name in ("role", "team", "masked", "name", "full_name")}
    return replace(actor, **values)
