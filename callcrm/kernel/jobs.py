"""Work that is done again and again: it has a name, an owner who ends it, and no failure ends it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from callcrm.kernel.errors import CallcrmError

log = structlog.get_logger(__name__)


def periodic(
    name: str, seconds: float, work: Callable[[], Awaitable[object]], *, at_once: bool = False
) -> asyncio.Task[None]:
    """A task that does `work` every `seconds` until its owner cancels it (`stop`).

    A failure is logged in words, once while it lasts, and the next turn is taken as usual.
    """
    return asyncio.create_task(_repeat(name, seconds, work, at_once), name=name)


async def stop(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]], at_once: bool) -> None:
    trouble = ""
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        try:
            await work()
        except Exception as error:
            said = str(error) if isinstance(error, CallcrmError) else repr(error)
            if said != trouble:
                log.error(  # noqa: TRY400 - in words, no trace
                    "periodic work failed and is tried again", job=name, every_s=seconds, error=said
                )
            trouble = said
        else:
            if trouble:
                log.info("periodic work does well again", job=name)
            trouble = ""
        await asyncio.sleep(seconds)
