"""Recordings are looked through in the background, and the rows of calls say what their sound tells."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select, update

import recordings.xray
from callcrm.calls import xraykeeping, xrays
from callcrm.calls.folding import fold
from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.calls.xraying import Xraying
from callcrm.calls.xraytables import RecordingXray, Xray
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, NotFound
from callcrm.kernel.writer import Unit, Writer
from recordings.apart import Apart
from tests.recordings.making import RATE, tone, write

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Shelf:
    """Where the sounds lie: a folder, and what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trouble: Exception | None = None
        self.asked: list[str] = []

    @asynccontextmanager
    async def local(self, call_id: str, n: int) -> AsyncIterator[Path]:
        self.asked.append(f"{call_id}-{n}")
        if self.trouble is not None:
            raise self.trouble
        yield self.folder / f"{call_id}-{n}.wav"


@pytest.fixture
async def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


class Beside(Apart):
    """The same work in a thread: a process for each test would cost most of its time."""

    async def xray(self, path: Path, without: Sequence[tuple[float, float]] = ()) -> recordings.xray.Xray:
        return await asyncio.to_thread(recordings.xray.xray_of, path, without)


@pytest.fixture
async def xraying(database: Database, writer: Writer, bus: LocalBus, shelf: Shelf) -> Xraying:
    return Xraying(database, writer, bus, shelf.local, share=1, apart=Beside())


def lane(seconds: float, *talk: tuple[float, float]) -> np.ndarray:
    """A tone where somebody talks."""
    sound = tone(seconds)
    at = np.arange(len(sound)) / RATE
    sound[~np.logical_or.reduce([(begin <= at) & (at < end) for begin, end in talk] or [at < 0])] = 0
    return sound


async def a_call(writer: Writer, call: str, *sounds: float, began: datetime = BEGAN, **more: Any) -> None:
    """A call answered after 5 s with recordings of these lengths, one after the other."""
    talk_s = sum(sounds)
    talks = [{"operator": "101", "talk_s": talk_s, "at": (began + timedelta(seconds=5)).isoformat()}]
    row = {"began": began, "id": call, "pbx": "office", "uniqueid": call, "direction": "inbound", "at": began}
    row |= {"answered_at": began + timedelta(seconds=5), "ended_at": began + timedelta(seconds=5 + talk_s)}

    async def work(unit: Unit) -> None:
        await unit.db.execute(insert(CallRow).values(**row, state="ended", talks=talks))
        at = began + timedelta(seconds=5)
        for n, seconds in enumerate(sounds):
            key = {"began": began, "call_id": call, "n": n, "pbx": "office", "file": f"{call}-{n}.wav"}
            given = {"state": "present", "seconds": seconds, "at": at, **more}
            await unit.db.execute(insert(CallRecording).values(**key, **given))
            at += timedelta(seconds=seconds)

    await writer.do(work, name="test")


async def figures(database: Database) -> dict[str, Any]:
    async with database.read() as db:
        return {row.call_id: row for row in await db.execute(select(*Xray.__table__.columns))}


async def parts(database: Database) -> dict[tuple[str, int], Any]:
    async with database.read() as db:
        rows = await db.execute(select(*RecordingXray.__table__.columns))
        return {(row.call_id, row.n): row for row in rows}


