"""A plain AMI client for the tests of the simulated PBX: a socket, and what came over it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ami.messages import Decoder, Message
from ami.simulator import DemoPbx, Story
from ami.simulator.story import Operator, Person, Queue

#: One who calls from abroad, and names with letters that hurt.
PEOPLE = (
    Person("74991234567", "ООО «Ромашка»"),
    Person("79261110022"),
    Person("+380441234567", 'Кафе "У моря"'),
    Person("79037770011", "Anna Berg"),
)


def a_story(**changes: object) -> Story:
    """A small office."""
    operators = tuple(Operator(str(n), name) for n, name in zip(range(101, 107), "ABCDEF", strict=True))
    queues = (
        Queue("sales", ("101", "102", "103", "106")),
        Queue("support", ("101", "104", "105", "106"), "rrmemory", local=True),
    )
    return Story(operators, queues, PEOPLE, **changes)  # type: ignore[arg-type]


class Client:
    """What a socket receives, read all the time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.messages: list[Message] = []
        self.closed = asyncio.Event()
        self.decoder = Decoder()
        self._came = asyncio.Event()
        self._count = 0
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(1 << 16):
                self.messages.extend(self.decoder.feed(data))
                self._came.set()
        except OSError:
            pass
        self.closed.set()
        self._came.set()

    async def until(self, found: Callable[[Message], bool], *, within: float = 5.0) -> Message:
        """The first message for which this holds, past or to come."""
        at = 0
        async with asyncio.timeout(within):
            while True:
                for message in self.messages[at:]:
                    if found(message):
                        return message
                at = len(self.messages)
                self._came.clear()
                if at == len(self.messages):
                    await self._came.wait()

    async def act(self, action: str, **headers: str) -> list[Message]:
        """Send an action; its response, with the list that follows if there is one."""
        self._count += 1
        ident = f"t{self._count}"
        lines = [f"Action: {action}", f"ActionID: {ident}", *(f"{key}: {value}" for key, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        response = await self.until(lambda m: m.get("ActionID") == ident and "Response" in m)
        if response.get("EventList") == "start":
            await self.until(lambda m: m.get("ActionID") == ident and m.get("EventList") == "Complete")
        return [m for m in self.messages if m.get("ActionID") == ident]

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def a_pbx(**settings: object) -> AsyncIterator[DemoPbx]:
    """A simulated PBX that is started and ends with the block."""
    settings.setdefault("story", a_story())
    settings.setdefault("seed", 7)
    pbx = DemoPbx(**settings)  # type: ignore[arg-type]
    await pbx.start()
    try:
        yield pbx
    finally:
        await pbx.stop()


@asynccontextmanager
async def a_client(pbx: DemoPbx, user: str = "callcrm", secret: str = "") -> AsyncIterator[Client]:
    """A client that has logged in."""
    client = Client(*await asyncio.open_connection("127.0.0.1", pbx.port))
    try:
        await client.act("Login", Username=user, Secret=secret or f"{user}-secret")
        yield client
    finally:
        await client.close()
