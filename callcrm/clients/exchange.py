"""Clients in and out of files: imported so that the same file twice changes nothing the second time."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor
from callcrm.accounts.tables import User
from callcrm.clients import editing, service, sheets
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel import audit
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Invalid
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Unit, Writer

BATCH = 100
#: What a column may be called, in folded case; the first name is ours.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "client", "имя", "фио", "клиент", "контакт"),
    "organisation": ("organisation", "organization", "company", "организация", "компания"),
    "numbers": ("numbers", "number", "phone", "phones", "telephone", "mobile", "телефон", "телефоны", "номер"),
    "email": ("email", "e-mail", "mail", "почта"),
    "job": ("job", "position", "title", "должность"),
    "language": ("language", "язык"),
    "time_zone": ("time_zone", "time zone", "часовой пояс"),
    "tags": ("tags", "tag", "метки"),
    "note": ("note", "notes", "comment", "заметка", "комментарий"),
    "owner": ("owner", "responsible", "ответственный"),
    "do_not_call": ("do_not_call", "do not call", "не звонить"),
}
_YES = frozenset({"yes", "true", "1", "да", "x", "+"})
_PLAIN = ("name", "email", "job", "language", "time_zone", "note")

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
    writer: Writer, path: Path, *, actor: Actor, country: str = "", progress: Progress = _nothing
) -> Report:
    """Brings the clients of a CSV or XLSX file in.

    Who is known by one of his numbers keeps his card: it gets the numbers and the fields that it
    lacked. A row that cannot be taken is told with its line and leaves the others alone.
    """
    report, done = Report(), 0
    for batch in _batches(_rows(path)):

        async def take(unit: Unit, batch: Sequence[tuple[int, dict[str, str]]] = batch) -> Report:
            return await _take(unit, batch, actor, country)

        one = await writer.do(take, name="clients.import")
        report.added += one.added
        report.completed += one.completed
        report.known += one.known
        report.refused += one.refused
        done += len(batch)
        progress(done)
    return report


async def _take(unit: Unit, batch: Sequence[tuple[int, dict[str, str]]], actor: Actor, country: str) -> Report:
    report = Report()
    for line, row in batch:
        try:
            async with unit.db.begin_nested():
                what = await _one(unit, row, actor, country)
        except CallcrmError as error:
            report.refused.append((line, str(error)))
            continue
        setattr(report, what, getattr(report, what) + 1)
    return report


async def _one(unit: Unit, row: dict[str, str], actor: Actor, country: str) -> str:
    """One row: "added", "completed" or "known"."""
    numbers = [one for one in row.get("numbers", "").replace(";", ",").replace("\n", ",").split(",") if one.strip()]
    typed = await _typed(unit, row, actor)
    client_id = await _holder(unit.db, numbers, country)
    if client_id is None:
        await editing.add_client(unit, actor, typed, numbers, country=country)
        return "added"
    return "completed" if await _complete(unit, actor, client_id, typed, numbers, country=country) else "known"


async def _typed(unit: Unit, row: dict[str, str], actor: Actor) -> dict[str, Any]:
    typed: dict[str, Any] = {name: row[name] for name in _PLAIN if row.get(name)}
    if row.get("tags"):
        typed["tags"] = [tag.strip() for tag in row["tags"].replace(";", ",").split(",") if tag.strip()]
    if row.get("do_not_call", "").casefold() in _YES:
        typed["do_not_call"] = True
    if row.get("owner"):
        found = await unit.db.scalar(select(User.id).where(User.name == row["owner"].strip().casefold()))
        if found is None:
            raise Invalid(f"There is no account named {row['owner'][:60]}; add it first, or leave the owner empty.")
        typed["owner_id"] = found
    if row.get("organisation"):
        typed["organisation_id"] = await _organisation(unit, row["organisation"], actor)
    return typed


async def _organisation(unit: Unit, name: str, actor: Actor) -> int:
    found = await unit.db.scalar(select(Organisation.id).where(Organisation.name == name).order_by(Organisation.id))
    return int(found) if found else await editing.add_organisation(unit, actor, {"name": name})


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
    lacking = {name: value for name, value in typed.items() if not card[name]}
    held = set(await unit.db.scalars(select(ClientNumber.e164).where(ClientNumber.client_id == client_id)))
    new = [raw for raw in numbers if parse(raw, country).key not in held]
    if lacking:
        await editing.edit_client(unit, actor, client_id, lacking, card["version"])
    for raw in new:
        await editing.add_number(unit, actor, raw, client_id=client_id, country=country)
    return bool(lacking or new)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row as column → text, with its line in the file."""
    rows = sheets.read(path)
    head = next(rows, None)
    if head is None:
        raise Invalid(f"{path.name} is empty; its first row must name the columns: {', '.join(COLUMNS)}.")
    names = {other: ours for ours, others in COLUMNS.items() for other in others}
    columns = [names.get(cell.casefold().strip()) for cell in head]
    if "name" not in columns and "numbers" not in columns:
        raise Invalid(f"{path.name} has no column name or numbers; its first row must name them.")
    for line, row in enumerate(rows, start=2):
        found: dict[str, str] = {}
        for column, cell in zip(columns, row, strict=False):
            if column and cell:
                found[column] = f"{found[column]}, {cell}" if column in found else cell
        yield line, found


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
        sheet.row(list(COLUMNS))
        async with database.read() as db:
            async for row in _cards(db):
                sheet.row(row)
                count += 1
                if count % BATCH == 0:
                    progress(count)
    progress(count)
    return count


async def _cards(db: AsyncConnection) -> AsyncIterator[list[str]]:
    cards = (
        select(Client.__table__, Organisation.name.label("organisation"), User.name.label("owner"))
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
        for card in page:
            yield _cells(card, numbers.get(card["id"], []))


def _cells(card: Mapping[Any, Any], numbers: Sequence[str]) -> list[str]:
    cells = {name: str(card[name] or "") for name in (*_PLAIN, "organisation", "owner")}
    cells["numbers"] = ", ".join(numbers)
    cells["tags"] = ", ".join(card["tags"])
    cells["do_not_call"] = "yes" if card["do_not_call"] else ""
    return [cells[name] for name in COLUMNS]
