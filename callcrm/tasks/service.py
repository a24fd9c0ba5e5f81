"""What people do with tasks: open, take, give back, put off, close, open again.

Each act names the version it was made from; when somebody was faster, Conflict carries the
task as it is now. Who takes a callback holds it: nobody else calls this client meanwhile.
`queues` are those whose callbacks are the actor's too.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from callcrm.accounts.policy import Actor, Right, may, require, visible_tasks
from callcrm.accounts.tables import User
from callcrm.clients.service import recognise
from callcrm.clients.tables import Client
from callcrm.kernel import audit
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.numbers import parse
from callcrm.kernel.writer import Unit
from callcrm.tasks import checklist, plans, reminders, series
from callcrm.tasks.callbacks import CALLBACK
from callcrm.tasks.following import INSERT, OPEN_CALLBACK
from callcrm.tasks.tables import Task

STATES = ("open", "done", "dropped")
TITLE = 200
NOTE = 20_000
_KIND = re.compile(r"^[a-z][a-z_ -]{0,19}$")
_CHANGEABLE = plans.FIELDS | {"title", "note", "snoozed_until", "owner_id", "state", "client_id", "queue", "team"}
_COLUMNS = Task.__table__.columns

Row = dict[str, Any]


async def add_task(
    unit: Unit, actor: Actor, typed: Mapping[str, Any], *, country: str = "", queues: Collection[str] = ()
) -> int:
    """Open a task of any kind; gives its id.

    `typed`: kind (callback needs a number), title, note, number, client_id, call_id, due_at, owner_id (the actor's
    own unless told; None leaves it to its `queue` or `team`), the plan (`plans.FIELDS`), `items` (texts).
    Raises Invalid with what is wrong, Conflict with the open callback of that number (`current` its id).
    """
    require(actor, Right.TASKS)
    row = _opened(unit, actor, typed)
    if row["kind"] == CALLBACK:
        row |= await _called_back(unit, typed, country)
    elif not row["title"]:
        raise Invalid("Say what is to be done.", {"title": "a task needs a title"})
    await _check_owner(unit, actor, row["owner_id"])
    if row["kind"] != CALLBACK:
        _check_group(actor, row, queues)
    await _check_client(unit, row["client_id"])
    task_id = (await unit.db.execute(INSERT[unit.db.dialect.name], row)).scalar_one_or_none()
    if task_id is None:
        await _no_other(unit, row["number"])
        raise Conflict("This caller was just called back; look again.")
    unit.fact("task.created", task=int(task_id), owner=row["owner_id"])
    await audit.write(unit, actor, "add", "task", task_id)
    if typed.get("items"):
        await checklist.add_items(unit, actor, int(task_id), typed["items"], queues=queues)
    return int(task_id)


async def claim(unit: Unit, actor: Actor, task_id: int, version: int, *, queues: Collection[str] = ()) -> int:
    """Take a task that is nobody's (or, as a supervisor, anybody's); gives its new version."""
    task = await _load(unit, actor, task_id, version, queues)
    _open_only(task)
    if task["owner_id"] not in (None, actor.user_id) and not may(actor, Right.ASSIGN):
        raise Conflict("Somebody else has taken this one.", task)
    return await _change(unit, actor, task, "claim", {"owner_id": actor.user_id, "owner_why": "claimed"})


async def close(
    unit: Unit,
    actor: Actor,
    task_id: int,
    version: int,
    *,
    dropped: bool = False,
    queues: Collection[str] = (),
) -> int:
    """Close a task by hand: done, or dropped as not worth doing."""
    task = await _load(unit, actor, task_id, version, queues)
    if task["state"] != "open":
        return version
    return await _change(unit, actor, task, "drop" if dropped else "close", _closing(unit, actor, dropped=dropped))


async def reopen(unit: Unit, actor: Actor, task_id: int, version: int, *, queues: Collection[str] = ()) -> int:
    """Undo a closing. Raises Conflict (`current`: the id) when the caller has a newer open callback."""
    task = await _load(unit, actor, task_id, version, queues)
    if task["state"] == "open":
        return version
    if task["kind"] == CALLBACK:
        await _no_other(unit, task["number"])
    return await _change(unit, actor, task, "reopen", dict(_REOPENED))


async def edit_task(
    unit: Unit,
    actor: Actor,
    task_id: int,
    typed: Mapping[str, Any],
    version: int,
    *,
    queues: Collection[str] = (),
) -> int:
    """Change fields of a task: title, note, client_id, owner_id, queue, team, state, snoozed_until, its plan.

    Gives its new version.
    """
    unknown = sorted(set(typed) - _CHANGEABLE)
    if unknown:
        raise Invalid(
            f"A task has no field {unknown[0]!r} that can be changed.", dict.fromkeys(unknown, "no such field")
        )
    task = await _load(unit, actor, task_id, version, queues)
    values = _texts(typed) | {n: _moment(n, typed[n]) for n in ("due_at", "snoozed_until") if n in typed}
    if plans.FIELDS & typed.keys():
        values |= plans.planned(task, typed)
    if {"queue", "team"} & typed.keys():
        values |= _group(typed)
        _check_group(actor, values, queues)
    if "client_id" in typed:
        values["client_id"] = _whole(typed, "client_id")
        await _check_client(unit, values["client_id"])
    if "owner_id" in typed and typed["owner_id"] != task["owner_id"]:
        await _check_owner(unit, actor, typed["owner_id"], task["owner_id"])
        values |= {"owner_id": typed["owner_id"], "owner_why": _why(actor, typed["owner_id"])}
    if "state" in typed and typed["state"] != task["state"]:
        values |= await _to_state(unit, actor, task, typed["state"])
    changed = {name: value for name, value in values.items() if value != task[name]}
    return await _change(unit, actor, task, "change", changed) if changed else version


_REOPENED: Row = {
    "state": "open",
    "closed_at": None,
    "closed_by": None,
    "closed_why": None,
    "closed_call_id": None,
}


def _closing(unit: Unit, actor: Actor, *, dropped: bool) -> Row:
    return {
        "state": "dropped" if dropped else "done",
        "closed_at": unit.now,
        "closed_by": actor.user_id,
        "closed_why": "by_hand",
    }


async def _to_state(unit: Unit, actor: Actor, task: Row, state: Any) -> Row:
    if state not in STATES:
        raise Invalid("A task is open, done or dropped.", {"state": "open, done or dropped"})
    if state != "open":
        return _closing(unit, actor, dropped=state == "dropped")
    if task["kind"] == CALLBACK:
        await _no_other(unit, task["number"])
    return dict(_REOPENED)


def _opened(unit: Unit, actor: Actor, typed: Mapping[str, Any]) -> Row:
    kind = str(typed.get("kind") or "task")
    if not _KIND.match(kind):
        raise Invalid("A kind is one word, such as callback or task.", {"kind": "one word"})
    owner_id = typed.get("owner_id", actor.user_id)
    return {
        **{"title": "", "note": ""},
        **_texts(typed),
        "kind": kind,
        "state": "open",
        "client_id": _whole(typed, "client_id"),
        "call_id": str(typed["call_id"]) if typed.get("call_id") else None,
        **_group(typed),
        "owner_id": owner_id,
        "owner_why": _why(actor, owner_id),
        **plans.planned({}, {**typed, "kind": kind, "due_at": _moment("due_at", typed.get("due_at"))}),
        "created_at": unit.now,
        "created_by": actor.user_id,
    }


async def _called_back(unit: Unit, typed: Mapping[str, Any], country: str) -> Row:
    number = parse(str(typed.get("number") or ""), country)
    if not number.key:
        raise Invalid("Say whom to call back.", {"number": "write it with its area or country code"})
    await _no_other(unit, number.key)
    client_id = _whole(typed, "client_id") or (await recognise(unit.db, number)).client_id
    return {"number": number.key, "client_id": client_id}


async def _no_other(unit: Unit, number: str) -> None:
    other = (await unit.db.execute(select(Task.id).where(Task.number == number, OPEN_CALLBACK))).scalar_one_or_none()
    if other is not None:
        raise Conflict("There is an open callback of this caller already.", other)


def _texts(typed: Mapping[str, Any]) -> Row:
    kept: Row = {}
    for name, limit in (("title", TITLE), ("note", NOTE)):
        if name in typed:
            text = str(typed[name] or "").strip()
            if len(text) > limit:
                raise Invalid(f"At most {limit} characters.", {name: f"at most {limit} characters"})
            kept[name] = text
    return kept


def _moment(name: str, value: Any) -> datetime | None:
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise Invalid("Write a date with its time and time zone.", {name: "such as 2026-01-01T09:00:00Z"})
    return value


def _whole(typed: Mapping[str, Any], name: str) -> int | None:
    value = typed.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31):
        raise Invalid("Choose one from the list.", {name: "choose one from the list"})
    return value


def _why(actor: Actor, owner_id: int | None) -> str:
    if owner_id is None:
        return "queue"
    return "claimed" if owner_id == actor.user_id else "assigned"


def _group(typed: Mapping[str, Any]) -> Row:
    """The queue or the team whose people have it while it is nobody's."""
    found: Row = {name: str(typed[name])[:100] if typed.get(name) else None for name in ("queue", "team")}
    if found["queue"] and found["team"]:
        raise Invalid("A task is a queue's or a team's, not both.", {"team": "a queue or a team, not both"})
    return found


