"""The page of recordings: health and troubles in words, strays linked by one click and taken back."""

import os
from datetime import timedelta
from pathlib import Path

from aiohttp.test_utils import TestServer
from sqlalchemy import insert, select, update

from callcrm.calls.tables import CallRecording
from callcrm.custody.tables import KeptSound, StraySound
from callcrm.kernel import clock
from callcrm.kernel.writer import Unit
from callcrm.vaultsettings import FetchSettings, VaultSettings
from tests.people import ADAM, VERA
from tests.webui import office
from tests.webui.conftest import Web, settings
from webui import vaultwords
from webui.app import make_app
from webui.parts import Parts

HOSTILE = "<script>alert(1)</script>.wav"


async def _troubled(unit: Unit) -> None:
    told = update(CallRecording).where(CallRecording.call_id == "talked")
    await unit.db.execute(told.values(state="missing", cause="It never came."))
    for file, state, words in (
        ("x.wav", "waiting", "The bucket does not answer."),
        (HOSTILE, "damaged", "It is damaged."),
    ):
        row = {"pbx": "office", "file": file, "state": state, "trouble": words, "verify_at": unit.now}
        await unit.db.execute(insert(KeptSound).values(**row))


async def test_an_administrator_sees_what_is_wrong_and_links_a_stray(web: Web, tmp_path: Path) -> None:
    folder = tmp_path / "monitor"
    base = web.parts
    parts = Parts(settings(str(folder)), base.database, base.writer, base.bus)
    async with TestServer(make_app(parts)) as server:
        await _walked(Web(parts, server), folder)


def test_it_is_said_where_files_without_a_call_cannot_be_looked_for() -> None:
    fetched = {"far": FetchSettings(url="https://far/monitor"), "near": FetchSettings(url="sftp://near/monitor")}
    assert vaultwords.unlisted(VaultSettings()) == ""
    assert vaultwords.unlisted(VaultSettings(fetch=fetched)).startswith("Not looked through: far. HTTP")


async def _walked(web: Web, folder: Path) -> None:
    await office.fill(web.parts.writer, folder)
    await web.parts.writer.do(_troubled, name="test")
    call_end = clock.now() - timedelta(hours=2)
    stray = folder / office.sound_file(folder, f"in-{office.MARINA[1:]}-101.wav", 3.0)
    os.utime(stray, (call_end.timestamp(),) * 2)
    assert (await (await web.client(VERA)).get("/pbx/recordings")).status == 403
    client = await web.client(ADAM)
    assert "/pbx/recordings" in await (await client.get("/pbx")).text()
    page = await (await client.get("/pbx/recordings")).text()
    for said in (
        "stay in the PBX’s folder",
        "The bucket does not answer.",
        "It never came.",
        "No file without a call",
    ):
        assert said in page
    assert HOSTILE not in page
    assert (await client.post("/pbx/recordings/look", allow_redirects=False)).status == 303
    async with web.parts.database.read() as db:
        row = None
        while row is None:
            row = (await db.execute(select(StraySound))).first()
            await db.rollback()
    page = await (await client.get("/pbx/recordings")).text()
    assert stray.name in page
    link = f"/pbx/recordings/strays/{row.id}"
    answer = await client.post(f"{link}/link", data={"call": "talked"}, allow_redirects=False)
    assert answer.status == 303
    again = await client.post(f"{link}/link", data={"call": "talked"})
    assert again.status == 409
    assert "linked meanwhile" in await again.text()
    assert (await client.get("/pbx/recordings")).status == 200
    assert (await client.post(f"{link}/unlink", allow_redirects=False)).status == 303
    assert (await client.post(f"{link}/aside", allow_redirects=False)).status == 303
    assert "Set aside" in await (await client.get("/pbx/recordings")).text()
    again = await client.post("/pbx/recordings/again", data={"pbx": "office", "file": "x.wav"}, allow_redirects=False)
    assert again.status == 303
    assert (await client.post("/pbx/recordings/again", data={"pbx": "office", "file": "no"})).status == 404
