"""Erases a person: the sounds first, then the rows, and leaves a certificate of what was erased and what was kept, why.

A legal hold of the person, of a number of his or of one of his calls refuses the whole. What cannot be deleted yet is
tried again; the certificate is written only when everything is gone.
"""

import hashlib
import json
import secrets
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Table, and_, delete, func, insert, select, update

from callcrm.accounts.policy import Actor, Right, require
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.clients.tables import Client
from callcrm.custody import holdings, holds, retention
from callcrm.custody.holdings import HOLDINGS, NOTHING, Holding, Subject
from callcrm.custody.law_tables import Deletion, Erasure
from callcrm.custody.opening import Opener
from callcrm.kernel import audit
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, Invalid
from callcrm.kernel.writer import Unit, Writer
from callcrm.tasks.tables import Task

log = structlog.get_logger(__name__)
_CHUNK = 200
#: What is not in this database, and so is said on the certificate.
BESIDES = (
    "Backups made before this moment still hold the person until they are overwritten by your plan.",
    "The PBX keeps records of its own (CDR, queue log, files that it did not tell of).",
)


async def ask(unit: Unit, actor: Actor, client_id: int, reason: str) -> str:
    """Wish that a person is erased; the erasure's id. Conflict where a hold forbids it, Invalid without a reason."""
    require(actor, Right.RETENTION)
    if len(reason.strip()) < 5:
        raise Invalid("Say why: the request, its date.", {"reason": "Say why: the request, its date."})
    await holdings.subject(unit.db, client_id)
    if found := await holds.of_client(unit.db, client_id, unit.now):
        raise Conflict(f"A legal hold forbids it: {found[0].reason}", "held")
    open_ = and_(Erasure.client_id == client_id, Erasure.state.in_(("wanted", "working")))
    if (await unit.db.execute(select(Erasure.id).where(open_))).first() is not None:
        raise Conflict("This person is being erased already.", "working")
    made = secrets.token_hex(16)
    row = {"at": unit.now, "id": made, "client_id": client_id, "reason": reason.strip()[:300], "state": "wanted"}
    await unit.db.execute(insert(Erasure), row | {"wanted_by": actor.user_id, "changed_at": unit.now})
    await audit.write(unit, actor, "erase", "client", client_id, {"id": made})
    return made


class Erasing:
    """The worker's part: erases who is to be erased, one after the other."""

    def __init__(self, database: Database, writer: Writer, opener: Opener, journal_days: int, version: str) -> None:
        self._database, self._writer, self._opener = database, writer, opener
        self._journal_days, self._version = journal_days, version

    async def run_once(self) -> int:
        """Take every erasure on that is wanted or not done; how many there were."""
        async with self._database.read() as db:
            due = select(Erasure.id, Erasure.client_id).where(Erasure.state.in_(("wanted", "working")))
            wanted = (await db.execute(due.order_by(Erasure.at))).all()
        for row in wanted:
            await self._erase(row.id, row.client_id)
        return len(wanted)

    async def _erase(self, key: str, client_id: int) -> None:
        async with self._database.read() as db:
            of = await holdings.subject(db, client_id)
        if not await self._writer.do(partial(_may, key=key, client_id=client_id), name="erasure"):
            return
        left = await self._sounds(key, of)
        if left:
            await self._note(key, words=f"{left} sounds cannot be deleted yet; they are tried again.")
            return
        work = partial(_rows, key=key, of=of, journal_days=self._journal_days, version=self._version)
        await self._writer.do(work, name="erasure")
        log.info("a person was erased", client=client_id, erasure=key)

    async def _sounds(self, key: str, of: Subject) -> int:
        """Delete the person's sounds; how many are still there."""
        async with self._database.read() as db:
            keys = [one async for one in _recordings(db, of)]
        for done, (began, call, n) in enumerate(keys):
            await self._note(key, done=done, total=len(keys) + 1, words=f"Sound {done + 1} of {len(keys)}.")
            work = partial(retention.condemn, key=(began, call, n), why="erasure", words="a person was erased")
            made = await self._writer.do(work, name="erasure of a sound")
            if made is not None:
                await retention.take_away(self._database, self._writer, self._opener, made, (call, n))
        return await self._left(of)

    async def _left(self, of: Subject) -> int:
        left = 0
        async with self._database.read() as db:
            for calls in _pieces(of.calls):
                undone = and_(Deletion.call_id.in_(calls), Deletion.outcome != "deleted")
                left += (await db.execute(select(func.count()).select_from(Deletion).where(undone))).scalar_one()
        return left

    async def _note(self, key: str, **values: Any) -> None:
        async def work(unit: Unit) -> None:
            stamp = {"changed_at": unit.now}
            await unit.db.execute(update(Erasure).where(Erasure.id == key).values(**values, **stamp))

        await self._writer.do(work, name="erasure")


