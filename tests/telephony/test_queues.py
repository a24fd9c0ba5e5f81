"""A PBX's queues: who waits, who sits there, who is paused; and as rows with facts, gathered and only when changed."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from ami.capture import read_capture
from callcrm.kernel.facts import Fact
from callcrm.telephony import queuebook
from callcrm.telephony.queuebook import QueueBook
from callcrm.telephony.queues import Queues
from callcrm.telephony.tables import QueueMember, QueueRow

TRACES = Path(__file__).parent.parent / "traces"


def event(name, queue="sales", **more):
    return {"Event": name, "Queue": queue, **more}


def member(extension, name="QueueMember", queue="sales", **more):
    head = {"Location": f"PJSIP/{extension}"} if name == "QueueMember" else {"Interface": f"PJSIP/{extension}"}
    return event(name, queue, **head, **{"Status": "1", "Paused": "0"} | more)


def hear(queues, *messages, at=100.0):
    for message in messages:
        queues.hear(message, at)
    return queues


def listed(*messages):
    return [event("QueueParams"), *messages, {"Event": "QueueStatusComplete"}]


def test_who_waits_and_since_when():
    queues = hear(Queues(), event("QueueCallerJoin", Uniqueid="1.1"), at=10.0)
    hear(queues, event("QueueCallerJoin", Uniqueid="1.2"), at=20.0)
    assert (queues.picture("sales").waiting, queues.picture("sales").longest) == (2, 10.0)
    hear(queues, event("QueueCallerLeave", Uniqueid="1.1"))
    assert (queues.picture("sales").waiting, queues.picture("sales").longest) == (1, 20.0)
    hear(queues, event("QueueCallerAbandon", Uniqueid="1.2"), event("QueueCallerLeave", Uniqueid="1.2"))
    assert (queues.picture("sales").waiting, queues.picture("sales").longest) == (0, None)


def test_a_list_mends_what_was_missed():
    queues = hear(Queues(), event("QueueCallerJoin", Uniqueid="1.1"), event("QueueCallerJoin", "old", Uniqueid="1.9"))
    hear(queues, *listed(event("QueueEntry", Uniqueid="1.2", Wait="30"), member("101")), at=100.0)
    assert (queues.picture("sales").waiting, queues.picture("sales").longest) == (1, 70.0)
    assert [place.extension for place in queues.picture("sales").places] == ["101"]
    assert queues.names == ["sales"]
    hear(queues, *listed(event("QueueEntry", Uniqueid="1.2", Wait="36")), at=105.0)
    assert queues.picture("sales").longest == 70.0
    assert queues.picture("sales").places == ()


def test_a_caller_who_comes_while_the_list_is_told_is_not_lost():
    queues = hear(Queues(), event("QueueParams"), event("QueueCallerJoin", Uniqueid="1.5"))
    hear(queues, member("101"), {"Event": "QueueStatusComplete"})
    assert queues.picture("sales").waiting == 1


def test_a_pause_is_noted_with_its_moment_and_its_phone():
    queues = hear(Queues(), *listed(member("101"), member("102")))
    queues.flipped.clear()
    hear(queues, member("101", "QueueMemberPause", Paused="1", PausedReason="Lunch"), at=150.0)
    one, two = queues.picture("sales").places
    assert (one.paused, one.reason, one.paused_at, two.paused) == (True, "Lunch", 150.0, False)
    assert queues.flipped == {"101"}
    hear(queues, member("101", "QueueMemberStatus", Paused="1", PausedReason="Lunch", Status="2"), at=160.0)
    assert (queues.picture("sales").places[0].paused_at, queues.picture("sales").places[0].state) == (150.0, "busy")
    hear(queues, member("101", "QueueMemberPause"), at=170.0)
    assert (queues.picture("sales").places[0].paused, queues.picture("sales").places[0].paused_at) == (False, 170.0)


def test_who_is_found_paused_is_so_since_the_pbx_says():
    queues = hear(Queues(), *listed(member("101", Paused="1", LastPause="40")), at=100.0)
    assert queues.picture("sales").places[0].paused_at == 40.0


def test_a_local_channel_is_the_phone_that_it_stands_for():
    local = event("QueueMember", Location="Local/104@queue-member/n", StateInterface="PJSIP/104", Status="1")
    queues = hear(Queues(), *listed(local))
    assert queues.picture("sales").places[0].extension == "104"
    assert queues.of("104") == [("sales", "Local/104@queue-member/n")]
    assert queues.of("104", "support") == []


@pytest.mark.parametrize("version", ["16.28.0", "22.10.1"])
@pytest.mark.parametrize("name", ["queue_answered", "queue_abandoned", "queue_no_answer_then_second"])
def test_on_a_real_stream_nobody_waits_in_the_end(version, name):
    path = TRACES / version / f"{name}.raw.gz"
    queues, most = Queues(), 0
    for captured in read_capture(path):
        if captured.message is not None:
            queues.hear(captured.message, captured.t or 0.0)
            most = max(most, *(queues.picture(one).waiting for one in queues.names), 0)
    assert most == 1
    assert all(queues.picture(one).waiting == 0 for one in queues.names)
    assert any(queues.picture(one).places for one in queues.names)


@pytest.fixture
async def book(writer, monkeypatch):
    monkeypatch.setattr(queuebook, "GATHER_S", 0.02)
    made = QueueBook("office", writer, Queues())
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def facts_of(heard, count):
    found = []
    async with asyncio.timeout(3):
        while len(found) < count:
            told = await anext(heard)
            assert isinstance(told, Fact)
            found.append((told.kind, *told.ids.values()))
    return found


async def test_what_changed_is_a_row_and_a_fact_and_nothing_else_is(book, database, bus):
    heard = bus.subscribe("test")
    for message in listed(member("101"), event("QueueEntry", Uniqueid="1.2", Wait="30")):
        book.hear(message, 1000.0)
    assert await facts_of(heard, 2) == [("queue.changed", "office", "sales"), ("phone.paused", "office", "101")]
    async with database.read() as db:
        row = (await db.execute(select(QueueRow.__table__))).mappings().one()
        place = (await db.execute(select(QueueMember.__table__))).mappings().one()
    assert (row["waiting"], row["longest_since"].timestamp(), row["members"]) == (1, 970.0, 1)
    assert (place["extension"], place["paused"], place["state"]) == ("101", False, "free")
    book.hear(member("101", "QueueMemberStatus"), 1001.0)
    book.hear(member("101", "QueueMemberPause", Paused="1", PausedReason="Lunch"), 1002.0)
    assert await facts_of(heard, 2) == [("queue.changed", "office", "sales"), ("phone.paused", "office", "101")]
    async with database.read() as db:
        place = (await db.execute(select(QueueMember.__table__))).mappings().one()
    assert (place["paused"], place["reason"], place["paused_at"].timestamp()) == (True, "Lunch", 1002.0)


async def test_rows_of_before_that_the_first_list_does_not_name_go(book, database, writer, bus):
    async def old(unit):
        await unit.db.execute(
            QueueRow.__table__.insert(),
            {"pbx": "office", "queue": "gone", "waiting": 3, "members": 0, "changed_at": unit.now},
        )

    await writer.do(old, name="old")
    heard = bus.subscribe("test")
    for message in listed(member("101"), member("102")):
        book.hear(message, 1000.0)
    await facts_of(heard, 3)
    book.hear(member("102", "QueueMemberRemoved"), 1001.0)
    await facts_of(heard, 2)
    async with database.read() as db:
        queues = (await db.execute(select(QueueRow.queue, QueueRow.members))).all()
        places = (await db.execute(select(QueueMember.extension))).scalars().all()
    assert ([tuple(one) for one in queues], list(places)) == ([("sales", 1)], ["101"])
