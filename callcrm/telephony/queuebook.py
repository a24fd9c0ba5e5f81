"""A PBX's queues as rows for people and for the other processes, with the facts `queue.changed` and `phone.paused`.

An event only marks its queue; what changed is gathered for half a second and written in one unit, and only where
the picture is another than the one written last. So a burst of members' states costs one row each.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import and_, delete, not_, or_

from ami.messages import Message
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony.queues import QueuePicture, Queues
from callcrm.telephony.tables import QueueMember, QueueRow

_log = structlog.get_logger(__name__)
GATHER_S = 0.5


class QueueBook:
    """Writes what `queues` shows; `hear` is called with every event, `run` until cancelled."""

    def __init__(self, pbx: str, writer: Writer, queues: Queues) -> None:
        self._pbx, self._writer, self._queues = pbx, writer, queues
        self._written: dict[str, QueuePicture] = {}
        self._whole = False
        self._changed = asyncio.Event()

    def hear(self, message: Message, at: float) -> None:
        """Learn from one event."""
        self._queues.hear(message, at)
        if self._queues.changed:
            self._changed.set()

    async def run(self) -> None:
        """Write what changed, as often as it does, but not more often than twice a second."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_S)
            await self.write()

    async def write(self) -> None:
        """Write the queues that changed; after the first list also which others there are not any more."""
        self._changed.clear()
        changed, flipped = set(self._queues.changed), set(self._queues.flipped)
        self._queues.changed.clear()
        self._queues.flipped.clear()
        pictures = {name: self._queues.picture(name) for name in sorted(changed)}
        fresh = {name: one for name, one in pictures.items() if self._written.get(name) != one}
        whole = self._queues.listed and not self._whole
        gone = sorted(self._written.keys() - set(self._queues.names))
        if not (fresh or flipped or gone or whole):
            return

        async def work(unit: Unit) -> None:
            await self._write(unit, fresh, flipped, gone, whole=whole)

        try:
            await self._writer.do(work, name=f"queues of {self._pbx}")
        except CallcrmError as error:
            _log.warning("the queues were not stored; they will be", pbx=self._pbx, why=str(error))
            self._queues.changed |= changed
            self._queues.flipped |= flipped
            self._changed.set()
            return
        self._whole = self._whole or whole
        self._written |= fresh
        for name in gone:
            del self._written[name]

    async def _write(
        self,
        unit: Unit,
        fresh: Mapping[str, QueuePicture],
        flipped: Iterable[str],
        gone: Iterable[str],
        *,
        whole: bool,
    ) -> None:
        stream = f"pbx:{self._pbx}"
        for table in (QueueRow, QueueMember):
            dead = table.queue.not_in(self._queues.names) if whole else table.queue.in_(list(gone))
            await unit.db.execute(delete(table).where(table.pbx == self._pbx, dead))
        if fresh:
            await self._write_pictures(unit, list(fresh.values()))
        for name in [*fresh, *gone]:
            unit.fact("queue.changed", stream=stream, pbx=self._pbx, queue=name)
        for extension in sorted(flipped):
            unit.fact("phone.paused", stream=stream, pbx=self._pbx, extension=extension)

    async def _write_pictures(self, unit: Unit, pictures: list[QueuePicture]) -> None:
        kept = [
            and_(QueueMember.queue == one.queue, QueueMember.interface.in_([place.interface for place in one.places]))
            for one in pictures
        ]
        named = QueueMember.queue.in_([one.queue for one in pictures])
        await unit.db.execute(delete(QueueMember).where(QueueMember.pbx == self._pbx, named, not_(or_(*kept))))
        await upsert(unit.db, QueueRow, [self._row(one, unit.now) for one in pictures])
        await upsert(unit.db, QueueMember, [row for one in pictures for row in self._places(one)])

    def _row(self, one: QueuePicture, now: datetime) -> dict[str, Any]:
        since = datetime.fromtimestamp(one.longest, UTC) if one.longest is not None else None
        row: dict[str, Any] = {"pbx": self._pbx, "queue": one.queue, "waiting": one.waiting, "longest_since": since}
        return row | {"members": len(one.places), "changed_at": now}

    def _places(self, one: QueuePicture) -> Iterable[dict[str, Any]]:
        for place in one.places:
            row: dict[str, Any] = {"pbx": self._pbx, "queue": one.queue, "interface": place.interface}
            row |= {"extension": place.extension, "name": place.name, "state": place.state}
            yield row | {
                "paused": place.paused,
                "reason": place.reason,
                "paused_at": datetime.fromtimestamp(place.paused_at, UTC),
            }
