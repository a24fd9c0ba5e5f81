"""Finished recordings are kept as the policy says, and whatever goes wrong leaves the original as it was."""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from callcrm.calls.tables import CallRecording
from callcrm.custody.opening import Away
from callcrm.custody.tables import KeptSound
from callcrm.kernel import clock
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import NotFound
from callcrm.kernel.facts import Fact
from callcrm.kernel.writer import Unit, Writer
from recordings import Part, measure
from recordings.vault import FolderStore, StoreFull, make_key, same_sound
from recordings.vault.bucket import BucketStore
from tests.custody.vaulting import Vault, rested
from tests.recordings.making import tone, write
from tests.s3 import S3Server, s3_server


@pytest.fixture
def vault(database: Database, writer: Writer, bus: LocalBus, tmp_path: Path) -> Vault:
    return Vault(database, writer, bus, tmp_path)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


#: What concerns files more than rows runs on one database.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_without_a_store_a_recording_stays_and_its_checksum_is_kept(vault: Vault) -> None:
    path = vault.sound()
    await vault.call("c1", "/var/spool/asterisk/monitor/a.wav")
    vault.placed(current=False)
    assert await vault.keeper().keep_due() == 1
    row = (await vault.kept())["/var/spool/asterisk/monitor/a.wav"]
    assert (row.state, row.place, row.sha256, row.size) == ("checked", "pbx", sha256(path), path.stat().st_size)
    assert (await vault.recording("c1")).keep_at is None
    assert await vault.heard("c1") == path.read_bytes()
    assert await vault.keeper().keep_due() == 0


@on_sqlite
@pytest.mark.parametrize("form", ["as it is", "flac", "opus"])
@pytest.mark.parametrize("key", ["", make_key()], ids=["plain", "encrypted"])
async def test_a_recording_is_kept_as_the_policy_says_and_its_original_removed(
    vault: Vault, form: str, key: str, tmp_path: Path
) -> None:
    path = vault.sound()
    (before := tmp_path / "before.wav").write_bytes(path.read_bytes())
    await vault.call("c1", "a.wav")
    vault.placed(key=key)
    assert await vault.keeper(form=form, remove=True).keep_due() == 1
    row = (await vault.kept())["a.wav"]
    assert (row.state, row.place, row.original, row.trouble) == ("kept", "folder", "removed", "")
    assert row.sha256 == sha256(before)
    assert not path.exists()
    (lies,) = vault.lies()
    assert lies.endswith(".sealed") is bool(key)
    heard = await vault.heard("c1")
    assert hashlib.sha256(heard).hexdigest() == row.kept_sha256
    assert heard[100:300] == await vault.heard("c1", Part(100, 300, len(heard), False))
    (after := tmp_path / f"after.{row.form}").write_bytes(heard)
    if form == "as it is":
        assert heard == before.read_bytes()
    else:
        assert row.form == form
        assert same_sound(before, after, form)
    async with vault.opener() as opener, opener.local(await vault.lying("c1")) as local:
        assert measure(local).seconds == pytest.approx(4, abs=0.05)
    assert list((tmp_path / "work").iterdir()) == []


@on_sqlite
async def test_what_no_browser_plays_is_kept_as_flac(vault: Vault) -> None:
    vault.sound("gsm.wav", subtype="GSM610")
    await vault.call("c1", "gsm.wav")
    await vault.keeper().keep_due()
    row = (await vault.kept())["gsm.wav"]
    assert (row.form, row.trouble) == ("flac", "")
    async with vault.opener() as opener:
        assert (await opener.open(await vault.lying("c1"))).media_type == "audio/flac"


