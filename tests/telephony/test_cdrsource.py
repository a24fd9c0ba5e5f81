"""A CDR's rows from real files and real servers, and a sentence with the mend for each that cannot be read."""

import csv
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from callcrm.calls import cdrs
from callcrm.telephony.cdrsource import CdrSource, CdrTrouble, fetch, source
from tests import mariadb
from tests.calls.cdr_rows import row
from tests.test_settings import PBX

SINCE = datetime(2026, 11, 21, tzinfo=UTC)
OLD = {"calldate": "2026-11-01 09:00:00", "uniqueid": "1793523600.1", "linkedid": "1793523600.1"}
ROWS = [row(clid='"ООО ""Ромашка""" <79161234567>'), row(**OLD), row(uniqueid="1795251600.7", src="7")]
CSV = [
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield"),
]
CUSTOM = [
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer", "end"),
    *("duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "sequence"),
]
#: With newcdrcolumns = yes.
NEW = [*CSV, "peeraccount", "linkedid", "sequence"]


def full(one: dict[str, Any]) -> dict[str, Any]:
    """The same row with the times that Asterisk's own files have."""
    start = datetime.fromisoformat(one["calldate"])
    end = start + timedelta(seconds=one["duration"])
    answer = end - timedelta(seconds=one["billsec"]) if one["billsec"] else ""
    return {**one, "start": one["calldate"], "answer": answer, "end": end, "userfield": "1.5"}


def written(path: Path, columns: Sequence[str], *, names: bool = False) -> Path:
    return written_rows(path, columns, ROWS, names=names)


def written_rows(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]], *, names: bool = False) -> Path:
    """A CSV file with these rows, laid out as `columns` say."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, columns, restval="", extrasaction="ignore", quoting=csv.QUOTE_ALL)
        if names:
            out.writeheader()
        out.writerows(full(one) for one in rows)
    return path


async def read(cdr: CdrSource, since: datetime = SINCE) -> list[cdrs.Row]:
    found = [row for one in await fetch(cdr, since) if (row := cdrs.read(one, cdr.zone)) is not None]
    return sorted(found, key=lambda row: row.uniqueid)


def cdr(url: object, table: str = "cdr", zone: str = "UTC") -> CdrSource:
    return CdrSource("office", str(url), table, ZoneInfo(zone))


@pytest.mark.parametrize("columns", [CSV, CUSTOM, NEW], ids=["csv", "custom", "newcdrcolumns"])
@pytest.mark.parametrize("names", [False, True])
async def test_a_csv_file_is_read_whichever_way_asterisk_lays_it_out(
    tmp_path: Path, columns: list[str], names: bool
) -> None:
    path = written(tmp_path / "Master.csv", columns, names=names)
    found = await read(cdr(path))
    assert [one.uniqueid for one in found] == ["1795251600.1", "1795251600.7"]
    assert (found[0].src, found[0].dst, found[0].disposition) == ("79161234567", "74950000101", "ANSWERED")
    assert (found[0].channel, found[0].lastapp) == ("PJSIP/trunk-00000001", "dial")
    assert found[0].answered and found[0].answer == found[0].start + 5
    assert "Ромашка" in found[0].clid
    assert found[1].linkedid == ("1795251600.1" if columns is NEW else "1795251600.7")


async def test_a_line_of_nonsense_costs_itself_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", CSV)
    nonsense = b'"open quote,1,2\n\x00\xff\xfe\n' + b"x" * 300_000 + b"\n\n"
    path.write_bytes(nonsense + path.read_bytes() + b'"","79')
    assert len(await read(cdr(path))) == 2


async def test_a_file_without_uniqueids_says_how_to_have_them(tmp_path: Path) -> None:
    path = written(tmp_path / "Master.csv", CSV[:16])
    with pytest.raises(CdrTrouble, match="loguniqueid = yes"):
        await fetch(cdr(path), SINCE)


async def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CdrTrouble, match=r"is not there; .*pbx\.office\.cdr"):
        await fetch(cdr(tmp_path / "nowhere.csv"), SINCE)
    with pytest.raises(CdrTrouble, match="cannot be read"):
        await fetch(cdr(tmp_path), SINCE)


def sqlite_table(path: Path, name: str = "cdr") -> Path:
    columns = list(ROWS[0])
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE {name} (AcctId INTEGER PRIMARY KEY, {', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", [[*r.values()] for r in ROWS])
        db.execute(f"INSERT INTO {name} (calldate, uniqueid) VALUES ('9999-99-99', NULL)")
    db.close()
    return path


async def test_an_sqlite_table_is_read_and_not_touched(tmp_path: Path) -> None:
    path = sqlite_table(tmp_path / "mas ter #1.db")
    before = path.read_bytes()
    assert [one.uniqueid for one in await read(cdr(f"sqlite:///{path}"))] == ["1795251600.1", "1795251600.7"]
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


async def test_what_is_wrong_with_a_database_is_told(tmp_path: Path) -> None:
    path = sqlite_table(tmp_path / "master.db", "other")
    with pytest.raises(CdrTrouble, match=r"no table cdr in sqlite://.*cdr_table"):
        await fetch(cdr(f"sqlite:///{path}"), SINCE)
    with pytest.raises(CdrTrouble, match="is not there"):
        await fetch(cdr(f"sqlite:///{tmp_path}/nowhere.db"), SINCE)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE cdr (a)")
    with pytest.raises(CdrTrouble, match="no column"):
        await fetch(cdr(f"sqlite:///{path}"), SINCE)
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at " * 9)
    with pytest.raises(CdrTrouble, match="cannot be read"):
        await fetch(cdr(f"sqlite:///{tmp_path}/text.db"), SINCE)


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "text"])
async def test_a_postgresql_table_is_read(new_postgres_url: str, kind: str) -> None:
    db = await asyncpg.connect(new_postgres_url)
    await db.execute("SET TIME ZONE 'Europe/Moscow'")
    await db.execute("CREATE SCHEMA asterisk")
    texts = [name for name in ROWS[0] if name not in ("calldate", "duration", "billsec")]
    columns = [f'"start" {kind}', "duration int", "billsec int", *(f"{name} text" for name in texts)]
    await db.execute(f"CREATE TABLE asterisk.cdr ({', '.join(columns)})")
    for one in ROWS:
        values = ", ".join(f"${n + 3}" for n in range(len(texts)))
        insert = f"INSERT INTO asterisk.cdr VALUES ('{one['calldate']}', $1, $2, {values})"
        await db.execute(insert, one["duration"], one["billsec"], *(one[name] for name in texts))
    await db.close()
    found = await read(cdr(new_postgres_url, "asterisk.cdr", "Europe/Moscow"))
    assert [one.uniqueid for one in found] == ["1795251600.1", "1795251600.7"]
    assert found[0].start == datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp()
    assert found[0].answered


@pytest.mark.postgres
async def test_a_password_is_never_said(new_postgres_url: str) -> None:
    with pytest.raises(CdrTrouble, match="no table cdr in postgresql://") as told:
        await fetch(cdr(new_postgres_url), SINCE)
    wrong = CdrSource("office", "postgresql://asterisk:hunter2@127.0.0.1:1/asterisk")
    with pytest.raises(CdrTrouble, match=r"127\.0\.0\.1:1/asterisk cannot be read") as refused:
        await fetch(wrong, SINCE)
    assert "hunter2" not in f"{told.value} {refused.value} {wrong!r}"
    assert refused.value.__cause__ is None


@pytest.mark.skipif(bool(mariadb.lacking()), reason=mariadb.lacking())
async def test_the_table_of_freepbx_in_mariadb_is_read(tmp_path: Path) -> None:
    texts = [name for name in ROWS[0] if name not in ("calldate", "duration", "billsec")]
    columns = ["calldate datetime", "duration int", "billsec int", *(f"{name} varchar(255)" for name in texts)]
    names, marks = list(ROWS[0]), ", ".join(f":{name}" for name in ROWS[0])
    with mariadb.running(tmp_path) as url:
        engine = create_async_engine(url.replace("mysql://", "mysql+aiomysql://"))
        async with engine.begin() as db:
            await db.execute(text(f"CREATE TABLE cdr ({', '.join(columns)}, KEY (calldate))"))
            await db.execute(text(f"INSERT INTO cdr ({', '.join(names)}) VALUES ({marks})"), ROWS)
        await engine.dispose()
        found = await read(cdr(url, zone="Europe/Moscow"))
        with pytest.raises(CdrTrouble, match="no table calls in mysql://127") as told:
            await fetch(cdr(url, "calls"), SINCE)
        with pytest.raises(CdrTrouble, match=r"cannot be read .*Access denied") as refused:
            await fetch(cdr(url.replace("secret", "hunter2")), SINCE)
    assert [one.uniqueid for one in found] == ["1795251600.1", "1795251600.7"]
    assert found[0].start == datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp()
    assert "secret" not in str(told.value) and "hunter2" not in str(refused.value)


async def test_a_mariadb_that_is_not_there_is_told() -> None:
    with pytest.raises(CdrTrouble, match="cannot be read"):
        await fetch(cdr("mysql://asterisk:hunter2@127.0.0.1:1/asteriskcdrdb"), SINCE)


def test_the_settings_name_the_source(tmp_path: Path) -> None:
    from callcrm.settings import load

    file = tmp_path / "callcrm.toml"
    file.write_text(f"{PBX}cdr = 'mysql://a:hunter2@h/asteriskcdrdb'\ncdr_timezone = 'Europe/Moscow'\n")
    settings = load(file, secrets=tmp_path)
    assert "hunter2" not in repr(settings)
    found = source("office", settings.pbx["office"])
    assert found is not None and found.place == "cdr in mysql://h/asteriskcdrdb"
    assert found.zone == ZoneInfo("Europe/Moscow")
