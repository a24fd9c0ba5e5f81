"""A big data set, made in minutes: `python -m bench.bigdata --clients 1000000 --calls 3000000 FILE` (SQLite).

Seeded, so that the same figures give the same data. Rows go straight into the file, without the service's own
ways (which have to keep promises that a made-up past need not): the tables are those of the service's own
migrations, indexes and triggers are put away first and made again at the end.
"""

import argparse
import asyncio
import itertools
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Table

from bench import bigcalls, bigpeople
from callcrm.accounts.tables import Phone, User
from callcrm.calls.tables import CallNote, CallOperator, CallRecording, CallRow, LegRow
from callcrm.calls.xraytables import RecordingXray, Xray
from callcrm.clients import fields
from callcrm.clients.tables import Client, ClientMail, ClientNumber, Organisation
from callcrm.kernel.database import Database
from callcrm.kernel.numbers import TAIL
from callcrm.kernel.schema import dump_json
from callcrm.migrations import search_sqlite
from callcrm.tasks.tables import Task, TaskAttempt

OPERATORS = 200
SUPERVISORS = 5
FIRST_PHONE = 1001
BATCH = 5000
TASKS_A_CLIENT = 0.02
#: How many of the latest missed callers still wait for a call back.
OWED = 300
#: Calls of which a callback was kept.
REMEMBERED = timedelta(days=180)

Row = dict[str, Any]


class Into:
    """Rows into one table, whatever columns it has got meanwhile: what is not given is the table's own default."""

    def __init__(self, db: sqlite3.Connection, model: type) -> None:
        table: Table = model.__table__  # type: ignore[attr-defined]
        order = [row[1] for row in db.execute(f"PRAGMA table_info({table.name})")]
        self._db, self._table = db, table.name
        self.columns = order
        self._row = {name: _plain(_default(table.columns[name])) for name in order}
        self._sql = f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(order))})"  # noqa: S608

    def add(self, rows: Iterable[Row]) -> None:
        """Put them in."""
        self._db.executemany(self._sql, map(self._values, rows))

    def _values(self, row: Row) -> list[Any]:
        whole = {**self._row, **row}
        if len(whole) > len(self._row):
            raise KeyError(f"{self._table} has no {', '.join(row.keys() - self._row.keys())}")
        return [_WRITTEN[type(v)](v) if type(v) in _WRITTEN else v for v in whole.values()]


def _default(column: Any) -> Any:
    default = getattr(column.default, "arg", None)
    return default(None) if callable(default) else default


def _moment(value: datetime) -> str:
    return value.isoformat(" ", "microseconds")[:26]


#: How SQLAlchemy's types write what Python has into SQLite.
_WRITTEN: dict[type, Callable[[Any], Any]] = {datetime: _moment, list: dump_json, dict: dump_json, tuple: dump_json}


def _plain(value: Any) -> Any:
    return _WRITTEN[type(value)](value) if type(value) in _WRITTEN else value


def make(path: Path, *, clients: int, calls: int, seed: int = 1, tell: Callable[[str], None] = print) -> None:
    """Make the file; `tell` hears how far it is. Raises FileExistsError rather than write into one that is there."""
    if path.exists():
        raise FileExistsError(f"{path} is there already; give another name or delete it.")
    asyncio.run(_migrated(path))
    db = sqlite3.connect(path, isolation_level=None)
    for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "foreign_keys = OFF"):
        db.execute(f"PRAGMA {setting}")
    begun = time.monotonic()

    def told(what: str) -> None:
        tell(f"{time.monotonic() - begun:6.1f} s  {what}")

    later = _put_away(db)
    db.execute("BEGIN")
    _fill(db, clients, calls, Random(seed), told)
    db.execute("COMMIT")
    _bring_back(db, later, told)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    told(f"{path} is made: {path.stat().st_size / 1e6:,.0f} MB")


async def _migrated(path: Path) -> None:
    database = await Database.open(f"sqlite:///{path}")
    await database.close()


