"""Who listened to a recording: when, from where, to which seconds; and who took one out, with the reason he stated.

The browser asks for the sound's bytes, which opens a listening; its player tells from time to time which seconds were
really heard, and they are joined to it. What was played twice counts once.
"""

import math
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, visible_calls
from callcrm.accounts.tables import User
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.clients.tables import Client
from callcrm.custody.law_tables import Listening
from callcrm.kernel import audit
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.kernel.paging import Page, Wanted, decode, page
from callcrm.kernel.writer import Unit

Spans = list[list[float]]
#: Whoever comes back to the same recording within this time goes on with his listening.
GOES_ON = timedelta(minutes=30)
#: Spans that are nearer to each other than this are one.
_JOINED_S = 0.35
_MOST_SPANS = 500
SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """One listening, as supervisors see it. `share` of the recording's length that was heard, where both are known."""

    at: datetime
    id: str
    user_id: int
    person: str
    call: str
    call_at: datetime | None
    client: str
    n: int
    kind: str
    address: str
    reason: str
    spans: tuple[tuple[float, float], ...]
    heard_s: float
    until: datetime
    seconds: float | None

    @property
    def share(self) -> float | None:
        """0 to 1."""
        return min(1.0, self.heard_s / self.seconds) if self.seconds else None


def united(spans: Iterable[Sequence[float]], length: float | None = None) -> Spans:
    """The same seconds in order and apart from each other, within the recording; what is no span is left out."""
    end = length + 0.5 if length else math.inf
    good = sorted(
        (round(max(0.0, float(one[0])), 2), round(min(end, float(one[1])), 2))
        for one in spans
        if len(one) == 2 and all(math.isfinite(edge) for edge in one)
    )
    found: Spans = []
    for begin, until in good:
        if until <= begin:
            continue
        if found and begin - found[-1][1] <= _JOINED_S:
            found[-1][1] = max(found[-1][1], until)
        else:
            found.append([begin, until])
    return found[:_MOST_SPANS]


def total(spans: Spans) -> float:
    """How many seconds they are together."""
    return round(sum(until - begin for begin, until in spans), 2)


async def begin(unit: Unit, actor: Actor, call: str, n: int, *, address: str, kind: str = "listen") -> str:
    """Note that a recording's sound is sent to somebody; the listening's id. He was seen to have the right."""
    await audit.write(unit, actor, "listen", "recording", f"{call}/{n}", address=address)
    return (await _opened(unit, actor, call, n, kind, address))[0]


async def hear(unit: Unit, actor: Actor, call: str, n: int, spans: Spans, *, address: str) -> float:
    """The player tells which seconds were heard; how many they are now. Raises NotFound for what is not his to hear."""
    require(actor, Right.LISTEN)
    length = await _length(unit.db, actor, call, n)
    return await join(unit, actor, call, n, spans, length=length, address=address)


async def join(
    unit: Unit,
    actor: Actor,
    call: str,
    n: int,
    spans: Spans,
    *,
    address: str,
    length: float | None = None,
    kind: str = "listen",
) -> float:
    """Join seconds to the listening that goes on, of who was seen to have the right; how many they are together."""
    key, known = await _opened(unit, actor, call, n, kind, address)
    joined = united([*known, *spans], length)
    values = {"spans": joined, "heard_s": total(joined), "until": unit.now}
    await unit.db.execute(update(Listening).where(Listening.id == key).values(**values))
    return total(joined)


async def take_out(unit: Unit, actor: Actor, call: str, n: int, reason: str, *, address: str) -> None:
    """Note a download with its reason. NotAllowed without the right, Invalid without a reason, NotFound as to hear."""
    require(actor, Right.DOWNLOAD)
    await _length(unit.db, actor, call, n)
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("Say what the recording is for.", {"reason": "Say what the recording is for."})
    row = {"at": unit.now, "id": secrets.token_hex(16), "user_id": actor.user_id, "call_id": call, "n": n}
    row |= {"kind": "download", "address": address, "reason": reason.strip()[:300], "spans": [], "until": unit.now}
    await unit.db.execute(insert(Listening), row)
    await audit.write(unit, actor, "download", "recording", f"{call}/{n}", address=address)


