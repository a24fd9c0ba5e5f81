"""One search over everything that a person may see, in groups, for the palette and for programs."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, may, scope, visible_calls
from callcrm.calls import queries as calls
from callcrm.calls.log import CallLine
from callcrm.calls.reach import Shy
from callcrm.calls.tables import CallNote, CallRow
from callcrm.clients.queries import ClientLine, OrganisationLine
from callcrm.clients.searching import is_number
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel import fulltext
from callcrm.kernel.numbers import parse
from callcrm.kernel.paging import Wanted
from callcrm.search import people
from callcrm.tasks import queries as tasks
from callcrm.tasks.queries import TaskFilters, TaskLine
from callcrm.tasks.tables import Task

CLIENTS, ORGANISATIONS, CALLS, NOTES, TASKS = 6, 3, 4, 4, 4
#: Written texts that are looked at, the newest: of some, the asker may not see the call.
_TEXTS = 100
#: People whose latest calls and open tasks are shown, too.
_FIRST = 3
_LATEST = 10
_AN_ID = re.compile(r"^[0-9a-f]{6,32}$")


_WRITTEN: Select[*tuple[Any, ...]] = (
    select(CallRow.id, CallRow.at, CallRow.client_id, CallRow.name, CallNote.user_id, CallNote.text)
    .add_columns(Client.name.label("client"))
    .join(CallNote, (CallNote.began == CallRow.began) & (CallNote.call_id == CallRow.id))
    .outerjoin(Client, Client.id == CallRow.client_id)
    .order_by(CallRow.at.desc(), CallRow.id)
)


@dataclass(frozen=True, slots=True)
class NoteHit:
    """Something written: of a call (`call_id`), or on a person's or an organisation's card; who it is about."""

    text: str
    name: str
    at: datetime
    call_id: str = ""
    client_id: int | None = None
    organisation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed, folded; `known`: how words that begin so are spelled (fulltext.spellings)."""

    typed: Sequence[str]
    known: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, each group the best first."""

    clients: tuple[ClientLine, ...] = ()
    organisations: tuple[OrganisationLine, ...] = ()
    calls: tuple[CallLine, ...] = ()
    notes: tuple[NoteHit, ...] = ()
    tasks: tuple[TaskLine, ...] = ()


async def find(
    db: AsyncConnection,
    actor: Actor,
    q: str,
    *,
    country: str = "",
    queues: Collection[str] = (),
    calls_only: bool = False,
) -> Found:
    """What `q` means: a name or a part of it, a number in any spelling or its last digits, a call's id, written words.

    `calls_only` leaves out all but calls and their notes. Groups that the actor's role does not reach are empty.
    """
    q = " ".join(q.split())[:200]
    if len(q) < 2:
        return Found()
    found: list[ClientLine] = []
    companies: list[OrganisationLine] = []
    if may(actor, Right.CLIENTS):
        found = await people.clients(db, actor, q, country, CLIENTS)
        if not calls_only:
            companies = await people.organisations(db, actor, q, country, ORGANISATIONS)
    theirs = [one.id for one in found[:_FIRST]]
    log = await _calls(db, actor, q, country, theirs) if may(actor, Right.CALLS) else []
    typed = fulltext.words_of(q)
    words = Words(typed, await fulltext.spellings(db, typed))
    notes = await _notes(db, actor, words, calls_only=calls_only)
    if is_number(q):
        words = Words((), {})
    owed = [] if calls_only or not may(actor, Right.TASKS) else await _tasks(db, actor, words, theirs, queues)
    shown = () if calls_only else tuple(found)
    return Found(shown, tuple(companies), tuple(log), tuple(notes), tuple(owed))


async def _calls(db: AsyncConnection, actor: Actor, q: str, country: str, theirs: Sequence[int]) -> list[CallLine]:
    """The call of this id; the latest of this number and of these people."""
    whose: list[ColumnElement[bool]] = [CallRow.client_id == one for one in theirs]
    if number := parse(q, country).key:
        whose.append(CallRow.client_number == number)
    parts: list[Any] = [select(CallRow.id).where(CallRow.id == q).limit(1)]
    if _AN_ID.match(q.lower()):
        parts = [select(CallRow.id).where(CallRow.id >= q.lower(), CallRow.id < q.lower() + "g").limit(CALLS)]
    for condition in whose:
        latest = select(CallRow.id).where(condition).order_by(CallRow.at.desc()).limit(_LATEST)
        parts.append(latest)
    ids = list((await db.execute(union_all(*(select(part.subquery()) for part in parts)))).scalars())
    return await calls.lines_of(db, actor, ids, CALLS)


async def _notes(db: AsyncConnection, actor: Actor, words: Words, *, calls_only: bool) -> list[NoteHit]:
    found = await _of_calls(db, actor, words) if may(actor, Right.CALLS) else []
    if not calls_only and may(actor, Right.CLIENTS):
        found += await _of_cards(db, words)
    return sorted(found, key=lambda note: note.at, reverse=True)[:NOTES]


async def _of_calls(db: AsyncConnection, actor: Actor, words: Words) -> list[NoteHit]:
    """Notes of calls that the actor may see; his own are looked for apart, lest the many others hide them."""
    refs = await _refs(db, words, ("call",))
    if scope(actor) != "all" and len(refs) >= _TEXTS:
        refs |= await _refs(db, words, ("call",), actor.user_id)
    if not refs:
        return []
    written = _WRITTEN.where(CallRow.id.in_({ref for ref, _ in refs})).limit(2 * _TEXTS)
    rows = (await db.execute(visible_calls(actor, written))).all()
    return [
        NoteHit(row.text, row.client or row.name or "", row.at, call_id=row.id, client_id=row.client_id)
        for row in rows
        if (row.id, row.user_id) in refs
    ][:NOTES]


async def _of_cards(db: AsyncConnection, words: Words) -> list[NoteHit]:
    found = []
    for kind, table, name in (("client", Client, "client_id"), ("organisation", Organisation, "organisation_id")):
        ids = [int(ref) for ref, _ in await _refs(db, words, (kind,), limit=NOTES * 3)]
        if not ids:
            continue
        living = (table.id.in_(ids), table.deleted_at.is_(None))
        statement = select(table.id, table.name, table.note, table.changed_at).where(*living)
        rows = await db.execute(statement)
        found += [NoteHit(row.note, row.name, row.changed_at, **{name: row.id}) for row in rows]
    return found


async def _refs(
    db: AsyncConnection, words: Words, kinds: Sequence[str], user_id: int | None = None, limit: int = _TEXTS
) -> set[tuple[str, int]]:
    """Where these words were written: the newest of such places, each with its writer."""
    conditions = fulltext.written(words.typed, db.dialect.name, kinds, user_id, words.known)
    if conditions is None:
        return set()
    places, texts = fulltext.PLACES, fulltext.TEXTS
    statement = select(places.c.ref, places.c.user_id).join(texts, texts.c.rowid == places.c.id).where(*conditions)
    rows = await db.execute(statement.order_by(texts.c.rowid.desc()).limit(limit))
    return {(ref, user) for ref, user in rows}


async def _tasks(
    db: AsyncConnection, actor: Actor, words: Words, theirs: Sequence[int], queues: Collection[str]
) -> list[TaskLine]:
    """What is to be done: by its words, and what is open with these people."""
    ids = {int(ref) for ref, _ in await _refs(db, words, ("task",))}
    wanted: list[ColumnElement[bool]] = [Task.id.in_(sorted(ids))] if ids else []
    wanted += [(Task.client_id.in_(theirs)) & (Shy(Task.state) == "open")] if theirs else []
    if not wanted:
        return []
    narrowed = [or_(*wanted)]
    every, some = TaskFilters(state=None), Wanted(TASKS)
    page = await tasks.task_list(db, actor, every, some, queues=queues, narrowed=narrowed, few=True)
    return list(page.items)
