"""The journal of raw events: what each PBX said, kept some days, and re-read after a crash.

A snapshot knows whole seconds only, and nothing of what ended meanwhile; the journal knows all of it.
Each part is a row: lines as in a captured stream (`{"t": …, "msg": {…}}`), compressed. Parts are
written in the same unit as the calls that came out of them, so that the two never disagree.
"""

import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

from pydantic_core import to_json
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ami.capture import Captured, captured_line
from ami.messages import Message
from callcrm.kernel import clock
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.tables import RawEvents
from callcrm.kernel.writer import Unit, Writer

_ADD = Prepared(insert(RawEvents))
_JSON = json.JSONEncoder(ensure_ascii=False)
_LEVEL = 1
_PAGE = 50
#: A part that was damaged or forged does not fill the memory.
_MAX_BODY = 64 << 20


class Part:
    """Some consecutive raw events on their way to the database."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lines: list[tuple[float, Message | str]] = []

    def row(self, pbx: str) -> dict[str, object]:
        """The row of this part."""
        body = "\n".join(_line(at, what) for at, what in self.lines).encode("utf-8", "replace")
        return {
            "began": datetime.fromtimestamp(self.lines[0][0], UTC),
            "until": datetime.fromtimestamp(max(at for at, _ in self.lines), UTC),
            "pbx": pbx,
            "part": self.number,
            "count": len(self.lines),
            "body": zlib.compress(body, _LEVEL),
        }


class Journal:
    """Gathers one PBX's raw events; the listener writes what is gathered, in its own units."""

    def __init__(self, pbx: str) -> None:
        self.pbx = pbx
        self._numbers = count(1)
        self._part = Part(next(self._numbers))
        #: How many events there were so far.
        self.noted = 0

    def __len__(self) -> int:
        return len(self._part.lines)

    def note(self, at: float, what: Message | str) -> None:
        """One more event; a text is a marker: `opened` and `lost` of the link."""
        self._part.lines.append((at, what))
        self.noted += 1

    def cut(self, before: int | None = None) -> Part | None:
        """What was gathered, to be written with `write`; None when there is nothing.

        Only the events before the one with this count, if told.
        """
        lines = self._part.lines
        taken = len(lines) if before is None else before - 1 - (self.noted - len(lines))
        if taken <= 0 or not lines:
            return None
        part, self._part = self._part, Part(next(self._numbers))
        part.lines, self._part.lines = lines[:taken], lines[taken:]
        return part

    async def write(self, unit: Unit, part: Part) -> None:
        """Write a part in this unit."""
        await _ADD.run(unit.db, part.row(self.pbx))


async def read_back(db: AsyncConnection, pbx: str, since: datetime) -> AsyncIterator[Captured]:
    """What a PBX said since then, in order; `banner` and `closed` are where the link came and went.

    What cannot be read of a part is passed over.
    """
    table = RawEvents
    wanted = select(table.began, table.part, table.body).where(table.pbx == pbx, table.until >= since)
    wanted = wanted.order_by(table.began, table.part).limit(_PAGE)
    page = wanted
    while True:
        rows = (await db.execute(page)).all()
        for row in rows:
            for captured in _captured(row.body):
                yield captured
        if len(rows) < _PAGE:
            return
        last = rows[-1]
        behind = (table.began > last.began) | ((table.began == last.began) & (table.part > last.part))
        page = wanted.where(behind)


async def trim(writer: Writer, days: float) -> None:
    """Delete what is older than so many days."""
    before = clock.now() - timedelta(days=days)

    async def work(unit: Unit) -> None:
        await unit.db.execute(delete(RawEvents).where(RawEvents.until < before))

    await writer.do(work, name="trim the journal of raw events")


def _line(at: float, what: Message | str) -> str:
    if isinstance(what, str):
        return json.dumps({"t": at, "banner": "link"} if what == "opened" else {"t": at, "closed": True})
    try:
        return to_json({"t": at, "msg": what}).decode()
    except ValueError:
        # Bytes that were no text.
        return _JSON.encode({"t": at, "msg": what})


def _captured(body: bytes) -> list[Captured]:
    try:
        lines = zlib.decompressobj().decompress(body, _MAX_BODY).split(b"\n")
    except zlib.error:
        return []
    return [captured for line in lines if (captured := captured_line(line)) is not None]
