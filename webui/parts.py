"""What the web stands on, handed in by the composition root."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from callcrm.custody.opening import Opener
from callcrm.custody.places import Places

if TYPE_CHECKING:
    from callcrm.kernel.bus import Bus
    from callcrm.kernel.database import Database
    from callcrm.kernel.writer import Writer
    from callcrm.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that pages and the API use; `push_port` is the bound port where the settings ask for any.

    `opener` is how sounds are got at; unless one is handed in, it stands on the places of the settings.
    """

    settings: "Settings"
    database: "Database"
    writer: "Writer"
    bus: "Bus"
    push_port: int = 0
    opener: Opener = field(default=None)  # type: ignore[assignment] # set below, from the settings

    def __post_init__(self) -> None:
        if self.opener is None:
            object.__setattr__(self, "opener", Opener(Places.of(self.settings)))


PARTS = web.AppKey("parts", Parts)
