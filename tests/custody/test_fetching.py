"""Recordings of a PBX without a mount come over SFTP and HTTP, whole, and never from outside its folder."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from aiohttp import web
from sqlalchemy import select

from callcrm.calls.soundwatch import SoundWatch
from callcrm.calls.tables import CallRecording
from callcrm.custody.fetching import Fetching, sources_of
from callcrm.custody.orphans import StrayFinder
from callcrm.custody.places import Places
from callcrm.custody.tables import StraySound
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Unit, Writer
from callcrm.settings import PbxSettings, Settings
from callcrm.vaultsettings import FetchSettings, VaultSettings
from recordings import Looker
from recordings.vault.errors import StoreFull
from recordings.vault.fetching import FetchFailed, Source
from recordings.vault.sftp import SftpAddress, SftpSource
from recordings.vault.web import WebAddress, WebSource
from tests.custody.vaulting import Vault, rested
from tests.recordings.making import tone, write

USER, PASSWORD = "callcrm", "a-password-of-tests"


class Gate(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    folder = tmp_path / "pbx" / "monitor"
    rested(write(folder / "2026" / "a b.wav", tone(3), tone(3)))
    (tmp_path / "pbx" / "secret.wav").write_bytes(b"not a recording")
    (folder / "link.wav").symlink_to(tmp_path / "pbx" / "secret.wav")
    return folder


@pytest.fixture
async def sftp(monitor: Path) -> AsyncIterator[SftpAddress]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], server_factory=Gate, sftp_factory=True)
    host_key = key.export_public_key().decode().strip()
    yield SftpAddress("127.0.0.1", str(monitor), server.get_port(), USER, PASSWORD, host_key=host_key, timeout_s=5)
    server.close()
    await server.wait_closed()


@pytest.fixture
async def pages(monitor: Path) -> AsyncIterator[WebAddress]:
    import base64

    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != wanted:
            return web.Response(status=401)
        if request.path == "/monitor/cut.wav":
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"too little")
            assert request.transport is not None
            request.transport.close()
            return response
        if request.path == "/monitor/elsewhere.wav":
            raise web.HTTPFound("/monitor/2026/a%20b.wav")
        path = monitor / request.match_info["name"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/monitor/{name:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield WebAddress(f"http://127.0.0.1:{port}/monitor", USER, PASSWORD, timeout_s=5)
    await runner.cleanup()


@pytest.fixture(params=["sftp", "http"])
async def source(request: pytest.FixtureRequest, sftp: SftpAddress, pages: WebAddress) -> AsyncIterator[Source]:
    source: Source = SftpSource(sftp) if request.param == "sftp" else WebSource(pages)
    yield source
    await source.close()


async def test_a_file_comes_whole_with_its_time_and_again_when_it_grew(
    source: Source, monitor: Path, tmp_path: Path
) -> None:
    there, here = monitor / "2026" / "a b.wav", tmp_path / "here" / "2026" / "a b.wav"
    assert await source.fetch("2026/a b.wav", here)
    assert here.read_bytes() == there.read_bytes()
    assert here.stat().st_mtime == pytest.approx(there.stat().st_mtime, abs=1)
    inode = here.stat().st_ino
    assert await source.fetch("2026/a b.wav", here)
    assert here.stat().st_ino == inode
    there.write_bytes(there.read_bytes() + bytes(1000))
    assert await source.fetch("2026/a b.wav", here)
    assert here.read_bytes() == there.read_bytes()
    assert not await source.fetch("2026/none.wav", tmp_path / "here" / "none.wav")
    assert [path.name for path in (tmp_path / "here").rglob("*") if path.is_file()] == ["a b.wav"]


async def test_a_link_out_of_the_folder_over_there_is_not_followed(
    sftp: SftpAddress, pages: WebAddress, tmp_path: Path
) -> None:
    source = SftpSource(sftp)
    with pytest.raises(FetchFailed, match="leads out"):
        await source.fetch("link.wav", tmp_path / "x.wav")
    await source.close()
    redirected = WebSource(pages)
    with pytest.raises(FetchFailed, match="answers 302"):
        await redirected.fetch("elsewhere.wav", tmp_path / "x.wav")
    with pytest.raises(FetchFailed, match="does not answer"):
        await redirected.fetch("cut.wav", tmp_path / "x.wav")
    await redirected.close()
    assert not (tmp_path / "x.wav").exists()
    assert not (tmp_path / "x.wav.part").exists()


async def test_files_without_a_call_are_found_where_they_are_fetched_from(
    database: Database,
    writer: Writer,
    bus: LocalBus,
    sftp: SftpAddress,
    monitor: Path,
    tmp_path: Path,
) -> None:
    vault = Vault(database, writer, bus, tmp_path)
    write(monitor / "2026" / "11" / "in-79161234567.wav", tone(1))
    for source, found in ((SftpSource(sftp), 2), (SftpSource(replace(sftp, password="wrong")), 0)):
        finder = StrayFinder(database, writer, vault.places, sources={"office": source}, young_s=-5)
        assert await finder.find_all() == found
        finder.close()
        await source.close()
        async with database.read() as db:
            strays = {row.file: row.seconds for row in (await db.execute(select(StraySound))).all()}
        assert strays == {"2026/a b.wav": None, "2026/11/in-79161234567.wav": None}, (
            "who lets us not in takes none away"
        )
    assert not list(vault.monitor.iterdir()), "only a recording that is linked is brought"


async def test_what_keeps_us_out_is_said_in_words(sftp: SftpAddress, pages: WebAddress, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    for source, said in (
        (SftpSource(replace(sftp, password="wrong")), "not in"),
        (SftpSource(replace(sftp, host_key=other)), "a key that is not known"),
        (SftpSource(replace(sftp, port=1)), "does not answer"),
        (WebSource(replace(pages, password="wrong")), "not in"),
        (WebSource(replace(pages, url="http://127.0.0.1:1/x")), "does not answer"),
    ):
        with pytest.raises(FetchFailed, match=said):
            await source.fetch("2026/a b.wav", tmp_path / "x.wav")
        await source.close()


async def test_a_disk_here_that_is_full_is_said_to_be_full(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("recordings.vault.fetching.os.utime", full)
    with pytest.raises(StoreFull):
        await source.fetch("2026/a b.wav", tmp_path / "x.wav")
    assert not (tmp_path / "x.wav.part").exists()


async def test_a_recording_over_there_is_fetched_found_kept_and_its_copy_goes(
    database: Database, writer: Writer, bus: LocalBus, sftp: SftpAddress, monitor: Path, tmp_path: Path
) -> None:
    from sqlalchemy import update

    url = f"sftp://{USER}@127.0.0.1:{sftp.port}{monitor}"
    fetch = {"office": FetchSettings(url=url, password=PASSWORD, host_key=sftp.host_key, timeout_s=5)}
    settings = Settings(
        pbx={"office": PbxSettings(host="pbx", username="x")},
        vault=VaultSettings(
            store="folder", folder=str(tmp_path / "kept"), work=str(tmp_path / "work"), fetch=fetch, form="flac"
        ),
    )
    places = Places.of(settings)
    fetching, looker = Fetching(places, sources_of(settings.vault)), Looker()
    vault = Vault(database, writer, bus, tmp_path)
    vault.places = places
    await vault.call("c1", f"{monitor}/2026/a b.wav", f"{monitor}/../secret.wav", f"{monitor}/late.wav")

    async def due(unit: Unit) -> None:
        await unit.db.execute(update(CallRecording).values(state="writing", check_at=unit.now, keep_at=None))

    await writer.do(due, name="test")
    watch = SoundWatch(database, writer, bus, places.folders, looker, keep_after_s=0, bring=fetching.bring)
    assert await watch.check_due() == 3
    row = await vault.recording("c1")
    assert (row.state, row.cause, row.seconds) == ("present", "", 3.0)
    assert [(await vault.recording("c1", n)).state for n in (1, 2)] == ["missing", "late"]
    await vault.keeper(form="flac", fetched=frozenset({"office"})).keep_due()
    kept = (await vault.kept())[f"{monitor}/2026/a b.wav"]
    assert (kept.state, kept.form, kept.original) == ("kept", "flac", "removed")
    assert (monitor / "2026" / "a b.wav").exists()
    assert [path.name for path in (tmp_path / "work").rglob("*.wav")] == []
    assert (await vault.heard("c1"))[:4] == b"fLaC"
    looker.close()
    await fetching.close()
