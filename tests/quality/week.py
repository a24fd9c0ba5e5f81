"""An operator's calls of a week, written as rows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callcrm.accounts.policy import Actor
from callcrm.calls.tables import CallOperator, CallRecording, CallRow
from callcrm.calls.xraytables import Xray
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.quality import plans
from callcrm.quality.tables import Evaluation, QualityForm
from tests import people

KYIV = ZoneInfo("Europe/Kyiv")
#: A Monday, ten o'clock in Kyiv.
MONDAY = datetime(2026, 11, 9, 8, tzinfo=UTC)
#: The Wednesday after: the week of MONDAY is over, and its last recordings were looked through.
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
PLAN: dict[str, Any] = {
    "lots": 2,
    "risks": 1,
    "least_s": 30.0,
    "heard_only": True,
    "active": True,
    "long_hold": 60.0,
    "repeat_caller": None,
    "near_h": 24.0,
    "talk_over": None,
    "short_call": None,
    "complaint": None,
}


async def add_call(writer: Writer, call_id: str, at: datetime, by: Actor = people.OLGA, **more: Any) -> None:
    """A call that `by` answered; `more`: its columns, `part_s`, `overlap_s`, `state` of its recording ("": none)."""
    talk_s = more.pop("part_s", 120.0)
    state, overlap_s = more.pop("state", "present"), more.pop("overlap_s", None)
    row = {"began": at.replace(microsecond=0), "id": call_id, "pbx": "office", "uniqueid": call_id, "at": at}
    row |= {"direction": "inbound", "ended_at": at + timedelta(minutes=5), "answered_at": at, "talk_s": talk_s}
    row |= {"client_number": "+79161234567", "hold_s": None, "disposition": None, "outcome": "answered"}
    key = {"began": row["began"], "call_id": call_id}

    async def work(unit: Unit) -> None:
        await upsert(unit.db, CallRow, {**row, **more})
        part = {"extension": by.extensions[0].extension if by.extensions else "100", "user_id": by.user_id}
        await upsert(unit.db, CallOperator, {**key, **part, "answered": True, "rang": True, "talk_s": talk_s})
        if state:
            file = {"n": 0, "pbx": "office", "file": f"{call_id}.wav", "state": state, "seconds": 120.0, "channels": 2}
            await upsert(unit.db, CallRecording, {**key, **file})
        if overlap_s is not None:
            xray = {"at": at, "made_at": at, "overlaps": 4, "overlap_s": overlap_s}
            await upsert(unit.db, Xray, {**key, **xray})

    await writer.do(work, name="call")


async def add_week(writer: Writer, count: int = 12, by: Actor = people.OLGA, begin: datetime = MONDAY) -> list[str]:
    """So many plain calls from Monday to Friday."""
    names = [f"{by.name}-{begin:%m%d}-{n}" for n in range(count)]
    for n, name in enumerate(names):
        await add_call(writer, name, begin + timedelta(hours=n * 96 / count), by)
    return names


async def plan(writer: Writer, actor: Actor = people.VERA, team: str = "", version: int = 0, **more: Any) -> int:
    """Save a plan; gives its version."""
    return await writer.do(
        lambda unit: plans.save(unit, actor, team, {**PLAN, **more}, version=version, zone=KYIV), name="plan"
    )


async def review(writer: Writer, call_id: str, began: datetime, of: Actor, by: Actor, **more: Any) -> None:
    """An evaluation of somebody's part in a call."""
    row = {"began": began, "call_id": call_id, "form_id": 1, "form_n": 1, "subject_id": of.user_id}
    row |= {"grader_id": by.user_id, "state": "submitted", "answers": {}, "created_at": NOW, "changed_at": NOW}

    async def work(unit: Unit) -> None:
        form = {"id": 1, "name": "Calls", "created_at": NOW, "created_by": by.user_id}
        await upsert(unit.db, QualityForm, form)
        await unit.db.execute(Evaluation.__table__.insert().values(**{**row, **more}))  # type: ignore[attr-defined]

    await writer.do(work, name="review")
