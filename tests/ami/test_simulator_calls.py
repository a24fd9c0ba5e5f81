"""Calls on the simulated PBX: snapshots that mirror them, one operator in one call, and what clients may do to them."""

import asyncio
from collections import Counter

from ami.messages import Message, first
from ami.simulator import Recording
from ami.simulator.story import Person
from tests.ami.simulated import Client, a_client, a_pbx, a_story


class Followed:
    """What the events of a connection say goes on: channels with their states, bridges, waiting callers."""

    def __init__(self, messages: list[Message]) -> None:
        self.states: dict[str, str] = {}
        self.bridge: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.parked: set[str] = set()
        for message in messages:
            getattr(self, f"on_{first(message, 'Event').lower()}", lambda _: None)(message)

    def on_newchannel(self, message: Message) -> None:
        self.states[first(message, "Uniqueid")] = first(message, "ChannelState")

    on_newstate = on_newchannel

    def on_bridgeenter(self, message: Message) -> None:
        self.bridge.pop(first(message, "SwapUniqueid"), None)
        self.bridge[first(message, "Uniqueid")] = first(message, "BridgeUniqueid")

    def on_bridgeleave(self, message: Message) -> None:
        self.bridge.pop(first(message, "Uniqueid"), None)

    def on_queuecallerjoin(self, message: Message) -> None:
        self.waiting[first(message, "Uniqueid")] = first(message, "Queue")

    def on_queuecallerleave(self, message: Message) -> None:
        self.waiting.pop(first(message, "Uniqueid"), None)

    def on_parkedcall(self, message: Message) -> None:
        self.parked.add(first(message, "ParkeeUniqueid"))

    def on_unparkedcall(self, message: Message) -> None:
        self.parked.discard(first(message, "ParkeeUniqueid"))

    def on_hangup(self, message: Message) -> None:
        for known in (self.states, self.bridge, self.waiting):
            known.pop(first(message, "Uniqueid"), None)


async def compare(client: Client) -> int:
    """Ask for snapshots and compare them with what the same connection was told before; the number of channels."""
    answer = await client.act("CoreShowChannels")
    told = Followed([m for m in client.messages[: client.messages.index(answer[0])] if "ActionID" not in m])
    items = answer[1:-1]
    assert answer[-1]["ListItems"] == str(len(items))
    assert {first(m, "Uniqueid"): first(m, "ChannelState") for m in items} == told.states
    assert {first(m, "Uniqueid"): first(m, "BridgeId") for m in items if m["BridgeId"]} == told.bridge
    status = await client.act("Status")
    told = Followed([m for m in client.messages[: client.messages.index(status[0])] if "ActionID" not in m])
    assert {first(m, "Uniqueid") for m in status[1:-1]} == set(told.states)
    queues = await client.act("QueueStatus")
    told = Followed([m for m in client.messages[: client.messages.index(queues[0])] if "ActionID" not in m])
    entries = {first(m, "Uniqueid"): first(m, "Queue") for m in queues if m.get("Event") == "QueueEntry"}
    assert entries == told.waiting
    counts = {first(m, "Queue"): m["Calls"] for m in queues if m.get("Event") == "QueueParams"}
    assert counts == {name: str(Counter(told.waiting.values())[name]) for name in counts}
    bridges = await client.act("BridgeList")
    told = Followed([m for m in client.messages[: client.messages.index(bridges[0])] if "ActionID" not in m])
    inside = {
        first(m, "BridgeUniqueid"): m["BridgeNumChannels"] for m in bridges[1:-1] if m["BridgeNumChannels"] != "0"
    }
    assert inside == {bridge: str(count) for bridge, count in Counter(told.bridge.values()).items()}
    parked = await client.act("ParkedCalls")
    told = Followed([m for m in client.messages[: client.messages.index(parked[0])] if "ActionID" not in m])
    assert {first(m, "ParkeeUniqueid") for m in parked[1:-1]} == told.parked
    return len(items)


