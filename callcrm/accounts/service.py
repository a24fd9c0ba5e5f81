"""Accounts as they change: people, their phones, their passwords, who is on shift."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import func, insert, select, update

from callcrm.accounts import seats, sessions
from callcrm.accounts.policy import ROLES, Actor, Line
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit

_NAME = re.compile(r"[\w][\w.@+-]{0,99}")
THEMES = ("system", "light", "dark")
#: How high the rows are; empty is comfortable.
DENSITIES = ("", "compact", "roomy")
#: When a call opens itself on a person's screen; by hand it waits in the strip for his key.
POPS = ("ringing", "answered", "hand")
#: What a person may change of his own account; the rest is the administrator's.
OWN = frozenset({"full_name", "language", "time_zone", "theme", "pop", "density", "single_keys"})
FIELDS = OWN | {"role", "team", "masked"}


async def add_user(
    unit: Unit,
    name: str,
    *,
    role: str,
    full_name: str = "",
    team: str = "",
    password_hash: str | None = None,
    phones: Sequence[Line] = (),
    by: Actor | None = None,
) -> int:
    """Open an account and return its id; `password_hash` comes from `passwords.hashed`.

    Names are one person's whatever their case. Raises Invalid with what is wrong, Conflict when
    the name is taken.
    """
    name = name.strip().casefold()
    if not _NAME.fullmatch(name):
        raise Invalid("An account's name has letters, digits and . _ - @ +.", {"name": "letters, digits and . _ - @ +"})
    values = {"full_name": full_name, "role": role, "team": team}
    _check(values)
    if await unit.db.scalar(select(User.id).where(User.name == name)):
        raise Conflict(f"There is already an account named {name}; choose another name.")
    row = {"name": name, **values, "password_hash": password_hash, "created_at": unit.now}
    user_id = int((await unit.db.execute(insert(User).returning(User.id), row)).scalar_one())
    await seats.own(unit, user_id, phones)
    await audit.write(unit, by, "add", "account", user_id, {"role": role})
    unit.fact("operator.changed", user=user_id)
    return user_id


async def change_user(unit: Unit, user_id: int, *, by: Actor | None = None, **values: Any) -> None:
    """Change fields of an account (FIELDS). Raises Invalid, NotFound."""
    unknown = sorted(values.keys() - FIELDS)
    if unknown:
        raise Invalid(f"An account has no field {unknown[0]}.", {unknown[0]: "unknown"})
    _check(values)
    if values.get("role", "admin") != "admin":
        await _keep_an_admin(unit, user_id)
    await _update(unit, user_id, values)
    await audit.write(unit, by, "change", "account", user_id, {"fields": sorted(values)})
    unit.fact("operator.changed", user=user_id)


async def set_password(
    unit: Unit, user_id: int, password_hash: str, *, by: Actor | None = None, keep: str = ""
) -> None:
    """Replace a password and sign out every browser of the account but the session `keep`."""
    await _update(unit, user_id, {"password_hash": password_hash})
    await sessions.sign_out_all(unit, user_id, keep=keep)
    await audit.write(unit, by, "change password", "account", user_id)


async def set_phones(unit: Unit, user_id: int, phones: Sequence[Line], *, by: Actor | None = None) -> None:
    """Say which phones are the person's own, the first one being rung by a click to call.

    Raises Conflict when a phone is somebody else's.
    """
    await _must_exist(unit, user_id)
    await seats.own(unit, user_id, phones)
    await audit.write(unit, by, "change phones", "account", user_id)
    unit.fact("operator.changed", user=user_id)


async def close_user(unit: Unit, user_id: int, *, by: Actor | None = None) -> None:
    """Close an account: signed out everywhere, tokens revoked, phones free; what the person did stays."""
    await _keep_an_admin(unit, user_id)
    await _update(unit, user_id, {"active": False, "on_shift_since": None})
    await sessions.sign_out_all(unit, user_id)
    await sessions.revoke_tokens(unit, user_id)
    await seats.vacate(unit, user_id)
    await audit.write(unit, by, "close", "account", user_id)
    unit.fact("operator.changed", user=user_id)


async def reopen_user(unit: Unit, user_id: int, *, by: Actor | None = None) -> None:
    """Open a closed account again; phones have to be given anew."""
    await _update(unit, user_id, {"active": True})
    await audit.write(unit, by, "reopen", "account", user_id)
    unit.fact("operator.changed", user=user_id)


async def start_shift(unit: Unit, actor: Actor) -> datetime:
    """The person is at work from now on; returns since when (an earlier start stays)."""
    since = await unit.db.scalar(select(User.on_shift_since).where(User.id == actor.user_id))
    if since is None:
        since = unit.now
        await _update(unit, actor.user_id, {"on_shift_since": since})
        unit.fact("operator.changed", user=actor.user_id)
    return since


async def end_shift(unit: Unit, user_id: int) -> None:
    """The person is no longer at work, and gives back the phone that he sat at."""
    await seats.leave(unit, user_id)
    await _update(unit, user_id, {"on_shift_since": None})
    unit.fact("operator.changed", user=user_id)


def _check(values: dict[str, Any]) -> None:
    wrong: dict[str, str] = {}
    if "role" in values and values["role"] not in ROLES:
        wrong["role"] = f"one of {', '.join(ROLES)}"
    if values.get("theme", "system") not in THEMES:
        wrong["theme"] = f"one of {', '.join(THEMES)}"
    if (values.get("density") or "") not in DENSITIES:
        wrong["density"] = "comfortable (empty), compact or roomy"
    if values.get("pop", "ringing") not in POPS:
        wrong["pop"] = f"one of {', '.join(POPS)}"
    if values.get("time_zone") and values["time_zone"] not in available_timezones():
        wrong["time_zone"] = "a zone such as Europe/Moscow"
    for field, most in (("full_name", 200), ("team", 100), ("language", 10)):
        if len(str(values.get(field, ""))) > most:
            wrong[field] = f"at most {most} characters"
    if wrong:
        field, what = next(iter(wrong.items()))
        raise Invalid(f"{field.replace('_', ' ').capitalize()} must be {what}.", wrong)


async def _keep_an_admin(unit: Unit, user_id: int) -> None:
    others = (User.role == "admin", User.active, User.id != user_id)
    is_admin = await unit.db.scalar(select(User.id).where(User.id == user_id, User.role == "admin", User.active))
    if is_admin and not await unit.db.scalar(select(func.count()).select_from(User).where(*others)):
        raise Conflict("This is the last administrator; make somebody else one first.")


async def _must_exist(unit: Unit, user_id: int) -> None:
    if await unit.db.scalar(select(User.id).where(User.id == user_id)) is None:
        raise NotFound("There is no such account.")


async def _update(unit: Unit, user_id: int, values: dict[str, Any]) -> None:
    if not values:
        return await _must_exist(unit, user_id)
    changed = await unit.db.execute(update(User).where(User.id == user_id).values(**values))
    if changed.rowcount == 0:
        raise NotFound("There is no such account.")
    return None