def _check_group(actor: Actor, row: Mapping[str, Any], queues: Collection[str]) -> None:
    """Everybody may leave a task to groups of his own; to others, a supervisor."""
    foreign = (row["queue"] and row["queue"] not in queues) or (row["team"] and row["team"] != actor.team)
    if foreign and not may(actor, Right.ASSIGN):
        raise NotAllowed("Giving tasks to other groups is for supervisors; ask one, or keep it yourself.")


def _open_only(task: Row) -> None:
    if task["state"] != "open":
        raise Conflict("This task is closed already.", task)


async def _check_owner(unit: Unit, actor: Actor, owner_id: Any, before: int | None = None) -> None:
    """Everybody may take what is nobody's and give up his own; to give to others is a supervisor's right."""
    own = owner_id == actor.user_id and before in (None, actor.user_id)
    given_up = owner_id is None and before in (None, actor.user_id)
    if not own and not given_up and not may(actor, Right.ASSIGN):
        raise NotAllowed("Giving tasks to others is for supervisors; ask one, or take it yourself.")
    if owner_id is not None:
        there = select(User.id).where(User.id == _whole({"owner_id": owner_id}, "owner_id"), User.active.is_(True))
        if (await unit.db.execute(there)).first() is None:
            raise Invalid("There is no such person.", {"owner_id": "choose one from the list"})