async def test_a_snapshot_at_any_moment_equals_what_plays() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        names = [
            "queue_no_answer_then_second",
            "park_and_retrieve",
            "queue_all_busy_then_abandoned",
            "transfer_attended",
        ]
        names += ["transfer_blind_from_queue", "pickup_directed_from_queue"]
        plays = [asyncio.create_task(pbx.play(name, speed=6)) for name in names]
        counts = []
        while not all(play.done() for play in plays):
            counts.append(await compare(client))
            await asyncio.sleep(0.01)
        await asyncio.gather(*plays)
        assert await compare(client) == 0
        assert max(counts) >= 5


async def test_no_operator_is_ever_in_two_calls() -> None:
    async with a_pbx(calls_per_minute=30, speed=30, story=a_story(favourite="101", rest_s=1.0)) as pbx:
        played: Counter[str] = Counter()
        parts: Counter[str] = Counter()
        seen = set()
        put = pbx.put

        def watch(message: Message) -> None:
            put(message)
            live = [one.headers for one in pbx.stage.state.channels.values() if one.name.startswith("PJSIP/1")]
            owners: dict[str, set[int]] = {}
            for headers in live:
                owner = next(id(play) for play in pbx.plays if headers["Uniqueid"] in play.uniqueids)
                owners.setdefault(headers["Channel"].partition("-")[0], set()).add(owner)
            assert all(len(calls) == 1 for calls in owners.values())

        pbx.put = watch  # type: ignore[method-assign]
        for _ in range(250):
            await asyncio.sleep(0.01)
            for play in pbx.plays:
                if id(play) not in seen:
                    seen.add(id(play))
                    played[play.trace.name] += 1
                    parts.update(play.operators.values())
        assert sum(played.values()) > 15
        assert len(played) > 5
        assert parts["101"] > max(1, sum(parts.values()) // 12)


async def test_two_clients_see_the_same_calls() -> None:
    async with a_pbx() as pbx, a_client(pbx) as one, a_client(pbx) as other:
        await pbx.play("direct_answered", speed=30)
        await one.act("Ping")
        await other.act("Ping")
        events = [[m for m in client.messages if "Privilege" in m] for client in (one, other)]
        assert len(events[0]) > 20
        assert events[0][1:] == events[1][1:]


async def test_click_to_call_rings_the_operator_first_and_answers_with_the_action_id() -> None:
    async with a_pbx(speed=10) as pbx, a_client(pbx) as client:
        answer = await client.act(
            "Originate", Channel="PJSIP/104", Exten="79165550101", Context="internal", Priority="1"
        )
        assert answer[0]["Message"] == "Originate successfully queued"
        response = await client.until(lambda m: m.get("Event") == "OriginateResponse")
        assert (response["Response"], response["ActionID"]) == ("Success", answer[0]["ActionID"])
        first_ring = await client.until(lambda m: m.get("Event") == "DialBegin")
        assert str(first_ring["DestChannel"]).startswith("PJSIP/104-")
        client_ring = await client.until(lambda m: m.get("DialString") == "79165550101@trunk")
        assert client_ring["DestCallerIDNum"] == "79165550101"
        await client.until(lambda m: m.get("Event") == "Cdr")
        assert not pbx.casting.busy


async def test_click_to_call_waits_for_a_busy_operator_and_gives_up_in_time() -> None:
    async with a_pbx(speed=10) as pbx, a_client(pbx) as client:
        play = await pbx.begin("direct_answered", operators=["101"])
        await client.act("Originate", Channel="PJSIP/101", Exten="79165550101", Timeout="100")
        response = await client.until(lambda m: m.get("Event") == "OriginateResponse")
        assert (response["Response"], response["Reason"], response["Uniqueid"]) == ("Failure", "3", "<unknown>")
        await play.over()


async def test_hanging_up_ends_the_call_for_both_sides() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        await pbx.begin("direct_answered", speed=5)
        talking = await client.until(lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "2")
        (answer,) = await client.act("Hangup", Channel=first(talking, "Channel"))
        assert answer["Message"] == "Channel Hungup"
        while pbx.plays:
            await asyncio.sleep(0.01)
        assert await compare(client) == 0
        assert sum(m.get("Event") == "Hangup" for m in client.messages) == 2
        (answer,) = await client.act("Hangup", Channel=first(talking, "Channel"))
        assert answer["Message"] == "No such channel"


async def test_a_blind_transfer_brings_the_client_to_another_operator() -> None:
    async with a_pbx(speed=8) as pbx, a_client(pbx) as client:
        await pbx.begin("direct_answered", operators=["101"], people=[Person("79037770011", "Anna Berg")])
        talking = await client.until(lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "2")
        caller = first(talking, "Channel")
        operator = next(m for m in client.messages if m.get("Event") == "BridgeEnter" and m is not talking)
        (answer,) = await client.act(
            "BlindTransfer", Channel=first(operator, "Channel"), Context="internal", Exten="105"
        )
        assert answer["Message"] == "Transfer succeeded"
        told = await client.until(lambda m: m.get("Event") == "BlindTransfer")
        assert (told["TransfereeChannel"], told["Extension"]) == (caller, "105")
        assert told["TransfereeCallerIDName"] == "Anna Berg"
        again = await client.until(
            lambda m: (
                m.get("Event") == "BridgeEnter" and m["Channel"] == caller and m is not talking and m is not operator
            )
        )
        assert again["ConnectedLineNum"] == "105"
        while pbx.plays:
            await asyncio.sleep(0.01)
        assert await compare(client) == 0


async def test_a_redirect_moves_the_caller_without_a_transfer_event() -> None:
    async with a_pbx(speed=8) as pbx, a_client(pbx) as client:
        await pbx.begin("direct_answered", operators=["101"])
        talking = await client.until(lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "2")
        (answer,) = await client.act("Redirect", Channel=first(talking, "Channel"), Context="internal", Exten="106")
        assert answer["Message"] == "Redirect successful"
        await client.until(lambda m: m.get("Event") == "DialEnd" and "PJSIP/106-" in first(m, "DestChannel"))
        assert not any(m.get("Event") == "BlindTransfer" for m in client.messages)
        while pbx.plays:
            await asyncio.sleep(0.01)
        assert await compare(client) == 0


async def test_a_paused_member_is_told_and_gets_no_queue_call() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        for member in ("101", "104", "105"):
            (answer,) = await client.act(
                "QueuePause", Interface=f"Local/{member}@from-queue/n", Paused="true", Reason="tea"
            )
            assert answer["Response"] == "Success"
        paused = await client.until(lambda m: m.get("Event") == "QueueMemberPause")
        assert (paused["Paused"], paused["PausedReason"], paused["Queue"]) == ("1", "tea", "support")
        members = [m for m in await client.act("QueueStatus", Queue="support") if m.get("Event") == "QueueMember"]
        assert {first(m, "Location"): m["Paused"] for m in members}["Local/101@from-queue/n"] == "1"
        waits = asyncio.create_task(pbx.play("queue_no_answer_then_second", speed=30))
        await asyncio.sleep(0.2)
        assert not pbx.plays
        waits.cancel()


async def test_getvar_tells_the_recordings_name() -> None:
    async with a_pbx() as pbx, a_client(pbx) as client:
        play = await pbx.begin("direct_answered", speed=5)
        started = await client.until(lambda m: m.get("Event") == "MixMonitorStart")
        (answer,) = await client.act("Getvar", Channel=first(started, "Channel"), Variable="MIXMONITOR_FILENAME")
        assert str(answer["Value"]).endswith(f"{started['Uniqueid']}.wav")
        await play.over()


async def test_a_pbx_that_stops_closes_the_recordings_that_run() -> None:
    recordings: list[Recording] = []
    async with a_pbx(on_recording=recordings.append) as pbx, a_client(pbx) as client:
        await pbx.begin("direct_answered", speed=2)
        await client.until(lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "2")
        await asyncio.sleep(0.1)
        await pbx.stop()
    assert [one.kind for recording in recordings for one in recording.heard] == ["talk"]
