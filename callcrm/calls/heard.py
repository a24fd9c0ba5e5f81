"""Recordings as they are played: the file behind a number, its drawing, and the audit of who listened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, visible_calls
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class SoundFile:
    """Where a recording lies, as the PBX named it, and how it stands."""

    pbx: str
    file: str
    state: str
    cause: str


async def sound_file(db: AsyncConnection, actor: Actor, call_id: str, n: int) -> SoundFile:
    """A recording of a call that the actor may hear. Raises NotFound and NotAllowed."""
    require(actor, Right.LISTEN)
    part = (CallRow.began == CallRecording.began) & (CallRow.id == CallRecording.call_id)
    columns = (CallRecording.pbx, CallRecording.file, CallRecording.state, CallRecording.cause)
    wanted: Select[*tuple[Any, ...]] = select(*columns).join(CallRow, part)
    this = wanted.where(CallRecording.call_id == call_id, CallRecording.n == n)
    row = (await db.execute(visible_calls(actor, this))).first()
    if row is None:
        raise NotFound("There is no such recording, or it is not yours to hear.")
    return SoundFile(*row)


async def drawings(db: AsyncConnection, calls: Sequence[str]) -> dict[tuple[str, int], bytes]:
    """The drawings of these calls' recordings, by call and number, for who has seen that he may see the calls."""
    if not calls:
        return {}
    columns = (CallRecording.call_id, CallRecording.n, CallRecording.peaks)
    drawn = (CallRecording.call_id.in_(calls), CallRecording.peaks.is_not(None))
    return {(row.call_id, row.n): row.peaks or b"" for row in await db.execute(select(*columns).where(*drawn))}