async def of_call(db: AsyncConnection, call: str, limit: int = 50) -> list[Heard]:
    """Who heard a call's recordings, the newest first, for who has seen that he may see it."""
    query = _LINE.where(Listening.call_id == call).order_by(Listening.at.desc()).limit(limit)
    return [_heard(row) for row in await db.execute(query)]


async def listed(
    db: AsyncConnection, actor: Actor, wanted: Wanted, *, user: int | None = None, kind: str = ""
) -> Page[Heard]:
    """A page of all listenings to calls that the actor sees, the newest first."""
    require(actor, Right.AUDIT)
    statement = visible_calls(actor, _LINE.where(CallRow.id.is_not(None)))
    if user is not None:
        statement = statement.where(Listening.user_id == user)
    if kind:
        statement = statement.where(Listening.kind == kind)
    if wanted.cursor:
        at, key = decode(wanted.cursor, datetime, str)
        older = Listening.at < at
        statement = statement.where(older | and_(Listening.at == at, Listening.id < key))
    statement = statement.order_by(Listening.at.desc(), Listening.id.desc()).limit(wanted.rows)
    rows = (await db.execute(statement)).all()
    return page(rows, wanted, lambda row: (row.at, row.id), _heard)


_PERSON = func.coalesce(func.nullif(User.full_name, ""), User.name, "").label("person")
_COLUMNS = ("at", "id", "user_id", "call_id", "n", "kind", "address", "reason", "spans", "heard_s", "until")
_SOUND = and_(CallRecording.call_id == Listening.call_id, CallRecording.n == Listening.n)
_LINE: Select[*tuple[Any, ...]] = (
    select(
        *(getattr(Listening, name) for name in _COLUMNS),
        _PERSON,
        CallRecording.seconds,
        CallRow.at.label("call_at"),
        func.coalesce(Client.name, "").label("client"),
    )
    .outerjoin(User, User.id == Listening.user_id)
    .outerjoin(CallRecording, _SOUND)
    .outerjoin(CallRow, CallRow.id == Listening.call_id)
    .outerjoin(Client, Client.id == CallRow.client_id)
)


def _heard(row: Any) -> Heard:
    given = row._mapping
    named = {name: given[name] for name in _COLUMNS if name not in ("call_id", "spans")}
    spans = tuple((float(begin), float(until)) for begin, until in given["spans"] or ())
    more = {name: given[name] for name in ("person", "seconds", "call_at", "client")}
    return Heard(**named, **more, call=given["call_id"], spans=spans)


async def _opened(  # noqa: PLR0917 - who hears what, how, and where
    unit: Unit, actor: Actor, call: str, n: int, kind: str, address: str
) -> tuple[str, Spans]:
    """The listening that goes on, or a new one; its id, and what was heard until now."""
    here = and_(Listening.call_id == call, Listening.n == n, Listening.user_id == actor.user_id, Listening.kind == kind)
    fresh = Listening.until > unit.now - GOES_ON
    query = select(Listening.id, Listening.spans).where(here, fresh).order_by(Listening.at.desc()).limit(1)
    row = (await unit.db.execute(query)).first()
    if row is not None:
        return row.id, list(row.spans or [])
    made = {"at": unit.now, "id": secrets.token_hex(16), "user_id": actor.user_id, "call_id": call, "n": n}
    made |= {"kind": kind, "address": address, "spans": [], "until": unit.now}
    await unit.db.execute(insert(Listening), made)
    return str(made["id"]), []


async def _length(db: AsyncConnection, actor: Actor, call: str, n: int) -> float | None:
    of = and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id)
    query: Select[*tuple[Any, ...]] = select(CallRecording.seconds).join(CallRow, of)
    here = (CallRecording.call_id == call, CallRecording.n == n)
    row = (await db.execute(visible_calls(actor, query).where(*here))).first()
    if row is None:
        raise NotFound("There is no such recording, or it is not yours to hear.")
    length: float | None = row[0]
    return length
