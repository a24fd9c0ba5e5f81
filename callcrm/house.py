"""The house as the settings describe it, in the words of the parts: sites, labels, rules of callbacks, folders."""

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts import queries
from callcrm.calls.rows import Context, Site, site
from callcrm.calls.service import After
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.facts import Fact
from callcrm.push.frames import Labels
from callcrm.settings import Settings
from callcrm.tasks.callbacks import Rules
from callcrm.tasks.following import Callbacks

log = structlog.get_logger(__name__)


def sites(settings: Settings) -> dict[str, Site]:
    """Each PBX's country, and the numbers that are the house's own."""
    return {
        name: site(pbx.country or settings.clients.country, (*pbx.own_numbers, *settings.lines))
        for name, pbx in settings.pbx.items()
    }


async def context(settings: Settings, db: AsyncConnection) -> Context:
    """What calls are read with: the sites, and who sits at which phone now."""
    phones = await queries.phones(db)
    return Context(sites(settings), {(line.pbx, line.extension): user for line, user in phones.items()})


class PhoneBook:
    """Who sits at which phone, kept up to date: `context` is what calls are read with at this moment."""

    def __init__(self, settings: Settings, database: Database, bus: Bus) -> None:
        self._settings, self._database, self._bus = settings, database, bus
        self.context = Context(sites(settings))

    async def read(self) -> None:
        """Read it anew."""
        async with self._database.read() as db:
            self.context = await context(self._settings, db)

    async def run(self) -> None:
        """Read it anew whenever an account changed; until cancelled."""
        subscription = self._bus.subscribe("phone book")
        try:
            async for told in subscription:
                if not isinstance(told, Fact) or told.kind == "operator.changed":
                    try:
                        await self.read()
                    except SQLAlchemyError as error:
                        log.warning("the phone book cannot be read at present", error=str(error))
        finally:
            subscription.close()


def after_calls(settings: Settings) -> tuple[After, ...]:
    """What is done in the unit that writes a call: callbacks."""
    rules = Rules(
        minutes=settings.callbacks.promise_min,
        hours=settings.callbacks.working_hours,
        short_abandon_s=settings.callbacks.short_abandon_s,
        line_queues={number: line.queue for number, line in settings.lines.items() if line.queue},
    )
    return (Callbacks(rules).follow,)


def labels(settings: Settings) -> Labels:
    """What people call lines and queues."""
    return Labels(
        lines={number: line.label for number, line in settings.lines.items() if line.label},
        queues={name: queue.label for name, queue in settings.queues.items() if queue.label},
        queue_people={name: frozenset(queue.people) for name, queue in settings.queues.items()},
        country=settings.clients.country,
    )
