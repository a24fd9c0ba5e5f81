"""The bus between processes on PostgreSQL: NOTIFY wakes, the table tells."""

import asyncio
import contextlib

import asyncpg
import structlog

from callcrm.kernel.bus import PollingBus
from callcrm.kernel.database import Database, reason_of
from callcrm.kernel.streams import CHANNEL

log = structlog.get_logger(__name__)

POLL_S = 5.0
REOPEN_S = (0.2, 5.0)
CONNECT_S = 5.0
#: A connection that died without a word is noticed by asking it something.
PROBE_S = 10.0


class PostgresBus(PollingBus):
    """Woken by the NOTIFY that rides in the writer's transaction; polls every 5 s as a net.

    The listening connection is its own, outside the pool, and is opened again when it is lost.
    """

    def __init__(self, database: Database, *, poll_s: float = POLL_S) -> None:
        super().__init__(database, poll_s=poll_s)
        self._listener: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen; returns when the first NOTIFY would be heard, or after 5 s without."""
        await super().start()
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="bus listener")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    await self._listening.wait()

    async def close(self) -> None:
        """End every subscription, stop listening and reading; idempotent."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener
        await super().close()

    async def _listen(self) -> None:
        pause, longest = REOPEN_S
        while True:
            try:
                await self._listen_once()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the wake-up of other processes is lost; polling until it is back", error=reason_of(error))
            pause = REOPEN_S[0] if self._listening.is_set() else min(longest, pause * 2)
            self._listening.clear()
            await asyncio.sleep(pause)

    async def _listen_once(self) -> None:
        address = self._database.url.render_as_string(hide_password=False)
        connection = await asyncpg.connect(address, timeout=CONNECT_S, command_timeout=CONNECT_S)
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda *_: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._woken.set())
            self._listening.set()
            # Whatever was stored while nobody listened.
            self._woken.set()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_S):
                        await lost.wait()
                if not lost.is_set():
                    await connection.fetchval("SELECT 1")
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=2)
