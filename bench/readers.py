"""The operators' sockets of `bench.pop_latency`, in a process of their own: what they need is not the PBX's time.

{"url": …, "tokens": […]} on standard input; `ready` on standard output, and at SIGTERM what was read:
{"frames": N, "pops": [[phone, "at" of the frame, seconds since the epoch when it was read], …]}
"""

import asyncio
import json
import signal
import sys
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


@dataclass
class Read:
    """What came."""

    frames: int = 0
    pops: list[tuple[str, str, float]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def frame(self, text: str | bytes) -> str:
        """A frame came; the id of the pop that it brought, if it is a new one."""
        now = time.time()
        self.frames += 1
        frame = json.loads(text)
        if frame["type"] != "pop.offered" or frame["data"]["pop"] in self.seen:
            return ""
        pop = str(frame["data"]["pop"])
        self.seen.add(pop)
        self.pops.append((frame["data"]["phone"], frame["at"], now))
        return pop


async def _follow(connection: ClientConnection, read: Read) -> None:
    try:
        async for text in connection:
            if pop := read.frame(text):
                await connection.send(json.dumps({"type": "pop.painted", "id": pop}))
    except ConnectionClosed:
        return


async def main() -> None:
    """Connect, read until SIGTERM, tell."""
    told, read, ending = json.loads(sys.stdin.readline()), Read(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    readers = []
    for token in told["tokens"]:
        headers = {"Authorization": f"Bearer {token}"}
        socket = await connect(told["url"], additional_headers=headers, compression=None, max_queue=None)
        readers.append(asyncio.create_task(_follow(socket, read), name="bench.reader"))
    print("ready", flush=True)
    await ending.wait()
    for reader in readers:
        reader.cancel()
    print(json.dumps({"frames": read.frames, "pops": read.pops}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
