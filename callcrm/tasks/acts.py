"""What people do with callbacks, one or many at a time: take, let go, hand over, put off, close, drop; and undo it.

Each callback is named with the version that was seen. Who took one holds it: nobody but a supervisor acts on it
beside him. With many, those that somebody changed meanwhile are left as they are and told; with one, that is a
Conflict. What was done is kept for a while, so that the person who did it can undo all of it at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from callcrm.accounts.policy import Actor, Right, may, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.kernel import audit
from callcrm.kernel.errors import CallcrmError, Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.schema import Moment
from callcrm.kernel.writer import Unit
from callcrm.tasks import service
from callcrm.tasks.callbacks import CALLBACK, held
from callcrm.tasks.following import OPEN_CALLBACK
from callcrm.tasks.tables import Task, TaskAct

ACTS = ("take", "release", "hand_over", "snooze", "wake", "close", "drop")
#: How many callbacks one act may take.
MOST = 200
#: How long an act may be undone.
UNDO = timedelta(minutes=15)
REASON = 200
_KEPT = timedelta(days=1)
_COLUMNS = Task.__table__.columns
_MOMENTS = frozenset(column.name for column in _COLUMNS if isinstance(column.type, Moment))

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: `act` of ACTS; `to` whom it is handed; put off `until`; `reason` in words."""

    act: str
    to: int | None = None
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done: its id (to undo it), the callbacks with their new versions, and why others were left."""

    id: int
    done: Mapping[int, int]
    left: Mapping[int, str] = field(default_factory=dict)


async def do(unit: Unit, actor: Actor, wish: Wish, seen: Mapping[int, int], *, queues: Collection[str] = ()) -> Deed:
    """Do it to the callbacks `seen` (id: version). Raises Invalid, NotAllowed; with one callback, also Conflict."""
    require(actor, Right.TASKS)
    if not 0 < len(seen) <= MOST:
        raise Invalid(f"Choose between 1 and {MOST} callbacks.", {"ids": f"between 1 and {MOST}"})
    await _check(unit, wish)
    before: list[Row] = []
    left: dict[int, CallcrmError] = {}
    for task_id in sorted(seen):
        try:
            task = await load(unit, actor, task_id, seen[task_id], queues)
            values = _values(unit, actor, wish, task)
        except (Conflict, NotFound, NotAllowed) as error:
            left[task_id] = error
            continue
        before.append(await _write(unit, actor, wish.act, task, values, _detail(wish)))
    if not before:
        raise next(iter(left.values()))
    act_id = await _keep(unit, actor, wish.act, before)
    return Deed(act_id, {row["id"]: row["version"] for row in before}, {key: str(why) for key, why in left.items()})


async def undo(unit: Unit, actor: Actor, act_id: int) -> Deed:
    """Undo one's own act of the last minutes; what others changed since is left. Raises NotFound, Conflict."""
    row = await _undoable(unit, actor, TaskAct.id == act_id)
    if row is None:
        raise NotFound("There is nothing to undo: it was undone already, or it is too long ago.")
    done: dict[int, int] = {}
    left: dict[int, str] = {}
    for one in row.before:
        task = await _as_it_is(unit, one["id"])
        if task is None or task["version"] != one["version"]:
            left[one["id"]] = "Somebody changed it since."
            continue
        values = {name: _read(name, value) for name, value in one["values"].items()}
        if values.get("state") == "open" and await _other(unit, task["number"]) is not None:
            left[one["id"]] = "The caller has a newer open callback."
            continue
        written = await _write(unit, actor, "undo", task, values, {"of": row.act})
        done[one["id"]] = written["version"]
    await unit.db.execute(update(TaskAct).where(TaskAct.id == act_id).values(undone_at=unit.now))
    if not done:
        raise Conflict(next(iter(left.values())))
    return Deed(act_id, done, left)


async def last_act(db: Any, actor: Actor, now: datetime) -> tuple[int, str, int] | None:
    """What this person could undo: its id, the act, and to how many callbacks."""
    mine = (TaskAct.user_id == actor.user_id, TaskAct.undone_at.is_(None), TaskAct.at > now - UNDO)
    statement = select(TaskAct.id, TaskAct.act, TaskAct.before).where(*mine).order_by(TaskAct.id.desc()).limit(1)
    row = (await db.execute(statement)).first()
    return (row.id, row.act, len(row.before)) if row is not None else None


