"""A person's file: everything held of one person as a ZIP, for an access request.

It holds data.json (every row, by table), calls.csv, the sound of each call that has one, README.txt (what is in it,
what is held and not given, and why) and SHA256SUMS. It is packed by the worker, a piece at a time, and told as it goes.
"""

import asyncio
import csv
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require
from callcrm.calls.tables import CallRecording
from callcrm.clients.tables import Client
from callcrm.custody import holdings, opening
from callcrm.custody.holdings import HOLDINGS, NOTHING, Subject
from callcrm.custody.law_tables import PersonFile
from callcrm.custody.opening import Opener
from callcrm.custody.retention import SOUND
from callcrm.kernel import audit, clock
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, Invalid
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit, Writer

log = structlog.get_logger(__name__)
Progress = Callable[[int, int, str], Awaitable[None]]


async def ask(unit: Unit, actor: Actor, client_id: int, reason: str) -> str:
    """Wish for a person's file; its id. Invalid without a reason, NotFound for no such card."""
    require(actor, Right.EXPORT)
    require(actor, Right.DOWNLOAD)
    if len(reason.strip()) < 5:
        raise Invalid("Say what the file is for: the request, its date.", {"reason": "Say what the file is for."})
    await holdings.subject(unit.db, client_id)
    made = secrets.token_hex(16)
    row = {"at": unit.now, "id": made, "client_id": client_id, "reason": reason.strip()[:300], "state": "wanted"}
    await unit.db.execute(insert(PersonFile), row | {"wanted_by": actor.user_id, "changed_at": unit.now})
    await audit.write(unit, actor, "export", "client", client_id, {"file": "person file", "id": made})
    return made


async def rows_of(db: AsyncConnection, of: Subject) -> dict[str, list[dict[str, Any]]]:
    """Every row that the person is given, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, holding in HOLDINGS.items():
        where = holdings.table(name)
        if where is None or not holding.given:
            continue
        columns = [column for column in where.columns if column.name not in holding.hidden]
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        for condition in holdings.conditions(where, holding, of):
            for row in (await db.execute(select(*columns).where(condition))).mappings():
                rows[tuple(row[key.name] for key in where.primary_key)] = dict(row)
            await asyncio.sleep(0)
        if rows:
            found[name] = list(rows.values())
    if exports := await _exports(db, of):
        found["exports of all clients"] = exports
    return found


async def _exports(db: AsyncConnection, of: Subject) -> list[dict[str, Any]]:
    """Files of all clients that were taken out since the card was there: he was in them."""
    made = (await db.execute(select(Client.created_at).where(Client.id == of.client_id))).scalar_one()
    of_all = and_(Audit.act == "export", Audit.what == "client", Audit.which == "all", Audit.at >= made)
    return [dict(row) for row in (await db.execute(select(Audit.at, Audit.detail).where(of_all))).mappings()]


class Packing:
    """The worker's part: packs what is wanted, one after the other, and takes old files away."""

    def __init__(self, database: Database, writer: Writer, opener: Opener, folder: Path, days: int) -> None:
        self._database, self._writer, self._opener = database, writer, opener
        self._folder, self._days = folder, days

    async def run_once(self) -> int:
        """Pack every file that is wanted; how many."""
        await self._expire()
        async with self._database.read() as db:
            due = select(PersonFile.id, PersonFile.client_id, PersonFile.reason)
            due = due.where(PersonFile.state.in_(("wanted", "working"))).order_by(PersonFile.at)
            wanted = (await db.execute(due)).all()
        for row in wanted:
            await self._pack(row.id, row.client_id, row.reason)
        return len(wanted)

    async def _pack(self, key: str, client_id: int, reason: str) -> None:
        async def progress(done: int, total: int, words: str) -> None:
            await self._note(key, state="working", done=done, total=total, words=words)

        target = self._folder / f"person-{client_id}-{key[:12]}.zip"
        try:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            size, digest = await self._write(target, client_id, reason, progress)
        except (CallcrmError, OSError, zipfile.BadZipFile) as error:
            await asyncio.to_thread(target.with_suffix(".part").unlink, missing_ok=True)
            await self._note(key, state="failed", words=f"The file could not be packed: {error}"[:300])
            log.warning("a person file could not be packed", client=client_id, error=str(error))
            return
        now = clock.now()
        ready = {"ready_at": now, "expires_at": now + timedelta(days=self._days)}
        await self._note(key, state="ready", words="", file=target.name, size=size, sha256=digest, **ready)
        log.info("a person file is ready", client=client_id, size=size)

    async def _write(self, target: Path, client_id: int, reason: str, progress: Progress) -> tuple[int, str]:
        async with self._database.read() as db:
            of = await holdings.subject(db, client_id)
            rows = await rows_of(db, of)
            sounds = await _sounds(db, of)
        steps = len(sounds) + 2
        await progress(1, steps, "The rows are read.")
        made = _Zip(target)
        await asyncio.to_thread(lambda: made.texts(_texts(client_id, reason, rows, len(sounds))))
        without: list[str] = []
        for n, sound in enumerate(sounds):
            await progress(2 + n, steps, f"Sound {n + 1} of {len(sounds)}.")
            try:
                async with self._database.read() as db:
                    lying = await opening.sound_of(db, sound.call_id, sound.n)
                async with self._opener.local(lying) as path:
                    name = f"sound/{sound.began:%Y%m%d-%H%M%S}-{sound.call_id}-{sound.n}{path.suffix}"
                    await asyncio.to_thread(made.file, path, name)
            except (CallcrmError, OSError) as error:
                without.append(f"{sound.call_id}/{sound.n}: {error}")
        return await asyncio.to_thread(made.close, without)

    async def _expire(self) -> None:
        async with self._database.read() as db:
            over = select(PersonFile.id, PersonFile.file).where(
                PersonFile.state == "ready", PersonFile.expires_at <= clock.now()
            )
            rows = (await db.execute(over)).all()
        for row in rows:
            await asyncio.to_thread((self._folder / row.file).unlink, missing_ok=True)
            await self._note(row.id, state="gone", words="Its days were over; pack it anew where it is needed.")

    async def _note(self, key: str, **values: Any) -> None:
        async def work(unit: Unit) -> None:
            stamp = {"changed_at": unit.now}
            await unit.db.execute(update(PersonFile).where(PersonFile.id == key).values(**values, **stamp))

        await self._writer.do(work, name="person file")


