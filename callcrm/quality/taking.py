"""What supervisors do with a call that was drawn: take it, let it go, skip it with a reason, put it back."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update

from callcrm.accounts.policy import Actor, Right, require
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality import drawing, sampling
from callcrm.quality.sampling import Sampled
from callcrm.quality.sampling_tables import SampledCall

REASON = 200


async def take(unit: Unit, actor: Actor, sampled_id: int) -> Sampled:
    """Have a call for oneself for a while. Raises NotFound, Conflict when it is done or somebody else has it open."""
    found = await _load(unit, actor, sampled_id)
    _waiting(actor, found)
    await _set(unit, sampled_id, taken_by=actor.user_id, taken_at=unit.now)
    _fact(unit, found)
    return found


async def let_go(unit: Unit, actor: Actor, sampled_id: int) -> None:
    """Give a call back that one had taken: it is offered to others again."""
    found = await _load(unit, actor, sampled_id)
    if found.taken_by == actor.user_id:
        await _set(unit, sampled_id, taken_by=None, taken_at=None)
        _fact(unit, found)


async def skip(unit: Unit, actor: Actor, sampled_id: int, reason: str, zone: ZoneInfo) -> int:
    """Do not review a call, and say why; the same draw gives another one. Gives how many came in its place (0 or 1).

    Raises NotFound, Invalid without a reason, Conflict when it is done or somebody else has it open.
    """
    found, said = await _load(unit, actor, sampled_id), reason.strip()
    if not said or len(said) > REASON:
        raise Invalid("Say why this call is not reviewed.", {"reason": f"some words, at most {REASON} characters"})
    _waiting(actor, found)
    await _set(
        unit, sampled_id, state="skipped", reason=said, closed_by=actor.user_id, closed_at=unit.now, taken_by=None
    )
    await audit.write(unit, actor, "skip", "sampled call", sampled_id, {"call": found.call_id})
    _fact(unit, found)
    return await drawing.draw_again(unit, found.draw_id, zone)


async def put_back(unit: Unit, actor: Actor, sampled_id: int) -> None:
    """Undo a skipping: the call waits again, and what came in its place goes, unless somebody has it open.

    Raises NotFound, and Conflict when it was not skipped.
    """
    found = await _load(unit, actor, sampled_id)
    if found.state != "skipped":
        raise Conflict("This call was not skipped.", found)
    await _set(unit, sampled_id, state="waiting", reason="", closed_by=None, closed_at=None)
    await _withdraw(unit, actor, found)
    await audit.write(unit, actor, "put back", "sampled call", sampled_id, {"call": found.call_id})
    _fact(unit, found)


async def _withdraw(unit: Unit, actor: Actor, found: Sampled) -> None:
    later = (SampledCall.draw_id == found.draw_id, SampledCall.state == "waiting", SampledCall.place > found.place)
    last = select(SampledCall.id).where(*later, SampledCall.taken_by.is_(None)).order_by(SampledCall.place.desc())
    if (row := (await unit.db.execute(last.limit(1))).scalar_one_or_none()) is not None:
        newest = await sampling.one(unit.db, actor, row)
        if newest is not None and newest.state == "waiting":
            await unit.db.execute(delete(SampledCall).where(SampledCall.id == row))


async def _load(unit: Unit, actor: Actor, sampled_id: int) -> Sampled:
    require(actor, Right.SCORE)
    await unit.db.execute(select(SampledCall.id).where(SampledCall.id == sampled_id).with_for_update())
    found = await sampling.one(unit.db, actor, sampled_id)
    if found is None:
        raise NotFound("This call is not to be reviewed, or its operator is not one of yours.")
    return found


def _waiting(actor: Actor, found: Sampled) -> None:
    if found.state == "reviewed":
        raise Conflict("This call was reviewed meanwhile.", found)
    if found.state == "skipped":
        raise Conflict("Somebody skipped this call meanwhile.", found)
    if found.taken_by not in (None, actor.user_id):
        raise Conflict(f"{found.taken_name} has this call open; take the next one.", found)


def _fact(unit: Unit, found: Sampled) -> None:
    unit.fact("review.changed", review=found.id, user=found.operator_id)


async def _set(unit: Unit, sampled_id: int, **values: Any) -> None:
    await unit.db.execute(update(SampledCall).where(SampledCall.id == sampled_id).values(values))
