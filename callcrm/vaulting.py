"""What the worker does with recordings, put together: looking for files, fetching, keeping, finding strays."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from callcrm.calls.soundwatch import SoundWatch
from callcrm.custody.fetching import Fetching, sources_of
from callcrm.custody.keeper import Keeper
from callcrm.custody.keeping import Policy
from callcrm.custody.orphans import StrayFinder
from callcrm.custody.places import Places
from callcrm.kernel import jobs
from recordings import Looker

if TYPE_CHECKING:
    from callcrm.daemon import Running
    from callcrm.settings import Settings


def policy_of(settings: "Settings") -> Policy:
    """What becomes of finished sounds, as the settings say."""
    vault = settings.vault
    return Policy(vault.form, vault.originals == "remove", vault.settle_s, vault.verify_days, frozenset(vault.fetched))


def start(running: "Running", tasks: asyncio.TaskGroup, stack: AsyncExitStack, looker: Looker) -> None:
    """Start the parts; they end with the process."""
    settings = running.settings
    places = Places.of(settings)
    fetching = Fetching(places, sources_of(settings.vault))
    stack.push_async_callback(fetching.close)
    watch = SoundWatch(
        running.database,
        running.writer,
        running.bus,
        places.folders,
        looker,
        keep_after_s=settings.vault.settle_s,
        bring=fetching.bring if settings.vault.fetched else None,
    )
    keeper = Keeper(running.database, running.writer, running.bus, places, policy_of(settings))
    parts: dict[str, Callable[[], Awaitable[None]]] = {"recordings": watch.run, "vault": keeper.run}
    running_parts = [tasks.create_task(running.part(name, run), name=name) for name, run in parts.items()]
    running.at_end(lambda: jobs.stop(*running_parts))
    if settings.vault.strays_h:
        finder = StrayFinder(
            running.database,
            running.writer,
            places,
            sources=fetching.sources,
            link=settings.vault.link_strays,
        )
        stack.callback(finder.close)
        finding = jobs.periodic("strays", settings.vault.strays_h * 3600, finder.find_all, at_once=True)
        running.at_end(lambda: jobs.stop(finding))
