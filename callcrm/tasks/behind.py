"""The number behind what a person sees masked: he names the row, the number stays with us.

Whoever may see a card, a call or a task may call whom it is about, whether he sees the number whole or not.
"""

import re
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.policy import Actor, Right, require, visible_calls, visible_clients, visible_tasks
from callcrm.calls.tables import CallRow
from callcrm.clients.tables import Client, ClientNumber, Organisation
from callcrm.kernel.errors import Invalid, NotFound
from callcrm.tasks.tables import Task

_WHOM = re.compile(r"(number|task):(\d{1,18})|(call):([0-9A-Za-z_.:-]{1,64})")


async def number_behind(db: AsyncConnection, actor: Actor, whom: str, queues: Collection[str] = ()) -> str:
    """The number of `whom`: number:ID (a number of a card), call:ID (its client's) or task:ID (a callback's); E.164.

    `queues` are those whose callbacks are the actor's too. Raises NotFound for what he may not see or is gone,
    Invalid for what has no number.
    """
    found = _WHOM.fullmatch(whom)
    if found is None:
        raise Invalid("Whom to call is not said: a number of a card, a call or a task.")
    kind, key = found[1] or found[3], found[2] or found[4]
    if kind == "number":
        number = await _of_card(db, actor, int(key))
    elif kind == "task":
        number = await _of_task(db, actor, int(key), queues)
    else:
        number = await _of_call(db, actor, key)
    if not number:
        raise Invalid("There is no number to call here.")
    return number


async def _of_card(db: AsyncConnection, actor: Actor, number_id: int) -> str:
    whose = func.coalesce(Client.id, Organisation.id)
    closed = func.coalesce(Client.deleted_at, Organisation.deleted_at)
    statement = (
        select(ClientNumber.e164)
        .outerjoin(Client, Client.id == ClientNumber.client_id)
        .outerjoin(Organisation, Organisation.id == ClientNumber.organisation_id)
        .where(ClientNumber.id == number_id, whose.is_not(None), closed.is_(None))
    )
    row = (await db.execute(visible_clients(actor, statement))).first()
    if row is None:
        raise NotFound("This number is on no card any more.")
    return str(row.e164)


async def _of_call(db: AsyncConnection, actor: Actor, call_id: str) -> str:
    require(actor, Right.CALLS)
    row = (await db.execute(visible_calls(actor, select(CallRow.client_number).where(CallRow.id == call_id)))).first()
    if row is None:
        raise NotFound("There is no such call, or it is not yours to see.")
    return str(row.client_number or "")


async def _of_task(db: AsyncConnection, actor: Actor, task_id: int, queues: Collection[str]) -> str:
    require(actor, Right.TASKS)
    statement = visible_tasks(actor, select(Task.number).where(Task.id == task_id), queues=queues)
    row = (await db.execute(statement)).first()
    if row is None:
        raise NotFound("There is no such task, or it is not yours to see.")
    return str(row.number or "")
