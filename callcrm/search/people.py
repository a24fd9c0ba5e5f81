"""The people that a few letters or digits mean, the likeliest first.

Whole numbers stand before their beginnings and ends, names that begin so before names that have it within, and
among equals whoever was talked with last. What very many cards have in common is not read to its end: the newest
cards and those of the latest calls are looked at.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, TableClause, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, scope
from callcrm.calls.tables import CallRow
from callcrm.clients import queries, searching
from callcrm.clients.queries import ClientLine, OrganisationLine
from callcrm.clients.searching import CANDIDATES, EXACT, Candidate
from callcrm.clients.tables import Client
from callcrm.kernel import fulltext
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Key

RECENT_CALLS = 1000
_LAST = select(CallRow.at).where(CallRow.client_id == Client.id).order_by(CallRow.at.desc()).limit(1)
_LAST_CALLED = Prepared(
    select(Client.id, _LAST.scalar_subquery()).where(
        Client.id.in_(bindparam("ids", expanding=True, type_=Key)), Client.deleted_at.is_(None)
    )
)
_NAMED, _BEGINS, _WORDS_BEGIN, _WITHIN = range(4)


async def clients(db: AsyncConnection, actor: Actor, q: str, country: str, limit: int) -> list[ClientLine]:
    """The cards that `q` means. Raises NotAllowed for who may see none."""
    require(actor, Right.CLIENTS)
    if searching.is_number(q):
        found = [one for one, _ in await _holders(db, actor, q, country)]
    else:
        found = await _named(db, actor, q, country, limit)
    ids = await _ordered(db, found, limit)
    lines = await queries.client_lines(db, actor, ids)
    return [lines[one] for one in ids if one in lines]


async def organisations(db: AsyncConnection, actor: Actor, q: str, country: str, limit: int) -> list[OrganisationLine]:
    """The organisations that `q` means, in the order of how well they fit, then of their names' length."""
    require(actor, Right.CLIENTS)
    ranks: dict[int, tuple[int, int]] = {}
    if searching.is_number(q):
        for one, is_company in await _holders(db, actor, q, country, companies=True):
            if is_company:
                ranks[one.id] = (one.rank, 0)
    words = fulltext.words_of(q)
    for conditions in _stages(fulltext.ORGANISATIONS, words, db.dialect.name):
        if conditions is None or len(ranks) >= limit:
            continue
        found = fulltext.ORGANISATIONS
        rows = await db.execute(select(found.c.rowid, found.c.text).where(*conditions).limit(CANDIDATES))
        for key, text in rows:
            ranks.setdefault(key, (_fits(words, text) + EXACT + 1, len(text)))
    ids = sorted(ranks, key=lambda key: (ranks[key], key))[:limit]
    lines = await queries.organisation_lines(db, actor, ids)
    return [lines[one] for one in ids if one in lines]


async def _holders(
    db: AsyncConnection, actor: Actor, q: str, country: str, *, companies: bool = False
) -> list[tuple[Candidate, bool]]:
    """Persons (or organisations) with a number that fits, each once with its best rank."""
    statement = searching.holders(q, country, masked=actor.masked, limit=CANDIDATES)
    if statement is None:
        return []
    ranks: dict[int, int] = {}
    for person, company, rank, _e164 in await db.execute(statement):
        key = company if companies else person
        if key is not None:
            ranks[key] = min(rank, ranks.get(key, rank))
    return [(Candidate(key, rank), companies) for key, rank in ranks.items()]


async def _named(db: AsyncConnection, actor: Actor, q: str, country: str, limit: int) -> list[Candidate]:
    words = fulltext.words_of(q)
    digits = [word for word in words if searching.is_number(word)]
    letters = [word for word in words if word not in digits]
    begins, within = _stages(fulltext.CLIENTS, letters, db.dialect.name)
    found = await _read(db, begins) if begins is not None else {}
    # Fewer are all that begin so: then those of the latest calls are among them.
    if len(found) >= CANDIDATES:
        found |= await _lately(db, actor, letters)
    if within is not None and len(found) < limit:
        found |= await _read(db, within)
    for word in digits:
        whose = {one.id for one, _ in await _holders(db, actor, word, country)}
        found = {key: text for key, text in found.items() if key in whose or f" {word}" in text}
    return [Candidate(key, _fits(letters, text)) for key, text in found.items()]


def _stages(
    found: TableClause, words: Sequence[str], dialect: str
) -> tuple[list[ColumnElement[bool]] | None, list[ColumnElement[bool]] | None]:
    """The conditions to try one after the other: words that begin so, then any part of a word."""
    return fulltext.named(found, words, dialect, within=False), fulltext.named(found, words, dialect)


async def _read(db: AsyncConnection, conditions: Sequence[ColumnElement[bool]]) -> dict[int, str]:
    found = fulltext.CLIENTS
    statement = select(found.c.rowid, found.c.text).where(*conditions).order_by(found.c.rowid.desc())
    return {row.rowid: row.text for row in await db.execute(statement.limit(CANDIDATES))}


async def _lately(db: AsyncConnection, actor: Actor, words: Sequence[str]) -> dict[int, str]:
    """Those of the latest calls (his own, for who sees no others) whose words begin so."""
    calls = select(CallRow.client_id).where(CallRow.client_id.is_not(None))
    if scope(actor) == "own":
        calls = calls.where(CallRow.operator_id == actor.user_id)
    latest = calls.order_by(CallRow.at.desc()).limit(RECENT_CALLS).subquery()
    found = fulltext.CLIENTS
    said = [found.c.text.contains(f" {word}", autoescape=True) for word in words]
    statement = select(found.c.rowid, found.c.text).where(found.c.rowid.in_(select(latest.c.client_id)), *said)
    return {row.rowid: row.text for row in await db.execute(statement.limit(CANDIDATES))}


def _fits(words: Sequence[str], text: str) -> int:
    """How well a folded text, between spaces and its name first, fits the words."""
    phrase = " ".join(words)
    if text.startswith(f" {phrase} "):
        return _NAMED
    if text.startswith(f" {phrase}"):
        return _BEGINS
    return _WORDS_BEGIN if all(f" {word}" in text for word in words) else _WITHIN


async def _ordered(db: AsyncConnection, found: Sequence[Candidate], limit: int) -> list[int]:
    """The best of the living cards: by how they fit, then by the last call."""
    best = sorted(found, key=lambda one: (one.rank, -one.id))[: 2 * CANDIDATES]
    called: dict[int, datetime | None] = {}
    if best:
        called = {row[0]: row[1] for row in await _LAST_CALLED.all(db, {"ids": [one.id for one in best]})}

    def place(one: Candidate) -> tuple[int, float, int]:
        at = called[one.id]
        return one.rank, -at.timestamp() if at else 0.0, -one.id

    return [one.id for one in sorted((one for one in best if one.id in called), key=place)[:limit]]
