import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ami.actions import DialRules
from ami.connection import Connection
from ami.messages import first
from callcrm.kernel.errors import Invalid
from callcrm.kernel.tables import Command
from callcrm.telephony.asterisk_phones import AsteriskPhones
from callcrm.telephony.commands import CommandRunner
from callcrm.telephony.members import Members
from callcrm.telephony.port import want
from tests.ami.fake_pbx import FakePbx, message, until


class Desk:
    """A PBX, its link, and the runner of its commands."""

    def __init__(self, pbx, database, writer, bus, ring_s=0.5):
        self.pbx, self.database, self.writer, self.bus = pbx, database, writer, bus
        self.connection = Connection(pbx.settings())
        self.members = Members()
        phones = AsteriskPhones(self.connection, DialRules(context="internal"), self.members)
        self.runner = CommandRunner(phones, database, writer, bus, ring_s=ring_s)

    async def __aenter__(self):
        await self.connection.start()
        await until(lambda: self.connection.link.up)
        self._tasks = [asyncio.create_task(self.runner.run()), asyncio.create_task(self._read())]
        await asyncio.sleep(0.05)
        return self

    async def _read(self):
        async for batch in self.connection.batches():
            for _, item in batch:
                if isinstance(item, dict):
                    self.members.hear(item)
                    if first(item, "Event") == "OriginateResponse":
                        self.runner.hear(item)

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.close()

    async def want(self, kind, expires_s=5.0, pbx="office", **args):
        return await self.writer.do(
            lambda unit: want(unit, pbx, kind, args, wanted_by=None, expires_s=expires_s), name="want"
        )

    async def row(self, command):
        async with self.database.read() as db:
            return (await db.execute(select(Command).where(Command.id == command))).mappings().one()

    async def ended(self, command):
        async with asyncio.timeout(5):
            while True:
                row = await self.row(command)
                if row["state"] in ("done", "refused", "expired", "cancelled"):
                    return row["state"], row["result"]["message"]
                await asyncio.sleep(0.01)


def dialled(pbx):
    """The ActionID of the Originate that was asked for."""
    return next(first(action, "ActionID") for action in pbx.asked if first(action, "Event") == "Originate")


@pytest.fixture
async def desk(database, writer, bus):
    async with FakePbx() as pbx, Desk(pbx, database, writer, bus) as made:
        yield made


async def test_a_wish_of_the_web_is_carried_out_and_told_in_words(desk):
    heard = desk.bus.subscribe("test")
    command = await desk.want("hang_up", channel="PJSIP/101-1")
    assert await desk.ended(command) == ("done", "The line was ended.")
    assert desk.pbx.names() == ["Hangup"]
    told = [fact async for fact in _some(heard, 3)]
    assert [fact.kind for fact in told] == ["command.wanted", "command.changed", "command.changed"]
    assert {fact.ids["command"] for fact in told} == {command}


async def _some(subscription, count):
    for _ in range(count):
        yield await asyncio.wait_for(anext(subscription), 2)
    subscription.close()


async def test_click_to_call_is_done_when_the_operators_phone_answers(desk):
    command = await desk.want("dial", extension="101", number="79161234567")
    await until(lambda: desk.pbx.names() == ["Originate"])
    assert (await desk.row(command))["state"] == "sent"
    token = dialled(desk.pbx)
    desk.pbx.say(message(Event="OriginateResponse", ActionID=token, Response="Success", Reason="4"))
    state, words = await desk.ended(command)
    assert state == "done"
    assert "79161234567" in words


@pytest.mark.parametrize(("reason", "said"), [("3", "did not answer"), ("5", "is busy"), ("0", "cannot be reached")])
async def test_a_phone_that_is_not_taken_is_said_so(desk, reason, said):
    command = await desk.want("dial", extension="101", number="79161234567")
    await until(lambda: desk.pbx.names() == ["Originate"])
    token = dialled(desk.pbx)
    desk.pbx.say(message(Event="OriginateResponse", ActionID=token, Response="Failure", Reason=reason))
    assert await desk.ended(command) == ("refused", f"Your phone 101 {said}; 79161234567 was not called.")


async def test_a_number_that_may_not_be_dialled_is_refused_in_words(desk):
    command = await desk.want("dial", extension="101", number="112;rm")
    state, words = await desk.ended(command)
    assert state == "refused"
    assert "number" in words
    assert desk.pbx.names() == []


CHANNEL = "1763764160.123456789"


def gone(action):
    return [message(Response="Error", ActionID=first(action, "ActionID"), Message="No such channel")]


