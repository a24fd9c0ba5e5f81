"""What lets a worker rest until there is something to do, and go on after what passes by itself."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Self, TypeVar

import structlog

from callcrm.kernel.bus import Bus
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.facts import Fact
from callcrm.kernel.subscription import Resync
from callcrm.kernel.trouble import passes

log = structlog.get_logger(__name__)
Result = TypeVar("Result")


def _always(_told: Fact | Resync) -> bool:
    return True


class Wakes:
    """Hears the facts of `kinds` for as long as its block lasts, and wakes the worker who rests.

    `heeds` says of each whether it is one to wake for, where its kind alone does not tell. A fact that comes while the
    worker works is not lost: the next rest is over at once.
    """

    def __init__(
        self, bus: Bus, name: str, kinds: Collection[str], heeds: Callable[[Fact | Resync], bool] = _always
    ) -> None:
        self._bus, self._name, self._kinds, self._heeds = bus, name, kinds, heeds
        self._woken = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._subscription = self._bus.subscribe(self._name, kinds=self._kinds)
        self._hears = asyncio.create_task(self._hear(), name=f"{self._name}-hear")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hears.cancel()
        await asyncio.gather(self._hears, return_exceptions=True)
        self._subscription.close()

    async def rest(self, seconds: float, gather_s: float = 0.0) -> None:
        """Until a fact wakes, at most `seconds`; with `gather_s` so much longer, for what comes with it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
                await asyncio.sleep(min(seconds, gather_s))
        self._woken.clear()

    async def _hear(self) -> None:
        async for told in self._subscription:
            if self._heeds(told):
                self._woken.set()


async def tried(work: Callable[[], Awaitable[Result]], trouble: str) -> Result | None:
    """What the work gives; None after an error that may pass by itself, which the log tells as `trouble`."""
    try:
        return await work()
    except CallcrmError as error:
        log.warning(trouble, error=str(error))
    except Exception as error:
        if not passes(error):
            raise
        log.warning(trouble, error=repr(error))
    return None
