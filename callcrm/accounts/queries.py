"""Reading accounts: who a cookie or a token is, who works here, who sits at which phone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts import seats
from callcrm.accounts.policy import Actor, Line
from callcrm.accounts.tables import Phone, Session, Token, User
from callcrm.kernel import clock
from callcrm.kernel.prepared import Db, Prepared


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a cookie is: the actor, and the session's key and times."""

    actor: Actor
    session: str
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """An account as lists show it: `phones` where he sits now, `own_phones` whoever sits there."""

    id: int
    name: str
    full_name: str
    role: str
    team: str
    active: bool
    masked: bool
    has_password: bool
    on_shift_since: datetime | None
    phones: tuple[Line, ...]
    own_phones: tuple[Line, ...] = ()

    @property
    def shown(self) -> str:
        """The full name, or else the account's."""
        return self.full_name or self.name


class Named(NamedTuple):
    """An account to choose: `shown` is the full name, or else the account's."""

    id: int
    shown: str
    role: str
    on_shift_since: datetime | None


@dataclass(frozen=True, slots=True)
class TokenLine:
    """An API token as its owner sees it; the token itself is not kept."""

    id: int
    label: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A browser that is signed in, as its owner sees it."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


_USER = (
    User.id.label("user_id"),
    User.name,
    User.role,
    User.team,
    User.full_name,
    User.language,
    User.time_zone,
    User.theme,
    User.pop,
    User.masked,
    User.density,
    User.single_keys,
    Phone.pbx,
    Phone.extension,
)
#: The phone that he sits at, then those that are his, the first one first.
_SEATED_FIRST = (Phone.seated_at.is_not(None).desc(), Phone.first.desc(), Phone.id)
_BY_SESSION = Prepared(
    select(*_USER, Session.id.label("session"), Session.seen_at, Session.expires_at)
    .join(User, User.id == Session.user_id)
    .outerjoin(Phone, Phone.user_id == User.id)
    .where(Session.id == bindparam("key"), Session.expires_at > bindparam("now"), User.active)
    .order_by(*_SEATED_FIRST)
)
_BY_TOKEN = (
    select(*_USER, Token.id.label("token"))
    .join(User, User.id == Token.user_id)
    .outerjoin(Phone, Phone.user_id == User.id)
    .where(Token.hash == bindparam("key"), Token.revoked_at.is_(None), User.active)
    .order_by(*_SEATED_FIRST)
)
_BY_ID = (
    select(*_USER)
    .outerjoin(Phone, Phone.user_id == User.id)
    .where(User.id == bindparam("key"), User.active)
    .order_by(*_SEATED_FIRST)
)
_PHONES = select(Phone.pbx, Phone.extension, Phone.user_id)
_NAMED = select(
    User.id, func.coalesce(func.nullif(User.full_name, ""), User.name).label("shown"), User.role, User.on_shift_since
).order_by(User.full_name, User.name)
_NAMES, _NAMES_OF_ACTIVE = Prepared(_NAMED), Prepared(_NAMED.where(User.active))
_ON_SHIFT = Prepared(select(User.on_shift_since).where(User.id == bindparam("key")))