def ended(desk, token):
    """The PBX ends the operator's line before he lifted his phone."""

    def answer(action):
        desk.pbx.say(message(Event="OriginateResponse", ActionID=token, Response="Failure", Reason="0"))
        return [message(Response="Success", ActionID=first(action, "ActionID"))]

    return answer


async def test_a_dial_is_cancelled_while_the_operators_phone_rings(desk):
    dial = await desk.want("dial", extension="101", number="79161234567", channel=CHANNEL)
    await until(lambda: desk.pbx.names() == ["Originate"])
    desk.pbx.answers["Hangup"] = ended(desk, dialled(desk.pbx))
    cancel = await desk.want("cancel_dial", dial=dial, channel=CHANNEL)
    assert await desk.ended(cancel) == ("done", "The call was cancelled.")
    assert await desk.ended(dial) == ("cancelled", "You cancelled the call; 79161234567 was not called.")
    assert [first(one, "Channel") for one in desk.pbx.asked if first(one, "Event") == "Hangup"] == [CHANNEL]
    assert [first(one, "ChannelId") for one in desk.pbx.asked if first(one, "Event") == "Originate"] == [CHANNEL]


async def test_a_dial_whose_line_is_not_there_yet_is_ended_as_soon_as_it_is(desk):
    dial = await desk.want("dial", extension="101", number="79161234567", channel=CHANNEL)
    await until(lambda: desk.pbx.names() == ["Originate"])
    tries = []

    def answer(action):
        tries.append(first(action, "Channel"))
        return gone(action) if len(tries) < 3 else ended(desk, dialled(desk.pbx))(action)

    desk.pbx.answers["Hangup"] = answer
    cancel = await desk.want("cancel_dial", dial=dial, channel=CHANNEL)
    assert (await desk.ended(cancel))[0] == "done"
    assert (await desk.ended(dial))[0] == "cancelled"
    assert len(tries) == 3


async def test_a_dial_that_was_cancelled_before_it_was_sent_is_never_sent(database, writer, bus):
    async with FakePbx() as pbx:
        desk = Desk(pbx, database, writer, bus)
        dial = await desk.want("dial", extension="101", number="79161234567", channel=CHANNEL)
        later = await desk.want("cancel_dial", dial=dial, channel=CHANNEL)

        async def first_of_all(unit):
            await unit.db.execute(update(Command).where(Command.id == dial).values(pbx="away"))

        async def back(unit):
            await unit.db.execute(update(Command).where(Command.id == dial).values(pbx="office"))

        await writer.do(first_of_all, name="the dial waits")
        async with desk:
            assert await desk.ended(later) == ("done", "Nothing was dialled.")
            await writer.do(back, name="the dial is there")
            await desk.runner._take_waiting()
            await asyncio.sleep(0.2)
            assert (await desk.row(dial))["state"] == "cancelled"
            assert pbx.names() == []


async def test_cancelling_what_has_ended_already_says_so(desk):
    desk.pbx.answers["Hangup"] = gone
    cancel = await desk.want("cancel_dial", dial="0" * 32, channel=CHANNEL)
    assert await desk.ended(cancel) == ("done", "The call had ended already.")


async def test_somebody_who_is_held_is_parked_for_long_and_fetched_by_his_space(desk):
    hold = await desk.want("hold", channel="PJSIP/trunk-1", extension="101")
    assert (await desk.ended(hold))[0] == "done"
    (park,) = [one for one in desk.pbx.asked if first(one, "Event") == "Park"]
    assert (first(park, "TimeoutChannel"), first(park, "Timeout")) == ("PJSIP/101", "600000")
    fetch = await desk.want("fetch", extension="101", space="701")
    await until(lambda: "Originate" in desk.pbx.names())
    token = dialled(desk.pbx)
    desk.pbx.say(message(Event="OriginateResponse", ActionID=token, Response="Failure", Reason="3"))
    assert await desk.ended(fetch) == ("refused", "Your phone 101 did not answer; the client is still parked.")


async def test_two_talks_are_swapped_by_the_feature_code(desk):
    swap = await desk.want("swap_transfer", channel="PJSIP/101-1")
    assert (await desk.ended(swap))[0] == "done"
    pressed = [first(one, "Digit") for one in desk.pbx.asked if first(one, "Event") == "PlayDTMF"]
    assert pressed == ["*", "4"]


async def test_what_the_pbx_refuses_says_why(desk):
    desk.pbx.answers["Hangup"] = lambda action: [
        message(Response="Error", ActionID=first(action, "ActionID"), Message="No such channel")
    ]
    command = await desk.want("hang_up", channel="PJSIP/101-1")
    assert await desk.ended(command) == ("refused", "PBX office did not do it: that line is no longer there.")


