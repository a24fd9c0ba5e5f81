import asyncio
import gzip
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ami.messages import first
from callcrm.calls.model import Calls
from callcrm.calls.rows import Context
from callcrm.calls.service import record
from callcrm.calls.tables import CallRow
from callcrm.kernel.tables import LinkState, RawEvents
from callcrm.kernel.writer import NotSaved
from callcrm.settings import PbxSettings
from callcrm.telephony.asterisk_listener import asterisk_listener
from tests.ami.fake_pbx import FakePbx, message, until

TRACES = Path(__file__).parent.parent / "traces"
SIDES = {"trunks": "PJSIP/trunk.*", "operators": r"PJSIP/(1\d\d)"}
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stream(name, version="22.10.1"):
    """What the PBX said after the log-in, as the right user sees it."""
    data = gzip.decompress((TRACES / version / f"{name}.raw.gz").read_bytes())
    return data[data.index(b"Event: FullyBooted") :]


def ask_lists(pbx, channels=b""):
    """The fake PBX answers snapshots with empty lists, or with these channels."""

    def answer(complete, items=b""):
        def said(action):
            number = first(action, "ActionID").encode()
            yield message(Response="Success", ActionID=number.decode(), EventList="start")
            if items:
                yield items.replace(b"@ID@", number)
            yield message(Event=complete, ActionID=number.decode(), EventList="Complete")

        return said

    pbx.answers["CoreShowChannels"] = answer("CoreShowChannelsComplete", channels)
    pbx.answers["Status"] = answer("StatusComplete")
    pbx.answers["QueueStatus"] = answer("QueueStatusComplete")
    pbx.answers["BridgeList"] = answer("BridgeListComplete")
    pbx.answers["ParkedCalls"] = answer("ParkedCallsComplete")


async def open_since(db):
    oldest = await db.execute(
        select(func.min(CallRow.began)).where(CallRow.pbx == "office", CallRow.ended_at.is_(None))
    )
    found = oldest.scalar_one()
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) and found.tzinfo is None else found


class Office:
    """A fake PBX and the listener that follows it into a real database."""

    def __init__(self, pbx, database, writer, bus, *, write=None, settle=None):
        self.pbx, self.database = pbx, database
        settings = PbxSettings(host="127.0.0.1", port=pbx.port, username="callcrm", secret="secret", **SIDES)
        self.calls = Calls("office")
        self.listener = asterisk_listener(
            "office",
            settings,
            self.calls,
            record=write or partial(record, context=Context()),
            open_since=open_since,
            settle=settle,
            database=database,
            writer=writer,
            bus=bus,
        )

    async def __aenter__(self):
        await self.listener.start()
        await until(lambda: self.listener.connection.link.up)
        await until(lambda: self.pbx.names().count("ParkedCalls") >= 1)
        return self

    async def __aexit__(self, *_):
        await self.listener.close()

    async def rows(self):
        async with self.database.read() as db:
            return (await db.execute(select(CallRow).order_by(CallRow.at))).mappings().all()

    async def until_rows(self, condition, timeout=8):
        async with asyncio.timeout(timeout):
            while not condition(rows := await self.rows()):
                await asyncio.sleep(0.02)
        return rows


@pytest.fixture
async def pbx():
    async with FakePbx() as made:
        ask_lists(made)
        yield made


async def test_a_call_on_the_wire_becomes_a_row_of_the_log(pbx, database, writer, bus):
    async with Office(pbx, database, writer, bus) as office:
        pbx.say(stream("direct_answered"))
        (row,) = await office.until_rows(lambda rows: rows and rows[0]["ended_at"])
        assert row["direction"] == "inbound"
        assert row["operator"] == "101" or row["talks"]
        assert row["outcome"] == "answered"
        assert not office.listener.troubles
    async with database.read() as db:
        parts = (await db.execute(select(RawEvents.count))).scalars().all()
        link = (await db.execute(select(LinkState))).mappings().one()
    assert sum(parts) > 20
    assert link["state"] == "closed"
    assert link["version"] == "22.10.1"


@SQLITE
async def test_each_log_in_is_followed_by_a_snapshot(pbx, database, writer, bus):
    async with Office(pbx, database, writer, bus):
        assert pbx.names()[:5] == ["CoreShowChannels", "Status", "QueueStatus", "BridgeList", "ParkedCalls"]
        pbx.hang_up()
        await until(lambda: pbx.names().count("ParkedCalls") == 2)


