"""A scripted manager interface on a real socket: it says what a test wants said, and notes what it was asked."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable

from ami.link import AmiSettings
from ami.messages import Decoder, Message, first

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
COMMANDS = (
    *("Ping", "CoreSettings", "CoreShowChannels", "Status", "QueueStatus"),
    *("Getvar", "Hangup", "Redirect", "Originate", "QueuePause"),
)


def message(**headers: str) -> bytes:
    """A message as Asterisk sends it."""
    return "".join(f"{key}: {value}\r\n" for key, value in headers.items()).encode() + b"\r\n"


class Link:
    """One connection that somebody made to the fake PBX."""

    def __init__(self, pbx: "FakePbx", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pbx, self.reader, self.writer = pbx, reader, writer
        self.asked: list[Message] = []

    async def run(self) -> None:
        self.say(self.pbx.banner)
        decoder = Decoder()
        while data := await self.reader.read(65536):
            for action in decoder.feed(data.replace(b"Action: ", b"Event: ")):
                self.asked.append(action)
                self.pbx.asked.append(action)
                self.answer(action)

    def answer(self, action: Message) -> None:
        name, number = first(action, "Event"), first(action, "ActionID")
        special = self.pbx.answers.get(name)
        if special is not None:
            for answer in special(action):
                self.say(answer)
        elif name == "Login":
            self.log_in(action, number)
        elif name == "ListCommands":
            self.say(message(Response="Success", ActionID=number, **dict.fromkeys(self.pbx.commands, "…")))
        elif name == "CoreSettings":
            self.say(message(Response="Success", ActionID=number, AsteriskVersion="22.10.1+dfsg"))
        elif name == "Ping":
            self.say(message(Response="Success", ActionID=number, Ping="Pong"))
        else:
            self.say(message(Response="Success", ActionID=number, Message="done"))

    def log_in(self, action: Message, number: str) -> None:
        if first(action, "Secret") != self.pbx.secret:
            self.say(message(Response="Error", ActionID=number, Message="Authentication failed"))
            self.writer.close()
            return
        self.say(message(Response="Success", ActionID=number, Message="Authentication accepted"))
        self.say(message(Event="FullyBooted", Privilege="system,all", Status="Fully Booted"))

    def say(self, data: bytes) -> None:
        if not self.pbx.deaf:
            self.writer.write(data)


class FakePbx:
    """Listens on a free port; `answers` overrides what an action gets, `deaf` makes it answer nothing any more."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.secret, self.commands = "secret", COMMANDS
        self.banner = BANNER
        self.answers: dict[str, Callable[[Message], Iterable[bytes]]] = {}
        self.asked: list[Message] = []
        self.links: list[Link] = []
        self.deaf = False
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> "FakePbx":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, reader, writer)
        self.links.append(link)
        try:
            await link.run()
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # Also when the test is over.
        finally:
            writer.close()

    def names(self) -> list[str]:
        """The actions that were asked for, without what every connection asks by itself."""
        own = ("Login", "ListCommands", "CoreSettings", "Ping")
        return [first(action, "Event") for action in self.asked if first(action, "Event") not in own]

    def say(self, data: bytes) -> None:
        self.links[-1].say(data)

    def hang_up(self) -> None:
        """Close every connection, as a restart does."""
        for link in self.links:
            if link.writer.transport is not None:
                link.writer.transport.abort()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            self._server = None

    async def __aenter__(self) -> "FakePbx":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def settings(self, **changed: object) -> AmiSettings:
        """Settings that lead here, quick enough for a test."""
        quick: dict[str, object] = {
            "name": "office",
            "host": "127.0.0.1",
            "port": self.port,
            "username": "callcrm",
            "secret": "secret",
            "connect_s": 2.0,
            "login_s": 0.5,
            "ping_every_s": 0.1,
            "ping_s": 0.3,
            "retry_s": 0.05,
            "retry_cap_s": 0.2,
            "refused_s": 0.3,
            "refused_cap_s": 0.6,
        }
        return AmiSettings(**(quick | changed))  # type: ignore[arg-type]


async def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Wait until it is so."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(wait(), timeout)


Waiter = Callable[[], Awaitable[None]]
