"""The X-ray of recordings wherever they lie, without what was paused: binds `calls.xraying` to places and gaps."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.xraying import Xraying
from callcrm.custody import pausing
from callcrm.custody.opening import Opener, sound_of
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer


def xraying(database: Database, writer: Writer, bus: Bus, opener: Opener, share: float) -> Xraying:
    """The worker that looks through recordings; `share` is of one processor's time, 0 looks through nothing."""

    @asynccontextmanager
    async def local(call_id: str, n: int) -> AsyncIterator[Path]:
        async with database.read() as db:
            lying = await sound_of(db, call_id, n)
        async with opener.local(lying) as path:
            yield path

    return Xraying(database, writer, bus, local, quiet=_paused, share=share)


async def _paused(db: AsyncConnection, call_id: str) -> Sequence[tuple[datetime, datetime | None]]:
    """When the recording was paused: nobody can have talked, and it was no silence."""
    gaps = await pausing.gaps_of(db, call_id)
    return [(gap.begins_at, gap.ended_at) for gap in gaps if gap.begins_at is not None]