@SQLITE
async def test_a_recordings_name_that_nobody_told_is_asked_for(pbx, database, writer, bus):
    pbx.answers["Getvar"] = lambda action: [
        message(
            Response="Success",
            ActionID=first(action, "ActionID"),
            Variable="MIXMONITOR_FILENAME",
            Value="2026/11/21/in-1.wav",
        )
    ]
    written = []

    async def keep(unit, changes):
        written.extend(changes)

    data = stream("direct_answered")
    kept = [block for block in data.split(b"\r\n\r\n") if b"Event: VarSet" not in block and b"Event: Cdr" not in block]
    cut = next(n for n, block in enumerate(kept) if b"Event: MixMonitorStart" in block) + 1
    async with Office(pbx, database, writer, bus, write=keep):
        pbx.say(b"\r\n\r\n".join(kept[:cut]) + b"\r\n\r\n")
        await until(lambda: "Getvar" in pbx.names())
        asked = next(action for action in pbx.asked if first(action, "Event") == "Getvar")
        assert first(asked, "Channel").startswith("PJSIP/trunk-")
        assert first(asked, "Variable") == "MIXMONITOR_FILENAME"
        await asyncio.sleep(0.1)
        pbx.say(b"\r\n\r\n".join(kept[cut:]))
        await until(lambda: written and written[-1].call.state == "ended", 8)
        assert [sound.file for sound in written[-1].call.recordings] == ["2026/11/21/in-1.wav"]
        assert pbx.names().count("Getvar") == 1


@SQLITE
async def test_a_recording_that_is_named_is_not_asked_for(pbx, database, writer, bus):
    async with Office(pbx, database, writer, bus) as office:
        pbx.say(stream("direct_answered"))
        await office.until_rows(lambda rows: rows and rows[0]["ended_at"])
        assert "Getvar" not in pbx.names()


async def test_after_a_kill_calls_in_progress_go_on_where_they_were(pbx, database, writer, bus):
    data = stream("direct_answered")
    cut = data.index(b"Event: BridgeEnter")
    cut = data.index(b"\r\n\r\n", data.index(b"Event: BridgeEnter", cut + 10)) + 4
    first_life = Office(pbx, database, writer, bus)
    await first_life.__aenter__()
    pbx.say(data[:cut])
    (before,) = await first_life.until_rows(lambda rows: rows and rows[0]["talks"])
    await _kill(first_life.listener)

    channels = b"".join(_channel(block) for block in data[:cut].split(b"\r\n\r\n") if b"Event: BridgeEnter" in block)
    ask_lists(pbx, channels)
    async with Office(pbx, database, writer, bus) as second_life:
        assert len(second_life.calls.open_calls) == 1
        pbx.say(data[cut:])
        (after,) = await second_life.until_rows(lambda rows: rows and rows[0]["ended_at"])
    assert after["id"] == before["id"]
    assert after["at"] == before["at"]
    assert after["rang"][0]["ring_s"] == before["rang"][0]["ring_s"] is not None
    assert after["outcome"] == "answered"


