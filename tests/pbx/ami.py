"""A few AMI actions for the lab's own acts, apart from the library that is tested with it."""

import asyncio
import itertools


class AmiDesk:
    """A connection that sends actions, waits for one event, and keeps nothing else."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._waiting: list[tuple[dict[str, str], asyncio.Future[dict[str, str]]]] = []
        self._listed: dict[str, list[str]] = {}

    async def open(self, host: str, port: int, user: str, secret: str) -> "AmiDesk":
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=1 << 22)
        await self._reader.readline()
        self._task = asyncio.create_task(self._read(), name="lab-ami")
        answer = await self.action("Login", Username=user, Secret=secret, Events="on")
        assert answer["Response"] == "Success", answer
        return self

    async def close(self) -> None:
        self._task.cancel()
        self._writer.close()

    async def action(self, name: str, *pairs: tuple[str, str], **headers: str) -> dict[str, str]:
        """Sends an action; returns the response. `pairs`: headers that come more than once."""
        number = f"lab-{next(self._numbers)}"
        answer = self._expect(ActionID=number, Response="")
        lines = [f"Action: {name}", f"ActionID: {number}", *(f"{k}: {v}" for k, v in [*headers.items(), *pairs])]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await asyncio.wait_for(answer, 30)

    async def event(self, patience_s: float = 10, **wanted: str) -> dict[str, str]:
        """The next message with these headers."""
        return await asyncio.wait_for(self._expect(**wanted), patience_s)

    async def channels(self, prefix: str) -> list[str]:
        """Channels whose name begins so, oldest first."""
        number = f"lab-{next(self._numbers)}"
        self._listed[number] = []
        done = self._expect(ActionID=number, Event="CoreShowChannelsComplete")
        self._writer.write(f"Action: CoreShowChannels\r\nActionID: {number}\r\n\r\n".encode())
        await asyncio.wait_for(done, 10)
        found = [name for name in self._listed.pop(number) if name.startswith(prefix)]
        return sorted(found, key=lambda name: name.rpartition("-")[2])

    def _expect(self, **wanted: str) -> "asyncio.Future[dict[str, str]]":
        """A future for the next message with these headers; an empty value means any."""
        future: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        return future

    async def _read(self) -> None:
        while True:
            try:
                block = await self._reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            lines = (line.partition(":") for line in block.decode("utf-8", "replace").strip().split("\r\n"))
            self._deliver({name: value.strip() for name, _, value in lines})

    def _deliver(self, message: dict[str, str]) -> None:
        if (
            message.get("Event") == "CoreShowChannel"
            and (listed := self._listed.get(message.get("ActionID", ""))) is not None
        ):
            listed.append(message["Channel"])
        for entry in list(self._waiting):
            wanted, future = entry
            if all(name in message and value in ("", message[name]) for name, value in wanted.items()):
                self._waiting.remove(entry)
                if not future.done():
                    future.set_result(message)
