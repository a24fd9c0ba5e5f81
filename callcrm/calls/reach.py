"""Whose calls come into question, found by the index that knows them, newest first.

The log in the order of time is right for who sees all calls. For one person's it would read past everybody else's,
all two years of them when he had few: so his are taken from where his part in calls is kept, and from the cards
that are his, a page's worth from each. Kinds of calls that are rare have indexes of their own, which are better still.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, select, union
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from callcrm.accounts.policy import Actor, scope
from callcrm.calls.log import Filters
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.clients.tables import Client
from callcrm.kernel.schema import Moment

#: A PBX's clock (in `began`) and ours (in `at`) may differ by this much.
CLOCKS = timedelta(days=1)
#: More than a page, because of calls of one second whose order the index does not know.
_MORE = 50
_EVER = datetime(1900, 1, 1, tzinfo=UTC)

Statement = Select[*tuple[Any, ...]]


class Shy(ColumnElement[Any]):
    """A column that SQLite compares without thinking of its index: it takes the log's own for better than it is."""

    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as SQLAlchemy has it

    def __init__(self, column: Any) -> None:
        self.column = column
        self.type = column.type

    @property
    def _from_objects(self) -> Any:
        return self.column._from_objects


@compiles(Shy)
def _as_it_is(element: Shy, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.column, **more))


@compiles(Shy, "sqlite")
def _without_index(element: Shy, compiler: Any, **more: Any) -> str:
    return f"+{compiler.process(element.column, **more)}"


def narrowed(
    statement: Statement,
    actor: Actor,
    filters: Filters,
    conditions: list[ColumnElement[bool]],
    limit: int,
    *,
    before: datetime | None = None,
) -> Statement:
    """The statement, joined with what comes into question where that is one person's; `conditions` say the rest.

    `before`: where the page begins. The conditions and rights still have to be in the statement itself.
    """
    if filters.client is not None or filters.number is not None:
        return statement
    parts = _parts(actor, filters)
    if not parts:
        return statement
    theirs = parts[0].add_columns(CallRow.at).where(*conditions, *_span(filters, before))
    latest = theirs.order_by(CallOperator.began.desc()).limit(limit + _MORE).cte("latest")
    # Where these fill the page, nothing that is older than they are comes onto it.
    floor = select(case((func.count() >= limit, func.min(latest.c.at)))).select_from(latest).scalar_subquery()
    since = CallRow.at >= func.coalesce(floor, literal(_EVER, Moment()), type_=Moment())
    chosen = [select(latest.c.began, latest.c.id)]
    for part in parts[1:]:
        found = part.where(since, *conditions).order_by(CallRow.at.desc()).limit(limit + _MORE)
        chosen.append(select(found.subquery()))
    mine = (union(*chosen) if len(chosen) > 1 else chosen[0]).subquery()
    return statement.join(mine, and_(mine.c.began == CallRow.began, mine.c.id == CallRow.id))


def few(actor: Actor, filters: Filters) -> bool:
    """Whether one person's or one client's calls are asked for: they are found by an index, and are few."""
    return filters.client is not None or filters.number is not None or bool(_parts(actor, filters))


def keys(
    actor: Actor, filters: Filters, conditions: list[ColumnElement[bool]], shy: list[ColumnElement[bool]]
) -> Subquery:
    """The keys (began, id) of all those few calls; `conditions` are those on the calls, `shy` the same with Shy."""
    if filters.client is not None or filters.number is not None:
        return select(CallRow.began, CallRow.id).where(*conditions).subquery()
    theirs, *others = _parts(actor, filters)
    near: list[ColumnElement[bool]] = []
    # Who asks has the time in the terms of `began`.
    near += [CallRow.at >= filters.since - CLOCKS] if filters.since is not None else []
    near += [CallRow.at <= filters.until + CLOCKS] if filters.until is not None else []
    chosen = [theirs.where(*shy, *_span(filters, None)), *(part.where(*near, *shy) for part in others)]
    return (union(*chosen) if len(chosen) > 1 else chosen[0]).subquery()


def _parts(actor: Actor, filters: Filters) -> list[Statement]:
    """Selects of calls' keys; the first goes by people's parts in calls."""
    if _rare(filters):
        return []
    key: Statement = select(CallRow.began, CallRow.id)
    # A person may have had part with several phones.
    theirs: Statement = (
        select(CallOperator.began, CallRow.id)
        .join(CallRow, and_(CallOperator.began == CallRow.began, CallOperator.call_id == CallRow.id))
        .distinct()
    )
    if filters.operator is not None:
        return [theirs.where(CallOperator.user_id == filters.operator)]
    if filters.extension is not None:
        return [theirs.where(CallOperator.extension == filters.extension)]
    if scope(actor) != "own":
        return []
    cards = select(Client.id).where(Client.owner_id == actor.user_id)
    return [
        theirs.where(CallOperator.user_id == actor.user_id),
        key.where(CallRow.operator_id == actor.user_id),
        key.where(CallRow.client_id.in_(cards)),
    ]


def _rare(filters: Filters) -> bool:
    """Whether a kind of call is asked for of which the index knows each: sooner looked through than one's own years.

    Held ones are too many for that.
    """
    return filters.unlinked or filters.transferred


def _span(filters: Filters, before: datetime | None) -> list[ColumnElement[bool]]:
    """The stretch of time in the terms of people's parts."""
    latest = min((at for at in (filters.until, before) if at is not None), default=None)
    found: list[ColumnElement[bool]] = []
    if latest is not None:
        found.append(CallOperator.began <= latest + CLOCKS)
    if filters.since is not None:
        found.append(CallOperator.began >= filters.since - CLOCKS)
    return found
