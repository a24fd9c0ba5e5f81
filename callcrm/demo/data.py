"""Fills an empty database with the demo, through the ordinary services: accounts, cards, the calls of the last days."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from callcrm.accounts import passwords, queries
from callcrm.accounts import service as accounts
from callcrm.accounts.policy import Actor, Line
from callcrm.calls import notes
from callcrm.calls import service as calls
from callcrm.calls.call import Call, Change
from callcrm.calls.rows import Context, site
from callcrm.clients import editing
from callcrm.demo import cards
from callcrm.demo.graded import grade
from callcrm.demo.history import moments, past_calls
from callcrm.demo.lawful import law
from callcrm.demo.owed import owe
from callcrm.demo.planned import plan
from callcrm.demo.sampled import sample
from callcrm.demo.story import CLIENTS, COLLEAGUES, COMPANIES, COUNTRY, NOTES, OFFICE, PBX, Colleague, a_story
from callcrm.demo.worked import work
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer

DAYS = 4
#: Calls of the last hours are followed by callbacks; older ones were all settled.
RECENT_S = 2 * 3600
#: The share of answered calls of which something was written.
NOTED = 0.6
#: Calls written in one unit.
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody a visitor may sign in as."""

    name: str
    password: str
    role: str
    full_name: str
    extension: str


def logins() -> list[Login]:
    """One login per role."""
    return [Login(one.name, one.password, one.role, one.full_name, one.extension) for one in COLLEAGUES if one.shown]


async def fill(
    database: Database,
    writer: Writer,
    recordings: Path,
    *,
    after: Sequence[calls.After] = (),
    days: int = DAYS,
    seed: int = 1,
) -> bool:
    """Make the demo's data unless there are accounts already; whether it was made.

    `after` runs on the calls of the last two hours, as the listener does for living ones: callbacks.
    """
    async with database.read() as db:
        if await queries.people(db, active_only=False):
            return False
    ids = await _people(writer)
    boss = Actor(ids["vera"], "vera", "supervisor", via="command")
    await writer.do(partial(_cards, boss=boss, ids=ids), name="demo-cards")
    await _calls(writer, _Past(ids, recordings, after, days, Random(seed)))
    await owe(writer, ids, _context(ids), after)
    await sample(database, writer, boss, ids)
    await grade(writer, boss, ids)
    await law(writer, recordings, ids)
    await writer.do(partial(plan, ids=ids), name="demo-tasks")
    await writer.do(partial(work, ids=ids, days=days, dice=Random(seed)), name="demo-shifts")
    return True


async def _people(writer: Writer) -> dict[str, int]:
    hashes = await asyncio.gather(*(passwords.hashed(one.password, name=one.name) for one in COLLEAGUES))

    async def open_accounts(unit: Unit) -> dict[str, int]:
        return {
            one.name: await _open(unit, one, password_hash)
            for one, password_hash in zip(COLLEAGUES, hashes, strict=True)
        }

    return await writer.do(open_accounts, name="demo-accounts")


async def _open(unit: Unit, one: Colleague, password_hash: str) -> int:
    phones = (Line(PBX, one.extension),) if one.extension else ()
    user_id = await accounts.add_user(
        unit, one.name, role=one.role, full_name=one.full_name, password_hash=password_hash, phones=phones
    )
    if one.extension:
        await accounts.start_shift(unit, Actor(user_id, one.name, one.role, extensions=phones, via="command"))
    return user_id


async def _cards(unit: Unit, boss: Actor, ids: dict[str, int]) -> None:
    companies = [
        await editing.add_organisation(
            unit, boss, {"name": one.name, "tags": list(one.tags), "note": one.note}, one.numbers, country=COUNTRY
        )
        for one in COMPANIES
    ]
    clients = []
    for one in CLIENTS:
        typed: dict[str, Any] = {"name": one.name, "job": one.job, "tags": list(one.tags), "note": one.note}
        typed |= {"owner_id": ids.get(one.owner), "organisation_id": _of(companies, one.company)}
        clients.append(await editing.add_client(unit, boss, typed, (one.number,), country=COUNTRY))
    await cards.furnish(unit, boss, clients, companies)


def _of(companies: list[int], place: int | None) -> int | None:
    return companies[place] if place is not None else None


@dataclass(frozen=True, slots=True)
class _Past:
    ids: dict[str, int]
    recordings: Path
    after: Sequence[calls.After]
    days: int
    dice: Random


async def _calls(writer: Writer, past: _Past) -> None:
    now = clock.now()
    context = _context(past.ids)
    made = past_calls(a_story(), PBX, moments(now, past.days, past.dice), past.dice, past.recordings)
    since = now.timestamp() - RECENT_S
    while page := await asyncio.to_thread(_next, made):
        old = [one for one in page if (one.at or 0.0) < since]
        new = [one for one in page if (one.at or 0.0) >= since]
        for some, after in ((old, ()), (new, past.after)):
            if some:
                await writer.do(partial(_record, some=some, context=context, after=after), name="demo-calls")
        written = [one for one in page if one.answered_by and past.dice.random() < NOTED]
        wrote = {one.id: past.dice.choice(NOTES) for one in written}
        await writer.do(partial(_write_notes, some=written, wrote=wrote, ids=past.ids), name="demo-notes")


def _context(ids: Mapping[str, int]) -> Context:
    phones = {(PBX, one.extension): ids[one.name] for one in COLLEAGUES if one.extension}
    return Context({PBX: site(COUNTRY, (OFFICE,))}, phones)


def _next(made: Iterator[Call]) -> list[Call]:
    return [one for one, _ in zip(made, range(_PAGE), strict=False)]


async def _record(unit: Unit, some: Sequence[Call], context: Context, after: Sequence[calls.After]) -> None:
    changes = [Change("call.ended", one, one.ended_at or one.at or 0.0) for one in some]
    await calls.record(unit, changes, context, after=after)


async def _write_notes(
    unit: Unit, some: Sequence[Call], wrote: Mapping[str, tuple[str, str]], ids: Mapping[str, int]
) -> None:
    """What the operator who talked last wrote of each call, and chose."""
    sits = {one.extension: one for one in COLLEAGUES if one.extension}
    for call in some:
        colleague = sits[call.answered_by[-1]]
        actor = Actor(
            ids[colleague.name],
            colleague.name,
            colleague.role,
            extensions=(Line(PBX, colleague.extension),),
            via="command",
        )
        text, disposition = wrote[call.id]
        await notes.note(unit, actor, call.id, text)
        await notes.set_disposition(unit, actor, call.id, disposition)
