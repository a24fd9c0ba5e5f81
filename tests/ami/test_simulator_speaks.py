"""The simulated PBX on the wire: log-in, rights, answers, and the faults that a PBX can have."""

import asyncio

from panoramisk import Manager

from ami.messages import Message, first
from tests.ami.simulated import Client, a_client, a_pbx


def is_event(name: str):
    return lambda message: message.get("Event") == name


async def test_a_wrong_password_is_refused_and_the_connection_closed() -> None:
    async with a_pbx() as pbx:
        client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
        answer = await client.act("Login", Username="callcrm", Secret="wrong")
        assert (answer[0]["Response"], answer[0]["Message"]) == ("Error", "Authentication failed")
        await asyncio.wait_for(client.closed.wait(), 2)
        await client.close()


async def test_nothing_is_answered_before_the_login() -> None:
    async with a_pbx() as pbx:
        client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
        answer = await client.act("CoreShowChannels")
        assert answer[0]["Message"] == "Permission denied"
        assert client.decoder.banner == "Asterisk Call Manager/11.0.0"
        await client.close()


async def test_a_login_is_told_that_the_pbx_has_booted() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        booted = await client.until(is_event("FullyBooted"))
        assert booted["Status"] == "Fully Booted"
        answer = await client.act("Ping")
        assert answer[0]["Ping"] == "Pong"


async def test_an_unknown_action_is_an_error_as_in_asterisk() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        (answer,) = await client.act("Frobnicate")
        assert answer["Response"] == "Error"
        assert str(answer["Message"]).startswith("Invalid/unknown command: Frobnicate.")
        (answer,) = await client.act("ListCommands")
        assert "originate" in str(answer["Originate"])


async def test_a_user_sees_and_does_only_what_his_classes_allow() -> None:
    async with a_pbx() as pbx, a_client(pbx, "blind") as blind, a_client(pbx, "full") as full, a_client(pbx) as usual:
        await pbx.play("direct_busy", speed=20)
        await full.until(is_event("Cdr"))
        await usual.until(is_event("Cdr"))
        kinds = {first(m, "Event") for m in full.messages} - {first(m, "Event") for m in usual.messages}
        assert kinds == {"Newexten", "VarSet"}
        assert not [m for m in blind.messages if "Event" in m]
        (answer,) = await blind.act("Originate", Channel="PJSIP/101", Exten="79161110000")
        assert answer["Message"] == "Permission denied"


async def test_events_can_be_turned_off() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await client.act("Events", EventMask="off")
        before = len(client.messages)
        await pbx.play("direct_busy", speed=20)
        await client.act("Ping")
        assert len(client.messages) == before + 1


async def test_a_client_that_does_not_read_is_closed() -> None:
    async with a_pbx() as pbx, a_client(pbx):
        pbx.max_unread = 200_000
        _, writer = await asyncio.open_connection("127.0.0.1", pbx.port, limit=1024)
        writer.write(b"Action: Login\r\nUsername: callcrm\r\nSecret: callcrm-secret\r\n\r\n")
        while len(pbx.sessions) < 2 or not all(session.user for session in pbx.sessions):
            await asyncio.sleep(0.01)
        filler: Message = {"Event": "UserEvent", "Privilege": "user,all", "Filler": "x" * 10_000}
        for _ in range(3000):
            pbx.put(dict(filler))
            await asyncio.sleep(0)
            if len(pbx.sessions) == 1:
                break
        assert len(pbx.sessions) == 1
        writer.close()


async def test_a_pbx_that_stalls_sends_nothing_and_then_goes_on() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await client.until(is_event("FullyBooted"))
        before = len(client.messages)
        pbx.stall(0.3)
        client.writer.write(b"Action: Ping\r\n\r\n")
        await pbx.play("direct_busy", speed=50)
        await asyncio.sleep(0.1)
        assert len(client.messages) == before
        await client.until(is_event("Cdr"))
        await client.until(lambda m: m.get("Ping") == "Pong")


async def test_garbage_and_a_dropped_connection_come_when_asked_for() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        pbx.send_garbage(b"\xff\xfe no header here\r\n\r\n")
        await client.act("Ping")
        assert client.decoder.counts["no header"] == 1
        pbx.drop_clients()
        await asyncio.wait_for(client.closed.wait(), 2)


async def test_stopping_says_shutdown() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await pbx.stop()
        assert (await client.until(is_event("Shutdown")))["Shutdown"] == "Cleanly"
        await asyncio.wait_for(client.closed.wait(), 2)


async def test_passwords_can_be_refused_for_a_while() -> None:
    async with a_pbx() as pbx:
        pbx.refuse_passwords = True
        client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
        assert (await client.act("Login", Username="callcrm", Secret="callcrm-secret"))[0]["Response"] == "Error"
        await client.close()
        pbx.refuse_passwords = False
        async with a_client(pbx) as again:
            assert (await again.act("Ping"))[0]["Response"] == "Success"


async def test_panoramisk_logs_in_follows_a_call_and_asks_for_channels() -> None:
    async with a_pbx() as pbx:
        manager = Manager(host="127.0.0.1", port=pbx.port, username="callcrm", secret="callcrm-secret")
        seen: list[str] = []
        manager.register_event("*", lambda _, message: seen.append(message["Event"]))
        await manager.connect()
        while not any(session.user for session in pbx.sessions):
            await asyncio.sleep(0.01)
        play = await pbx.begin("direct_answered", speed=4)
        await asyncio.sleep(0.1)
        answer = await manager.send_action({"Action": "CoreShowChannels"})
        shown = [one["Channel"] for one in answer if one.get("Event") == "CoreShowChannel"]
        await play.over()
        await asyncio.sleep(0.05)
        manager.close()
        assert len(shown) == 2
        assert shown[0].startswith("PJSIP/trunk-")
        assert {"Newchannel", "DialBegin", "BridgeEnter", "Hangup", "Cdr"} <= set(seen)