@on_sqlite
async def test_a_bucket_takes_a_recording_and_the_player_reads_it_in_parts(vault: Vault, s3: S3Server) -> None:
    path = vault.sound(seconds=20)
    whole = path.read_bytes()
    await vault.call("c1", "a.wav")
    vault.placed(BucketStore(s3.prefixed(vault.root.name)), make_key())
    await vault.keeper(remove=True).keep_due()
    assert not path.exists()
    row = (await vault.kept())["a.wav"]
    assert (row.place, row.stored) == ("bucket", s3.objects()[f"{vault.root.name}/{row.name}"].stat().st_size)
    assert await vault.heard("c1", Part(200_000, 300_000, len(whole), False)) == whole[200_000:300_000]
    async with vault.opener() as opener:
        async with opener.local(await vault.lying("c1")) as local:
            assert local.read_bytes() == whole
        assert not local.exists()
        await opener.remove(await vault.lying("c1"))
        with pytest.raises(NotFound):
            await opener.open(await vault.lying("c1"))
    assert f"{vault.root.name}/{row.name}" not in s3.objects()


@on_sqlite
async def test_a_bucket_that_is_away_is_told_in_words_and_tried_again(vault: Vault, s3: S3Server) -> None:
    from dataclasses import replace

    path = vault.sound()
    await vault.call("c1", "a.wav")
    away = replace(s3.prefixed("later" + vault.root.name), endpoint="http://127.0.0.1:1", timeout_s=0.2)
    vault.placed(BucketStore(away))
    await vault.keeper(remove=True).keep_due()
    row = (await vault.kept())["a.wav"]
    assert (row.state, row.tries, path.exists()) == ("waiting", 1, True)
    assert "does not answer" in row.trouble
    assert await vault.heard("c1") == path.read_bytes()
    due = (await vault.recording("c1")).keep_at
    assert due is not None
    assert timedelta(seconds=60) < due - clock.now() < timedelta(seconds=121)
    vault.placed(BucketStore(s3.prefixed("later" + vault.root.name)))
    with time_machine.travel(due + timedelta(seconds=1)):
        assert await vault.keeper(remove=True).keep_due() == 1
    row = (await vault.kept())["a.wav"]
    assert (row.state, row.tries, row.trouble, path.exists()) == ("kept", 0, "", False)
    vault.placed(BucketStore(away))
    async with vault.opener() as opener:
        with pytest.raises(Away, match="does not answer"):
            await opener.open(await vault.lying("c1"))


async def test_a_file_that_is_still_written_is_left_alone_until_it_rests(vault: Vault) -> None:
    import os

    path = vault.sound()
    os.utime(path)
    await vault.call("c1", "a.wav")
    await vault.keeper(settle_s=30.0, remove=True).keep_due()
    assert await vault.kept() == {}
    assert path.exists()
    due = (await vault.recording("c1")).keep_at
    assert due is not None
    assert due > clock.now()
    rested(path)
    with time_machine.travel(due + timedelta(seconds=1)):
        await vault.keeper(settle_s=30.0).keep_due()
    assert (await vault.kept())["a.wav"].state == "kept"


class Full(FolderStore):
    async def put(self, name: str, path: Path) -> None:
        raise StoreFull("There is no room left in the vault: free space on its disk; it is tried again by itself.")


class Lossy(FolderStore):
    """A disk that loses a bit on the way."""

    async def read(self, name: str, begin: int, end: int) -> bytes:
        data = await super().read(name, begin, end)
        return bytes([data[0] ^ 1]) + data[1:]


@on_sqlite
@pytest.mark.parametrize(("store", "said"), [(Full, "no room left"), (Lossy, "came back changed")])
async def test_a_full_or_lying_disk_leaves_the_original_and_nothing_half_made(
    vault: Vault, store: type[FolderStore], said: str
) -> None:
    path = vault.sound()
    await vault.call("c1", "a.wav")
    vault.placed(store(vault.root / "kept"))
    await vault.keeper(form="flac", remove=True).keep_due()
    row = (await vault.kept())["a.wav"]
    assert (row.state, path.exists()) == ("waiting", True)
    assert said in row.trouble
    assert vault.lies() == []
    assert list((vault.root / "work").iterdir()) == []
    assert (await vault.recording("c1")).state == "present"