async def _check_client(unit: Unit, client_id: int | None) -> None:
    if client_id is not None:
        there = select(Client.id).where(Client.id == client_id, Client.deleted_at.is_(None))
        if (await unit.db.execute(there)).first() is None:
            raise Invalid("There is no such client.", {"client_id": "choose one from the list"})


async def _load(unit: Unit, actor: Actor, task_id: int, version: int, queues: Collection[str]) -> Row:
    """The task, locked until the commit; Conflict when it is of another version."""
    require(actor, Right.TASKS)
    mine = visible_tasks(actor, select(*_COLUMNS).where(Task.id == task_id), queues=queues)
    found = (await unit.db.execute(mine.with_for_update(of=Task))).mappings().first()
    if found is None:
        raise NotFound("There is no such task, or it is not yours to see; somebody may have taken it.")
    task = dict(found)
    if task["version"] != version:
        raise Conflict("Somebody else changed this task meanwhile; look again.", task)
    return task


async def _change(unit: Unit, actor: Actor, task: Row, act: str, values: Row) -> int:
    version = int(task["version"]) + 1
    state = values.get("state", task["state"])
    if state != task["state"]:
        early = plans.remind_at(task["due_at"], task["remind_min"]) if state == "open" else None
        values["remind_at"] = early if early is not None and early > unit.now else None
    elif values.get("owner_id", task["owner_id"]) != task["owner_id"] and task["reminded_at"] is not None:
        values |= {"remind_at": unit.now, "reminded_at": None}  # who has it now was not reminded yet
    try:
        await unit.db.execute(update(Task).where(Task.id == task["id"]).values(**values, version=version))
    except IntegrityError as error:
        # A callback was opened for this caller in the same instant, by another process: this unit is undone.
        raise Conflict("There is an open callback of this caller already.") from error
    if "remind_at" in values:
        await reminders.forget(unit, task["id"])
    if state != task["state"]:
        await (series.take_back(unit, task["id"]) if state == "open" else series.follow(unit, task | values))
    unit.fact("task.changed", task=task["id"], owner=values.get("owner_id", task["owner_id"]))
    await audit.write(unit, actor, act, "task", task["id"])
    return version
