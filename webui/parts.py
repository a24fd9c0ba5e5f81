"""What the web stands on, handed in by the composition root."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from callcrm.kernel.bus import Bus
    from callcrm.kernel.database import Database
    from callcrm.kernel.writer import Writer
    from callcrm.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that pages and the API use; `push_port` is the bound port where the settings ask for any."""

    settings: "Settings"
    database: "Database"
    writer: "Writer"
    bus: "Bus"
    push_port: int = 0


PARTS = web.AppKey("parts", Parts)
