import asyncio
import contextlib
import ssl
import subprocess
import time

import pytest

from ami import actions
from ami.connection import Connection
from ami.errors import BadCommand, Expired, PbxGone, PbxRefused
from ami.link import AmiSettings, Patience, State, tls_context
from ami.messages import first
from ami.stream import LoggedIn, LoggedOut
from tests.ami.fake_pbx import FakePbx, message, until


class Desk:
    """A connection with its states and its stream written down."""

    def __init__(self, pbx, wanted=None, room=10_000, **changed):
        self.states, self.items = [], []
        self.connection = Connection(pbx.settings(**changed), wanted, on_state=self.states.append, room=room)
        self._reader = None

    async def __aenter__(self):
        await self.connection.start()
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self):
        async for batch in self.connection.batches():
            self.items.extend(item for _, item in batch)

    async def __aexit__(self, *_):
        await self.connection.close()
        await asyncio.wait_for(self._reader, 2)

    @property
    def kinds(self):
        """What came, in order: names of events, and the markers."""
        return [first(item, "Event") if isinstance(item, dict) else type(item).__name__ for item in self.items]

    def seen(self, state):
        return [link for link in self.states if link.state is state]

    async def up(self):
        await until(lambda: self.connection.link.up)


async def test_a_link_comes_up_and_tells_the_version_in_words():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        assert desk.connection.link.version == "22.10.1"
        assert "PBX office (127.0.0.1:" in desk.connection.link.words
        assert desk.connection.link.missing == ()
        assert desk.kinds == ["LoggedIn", "FullyBooted"]
        assert [link.state for link in desk.states] == [State.CONNECTING, State.CONNECTED]


async def test_events_come_in_order_between_the_markers_of_their_session():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        pbx.say(message(Event="Newchannel", Uniqueid="1.1") + message(Event="Hangup", Uniqueid="1.1"))
        await until(lambda: "Hangup" in desk.kinds)
        pbx.hang_up()
        await until(lambda: desk.kinds.count("LoggedIn") == 2)
        await desk.up()
        pbx.say(message(Event="Newstate"))
        await until(lambda: "Newstate" in desk.kinds)
        assert desk.kinds == [
            *["LoggedIn", "FullyBooted", "Newchannel", "Hangup", "LoggedOut"],
            *["LoggedIn", "FullyBooted", "Newstate"],
        ]


async def test_a_snapshot_asked_for_comes_in_the_stream():
    async with FakePbx() as pbx:
        pbx.answers["CoreShowChannels"] = lambda action: [
            message(Response="Success", ActionID=first(action, "ActionID"), EventList="start"),
            message(Event="CoreShowChannel", ActionID=first(action, "ActionID"), Channel="PJSIP/101-1"),
            message(Event="CoreShowChannelsComplete", ActionID=first(action, "ActionID"), EventList="Complete"),
        ]
        async with Desk(pbx, {"CoreShowChannel", "CoreShowChannelsComplete"}) as desk:
            await desk.up()
            reply = await desk.connection.send(actions.core_show_channels(), shown=True)
            assert [first(event, "Channel") for event in reply.events] == ["PJSIP/101-1", ""]
            await until(lambda: "CoreShowChannelsComplete" in desk.kinds)
            assert desk.kinds[-2:] == ["CoreShowChannel", "CoreShowChannelsComplete"]


async def test_a_peer_that_stops_answering_is_noticed_and_the_link_made_anew():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        pbx.deaf, began = True, time.monotonic()
        await until(lambda: desk.seen(State.STALLED))
        assert time.monotonic() - began < 2
        assert "no longer answers" in desk.seen(State.STALLED)[0].words
        assert any(isinstance(item, LoggedOut) for item in desk.items)
        pbx.deaf = False
        await desk.up()
        assert desk.kinds.count("LoggedIn") == 2


def test_with_the_usual_settings_a_dead_peer_is_noticed_within_15_seconds():
    usual = AmiSettings("office", "pbx", "callcrm", "secret")
    assert usual.ping_every_s + usual.ping_s <= 15


async def test_a_pbx_whose_ping_answers_lag_behind_a_flood_is_not_given_up_at_once():
    async with FakePbx() as pbx:
        pbx.answers["Ping"] = lambda action: []
        async with Desk(pbx, ping_s=0.2, ping_every_s=0.05) as desk:
            await desk.up()
            for n in range(12):
                pbx.say(message(Event="Newexten", N=str(n)))
                await asyncio.sleep(0.03)
            assert desk.seen(State.STALLED) == []
            await until(lambda: desk.seen(State.STALLED))


async def test_a_wrong_password_is_told_and_tried_again_slowly():
    async with FakePbx() as pbx, Desk(pbx, secret="wrong") as desk:
        await asyncio.sleep(0.9)
        logins = [action for action in pbx.asked if first(action, "Event") == "Login"]
        assert 1 <= len(logins) <= 5
        words = desk.seen(State.WRONG_PASSWORD)[0].words
        assert "manager.conf" in words
        assert "callcrm" in words
        assert "wrong" not in words
        assert desk.items == []


