"""The recordings that a PBX told of, as rows of their call; the sound itself is looked at later."""

from datetime import datetime

from sqlalchemy import and_, bindparam, insert, select, update

from callcrm.calls.call import Call
from callcrm.calls.rows import moment
from callcrm.calls.tables import CallRecording
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import storable
from callcrm.kernel.writer import Unit

_FILE = 500
_THERE = Prepared(
    select(CallRecording.n, CallRecording.file, CallRecording.first_lane).where(
        CallRecording.began == bindparam("began"), CallRecording.call_id == bindparam("call_id")
    )
)
_ADD = Prepared(insert(CallRecording))
_TURN = Prepared(
    update(CallRecording)
    .where(
        CallRecording.began == bindparam("b_began"),
        CallRecording.call_id == bindparam("b_call"),
        CallRecording.n == bindparam("b_n"),
    )
    .values(first_lane=bindparam("b_lane"), xrayed_at=None),
    keyed=True,
)
_LOOK = Prepared(
    update(CallRecording)
    .where(
        and_(CallRecording.began == bindparam("b_began"), CallRecording.call_id == bindparam("b_call")),
        CallRecording.state == "writing",
        CallRecording.check_at.is_(None),
    )
    .values(check_at=bindparam("b_now")),
    keyed=True,
)


def same_file(one: str, other: str) -> bool:
    """Whether two names are of one file: the PBX tells it with more of its folder, or with less."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


async def write(unit: Unit, call: Call, first: datetime) -> None:
    """Add the call's sound files that are not there yet; numbers once given stay.

    A file is "writing" while its call goes on; from the end on it is to be looked at (`check_at`). Which leg is the
    client's, and so whose lane is the first, may be known only later.
    """
    rows = await _THERE.all(unit.db, {"began": first, "call_id": call.id})
    there = {row.file: row for row in rows}
    n = max((row.n for row in rows), default=-1)
    fresh = []
    for sound in call.recordings:
        file = storable(sound.file)[:_FILE]
        known = next((one for one in there if same_file(file, one)), None)
        if known is None:
            n += 1
            there[file] = None
            row = {"began": first, "call_id": call.id, "n": n, "pbx": call.pbx, "file": file, "state": "writing"}
            fresh.append(row | {"at": moment(sound.at), "first_lane": sound.first_lane})
        elif there[known] is not None and there[known].first_lane != sound.first_lane:
            key = {"b_began": first, "b_call": call.id, "b_n": there[known].n}
            await _TURN.run(unit.db, {**key, "b_lane": sound.first_lane})
    if fresh:
        await _ADD.run(unit.db, fresh)
        for row in fresh:
            unit.fact("recording.changed", stream=f"pbx:{call.pbx}", call=call.id, n=int(str(row["n"])))
    if call.state == "ended":
        await _LOOK.run(unit.db, {"b_began": first, "b_call": call.id, "b_now": unit.now})
