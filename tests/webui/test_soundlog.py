"""The call log by what the sound tells, and the block of figures beside a call's story."""

import wave
from array import array
from math import sin
from pathlib import Path

import pytest
from sqlalchemy import update

from callcrm.calls.tables import CallRecording
from callcrm.kernel.writer import Unit
from tests.people import OLGA, RUSLAN, VERA
from tests.webui import office
from tests.webui.conftest import Web, text_of
from webui.soundlog import SORTS, saved


def talk(path: Path, seconds: int, client: tuple[float, float], operator: tuple[float, float]) -> Path:
    """Two lanes, in each a tone from one second to another."""
    samples = array("h")
    for n in range(seconds * 8000):
        for begin, end in (client, operator):
            samples.append(int(9000 * sin(n / 3)) if begin <= n / 8000 < end else 0)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(samples.tobytes())
    return path


@pytest.fixture
async def busy(web: Web, tmp_path: Path) -> Web:
    """The office: in "talked" nobody says a word for 22 of 35 seconds, "moved" was not looked through."""
    await office.fill(web.parts.writer, tmp_path)
    quiet = talk(tmp_path / "quiet.wav", 35, (25, 27), (2, 3))
    await office.add_sound(web.parts.writer, "talked", tmp_path, quiet.name)
    await office.add_xray(web.parts.writer, "talked", tmp_path, quiet.name)
    await office.add_sound(web.parts.writer, "moved", tmp_path, "talk.wav")
    return web


async def test_saved_filters_by_sound_show_their_calls_with_columns_of_sound(busy: Web) -> None:
    client = await busy.client(VERA)
    page = await text_of(client, "/calls?show=silent")
    assert "/calls/talked" in page
    assert "/calls/moved" not in page
    assert "Longest silence" in page
    assert "0:22</a>" in page
    assert "/calls/talked?t=" in page
    assert ">33 %<" in page
    assert "1 recording is still to be looked through" in page
    for name, _ in saved():
        assert 'name="silence"' in await text_of(client, f"/calls?show={name}")
    assert "No call sounds like this" in await text_of(client, "/calls?show=talkover")
    assert "Longest silence" not in await text_of(client, "/calls")


async def test_the_columns_of_sound_sort_the_log_and_lead_back(busy: Web) -> None:
    client = await busy.client(VERA)
    page = await text_of(client, "/calls?view=sound&queue=sales")
    assert "/calls/moved" in page
    assert "sort=silence" in page
    for code in SORTS:
        page = await text_of(client, f"/calls?sort={code}&view=sound")
        assert "/calls/talked" in page
        assert "/calls/moved" not in page
        assert page.count('aria-sort="descending"') == 1
    assert "/calls/talked" in await text_of(client, "/calls?silence=20")
    assert "/calls/talked" not in await text_of(client, "/calls?silence=30")
    for wrong in ("sort=nothing", "silence=many", "word=-1"):
        assert 'role="alert"' in await text_of(client, f"/calls?{wrong}")


async def test_an_operator_sorts_his_own_and_sees_since_when(busy: Web) -> None:
    page = await text_of(await busy.client(OLGA), "/calls?sort=silence&view=sound")
    assert "/calls/talked" in page
    assert 'name="since" value="20' in page
    assert "/calls/talked" not in await text_of(await busy.client(RUSLAN), "/calls?sort=silence&operator=1")


async def test_a_row_keeps_its_columns_when_its_legs_are_shown(busy: Web) -> None:
    client = await busy.client(VERA)
    for path in ("/calls/talked/legs?view=sound", "/calls/talked/legs?closed=1&view=sound"):
        part = await text_of(client, path)
        assert "0:22" in part
        assert "view=sound" in part


async def test_the_figures_of_a_call_are_told_in_words_with_their_moments(busy: Web) -> None:
    client = await busy.client(OLGA)
    part = await text_of(client, "/calls/talked/figures")
    assert part.strip() in await text_of(client, "/calls/talked")
    assert "Sound in figures" not in await text_of(client, "/calls/back")
    assert "Client spoke" in part
    assert "67 %, 0:02" in part
    assert "0:22 at " in part
    assert "never" in part
    assert "after 2.0 s" in part
    assert "two lanes, 1.1 MB" in part
    assert "hx-trigger" not in part


async def test_figures_that_are_not_there_yet_come_by_themselves(busy: Web) -> None:
    client = await busy.client(OLGA)
    part = await text_of(client, "/calls/moved/figures")
    assert "is being looked through" in part
    assert 'hx-trigger="every 5s"' in part
    part = await text_of(client, "/calls/back/figures")
    assert "hx-trigger" not in part


async def test_of_several_recordings_each_says_which_talk_it_holds(busy: Web, tmp_path: Path) -> None:
    talk(tmp_path / "second.wav", 20, (1, 4), (8, 12))

    async def second(unit: Unit) -> None:
        await unit.db.execute(update(CallRecording).where(CallRecording.call_id == "moved").values(n=1))

    await busy.parts.writer.do(second, name="test")
    await office.add_sound(busy.parts.writer, "moved", tmp_path, "second.wav")
    part = await text_of(await busy.client(VERA), "/calls/moved/figures")
    assert "Recording 1" in part
    assert "Recording 2" in part
    assert "Olga Bondar" in part
