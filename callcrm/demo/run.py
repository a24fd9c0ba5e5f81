"""The demo as a place to run the ordinary daemon in: its data, its settings, and the simulated PBX beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import SecretStr

from ami.simulator import DemoPbx, Recording
from ami.simulator.names import MONITOR_FOLDER
from callcrm import house
from callcrm.demo import data, strays
from callcrm.demo.sound import prune, write_recording
from callcrm.demo.story import (
    COUNTRY,
    DISPOSITIONS,
    LINES,
    OFFICE,
    OLD_SHOP,
    PBX,
    QUEUES,
    WRAP_UPS,
    a_story,
    direct_lines,
)
from callcrm.dispositions import DispositionSettings, read
from callcrm.kernel.bus import LocalBus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.kernel.writer import Writer
from callcrm.settings import (
    CalendarSettings,
    CallbackSettings,
    DatabaseSettings,
    LawSettings,
    LineSettings,
    PbxSettings,
    PushSettings,
    QueueSettings,
    Settings,
    WebSettings,
    WeekSettings,
)
from callcrm.vaultsettings import VaultSettings

log = structlog.get_logger(__name__)

#: Calls in the background; the shown operator's own come besides.
CALLS_PER_MINUTE = 8.0
#: The newest recordings are kept up to this.
MOST_BYTES = 300_000_000
#: More recordings than this do not wait to be written.
_MOST_WAITING = 40
_PRUNE_EVERY = 20


@dataclass(frozen=True, slots=True)
class Site:
    """What the daemon is to run with, and who may sign in."""

    settings: Settings
    logins: Sequence[data.Login]
    pbx: DemoPbx


def settings_of(folder: Path, pbx_port: int, *, web_port: int, push_port: int) -> Settings:
    """The demo's settings: one PBX, always open, a callback promised within half an hour."""
    always = WeekSettings(**dict.fromkeys(WeekSettings.model_fields, ("00:00-24:00",)))
    rarely = WeekSettings(**dict.fromkeys(WeekSettings.model_fields, ()) | {"sat": ("11:00-12:00",)})
    return Settings(
        database=DatabaseSettings(url=f"sqlite:///{folder / 'callcrm.db'}"),
        web=WebSettings(port=web_port),
        push=PushSettings(port=push_port),
        pbx={
            PBX: PbxSettings(
                host="127.0.0.1",
                port=pbx_port,
                username="callcrm",
                secret=SecretStr("callcrm-secret"),
                country=COUNTRY,
                trunks="PJSIP/trunk",
                operators=r"PJSIP/1\d\d",
                own_numbers=(OFFICE, *LINES),
                dial_context="internal",
                recordings=str(folder / "recordings"),
                recordings_from=MONITOR_FOLDER,
            )
        },
        lines={
            number: LineSettings(label=label, queue=queue, calendar="old_shop" if number == OLD_SHOP else "")
            for number, (label, queue) in (LINES | direct_lines()).items()
        },
        # The old shop answers for an hour a week, so that there is a clock that waits for an opening.
        calendars={"old_shop": CalendarSettings(time_zone="Europe/Moscow", hours=rarely)},
        queues={
            name: QueueSettings(label=label, people=people, wrap_up=WRAP_UPS[name], wrap_up_s=20)
            for name, (label, people) in QUEUES.items()
        },
        callbacks=CallbackSettings(hours=always),
        dispositions=DispositionSettings(queues={"sales": read(DISPOSITIONS)}),
        vault=VaultSettings(folder=str(folder / "vault"), work=str(folder / "work"), settle_s=5),
        # What its rules delete is seen within minutes; person files lie with the demo's other data.
        law=LawSettings(retention_every_h=0.05, person_files=str(folder / "person-files")),
    )


@asynccontextmanager
async def demo_site(
    folder: Path, *, web_port: int, push_port: int, speed: float = 1.0, days: int = data.DAYS, seed: int = 1
) -> AsyncIterator[Site]:
    """Prepare the demo in a folder and run its PBX for as long as the block lasts.

    The data is made on the first start. Calls begin when somebody listens. Raises StartupError.
    """
    recordings = (folder / "recordings").absolute()
    try:
        recordings.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = error.strerror or "unknown error"
        raise StartupError(
            f"The demo cannot write to {folder} ({words}): choose another folder with --data."
        ) from error
    keeper = _Keeper(recordings)
    pbx = DemoPbx(a_story(), calls_per_minute=CALLS_PER_MINUTE, speed=speed, on_recording=keeper.keep, patient=True)
    await pbx.start()
    try:
        settings = settings_of(recordings.parent, pbx.port, web_port=web_port, push_port=push_port)
        await _fill(settings, recordings, days, seed)
        yield Site(settings, data.logins(), pbx)
    finally:
        await pbx.stop()
        await keeper.close()


async def _fill(settings: Settings, recordings: Path, days: int, seed: int) -> None:
    database = await Database.open(settings.database.url)
    try:
        async with LocalBus(database) as bus, Writer(database, bus) as writer:
            after = house.after_calls(settings)
            await data.fill(database, writer, recordings, after=after, days=days, seed=seed)
            await asyncio.to_thread(strays.leave, recordings)
    finally:
        await database.close()


class _Keeper:
    """Writes the recordings of the simulated calls in a thread; the oldest are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(1, "demo-sound")
        self._waiting = 0
        self._written = 0

    def keep(self, recording: Recording) -> None:
        """A call's recording is over."""
        if self._waiting >= _MOST_WAITING:
            log.warning("a demo recording was passed over: too many wait to be written", file=recording.file)
            return
        self._waiting += 1
        asyncio.get_running_loop().run_in_executor(self._pool, self._write, recording).add_done_callback(self._done)

    def _write(self, recording: Recording) -> None:
        write_recording(self._folder, recording)
        self._written += 1
        if self._written % _PRUNE_EVERY == 0:
            prune(self._folder, MOST_BYTES)

    def _done(self, written: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        if not written.cancelled() and (error := written.exception()):
            log.error("a demo recording could not be written", error=str(error))

    async def close(self) -> None:
        """Finish what waits."""
        await asyncio.to_thread(self._pool.shutdown)
