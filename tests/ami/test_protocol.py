"""Each fault of panoramisk 1.4 is shown to be there, and not to be in what we use."""

import asyncio
import logging

import pytest
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from ami import actions
from ami.errors import Expired, PbxGone, PbxRefused
from ami.link import State
from ami.messages import first
from ami.protocol import AmiProtocol, Asked
from ami.session import LoginFailed, Session
from tests.ami.fake_pbx import BANNER, FakePbx, message, until


class Transport(asyncio.Transport):
    """Takes what is written."""

    def __init__(self):
        super().__init__()
        self.written, self.aborted = b"", False

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = True

    close = abort

    def get_write_buffer_size(self):
        return 0


def protocol(sink=None, wanted=None):
    got = []
    made = AmiProtocol(sink or (lambda at, message: got.append(message)), wanted)
    made.connection_made(Transport())
    return made, got


def stock(callback):
    """panoramisk's own protocol with one `*` callback, for comparison."""
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
    manager = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", callback)
    made = AMIProtocol()
    made.connection_made(Transport())
    made.factory, made.encoding = manager, "utf8"
    return made


async def test_a_letter_cut_in_two_vanishes_in_panoramisk_and_arrives_here():
    data = message(Event="Newchannel", CallerIDName="Щукина", Uniqueid="1.1")
    cut = data.index("Щ".encode()) + 1
    theirs = []
    old = stock(lambda manager, event: theirs.append(event))
    old.data_received(data[:cut])
    old.data_received(data[cut:])
    assert theirs[0]["CallerIDName"] != "Щукина"

    ours, got = protocol()
    ours.data_received(data[:cut])
    ours.data_received(data[cut:])
    assert got[0]["CallerIDName"] == "Щукина"


async def test_an_exception_in_a_reader_loses_the_segment_in_panoramisk_and_nothing_here():
    data = message(Event="A") + message(Event="B") + message(Event="C")
    seen = []

    def fragile(name):
        seen.append(name)
        if name == "A":
            raise ValueError("reader failed")

    old = stock(lambda manager, event: fragile(event["Event"]))
    with pytest.raises(ValueError, match="reader failed"):
        old.data_received(data)
    assert seen == ["A"]

    seen.clear()
    ours, _ = protocol(lambda at, message: fragile(first(message, "Event")))
    ours.data_received(data)
    assert seen == ["A", "B", "C"]
    assert ours.failures == 1
    assert not ours.transport.aborted


async def test_a_last_header_without_value_is_dropped_in_panoramisk_and_kept_here():
    data = b"Event: VarSet\r\nVariable: X\r\nValue: \r\n\r\n"
    theirs = []
    stock(lambda manager, event: theirs.append(event)).data_received(data)
    assert "Value" not in theirs[0]

    ours, got = protocol()
    ours.data_received(data)
    assert got == [{"Event": "VarSet", "Variable": "X", "Value": ""}]


async def test_messages_are_plain_dictionaries_that_can_be_copied_and_have_no_hidden_names():
    import copy
    import pickle

    ours, got = protocol()
    ours.data_received(message(Event="Cdr", Id="7", Content="x", Success="no"))
    assert type(got[0]) is dict
    assert copy.deepcopy(got[0]) == pickle.loads(pickle.dumps(got[0])) == got[0]
    assert got[0]["Id"] == "7"
    with pytest.raises(KeyError):
        got[0]["Chanel"]


async def test_what_nobody_reads_is_dropped_before_it_is_decoded(monkeypatch):
    ours, got = protocol(wanted={"Hangup": (), "VarSet": ("MIXMONITOR_FILENAME", "FROM_DID")})
    parsed = []
    parse = ours._decoder.parse
    monkeypatch.setattr(ours._decoder, "parse", lambda block: parsed.append(block) or parse(block))
    ours.data_received(BANNER + message(Event="RTCPSent", X="1") + message(Event="VarSet", Variable="QUEUEMAX"))
    ours.data_received(message(Event="VarSet", Variable="FROM_DID", Value="7495") + message(Event="Hangup", Cause="16"))
    ours.data_received(message(Event="HangupRequest", Cause="16"))
    assert [first(message, "Event") for message in got] == ["VarSet", "Hangup"]
    assert len(parsed) == 2
    assert (ours.kept, ours.dropped) == (2, 3)
    assert ours.version == "11.0.0"


async def test_the_filter_lets_answers_through_whatever_their_name():
    ours, got = protocol(wanted={"Hangup"})
    asked = Asked(actions.pjsip_show_endpoints())
    ours.send(asked)
    number = asked.id
    ours.data_received(message(Response="Success", ActionID=number, EventList="start"))
    ours.data_received(message(Event="EndpointList", ActionID=number, ObjectName="101"))
    ours.data_received(message(Event="EndpointList", ActionID="of-somebody-else", ObjectName="102"))
    ours.data_received(message(Event="EndpointListComplete", ActionID=number, EventList="Complete"))
    answer = await asyncio.wait_for(asked.future, 1)
    assert [first(one, "ObjectName") for one in answer] == ["", "101", ""]
    assert got == []
    assert ours.responses == {}


