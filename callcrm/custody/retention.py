"""Deletes the sounds whose time is over, each by the rule that decides of it, and keeps a log of what it deleted.

That a sound is deleted is written first, in the unit that looks whether a hold keeps it; then its bytes go. What could
not be taken away (a bucket that does not answer, a folder that is read only) is tried again in the next round.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Select, and_, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.clients.tables import Client
from callcrm.custody import holds, opening, rules
from callcrm.custody.law_tables import Deletion
from callcrm.custody.opening import Opener
from callcrm.custody.tables import KeptSound
from callcrm.custody.terms import About, Terms, deciding, ends, fits, shortest
from callcrm.kernel import audit, clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.writer import Unit, Writer

log = structlog.get_logger(__name__)

#: States in which there may be bytes.
SOUND = ("present", "partial", "paused", "empty")
_PAGE, _SHOWN, _MOST, _ROUND = 500, 50, 100_000, 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """One recording under the rules: what it is, and whether a hold keeps it."""

    began: datetime
    call: str
    n: int
    pbx: str
    file: str
    seconds: float | None
    size: int | None
    held: bool
    client: str
    about: About


@dataclass(slots=True)
class Preview:
    """What a rule would delete today: `lines` are the oldest of it.

    `held` are kept by a hold, `other` are another rule's; `bound`: there were more than could be looked at.
    """

    count: int = 0
    size: int = 0
    seconds: float = 0.0
    held: int = 0
    other: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    lines: list[Kept] = field(default_factory=list)
    bound: bool = False


async def preview(db: AsyncConnection, order: Sequence[Terms], rule: Terms, now: datetime) -> Preview:
    """What `rule` would delete if it were switched on, among the other rules in their `order`."""
    found, looked = Preview(), 0
    if rule.days is None:
        return found
    if all(one.id != rule.id for one in order):
        order = [*order, rule]
    trial = [replace(rule, active=True) if one.id == rule.id else one for one in order]
    async for one in aged(db, now - timedelta(days=rule.days), now):
        looked += 1
        if looked > _MOST:
            found.bound = True
            break
        if not fits(rule, one.about):
            continue
        decides = deciding(trial, one.about)
        if decides is None or decides.id != rule.id:
            found.other += 1
        elif one.held:
            found.held += 1
        else:
            _count(found, one)
    return found


def _count(found: Preview, one: Kept) -> None:
    found.count += 1
    found.size += one.size or 0
    found.seconds += one.seconds or 0.0
    found.oldest, found.newest = found.oldest or one.about.at, one.about.at
    if len(found.lines) < _SHOWN:
        found.lines.append(one)


async def aged(db: AsyncConnection, before: datetime, now: datetime) -> AsyncIterator[Kept]:
    """The sounds of calls that began before that moment, the oldest first, read a page at a time."""
    after: tuple[Any, ...] | None = None
    key = tuple_(CallRecording.began, CallRecording.call_id, CallRecording.n)
    while True:
        query = _statement(now).where(CallRecording.began < before).order_by(*_KEY).limit(_PAGE)
        rows = (await db.execute(query if after is None else query.where(key > tuple_(*_literals(after))))).all()
        trunks = await _trunks(db, {row.call_id for row in rows})
        for row in rows:
            yield _kept(row, trunks.get(row.call_id, ()))
        if len(rows) < _PAGE:
            return
        after = (rows[-1].began, rows[-1].call_id, rows[-1].n)
        await asyncio.sleep(0)


_KEY = (CallRecording.began, CallRecording.call_id, CallRecording.n)
_OF = and_(CallRow.began == CallRecording.began, CallRow.id == CallRecording.call_id)


def _literals(after: tuple[Any, ...]) -> list[Any]:
    return [literal(value, column.type) for value, column in zip(after, _KEY, strict=True)]


def _statement(now: datetime) -> Select[*tuple[Any, ...]]:
    columns = (*_KEY, CallRecording.pbx, CallRecording.file, CallRecording.seconds, CallRecording.size)
    about = (CallRow.at, CallRow.called, CallRow.queue, CallRow.direction, Client.tags, Client.name.label("client"))
    held = holds.on_hold(now).label("held")
    statement: Select[*tuple[Any, ...]] = select(*columns, *about, held)
    return (
        statement.join(CallRow, _OF)
        .outerjoin(Client, Client.id == CallRow.client_id)
        .where(CallRecording.state.in_(SOUND), CallRow.ended_at.is_not(None))
    )


async def _trunks(db: AsyncConnection, calls: set[str]) -> dict[str, tuple[str, ...]]:
    """The trunks that these calls came and went by."""
    legs = select(LegRow.call_id, LegRow.channel).where(LegRow.call_id.in_(calls), LegRow.side == "trunk")
    found: dict[str, set[str]] = {}
    for row in await db.execute(legs):
        found.setdefault(row.call_id, set()).add(trunk_of(row.channel))
    return {call: tuple(sorted(names)) for call, names in found.items()}


def trunk_of(channel: str) -> str:
    """`PJSIP/provider` of the channel `PJSIP/provider-0000001a`."""
    name, dash, number = channel.rpartition("-")
    return name if dash and number.isalnum() and any(sign.isdigit() for sign in number) else channel


async def trunks_lately(db: AsyncConnection) -> list[str]:
    """The trunks of the last calls, for who writes a rule."""
    legs = select(LegRow.channel).where(LegRow.side == "trunk").order_by(LegRow.began.desc()).limit(_PAGE)
    return sorted({trunk_of(channel) for channel in (await db.execute(legs)).scalars()})


def _kept(row: Any, trunks: tuple[str, ...]) -> Kept:
    line = row.called or "" if row.direction == "inbound" else ""
    tags = tuple(str(tag) for tag in row.tags or ())
    about = About(row.at, line, row.queue or "", row.direction, tags, trunks)
    own = (row.began, row.call_id, row.n, row.pbx, row.file, row.seconds, row.size)
    return Kept(*own, held=bool(row.held), client=row.client or "", about=about)


class Retention:
    """The job: `run_once` deletes what is due, a page at a time."""

    def __init__(self, database: Database, writer: Writer, opener: Opener) -> None:
        self._database, self._writer, self._opener = database, writer, opener

    async def run_once(self) -> int:
        """Delete what is due now; how many sounds it were."""
        await self._again()
        async with self._database.read() as db:
            order = [rule.terms for rule in await rules.listed(db)]
        fewest, now = shortest(order), clock.now()
        if fewest is None:
            return 0
        gone = 0
        async with self._database.read() as db:
            old = aged(db, now - timedelta(days=fewest), now)
            due = []
            async for one in old:
                if rule := _due(order, one, now):
                    due.append((one, rule))
                    if len(due) == _ROUND:
                        break
        for one, rule in due:
            key = (one.began, one.call, one.n)
            work = partial(condemn, key=key, why="rule", rule=rule, words=rule.words)
            made = await self._writer.do(work, name="deletion by rule")
            if made is not None and await self._take_away(made, one.call, one.n):
                gone += 1
        if gone:
            log.info("sounds deleted by rule", count=gone)
        return gone

    async def run_all(self) -> None:
        """Round after round until nothing is left that can be deleted now."""
        while await self.run_once() >= _ROUND:
            log.info("more sounds are to be deleted")

    async def _again(self) -> None:
        """What was condemned and is still there."""
        async with self._database.read() as db:
            query = select(Deletion.id, Deletion.call_id, Deletion.n).where(Deletion.outcome != "deleted")
            left = (await db.execute(query.limit(_PAGE))).all()
        for row in left:
            await self._take_away(row.id, row.call_id, row.n)

    async def _take_away(self, deletion: str, call: str, n: int) -> bool:
        return await take_away(self._database, self._writer, self._opener, deletion, (call, n))


def _due(order: Sequence[Terms], one: Kept, now: datetime) -> Terms | None:
    rule = deciding(order, one.about)
    until = ends(rule, one.about)
    return rule if until is not None and until <= now and not one.held else None


async def condemn(
    unit: Unit,
    *,
    key: tuple[datetime, str, int],
    why: str,
    words: str,
    rule: Terms | None = None,
    actor: Actor | None = None,
) -> str | None:
    """Write that a recording is deleted, unless a hold keeps it; the log row's id, None when it stays."""
    began, call, n = key
    here = and_(CallRecording.began == began, CallRecording.call_id == call, CallRecording.n == n)
    row = (await unit.db.execute(_statement(unit.now).where(here).with_for_update(of=CallRecording))).first()
    if row is None or row.held:
        return None
    at = unit.now.strftime("%Y-%m-%d")
    by = f" by the rule “{rule.name}” ({rule.words.removeprefix(f'{rule.name}: ')})" if rule else f": {words}"
    cause = f"Deleted on {at}{by}."
    values = {"state": "deleted", "cause": cause[:300], "peaks": None, "check_at": None}
    await unit.db.execute(update(CallRecording).where(here).values(**values))
    made = secrets.token_hex(16)
    entry = {"at": unit.now, "id": made, "why": why, "rule_id": rule.id if rule else None, "words": words}
    entry |= {"user_id": actor.user_id if actor else None, "call_began": began, "call_id": call, "n": n}
    entry |= {"file": row.file, "size": row.size, "seconds": row.seconds, "outcome": "begun"}
    await unit.db.execute(insert(Deletion), entry)
    await audit.write(unit, actor, "delete", "recording", f"{call}/{n}", {"why": why, "rule": entry["rule_id"]})
    unit.fact("recording.changed", stream=f"pbx:{row.pbx}", call=call, n=n)
    return made


