import zlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from callcrm.kernel import clock
from callcrm.kernel.tables import RawEvents
from callcrm.telephony.journal import Journal, read_back, trim

NOW = clock.now().replace(microsecond=0).timestamp()


def moment(seconds):
    return datetime.fromtimestamp(NOW + seconds, UTC)


async def store(writer, journal):
    part = journal.cut()
    await writer.do(lambda unit: journal.write(unit, part), name="journal")


async def read(database, pbx, since):
    async with database.read() as db:
        return [captured async for captured in read_back(db, pbx, since)]


async def test_what_was_noted_is_read_back_in_order_with_its_times_and_markers(database, writer):
    journal = Journal("office")
    journal.note(NOW, "opened")
    journal.note(NOW + 0.25, {"Event": "Newchannel", "CallerIDName": "Щ", "ChanVariable": ["A=1", "B="]})
    await store(writer, journal)
    journal.note(NOW + 1.5, "lost")
    await store(writer, journal)
    got = await read(database, "office", moment(0))
    assert [captured.kind for captured in got] == ["banner", "message", "closed"]
    assert got[1].message == {"Event": "Newchannel", "CallerIDName": "Щ", "ChanVariable": ["A=1", "B="]}
    assert [captured.t - NOW for captured in got] == [0.0, 0.25, 1.5]


async def test_pages_and_other_pbxes_do_not_mix(database, writer):
    one, two = Journal("one"), Journal("two")
    for n in range(130):
        one.note(NOW + n, {"Event": "A", "N": str(n)})
        await store(writer, one)
        if n % 10 == 0:
            two.note(NOW + n, {"Event": "B"})
            await store(writer, two)
    got = await read(database, "one", moment(20))
    assert [captured.message["N"] for captured in got] == [str(n) for n in range(20, 130)]


async def test_parts_that_begin_at_the_same_moment_are_all_read(database, writer):
    journal = Journal("office")
    for n in range(120):
        journal.note(NOW, {"Event": "A", "N": str(n)})
        await store(writer, journal)
    assert len(await read(database, "office", moment(0))) == 120


async def test_a_damaged_part_is_passed_over(database, writer):
    journal = Journal("office")
    journal.note(NOW, {"Event": "A"})
    await store(writer, journal)
    rows = [
        {"began": moment(n), "until": moment(n), "pbx": "office", "part": 1, "count": 1, "body": body}
        for n, body in ((1, b"rubbish"), (2, zlib.compress(b"[1]\n\xff\n")), (3, b""))
    ]
    await writer.do(lambda unit: unit.db.execute(insert(RawEvents), rows), name="damage")
    journal.note(NOW + 4, {"Event": "B"})
    await store(writer, journal)
    assert [captured.message["Event"] for captured in await read(database, "office", moment(0))] == ["A", "B"]


async def test_what_is_older_than_its_days_is_deleted(database, writer):
    journal = Journal("office")
    for age in (8, 6, 0):
        journal.note((clock.now() - timedelta(days=age)).timestamp(), {"Event": "A"})
        await store(writer, journal)
    await trim(writer, 7)
    async with database.read() as db:
        assert (await db.execute(select(func.count()).select_from(RawEvents))).scalar_one() == 2


async def test_names_that_no_database_takes_are_kept_readable(database, writer):
    journal = Journal("office")
    journal.note(NOW, {"Event": "A", "CallerIDName": "\ud800 <script>" + "x" * 10_000})
    await store(writer, journal)
    (captured,) = await read(database, "office", moment(0))
    assert captured.message["CallerIDName"].endswith("x" * 10_000)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_part_takes_a_small_share_of_what_came(database, writer):
    journal = Journal("office")
    message = {"Event": "Newstate", "Channel": "PJSIP/101-00000001", "CallerIDNum": "79161234567", "Uniqueid": "1.1"}
    for n in range(500):
        journal.note(NOW + n / 500, message | {"Linkedid": f"{n}.1"})
    await store(writer, journal)
    async with database.read() as db:
        body = (await db.execute(select(RawEvents.body))).scalar_one()
    assert len(body) < 500 * 30
