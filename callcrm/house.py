"""The house as the settings describe it, in the words of the parts: sites, labels, rules of callbacks, folders."""

from zoneinfo import ZoneInfo

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
from callcrm.settings import QueueSettings, Settings
from callcrm.shifts import states
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
        subscription = self._bus.subscribe("phone book", kinds=("operator.changed",))
        try:
            async for told in subscription:
                if not isinstance(told, Fact) or (told.kind == "operator.changed" and "state" not in told.ids):
                    try:
                        await self.read()
                    except SQLAlchemyError as error:
                        log.warning("the phone book cannot be read at present", error=str(error))
        finally:
            subscription.close()


def rules(settings: Settings) -> Rules:
    """What is promised to callers who were missed."""
    calendars = {name: one.working_hours for name, one in settings.calendars.items()}
    return Rules(
        minutes=settings.callbacks.promise_min,
        hours=settings.callbacks.working_hours,
        short_abandon_s=settings.callbacks.short_abandon_s,
        line_queues={number: line.queue for number, line in settings.lines.items() if line.queue},
        line_hours={number: calendars[line.calendar] for number, line in settings.lines.items() if line.calendar},
        queue_hours={name: calendars[queue.calendar] for name, queue in settings.queues.items() if queue.calendar},
        owe_short=settings.callbacks.short_abandon_tasks,
        retry_min=settings.callbacks.retry_min,
        escalate_min=settings.callbacks.escalate_min,
    )


def after_calls(settings: Settings) -> tuple[After, ...]:
    """What is done in the unit that writes a call: callbacks."""
    return (Callbacks(rules(settings)).follow,)


def shift_rules(settings: Settings) -> states.Rules:
    """The reasons for pauses, and what follows a call of each queue."""
    shift = settings.shift
    default = states.WrapUpRule(shift.wrap_up, shift.wrap_up_s, shift.wrap_up_pauses)
    required = dict.fromkeys(settings.dispositions.required, QueueSettings())
    return states.Rules(
        pauses={one.reason: one.limit_min for one in shift.pauses},
        wrap_up=default,
        queues={name: _wrap_up(settings, name, one, default) for name, one in {**required, **settings.queues}.items()},
    )


def _wrap_up(settings: Settings, name: str, queue: QueueSettings, default: states.WrapUpRule) -> states.WrapUpRule:
    mode = "required" if name in settings.dispositions.required else queue.wrap_up or default.mode
    pauses = default.pauses if queue.wrap_up_pauses == "" else queue.wrap_up_pauses
    return states.WrapUpRule(mode, queue.wrap_up_s or default.seconds, pauses)


def labels(settings: Settings) -> Labels:
    """What people call lines and queues."""
    return Labels(
        lines={number: line.label for number, line in settings.lines.items() if line.label},
        queues={name: queue.label for name, queue in settings.queues.items() if queue.label},
        queue_people={name: frozenset(queue.people) for name, queue in settings.queues.items()},
        country=settings.clients.country,
    )


def zone(settings: Settings) -> ZoneInfo:
    """The house's own clock, by which its weeks begin."""
    return ZoneInfo(settings.callbacks.time_zone)