def _channel(block):
    """A CoreShowChannel out of a BridgeEnter."""
    kept = [line for line in block.split(b"\r\n") if not line.startswith((b"Event:", b"Privilege:", b"Bridge"))]
    bridge = next(line for line in block.split(b"\r\n") if line.startswith(b"BridgeUniqueid: "))[16:]
    lines = [b"Event: CoreShowChannel", b"ActionID: @ID@", *kept, b"BridgeId: " + bridge, b"Duration: 00:00:03"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _kill(listener):
    """As kill -9 does: nothing is written any more."""
    tasks = [task for task in asyncio.all_tasks() if task.get_name().endswith(" office")]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    listener.connection._end_session()


@SQLITE
async def test_a_call_that_cannot_be_written_does_not_take_the_others_with_it(pbx, database, writer, bus):
    bad = []

    async def choosy(unit, changes):
        for change in changes:
            if change.call.channel.startswith("PJSIP/trunk-"):
                bad.append(change)
                raise ValueError("poisoned")
        await record(unit, changes, Context())

    async with Office(pbx, database, writer, bus, write=choosy) as office:
        pbx.say(stream("direct_answered") + stream("internal_answered"))
        rows = await office.until_rows(lambda rows: rows and rows[0]["ended_at"])
        assert [row["direction"] for row in rows] == ["internal"]
        assert bad
        assert office.listener.troubles


@SQLITE
async def test_a_slow_database_slows_the_reading_and_loses_nothing(pbx, database, writer, bus):
    seen = []

    async def slow(unit, changes):
        await asyncio.sleep(0.02)
        seen.extend(changes)

    async with Office(pbx, database, writer, bus, write=slow) as office:
        for name in ("direct_answered", "queue_answered", "transfer_attended", "park_and_retrieve"):
            pbx.say(stream(name))
        await until(lambda: sum(change.call.state == "ended" for change in seen) >= 4, 8)
        assert office.listener.recorded == len(seen)
        assert not office.listener.troubles


@SQLITE
async def test_closing_writes_what_was_taken(pbx, database, writer, bus):
    office = Office(pbx, database, writer, bus)
    async with office:
        pbx.say(stream("queue_answered"))
        await until(lambda: office.listener.taken > 50)
    assert office.listener.recorded > 0
    assert await office.rows()
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not [name for name in names if name.endswith(" office")]


@SQLITE
async def test_calls_that_the_snapshot_does_not_know_are_told_to_whom_it_concerns(
    pbx, database, writer, bus, monkeypatch
):
    monkeypatch.setattr("callcrm.telephony.listener.SETTLED_S", 0.1)
    told = []

    async def settle(unit, ids):
        told.append(set(ids))

    async with Office(pbx, database, writer, bus, settle=settle):
        await until(lambda: told)
    assert told == [set()]


@SQLITE
async def test_open_calls_are_settled_as_soon_as_nothing_waits_to_be_written(pbx, database, writer, bus, monkeypatch):
    monkeypatch.setattr("callcrm.telephony.listener.SETTLED_S", 0.1)
    monkeypatch.setattr("callcrm.telephony.listener.TICK_S", 0.05)
    waiting = [True, True, False]
    monkeypatch.setattr("callcrm.telephony.scribe.Scribe.idle", property(lambda _: not waiting.pop(0)))
    told = []

    async def settle(unit, ids):
        told.append(len(waiting))

    async with Office(pbx, database, writer, bus, settle=settle):
        await until(lambda: told)
    assert told == [0]


@SQLITE
async def test_while_calls_are_open_the_channels_are_asked_for_now_and_then(pbx, database, writer, bus, monkeypatch):
    monkeypatch.setattr("callcrm.telephony.listener.AUDIT_S", 0.2)
    monkeypatch.setattr("callcrm.telephony.listener.TICK_S", 0.05)
    data = stream("direct_answered")
    async with Office(pbx, database, writer, bus):
        await asyncio.sleep(0.5)
        assert pbx.names().count("CoreShowChannels") == 1
        pbx.say(data[: data.index(b"Event: BridgeEnter")])
        await until(lambda: pbx.names().count("CoreShowChannels") >= 2)


@SQLITE
async def test_rubbish_from_the_wire_troubles_nobody(pbx, database, writer, bus):
    async with Office(pbx, database, writer, bus) as office:
        for name in ("Newchannel", "BridgeEnter", "DialBegin", "Hangup", "MixMonitorStart", "VarSet", "QueueMember"):
            pbx.say(message(Event=name))
            pbx.say(message(Event=name, Uniqueid="x" * 10_000, Channel="../<script>", CallerIDNum="\u202e9" * 50))
        began = time.monotonic()
        pbx.say(stream("direct_answered"))
        await office.until_rows(lambda rows: any(row["outcome"] == "answered" for row in rows))
        assert office.listener.troubles == 0
        assert time.monotonic() - began < 8


@SQLITE
async def test_while_the_database_is_away_what_waits_is_bounded_and_then_all_of_it_is_kept(
    pbx, database, writer, bus, monkeypatch
):
    monkeypatch.setattr("callcrm.telephony.scribe.RAW_WAITING", 500)
    back = asyncio.Event()
    do = writer.do

    async def away(work, **named):
        await back.wait()
        return await do(work, **named)

    async with Office(pbx, database, writer, bus) as office:
        await until(lambda: not len(office.listener._scribe._journal), 5)
        monkeypatch.setattr(writer, "do", away)
        before = office.listener.taken
        pbx.say(b"".join(message(Event="QueueMemberStatus", N=str(n)) for n in range(20_000)))
        await asyncio.sleep(0.5)
        held = office.listener.taken - before
        assert held < 5_000
        back.set()
        await until(lambda: office.listener.taken - before == 20_000, 10)
    async with database.read() as db:
        assert sum((await db.execute(select(RawEvents.count))).scalars()) >= 20_000


@SQLITE
async def test_what_is_being_written_while_we_close_is_written(pbx, database, writer, bus):
    written = []

    async def slow(unit, changes):
        await asyncio.sleep(0.3)
        written.extend(changes)

    office = Office(pbx, database, writer, bus, write=slow)
    async with office:
        pbx.say(stream("direct_answered"))
        await until(lambda: office.listener._scribe._writing)
    assert written
    assert office.listener.recorded == len(written)
    assert written[0].kind == "call.began"
    assert written[-1].call.state == "ended"


@SQLITE
async def test_a_database_that_stays_away_does_not_keep_us_from_ending(pbx, database, writer, bus, monkeypatch):
    monkeypatch.setattr("callcrm.telephony.scribe.PATIENCE_S", 0.2)
    monkeypatch.setattr("callcrm.telephony.scribe.LAST_PATIENCE_S", 0.1)

    async def away(work, *, name, patience_s=0.1, urgent=False):
        await asyncio.sleep(patience_s)
        raise NotSaved("The database is away.")

    office = Office(pbx, database, writer, bus)
    async with office:
        monkeypatch.setattr(writer, "do", away)
        pbx.say(stream("direct_answered"))
        await until(lambda: office.listener.taken > 50)
        async with asyncio.timeout(3):
            await office.listener.close()
    assert office.listener.recorded == 0
