"""The commands that work on the database: accounts, clients in and out, migration, backup."""

import getpass
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from callcrm import backup as backups
from callcrm.accounts import passwords, queries, service, sessions
from callcrm.accounts.policy import Actor, Line
from callcrm.clients import exchange
from callcrm.kernel.bus import open_bus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Invalid, NotFound
from callcrm.kernel.writer import Unit, Writer
from callcrm.settings import Settings

#: Whoever may run a command on this machine may do everything; the audit says that it was a command.
COMMAND = Actor(0, "command", "admin", via="command")


@dataclass(frozen=True, slots=True)
class Office:
    """The database and its writer, for one command."""

    database: Database
    writer: Writer


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Office]:
    """Opens the database beside a daemon that may be running; it hears of the changes by itself."""
    database = await Database.open(settings.database.url)
    try:
        bus = await open_bus(database, shared=True)
        try:
            async with Writer(database, bus) as writer:
                yield Office(database, writer)
        finally:
            await bus.close()
    finally:
        await database.close()


def phones(settings: Settings, extensions: Sequence[str]) -> list[Line]:
    """`101` or `office:101` as phones; Invalid where the PBX is not clear."""
    found = []
    for text in extensions:
        pbx, colon, extension = text.rpartition(":")
        if not colon and len(settings.pbx) > 1:
            names = ", ".join(settings.pbx)
            raise Invalid(f"Which PBX has {text}? Write it as PBX:{text}; there are {names}.")
        if not colon and not settings.pbx:
            raise Invalid("No PBX is set; write one into the settings as [pbx.NAME] first.")
        pbx = pbx or next(iter(settings.pbx))
        if pbx not in settings.pbx:
            raise Invalid(f"There is no PBX named {pbx}; there are {', '.join(settings.pbx) or 'none'}.")
        found.append(Line(pbx, extension))
    return found


def ask_password() -> str:
    """A password typed twice, or one line of the standard input when nobody sits there."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CallcrmError("The two passwords differ; nothing was changed.")
    return first


async def add_user(settings: Settings, name: str, password: str, *, phones: Sequence[Line], **values: str) -> None:
    """Opens an account."""
    hashed = await passwords.hashed(password, name=name)

    async def work(unit: Unit) -> None:
        await service.add_user(unit, name, password_hash=hashed, phones=phones, by=None, **values)

    async with opened(settings) as office:
        await office.writer.do(work, name="user.add")
    at = ", ".join(f"{phone.pbx}:{phone.extension}" for phone in phones)
    print(f"{name} is there as {values['role']}{f' at {at}' if at else ''}.")


async def add_token(settings: Settings, name: str, label: str) -> None:
    """Makes an API token and prints it."""
    async with opened(settings) as office:
        user_id = await _user(office, name)
        print(await office.writer.do(lambda unit: sessions.add_token(unit, user_id, label), name="user.token"))
    print("This is the only time that it is shown; keep it safe.", file=sys.stderr)


async def set_password(settings: Settings, name: str, password: str) -> None:
    """Replaces a password."""
    hashed = await passwords.hashed(password, name=name)
    async with opened(settings) as office:
        user_id = await _user(office, name)
        await office.writer.do(lambda unit: service.set_password(unit, user_id, hashed), name="user.password")
    print(f"The password of {name} is changed, and {name} is signed out everywhere.")


async def _user(office: Office, name: str) -> int:
    async with office.database.read() as db:
        person = await queries.person(db, name)
    if person is None:
        raise NotFound(f"There is no account named {name}; add it with: callcrm user add {name} --role operator")
    return person.id


async def import_file(settings: Settings, path: Path) -> None:
    """Brings clients in and tells what became of each row."""
    async with opened(settings) as office:
        with _progress("clients") as tell:
            report = await exchange.import_clients(
                office.writer,
                path,
                actor=COMMAND,
                country=settings.clients.country,
                purposes=settings.clients.consents,
                progress=tell,
            )
    for line, why in report.refused:
        print(f"line {line}: {why}", file=sys.stderr)
    print(f"{_count(report.added, 'client')} added, {report.completed} completed, {report.known} known already.")
    if report.refused:
        raise CallcrmError(
            f"Not taken: {_count(len(report.refused), 'row')}; mend that in the file and import it again."
        )


async def export_file(settings: Settings, what: str, path: Path) -> None:
    """Takes clients out."""
    async with opened(settings) as office:
        with _progress(what) as tell:
            count = await exchange.export_clients(office.database, office.writer, path, actor=COMMAND, progress=tell)
    print(f"{_count(count, what.removesuffix('s'))} written to {path}.")


async def migrate(settings: Settings) -> None:
    """Brings the database to this version's schema."""
    database = await Database.open(settings.database.url)
    await database.close()
    print(f"The database {database.place} is as this version needs it.")


async def backup(settings: Settings, path: Path) -> None:
    """Writes everything into one file."""
    database = await Database.open(settings.database.url, migrate=False)
    try:
        with _progress("rows") as tell:
            made = await backups.backup(database, path, _summed(tell))
    finally:
        await database.close()
    print(f"{made.total} rows of {len(made.rows)} tables are in {path}; recordings stay where the PBX keeps them.")


async def restore(settings: Settings, path: Path, *, replace: bool) -> None:
    """Reads everything from one file."""
    database = await Database.open(settings.database.url)
    try:
        with _progress("rows") as tell:
            made = await backups.restore(database, path, replace=replace, progress=_summed(tell))
    finally:
        await database.close()
    print(f"{made.total} rows as of {made.made_at:%Y-%m-%d %H:%M} UTC are back.")


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _summed(tell: exchange.Progress) -> backups.Progress:
    """Progress over all tables from that of each."""
    rows: dict[str, int] = {}

    def told(table: str, count: int) -> None:
        rows[table] = count
        tell(sum(rows.values()))

    return told


@contextmanager
def _progress(what: str) -> Iterator[exchange.Progress]:
    """A line that counts up, where somebody looks."""
    columns = (TextColumn("{task.completed} {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(what, total=None)
        yield lambda count: shown.update(task, completed=count)
