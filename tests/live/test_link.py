"""The link to a real Asterisk: log-in, rights, snapshots, commands, and what happens when it stalls or goes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ami import actions
from ami.connection import Connection
from ami.errors import PbxGone, PbxRefused
from ami.link import AmiSettings, Link, State
from ami.messages import first
from ami.stream import LoggedIn, LoggedOut
from tests.pbx.instance import Instance
from tests.pbx.lab import Lab


class Desk:
    """A connection, its states and its stream written down."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.states: list[Link] = []
        self.items: list[object] = []
        connection.subscribe(self.states.append)

    def names(self) -> list[str]:
        return [first(item, "Event") for item in self.items if isinstance(item, dict)]

    async def until(self, condition: Callable[[], object], timeout: float = 10) -> None:
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def linked(asterisk: Instance, user: str = "callcrm", **changed: object) -> AsyncIterator[Desk]:
    settings = AmiSettings("lab", asterisk.host, user, asterisk.users.get(user, "none"), asterisk.ami_port)
    desk = Desk(Connection(replace(settings, **changed)))  # type: ignore[arg-type]

    async def read() -> None:
        async for batch in desk.connection.batches():
            desk.items += [item for _, item in batch]

    await desk.connection.start()
    reading = asyncio.create_task(read())
    try:
        yield desk
    finally:
        await desk.connection.close()
        await reading


async def test_the_log_in_tells_the_version_and_that_all_rights_are_there(asterisk: Instance) -> None:
    async with linked(asterisk) as desk:
        await desk.until(lambda: desk.connection.link.up)
        assert desk.connection.link.missing == ()
        assert asterisk.version.startswith(desk.connection.link.version)
        assert isinstance(desk.items[0], LoggedIn)


async def test_a_user_who_sees_no_calls_is_told_the_mend(asterisk: Instance) -> None:
    async with linked(asterisk, "blind") as desk:
        await desk.until(lambda: desk.connection.link.state is State.MISSING_PERMISSION)
        assert "read=system" in desk.connection.link.words
        assert "write=reporting" in desk.connection.link.words


async def test_a_wrong_password_is_told_and_not_tried_again_at_once(asterisk: Instance) -> None:
    async with linked(asterisk, secret="wrong", refused_s=20.0) as desk:
        await desk.until(lambda: desk.connection.link.state is State.WRONG_PASSWORD)
        assert "manager.conf" in desk.connection.link.words
        await asyncio.sleep(1.0)
        assert [link.state for link in desk.states].count(State.WRONG_PASSWORD) == 1


async def test_the_snapshot_of_a_talk_comes_in_the_stream(asterisk: Instance, lab: Lab) -> None:
    (phone,) = await lab.operators("101")
    await lab.trunk.call("74950000101", caller="79161234567")
    leg = await phone.incoming()
    leg.answer()
    await asyncio.sleep(0.5)
    async with linked(asterisk) as desk:
        await desk.until(lambda: desk.connection.link.up)
        for action in (actions.core_show_channels(), actions.status(), actions.queue_status(), actions.bridge_list()):
            await desk.connection.send(action, shown=True)
        reply = await desk.connection.send(actions.parked_calls(), shown=True)
        assert first(reply.response, "Response") == "Success"
        await desk.until(lambda: "ParkedCallsComplete" in desk.names())
        names = desk.names()
        assert names.count("CoreShowChannel") == 2
        assert names.count("Status") == 2
        assert names.index("CoreShowChannelsComplete") < names.index("StatusComplete") < names.index("BridgeListItem")
        channel = next(
            first(m, "Channel") for m in desk.items if isinstance(m, dict) and "trunk" in first(m, "Channel")
        )
        named = await desk.connection.send(actions.getvar(channel, "MIXMONITOR_FILENAME"))
        assert first(named.response, "Value").endswith(".wav")
        await desk.connection.send(actions.hangup(channel))
        await desk.until(lambda: desk.names().count("Hangup") == 2)


async def test_what_asterisk_refuses_is_said(asterisk: Instance) -> None:
    async with linked(asterisk) as desk:
        await desk.until(lambda: desk.connection.link.up)
        with pytest.raises(PbxRefused, match="No such channel"):
            await desk.connection.send(actions.hangup("PJSIP/101-ffffffff"))
        rules = actions.DialRules(context="office")
        dial = actions.originate(rules, "109", "79161234567", action_id="callcrm-test-1")
        await desk.connection.send(dial)
        await desk.until(lambda: "OriginateResponse" in desk.names())
        (answer,) = (m for m in desk.items if isinstance(m, dict) and m.get("Event") == "OriginateResponse")
        assert answer["ActionID"] == "callcrm-test-1"
        assert answer["Response"] == "Failure"


async def test_an_asterisk_that_stalls_is_noticed_and_comes_back(asterisk: Instance) -> None:
    assert asterisk.process is not None
    async with linked(asterisk, ping_every_s=0.5, ping_s=1.0, retry_s=0.2) as desk:
        await desk.until(lambda: desk.connection.link.up)
        os.kill(asterisk.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            await desk.until(lambda: any(link.state is State.STALLED for link in desk.states))
            assert time.monotonic() - began < 4
            with pytest.raises(PbxGone):
                await desk.connection.send(actions.hangup("PJSIP/101-ffffffff"))
        finally:
            os.kill(asterisk.process.pid, signal.SIGCONT)
        await desk.until(lambda: desk.connection.link.up, 20)
        kinds = [type(item) for item in desk.items if isinstance(item, LoggedIn | LoggedOut)]
        assert kinds[:3] == [LoggedIn, LoggedOut, LoggedIn]
