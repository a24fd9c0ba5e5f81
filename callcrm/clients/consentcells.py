"""Consents in files with clients: one line each, so that what goes out comes in again.

    Offers by phone | 2026-01-05T10:12:00+00:00 | on the call
    Offers by mail | 2026-01-05T10:12:00+00:00 | by letter | 2026-02-01T09:00:00+00:00 | by mail

Purpose, when it was given, how; when and how it was taken back. A purpose alone, or with a day, is enough to bring in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.clients import consents, fields
from callcrm.clients.tables import Consent
from callcrm.kernel.errors import Invalid
from callcrm.kernel.writer import Unit

_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class Told:
    """A consent as a line tells it; `given_at` None where no moment is said."""

    purpose: str
    given_at: datetime | None = None
    how: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_how: str = ""


async def written(db: AsyncConnection, clients: Sequence[int]) -> dict[int, str]:
    """The cells of these persons: the oldest consent first, those taken back too."""
    columns = (Consent.purpose, Consent.given_at, Consent.how, Consent.withdrawn_at, Consent.withdrawn_how)
    statement = select(Consent.client_id, *columns).where(Consent.client_id.in_(clients))
    found: dict[int, list[str]] = {}
    for row in await db.execute(statement.order_by(Consent.given_at, Consent.id)):
        told = Told(row.purpose, row.given_at, row.how, row.withdrawn_at, row.withdrawn_how)
        found.setdefault(row.client_id, []).append(_line(told))
    return {client: "\n".join(lines) for client, lines in found.items()}


def _line(told: Told) -> str:
    cells = [told.purpose, told.given_at.isoformat() if told.given_at else "", told.how]
    if told.withdrawn_at is not None:
        cells += [told.withdrawn_at.isoformat(), told.withdrawn_how]
    return _BETWEEN.join(cell.replace("|", "/") for cell in cells).rstrip(" |")


def read(cell: str) -> list[Told]:
    """What a cell tells; Invalid in words for a moment that is none. Pure."""
    return [_told(line) for line in cell.splitlines() if line.strip()]


def _told(line: str) -> Told:
    purpose, given, how, back, why, *_rest = [*(one.strip() for one in line.split("|")), "", "", "", ""]
    return Told(purpose, _moment(given), how, _moment(back), why)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = datetime.combine(fields.a_date(text), datetime.min.time())
        except ValueError:
            raise Invalid(f"{text[:40]!r} is no moment of a consent; write it like 2026-01-05.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def take(unit: Unit, actor: Actor, client_id: int, cell: str, purposes: Sequence[str]) -> bool:
    """Note on the card what it lacked of this; whether there was anything. What is taken back ends what holds."""
    changed = False
    held = {one.purpose: one for one in await consents.of(unit.db, client_id) if one.holds}
    for told in read(cell):
        mine = held.get(told.purpose)
        if told.withdrawn_at is None and mine is None:
            typed = {"purpose": told.purpose, "how": told.how, "given_at": told.given_at}
            await consents.give(unit, actor, client_id, typed, purposes)
            changed = True
        elif told.withdrawn_at is not None and mine is not None and mine.given_at <= told.withdrawn_at:
            await consents.withdraw(unit, actor, client_id, mine.id, told.withdrawn_how)
            changed = True
    return changed