async def _sounds(db: AsyncConnection, of: Subject) -> list[Any]:
    columns = (CallRecording.began, CallRecording.call_id, CallRecording.n)
    found: list[Any] = []
    for begin in range(0, len(of.calls), 200):
        his = CallRecording.call_id.in_(of.calls[begin : begin + 200])
        found += (await db.execute(select(*columns).where(his, CallRecording.state.in_(SOUND)))).all()
    return found


def _texts(client_id: int, reason: str, rows: dict[str, list[dict[str, Any]]], sounds: int) -> dict[str, str]:
    """The files that are texts, by name."""
    held = [f"  {name}: {len(lines)}" for name, lines in rows.items()]
    hidden = [f"  {name}: {one.why or 'working data of ours'}" for name, one in HOLDINGS.items() if not one.given]
    hidden += [f"  {name}: {why}" for name, why in NOTHING.items() if why]
    said = [
        f"Everything that is held of the person of card {client_id}, packed on {clock.now():%Y-%m-%d %H:%M} UTC.",
        f"Packed for: {reason}",
        "",
        "data.json   every row, by table; times are UTC",
        "calls.csv   the calls, for reading in a spreadsheet",
        f"sound/      the recordings that there are ({sounds})",
        "SHA256SUMS  a checksum of each file here",
        "",
        "Rows:",
        *held,
        "",
        "Held, and not given here:",
        *hidden,
    ]
    data = json.dumps(rows, default=_plain, ensure_ascii=False, indent=1)
    return {"README.txt": "\n".join(said) + "\n", "data.json": data, "calls.csv": _calls(rows.get("calls", []))}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


_CALL_COLUMNS = ("at", "direction", "client_number", "called", "operator", "queue", "outcome", "wait_s", "talk_s", "id")


def _calls(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_CALL_COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in _CALL_COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text[:1] in ("=", "@", "\t", "\r") else text


class _Zip:
    """The ZIP while it is written, under another name until it is whole; made and closed in threads."""

    def __init__(self, target: Path) -> None:
        self._target, self._part = target, target.with_suffix(".part")
        self._sums: dict[str, str] = {}
        self._zip: zipfile.ZipFile | None = None

    def texts(self, texts: dict[str, str]) -> None:
        self._zip = zipfile.ZipFile(self._part, "w", zipfile.ZIP_DEFLATED)
        self._part.chmod(0o600)
        for name, text in texts.items():
            self._add(name, text.encode())

    def file(self, path: Path, name: str) -> None:
        """One sound; it is compressed already or hardly can be."""
        assert self._zip is not None
        digest = hashlib.sha256()
        with path.open("rb") as source, self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True) as sink:
            while block := source.read(1 << 18):
                digest.update(block)
                sink.write(block)
        self._sums[name] = digest.hexdigest()

    def close(self, without: list[str]) -> tuple[int, str]:
        """Put it in its place; its size and the checksum of the whole."""
        assert self._zip is not None
        if without:
            self._add("sound/NOT-HERE.txt", ("\n".join(without) + "\n").encode())
        sums = "".join(f"{digest}  {name}\n" for name, digest in self._sums.items())
        self._zip.writestr("SHA256SUMS", sums)
        self._zip.close()
        self._part.replace(self._target)
        with self._target.open("rb") as made:
            return self._target.stat().st_size, hashlib.file_digest(made, "sha256").hexdigest()

    def _add(self, name: str, body: bytes) -> None:
        assert self._zip is not None
        self._zip.writestr(name, body)
        self._sums[name] = hashlib.sha256(body).hexdigest()