def _put_away(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Take indexes and triggers out; what makes them again."""
    found = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    made = db.execute(found).fetchall()
    for kind, name, _sql in made:
        db.execute(f"DROP {kind} {name}")
    return [(name, sql) for _kind, name, sql in sorted(made)]


def _bring_back(db: sqlite3.Connection, made: list[tuple[str, str]], told: Callable[[str], None]) -> None:
    for table, key, statement in search_sqlite.FILL:
        first, last = db.execute(f"SELECT min({key}), max({key}) FROM {table}").fetchone()  # noqa: S608
        if first is not None:
            db.execute(statement, {"first": first, "last": last})
    for statement in search_sqlite.FINISH:
        db.execute(statement)
    told("what is searched")
    for name, sql in made:
        db.execute(sql)
        if name.startswith("ix_calls"):
            told(name)


def _fill(db: sqlite3.Connection, clients: int, calls: int, dice: Random, told: Callable[[str], None]) -> None:
    now = datetime.now(UTC)
    users = _users(db, now)
    told(f"{len(users)} accounts")
    numbers = _people(db, clients, [user for user, _ in users], dice, now)
    told(f"{clients:,} clients")
    office = bigcalls.Office(users, numbers)
    _calls(db, bigcalls.calls(dice, now, calls // (bigcalls.COPIES + 1), office))
    told("the calls of the first weeks")
    _copy(db, office, told)
    missed = _missed(db, now)
    _owed(db, missed, users, dice, now)
    _tasks(db, clients, users, dice, now)
    told("callbacks and tasks")


def _users(db: sqlite3.Connection, now: datetime) -> list[tuple[int, str]]:
    made = {"created_at": now}
    people, phones = Into(db, User), Into(db, Phone)
    operators = [(n, f"operator{n}", "operator") for n in range(1, OPERATORS + 1)]
    others = [(OPERATORS + n, f"supervisor{n}", "supervisor") for n in range(1, SUPERVISORS + 1)]
    others.append((OPERATORS + SUPERVISORS + 1, "admin1", "admin"))
    people.add({**made, "id": n, "name": name, "role": role} for n, name, role in [*operators, *others])
    seats = [(n, str(FIRST_PHONE + n)) for n, _, _ in operators]
    phones.add({"id": n, "pbx": bigcalls.PBX, "extension": phone, "user_id": n, "owner_id": n} for n, phone in seats)
    return seats


def _people(db: sqlite3.Connection, count: int, owners: list[int], dice: Random, now: datetime) -> list[str]:
    """Organisations, clients, their numbers and mails; each client's first number."""
    companies = max(1, count // 20)
    made = {"created_at": now - timedelta(days=900), "changed_at": now - timedelta(days=30)}
    names = [bigpeople.company(dice, n) for n in range(1, companies + 1)]
    rows = ({"name": name, "search": fields.organisation_search({"name": name})} for name in names)
    Into(db, Organisation).add({**made, "id": n, **row} for n, row in enumerate(rows, start=1))
    cards, numbers, mails = Into(db, Client), Into(db, ClientNumber), Into(db, ClientMail)
    first: list[str] = []
    found = enumerate(bigpeople.people(dice, count, companies, owners), start=1)
    while batch := list(itertools.islice(found, BATCH)):
        cards.add({**made, "id": key, **_card(person)} for key, person in batch)
        numbers.add(
            {"created_at": made["created_at"], "client_id": key, **_number(*one)}
            for key, person in batch
            for one in person.numbers
        )
        mails.add(
            {"client_id": key, "place": 0, "address": person.mail, "folded": person.mail.casefold()}
            for key, person in batch
            if person.mail
        )
        first += [person.numbers[0][0] for _, person in batch]
    return first


def _card(person: bigpeople.Person) -> Row:
    row = {"name": person.name, "said_name": person.said_name, "job": person.job, "tags": list(person.tags)}
    row |= {"organisation_id": person.organisation, "owner_id": person.owner, "note": person.note}
    mails = [person.mail] if person.mail else []
    return {**row, "search": fields.client_search({**row, "emails": mails})}


def _number(e164: str, national: str, kind: str) -> Row:
    row = {"e164": e164, "national": national, "tail": national[-TAIL:], "backwards": e164[::-1]}
    return {**row, "raw": e164, "kind": kind}


def _calls(db: sqlite3.Connection, made: Iterator[bigcalls.Made]) -> None:
    """The calls of the oldest stretch with all that is theirs."""
    calls, legs, parts = Into(db, CallRow), Into(db, LegRow), Into(db, CallOperator)
    sounds, notes = Into(db, CallRecording), Into(db, CallNote)
    looked, figures = Into(db, RecordingXray), Into(db, Xray)
    while batch := list(itertools.islice(made, BATCH)):
        calls.add(one.call for one in batch)
        legs.add(leg for one in batch for leg in one.legs)
        parts.add(part for one in batch for part in one.operators)
        sounds.add(sound for one in batch for sound in one.recordings)
        notes.add(note for one in batch for note in one.notes)
        looked.add(row for one in batch for row, _ in one.looked)
        figures.add(row for one in batch for _, row in one.looked)


def _copy(db: sqlite3.Connection, office: bigcalls.Office, told: Callable[[str], None]) -> None:
    """The later stretches, of other clients."""
    db.execute("CREATE TEMP TABLE first_numbers (client_id INTEGER PRIMARY KEY, e164 TEXT)")
    db.executemany("INSERT INTO first_numbers VALUES (?, ?)", enumerate(office.numbers, start=1))
    (end,) = db.execute("SELECT max(began) || 'Z' FROM calls").fetchone()
    columns = {
        model.__tablename__: Into(db, model).columns
        for model in (CallRow, LegRow, CallOperator, CallRecording, CallNote, RecordingXray, Xray)
    }
    for statement, values in bigcalls.copies(columns, len(office.numbers)):
        db.execute(statement, {**values, "end": end})
        if statement.startswith("INSERT INTO calls "):
            told(f"stretch {values['copy']} of calls")


def _missed(db: sqlite3.Connection, now: datetime) -> list[Row]:
    """The calls that were missed lately, oldest first."""
    names = ("began", "id", "at", "client_id", "client_number", "pbx", "called", "queue")
    found = f"SELECT {', '.join(names)} FROM calls WHERE missed AND at > ? ORDER BY at"  # noqa: S608
    rows = [dict(zip(names, row, strict=True)) for row in db.execute(found, [_moment(now - REMEMBERED)])]
    for row in rows:
        row |= {name: datetime.fromisoformat(row[name]).replace(tzinfo=UTC) for name in ("began", "at")}
    return rows


def _owed(db: sqlite3.Connection, missed: list[Row], users: list[tuple[int, str]], dice: Random, now: datetime) -> None:
    """A callback for each call that was missed lately; the newest callers still wait."""
    tasks, tries = Into(db, Task), Into(db, TaskAttempt)
    waiting: set[str] = set()
    for key, call in enumerate(reversed(missed), start=1):
        number = call["client_number"]
        is_open = len(waiting) < OWED and number not in waiting
        if is_open:
            waiting.add(number)
        owner = dice.choice(users)[0] if dice.random() < 0.5 or not is_open else None
        due = (now if is_open else call["at"]) + timedelta(minutes=dice.randrange(-40, 60))
        row = {"id": key, "kind": "callback", "number": number, "client_id": call["client_id"], "pbx": call["pbx"]}
        row |= {"called": call["called"], "queue": call.get("queue"), "owner_id": owner, "call_id": call["id"]}
        row |= {"attempts": 1, "last_attempt_at": call["at"], "created_at": call["at"], "due_at": due}
        if not is_open:
            row |= {"state": "done", "closed_why": dice.choice(("called_back", "got_through")), "closed_by": owner}
            row["closed_at"] = call["at"] + timedelta(minutes=dice.randrange(1, 90))
        tasks.add([row])
        tries.add([{"at": call["began"], "task_id": key, "call_id": call["id"], "kind": "missed"}])


def _tasks(db: sqlite3.Connection, clients: int, users: list[tuple[int, str]], dice: Random, now: datetime) -> None:
    """Tasks of other kinds, one in ten still to be done."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM tasks").fetchone()
    rows = []
    for key in range(last + 1, last + 1 + int(clients * TASKS_A_CLIENT)):
        at = now - timedelta(minutes=dice.randrange(60 * 24 * 365))
        row = {"id": key, "kind": "task", "title": bigpeople.note(dice)[:80], "owner_id": dice.choice(users)[0]}
        row |= {"client_id": dice.randrange(1, clients + 1), "created_at": at, "due_at": at + timedelta(days=3)}
        if dice.random() < 0.9:
            row |= {"state": "done", "closed_at": at + timedelta(days=2), "closed_why": "by_hand"}
        rows.append(row)
    Into(db, Task).add(rows)


def main() -> int:
    """Run it from the command line."""
    asked = argparse.ArgumentParser(prog="python -m bench.bigdata", description="A big data set in an SQLite file.")
    asked.add_argument("file", type=Path)
    asked.add_argument("--clients", type=int, default=1_000_000)
    asked.add_argument("--calls", type=int, default=3_000_000)
    asked.add_argument("--seed", type=int, default=1)
    told = asked.parse_args()
    try:
        make(told.file, clients=told.clients, calls=told.calls, seed=told.seed)
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
