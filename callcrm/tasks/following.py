"""Callbacks follow calls: in the unit that writes a call, its callback is opened, added to or closed.

Doing it twice does nothing the second time: an attempt is kept by its call, and what is
closed stays closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from callcrm.accounts.tables import User
from callcrm.calls.rows import moment
from callcrm.calls.service import Recorded
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.prepared import Found, Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.tasks import callbacks
from callcrm.tasks.callbacks import Rules, Story
from callcrm.tasks.tables import Task, TaskAttempt

# The condition stands as text, so that the partial index of open callbacks is used.
OPEN_CALLBACK = and_(
    literal_column("tasks.kind") == literal_column("'callback'"),
    literal_column("tasks.state") == literal_column("'open'"),
)
_OPEN = Prepared(
    select(Task.id, Task.owner_id, Task.last_attempt_at, Task.created_at, Task.short_abandon, Task.queue, Task.called)
    .where(Task.number == bindparam("number"), OPEN_CALLBACK)
    .with_for_update()
)
_KNOWN = Prepared(select(TaskAttempt.task_id).where(TaskAttempt.call_id == bindparam("call_id")).limit(1))
_TALKED_SINCE = select(
    exists(
        select(CallRow.id).where(
            CallRow.client_number == bindparam("number"),
            CallRow.at > bindparam("not_before"),
            CallRow.answered_at >= bindparam("since"),
            CallRow.missed.is_(False),
        )
    )
)
_CARD_OWNER = (
    select(User.id)
    .select_from(Client)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .join(User, User.id == func.coalesce(Client.owner_id, Organisation.owner_id))
    .where(Client.id == bindparam("client_id"), User.active.is_(True))
)
_LAST_OPERATOR = (
    select(CallRow.operator_id)
    .join(User, User.id == CallRow.operator_id)
    .where(
        CallRow.client_number == bindparam("number"),
        CallRow.answered_at.is_not(None),
        CallRow.direction != "internal",
        User.active.is_(True),
    )
    .order_by(CallRow.at.desc())
    .limit(1)
)
_TRIES = aliased(TaskAttempt)
_OF_TASK = and_(_TRIES.task_id == Task.id, _TRIES.kind == "missed")


def _counting(dialect: str) -> Any:
    """The later of two moments is `greatest` in PostgreSQL and `max` in SQLite."""
    later = func.greatest if dialect == "postgresql" else func.max
    return (
        update(Task)
        .where(Task.id == bindparam("b_task"))
        .values(
            attempts=select(func.count()).where(_OF_TASK).correlate(Task).scalar_subquery(),
            last_attempt_at=later(Task.last_attempt_at, bindparam("b_at", type_=Task.last_attempt_at.type)),
            short_abandon=and_(Task.short_abandon, bindparam("b_short", type_=Task.short_abandon.type)),
            # He waits for us again: what was put off is due.
            snoozed_until=None,
            snooze_reason=None,
            next_try_at=None,
            version=Task.version + 1,
        )
    )


_COUNT = {dialect: _counting(dialect) for dialect in ("sqlite", "postgresql")}
#: How long before a missed call one may have begun in which he still talks with us.
_LONGEST_TALK_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What keeps the callbacks in step with the calls; `follow` is handed to `calls.service.record`."""

    rules: Rules

    async def follow(self, unit: Unit, written: Sequence[Recorded]) -> None:
        """Open, add to and close the callbacks of the calls that were just written."""
        for one in written:
            if one.was:
                await _move(unit, one)
            if one.number.key:
                await self._follow_one(unit, one, story(one))

    async def _follow_one(self, unit: Unit, one: Recorded, call: Story) -> None:
        if callbacks.owes(call):
            await self._owe(unit, one, call)
        elif callbacks.settles(call):
            await _settle(unit, one, call)
        elif callbacks.tried_in_vain(call):
            await self._try(unit, one, call)

    async def _owe(self, unit: Unit, one: Recorded, call: Story) -> None:
        if await _known(unit, one) or await _talked_since(unit, one, call):
            return
        task = await _open_task(unit, one)
        created = task is None
        if created and not self.rules.owe_short and callbacks.short_abandon(call, self.rules):
            return
        task_id = await self._open(unit, one, call) if task is None else int(task.id)
        if task_id is None:
            task = await _open_task(unit, one)
            if task is None:
                return
            task_id, created = int(task.id), False
        await _attempt(unit, one, task_id, "missed", call.why or call.outcome or "")
        if not created and task is not None:
            short = callbacks.short_abandon(call, self.rules)
            count = {"b_task": task_id, "b_at": call.at, "b_short": short}
            await unit.db.execute(_COUNT[unit.db.dialect.name], count)
            unit.fact("task.changed", task=task_id, owner=task.owner_id)

    async def _open(self, unit: Unit, one: Recorded, call: Story) -> int | None:
        """The new task's id; None when another process was faster."""
        missed_at = call.ended_at or call.at
        promise = self.rules.promise(missed_at, one.call.queue, one.called)
        owner_id, why = callbacks.owner(await _card_owner(unit, one), await _last_operator(unit, one))
        row: dict[str, Any] = {
            "kind": callbacks.CALLBACK,
            "state": "open",
            "client_id": one.client_id,
            "number": one.number.key,
            "pbx": one.call.pbx,
            "called": one.called,
            "queue": self.rules.queue(one.call.queue, one.called),
            "owner_id": owner_id,
            "owner_why": why,
            "call_id": one.call.id,
            "attempts": 1,
            "last_attempt_at": call.at,
            "short_abandon": callbacks.short_abandon(call, self.rules),
            "promised_from": promise.starts,
            "due_at": promise.due,
            "created_at": missed_at,
        }
        task_id = (await unit.db.execute(INSERT[unit.db.dialect.name], row)).scalar_one_or_none()
        if task_id is not None:
            unit.fact("task.created", task=int(task_id), owner=owner_id)
        return task_id

    async def _try(self, unit: Unit, one: Recorded, call: Story) -> None:
        """We called him in vain: that is an attempt, when he was waiting for it, and the next one is set."""
        task = await _open_task(unit, one)
        if task is None or call.ended_at is None or call.ended_at < task.created_at or await _known(unit, one):
            return
        await _attempt(unit, one, task.id, "called", call.outcome or "")
        ours = select(func.count()).where(TaskAttempt.task_id == task.id, TaskAttempt.kind == "called")
        tries = int((await unit.db.execute(ours)).scalar_one())
        again = self.rules.next_try(call.ended_at, tries, task.queue, task.called)
        values = {"next_try_at": again, "version": Task.version + 1}
        await unit.db.execute(update(Task).where(Task.id == task.id).values(values))
        unit.fact("task.changed", task=task.id, owner=task.owner_id)


