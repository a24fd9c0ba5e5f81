"""What people and the rule do with stray files: link one to its call, take that back, put one aside.

Every act leaves an audit row. Linking moves no file: the call gets a recording of that name, which is then looked at
like any other.
"""

from typing import Any

from sqlalchemy import delete, func, insert, select, update

from callcrm.accounts.policy import Actor, Right, require
from callcrm.calls.tables import CallRecording, CallRow
from callcrm.custody.tables import KeptSound, StraySound
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, NotFound
from callcrm.kernel.writer import Unit

_FRESH = {"state": "writing", "cause": "", "seconds": None, "channels": None, "size": None, "peaks": None}


async def link(unit: Unit, actor: Actor | None, stray_id: int, call_id: str) -> int:
    """Give a stray to a call (`actor` None: by rule); the number of the recording. Raises NotFound and Conflict."""
    if actor is not None:
        require(actor, Right.PBX)
    stray = await _stray(unit, stray_id)
    if stray.state == "linked":
        raise Conflict("This file was linked meanwhile; look at the list again.")
    call = (await unit.db.execute(select(CallRow.began, CallRow.pbx).where(CallRow.id == call_id))).first()
    if call is None:
        raise NotFound("There is no such call.")
    if await _told(unit, stray.pbx, stray.file):
        raise Conflict("A call told of this file meanwhile; look at the list again.")
    began, n, replaced = await _place(unit, stray, call_id, call.began)
    values = {"state": "linked", "call_id": call_id, "began": began, "n": n, "replaced": replaced}
    values |= {"how": "person" if actor else "rule", "by": actor.user_id if actor else None, "settled_at": unit.now}
    await _set(unit, stray_id, values)
    await audit.write(unit, actor, "link", "recording", f"{call_id}/{n}", {"stray": stray_id})
    unit.fact("recording.changed", stream=f"pbx:{stray.pbx}", call=call_id, n=n)
    return n


async def _place(unit: Unit, stray: Any, call_id: str, began: Any) -> tuple[Any, int, str]:
    """The recording that the stray becomes: one whose file is missing, else a new one; and which name it had."""
    mine = (CallRecording.began == began, CallRecording.call_id == call_id)
    empty = (CallRecording.state.in_(("missing", "late")), CallRecording.pbx == stray.pbx)
    row = (
        await unit.db.execute(
            select(CallRecording.n, CallRecording.file).where(*mine, *empty).order_by(CallRecording.n).limit(1)
        )
    ).first()
    values = {**_FRESH, "pbx": stray.pbx, "file": stray.file, "check_at": unit.now, "xrayed_at": None}
    if row is not None:
        await unit.db.execute(update(CallRecording).where(*mine, CallRecording.n == row.n).values(**values))
        return began, row.n, row.file
    last = await unit.db.scalar(select(func.max(CallRecording.n)).where(*mine))
    n = 0 if last is None else last + 1
    await unit.db.execute(insert(CallRecording).values(began=began, call_id=call_id, n=n, **values))
    return began, n, ""


async def unlink(unit: Unit, actor: Actor, stray_id: int) -> None:
    """Take a link back. Raises Conflict when the file itself went into the vault since."""
    require(actor, Right.PBX)
    stray = await _stray(unit, stray_id)
    if stray.state != "linked":
        raise Conflict("This file is not linked any more; look at the list again.")
    this = (CallRecording.pbx == stray.pbx, CallRecording.file == stray.file)
    kept = await unit.db.scalar(
        select(KeptSound.original).where(KeptSound.pbx == stray.pbx, KeptSound.file == stray.file)
    )
    if kept in ("leaving", "removed"):
        raise Conflict("The file was taken into the vault since, so that it cannot be put back; the link stays.")
    if stray.replaced:
        values = {**_FRESH, "state": "missing", "cause": "The file that was linked was taken away again."}
        await unit.db.execute(update(CallRecording).where(*this).values(file=stray.replaced, keep_at=None, **values))
    else:
        await unit.db.execute(delete(CallRecording).where(*this))
    await unit.db.execute(delete(KeptSound).where(KeptSound.pbx == stray.pbx, KeptSound.file == stray.file))
    await _set(unit, stray_id, {"state": "open", "how": "", "by": None, "settled_at": None, "replaced": ""})
    await audit.write(unit, actor, "unlink", "recording", f"{stray.call_id}/{stray.n}", {"stray": stray_id})
    unit.fact("recording.changed", stream=f"pbx:{stray.pbx}", call=stray.call_id, n=stray.n)


async def set_aside(unit: Unit, actor: Actor, stray_id: int, *, aside: bool = True) -> None:
    """Say that a file belongs to no call (music on hold, a test), or take that back; the file stays where it is."""
    require(actor, Right.PBX)
    stray = await _stray(unit, stray_id)
    if stray.state == "linked":
        raise Conflict("This file was linked meanwhile; look at the list again.")
    values = {"by": actor.user_id, "settled_at": unit.now} if aside else {"by": None, "settled_at": None}
    await _set(unit, stray_id, {"state": "dismissed" if aside else "open", **values})
    await audit.write(unit, actor, "set aside" if aside else "bring back", "stray file", stray_id)


async def _stray(unit: Unit, stray_id: int) -> Any:
    row = (await unit.db.execute(select(StraySound).where(StraySound.id == stray_id))).first()
    if row is None:
        raise NotFound("There is no such file in the list any more.")
    return row


async def _set(unit: Unit, stray_id: int, values: dict[str, Any]) -> None:
    await unit.db.execute(update(StraySound).where(StraySound.id == stray_id).values(**values))


async def _told(unit: Unit, pbx: str, file: str) -> bool:
    this = (CallRecording.pbx == pbx, CallRecording.file == file)
    return bool(await unit.db.scalar(select(func.count()).select_from(CallRecording).where(*this)))