async def test_what_comes_too_late_is_not_sent(desk):
    command = await desk.want("hang_up", expires_s=-1.0, channel="PJSIP/101-1")
    state, words = await desk.ended(command)
    assert state == "expired"
    assert "try again" in words
    assert desk.pbx.names() == []


async def test_while_the_link_is_down_a_wish_is_refused_and_never_sent_later(desk):
    await desk.pbx.stop()
    await until(lambda: not desk.connection.link.up)
    command = await desk.want("dial", extension="101", number="79161234567")
    state, words = await desk.ended(command)
    assert state == "refused"
    assert "no link" in words
    await desk.pbx.start(desk.pbx.port)
    await until(lambda: desk.connection.link.up)
    await asyncio.sleep(0.2)
    assert desk.pbx.names() == []


async def test_it_is_marked_sent_before_it_is_sent_and_only_one_listener_sends_it(desk, database, writer, bus):
    states = []

    def answer(action):
        states.append("asked")
        return [message(Response="Success", ActionID=first(action, "ActionID"))]

    desk.pbx.answers["Hangup"] = answer
    second = CommandRunner(desk.runner._phones, database, writer, bus, ring_s=1)
    other = asyncio.create_task(second.run())
    await asyncio.sleep(0.05)
    command = await desk.want("hang_up", channel="PJSIP/101-1")
    await desk.ended(command)
    await asyncio.sleep(0.1)
    assert states == ["asked"]
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)


async def test_after_a_crash_what_was_sent_is_not_sent_again(database, writer, bus):
    async with FakePbx() as pbx:
        desk = Desk(pbx, database, writer, bus)
        sent, waiting, old = [
            await desk.want("hang_up", channel=f"PJSIP/10{n}-1", expires_s=expires)
            for n, expires in ((1, 5), (2, 5), (3, -60))
        ]

        async def crash(unit):
            await unit.db.execute(update(Command).where(Command.id == sent).values(state="sent"))

        await writer.do(crash, name="crash")
        async with desk:
            assert (await desk.ended(sent))[0] == "refused"
            assert "may have been done" in (await desk.ended(sent))[1]
            assert (await desk.ended(waiting))[0] == "done"
            assert (await desk.ended(old))[0] == "expired"
            assert [first(action, "Channel") for action in pbx.asked if "Channel" in action] == ["PJSIP/102-1"]


async def test_another_pbxs_wishes_are_left_alone(desk):
    command = await desk.want("hang_up", pbx="branch", channel="PJSIP/101-1")
    await asyncio.sleep(0.2)
    assert (await desk.row(command))["state"] == "wanted"


async def test_pausing_finds_the_operators_place_in_each_queue(desk):
    desk.pbx.say(message(Event="QueueMember", Queue="sales", Location="PJSIP/104", StateInterface="PJSIP/104"))
    local = {"Interface": "Local/104@from-queue/n", "StateInterface": "PJSIP/104"}
    desk.pbx.say(message(Event="QueueMemberAdded", Queue="support", **local))
    desk.pbx.say(message(Event="QueueMember", Queue="sales", Location="PJSIP/105"))
    await until(lambda: len(desk.members.of("104")) == 2)
    state, words = await desk.ended(await desk.want("pause", extension="104", reason="lunch"))
    assert (state, words) == ("done", "104 gets no calls from 2 queues now.")
    pauses = [action for action in desk.pbx.asked if first(action, "Event") == "QueuePause"]
    assert {(first(one, "Queue"), first(one, "Interface")) for one in pauses} == {
        ("sales", "PJSIP/104"),
        ("support", "Local/104@from-queue/n"),
    }
    assert await desk.ended(await desk.want("pause", extension="109")) == (
        "refused",
        "109 is in no queue of PBX office.",
    )


@pytest.mark.parametrize(
    ("kind", "args"),
    [("explode", {}), ("hang_up", {}), ("hang_up", {"channel": "x" * 300}), ("hang_up", {"channel": "x", "y": "z"})],
)
async def test_a_wish_that_is_none_is_refused_before_it_is_stored(writer, kind, args):
    with pytest.raises(Invalid):
        await writer.do(lambda unit: want(unit, "office", kind, args, wanted_by=None), name="want")


async def test_a_wish_is_stored_with_its_end(database, writer):
    command = await writer.do(
        lambda unit: want(unit, "office", "park", {"channel": "PJSIP/1-1", "extension": "1"}, wanted_by=7, expires_s=3),
        name="want",
    )
    async with database.read() as db:
        row = (await db.execute(select(Command).where(Command.id == command))).mappings().one()
    assert row["expires_at"] - row["wanted_at"] == timedelta(seconds=3)
    assert row["wanted_by"] == 7