@on_sqlite
async def test_too_little_room_to_convert_is_seen_before_anything_is_written(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.sound()
    await vault.call("c1", "a.wav")
    monkeypatch.setattr("callcrm.custody.keeping.SPARE", 1 << 60)
    await vault.keeper(form="flac").keep_due()
    assert "no room left" in (await vault.kept())["a.wav"].trouble


@on_sqlite
async def test_a_conversion_that_lost_sound_is_not_used(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(_source: Path, target: Path, _form: str) -> None:
        write(target, tone(1), tone(1), format="FLAC")

    monkeypatch.setattr("callcrm.custody.keeping.convert", convert)
    path = vault.sound()
    await vault.call("c1", "a.wav")
    await vault.keeper(form="flac").keep_due()
    row = (await vault.kept())["a.wav"]
    assert (row.form, row.sha256, row.kept_sha256) == ("wav", sha256(path), sha256(path))
    assert "did not hold the same sound" in row.trouble


@on_sqlite
async def test_partial_and_foreign_files_are_kept_as_they_are_and_named(vault: Vault) -> None:
    whole = vault.sound("whole.wav").read_bytes()
    (vault.monitor / "torn.wav").write_bytes(whole[: len(whole) // 2])
    (vault.monitor / "foreign.wav").write_bytes(b"this was never a sound, whatever its name says of it")
    rested(vault.monitor / "torn.wav"), rested(vault.monitor / "foreign.wav")
    await vault.call("c1", "torn.wav", "foreign.wav", state="partial")
    await vault.keeper(form="flac").keep_due()
    kept = await vault.kept()
    assert {row.state for row in kept.values()} == {"kept"}
    assert all(row.trouble.endswith(".") and row.sha256 == row.kept_sha256 for row in kept.values())


async def test_a_file_that_was_taken_away_is_missing_and_says_so(vault: Vault, bus: LocalBus) -> None:
    await vault.call("c1", "a.wav")
    heard = bus.subscribe("test")
    await vault.keeper().keep_due()
    row = await vault.recording("c1")
    assert (row.state, row.keep_at) == ("missing", None)
    assert "somebody took it away" in row.cause
    fact = await anext(heard)
    assert isinstance(fact, Fact)
    assert fact.ids == {"call": "c1", "n": 0}


@on_sqlite
async def test_a_name_that_leads_out_of_the_folder_is_never_touched(vault: Vault) -> None:
    (secret := vault.root / "secret.wav").write_bytes(b"not the PBX's")
    (vault.monitor / "link.wav").symlink_to(secret)
    await vault.call("c1", "../secret.wav", "/etc/passwd", "link.wav")
    await vault.keeper(remove=True).keep_due()
    assert secret.exists()
    assert vault.lies() == [] if (vault.root / "kept").exists() else True
    assert {row.state for row in (await vault.kept()).values()} == {"gone"}


async def later(vault: Vault, days: float = 31, **policy: Any) -> int:
    with time_machine.travel(clock.now() + timedelta(days=days)):
        return await vault.keeper(**policy).verify_due()


@pytest.mark.parametrize("current", [True, False], ids=["vault", "pbx"])
async def test_a_sound_whose_bytes_changed_is_damaged_and_well_again_when_they_are_put_back(
    vault: Vault, current: bool
) -> None:
    vault.sound()
    await vault.call("c1", "a.wav")
    vault.placed(current=current)
    await vault.keeper().keep_due()
    assert await vault.keeper().verify_due() == 0
    assert await later(vault) == 1
    assert (await vault.recording("c1")).state == "present"
    lies = next((vault.root / "kept").rglob("*.wav")) if current else vault.monitor / "a.wav"
    whole = lies.read_bytes()
    lies.write_bytes(whole[:500] + b"\xff" + whole[501:])
    await later(vault, 62)
    row = await vault.recording("c1")
    assert row.state == "partial"
    assert "damaged" in row.cause
    lies.unlink()
    await later(vault, 93)
    assert (await vault.recording("c1")).state == "missing"
    lies.write_bytes(whole)
    await later(vault, 124)
    row = await vault.recording("c1")
    assert (row.state, row.cause) == ("present", "")
    assert {row.trouble for row in (await vault.kept()).values()} == {""}


@on_sqlite
async def test_a_vault_that_is_not_mounted_makes_no_recording_missing(vault: Vault) -> None:
    vault.sound()
    await vault.call("c1", "a.wav")
    await vault.keeper().keep_due()
    (vault.root / "kept").rename(vault.root / "unmounted")
    await later(vault)
    row = (await vault.kept())["a.wav"]
    assert row.state == "kept"
    assert "is it mounted" in row.trouble
    assert (await vault.recording("c1")).state == "present"


@on_sqlite
async def test_the_player_falls_back_on_the_original_while_it_is_there(vault: Vault) -> None:
    path = vault.sound()
    await vault.call("c1", "a.wav")
    await vault.keeper(form="flac").keep_due()
    next((vault.root / "kept").rglob("*.flac")).unlink()
    assert await vault.heard("c1") == path.read_bytes()
    path.unlink()
    with pytest.raises(NotFound):
        await vault.heard("c1")


async def test_a_removal_that_was_interrupted_is_ended_and_a_changed_original_stays(vault: Vault) -> None:
    kept, changed = vault.sound("a.wav"), vault.sound("b.wav")
    await vault.call("c1", "a.wav", "b.wav")
    await vault.keeper().keep_due()

    async def leaving(unit: Unit) -> None:
        await unit.db.execute(update(KeptSound).values(original="leaving"))

    await vault.writer.do(leaving, name="test")
    changed.write_bytes(changed.read_bytes() + b"more")
    rested(changed)
    await vault.keeper(remove=True).take_leave()
    assert {file: row.original for file, row in (await vault.kept()).items()} == {"a.wav": "removed", "b.wav": "there"}
    assert (kept.exists(), changed.exists()) == (False, True)


@on_sqlite
async def test_the_keeper_wakes_by_itself_and_keeps_what_becomes_due(vault: Vault) -> None:
    keeper = vault.keeper(form="flac", remove=True)
    running = asyncio.create_task(keeper.run())
    path = vault.sound()
    await vault.call("c1", "a.wav")

    async def tell(unit: Unit) -> None:
        unit.fact("recording.changed", stream="pbx:office", call="c1", n=0)

    await vault.writer.do(tell, name="test")
    async with asyncio.timeout(15):
        while path.exists():
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await vault.kept())["a.wav"].state == "kept"


async def test_a_recording_that_moves_to_another_call_keeps_its_sound(vault: Vault) -> None:
    vault.sound()
    await vault.call("c1", "a.wav")
    await vault.keeper(remove=True).keep_due()
    await vault.call("c2")

    async def move(unit: Unit) -> None:
        await unit.db.execute(update(CallRecording).values(call_id="c2", n=5))

    await vault.writer.do(move, name="test")
    async with vault.opener() as opener:
        assert (await opener.open(await vault.lying("c2", 5))).size > 1000


@on_sqlite
async def test_a_quarter_of_an_hour_is_kept_in_little_memory_and_without_stopping_the_loop(vault: Vault) -> None:
    import resource

    minute = (tone(60, hertz=300), tone(60, 0.2, 700))
    import numpy as np
    import soundfile

    path = vault.monitor / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 2) as file:
        for _ in range(15):
            file.write(np.stack(minute, axis=1))
    rested(path)
    await vault.call("c1", "long.wav")
    vault.placed(key=make_key())
    loop, late = asyncio.get_running_loop(), [0.0]

    async def watch() -> None:
        while True:
            at = loop.time()
            await asyncio.sleep(0.005)
            late.append(loop.time() - at - 0.005)

    watching = asyncio.create_task(watch())
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, loop.time()
    await vault.keeper(form="flac").keep_due()
    took = loop.time() - began
    watching.cancel()
    assert (await vault.kept())["long.wav"].form == "flac"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < 40_000
    assert max(late) < took / 4, "the loop stood still for a good part of it"
