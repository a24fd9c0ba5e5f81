"""Backups: what was in comes out, from either kind of database into either."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from callcrm.accounts.tables import User
from callcrm.backup import BackupError, backup, restore
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel.database import Database
from callcrm.tables import metadata

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


async def fill(database: Database) -> None:
    async with database.transaction() as db:
        await db.execute(insert(User), [{"id": 7, "name": "olga", "role": "operator", "created_at": NOON}])
        call = {"began": NOON, "id": "c1", "pbx": "office", "uniqueid": "1.1", "direction": "inbound", "at": NOON}
        many = [{**call, "id": f"m{n:04}", "uniqueid": f"2.{n}"} for n in range(1200)]
        await db.execute(insert(CallRow), many)
        rang = [{"operator": "101", "ring_s": 1.5}]
        await db.execute(insert(CallRow), [{**call, "name": "Зоя <b>", "rang": rang, "missed": True}])
        sound = {"began": NOON, "call_id": "c1", "n": 0, "pbx": "office", "file": "a.wav", "peaks": b"\x00\xff"}
        await db.execute(insert(CallRecording), [sound])


async def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.read() as db:
        return {
            table.name: [tuple(row) for row in await db.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }


async def test_what_was_backed_up_is_there_again(database: Database, sqlite_template: Path, tmp_path: Path) -> None:
    await fill(database)
    before = await contents(database)
    made = await backup(database, tmp_path / "desk.zip")
    assert made.rows["calls"] == 1201
    other = await Database.open(f"sqlite:///{tmp_path / 'other.db'}")
    await restore(other, tmp_path / "desk.zip")
    assert await contents(other) == before
    await other.close()


async def test_a_restored_database_counts_its_keys_on(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await backup(database, tmp_path / "desk.zip")
    await restore(database, tmp_path / "desk.zip", replace=True)
    async with database.transaction() as db:
        added = await db.execute(insert(User), [{"name": "ivan", "role": "operator", "created_at": NOON}])
        assert added.rowcount == 1
        assert await db.scalar(select(func.max(User.id))) == 8


async def test_an_inhabited_database_is_not_overwritten_unasked(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await backup(database, tmp_path / "desk.zip")
    with pytest.raises(BackupError, match="--replace"):
        await restore(database, tmp_path / "desk.zip")
    assert (await contents(database))["users"]


async def test_a_cut_backup_changes_nothing(database: Database, tmp_path: Path) -> None:
    await fill(database)
    before = await contents(database)
    file = tmp_path / "desk.zip"
    await backup(database, file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(BackupError, match="cut short"):
        await restore(database, file, replace=True)
    assert await contents(database) == before


async def test_other_files_are_refused_in_a_sentence(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is no"):
        await restore(database, tmp_path / "none.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(BackupError, match="no backup"):
        await restore(database, tmp_path / "other.zip")
    with pytest.raises(BackupError, match="There is no"):
        await backup(database, tmp_path / "nowhere" / "desk.zip")


async def test_a_backup_is_for_its_owner_only(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await backup(database, tmp_path / "desk.zip")
    assert (tmp_path / "desk.zip").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
