"""What push reads: calls as pops and log rows show them, tasks, people, queues, links.

Few statements, each over all the ids of a batch: on a busy desk the statements are the latency.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.accounts.tables import User
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.clients.tables import Client, Organisation
from callcrm.kernel.prepared import Db, Prepared
from callcrm.kernel.tables import LinkState
from callcrm.push.shapes import PopClient, PopDebt
from callcrm.tasks.tables import Task

AnyRow: TypeAlias = Any  # a SQLAlchemy Row: its columns are named, and known only to the statement


@dataclass(frozen=True, slots=True)
class CallView:
    """One call with the cards that its number may belong to, and the people who had part in it."""

    id: str
    pbx: str
    direction: str
    state: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    number: str | None
    raw: str | None
    said_name: str
    called: str | None
    queue: str | None
    operator: str | None
    operator_id: int | None
    missed: bool
    outcome: str | None
    disposition: str | None
    match: dict[str, Any]
    client_id: int | None
    clients: tuple[PopClient, ...]
    debt: PopDebt | None
    parties: frozenset[int] = frozenset()
    rang: tuple[str, ...] = ()

    @property
    def operators(self) -> frozenset[int]:
        """Whose call it is said to be."""
        return frozenset() if self.operator_id is None else frozenset({self.operator_id})

    @property
    def owners(self) -> frozenset[int]:
        """The owners of the card that the call is linked to."""
        return frozenset(c.owner_id for c in self.clients if c.id == self.client_id and c.owner_id is not None)


# The condition stands as text, not as parameters, so that the index of open callbacks is used.
_OPEN_CALLBACK = and_(
    Task.number == CallRow.client_number,
    literal_column("tasks.kind") == literal_column("'callback'"),
    literal_column("tasks.state") == literal_column("'open'"),
)
_CARD = (
    Client.id.label("card_id"),
    Client.name.label("card_name"),
    Client.job,
    Client.tags,
    Client.owner_id,
    Client.do_not_call,
    Organisation.name.label("organisation"),
)
_CALLS = Prepared(
    select(
        CallRow.id,
        CallRow.pbx,
        CallRow.direction,
        CallRow.state,
        CallRow.at,
        CallRow.answered_at,
        CallRow.ended_at,
        CallRow.client_number,
        CallRow.client_raw,
        CallRow.name.label("said_name"),
        CallRow.called,
        CallRow.queue,
        CallRow.operator,
        CallRow.operator_id,
        CallRow.missed,
        CallRow.outcome,
        CallRow.disposition,
        CallRow.match,
        CallRow.client_id,
        *_CARD,
        Task.id.label("task_id"),
        Task.attempts,
        Task.created_at.label("owed_since"),
        Task.due_at,
        Task.owner_id.label("task_owner_id"),
        Task.owner_why.label("task_owner_why"),
        Task.queue.label("task_queue"),
        Task.version.label("task_version"),
    )
    .outerjoin(Client, Client.id == CallRow.client_id)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .outerjoin(Task, _OPEN_CALLBACK)
    .where(CallRow.id.in_(bindparam("ids", expanding=True)))
)
_CARDS = Prepared(
    select(*_CARD)
    .outerjoin(Organisation, Organisation.id == Client.organisation_id)
    .where(Client.id.in_(bindparam("ids", expanding=True)), Client.deleted_at.is_(None))
    .order_by(Client.id)
)
_PARTIES = Prepared(
    select(
        CallOperator.call_id, CallOperator.user_id, CallOperator.extension, CallOperator.rang, CallOperator.answered
    ).where(CallOperator.call_id.in_(bindparam("ids", expanding=True)))
)


async def calls(db: Db, ids: Collection[str]) -> dict[str, CallView]:
    """The calls of these ids that there are, with their cards."""
    if not ids:
        return {}
    rows = await _CALLS.all(db, {"ids": list(ids)})
    views = {row.id: _call_view(row) for row in rows}
    several = {n for view in views.values() for n in candidates(view.match)} - {
        view.client_id for view in views.values()
    }
    if several:
        cards = {row.card_id: _card(row) for row in await _CARDS.all(db, {"ids": sorted(several)})}
        views = {key: _with_candidates(view, cards) for key, view in views.items()}
    return views


async def rehearse(db: Db) -> None:
    """Ask for a call that is not there: the statements are worked out before the first pop needs them."""
    for many in (1, 2, 4):
        for statement, nobody in ((_CALLS, ""), (_CARDS, 0), (_PARTIES, "")):
            await statement.all(db, {"ids": [nobody] * many})


async def with_parties(db: Db, views: dict[str, CallView]) -> dict[str, CallView]:
    """The same calls, knowing who had part in them."""
    if not views:
        return {}
    found: dict[str, list[AnyRow]] = {}
    for row in await _PARTIES.all(db, {"ids": list(views)}):
        found.setdefault(row.call_id, []).append(row)
    return {key: _joined(view, found.get(key, [])) for key, view in views.items()}


def candidates(match: dict[str, Any]) -> list[int]:
    """The cards among which a person may choose, as the ladder noted them."""
    listed = match.get("clients") or []
    return [int(n) for n in listed if isinstance(n, int)]


def _joined(view: CallView, rows: list[AnyRow]) -> CallView:
    people = {row.user_id for row in rows if row.user_id is not None}
    rang = tuple(row.extension for row in rows if row.rang and not row.answered)
    return replace(view, parties=frozenset(people), rang=rang)


def _with_candidates(view: CallView, cards: dict[int, PopClient]) -> CallView:
    more = [cards[n] for n in candidates(view.match) if n in cards and n != view.client_id]
    return replace(view, clients=(*view.clients, *more))


def _card(row: AnyRow) -> PopClient:
    return PopClient(
        id=row.card_id,
        name=row.card_name,
        organisation=row.organisation or "",
        job=row.job,
        tags=[str(tag) for tag in row.tags or []],
        owner_id=row.owner_id,
        do_not_call=row.do_not_call,
    )


def _debt(row: AnyRow) -> PopDebt | None:
    if row.task_id is None:
        return None
    return PopDebt(
        task=row.task_id,
        attempts=row.attempts,
        since=row.owed_since,
        due_at=row.due_at,
        owner_id=row.task_owner_id,
        owner_why=row.task_owner_why,
        queue=row.task_queue,
        version=row.task_version,
    )


def _call_view(row: AnyRow) -> CallView:
    return CallView(
        id=row.id,
        pbx=row.pbx,
        direction=row.direction,
        state=row.state,
        at=row.at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        number=row.client_number,
        raw=row.client_raw,
        said_name=row.said_name or "",
        called=row.called,
        queue=row.queue,
        operator=row.operator,
        operator_id=row.operator_id,
        missed=row.missed,
        outcome=row.outcome,
        disposition=row.disposition,
        match=row.match or {},
        client_id=row.client_id,
        clients=(_card(row),) if row.card_id is not None else (),
        debt=_debt(row),
    )


async def tasks(db: AsyncConnection, ids: Iterable[int]) -> list[AnyRow]:
    """Rows of tasks with the client's name."""
    statement = select(*Task.__table__.columns, Client.name.label("client_name")).outerjoin(
        Client, Client.id == Task.client_id
    )
    return list((await db.execute(statement.where(Task.id.in_(list(ids))))).all())


async def links(db: AsyncConnection, names: Collection[str] | None = None) -> list[AnyRow]:
    """How the links to these PBXes (or to all) stand."""
    statement = select(LinkState.pbx, LinkState.state, LinkState.words, LinkState.since).order_by(LinkState.pbx)
    if names is not None:
        statement = statement.where(LinkState.pbx.in_(list(names)))
    return list((await db.execute(statement)).all())


async def people(db: AsyncConnection) -> list[AnyRow]:
    """Everybody who works or worked here, with his team."""
    columns = (User.id, User.name, User.full_name, User.team, User.on_shift_since)
    return list((await db.execute(select(*columns))).all())
