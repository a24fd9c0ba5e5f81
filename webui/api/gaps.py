"""Pausing the recording of a live call, for programs: a payment page pauses it while a card number is typed."""

from datetime import datetime

from pydantic import Field

from callcrm.accounts.policy import Right
from callcrm.calls import queries
from callcrm.custody import pausing
from callcrm.custody.pausing import Gap
from callcrm.kernel.errors import NotFound
from webui import gaps
from webui.api.endpoint import Asked, Shape
from webui.api.operations import api


class RecordingGap(Shape):
    """A stretch of a call that was not recorded; it counts once `state` is open."""

    id: str
    state: str = Field(description="asked, open, closing, closed, or refused: then the recording went on.")
    reason: str
    asked_at: datetime
    begins_at: datetime | None = None
    resume_at: datetime = Field(description="When the recording goes on by itself.")
    ended_at: datetime | None = None
    ended_how: str = Field(default="", description="hand, time, or call: the call ended.")
    seconds: float | None = None
    words: str = Field(default="", description="Why it did not come about, or does not end.")


class GapPage(Shape):
    """A call's gaps, the oldest first."""

    items: list[RecordingGap]
    next: None = None


class PauseBody(Shape):
    """For how long, at most, and what for."""

    seconds: float | None = Field(
        default=None, ge=pausing.SHORTEST_S, le=pausing.LONGEST_S, description="Left out: law.pause_s of the settings."
    )
    reason: str = Field(default="card data", max_length=100)


@api.operation("GET", "/calls/{id}/gaps", "Where a call was not recorded", right=Right.CALLS, answer=GapPage)
async def get_gaps(asked: Asked[None, None]) -> GapPage:
    """Of a call that the asker may see."""
    call = asked.path["id"]
    async with asked.parts.database.read() as db:
        await queries.whole_call(db, asked.actor, call)
        found = await pausing.gaps_of(db, call)
    return GapPage(items=[_shape(gap) for gap in found])


@api.operation(
    "POST",
    "/calls/{id}/gaps",
    "Pause the recording of a live call; it goes on by itself. Wait until `state` is open before the card number is "
    "said. 409 when it cannot be paused now",
    right=Right.DIAL,
    body=PauseBody,
    answer=RecordingGap,
    status=202,
    errors=(409,),
)
async def pause_recording(asked: Asked[None, PauseBody]) -> RecordingGap:
    """Asked again while it lasts, it is the same gap, which then lasts so long from now."""
    body = asked.body
    gap = await gaps.act(
        asked.parts, asked.actor, asked.path["id"], "pause", seconds=body.seconds or 0.0, reason=body.reason
    )
    return _shape(gap)


@api.operation(
    "POST",
    "/calls/{id}/gaps/{gap}/end",
    "Record again. 409 when nothing is paused",
    right=Right.DIAL,
    answer=RecordingGap,
    status=202,
    errors=(409,),
)
async def resume_recording(asked: Asked[None, None]) -> RecordingGap:
    """The gap ends once the PBX has said so."""
    call, wanted = asked.path["id"], asked.path["gap"]
    async with asked.parts.database.read() as db:
        await pausing.standing(db, asked.actor, call)
        known = {gap.id for gap in await pausing.gaps_of(db, call)}
    if wanted not in known:
        raise NotFound("There is no such gap of this call.")
    return _shape(await gaps.act(asked.parts, asked.actor, call, "resume"))


def _shape(gap: Gap) -> RecordingGap:
    return RecordingGap(**{name: getattr(gap, name) for name in RecordingGap.model_fields})