async def test_a_password_that_was_mended_lets_the_link_come_up_by_itself():
    async with FakePbx() as pbx:
        pbx.secret = "other"
        async with Desk(pbx) as desk:
            await until(lambda: desk.seen(State.WRONG_PASSWORD))
            pbx.secret = "secret"
            await desk.up()


async def test_a_user_who_sees_no_calls_is_told_which_rights_lack():
    async with FakePbx() as pbx:
        pbx.commands = ("Ping", "QueueStatus")
        pbx.answers["Login"] = lambda action: [message(Response="Success", ActionID=first(action, "ActionID"))]
        async with Desk(pbx) as desk:
            await until(lambda: desk.seen(State.MISSING_PERMISSION))
            link = desk.connection.link
            assert set(link.missing) == {
                *("write=reporting", "write=call", "write=originate", "write=agent"),
                "read=system",
            }
            assert "read=system" in link.words
            assert "manager reload" in link.words
            await asyncio.sleep(0.25)
            logins = [action for action in pbx.asked if first(action, "Event") == "Login"]
            assert len(logins) <= 4
            del pbx.answers["Login"]
            pbx.commands = ("Ping", "CoreShowChannels", "Hangup", "Originate", "QueuePause")
            await desk.up()


async def test_lesser_rights_that_lack_are_told_and_the_link_works():
    async with FakePbx() as pbx:
        pbx.commands = ("Ping", "CoreShowChannels", "Hangup", "QueueStatus", "QueuePause")
        async with Desk(pbx) as desk:
            await desk.up()
            assert desk.connection.link.missing == ("write=originate",)
            assert "click-to-call" in desk.connection.link.words
            assert not desk.connection.rights.may("Originate")


async def test_where_nobody_listens_the_tries_back_off_and_the_words_say_so():
    async with FakePbx() as pbx:
        await pbx.stop()
        async with Desk(pbx, retry_s=0.05, retry_cap_s=0.4) as desk:
            await asyncio.sleep(1.0)
            assert 3 <= len(desk.seen(State.GONE)) <= 10
            assert "refuses connections" in desk.seen(State.GONE)[0].words
            await pbx.start(pbx.port)
            await desk.up()


async def test_a_pbx_that_closes_right_after_the_login_is_not_hammered():
    async with FakePbx() as pbx:
        pbx.answers["ListCommands"] = lambda action: pbx.hang_up() or []
        async with Desk(pbx, retry_s=0.1, retry_cap_s=0.5):
            await asyncio.sleep(1.2)
            assert 2 <= len(pbx.links) <= 8


def test_waiting_doubles_up_to_its_cap_and_is_never_the_same_for_all():
    patience = Patience(0.5, 30)
    waits = [patience.next() for _ in range(40)]
    for n, wait in enumerate(waits):
        whole = min(30, 0.5 * 2**n)
        assert whole / 2 <= wait <= whole
    assert len(set(waits)) == 40
    patience.reset()
    assert patience.next() <= 0.5


async def test_a_reader_that_is_slow_slows_the_pbx_down_and_loses_nothing():
    async with FakePbx() as pbx:
        connection = Connection(pbx.settings(ping_every_s=0.05, ping_s=0.2), room=1000)
        await connection.start()
        await until(lambda: connection.link.up)
        total = 60_000
        flood = b"".join(message(Event="Newexten", N=str(n), Filler="x" * 200) for n in range(total))

        async def pour():
            pbx.links[-1].writer.write(flood)
            await pbx.links[-1].writer.drain()

        pouring = asyncio.create_task(pour())
        await asyncio.sleep(0.6)
        stream = connection._stream
        assert len(stream) < 4000
        assert connection.figures["pauses"] >= 1
        assert connection.link.up, "a link that we ourselves hold up is not dead"
        seen = []
        async with asyncio.timeout(20):
            async for batch in connection.batches():
                seen += [first(item, "N") for _, item in batch if isinstance(item, dict) and "N" in item]
                if len(seen) >= total:
                    break
        assert seen == [str(n) for n in range(total)]
        assert stream.peak < 4000
        await pouring
        await connection.close()


async def test_without_a_link_a_command_is_refused_at_once():
    async with FakePbx() as pbx:
        connection = Connection(pbx.settings())
        with pytest.raises(PbxGone, match="no link"):
            await connection.send(actions.hangup("PJSIP/101-1"))
        await connection.close()


async def test_a_command_during_an_outage_is_never_sent_later():
    dial = actions.originate(actions.DialRules(), "101", "123456", action_id="c-1")
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        await pbx.stop()
        await until(lambda: not desk.connection.link.up)
        with pytest.raises(PbxGone):
            await desk.connection.send(dial)
        await pbx.start(pbx.port)
        await desk.up()
        await asyncio.sleep(0.3)
        assert pbx.names() == []


