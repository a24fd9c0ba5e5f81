"""Files without a call are found, and their calls guessed by name, time and number; linked by one click or by rule."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from callcrm.calls.tables import CallOperator, CallRecording, CallRow
from callcrm.custody import straying
from callcrm.custody.matching import Candidate, Guess, Stray, guesses, times_in
from callcrm.custody.orphans import StrayFinder
from callcrm.custody.tables import StraySound
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Conflict, NotAllowed
from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit, Writer
from recordings.vault.strays import sound_files
from tests.custody.vaulting import REPORTED, Vault
from tests.people import ADAM, OLGA, VERA
from tests.recordings.making import tone, write

AT = datetime(2026, 11, 20, 9, 30, 0, tzinfo=UTC)
CALL = Candidate(
    "c1", AT, AT + timedelta(seconds=8), AT + timedelta(seconds=68), 60.0, "+79161234567", frozenset({"101"})
)


def stray(name: str, seconds: float | None = 60.0, after_s: float = 68.0) -> Stray:
    return Stray(name, seconds, AT + timedelta(seconds=after_s))


def best(one: Stray, *calls: Candidate) -> Guess | None:
    return next(iter(guesses(one, calls or (CALL,))), None)


# ---- guessing ----------------------------------------------------------------------------------------
def with_(call: Candidate, **changes: Any) -> Candidate:
    from dataclasses import replace

    return replace(call, **changes)


def test_a_name_with_the_calls_own_id_is_certain() -> None:
    call = with_(CALL, ids=frozenset({"1763631000.17"}))
    guess = best(stray("out-1763631000.17.wav", 3.0, 9e4), call)
    assert guess is not None
    assert (guess.certain, guess.why[0]) == (True, "id")
    assert not (best(stray("out-1763631000.18.wav", 3.0, 9e4), call))


def test_number_time_and_length_together_are_certain_and_each_alone_is_not() -> None:
    together = best(stray("in-79161234567-101-20261120-123008.wav"))
    assert together is not None
    assert together.certain
    assert {"number", "extension", "end", "length", "time"} <= set(together.why)
    for name, seconds, after in (("79161234567.wav", 9.0, 9e4), ("x.wav", 60.0, 68.0), ("in-101.wav", 9.0, 68.0)):
        guess = best(stray(name, seconds, after))
        assert guess is None or not guess.certain


def test_two_calls_that_fit_alike_make_neither_certain() -> None:
    found = guesses(stray("79161234567.wav"), [CALL, with_(CALL, call_id="c2")])
    assert [guess.certain for guess in found] == [False, False]


def test_a_call_that_has_its_sound_is_no_certain_place_for_another() -> None:
    guess = best(stray("in-79161234567-101-20261120-093008.wav"), with_(CALL, sounds=1))
    assert guess is None or not guess.certain
    lost = best(stray("in-79161234567-101-20261120-093008.wav"), with_(CALL, missing=(0,)))
    assert lost is not None
    assert "missing" in lost.why


def test_a_name_in_another_time_zone_fits_and_a_minute_off_does_not() -> None:
    for name, fits in (
        ("20261120-150008.wav", True),
        ("2026-11-20_12-30-08.wav", True),
        ("20261120-153100.wav", False),
    ):
        guess = best(stray(name, 60.0, 68.0))
        assert guess is not None
        assert ("time" in guess.why) is fits, name


@given(st.text(alphabet="0123456789.-_ T:/abc", max_size=60), st.floats(0, 1e5), st.floats(-1e6, 1e6))
def test_no_name_upsets_the_guessing(name: str, seconds: float, after: float) -> None:
    for guess in guesses(stray(name, seconds, after), [CALL, with_(CALL, call_id="c2", talk_s=None, ended_at=None)]):
        assert 0 < guess.points <= 100
    times_in(name)


# ---- going through a folder ----------------------------------------------------------------------------
def test_a_folder_is_gone_through_without_following_links(tmp_path: Path) -> None:
    for name in ("b/2.wav", "a.wav", "b/c/3.GSM", "x.txt", ".hidden.wav", "b/half.wav.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    assert [file.name for file in sound_files(tmp_path)] == ["a.wav", "b/2.wav", "b/c/3.GSM"]


@pytest.fixture
def vault(database: Database, writer: Writer, bus: LocalBus, tmp_path: Path) -> Vault:
    return Vault(database, writer, bus, tmp_path)


async def calls(vault: Vault) -> None:
    """A call that lost its file, one that was told of none, and one that has its own."""

    async def work(unit: Unit) -> None:
        for n, call_id in enumerate(("lost", "untold", "has")):
            at = AT + timedelta(hours=n)
            row = {"began": at, "id": call_id, "pbx": "office", "uniqueid": f"{at.timestamp():.0f}.{n}"}
            row |= {"direction": "inbound", "at": at, "answered_at": at + timedelta(seconds=5), "state": "ended"}
            row |= {"ended_at": at + timedelta(seconds=25), "talk_s": 20.0, "client_number": f"+7916123456{n}"}
            await unit.db.execute(insert(CallRow).values(**row))
            part = {"began": at, "call_id": call_id, "extension": "101", "user_id": OLGA.user_id, "answered": True}
            await unit.db.execute(insert(CallOperator).values(**part))
        for call_id, began, file, state in (
            ("lost", AT, "renamed.wav", "missing"),
            ("has", AT + timedelta(hours=2), f"{REPORTED}/2026/has.wav", "present"),
        ):
            key = {"began": began, "call_id": call_id, "n": 0, "pbx": "office", "file": file, "state": state}
            await unit.db.execute(insert(CallRecording).values(**key))

    await vault.writer.do(work, name="test")


def sound(vault: Vault, name: str, ended: datetime, seconds: float = 20.0) -> Path:
    path = write(vault.monitor / name, tone(seconds))
    os.utime(path, (ended.timestamp(),) * 2)
    return path


async def strays(vault: Vault) -> dict[str, Any]:
    async with vault.database.read() as db:
        return {row.file: row for row in (await db.execute(select(StraySound))).all()}


async def find(vault: Vault, **how: Any) -> int:
    finder = StrayFinder(vault.database, vault.writer, vault.places, **how)
    try:
        return await finder.find_all()
    finally:
        finder.close()


async def test_strays_are_found_with_their_guesses_and_forgotten_when_they_go(vault: Vault) -> None:
    await calls(vault)
    end = AT + timedelta(seconds=25)
    sound(vault, "2026/in-9161234560-101.wav", end)
    sound(vault, "2026/has.wav", end + timedelta(hours=2))
    sound(vault, "moh.wav", end + timedelta(days=1), 3.0)
    young = sound(vault, "young.wav", datetime.now(UTC))
    sound(vault, "nobody-answered.wav", end, 0.0)
    assert await find(vault) == 2
    found = await strays(vault)
    assert set(found) == {"2026/in-9161234560-101.wav", "moh.wav"}
    guess = found["2026/in-9161234560-101.wav"].guesses[0]
    assert (guess["call_id"], guess["certain"]) == ("lost", True)
    assert found["moh.wav"].guesses == []
    assert found["2026/in-9161234560-101.wav"].seconds == 20.0
    assert await find(vault) == 2
    (vault.monitor / "moh.wav").unlink()
    assert await find(vault) == 1
    assert set(await strays(vault)) == {"2026/in-9161234560-101.wav"}
    assert young.exists()


async def test_one_click_links_a_stray_in_place_of_the_missing_file_and_takes_it_back(vault: Vault) -> None:
    await calls(vault)
    sound(vault, "in-9161234560-101.wav", AT + timedelta(seconds=25))
    await find(vault)
    (row,) = (await strays(vault)).values()
    with pytest.raises(NotAllowed):
        await vault.writer.do(lambda unit: straying.link(unit, VERA, row.id, "lost"), name="test")
    n = await vault.writer.do(lambda unit: straying.link(unit, ADAM, row.id, "lost"), name="test")
    recording = await vault.recording("lost", n)
    assert (n, recording.file, recording.state) == (0, "in-9161234560-101.wav", "writing")
    assert recording.check_at is not None
    with pytest.raises(Conflict):
        await vault.writer.do(lambda unit: straying.link(unit, ADAM, row.id, "untold"), name="test")
    assert await find(vault) == 0
    await vault.writer.do(lambda unit: straying.unlink(unit, ADAM, row.id), name="test")
    recording = await vault.recording("lost")
    assert (recording.file, recording.state) == ("renamed.wav", "missing")
    n = await vault.writer.do(lambda unit: straying.link(unit, ADAM, row.id, "untold"), name="test")
    assert (await vault.recording("untold", n)).file == "in-9161234560-101.wav"
    await vault.writer.do(lambda unit: straying.unlink(unit, ADAM, row.id), name="test")
    async with vault.database.read() as db:
        assert (await db.execute(select(CallRecording).where(CallRecording.call_id == "untold"))).first() is None
        acts = [row.act for row in (await db.execute(select(Audit).order_by(Audit.at))).all()]
    assert acts == ["link", "unlink", "link", "unlink"]


async def test_the_rule_links_only_what_is_certain(vault: Vault) -> None:
    await calls(vault)
    end = AT + timedelta(seconds=25)
    sound(vault, "in-9161234560-101.wav", end)
    sound(vault, "unclear.wav", end + timedelta(hours=1))
    await find(vault, link=True)
    states = {file: (row.state, row.how, row.call_id) for file, row in (await strays(vault)).items()}
    assert states == {"in-9161234560-101.wav": ("linked", "rule", "lost"), "unclear.wav": ("open", "", None)}
    assert (await strays(vault))["unclear.wav"].guesses[0]["call_id"] == "untold"


async def test_what_was_set_aside_stays_aside_and_comes_back_when_asked(vault: Vault) -> None:
    await calls(vault)
    sound(vault, "moh.wav", AT, 3.0)
    await find(vault)
    (row,) = (await strays(vault)).values()
    await vault.writer.do(lambda unit: straying.set_aside(unit, ADAM, row.id), name="test")
    await find(vault)
    assert (await strays(vault))["moh.wav"].state == "dismissed"
    await vault.writer.do(lambda unit: straying.set_aside(unit, ADAM, row.id, aside=False), name="test")
    assert (await strays(vault))["moh.wav"].state == "open"


async def test_nothing_is_forgotten_while_the_folder_is_not_mounted(vault: Vault) -> None:
    await calls(vault)
    sound(vault, "moh.wav", AT, 3.0)
    await find(vault)
    vault.monitor.rename(vault.root / "away")
    await find(vault)
    assert set(await strays(vault)) == {"moh.wav"}


async def test_a_linked_file_that_went_into_the_vault_stays_linked(vault: Vault) -> None:
    await calls(vault)
    sound(vault, "in-9161234560-101.wav", AT + timedelta(seconds=25))
    await find(vault)
    (row,) = (await strays(vault)).values()
    await vault.writer.do(lambda unit: straying.link(unit, ADAM, row.id, "lost"), name="test")

    async def due(unit: Unit) -> None:
        await unit.db.execute(CallRecording.__table__.update().values(state="present", keep_at=unit.now))

    await vault.writer.do(due, name="test")
    await vault.keeper(remove=True).keep_due()
    with pytest.raises(Conflict, match="taken into the vault"):
        await vault.writer.do(lambda unit: straying.unlink(unit, ADAM, row.id), name="test")
    assert len(await vault.heard("lost")) > 1000