async def test_a_call_gets_the_figures_of_its_sound(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    write(tmp_path / "c1-0.wav", lane(60, (2, 12), (30, 40)), lane(60, (1, 3), (11, 26), (45, 60)))
    await a_call(writer, "c1", 60)
    assert await xraying.work_off() == 1
    row = (await figures(database))["c1"]
    assert (row.client_talk_s, row.operator_talk_s) == (pytest.approx(20, abs=0.2), pytest.approx(32, abs=0.2))
    assert row.operator_share == pytest.approx(32 / 52, abs=0.01)
    assert (row.longest_silence_s, row.longest_silence_at_s) == pytest.approx((5, 45), abs=0.1)
    assert (row.overlaps, row.overlap_s) == (2, pytest.approx(2, abs=0.1))
    assert (row.client_first_word_s, row.operator_first_word_s) == pytest.approx((2, 1), abs=0.1)
    assert (row.at, row.lanes, row.fault) == (BEGAN, 2, None)
    talk = xrays.unpacked((await parts(database))["c1", 0].talk)
    assert [*talk[0]] == [pytest.approx((2, 12), abs=0.1), pytest.approx((30, 40), abs=0.1)]
    assert await xraying.work_off() == 0


async def test_several_recordings_of_a_call_are_one_conversation(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    write(tmp_path / "c1-0.wav", lane(20, (0, 5)), lane(20, (10, 20)))
    write(tmp_path / "c1-1.wav", lane(30, (0, 5)), lane(30, (20, 30)))
    await a_call(writer, "c1", 20, 30)
    assert await xraying.work_off() == 2
    row = (await figures(database))["c1"]
    assert (row.seconds, row.client_talk_s, row.operator_talk_s) == pytest.approx((50, 10, 20), abs=0.3)
    assert (row.longest_silence_s, row.longest_silence_at_s) == pytest.approx((15, 5 + 20 + 5), abs=0.2)


async def test_the_newest_come_first_and_only_those_whose_fate_is_known(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path, shelf: Shelf
) -> None:
    for n in range(3):
        write(tmp_path / f"c{n}-0.wav", lane(1))
        await a_call(writer, f"c{n}", 1, began=BEGAN + timedelta(minutes=n))
    await a_call(writer, "watched", 1, began=BEGAN + timedelta(hours=1), check_at=BEGAN)
    await a_call(writer, "late", 1, began=BEGAN + timedelta(hours=2), state="late")
    await a_call(writer, "deleted", 1, began=BEGAN + timedelta(hours=3), state="deleted")
    assert await xraying.work_off() == 3
    assert shelf.asked == ["c2-0", "c1-0", "c0-0"]


async def test_a_file_that_is_no_sound_says_so_and_is_not_tried_for_ever(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "c1-0.wav").write_bytes(b"these bytes are no sound at all, whatever their name says of it")
    await a_call(writer, "c1", 60)
    assert [await xraying.work_off(), await xraying.work_off()] == [1, 0]
    assert "no sound that can be read" in (await parts(database))["c1", 0].error
    assert await figures(database) == {}


async def test_a_folder_that_is_away_costs_no_recording_its_figures(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path, shelf: Shelf
) -> None:
    for n in range(6):
        write(tmp_path / f"c{n}-0.wav", lane(1))
        await a_call(writer, f"c{n}", 1, began=BEGAN + timedelta(minutes=n))
    shelf.trouble = CallcrmError("The bucket does not answer.")
    assert [await xraying.work_off(), await xraying.work_off()] == [6, 0]
    assert len(shelf.asked) == 1
    xraying._troubles.clear()
    shelf.trouble = NotFound("The file is not there.")
    await xraying.work_off()
    assert len(shelf.asked) == 1 + 3
    assert [row.error for row in (await parts(database)).values()] == ["The file is not there."] * 2
    xraying._troubles.clear()
    shelf.trouble = None
    assert await xraying.work_off() == 4
    assert await xraying.work_off() == 0
    assert len(await figures(database)) == 4


async def test_one_that_a_rule_deleted_meanwhile_is_left_alone(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path, shelf: Shelf
) -> None:
    write(tmp_path / "c1-0.wav", lane(1))
    await a_call(writer, "c1", 1)

    async def delete(unit: Unit) -> None:
        await unit.db.execute(update(CallRecording).values(state="deleted"))

    local = shelf.local

    @asynccontextmanager
    async def deleted_meanwhile(call_id: str, n: int) -> AsyncIterator[Path]:
        await writer.do(delete, name="test")
        async with local(call_id, n) as path:
            yield path

    xraying._local = deleted_meanwhile
    await xraying.work_off()
    assert await parts(database) == {}


async def test_hold_and_a_paused_recording_are_neither_talk_nor_silence(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    """The recording was paused from 20 to 45, the client heard music from 70 to 90."""
    write(tmp_path / "c1-0.wav", lane(100, (0, 10), (50, 70)), lane(100, (10, 20), (70, 100)))
    await a_call(writer, "c1", 100)

    async def hold(unit: Unit) -> None:
        held = {"kind": "hold", "who": None, "at": "2026-11-22T09:01:15.000Z", "until": "2026-11-22T09:01:35.000Z"}
        leg = {"began": BEGAN, "call_id": "c1", "n": 0, "channel": "PJSIP/101-1", "side": "operator"}
        await unit.db.execute(insert(LegRow).values(**leg, stretches=[held]))

    await writer.do(hold, name="test")

    async def paused(_db: Any, _call: str) -> list[tuple[datetime, datetime | None]]:
        return [(BEGAN + timedelta(seconds=5 + 20), BEGAN + timedelta(seconds=5 + 45))]

    xraying._quiet = paused
    await xraying.work_off()
    row = (await figures(database))["c1"]
    assert row.longest_silence_s == pytest.approx(5, abs=0.1)
    assert (row.client_talk_s, row.operator_talk_s) == pytest.approx((30, 20), abs=0.2)


async def test_it_works_by_itself_when_a_recording_has_come_and_ends_when_told(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    xraying._apart = Apart()
    task = asyncio.create_task(xraying.run())
    write(tmp_path / "c1-0.wav", lane(1))
    await asyncio.sleep(0)
    await a_call(writer, "c1", 1)

    async def tell(unit: Unit) -> None:
        unit.fact("recording.changed", stream="pbx:office", call="c1", n=0)

    await writer.do(tell, name="test")
    async with asyncio.timeout(30):
        while not await figures(database):
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert xraying._apart.pid is None


async def test_a_call_that_became_part_of_another_is_looked_through_as_that(
    xraying: Xraying, writer: Writer, database: Database, tmp_path: Path
) -> None:
    for name in ("main-0", "main-1", "part-0"):
        write(tmp_path / f"{name}.wav", lane(10, (0, 5)), lane(10))
    await a_call(writer, "main", 10)
    await a_call(writer, "part", 10, began=BEGAN + timedelta(seconds=15))
    await xraying.work_off()
    gone = {"began": BEGAN + timedelta(seconds=15), "id": "part", "disposition": None, "note_line": ""}
    await writer.do(lambda unit: fold(unit, [gone], (BEGAN, "main")), name="test")
    assert set(await figures(database)) == {"main"}
    assert await xraying.work_off() == 2
    assert set(await parts(database)) == {("main", 0), ("main", 1)}


async def test_the_queue_is_an_index(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    async with database.read() as db:
        asked = xraykeeping.due_statement([]).compile(dialect=db.dialect, compile_kwargs={"literal_binds": True})
        plan = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")
        assert "ix_recordings_xray_due" in " ".join(str(row) for row in plan)
    await database.close()
