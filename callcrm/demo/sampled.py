"""The demo's plan of what is reviewed, with its first draws, and moments of calls to learn from."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallOperator, CallRecording
from callcrm.kernel import clock
from callcrm.kernel.database import Database
from callcrm.kernel.unit import Unit
from callcrm.kernel.writer import Writer
from callcrm.quality import coached, coaching, plans
from callcrm.quality.coaching import Stretch
from callcrm.quality.drawing import Sampler

#: The demo's talks are short; its recordings are looked at only when the service runs.
PLAN: dict[str, Any] = {"lots": 2, "risks": 1, "least_s": 8.0, "heard_only": False, "active": True, "near_h": 24.0}
PLAN |= {"long_hold": 9.0, "repeat_caller": 4, "talk_over": 2.0, "short_call": 5.0, "complaint": ["Complaint"]}
_MOMENT_S = (2.0, 9.0)
COACHING = (
    "The greeting says who we are, and offers help in one breath.",
    "She asks for the order's number before she looks for it.",
    "He says what happens next, and when.",
)


async def sample(database: Database, writer: Writer, boss: Actor, ids: Mapping[str, int]) -> None:
    """Vera's plan, what is drawn by it now, and a coaching list of hers that Olha has begun to hear."""
    zone = ZoneInfo("UTC")
    await writer.do(partial(plans.save, actor=boss, team="", typed=PLAN, version=0, zone=zone), name="demo-plan")
    await Sampler(database, writer, zone).draw(clock.now(), running_by=boss.user_id)
    await writer.do(partial(_coach, boss=boss, ids=ids), name="demo-coaching")


async def _coach(unit: Unit, boss: Actor, ids: Mapping[str, int]) -> None:
    part = (CallOperator.began == CallRecording.began) & (CallOperator.call_id == CallRecording.call_id)
    heard = (CallOperator.answered, CallOperator.talk_s > _MOMENT_S[1] + 2)
    columns = (CallRecording.began, CallRecording.call_id, CallRecording.n)
    newest = select(*columns).join(CallOperator, part).where(*heard).distinct()
    rows = (await unit.db.execute(newest.order_by(CallRecording.began.desc()).limit(len(COACHING)))).all()
    if not rows:
        return
    note = "Listen to the first breath: who we are, and an offer to help."
    key = await coaching.make(unit, boss, "Openings that work", note)
    moments = [
        await coaching.add_moment(unit, boss, key, Stretch(row.call_id, row.n, *_MOMENT_S), words)
        for row, words in zip(rows, COACHING, strict=False)
    ]
    await coaching.give(unit, boss, key, [ids["olha"]])
    olha = Actor(ids["olha"], "olha", "operator", via="command")
    first = await coached.moment(unit.db, olha, moments[0])
    await coached.note_listening(unit, olha, first, "192.0.2.24")
    await coached.hear(unit, olha, first.id, [[0.0, first.to_s - first.from_s]], address="192.0.2.24")
    await coached.heard(unit, olha, first.id)
