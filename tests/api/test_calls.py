"""The call log for programs."""

import wave
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from callcrm.calls.tables import CallRecording
from callcrm.calls.xraytables import Xray
from callcrm.kernel import clock
from callcrm.kernel.tables import Audit
from tests.api.conftest import Api
from tests.people import OLGA, RUSLAN, VERA


def tone(path: Path, seconds: int = 1) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 62 * seconds)
    return path.read_bytes()


async def test_a_call_is_told_in_the_words_of_replay(api: Api) -> None:
    await api.call("one", OLGA, talks=[{"operator": "101", "talk_s": 12.5, "at": None}], wait_s=3.2, name="ANN")
    call = await api.get(VERA, "/calls/one")
    assert (call["direction"], call["client"], call["client_raw"]) == ("inbound", "+79161234567", "89161234567")
    assert call["at"].endswith("Z")
    assert call["talks"] == [{"operator": "101", "talk_s": 12.5, "at": None}]
    assert call["answered_by"] == ["101"]
    assert call["name"] == "ANN"
    assert call["legs"][0]["side"] == "trunk"
    always = "direction client called at rang talks answered_by wait_s total_s missed outcome ended_by transfers id"
    assert set(f"{always} channel recordings legs".split()) <= set(call)


async def test_the_log_is_paged_to_its_end_without_gap_or_double(api: Api) -> None:
    for n in range(7):
        await api.call(f"call{n}", minutes=n + 1)
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await api.get(VERA, f"/calls?limit=3&cursor={cursor}")
        assert len(page["items"]) <= 3
        found += [call["id"] for call in page["items"]]
        cursor = page["next"]
    assert found == [f"call{n}" for n in range(7)]


async def test_filters_narrow_the_log(api: Api) -> None:
    await api.call("old", minutes=600)
    await api.call("missed", minutes=5, missed=True)
    await api.call("out", OLGA, minutes=4, direction="outbound", client_number="+79990000000", queue="sales")
    since = (clock.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    asked = {
        f"since={since}": {"missed", "out"},
        f"until={since}": {"old"},
        "direction=outbound": {"out"},
        "missed=true": {"missed"},
        "client=%2B79990000000": {"out"},
        "operator=olga": {"out"},
        "operator=101": {"out"},
        "operator=nobody": set(),
        "queue=sales": {"out"},
        "pbx=elsewhere": set(),
    }
    for query, expected in asked.items():
        page = await api.get(VERA, f"/calls?{query}")
        assert {call["id"] for call in page["items"]} == expected, query


async def test_an_operator_sees_his_own_calls_only(api: Api) -> None:
    await api.call("hers", OLGA)
    await api.call("his", RUSLAN)
    page = await api.get(OLGA, "/calls")
    assert [call["id"] for call in page["items"]] == ["hers"]
    problem = await api.get(OLGA, "/calls/his", 404)
    assert problem["status"] == 404
    assert "not yours" in problem["detail"]


async def test_a_masked_account_never_sees_a_whole_number(api: Api) -> None:
    await api.call("one", OLGA)
    await api.call("two", OLGA, direction="outbound", called="+79161234567")
    await api.mask(OLGA)
    for path in ("/calls", "/calls/one", "/calls/two"):
        assert "9161234567" not in str(await api.get(OLGA, path)), path


async def test_a_recording_is_played_in_parts_and_leaves_an_audit_row(api: Api) -> None:
    await api.call("one", OLGA)
    whole = tone(api.sounds / "a.wav")
    await api.recording("one", "a.wav")
    client = await api.program(OLGA)
    async with client.get("/api/v1/calls/one/recordings/0") as answer:
        assert (answer.status, answer.content_type) == (200, "audio/wav")
        assert await answer.read() == whole
    async with client.get("/api/v1/calls/one/recordings/0", headers={"Range": "bytes=100-199"}) as answer:
        assert answer.status == 206
        assert await answer.read() == whole[100:200]
    async with api.parts.database.read() as db:
        rows = (await db.execute(Audit.__table__.select().where(Audit.act == "listen"))).all()
    assert [(row.user_id, row.which) for row in rows] == [(OLGA.user_id, "one/0")] * 2


async def test_where_there_is_no_sound_the_problem_says_why(api: Api) -> None:
    await api.call("one", OLGA)
    await api.recording("one", "gone.wav", "missing")
    problem = await api.get(OLGA, "/calls/one/recordings/0", 404)
    assert problem["detail"]
    await api.call("evil", OLGA)
    await api.recording("evil", "../../../../etc/passwd")
    problem = await api.get(OLGA, "/calls/evil/recordings/0", 404)
    assert "root:" not in str(problem)


async def test_a_recording_of_anothers_call_is_not_to_be_heard(api: Api) -> None:
    await api.call("his", RUSLAN)
    tone(api.sounds / "a.wav")
    await api.recording("his", "a.wav")
    assert (await api.get(OLGA, "/calls/his/recordings/0", 404))["status"] == 404


async def test_a_call_says_what_its_sound_tells_and_which_talk_each_recording_holds(api: Api) -> None:
    at = clock.now() - timedelta(minutes=5)
    began = at.replace(microsecond=0)
    await api.call("one", OLGA, at=at, talks=[{"operator": "101", "talk_s": 60.0, "at": at.isoformat()}])
    await api.call("two", minutes=6)
    figures = {"lanes": 2, "seconds": 60.0, "silence_s": 30.0, "longest_silence_s": 21.0, "longest_silence_at_s": 12.0}
    figures |= {"overlaps": 2, "overlap_s": 1.5, "operator_share": 0.75, "client_share": 0.25}
    await api.recording("one", "a.wav")
    await api.do(
        update(CallRecording).values(seconds=60.0, at=at),
        insert(Xray).values(began=began, call_id="one", at=at, made_at=at, **figures),
    )
    call = await api.get(VERA, "/calls/one")
    assert {name: call["xray"][name] for name in figures} == figures
    (recording,) = call["recordings"]
    assert recording["operators"] == ["101"]
    assert (recording["from_s"], recording["to_s"]) == pytest.approx((0, 60), abs=1)
    assert (await api.get(VERA, "/calls/two"))["xray"] is None
    for asked, there in (("silence_s=20", True), ("silence_s=22", False), ("operator_share=0.7&overlap_s=1", True)):
        items = (await api.get(VERA, f"/calls?{asked}"))["items"]
        assert [one["id"] for one in items] == (["one"] if there else []), asked
        assert all(one["xray"]["overlaps"] == 2 for one in items)
