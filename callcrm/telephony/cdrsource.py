"""Where a PBX keeps its call detail records (CDR), and how its rows are had: a CSV file, or a table of a database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from callcrm.kernel.errors import CallcrmError

if TYPE_CHECKING:
    from callcrm.settings import PbxSettings

#: Rows are asked for from so much earlier: the zone of their times may be set wrong by a day at most.
MARGIN = timedelta(hours=28)
SCHEMES = ("sqlite", "postgresql", "postgres", "mysql", "mariadb")


class CdrTrouble(CallcrmError):
    """The CDR cannot be read; one sentence with the mend, and no password in it."""


@dataclass(frozen=True, slots=True)
class CdrSource:
    """The CDR of one PBX. `url` is a file's path or a database's address; `zone` None is this machine's."""

    pbx: str
    url: str = field(repr=False)
    table: str = "cdr"
    zone: tzinfo | None = None

    @property
    def file(self) -> bool:
        """Whether it is a CSV file."""
        return "://" not in self.url

    @property
    def place(self) -> str:
        """Where it is, for people: without user and password."""
        if self.file:
            return self.url
        parts = urlsplit(self.url)
        host = f"{parts.hostname}{f':{parts.port}' if parts.port else ''}" if parts.hostname else ""
        return f"{self.table} in {parts.scheme}://{host}{parts.path}"

    def local(self, moment: datetime) -> datetime:
        """A moment on the clock of the rows, without a zone."""
        return moment.astimezone(self.zone).replace(tzinfo=None)


def source(name: str, pbx: "PbxSettings") -> CdrSource | None:
    """The CDR that the settings of a PBX name; None where they name none."""
    zone = ZoneInfo(pbx.cdr_timezone) if pbx.cdr_timezone else None
    return CdrSource(name, pbx.cdr, pbx.cdr_table, zone) if pbx.cdr else None


async def fetch(cdr: CdrSource, since: datetime) -> list[dict[str, Any]]:
    """The rows from `since` on, and some before. Raises CdrTrouble."""
    from callcrm.telephony import cdrfile, cdrtable

    reader = cdrfile.fetch if cdr.file else cdrtable.fetch
    return await reader(cdr, since - MARGIN)
