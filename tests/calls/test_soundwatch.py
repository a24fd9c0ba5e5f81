"""Recordings of ended calls are looked for until their fate is known, and the rows say it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from callcrm.calls.soundwatch import GIVEN_UP_AFTER_S, MISSING_AFTER_S, SoundWatch, folder_of, judge
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.kernel.writer import Unit, Writer
from recordings import Look, Looker, Peaks
from tests.recordings.making import tone, write

BEGAN = datetime(2026, 11, 21, 17, 11, 7, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture
async def watch(database: Database, writer: Writer, bus: LocalBus, tmp_path: Path) -> AsyncIterator[SoundWatch]:
    (tmp_path / "monitor").mkdir()
    looker = Looker()
    folders = {"office": folder_of(str(tmp_path / "monitor"), "/var/spool/asterisk/monitor"), "bare": folder_of("")}
    yield SoundWatch(database, writer, bus, folders, looker)
    looker.close()


async def a_call(
    writer: Writer, call: str, *files: str, ended_s: float = 60.0, talk_s: float | None = 3.0, pbx: str = "office"
) -> None:
    """An ended call with recordings that are due."""

    async def work(unit: Unit) -> None:
        ended = unit.now - timedelta(seconds=ended_s)
        row = {"began": BEGAN, "id": call, "pbx": pbx, "uniqueid": call, "direction": "inbound", "at": BEGAN}
        await unit.db.execute(insert(CallRow).values(**row, ended_at=ended, talk_s=talk_s, state="ended"))
        for n, file in enumerate(files):
            key = {"began": BEGAN, "call_id": call, "n": n, "pbx": pbx, "file": file, "state": "writing"}
            await unit.db.execute(insert(CallRecording).values(**key, check_at=unit.now))

    await writer.do(work, name="test")


async def rows(database: Database) -> dict[tuple[str, int], CallRecording]:
    async with database.read() as db:
        found = (await db.execute(select(CallRecording))).all()
    return {(row.call_id, row.n): row for row in found}


def rested(path: Path) -> Path:
    """A file that was written some time ago."""
    os.utime(path, (time.time() - 60,) * 2)
    return path


async def test_a_recording_that_is_there_is_measured_and_drawn(
    watch: SoundWatch, writer: Writer, database: Database, bus: LocalBus, tmp_path: Path
) -> None:
    rested(write(tmp_path / "monitor" / "a.wav", tone(3), tone(3)))
    heard = bus.subscribe("test")
    await a_call(writer, "c1", "/var/spool/asterisk/monitor/a.wav")
    assert await watch.check_due() == 1
    row = (await rows(database))["c1", 0]
    assert (row.state, row.channels, row.cause, row.check_at) == ("present", 2, "", None)
    assert row.seconds == pytest.approx(3)
    assert row.size == 44 + 3 * 8000 * 4
    assert len(Peaks.from_bytes(row.peaks).lanes) == 2
    fact = await anext(heard)
    assert isinstance(fact, Fact)
    assert (fact.kind, fact.ids) == ("recording.changed", {"call": "c1", "n": 0})
    assert await watch.check_due() == 0


async def test_every_fate_has_its_state(watch: SoundWatch, writer: Writer, database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "monitor"
    rested(write(folder / "empty.wav", tone(0)))
    rested(write(folder / "short.wav", tone(2)))
    (folder / "bad.wav").write_bytes(b"these bytes are no sound whatever the name says, not at all")
    await a_call(writer, "c1", "empty.wav", talk_s=None)
    await a_call(writer, "c2", "short.wav", talk_s=30)
    await a_call(writer, "c3", "bad.wav")
    await a_call(writer, "c4", "../../etc/passwd")
    await a_call(writer, "c5", "late.wav")
    await a_call(writer, "c6", "old.wav", ended_s=MISSING_AFTER_S + 1)
    await a_call(writer, "c7", "x.wav", pbx="bare")
    await a_call(writer, "c8", "never.wav", talk_s=None)
    await watch.check_due()
    found = {call: (row.state, row.check_at is not None) for (call, _), row in (await rows(database)).items()}
    assert found == {
        "c1": ("empty", False),
        "c2": ("partial", False),
        "c3": ("partial", False),
        "c4": ("missing", False),
        "c5": ("late", True),
        "c6": ("missing", True),
        "c7": ("unknown", False),
        "c8": ("empty", False),
    }
    assert all(row.cause.endswith(".") for row in (await rows(database)).values())


async def test_of_several_files_none_is_called_partial_for_being_a_part(
    watch: SoundWatch, writer: Writer, database: Database, tmp_path: Path
) -> None:
    for name in ("a.wav", "b.wav"):
        rested(write(tmp_path / "monitor" / name, tone(10)))
    await a_call(writer, "c1", "a.wav", "b.wav", talk_s=20)
    await watch.check_due()
    assert {row.state for row in (await rows(database)).values()} == {"present"}


async def test_a_late_file_is_found_when_it_comes(
    watch: SoundWatch, writer: Writer, database: Database, bus: LocalBus, tmp_path: Path
) -> None:
    task = asyncio.create_task(watch.run())
    heard = bus.subscribe("test")
    await a_call(writer, "c1", "a.wav", ended_s=2.5)

    async def tell(unit: Unit) -> None:
        unit.fact("call.ended", stream="pbx:office", call="c1")

    await writer.do(tell, name="test")
    states: list[str] = []
    async with asyncio.timeout(15):
        async for fact in heard:
            if isinstance(fact, Fact) and fact.kind == "recording.changed":
                states.append((await rows(database))["c1", 0].state)
                if states[-1] == "late":
                    rested(write(tmp_path / "monitor" / "a.wav", tone(3)))
                if states[-1] == "present":
                    break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert states == ["late", "present"]


async def test_a_recording_that_a_rule_deleted_meanwhile_stays_deleted(
    watch: SoundWatch, writer: Writer, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested(write(tmp_path / "monitor" / "a.wav", tone(3)))
    await a_call(writer, "c1", "a.wav")
    look = watch._looker.look

    async def deleted_meanwhile(*args: object) -> Look:
        async def delete(unit: Unit) -> None:
            await unit.db.execute(CallRecording.__table__.update().values(state="deleted"))

        await writer.do(delete, name="test")
        return await look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(watch._looker, "look", deleted_meanwhile)
    await watch.check_due()
    assert (await rows(database))["c1", 0].state == "deleted"


@pytest.mark.parametrize(
    "since", [0.0, 5.0, 60.0, MISSING_AFTER_S - 1.0, MISSING_AFTER_S + 1.0, GIVEN_UP_AFTER_S + 1.0]
)
def test_pauses_grow_with_the_age_of_the_call_and_end(since: float) -> None:
    verdict = judge(Look("late", "It has not come."), since, 5.0, NOW)
    assert verdict.look.state == ("late" if since <= MISSING_AFTER_S else "missing")
    if since > GIVEN_UP_AFTER_S:
        assert verdict.check_at is None
    else:
        assert verdict.check_at is not None
        assert 1.0 <= (verdict.check_at - NOW).total_seconds() <= max(1.0, since)


def test_the_whole_search_takes_a_bounded_number_of_looks() -> None:
    since, looks = 0.0, 0
    while (at := judge(Look("late"), since, 5.0, NOW).check_at) is not None:
        since += (at - NOW).total_seconds()
        looks += 1
    assert looks < 60


def test_an_empty_file_of_a_talk_is_looked_at_again_while_it_may_grow() -> None:
    assert judge(Look("empty"), 3.0, 10.0, NOW).check_at is not None
    assert judge(Look("empty"), 3.0, 0.0, NOW).check_at is None
    assert judge(Look("empty"), 40.0, 10.0, NOW).check_at is None
