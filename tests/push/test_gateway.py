"""Who may open the push socket, what he may say on it, and how it ends."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from callcrm.kernel import clock
from callcrm.push import hub
from tests.push.stage import Listener, Stage

OWN = "http://127.0.0.1:8080"


async def closed(listener: Listener) -> tuple[int, str]:
    """How the server closed."""
    with pytest.raises(ConnectionClosed) as end:
        async with asyncio.timeout(5):
            while True:
                await listener.socket.recv()
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


async def by_cookie(stage: Stage, cookie: str, origin: str | None = OWN) -> Listener:
    return Listener(await connect(stage.url, origin=origin, additional_headers={"Cookie": f"a=b; session={cookie}"}))


async def test_a_page_of_ours_comes_in_by_its_session_cookie(stage: Stage) -> None:
    listener = await by_cookie(stage, "cookie-olga")
    hello = await listener.next("hello")
    assert (hello["data"]["name"], hello["data"]["role"]) == ("olga", "operator")


async def test_a_client_that_never_resumes_goes_live_by_itself(stage: Stage) -> None:
    listener = await by_cookie(stage, "cookie-olga")
    await listener.next("hello")
    await stage.call(facts=[("call.ringing", "olga")])
    assert (await listener.next("pop.offered"))["data"]["state"] == "offered"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "https://127.0.0.1:8081/x"])
async def test_a_page_of_another_site_is_refused(stage: Stage, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await by_cookie(stage, "cookie-olga", origin)
    assert refusal.value.response.status_code == 403


async def test_a_cookie_without_an_origin_is_not_believed(stage: Stage) -> None:
    await stage.close()
    await stage.open(auth_s=0.3)
    listener = await by_cookie(stage, "cookie-olga", None)
    code, words = await closed(listener)
    assert code == 1008
    assert "auth" in words


async def test_an_ended_session_is_told_in_the_close(stage: Stage) -> None:
    listener = await by_cookie(stage, "cookie-nobody")
    assert await closed(listener) == (4401, "Your session has ended; sign in again.")


async def test_signing_out_closes_the_socket(stage: Stage) -> None:
    listener = await by_cookie(stage, "cookie-olga")
    await listener.next("hello")
    del stage.guests.sessions["cookie-olga"]
    assert (await closed(listener))[0] == 4401


async def test_a_wrong_token_is_refused_with_words(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(stage.url, additional_headers={"Authorization": "Bearer wrong"})
    assert refusal.value.response.status_code == 401
    assert b"token" in (refusal.value.response.body or b"")


async def test_a_token_may_come_in_the_first_frame(stage: Stage) -> None:
    listener = Listener(await connect(stage.url))
    await listener.say(type="auth", token="token-ivan")
    await listener.say(type="resume", after="")
    assert (await listener.next("hello"))["data"]["name"] == "ivan"


async def test_a_wrong_token_in_the_first_frame_closes_the_socket(stage: Stage) -> None:
    listener = Listener(await connect(stage.url))
    await listener.say(type="auth", token="wrong")
    assert (await closed(listener))[0] == 4401


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", 1008),
        (json.dumps({"type": "dance"}), 1008),
        (json.dumps({"type": "resume"}), 1008),
        (json.dumps({"type": "resume", "after": 5}), 1008),
        (json.dumps({"type": "pop.painted", "id": "x", "more": 1}), 1008),
        (json.dumps({"type": "auth", "token": "token-ivan"}), 1008),
        (b"binary", 1008),
        ("x" * 5000, 1009),
        ("[" * 4000, 1008),
    ],
)
async def test_what_is_wrong_is_answered_in_words_and_closed(stage: Stage, sent: str | bytes, code: int) -> None:
    listener = await stage.listen("olga")
    await listener.socket.send(sent)
    found, words = await closed(listener)
    assert found == code
    assert words


async def test_who_talks_too_much_is_closed(stage: Stage) -> None:
    listener = await stage.listen("olga")
    for _ in range(70):
        await listener.say(type="pop.painted", id="nothing")
    code, words = await closed(listener)
    assert (code, "10 frames" in words) == (1008, True)


async def test_there_is_only_one_path(stage: Stage) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(stage.url.replace("/push", "/admin"), additional_headers={"Authorization": "Bearer token-olga"})
    assert refusal.value.response.status_code == 404


async def test_going_down_closes_everybody_with_1001(stage: Stage) -> None:
    listener = await stage.listen("olga")
    await stage.close()
    assert (await closed(listener))[0] == 1001
    await stage.open()


async def test_a_port_that_is_taken_is_one_sentence_with_the_mend(stage: Stage) -> None:
    from callcrm.kernel.errors import StartupError

    with pytest.raises(StartupError, match=r"push\.port"):
        other = Stage(stage.database, stage.writer, stage.bus)
        await other.open(port=stage.gateway.port)


async def test_one_who_never_reads_is_let_go_and_delays_nobody(stage: Stage) -> None:
    deaf = await stage.listen("vera", hello=False, max_queue=1)
    deaf.socket.transport.pause_reading()
    reader = await stage.listen("vera")
    stage.hub.bound = 20_000
    waited = []
    for n in range(3000):
        began = clock.now()
        stage.hub.send(list(stage.hub), json.dumps({"type": "filler", "n": n, "pad": "x" * 2000}))
        await reader.socket.recv()
        waited.append((clock.now() - began).total_seconds())
        if len(stage.hub) == 1:
            break
    assert len(stage.hub) == 1
    assert sorted(waited)[int(len(waited) * 0.95)] < 0.1
    deaf.socket.transport.resume_reading()
    assert await closed(deaf) == hub.TOO_SLOW


async def test_a_client_that_catches_up_too_slowly_is_let_go(stage: Stage) -> None:
    listener = await stage.listen("olga")
    client = stage.hub.of(stage.actors["olga"].user_id)[0]
    client.held = []
    for _ in range(stage.queue + 1):
        stage.hub.send([client], "{}")
    assert await closed(listener) == hub.TOO_SLOW


async def test_the_oldest_of_too_many_sockets_is_closed(stage: Stage) -> None:
    first = await stage.listen("olga")
    others = [await stage.listen("olga") for _ in range(hub.PER_PERSON)]
    assert (await closed(first))[0] == 1008
    assert len(stage.hub.of(stage.actors["olga"].user_id)) == len(others)


async def test_the_push_port_says_that_it_is_alive(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.gateway.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    writer.write(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert b"200 OK" in answer
    assert b"push is up" in answer
