"""The least that stands between an AMI event and a browser: a relay that keeps, knows and decides nothing.

    python -m bench.floor PBX_PORT PUSH_PORT

It logs in, looks at each event's bytes for a phone that rings, and sends a short frame to the sockets whose token is
that phone's number. What callcrm takes beyond it is what callcrm does: calls, cards, rights, the log on disk.
"""

import asyncio
import json
import re
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

LOGIN = b"Action: Login\r\nUsername: callcrm\r\nSecret: callcrm-secret\r\nEvents: on\r\n\r\n"
PHONE = re.compile(rb"\nChannel: PJSIP/([0-9]+)-")

_numbers = count(1)
_sockets: dict[str, set[ServerConnection]] = defaultdict(set)


async def follow(port: int) -> None:
    """Read events until the PBX is gone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    await reader.readline()
    writer.write(LOGIN)
    while True:
        try:
            event = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        if b"Event: Newstate\r" in event and b"ChannelStateDesc: Ringing\r" in event and (found := PHONE.search(event)):
            await ring(found[1].decode())


async def ring(phone: str) -> None:
    """A phone rings: its sockets hear of it."""
    at, data = datetime.now(UTC).isoformat(), {"pop": str(next(_numbers)), "phone": phone}
    frame = json.dumps({"type": "pop.offered", "id": data["pop"], "at": at, "data": data})
    for socket in _sockets[phone]:
        await socket.send(frame)


async def hold(socket: ServerConnection) -> None:
    """One browser's socket."""
    assert socket.request is not None
    mine = _sockets[socket.request.headers["Authorization"].removeprefix("Bearer ")]
    mine.add(socket)
    with suppress(ConnectionClosed):
        async for _receipt in socket:
            pass
    mine.discard(socket)


async def main(pbx: int, push: int) -> None:
    """Relay until the PBX is gone."""
    async with serve(hold, "127.0.0.1", push, compression=None):
        await follow(pbx)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
