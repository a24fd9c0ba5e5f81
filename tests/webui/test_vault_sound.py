"""Sound out of the vault over HTTP: whole, in parts, for programs too, and in words when there is none."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from callcrm.calls.tables import CallRecording
from callcrm.custody.keeper import Keeper
from callcrm.custody.keeping import Policy
from callcrm.kernel.writer import Unit
from callcrm.vaultsettings import VaultSettings
from recordings.vault import make_key
from tests.people import OLGA, RUSLAN
from tests.webui import office
from tests.webui.conftest import Web, settings
from webui.app import make_app
from webui.parts import Parts

SOUND = "/calls/talked/recordings/0"


@dataclass
class Kept:
    """An office whose recording lies in the vault, encrypted; its bytes as they were."""

    web: Web
    whole: bytes
    root: Path


@pytest.fixture
async def kept(web: Web, tmp_path: Path) -> AsyncIterator[Kept]:
    folder, base = tmp_path / "monitor", web.parts
    await office.fill(base.writer, folder)
    whole = (folder / "talk.wav").read_bytes()
    vault = VaultSettings(store="folder", folder=str(tmp_path / "kept"), work=str(tmp_path / "work"), key=make_key())
    parts = Parts(settings(str(folder)).model_copy(update={"vault": vault}), base.database, base.writer, base.bus)
    await base.writer.do(_due, name="due")
    keeper = Keeper(base.database, base.writer, base.bus, parts.opener.places, Policy(settle_s=0, remove=True))
    assert await keeper.keep_due() == 1
    assert not (folder / "talk.wav").exists()
    async with TestServer(make_app(parts)) as server:
        yield Kept(Web(parts, server), whole, tmp_path / "kept")


async def _due(unit: Unit) -> None:
    await unit.db.execute(update(CallRecording).values(keep_at=unit.now))


async def test_the_player_gets_any_stretch_decrypted(kept: Kept) -> None:
    client = await kept.web.client(OLGA)
    async with client.get(SOUND) as answer:
        assert (answer.status, answer.headers["Content-Type"], answer.headers["Accept-Ranges"]) == (
            200,
            "audio/wav",
            "bytes",
        )
        assert await answer.read() == kept.whole
    size = len(kept.whole)
    for asked, begin, end in (("0-99", 0, 100), ("70000-140000", 70_000, 140_001), ("-10", size - 10, size)):
        async with client.get(SOUND, headers={"Range": f"bytes={asked}"}) as answer:
            assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes {begin}-{end - 1}/{size}")
            assert await answer.read() == kept.whole[begin:end]
    async with client.get(SOUND, headers={"Range": f"bytes={size}-"}) as answer:
        assert answer.status == 416
    async with client.get(f"/api/v1{SOUND}", headers={"Range": "bytes=5-9"}) as answer:
        assert await answer.read() == kept.whole[5:10]


async def test_sound_is_given_by_right_only_and_never_by_name(kept: Kept) -> None:
    stranger, nobody = await kept.web.client(RUSLAN), await kept.web.client()
    async with nobody.get(SOUND, allow_redirects=False) as answer:
        assert answer.status in (302, 303, 401)
    for path in ("/calls/lost/recordings/0", "/calls/talked/recordings/9", "/calls/talked/recordings/..%2ftalk.wav"):
        async with stranger.get(path) as answer:
            assert answer.status == 404
    (lies,) = (path for path in kept.root.rglob("*") if path.is_file())
    assert b"RIFF" not in lies.read_bytes()


async def test_a_sound_that_is_taken_away_under_the_player_is_told_in_words(kept: Kept) -> None:
    client = await kept.web.client(OLGA)
    async with client.get(SOUND, headers={"Range": "bytes=0-999"}) as answer:
        assert answer.status == 206
    (lies,) = (path for path in kept.root.rglob("*") if path.is_file())
    whole = lies.read_bytes()
    lies.write_bytes(whole[: len(whole) // 2])
    async with client.get(SOUND, headers={"Range": f"bytes={len(kept.whole) - 900}-"}) as answer:
        assert answer.status == 404
        assert "shorter than it was" in await answer.text()
    lies.write_bytes(whole[:90_000] + b"\x00\x01" + whole[90_002:])
    async with client.get(SOUND, headers={"Range": "bytes=80000-99999"}) as answer:
        assert answer.status == 404
        assert "damaged" in await answer.text()
    lies.unlink()
    async with client.get(SOUND) as answer:
        assert answer.status == 404
        assert "any more" in await answer.text()
    shutil.rmtree(kept.root)
    async with client.get(SOUND) as answer:
        assert answer.status == 503
        assert "is it mounted" in await answer.text()