def _pieces(keys: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [keys[begin : begin + _CHUNK] for begin in range(0, len(keys), _CHUNK)]


async def _recordings(db: Any, of: Subject) -> Any:
    for calls in _pieces(of.calls):
        columns = (CallRecording.began, CallRecording.call_id, CallRecording.n)
        there = and_(CallRecording.call_id.in_(calls), CallRecording.state.in_(retention.SOUND))
        for row in (await db.execute(select(*columns).where(there))).all():
            yield tuple(row)


async def _may(unit: Unit, key: str, client_id: int) -> bool:
    """Whether no hold was placed meanwhile; the erasure is refused where one was."""
    if found := await holds.of_client(unit.db, client_id, unit.now):
        words = f"A legal hold forbids it: {found[0].reason}"[:300]
        values = {"state": "refused", "words": words, "changed_at": unit.now}
    else:
        values = {"state": "working", "changed_at": unit.now}
    await unit.db.execute(update(Erasure).where(Erasure.id == key).values(**values))
    return not found


async def _rows(unit: Unit, key: str, of: Subject, journal_days: int, version: str) -> None:
    """Delete and blank the rows, and write the certificate, in one unit: all of it, or nothing."""
    row = (await unit.db.execute(select(Erasure.__table__).where(Erasure.id == key))).mappings().one()
    sounds = await _deleted_sounds(unit, of)
    await _close_tasks(unit, of)
    for calls in _pieces(of.calls):
        out = and_(CallRow.id.in_(calls), CallRow.direction == "outbound")
        await unit.db.execute(update(CallRow).where(out).values(called=None))
    erased: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for name, holding in HOLDINGS.items():
        count = await _apply(unit, name, of)
        if count and holding.erase == "keep":
            kept.append({"what": name, "rows": count, "why": holding.why})
        elif count:
            told = {"what": name, "rows": count, "how": _how(holding)}
            erased.append(told | {"why": holding.why} if holding.why else told)
    await _tell_scores(unit, of)
    gone: dict[str, Any] = {"deleted_at": unit.now, "changed_at": unit.now, "version": Client.version + 1}
    await unit.db.execute(update(Client).where(Client.id.in_(of.clients)).values(**gone))
    kept += [{"what": name, "why": why} for name, why in NOTHING.items() if name in ("facts", "raw_events") and why]
    certificate = {
        "certificate": key,
        "card": of.client_id,
        "asked_at": row["at"].isoformat(),
        "asked_by": row["wanted_by"],
        "reason": row["reason"],
        "erased_at": unit.now.isoformat(),
        "by": f"callcrm {version}",
        "erased": erased,
        "sounds": sounds,
        "kept": kept,
        "besides": [*BESIDES, f"Raw events of the PBX are kept for {journal_days} days and then end by themselves."],
    }
    text = text_of(certificate)
    done: dict[str, Any] = {
        "state": "done",
        "certificate": certificate,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    done |= {"done_at": unit.now, "changed_at": unit.now, "words": "", "done": row["total"]}
    await unit.db.execute(update(Erasure).where(Erasure.id == key).values(**done))
    await audit.write(unit, None, "erased", "client", of.client_id, {"id": key})
    unit.fact("client.changed", client=of.client_id)


def _how(holding: Holding) -> str:
    """What was done to the rows."""
    if holding.erase == "delete":
        return "deleted"
    inside = [f"{key} in {column}" for column, key in holding.inside.items()]
    return f"emptied: {', '.join([*sorted(holding.blank), *inside])}"


def text_of(certificate: dict[str, Any]) -> str:
    """The certificate as the text whose checksum is kept with it."""
    return json.dumps(certificate, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


async def _apply(unit: Unit, name: str, of: Subject) -> int:
    """Do to a table what its holding says; how many rows were this person's."""
    where, holding, count = holdings.table(name), HOLDINGS[name], 0
    if where is None:
        return 0
    for condition in holdings.conditions(where, holding, of):
        if holding.erase == "delete":
            found = await unit.db.execute(delete(where).where(condition))
            count += found.rowcount
        elif holding.erase == "blank":
            await _empty_inside(unit, where, holding, condition)
            found = await unit.db.execute(update(where).where(condition).values(**holding.blank))
            count += found.rowcount
        else:
            query = select(func.count()).select_from(where).where(condition)
            count += (await unit.db.execute(query)).scalar_one()
    return count


async def _empty_inside(unit: Unit, where: Table, holding: Holding, condition: Any) -> None:
    """What stands in JSON: of each thing in the column the named text is emptied, the rest stays."""
    keys = list(where.primary_key)
    for column, text in holding.inside.items():
        for row in (await unit.db.execute(select(*keys, where.c[column]).where(condition))).mappings().all():
            things = {key: {**thing, text: ""} for key, thing in (row[column] or {}).items()}
            this = and_(*(key == row[key.name] for key in keys))
            await unit.db.execute(update(where).where(this).values({column: things}))


async def _tell_scores(unit: Unit, of: Subject) -> None:
    """The log of each score of his calls says that its words were emptied: a comment that was there is gone."""
    log_of = holdings.table("evaluation_events")
    if log_of is not None and of.evaluations:
        lines = [{"evaluation_id": key, "at": unit.now, "act": "emptied", "said": ""} for key in of.evaluations]
        await unit.db.execute(insert(log_of), lines)


async def _deleted_sounds(unit: Unit, of: Subject) -> dict[str, Any]:
    found = {"deleted": 0, "bytes": 0, "seconds": 0.0}
    for calls in _pieces(of.calls):
        sums = (func.count(), func.coalesce(func.sum(Deletion.size), 0), func.coalesce(func.sum(Deletion.seconds), 0))
        mine = and_(Deletion.call_id.in_(calls), Deletion.why == "erasure")
        count, size, seconds = (await unit.db.execute(select(*sums).where(mine))).one()
        found["deleted"] += int(count)
        found["bytes"] += int(size or 0)
        found["seconds"] += round(float(seconds or 0), 1)
    return found


async def _close_tasks(unit: Unit, of: Subject) -> None:
    """Nobody is to be called back any more."""
    for tasks in _pieces(of.tasks):
        open_ = and_(Task.id.in_(tasks), Task.state == "open")
        values = {"state": "dropped", "closed_at": unit.now, "closed_why": "by_hand", "version": Task.version + 1}
        for row in await unit.db.execute(update(Task).where(open_).values(**values).returning(Task.id, Task.owner_id)):
            unit.fact("task.changed", task=row.id, owner=row.owner_id)