async def test_a_pbx_that_stopped_reading_is_not_asked_to_dial():
    """Else the call would be made whenever it wakes up again."""
    dial = actions.originate(actions.DialRules(), "101", "123456", action_id="c-1")
    async with FakePbx() as pbx, Desk(pbx, ping_every_s=5.0) as desk:
        await desk.up()
        pbx.deaf = True
        with pytest.raises(PbxGone, match="nothing was asked"):
            await desk.connection.send(dial, timeout=0.2)
        pbx.deaf = False
        await asyncio.sleep(0.2)
        assert pbx.names() == []


async def test_a_command_that_is_not_answered_expires_and_one_that_is_refused_says_why():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        pbx.answers["Redirect"] = lambda action: []
        with pytest.raises(Expired) as expired:
            await desk.connection.send(actions.redirect("PJSIP/101-1", "internal", "102"), timeout=0.2)
        assert expired.value.sent
        assert pbx.names() == ["Redirect"]
        pbx.answers["Hangup"] = lambda action: [
            message(Response="Error", ActionID=first(action, "ActionID"), Message="Permission denied")
        ]
        with pytest.raises(PbxRefused, match="Permission denied") as refused:
            await desk.connection.send(actions.hangup("PJSIP/101-1"))
        assert refused.value.denied


async def test_a_command_under_way_when_the_link_breaks_fails_and_says_that_it_was_sent():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        pbx.answers["Hangup"] = lambda action: pbx.hang_up() or []
        with pytest.raises(PbxGone) as gone:
            await desk.connection.send(actions.hangup("PJSIP/101-1"))
        assert gone.value.sent


async def test_a_bad_field_never_reaches_the_wire():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        with pytest.raises(BadCommand):
            await desk.connection.send(actions.hangup("PJSIP/101-1\r\n\r\nAction: Originate"))
        assert pbx.names() == []


async def test_malformed_bytes_do_not_end_the_link():
    async with FakePbx() as pbx, Desk(pbx) as desk:
        await desk.up()
        pbx.say(b"\xff\xfe\x00 rubbish\r\n: : :\r\n\r\n\r\n\r\nEvent\r\n\r\n" + message(Event="Hangup", Cause="16"))
        await until(lambda: "Hangup" in desk.kinds)
        assert desk.connection.link.up
        assert desk.connection.figures["unreadable"] >= 1


async def test_after_close_nothing_is_left_running():
    before = asyncio.all_tasks()
    async with FakePbx() as pbx:
        async with Desk(pbx) as desk:
            await desk.up()
        assert desk.connection.link.state is State.CLOSED
        await asyncio.sleep(0.05)
        pbx.say(message(Event="Hangup"))
        await asyncio.sleep(0.3)
        assert len(pbx.links) == 1
        assert "Hangup" not in desk.kinds
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() <= before


async def test_closing_while_connecting_or_waiting_ends_at_once():
    async with FakePbx() as pbx:
        pbx.answers["Login"] = lambda action: []
        connection = Connection(pbx.settings(login_s=30.0))
        await connection.start()
        await until(lambda: pbx.links)
        await asyncio.wait_for(connection.close(), 1)
        assert [batch async for batch in connection.batches()] == []


async def test_a_reader_of_states_that_fails_does_not_harm_the_link():
    async with FakePbx() as pbx:
        connection = Connection(pbx.settings(), on_state=lambda link: 1 / 0)
        await connection.start()
        await until(lambda: connection.link.up)
        await connection.close()


# ---- TLS ---------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-made certificate of 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2"),
            *("-subj", "/CN=pbx", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return folder / "cert.pem", folder / "key.pem"


def server_side(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def test_a_link_over_tls_works_when_the_certificate_is_trusted(certificate):
    async with FakePbx(server_side(certificate)) as pbx, Desk(pbx, tls=tls_context(str(certificate[0]))) as desk:
        await desk.up()
        assert isinstance(desk.items[0], LoggedIn)
        pbx.say(message(Event="Hangup", Name="Щ"))
        await until(lambda: "Hangup" in desk.kinds)


async def test_a_certificate_nobody_vouches_for_is_refused_and_said(certificate):
    async with FakePbx(server_side(certificate)) as pbx, Desk(pbx, tls=tls_context()) as desk:
        await until(lambda: desk.seen(State.GONE))
        assert "certificate" in desk.seen(State.GONE)[0].words
        assert pbx.asked == []


async def test_tls_towards_a_plain_port_is_told():
    async with FakePbx() as pbx, Desk(pbx, tls=tls_context(verify=False)) as desk:
        await until(lambda: desk.seen(State.GONE))
        assert "TLS" in desk.seen(State.GONE)[0].words


async def test_an_unreachable_host_name_is_told():
    settings = AmiSettings("office", "no-such-host.invalid", "callcrm", "secret", connect_s=3)
    states = []
    connection = Connection(settings, on_state=states.append)
    await connection.start()
    with contextlib.suppress(TimeoutError):
        await until(lambda: len(states) > 1, 5)
    await connection.close()
    assert states[1].state is State.GONE
    assert "no-such-host.invalid" in states[1].words