async def change(
    unit: Unit,
    actor: Actor,
    task_id: int,
    typed: Mapping[str, Any],
    version: int,
    *,
    queues: Collection[str] = (),
) -> int:
    """Change a task of any kind by its fields; gives its new version."""
    kind = await unit.db.scalar(select(Task.kind).where(Task.id == task_id))
    how = edit if kind == CALLBACK else service.edit_task
    return await how(unit, actor, task_id, typed, version, queues=queues)


async def edit(
    unit: Unit,
    actor: Actor,
    task_id: int,
    typed: Mapping[str, Any],
    version: int,
    *,
    queues: Collection[str] = (),
) -> int:
    """Change a callback by its fields (as the API does), each by the rules of its act; gives its new version.

    `owner_id`: take, let go, hand over; `snoozed_until` with `snooze_reason`; `state` with `closed_reason`;
    the others are those of any task.
    """
    rest = {name: value for name, value in typed.items() if name not in _ACTED}
    for wish in _wishes(actor, typed):
        if wish.act == "reopen":
            version = await reopen(unit, actor, task_id, version, queues=queues)
        else:
            version = (await do(unit, actor, wish, {task_id: version}, queues=queues)).done[task_id]
    return await service.edit_task(unit, actor, task_id, rest, version, queues=queues) if rest else version


async def reopen(unit: Unit, actor: Actor, task_id: int, version: int, *, queues: Collection[str] = ()) -> int:
    """Open a closed callback again. Raises Conflict (`current`: the id) when the caller has a newer open one."""
    task = await load(unit, actor, task_id, version, queues, state="")
    if task["state"] == "open":
        return version
    other = await _other(unit, task["number"])
    if other is not None:
        raise Conflict("There is an open callback of this caller already.", other)
    return int((await _write(unit, actor, "reopen", task, dict(_OPENED), {}))["version"])


async def load(
    unit: Unit, actor: Actor, task_id: int, version: int, queues: Collection[str], *, state: str = "open"
) -> Row:
    """A callback, locked until the commit. Raises NotFound, or Conflict with it as it is now."""
    mine = visible_tasks(actor, select(*_COLUMNS).where(Task.id == task_id, Task.kind == CALLBACK), queues=queues)
    found = (await unit.db.execute(mine.with_for_update(of=Task))).mappings().first()
    if found is None:
        raise NotFound("There is no such callback, or it is not yours to see; somebody may have taken it.")
    task = dict(found)
    if task["version"] != version:
        raise Conflict(await _who_was_faster(unit, task), task)
    if state and task["state"] != state:
        raise Conflict("This callback is closed already.", task)
    return task


_OPENED: Row = {
    "state": "open", "closed_at": None, "closed_by": None, "closed_why": None, "closed_call_id": None,
    "closed_reason": None,
}  # fmt: skip
_ACTED = frozenset({"owner_id", "snoozed_until", "snooze_reason", "state", "closed_reason"})


def _wishes(actor: Actor, typed: Mapping[str, Any]) -> list[Wish]:
    found: list[Wish] = []
    state = typed.get("state")
    if state == "open":
        found.append(Wish("reopen"))
    if "owner_id" in typed:
        to = typed["owner_id"]
        found.append(Wish("release") if to is None else Wish("take") if to == actor.user_id else Wish("hand_over", to))
    if "snoozed_until" in typed:
        until = typed["snoozed_until"]
        reason = str(typed.get("snooze_reason") or "")
        found.append(Wish("snooze", until=until, reason=reason) if until is not None else Wish("wake"))
    if state in ("done", "dropped"):
        found.append(Wish("close" if state == "done" else "drop", reason=str(typed.get("closed_reason") or "")))
    return found


async def _check(unit: Unit, wish: Wish) -> None:
    """What makes no sense whichever callback it is."""
    if wish.act not in ACTS:
        raise Invalid("That cannot be done with callbacks.", {"act": ", ".join(ACTS)})
    if len(wish.reason) > REASON:
        raise Invalid(f"At most {REASON} characters.", {"reason": f"at most {REASON} characters"})
    if wish.act in ("snooze", "drop") and not wish.reason.strip():
        raise Invalid("Say why, in a word.", {"reason": "say why, in a word"})
    if wish.act == "snooze" and (wish.until is None or wish.until.tzinfo is None or wish.until <= unit.now):
        raise Invalid("Say until when; it must lie ahead.", {"until": "a moment that lies ahead"})
    if wish.act == "hand_over":
        there = select(User.id).where(User.id == wish.to, User.active.is_(True))
        if (await unit.db.execute(there)).first() is None:
            raise Invalid("There is no such person.", {"owner_id": "choose one from the list"})