async def take_away(database: Database, writer: Writer, opener: Opener, deletion: str, which: tuple[str, int]) -> bool:
    """Take a condemned recording's bytes away; whether they are gone. The log row says so, or what is in the way."""
    call, n = which
    async with database.read() as db:
        lying = await opening.sound_of(db, call, n)
    trouble = ""
    try:
        await opener.remove(lying)
    except (CallcrmError, OSError) as error:
        trouble = str(error)[:300] or type(error).__name__
        log.warning("a sound could not be deleted and is tried again", call=call, n=n, error=trouble)

    async def note(unit: Unit) -> None:
        outcome = {"outcome": "failed" if trouble else "deleted", "trouble": trouble}
        await unit.db.execute(update(Deletion).where(Deletion.id == deletion).values(**outcome))
        if not trouble:
            mine = and_(KeptSound.pbx == lying.pbx, KeptSound.file == lying.file)
            await unit.db.execute(delete(KeptSound).where(mine))

    await writer.do(note, name="deletion")
    return not trouble


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the log of deletions; `person`: who deleted it, empty for a rule."""

    at: datetime
    id: str
    why: str
    words: str
    person_id: int | None
    call: str
    n: int
    size: int | None
    seconds: float | None
    outcome: str
    trouble: str


async def logged(db: AsyncConnection, *, rule: int | None = None, limit: int = 200) -> list[Logged]:
    """What was deleted, the newest first; of one rule where it is named."""
    columns = (
        Deletion.at,
        Deletion.id,
        Deletion.why,
        Deletion.words,
        Deletion.user_id,
        Deletion.call_id,
        Deletion.n,
        Deletion.size,
        Deletion.seconds,
        Deletion.outcome,
        Deletion.trouble,
    )
    query = select(*columns).order_by(Deletion.at.desc()).limit(limit)
    rows = await db.execute(query if rule is None else query.where(Deletion.rule_id == rule))
    return [Logged(*row) for row in rows]


async def counts(db: AsyncConnection) -> dict[int, int]:
    """How many sounds each rule has deleted."""
    query = select(Deletion.rule_id, func.count()).where(Deletion.rule_id.is_not(None)).group_by(Deletion.rule_id)
    return {row[0]: row[1] for row in await db.execute(query) if row[0] is not None}
