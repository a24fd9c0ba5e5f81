"""Signing in by name and password, throttled by name and by address.

Every try is noted before its password is checked, so that many at once are counted too.
Who does not exist, who has no password and who is closed are refused in the same words
and after the same time as who typed a wrong one.
"""

import math
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, select, update

from callcrm.accounts import passwords, sessions
from callcrm.accounts.policy import Actor
from callcrm.accounts.queries import actor_by_id
from callcrm.accounts.tables import SignIn, User
from callcrm.kernel import audit
from callcrm.kernel.database import Database
from callcrm.kernel.errors import NotAllowed
from callcrm.kernel.writer import Unit, Writer

WINDOW = timedelta(minutes=15)
#: Wrong tries within the window after which the next has to wait.
BY_NAME = 10
BY_ADDRESS = 50


class WrongPassword(NotAllowed):
    """Name and password do not go together."""


class TooManyTries(NotAllowed):
    """Too many wrong tries; `wait_s` seconds have to pass."""

    def __init__(self, wait_s: int) -> None:
        minutes = max(1, math.ceil(wait_s / 60))
        super().__init__(f"Too many wrong tries; wait {minutes} min, or ask an administrator for a new password.")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Entry:
    """A browser that has just signed in; `cookie` is for it alone."""

    actor: Actor
    cookie: str


async def sign_in(
    database: Database,
    writer: Writer,
    name: str,
    password: str,
    *,
    hours: float,
    address: str = "",
    agent: str = "",
) -> Entry:
    """Sign in; raises WrongPassword, or TooManyTries before the password is even looked at."""
    name = name.strip().casefold()
    tried = await writer.do(lambda unit: _note(unit, name, address), name="sign-in try")
    async with database.read() as db:
        columns = (User.id, User.password_hash, User.active)
        found = (await db.execute(select(*columns).where(User.name == name))).first()
    stored = found.password_hash if found and found.active else None
    right = await passwords.matches(password, stored)
    if not right or found is None or stored is None:
        raise WrongPassword("Name or password is wrong.")
    renewed = await passwords.hashed(password) if passwords.outdated(stored) else None

    async def enter(unit: Unit) -> Entry:
        await unit.db.execute(update(SignIn).where(SignIn.id == tried).values(succeeded=True))
        if renewed:
            await unit.db.execute(update(User).where(User.id == found.id).values(password_hash=renewed))
        actor = await actor_by_id(unit.db, found.id, via="session")
        if actor is None:
            raise WrongPassword("Name or password is wrong.")
        await audit.write(unit, actor, "sign in", "account", found.id, address=address)
        return Entry(actor, await sessions.open_session(unit, found.id, hours=hours, address=address, agent=agent))

    return await writer.do(enter, name="sign-in")


async def _note(unit: Unit, name: str, address: str) -> str:
    """Note a try, unless too many went before it."""
    recent = select(SignIn.at).where(SignIn.at > unit.now - WINDOW)
    succeeded = select(func.max(SignIn.at)).where(SignIn.name == name, SignIn.succeeded).scalar_subquery()
    wrong = recent.where(~SignIn.succeeded).order_by(SignIn.at.desc())
    # Entering ends the count of one's own wrong tries, but not that of a whole address.
    by_name = wrong.where(SignIn.name == name, SignIn.at > func.coalesce(succeeded, unit.now - WINDOW))
    for tries, most in ((by_name, BY_NAME), (wrong.where(SignIn.address == address), BY_ADDRESS if address else 0)):
        found = (await unit.db.scalars(tries.limit(most))).all() if most else []
        if most and len(found) >= most:
            raise TooManyTries(math.ceil((found[-1] + WINDOW - unit.now).total_seconds()))
    tried = secrets.token_hex(16)
    row = {"at": unit.now, "id": tried, "name": name, "address": address, "succeeded": False}
    await unit.db.execute(insert(SignIn), row)
    return tried