def _values(unit: Unit, actor: Actor, wish: Wish, task: Row) -> Row:
    """The columns that the act changes. Raises Conflict when another holds it."""
    mine = task["owner_id"] == actor.user_id
    if held(task["owner_id"], task["owner_why"]) and not mine and not may(actor, Right.ASSIGN):
        raise Conflict("Somebody else holds this callback; ask him, or a supervisor.", task)
    if wish.act == "release" and not mine and not may(actor, Right.ASSIGN):
        raise NotAllowed("Only who has a callback, or a supervisor, lets it go.")
    reason = wish.reason.strip()
    values: dict[str, Row] = {
        "take": {"owner_id": actor.user_id, "owner_why": "claimed"},
        "release": {"owner_id": None, "owner_why": "released"},
        "hand_over": {"owner_id": wish.to, "owner_why": "assigned"},
        "snooze": {"snoozed_until": wish.until, "snooze_reason": reason},
        "wake": {"snoozed_until": None, "snooze_reason": None},
        "close": _closing(unit, actor, "done", reason),
        "drop": _closing(unit, actor, "dropped", reason),
    }
    return values[wish.act]


def _closing(unit: Unit, actor: Actor, state: str, reason: str) -> Row:
    closed = {"closed_at": unit.now, "closed_by": actor.user_id, "closed_why": "by_hand"}
    return {"state": state, "closed_reason": reason or None, **closed}


def _detail(wish: Wish) -> Row:
    """What the audit keeps of it: ids and moments; the reason lies in the row."""
    found: Row = {"to": wish.to} if wish.to is not None else {}
    return found | ({"until": wish.until.isoformat()} if wish.until is not None else {})


async def _write(unit: Unit, actor: Actor, act: str, task: Row, values: Row, detail: Row) -> Row:  # noqa: PLR0917
    """Change it, tell it, note it; what it was before, for the undoing."""
    version = int(task["version"]) + 1
    try:
        await unit.db.execute(update(Task).where(Task.id == task["id"]).values(**values, version=version))
    except IntegrityError as error:
        # Somebody opened a callback of this caller in the same instant: the unit is undone.
        raise Conflict("There is an open callback of this caller already.") from error
    unit.fact("task.changed", task=task["id"], owner=values.get("owner_id", task["owner_id"]))
    await audit.write(unit, actor, act, "task", task["id"], detail)
    return {"id": task["id"], "version": version, "values": {name: _told(task[name]) for name in values}}


async def _keep(unit: Unit, actor: Actor, act: str, before: Sequence[Row]) -> int:
    old = (TaskAct.user_id == actor.user_id, TaskAct.at < unit.now - _KEPT)
    await unit.db.execute(delete(TaskAct).where(*old))
    row = {"at": unit.now, "user_id": actor.user_id, "act": act, "before": list(before)}
    return int((await unit.db.execute(insert(TaskAct).returning(TaskAct.id), row)).scalar_one())


async def _undoable(unit: Unit, actor: Actor, which: Any) -> Any:
    mine = (which, TaskAct.user_id == actor.user_id, TaskAct.undone_at.is_(None), TaskAct.at > unit.now - UNDO)
    statement = select(TaskAct.act, TaskAct.before).where(*mine).with_for_update()
    return (await unit.db.execute(statement)).first()


async def _as_it_is(unit: Unit, task_id: int) -> Row | None:
    found = (await unit.db.execute(select(*_COLUMNS).where(Task.id == task_id).with_for_update())).mappings().first()
    return dict(found) if found is not None else None


async def _other(unit: Unit, number: str) -> int | None:
    return (await unit.db.execute(select(Task.id).where(Task.number == number, OPEN_CALLBACK))).scalar_one_or_none()


async def _who_was_faster(unit: Unit, task: Row) -> str:
    if not held(task["owner_id"], task["owner_why"]):
        return "Somebody changed this callback meanwhile; look again."
    row = (await unit.db.execute(select(User.name, User.full_name).where(User.id == task["owner_id"]))).one()
    return f"{row.full_name or row.name} was faster and holds this callback now."


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in _MOMENTS and value is not None else value
