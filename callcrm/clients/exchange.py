"""Clients in and out of files: imported so that the same file twice changes nothing the second time."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import User
from callcrm.clients import columns, consentcells, editing, mails, service, sheets
from callcrm.clients.columns import Own
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel import audit
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Invalid
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Unit, Writer

BATCH = 100
#: What of a card is filled in when it is empty.
_ONE = frozenset({*columns.PLAIN, "addresses", "tags", "do_not_call", "owner_id", "organisation_id"})
_YES = frozenset({"yes", "true", "1", "да", "x", "+"})

Progress = Callable[[int], None]


@dataclass
class Report:
    """What an import did: cards `added` and `completed`, rows that said nothing new, and rows that were not taken."""

    added: int = 0
    completed: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def _nothing(rows: int) -> None:
    """No progress asked for."""


async def import_clients(
    writer: Writer,
    path: Path,
    *,
    actor: Actor,
    country: str = "",
    purposes: Sequence[str] = (),
    progress: Progress = _nothing,
) -> Report:
    """Brings the clients of a CSV or XLSX file in; `purposes` are what one may consent to.

    Who is known by one of his numbers keeps his card: it gets the numbers and the fields that it
    lacked. A row that cannot be taken is told with its line and leaves the others alone.
    """
    report, done = Report(), 0
    fields = await writer.do(lambda unit: columns.own(unit.db), name="clients.columns")
    for batch in _batches(columns.rows(path, fields)):

        async def take(unit: Unit, batch: Sequence[tuple[int, dict[str, str]]] = batch) -> Report:
            return await _take(unit, batch, actor, country, purposes)

        one = await writer.do(take, name="clients.import")
        report.added += one.added
        report.completed += one.completed
        report.known += one.known
        report.refused += one.refused
        done += len(batch)
        progress(done)
    return report


async def _take(
    unit: Unit, batch: Sequence[tuple[int, dict[str, str]]], actor: Actor, country: str, purposes: Sequence[str]
) -> Report:
    report = Report()
    for line, row in batch:
        try:
            async with unit.db.begin_nested():
                what = await _one(unit, row, actor, country, purposes)
        except CallcrmError as error:
            report.refused.append((line, str(error)))
            continue
        setattr(report, what, getattr(report, what) + 1)
    return report


async def _one(unit: Unit, row: dict[str, str], actor: Actor, country: str, purposes: Sequence[str]) -> str:
    """One row: "added", "completed" or "known"."""
    numbers = [one for one in row.get("numbers", "").replace(";", ",").replace("\n", ",").split(",") if one.strip()]
    typed = await _typed(unit, row, actor)
    client_id = await _holder(unit.db, numbers, country)
    agreed = row.get("consents", "")
    if client_id is None:
        client_id = await editing.add_client(unit, actor, typed, numbers, country=country)
        await consentcells.take(unit, actor, client_id, agreed, purposes)
        return "added"
    completed = await _complete(unit, actor, client_id, typed, numbers, country=country)
    completed |= await consentcells.take(unit, actor, client_id, agreed, purposes)
    return "completed" if completed else "known"


async def _typed(unit: Unit, row: dict[str, str], actor: Actor) -> dict[str, Any]:
    typed: dict[str, Any] = {name: row[name] for name in columns.PLAIN if row.get(name)}
    for name in ("tags", "emails"):
        if row.get(name):
            typed[name] = [one.strip() for one in row[name].replace(";", ",").replace("\n", ",").split(",")]
    if row.get("addresses"):
        typed["addresses"] = row["addresses"].splitlines()
    if custom := columns.under(row, "custom."):
        typed["custom"] = custom
    if row.get("do_not_call", "").casefold() in _YES:
        typed["do_not_call"] = True
    if row.get("owner"):
        found = await unit.db.scalar(select(User.id).where(User.name == row["owner"].strip().casefold()))
        if found is None:
            raise Invalid(f"There is no account named {row['owner'][:60]}; add it first, or leave the owner empty.")
        typed["owner_id"] = found
    if row.get("organisation"):
        theirs = columns.under(row, "organisation.")
        typed["organisation_id"] = await _organisation(unit, row["organisation"], theirs, actor)
    return typed


async def _organisation(unit: Unit, name: str, custom: dict[str, str], actor: Actor) -> int:
    """The organisation of this name, opened when there is none; it gets the values that it lacked."""
    table = Organisation.__table__
    living = Organisation.deleted_at.is_(None)
    same = select(table).where(Organisation.name == name, living).order_by(Organisation.id).limit(1)
    found = (await unit.db.execute(same)).mappings().first()
    if found is None:
        typed: dict[str, Any] = {"name": name} | ({"custom": custom} if custom else {})
        return await editing.add_organisation(unit, actor, typed, by_the_way=True)
    lacking = {key: value for key, value in custom.items() if key not in (found["custom"] or {})}
    if lacking:
        await editing.edit_organisation(unit, actor, found["id"], {"custom": lacking}, found["version"])
    return int(found["id"])


async def _holder(db: AsyncConnection, numbers: Sequence[str], country: str) -> int | None:
    """Who is certainly known by one of the numbers."""
    for raw in numbers:
        match = await service.recognise(db, parse(raw, country))
        if match.step == "exact" and match.client_id is not None:
            return match.client_id
    return None


async def _complete(
    unit: Unit, actor: Actor, client_id: int, typed: dict[str, Any], numbers: Sequence[str], *, country: str
) -> bool:
    """Fills in what the card lacks; whether there was anything."""
    card = (await unit.db.execute(select(Client.__table__).where(Client.id == client_id))).mappings().one()
    held_mails = (await mails.of(unit.db, [client_id])).get(client_id, [])
    lacking = {name: value for name, value in typed.items() if name in _ONE and not card[name]}
    if custom := {key: value for key, value in typed.get("custom", {}).items() if key not in card["custom"]}:
        lacking["custom"] = custom
    if {one.casefold() for one in typed.get("emails", [])} - {one.casefold() for one in held_mails}:
        lacking["emails"] = [*held_mails, *typed["emails"]]
    held = set(await unit.db.scalars(select(ClientNumber.e164).where(ClientNumber.client_id == client_id)))
    new = [raw for raw in numbers if parse(raw, country).key not in held]
    if lacking:
        await editing.edit_client(unit, actor, client_id, lacking, card["version"])
    for raw in new:
        await editing.add_number(unit, actor, raw, client_id=client_id, country=country)
    return bool(lacking or new)


def _batches(rows: Iterator[tuple[int, dict[str, str]]]) -> Iterator[list[tuple[int, dict[str, str]]]]:
    batch: list[tuple[int, dict[str, str]]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def export_clients(
    database: Database, writer: Writer, path: Path, *, actor: Actor, progress: Progress = _nothing
) -> int:
    """Writes every living client into a CSV or XLSX file that `import_clients` understands; an audit row tells it."""
    count = 0

    async def note(unit: Unit) -> None:
        await audit.write(unit, actor, "export", "client", "all", {"file": path.suffix})

    await writer.do(note, name="clients.export")
    with sheets.written(path) as sheet:
        async with database.read() as db:
            fields = await columns.own(db)
            sheet.row([*columns.COLUMNS, *fields.head()])
            async for row in _cards(db, fields):
                sheet.row(row)
                count += 1
                if count % BATCH == 0:
                    progress(count)
    progress(count)
    return count


async def _cards(db: AsyncConnection, fields: Own) -> AsyncIterator[list[str]]:
    cards = (
        select(
            Client.__table__,
            Organisation.name.label("organisation"),
            Organisation.custom.label("theirs"),
            User.name.label("owner"),
        )
        .outerjoin(Organisation, Organisation.id == Client.organisation_id)
        .outerjoin(User, User.id == Client.owner_id)
        .where(Client.deleted_at.is_(None))
        .order_by(Client.id)
        .limit(BATCH)
    )
    last = 0
    while page := (await db.execute(cards.where(Client.id > last))).mappings().all():
        last = page[-1]["id"]
        numbers: dict[int, list[str]] = {}
        held = select(ClientNumber.client_id, ClientNumber.e164, ClientNumber.raw).order_by(ClientNumber.id)
        for one in await db.execute(held.where(ClientNumber.client_id.in_([card["id"] for card in page]))):
            numbers.setdefault(one.client_id, []).append(one.e164 or one.raw)
        ids = [card["id"] for card in page]
        written, agreed = await mails.of(db, ids), await consentcells.written(db, ids)
        for card in page:
            key = card["id"]
            more = {"consents": agreed.get(key, "")}
            yield columns.cells_of(card, numbers.get(key, []), written.get(key, []), fields, more)
