"""The audit: who did or saw what. A row is written in the unit that does it, so that neither is without the other."""

import secrets
from typing import Any, Protocol

from sqlalchemy import insert

from callcrm.kernel.tables import Audit
from callcrm.kernel.writer import Unit


class Who(Protocol):
    """Whoever acts: `accounts.policy.Actor` is one."""

    @property
    def user_id(self) -> int: ...


async def write(  # noqa: PLR0917 - a sentence: who did what to which
    unit: Unit,
    actor: Who | None,
    act: str,
    what: str,
    which: object,
    detail: dict[str, Any] | None = None,
    *,
    address: str = "",
) -> None:
    """Note that `actor` (None: the service itself) did `act` to the `what` that is called `which`.

    `act` is a verb (view, listen, export, change …), `what` a noun (client, recording, account …),
    `detail` ids and names of fields, never their contents: these lie in rows that can be erased.
    """
    row = {
        "at": unit.now,
        "id": secrets.token_hex(16),
        "user_id": actor.user_id if actor else None,
        "act": act,
        "what": what,
        "which": str(which),
        "address": address,
        "detail": detail or {},
    }
    await unit.db.execute(insert(Audit), row)
