"""How a PBX's link stands, as a row for people and for the other processes, with the fact `link.changed`."""

import asyncio
from datetime import UTC, datetime

import structlog

from ami.link import Link
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.tables import LinkState
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer

#: The actions that people ask for: what may be sent of these is told to who offers them.
ACTED = frozenset(
    {
        "Originate",
        "Hangup",
        "BlindTransfer",
        "Atxfer",
        "CancelAtxfer",
        "Park",
        "PlayDTMF",
        "QueuePause",
        "MixMonitorMute",
    }
)

_log = structlog.get_logger(__name__)
#: How often a link that is up is said to be.
_SEEN_S = 30.0


class LinkBook:
    """Writes the newest state; states in between that nobody could have read are left out."""

    def __init__(self, pbx: str, writer: Writer) -> None:
        self._pbx, self._writer = pbx, writer
        self._link: Link | None = None
        self._told: tuple[str, str] | None = None
        self._changed = asyncio.Event()

    def note(self, link: Link) -> None:
        """The link has another state."""
        self._link = link
        self._changed.set()

    async def run(self) -> None:
        """Write each state as it comes, and now and then that the link is still up."""
        while True:
            try:
                async with asyncio.timeout(_SEEN_S):
                    await self._changed.wait()
            except TimeoutError:
                if self._link is None or not self._link.up:
                    continue
            await self.write()

    async def write(self) -> None:
        """Write the state as it is now."""
        self._changed.clear()
        link = self._link
        if link is None:
            return

        async def work(unit: Unit) -> None:
            await upsert(unit.db, LinkState, _row(self._pbx, link, unit.now))
            if (link.state, link.words) != self._told:
                unit.fact("link.changed", stream=f"pbx:{self._pbx}", pbx=self._pbx)

        try:
            await self._writer.do(work, name=f"link of {self._pbx}")
        except CallcrmError as error:
            _log.warning("the state of a link was not stored", pbx=self._pbx, why=str(error))
        else:
            self._told = (link.state, link.words)


def _row(pbx: str, link: Link, now: datetime) -> dict[str, object]:
    row: dict[str, object] = {
        "pbx": pbx,
        "state": str(link.state),
        "words": link.words[:500],
        "since": datetime.fromtimestamp(link.since, UTC),
        "version": link.version,
        "detail": {
            "missing": list(link.missing),
            "attempt": link.attempt,
            "allowed": None if link.allowed is None else sorted(link.allowed & ACTED),
        },
    }
    return row | ({"seen_at": now} if link.up else {})