def _insertion(dialect: str) -> Any:
    insertion = postgresql.insert(Task) if dialect == "postgresql" else sqlite.insert(Task)
    return insertion.on_conflict_do_nothing(index_elements=["number"], index_where=OPEN_CALLBACK).returning(Task.id)


#: Opens a task; gives no id when the caller has an open callback already.
INSERT = {dialect: _insertion(dialect) for dialect in ("sqlite", "postgresql")}


def story(one: Recorded) -> Story:
    """A recorded call as the rules read it."""
    call = one.call
    ended = call.state == "ended"
    at = moment(call.at) or one.began
    return Story(
        direction=call.direction,
        at=at,
        answered_at=(moment(call.answered_at) or at) if call.answered_by else None,
        ended_at=(moment(call.ended_at) or at) if ended else None,
        missed=call.missed,
        outcome=call.outcome,
        why=call.why,
        ended_by=call.ended_by,
        wait_s=call.wait_s,
    )


async def _settle(unit: Unit, one: Recorded, call: Story) -> None:
    task = await _open_task(unit, one)
    if task is None or not callbacks.settles_since(call, task.last_attempt_at):
        return
    why = callbacks.settles(call)
    closed = {
        "state": "done",
        "closed_at": call.answered_at,
        "closed_by": one.operator_id,
        "closed_why": why,
        "closed_call_id": one.call.id,
        "version": Task.version + 1,
    }
    await unit.db.execute(update(Task).where(Task.id == task.id).values(closed))
    if why == "called_back":
        await _attempt(unit, one, task.id, "called", "answered")
    unit.fact("task.changed", task=task.id, owner=task.owner_id)


async def _open_task(unit: Unit, one: Recorded) -> Found | None:
    return await _OPEN.first(unit.db, {"number": one.number.key})


async def _known(unit: Unit, one: Recorded) -> bool:
    return await _KNOWN.first(unit.db, {"call_id": one.call.id}) is not None


async def _talked_since(unit: Unit, one: Recorded, call: Story) -> bool:
    """Whether somebody talked with him since this call began, by what the log knows already."""
    not_before = moment(call.at.timestamp() - _LONGEST_TALK_S)
    asked = {"number": one.number.e164, "since": call.at, "not_before": not_before}
    return bool(one.number.e164 and (await unit.db.execute(_TALKED_SINCE, asked)).scalar_one())


async def _card_owner(unit: Unit, one: Recorded) -> int | None:
    if one.client_id is None:
        return None
    return (await unit.db.execute(_CARD_OWNER, {"client_id": one.client_id})).scalar_one_or_none()


async def _last_operator(unit: Unit, one: Recorded) -> int | None:
    if not one.number.e164:
        return None
    return (await unit.db.execute(_LAST_OPERATOR, {"number": one.number.e164})).scalar_one_or_none()


async def _attempt(unit: Unit, one: Recorded, task_id: int, kind: str, result: str) -> None:
    row = {"at": one.began, "task_id": task_id, "call_id": one.call.id, "kind": kind, "result": result}
    user_id = one.operator_id if kind == "called" else None
    await upsert(unit.db, TaskAttempt, {**row, "user_id": user_id}, keep=("kind", "result", "user_id"))


async def _move(unit: Unit, one: Recorded) -> None:
    """Calls were folded into this one: what pointed at them points at it."""
    ids, into = list(one.was), one.call.id
    there = aliased(TaskAttempt)
    doubled = exists(select(there.task_id).where(there.task_id == TaskAttempt.task_id, there.call_id == into))
    await unit.db.execute(delete(TaskAttempt).where(TaskAttempt.call_id.in_(ids), doubled))
    await unit.db.execute(update(TaskAttempt).where(TaskAttempt.call_id.in_(ids)).values(call_id=into))
    await unit.db.execute(update(Task).where(Task.call_id.in_(ids)).values(call_id=into))
    await unit.db.execute(update(Task).where(Task.closed_call_id.in_(ids)).values(closed_call_id=into))


async def relink(unit: Unit, number: str, client_id: int, dropped: Sequence[int]) -> None:
    """A call's client was chosen: open tasks of that number, and tasks of cards that gave way, are his."""
    his = Task.client_id.in_(list(dropped)) if dropped else Task.client_id.is_(None)
    open_ones = and_(Task.number == number, Task.state == "open")
    where = (his | open_ones) if dropped else open_ones
    changed = await unit.db.execute(
        update(Task)
        .where(where)
        .values(client_id=client_id, version=Task.version + 1)
        .returning(Task.id, Task.owner_id)
    )
    for row in changed.all():
        unit.fact("task.changed", task=row.id, owner=row.owner_id)
