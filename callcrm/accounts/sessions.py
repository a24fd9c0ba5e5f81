"""Browsers that are signed in, and API tokens: opaque secrets of which only a digest is kept."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update

from callcrm.accounts.policy import Actor
from callcrm.accounts.queries import SignedIn, digest
from callcrm.accounts.tables import Session, SignIn, Token, User
from callcrm.kernel import audit
from callcrm.kernel.errors import NotFound
from callcrm.kernel.writer import Unit

#: A session that is used all the time still ends after so long.
LONGEST = timedelta(days=14)
#: How much use passes before it is noted: not every request writes.
TOUCH = timedelta(minutes=5)
TOKEN_PREFIX = "callcrm_"  # noqa: S105 - so that a token that leaked is known by its looks


async def open_session(unit: Unit, user_id: int, *, hours: float, address: str = "", agent: str = "") -> str:
    """Sign a browser in; returns the cookie, which is kept nowhere."""
    cookie = secrets.token_urlsafe(32)
    row = {
        "id": digest(cookie),
        "user_id": user_id,
        "created_at": unit.now,
        "seen_at": unit.now,
        "expires_at": unit.now + timedelta(hours=hours),
        "address": address,
        "agent": agent,
    }
    await unit.db.execute(insert(Session), row)
    return cookie


def stale(found: SignedIn, now: datetime) -> bool:
    """Whether the session's use is worth noting by `touch`."""
    return now - found.seen_at > TOUCH


async def touch(unit: Unit, found: SignedIn, *, hours: float) -> None:
    """Note that the session is in use, which puts its end off."""
    began = await unit.db.scalar(select(Session.created_at).where(Session.id == found.session))
    if began is not None:
        end = min(unit.now + timedelta(hours=hours), began + LONGEST)
        values = {"seen_at": unit.now, "expires_at": end}
        await unit.db.execute(update(Session).where(Session.id == found.session).values(**values))


async def sign_out(unit: Unit, cookie: str) -> None:
    """Forget the session of `cookie`, at once and everywhere; an unknown one is no error."""
    await unit.db.execute(delete(Session).where(Session.id == digest(cookie)))


async def sign_out_all(unit: Unit, user_id: int, *, keep: str = "") -> None:
    """Sign out every browser of an account, but the session (its key, not the cookie) `keep`."""
    await unit.db.execute(delete(Session).where(Session.user_id == user_id, Session.id != keep))


async def add_token(unit: Unit, user_id: int, label: str = "", *, by: Actor | None = None) -> str:
    """A new API token, shown this once. Raises NotFound for an unknown or closed account."""
    if await unit.db.scalar(select(User.id).where(User.id == user_id, User.active)) is None:
        raise NotFound("There is no such account, or it is closed.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = {"user_id": user_id, "hash": digest(token), "label": label, "created_at": unit.now}
    await unit.db.execute(insert(Token), row)
    await audit.write(unit, by, "add token", "account", user_id, {"label": label})
    return token


async def revoke_token(unit: Unit, user_id: int, token_id: int, *, by: Actor | None = None) -> None:
    """Make one token worthless. Raises NotFound when it is not this account's."""
    mine = (Token.id == token_id, Token.user_id == user_id, Token.revoked_at.is_(None))
    changed = await unit.db.execute(update(Token).where(*mine).values(revoked_at=unit.now))
    if changed.rowcount == 0:
        raise NotFound("There is no such token.")
    await audit.write(unit, by, "revoke token", "account", user_id, {"token": token_id})


async def revoke_tokens(unit: Unit, user_id: int) -> None:
    """Make every token of an account worthless."""
    mine = (Token.user_id == user_id, Token.revoked_at.is_(None))
    await unit.db.execute(update(Token).where(*mine).values(revoked_at=unit.now))


async def note_token_use(unit: Unit, token: str) -> None:
    """Note that a token is in use, at most once an hour."""
    rarely = or_(Token.used_at.is_(None), Token.used_at < unit.now - timedelta(hours=1))
    await unit.db.execute(update(Token).where(Token.hash == digest(token), rarely).values(used_at=unit.now))


async def sweep(unit: Unit, *, keep_days: int = 30) -> None:
    """Drop sessions that ended and tries to sign in that are too old to matter."""
    await unit.db.execute(delete(Session).where(Session.expires_at < unit.now))
    await unit.db.execute(delete(SignIn).where(SignIn.at < unit.now - timedelta(days=keep_days)))
