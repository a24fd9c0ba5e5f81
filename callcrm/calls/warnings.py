"""What somebody should know before he calls a number: do not call, night where the client is, a call that goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, ClientNumber
from callcrm.kernel.calendar import Span, WorkingHours
from callcrm.kernel.errors import CallcrmError

KINDS = ("do_not_call", "night", "in_call")
_UNKNOWN_ZONE = "Etc/Unknown"
#: A call that nobody saw the end of is no reason to warn for ever.
_LONGEST_CALL = timedelta(hours=12)

Week = tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True)
class DialWarning:
    """One reason to think twice. `kind` is one of KINDS; `facts` what is to be said of it, as short texts.

    do_not_call: name. night: `from` and `until` (the earliest and latest clock there), zone (one, or empty).
    in_call: who (empty: nobody answered yet), mine (yes, or empty), since (RFC 3339).
    """

    kind: str
    facts: dict[str, str] = field(default_factory=dict)


class Warned(CallcrmError):
    """The call was not made: these warnings were not overridden."""

    def __init__(self, warnings: Sequence[DialWarning]) -> None:
        super().__init__("There is a reason not to call this number now.")
        self.warnings = tuple(warnings)


@dataclass(frozen=True, slots=True)
class Callee:
    """Who may have a number."""

    id: int
    name: str
    do_not_call: bool
    time_zone: str


async def callees(db: AsyncConnection, e164: str) -> list[Callee]:
    """The people whose cards have this number; none for what is no telephone number."""
    if not e164:
        return []
    statement = (
        select(Client.id, Client.name, Client.do_not_call, Client.time_zone)
        .join(ClientNumber, ClientNumber.client_id == Client.id)
        .where(ClientNumber.e164 == e164, Client.deleted_at.is_(None))
        .order_by(Client.id)
        .limit(50)
    )
    found = [Callee(*row) for row in await db.execute(statement)]
    return list({one.id: one for one in found}.values())


async def warnings_of(  # noqa: PLR0917 - a sentence: may this person call that number, whose it is, now
    db: AsyncConnection, user_id: int, e164: str, people: Sequence[Callee], week: Week, now: datetime
) -> list[DialWarning]:
    """Everything that speaks against calling this number at this moment."""
    found = [DialWarning("do_not_call", {"name": one.name}) for one in people if one.do_not_call][:1]
    found += night(e164, people, week, now)
    return found + await _in_call(db, user_id, e164, people, now)


def night(e164: str, people: Sequence[Callee], week: Week, now: datetime) -> list[DialWarning]:
    """A warning when it is night with the client: by his card's zone, else in at least half of the number's zones."""
    zones = _zones(e164, people)
    asleep = [zone for zone in zones if not WorkingHours(week, zone=zone).is_open(now)]
    if not zones or 2 * len(asleep) < len(zones):
        return []
    clocks = sorted((now.astimezone(zone) for zone in asleep), key=lambda at: at.replace(tzinfo=None))
    only = zones[0].key if len(zones) == 1 else ""
    facts = {"from": f"{clocks[0]:%H:%M}", "until": f"{clocks[-1]:%H:%M}", "zone": only}
    return [DialWarning("night", facts)]


def _zones(e164: str, people: Sequence[Callee]) -> list[ZoneInfo]:
    own = next((zone for one in people if (zone := _zone(one.time_zone))), None)
    if own is not None:
        return [own]
    try:
        names = timezone.time_zones_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return []
    return [zone for name in names if name != _UNKNOWN_ZONE and (zone := _zone(name))]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


async def _in_call(
    db: AsyncConnection, user_id: int, e164: str, people: Sequence[Callee], now: datetime
) -> list[DialWarning]:
    """Somebody talks with him, or he waits for one of us to answer."""
    if not e164:
        return []
    whose = [CallRow.client_number == e164]
    if people:
        whose.append(CallRow.client_id.in_([one.id for one in people]))
    statement = (
        select(CallRow.operator_id, CallRow.answered_at, CallRow.at, User.full_name, User.name)
        .outerjoin(User, User.id == CallRow.operator_id)
        .where(
            and_(CallRow.ended_at.is_(None), CallRow.at > now - _LONGEST_CALL, CallRow.direction != "internal"),
            or_(*whose),
        )
        .order_by(CallRow.at)
        .limit(1)
    )
    row = (await db.execute(statement)).first()
    if row is None:
        return []
    who = (row.full_name or row.name or "") if row.answered_at else ""
    since = (row.answered_at or row.at).isoformat(timespec="seconds")
    mine = "yes" if row.operator_id == user_id else ""
    return [DialWarning("in_call", {"who": who, "mine": mine, "since": since})]