def digest(secret: str) -> str:
    """What is stored of a cookie or a token: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


async def signed_in(db: Db, cookie: str, *, now: datetime | None = None) -> SignedIn | None:
    """Who the session cookie is, or None when it is unknown, signed out or expired, or the account is closed."""
    rows = await _BY_SESSION.all(db, {"key": digest(cookie), "now": now or clock.now()})
    if not rows:
        return None
    first = rows[0]
    return SignedIn(_actor(rows, "session"), first.session, first.seen_at, first.expires_at)


async def actor_by_session(db: AsyncConnection, cookie: str, *, now: datetime | None = None) -> Actor | None:
    """The actor behind a session cookie, or None."""
    found = await signed_in(db, cookie, now=now)
    return found.actor if found else None


async def actor_by_token(db: AsyncConnection, token: str) -> Actor | None:
    """The actor behind an API token, or None when it is unknown or revoked, or the account is closed."""
    return await _one(db, _BY_TOKEN, digest(token), "token")


async def actor_by_id(db: AsyncConnection, user_id: int, *, via: str = "command") -> Actor | None:
    """The actor of an account, or None when it is closed or unknown."""
    return await _one(db, _BY_ID, user_id, via)


async def people(db: AsyncConnection, *, active_only: bool = True) -> list[Person]:
    """Everybody who works here, by name."""
    statement = select(User).order_by(User.full_name, User.name)
    if active_only:
        statement = statement.where(User.active)
    lines: dict[int, list[Line]] = {}
    for row in await db.execute(select(Phone.user_id, Phone.pbx, Phone.extension).order_by(*_SEATED_FIRST)):
        lines.setdefault(row.user_id, []).append(Line(row.pbx, row.extension))
    own = await seats.own_phones(db)
    return [_person(row, lines.get(row.id, []), own.get(row.id, [])) for row in await db.execute(statement)]


async def names(db: Db, *, active_only: bool = True) -> list[Named]:
    """Everybody who works here, by name, with no more than lists to choose from need."""
    return [Named(*row) for row in await (_NAMES_OF_ACTIVE if active_only else _NAMES).all(db)]


async def on_shift_since(db: Db, user_id: int) -> datetime | None:
    """Since when this person works; None when he does not."""
    found: datetime | None = await _ON_SHIFT.scalar(db, {"key": user_id})
    return found


async def person(db: AsyncConnection, name: str) -> Person | None:
    """One account by its name, closed ones too; None when there is none."""
    row = (await db.execute(select(User).where(User.name == name.strip().casefold()))).first()
    if row is None:
        return None
    phones = select(Phone.pbx, Phone.extension).where(Phone.user_id == row.id).order_by(*_SEATED_FIRST)
    sits = [Line(found.pbx, found.extension) for found in await db.execute(phones)]
    return _person(row, sits, (await seats.own_phones(db, row.id)).get(row.id, []))


async def phones(db: AsyncConnection) -> dict[Line, int]:
    """Whose phone each extension is: (pbx, extension) to user id."""
    return {Line(row.pbx, row.extension): row.user_id for row in await db.execute(_PHONES)}


async def tokens(db: AsyncConnection, user_id: int) -> list[TokenLine]:
    """An account's API tokens, newest first."""
    columns = (Token.id, Token.label, Token.created_at, Token.used_at, Token.revoked_at)
    found = await db.execute(select(*columns).where(Token.user_id == user_id).order_by(Token.id.desc()))
    return [TokenLine(*row) for row in found]


async def sessions(db: AsyncConnection, user_id: int, *, now: datetime | None = None) -> list[SessionLine]:
    """Where an account is signed in, last seen first."""
    columns = (Session.id, Session.created_at, Session.seen_at, Session.address, Session.agent)
    mine = (Session.user_id == user_id, Session.expires_at > (now or clock.now()))
    found = await db.execute(select(*columns).where(*mine).order_by(Session.seen_at.desc()))
    return [SessionLine(*row) for row in found]


async def _one(db: AsyncConnection, statement: Select[*tuple[Any, ...]], key: object, via: str) -> Actor | None:
    rows = (await db.execute(statement, {"key": key})).all()
    return _actor(rows, via) if rows else None


def _actor(rows: Sequence[Any], via: str) -> Actor:
    first = rows[0]
    return Actor(
        user_id=first.user_id,
        name=first.name,
        role=first.role,
        team=first.team,
        extensions=tuple(Line(row.pbx, row.extension) for row in rows if row.extension is not None),
        via=via,
        full_name=first.full_name,
        language=first.language,
        time_zone=first.time_zone,
        theme=first.theme,
        pop=first.pop or "ringing",
        masked=first.masked,
        density=first.density or "",
        single_keys=first.single_keys is not False,
    )


def _person(row: Row[*tuple[Any, ...]], lines: list[Line], own: list[Line]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=row.role,
        team=row.team,
        active=row.active,
        masked=row.masked,
        has_password=row.password_hash is not None,
        on_shift_since=row.on_shift_since,
        phones=tuple(lines),
        own_phones=tuple(own),
    )
