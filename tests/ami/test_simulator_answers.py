"""What the simulated PBX answers to single actions."""

import asyncio
import hashlib

import pytest

from ami.messages import first
from tests.ami.simulated import Client, a_client, a_pbx


async def test_a_login_by_challenge_needs_the_right_proof() -> None:
    async with a_pbx() as pbx:
        for secret, response in (("callcrm-secret", "Success"), ("wrong", "Error")):
            client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
            challenge = first((await client.act("Challenge", AuthType="MD5"))[0], "Challenge")
            key = hashlib.md5((challenge + secret).encode()).hexdigest()
            (answer,) = await client.act("Login", AuthType="MD5", Username="callcrm", Key=key)
            assert answer["Response"] == response
            await client.close()


async def test_it_tells_its_version_and_what_the_user_may_do() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        (settings,) = await client.act("CoreSettings")
        assert settings["AsteriskVersion"] == "22.10.1"
        (status,) = await client.act("CoreStatus")
        assert status["CoreCurrentCalls"] == "0"
        (commands,) = await client.act("ListCommands")
        assert "Originate" in commands
    async with a_pbx() as pbx, a_client(pbx, "blind") as client:
        (commands,) = await client.act("ListCommands")
        assert "Originate" not in commands and "Ping" in commands


async def test_a_member_joins_and_leaves_a_queue() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        (answer,) = await client.act("QueueAdd", Queue="sales", Interface="PJSIP/104", MemberName="D")
        assert answer["Message"] == "Added interface to queue"
        added = await client.until(lambda m: m.get("Event") == "QueueMemberAdded")
        assert (added["Interface"], added["MemberName"], added["Membership"]) == ("PJSIP/104", "D", "dynamic")
        members = await client.act("QueueStatus", Queue="sales")
        assert "PJSIP/104" in [m.get("Location") for m in members]
        (again,) = await client.act("QueueAdd", Queue="sales", Interface="PJSIP/104")
        assert again["Response"] == "Error"
        (removed,) = await client.act("QueueRemove", Queue="sales", Interface="PJSIP/104")
        assert removed["Response"] == "Success"
        await client.until(lambda m: m.get("Event") == "QueueMemberRemoved")


@pytest.mark.parametrize(
    ("action", "headers", "message"),
    [
        ("Getvar", {"Channel": "PJSIP/none-1", "Variable": "X"}, "No such channel"),
        ("Getvar", {}, "No variable specified"),
        ("Setvar", {"Channel": "PJSIP/none-1", "Variable": "X", "Value": "1"}, "No such channel"),
        ("Status", {"Channel": "PJSIP/none-1"}, "No such channel"),
        ("Hangup", {"Channel": "PJSIP/none-1"}, "No such channel"),
        ("Redirect", {"Channel": "PJSIP/none-1", "Exten": "102"}, "Channel does not exist"),
        ("BlindTransfer", {"Channel": "PJSIP/none-1", "Exten": "102"}, "Channel not found"),
        ("BridgeInfo", {"BridgeUniqueid": "none"}, "Bridge not found"),
        ("Originate", {"Exten": "1"}, "Channel not specified"),
        ("Originate", {"Channel": "PJSIP/101"}, "Originate with 'Exten' requires 'Context' and 'Priority'"),
        ("QueuePause", {"Interface": "PJSIP/none", "Paused": "true"}, "Interface not found"),
        ("QueueAdd", {"Queue": "none", "Interface": "PJSIP/1"}, "Unable to add interface to queue: No such queue"),
        ("QueueRemove", {"Queue": "sales", "Interface": "PJSIP/9"}, "Unable to remove interface: Not there"),
        ("MixMonitorMute", {"Channel": "x"}, "Could not mute mixmonitor on channel: No such channel"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_asterisks_words(
    action: str, headers: dict[str, str], message: str
) -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        (answer,) = await client.act(action, **headers)
        assert (answer["Response"], answer["Message"]) == ("Error", message)


async def test_an_extension_that_is_not_there_cannot_be_rung() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await client.act("Originate", Channel="PJSIP/999", Exten="79165550101")
        response = await client.until(lambda m: m.get("Event") == "OriginateResponse")
        assert (response["Response"], response["Reason"]) == ("Failure", "0")


async def test_a_bridge_tells_who_is_in_it() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        play = await pbx.begin("direct_answered", speed=8)
        entered = await client.until(lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "2")
        answer = await client.act("BridgeInfo", BridgeUniqueid=first(entered, "BridgeUniqueid"))
        inside = [m for m in answer if m.get("Event") == "BridgeInfoChannel"]
        assert len(inside) == 2
        assert first(entered, "Channel") in [m["Channel"] for m in inside]
        assert answer[-1]["BridgeNumChannels"] == "2"
        await play.over()


async def test_a_client_that_talks_nonsense_is_let_go() -> None:
    async with a_pbx() as pbx:
        for nonsense in (b"\xff" * 9000 + b"\n", b"a: b\r\n" * 300, b"x" * 100_000):
            client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
            client.writer.write(nonsense)
            await asyncio.wait_for(client.closed.wait(), 3)
            await client.close()
        async with a_client(pbx) as client:
            assert (await client.act("Ping"))[0]["Response"] == "Success"


async def test_timestamps_come_when_they_are_turned_on() -> None:
    async with a_pbx(timestamps=True) as pbx, a_client(pbx) as client:
        await pbx.play("direct_busy", speed=30)
        born = await client.until(lambda m: m.get("Event") == "Newchannel")
        assert float(first(born, "Timestamp")) == pytest.approx(pbx.now(), abs=10)
        assert list(born)[:3] == ["Event", "Privilege", "Timestamp"]


async def test_a_caller_is_parked_and_fetched_back_by_an_originate() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await pbx.begin("direct_answered", operators=["101"])
        talk = await client.until(lambda m: m.get("Event") == "BridgeEnter" and "trunk" in str(m["Channel"]))
        channel = str(talk["Channel"])
        await asyncio.sleep(0.05)
        (answer,) = await client.act("Park", Channel=channel, TimeoutChannel="PJSIP/101", Timeout="600000")
        assert answer["Message"] == "Park successful"
        parked = await client.until(lambda m: m.get("Event") == "ParkedCall")
        assert (parked["ParkeeChannel"], parked["ParkerDialString"]) == (channel, "PJSIP/101")
        await client.until(lambda m: m.get("Event") == "Hangup" and "PJSIP/101-" in str(m["Channel"]))
        data = f"default,{parked['ParkingSpace']}"
        originate = {"Channel": "PJSIP/101", "Application": "ParkedCall", "Data": data, "Async": "true"}
        (answer,) = await client.act("Originate", **originate)
        assert answer["Response"] == "Success"
        fetched = await client.until(lambda m: m.get("Event") == "UnParkedCall")
        assert (fetched["ParkeeChannel"], fetched["ParkingSpace"]) == (channel, parked["ParkingSpace"])
        assert "PJSIP/101-" in str(fetched["RetrieverChannel"])
        (answer,) = await client.act("Park", Channel="PJSIP/none-1")
        assert answer["Message"] == "Channel does not exist"