@pytest.mark.parametrize(("shown", "names"), [(False, ["Hangup"]), (True, ["", "Hangup", "Status", "StatusComplete"])])
async def test_a_snapshot_can_be_shown_in_its_place_among_the_events(shown, names):
    ours, got = protocol(wanted={"Hangup", "Status", "StatusComplete"})
    asked = Asked(actions.status(), shown=shown)
    ours.send(asked)
    ours.data_received(
        message(Response="Success", ActionID=asked.id, EventList="start")
        + message(Event="Hangup", Uniqueid="1.1")
        + message(Event="Status", Privilege="Call", ActionID=asked.id)
        + message(Event="StatusComplete", ActionID=asked.id, EventList="Complete")
    )
    assert [first(one, "Event") for one in got] == names
    assert len(asked.future.result()) == 3


async def test_a_list_that_is_refused_ends_with_the_refusal():
    ours, _ = protocol()
    asked = Asked(actions.core_show_channels())
    ours.send(asked)
    ours.data_received(message(Response="Error", ActionID=asked.id, Message="Permission denied"))
    assert first(asked.future.result()[0], "Message") == "Permission denied"


async def test_the_result_of_an_originate_comes_as_an_event_after_its_answer():
    ours, got = protocol(wanted=set())
    asked = Asked(actions.originate(actions.DialRules(), "101", "123456", action_id="c-7"))
    ours.send(asked)
    ours.data_received(message(Response="Success", ActionID="c-7", Message="Originate successfully queued"))
    assert asked.future.done()
    ours.data_received(message(Event="OriginateResponse", ActionID="c-7", Response="Failure", Reason="3"))
    assert [first(one, "Response") for one in got] == ["Failure"]


async def test_what_was_not_answered_fails_when_the_link_breaks_and_is_never_sent_again():
    """panoramisk keeps it, and sends it after the next log-in: a client's phone would ring minutes late."""
    async with FakePbx() as pbx:
        pbx.answers["Originate"] = lambda action: []
        session = await Session.open(pbx.settings(), lambda at, message: None, None)
        dial = actions.originate(actions.DialRules(), "101", "123456", action_id="c-1")
        asking = asyncio.create_task(session.ask(dial, 5))
        await until(lambda: pbx.names() == ["Originate"])
        pbx.hang_up()
        with pytest.raises(PbxGone) as gone:
            await asking
        assert gone.value.sent
        assert not session._manager.awaiting_actions
        await asyncio.sleep(0.1)
        assert len(pbx.links) == 1
        again = await Session.open(pbx.settings(), lambda at, message: None, None)
        await asyncio.sleep(0.1)
        assert pbx.names() == ["Originate"]
        again.close()


async def test_panoramisk_itself_would_have_sent_it_again():
    """Why the above is needed; if this fails one day, panoramisk was mended."""
    sent = []
    manager = Manager(loop=asyncio.get_running_loop(), log=logging.getLogger("quiet"))
    old = AMIProtocol()
    old.connection_made(Transport())
    old.factory = manager
    manager.protocol = old
    manager.send_action({"Action": "Originate", "Channel": "PJSIP/101"})
    old.close()
    manager.send_action = lambda action, **_: sent.append(action["Action"])
    await manager.send_awaiting_actions()
    assert sent == ["Originate"]


async def test_after_a_session_was_closed_nothing_reconnects():
    async with FakePbx() as pbx:
        session = await Session.open(pbx.settings(), lambda at, message: None, None)
        session.close()
        await asyncio.sleep(0.3)
        assert len(pbx.links) == 1
        before = len(asyncio.all_tasks())
        with pytest.raises(PbxGone):
            await session.ask(actions.ping(), 1)
        assert len(asyncio.all_tasks()) == before


async def test_an_answer_that_never_comes_expires_and_is_forgotten():
    async with FakePbx() as pbx:
        pbx.answers["Status"] = lambda action: []
        session = await Session.open(pbx.settings(), lambda at, message: None, None)
        with pytest.raises(Expired):
            await session.ask(actions.status(), 0.1)
        assert session.protocol.responses == {}
        with pytest.raises(PbxRefused, match="Hangup"):
            pbx.answers["Hangup"] = lambda action: [
                message(Response="Error", ActionID=first(action, "ActionID"), Message="No such channel")
            ]
            await session.ask(actions.hangup("PJSIP/101-1"), 1)
        session.close()


async def test_a_flood_is_read_in_order_without_a_task_for_each_event():
    seen = []
    async with FakePbx() as pbx:
        session = await Session.open(pbx.settings(), lambda at, m: seen.append(first(m, "N")), None)
        before = len(asyncio.all_tasks())
        pbx.say(b"".join(message(Event="Newexten", N=str(n)) for n in range(20_000)))
        most = 0
        while len(seen) < 20_001:
            most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0.005)
        assert seen[1:] == [str(n) for n in range(20_000)]
        assert most <= before + 1
        session.close()


async def test_a_peer_that_is_no_asterisk_is_told_by_what_it_says():
    async with FakePbx() as pbx:
        pbx.banner = b"SSH-2.0-OpenSSH_9.6\r\n"
        pbx.answers["Login"] = lambda action: []
        with pytest.raises(LoginFailed, match=r"SSH-2\.0") as failed:
            await Session.open(pbx.settings(login_s=0.1), lambda at, message: None, None)
        assert failed.value.state is State.NOT_A_PBX


async def test_a_login_that_is_never_answered_has_an_end():
    async with FakePbx() as pbx:
        pbx.answers["Login"] = lambda action: []
        with pytest.raises(LoginFailed, match="did not answer the log-in") as failed:
            await Session.open(pbx.settings(login_s=0.1), lambda at, message: None, None)
        assert failed.value.state is State.STALLED
