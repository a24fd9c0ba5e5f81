"""Coaching over HTTP: only the seconds of a moment are sent, to whom it was given; refusals stand beside the field."""

import io
from pathlib import Path

import pytest
import soundfile
from aiohttp.test_utils import TestClient

from callcrm.kernel.errors import Invalid
from callcrm.quality import coaching
from callcrm.quality.coaching import Stretch
from tests import people
from tests.quality.week import MONDAY, add_call
from tests.webui import office
from tests.webui.conftest import Web, settings, text_of
from webui.coaching import seconds_of, typed_time
from webui.parts import Parts


@pytest.mark.parametrize(
    ("typed", "seconds"), [("0:05", 5.0), ("1:02.5", 62.5), ("83", 83.0), ("1:00:03", 3603.0), (" 12,25 ", 12.25)]
)
def test_seconds_are_typed_as_people_write_them_and_shown_the_same(typed: str, seconds: float) -> None:
    assert seconds_of(typed, "from") == seconds
    assert seconds_of(typed_time(seconds), "from") == pytest.approx(seconds, abs=0.051)


@pytest.mark.parametrize("typed", ["", "x", "1:2:3:4", "-1", "1e3", "9:99x", "nan"])
def test_what_is_no_time_is_refused_by_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        seconds_of(typed, "to")
    assert list(refused.value.fields) == ["to"]


async def given(web: Web, folder: Path) -> int:
    """A list with two seconds of Olga's call, given to Ruslan."""
    await add_call(web.parts.writer, "olgas", MONDAY, state="")
    await office.add_sound(web.parts.writer, "olgas", folder, office.sound_file(folder, "olgas.wav", 6.0))

    async def work(unit):  # type: ignore[no-untyped-def]
        key = await coaching.make(unit, people.VERA, "Openings")
        await coaching.add_moment(unit, people.VERA, key, Stretch("olgas", 0, 1.5, 3.5), "Hear this")
        await coaching.give(unit, people.VERA, key, [people.RUSLAN.user_id])
        return key

    return await web.parts.writer.do(work, name="list")


@pytest.fixture
async def heard(web: Web, tmp_path: Path) -> tuple[Web, int]:
    """The office with sounds on the disk, and the list."""
    from aiohttp.test_utils import TestServer

    from webui.app import make_app

    parts = Parts(settings(str(tmp_path)), web.parts.database, web.parts.writer, web.parts.bus)
    key = await given(web, tmp_path)
    server = TestServer(make_app(parts))
    await server.start_server()
    return Web(parts, server), key


async def sound(client: TestClient, path: str, **headers: str) -> tuple[int, bytes]:
    async with client.get(path, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_the_seconds_are_sent_to_whom_they_were_given_and_to_nobody_else(heard: tuple[Web, int]) -> None:
    web, key = heard
    path = f"/quality/coaching/{key}/moments/1/sound"
    ruslan = await web.client(people.RUSLAN)
    status, data = await sound(ruslan, path)
    samples, rate = soundfile.read(io.BytesIO(data))
    assert (status, len(samples)) == (200, 2 * rate)
    status, part = await sound(ruslan, path, Range="bytes=100-199")
    assert (status, part) == (206, data[100:200])
    assert (await sound(ruslan, path, Range="bytes=99999999-"))[0] == 416
    assert (await sound(ruslan, "/calls/olgas/recordings/0"))[0] == 404
    assert (await sound(await web.client(people.OLGA), path))[0] == 404
    page = await text_of(ruslan, f"/quality/coaching/{key}")
    assert "Hear this" in page and "Olga" not in page and "/calls/olgas" not in page
    await web.server.close()


async def test_what_cannot_be_taken_is_told_beside_its_field(heard: tuple[Web, int]) -> None:
    web, key = heard
    vera = await web.client(people.VERA)
    typed = {"call": "olgas", "n": "0", "list": str(key), "from": "9:99x", "to": "0:03", "words": "Kept"}
    for wrong, field in (
        ({}, "from"),
        ({"from": "0:02", "to": "0:02"}, "to"),
        ({"from": "5:00", "to": "5:09"}, "from"),
    ):
        async with vera.post("/quality/coaching/add", data={**typed, **wrong}) as answer:
            text = await answer.text()
            assert answer.status == 422 and f'id="f-{field}-says"' in text and "Kept" in text
    async with vera.post(f"/quality/coaching/{key}/give", data={}) as answer:
        assert answer.status == 422 and "Choose people from the list" in await answer.text()
    async with vera.post("/quality/coaching", data={"title": " "}) as answer:
        assert answer.status == 422 and 'id="f-title-says"' in await answer.text()
    await web.server.close()
