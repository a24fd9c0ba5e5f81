"""COMPOSITION ROOT: settings become parts, parts run in one group, and end in order.

`opened(settings, role)` is the life of one process's parts. Their order of ending: listeners take no more, the
writer writes what they told, push says good-bye (1001), the web finishes what it was asked. A part that fails takes
the process down with a sentence, so that it is started again whole; expected outages (a PBX or a database that is gone
for a while) are dealt with inside the parts and end nothing.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
from aiohttp import web

from callcrm import house, vaulting
from callcrm.accounts import sessions
from callcrm.calls import service, unfinished
from callcrm.calls.call import Change
from callcrm.calls.model import Calls
from callcrm.calls.rehearsal import rehearse
from callcrm.calls.reread import reread
from callcrm.calls.xraying import Xraying
from callcrm.custody.erasing import Erasing
from callcrm.custody.gapkeeper import GapKeeper
from callcrm.custody.opening import Opener
from callcrm.custody.personfile import Packing
from callcrm.custody.places import Places
from callcrm.custody.retention import Retention
from callcrm.custody.xrays import xraying
from callcrm.kernel import jobs, logs, streams
from callcrm.kernel.bus import Bus, open_bus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import CallcrmError, StartupError
from callcrm.kernel.writer import Unit, Writer
from callcrm.push.doorman import Doorman
from callcrm.push.feed import Feed
from callcrm.push.gateway import Gateway, GatewayOptions
from callcrm.push.hub import Hub
from callcrm.quality import drawing
from callcrm.settings import Settings
from callcrm.shifts.keeper import Keeper
from callcrm.tasks import reminders
from callcrm.tasks.escalation import EVERY_S, Escalation
from callcrm.telephony import journal, metrics
from callcrm.telephony.asterisk_listener import asterisk_listener
from callcrm.telephony.listener import Listener
from recordings import Looker
from webui.identity import COOKIE
from webui.parts import Parts

log = structlog.get_logger(__name__)

ROLES = ("listener", "web", "push", "worker")
#: How long the web waits for answers that are under way.
WEB_CLOSE_S = 5.0
#: How long a thread that looks at a sound file may go on when the event loop wants to (5 ms by default).
_TURN_S = 0.0005
#: Python's collector stops everything while it looks: rarely, once most of what lives is frozen.
_COLLECT_AT = (5_000, 20, 100)
SWEEP_S = 3600.0
#: How soon a person's file that was asked for is begun.
PERSONS_S = 5.0


@dataclass
class Running:
    """What runs in this process: where it is reached, and the parts that tests and the demo ask for."""

    settings: Settings
    database: Database
    writer: Writer
    bus: Bus
    web_port: int = 0
    push_port: int = 0
    gateway: Gateway | None = None
    listeners: dict[str, Listener] = field(default_factory=dict)
    _ending: bool = False
    _endings: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that people type."""
        host = self.settings.web.host
        shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else host  # noqa: S104 - only shown
        return self.settings.web.public_url or f"http://{shown}:{self.web_port}"

    def at_end(self, ending: Callable[[], Awaitable[object]]) -> None:
        """What is asked of a part when the process is to end; in the order of asking."""
        self._endings.append(ending)

    async def end(self) -> None:
        """Ask every part to end, one after the other."""
        self._ending = True
        for ending in self._endings:
            try:
                await ending()
            except Exception:
                log.exception("a part did not end in order")

    async def part(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """A part that lasts as long as the process: one that ends by itself is a failure, not a silence."""
        await work()
        if not self._ending:
            raise CallcrmError(f"The part {name} of callcrm ended by itself; it is to be started again whole.")


async def run(settings: Settings, role: str = "all") -> None:
    """`callcrm run`: until SIGTERM or SIGINT. Raises StartupError, or CallcrmError when a part failed."""
    logs.configure(settings.log.level, settings.log.format)
    with end_asked() as asked:
        async with opened(settings, role) as running:
            _be_prompt()
            print(f"callcrm is at {running.url}" if running.web_port else f"callcrm runs as {role}", flush=True)
            await asked.wait()
            log.info("ending in order")


def _be_prompt() -> None:
    """No thread keeps the interpreter from the event loop for long, and the collector leaves alone what stays."""
    sys.setswitchinterval(_TURN_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AT)


@contextmanager
def end_asked() -> Iterator[asyncio.Event]:
    """Set when SIGTERM or SIGINT comes, from now on: also one that comes while the parts still start."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signs = (signal.SIGTERM, signal.SIGINT)
    for sign in signs:
        loop.add_signal_handler(sign, stop.set)
    try:
        yield stop
    finally:
        for sign in signs:
            loop.remove_signal_handler(sign)


@asynccontextmanager
async def opened(settings: Settings, role: str = "all") -> AsyncIterator[Running]:
    """The parts of `role`, started and accepting requests; ended in order when the block ends."""
    roles = ROLES if role == "all" else (role,)
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database.url)
        stack.push_async_callback(database.close)
        bus = await open_bus(database, shared=True)  # commands change things beside a running daemon
        stack.push_async_callback(bus.close)
        writer = await stack.enter_async_context(Writer(database, bus))
        running = Running(settings, database, writer, bus)
        outside: list[BaseException] = []
        with _told(outside):
            async with asyncio.TaskGroup() as tasks:
                try:
                    await _start(running, roles, tasks, stack)
                    yield running
                except BaseException as error:
                    outside.append(error)
                    raise
                finally:
                    await running.end()


async def _start(running: Running, roles: tuple[str, ...], tasks: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
    """Bind first what can fail, then start the parts."""
    web_socket = _bound(running.settings.web.host, running.settings.web.port, "web") if "web" in roles else None
    if web_socket:
        stack.callback(web_socket.close)
        running.web_port = web_socket.getsockname()[1]
    if "push" in roles:
        await _open_push(running)
    if "listener" in roles:
        await _start_listeners(running, tasks)
    if running.gateway:
        tasks.create_task(running.part("push", running.gateway.run), name="push")
        running.at_end(running.gateway.close)
    if web_socket:
        await _start_web(running, web_socket)
    if "worker" in roles:
        _start_worker(running, tasks, stack)


@contextmanager
def _told(outside: list[BaseException]) -> Iterator[None]:
    """A part's failure as one sentence (the log has the whole of it); what was raised `outside` of parts, as it is."""
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        mine = [error for error in errors if error in outside]
        for error in mine or errors:
            if mine or isinstance(error, CallcrmError):
                raise error from None
        log.exception("a part of callcrm failed", exc_info=errors[0])
        raise CallcrmError(
            f"A part of callcrm failed ({errors[0]!r}); it ends so that it can be started again whole; see the log."
        ) from group


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _bound(host: str, port: int, part: str) -> socket.socket:
    """A listening socket; a port that is taken is a sentence."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
    except OSError as error:
        raise StartupError(
            f"The {part} port {host}:{port} cannot be opened ({os.strerror(error.errno or 0)}); "
            f"end the program that has it or set another {part}.port."
        ) from error


# ---- listeners -------------------------------------------------------------------------------------
async def _start_listeners(running: Running, tasks: asyncio.TaskGroup) -> None:
    phonebook = house.PhoneBook(running.settings, running.database, running.bus)
    following = tasks.create_task(running.part("phone book", phonebook.run), name="phone book")
    await phonebook.read()
    for name in running.settings.pbx:
        await rehearse(running.writer, phonebook.context, name, after=house.after_calls(running.settings))
        listener = running.listeners[name] = _listener(running, name, phonebook)
        metrics.watch(name, listener)
        await listener.start()
        running.at_end(listener.close)
        tasks.create_task(running.part(f"listener {name}", listener.wait), name=f"listener of {name}")
    running.at_end(lambda: jobs.stop(following))


def _listener(running: Running, name: str, phonebook: house.PhoneBook) -> Listener:
    after = house.after_calls(running.settings)

    async def record(unit: Unit, changes: Sequence[Change]) -> None:
        await service.record(unit, changes, phonebook.context, after=after)

    async def settle(unit: Unit, going_on: Collection[str]) -> None:
        gone = await unfinished.end_unknown(unit, name, going_on)
        for follow in after if gone else ():
            await follow(unit, await reread(unit, gone, phonebook.context))

    return asterisk_listener(
        name,
        running.settings.pbx[name],
        Calls(name),
        record=record,
        open_since=lambda db: unfinished.open_since(db, name),
        settle=settle,
        database=running.database,
        writer=running.writer,
        bus=running.bus,
    )


# ---- push ------------------------------------------------------------------------------------------
async def _open_push(running: Running) -> None:
    settings = running.settings
    hub = Hub(settings.push.queue)
    feed = Feed(running.database, running.writer, running.bus, hub, house.labels(settings))
    public = tuple(address for address in (settings.web.public_url, settings.push.public_url) if address)
    options = GatewayOptions(
        settings.push.host, settings.push.port, COOKIE, public=public, web_port=running.web_port or settings.web.port
    )
    running.gateway = Gateway(options, hub, feed, Doorman(running.database))
    await running.gateway.open()
    running.push_port = running.gateway.port


# ---- web -------------------------------------------------------------------------------------------
async def _start_web(running: Running, bound: socket.socket) -> None:
    from webui.app import make_app  # the pages are many; other roles start without them

    push_port = running.push_port or running.settings.push.port
    app = make_app(Parts(running.settings, running.database, running.writer, running.bus, push_port))
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=WEB_CLOSE_S)
    await runner.setup()
    running.at_end(runner.cleanup)
    await web.SockSite(runner, bound).start()


# ---- worker ----------------------------------------------------------------------------------------
def _start_worker(running: Running, tasks: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
    looker = Looker()
    stack.callback(looker.close)
    vaulting.start(running, tasks, stack, looker)

    async def sweep() -> None:
        await running.writer.do(sessions.sweep, name="sweep of sessions")
        await journal.trim(running.writer, running.settings.journal.days)
        await streams.prune(running.writer, running.settings.journal.facts_days)

    sweeping = jobs.periodic("sweep", SWEEP_S, sweep, at_once=True)
    queue_people = {name: queue.people for name, queue in running.settings.queues.items()}
    look = partial(reminders.look, running.database, running.writer, queue_people)
    reminding = jobs.periodic("reminders", reminders.LOOK_S, look, at_once=True)
    overdue = Escalation(running.database, running.writer, house.rules(running.settings))
    escalating = jobs.periodic("escalation", EVERY_S, overdue.run_once, at_once=True)
    keeper = Keeper(
        running.database,
        running.writer,
        running.bus,
        house.shift_rules(running.settings),
        longest_h=running.settings.shift.longest_h,
    )
    keeping = tasks.create_task(running.part("shifts", keeper.run), name="shifts")
    gaps = GapKeeper(running.database, running.writer, running.bus)
    pausing = tasks.create_task(running.part("gaps in recordings", gaps.run), name="gaps in recordings")
    looking = tasks.create_task(running.part("xrays", _xrays(running, stack).run), name="xrays")
    running.at_end(lambda: jobs.stop(sweeping, keeping, reminding, escalating, pausing, looking))
    _start_law(running, stack)
    sampler = drawing.Sampler(running.database, running.writer, house.zone(running.settings))
    sampling = jobs.periodic("sampler", drawing.EVERY_S, sampler.run_once, at_once=True)
    running.at_end(lambda: jobs.stop(sampling))


def _start_law(running: Running, stack: AsyncExitStack) -> None:
    """What the law asks of sounds, seldom and in small pieces."""
    opener = Opener(Places.of(running.settings))
    stack.push_async_callback(opener.close)
    retention = Retention(running.database, running.writer, opener)
    every_s = running.settings.law.retention_every_h * 3600
    deleting = jobs.periodic("retention", every_s, retention.run_all, at_once=True)
    law, journal_days = running.settings.law, running.settings.journal.days
    packing = Packing(running.database, running.writer, opener, Path(law.person_files), law.person_files_days)
    erasing = Erasing(running.database, running.writer, opener, journal_days, version("callcrm"))

    async def persons() -> None:
        await packing.run_once()
        await erasing.run_once()

    asked = jobs.periodic("person files and erasures", PERSONS_S, persons, at_once=True)
    running.at_end(lambda: jobs.stop(deleting, asked))


def _xrays(running: Running, stack: AsyncExitStack) -> Xraying:
    opener = Opener(Places.of(running.settings))
    stack.push_async_callback(opener.close)
    return xraying(running.database, running.writer, running.bus, opener, running.settings.xray.share)
