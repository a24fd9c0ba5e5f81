"""Retention, holds, listening, downloads, person files and erasure, through the pages."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import select, update

from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody.erasing import Erasing
from callcrm.custody.personfile import Packing
from callcrm.custody.retention import Retention
from callcrm.kernel.writer import Unit
from tests import people
from tests.webui import office
from tests.webui.conftest import Web, settings, text_of
from webui.parts import PARTS, Parts

SOUND = "/calls/talked/recordings/0"


@pytest.fixture
async def filled(web: Web, tmp_path: Path) -> Web:
    """The office with a recording of Marina's call."""
    await office.fill(web.parts.writer, tmp_path / "sound")
    told = settings(str(tmp_path / "sound"))
    law = told.law.model_copy(update={"person_files": str(tmp_path / "files")})
    parts = Parts(told.model_copy(update={"law": law}), web.parts.database, web.parts.writer, web.parts.bus)
    web.server.app._state[PARTS] = parts
    web.parts = parts
    return web


async def post(client: TestClient, path: str, status: int = 303, **fields: str) -> str:
    """What came of a form: where it leads, or the text."""
    async with client.post(path, data=fields, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, f"{path}: {answer.status} {text[:1500]}"
        return answer.headers.get("Location", "") or text


async def test_who_listened_to_which_seconds_is_seen_by_supervisors_only(filled: Web) -> None:
    olga, vera = await filled.client(people.OLGA), await filled.client(people.VERA)
    async with olga.get(SOUND) as answer:
        assert answer.status == 200
    await post(olga, f"{SOUND}/heard", 204, spans=json.dumps([[0, 4.2], [3, 6]]))
    await post(olga, f"{SOUND}/heard", 204, spans="[[8, 9.6]]")
    for wrong in ("x", "[1]", '[["a", 2]]', "{}x", "[[1]]"):
        await post(olga, f"{SOUND}/heard", 422, spans=wrong)
    told = await text_of(vera, "/calls/talked/custody")
    assert "Olga Bondar" in told and "0:00–0:06, 0:08–0:" in told
    assert "Olga Bondar" not in await text_of(olga, "/calls/talked/custody")
    listed = await text_of(vera, "/quality/listenings")
    assert "Olga Bondar" in listed and "127.0.0.1" in listed
    await text_of(olga, "/quality/listenings", 403)


async def test_a_recording_leaves_the_house_with_a_right_and_a_reason_only(filled: Web) -> None:
    olga, vera = await filled.client(people.OLGA), await filled.client(people.VERA)
    async with olga.get(f"{SOUND}?download=1") as answer:
        assert "Content-Disposition" not in answer.headers
    await post(olga, f"{SOUND}/download", 403, reason="For my records")
    assert "what the recording is for" in await post(vera, f"{SOUND}/download", 422, reason="")
    async with vera.post(f"{SOUND}/download", data={"reason": "Letter of the court"}) as answer:
        assert answer.status == 200 and (await answer.read())[:4] == b"RIFF"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="talked-0.wav"'
    assert "Letter of the court" in await text_of(vera, "/quality/listenings?show=downloads")


async def test_a_rule_is_previewed_switched_on_and_its_deletions_are_logged(filled: Web) -> None:
    adam = await filled.client(people.ADAM)
    assert "Every sound is kept" in await text_of(adam, "/accounts/retention")
    assert "whole number of days" in await post(adam, "/accounts/retention/new", 422, name="Old", days="soon")
    where = await post(adam, "/accounts/retention/new", name="Sales, old", days="1", tag="Dealer B")
    assert "0 recordings" in await text_of(adam, where)
    job = Retention(filled.parts.database, filled.parts.writer, filled.parts.opener)
    await _age(filled)
    assert "1 recording</b>" in await text_of(adam, where)
    assert await job.run_once() == 0
    await post(adam, f"{where}/switch", version="1", on="yes")
    hold = await post(adam, "/accounts/holds", what="client", which="1", reason="Court case 12")
    assert "Court case 12" in await text_of(adam, hold) and await job.run_once() == 0
    assert "On legal hold" in await text_of(adam, "/calls/talked/custody")
    await post(adam, "/accounts/holds/1/lift", why="Settled")
    assert await job.run_once() == 1
    log = await text_of(adam, "/accounts/deletions")
    assert "Sales, old: tag Dealer B, older than 1 day" in log
    assert "by the rule “Sales, old”" in await text_of(adam, "/calls/talked")
    await text_of(adam, SOUND, 404)
    await post(adam, f"{where}/remove", version="2")
    assert "Sales, old: tag" in await text_of(adam, "/accounts/deletions")


async def _age(filled: Web) -> None:
    async def work(unit: Unit) -> None:
        began = await unit.db.scalar(select(CallRow.began).where(CallRow.id == "talked"))
        assert began is not None
        old = began - timedelta(days=3)
        await unit.db.execute(update(CallRow).where(CallRow.id == "talked").values(began=old, at=old))
        await unit.db.execute(update(CallRecording).where(CallRecording.call_id == "talked").values(began=old))

    await filled.parts.writer.do(work, name="age")


async def test_a_person_file_is_packed_fetched_and_the_person_erased_with_a_certificate(filled: Web) -> None:
    parts, page = filled.parts, "/clients/1/person"
    vera, adam = await filled.client(people.VERA), await filled.client(people.ADAM)
    assert 'href="/clients/1/person"' in await text_of(vera, "/clients/1")
    await text_of(await filled.client(people.OLGA), page, 403)
    await post(vera, page, 422, reason="")
    await post(vera, page, reason="Request of 3 May")
    assert "is being packed" in await text_of(vera, page)
    folder = Path(parts.settings.law.person_files)
    await Packing(parts.database, parts.writer, parts.opener, folder, 7).run_once()
    told = await text_of(vera, page)
    link = told.split(f'href="{page}/')[1].split('"')[0]
    async with vera.get(f"{page}/{link}") as answer:
        assert answer.headers["Content-Type"] == "application/zip"
        names = zipfile.ZipFile(io.BytesIO(await answer.read())).namelist()
    assert {"README.txt", "data.json", "calls.csv", "SHA256SUMS"} <= {*names}

    await post(vera, "/clients/1/erase", 403, why="Request", word="ERASE")
    assert "Write ERASE" in await post(adam, "/clients/1/erase", 422, why="Request of 3 May", word="yes")
    await post(adam, "/clients/1/erase", why="Request of 3 May", word="erase")
    await Erasing(parts.database, parts.writer, parts.opener, 7, "1.0").run_once()
    told = await text_of(adam, page)
    certificate = told.split('href="/clients/1/erasures/')[1].split('"')[0]
    shown = await text_of(adam, f"/clients/1/erasures/{certificate}")
    assert "Kept, and why" in shown and "client_numbers" in shown
    assert json.loads(await text_of(adam, f"/clients/1/erasures/{certificate}?text=1"))["card"] == 1
    assert "Коваленко" not in await text_of(adam, "/clients/1")
