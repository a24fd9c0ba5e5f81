"""Who may do what, and who sees what: the one place, for web, API and push alike.

    operator    own calls (rang, talked, or the client's owner), all clients, own and own queues' callbacks
    supervisor  all calls and tasks, or those of one team when the account has a team; listening, export, audit
    admin       everything; accounts, fields of cards and PBXes

A query for people narrows its select by `visible_calls`, `visible_tasks` or `visible_clients`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeVar, cast

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, exists, false, func, or_, select, true

from callcrm.accounts.tables import User
from callcrm.kernel.errors import NotAllowed
from callcrm.kernel.schema import Base, Key

Role = Literal["operator", "supervisor", "admin"]
Scope = Literal["own", "team", "all"]
ROLES: tuple[Role, ...] = ("operator", "supervisor", "admin")
#: What stands for a digit that somebody may not see.
HIDDEN = "•"

Narrowed = TypeVar("Narrowed", bound=Select[Any])


class Right(Enum):
    """What somebody may do; which calls or tasks of it he reaches is the scope's matter."""

    CALLS = "see the call log"
    LISTEN = "play recordings"
    CLIENTS = "see and change clients"
    TASKS = "see and do tasks"
    DIAL = "call by a click"
    ASSIGN = "give tasks to others"
    DELETE_CLIENTS = "delete and merge clients"
    FLOOR = "see everybody's state"
    EXPORT = "take data out"
    AUDIT = "see who saw what"
    SCORE = "score calls"
    ACCOUNTS = "manage accounts"
    FIELDS = "define fields of cards"
    PBX = "manage PBXes"
    DOWNLOAD = "take recordings out"
    RETENTION = "manage retention and legal holds"


_OPERATOR = frozenset({Right.CALLS, Right.LISTEN, Right.CLIENTS, Right.TASKS, Right.DIAL})
_SUPERVISOR = _OPERATOR | {Right.ASSIGN, Right.DELETE_CLIENTS, Right.FLOOR, Right.EXPORT, Right.AUDIT, Right.DOWNLOAD}
_SUPERVISOR |= {Right.SCORE}
RIGHTS: dict[str, frozenset[Right]] = {
    "operator": _OPERATOR,
    "supervisor": _SUPERVISOR,
    "admin": frozenset(Right),
}


class Line(NamedTuple):
    """A phone: an extension of one PBX."""

    pbx: str
    extension: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `via` is session, token or command; `masked` hides the middle of telephone numbers from him."""

    user_id: int
    name: str
    role: str
    team: str = ""
    extensions: tuple[Line, ...] = ()
    via: str = "session"
    full_name: str = ""
    language: str = ""
    time_zone: str = ""
    theme: str = "system"
    pop: str = "ringing"
    masked: bool = False
    density: str = ""
    single_keys: bool = True


#: The parameter of a statement that holds for everybody of one role and team: whose it is this time.
ASKER = "asker"


@lru_cache(maxsize=256)
def anybody(role: str, team: str = "") -> Actor:
    """Somebody of this role and team whose id is the parameter ASKER, to make a statement once for all such."""
    return Actor(cast(int, bindparam(ASKER, type_=Key)), "", role, team)


def may(actor: Actor, right: Right) -> bool:
    """Whether the actor's role has `right`."""
    return right in RIGHTS.get(actor.role, frozenset())


def require(actor: Actor, right: Right) -> None:
    """Raise NotAllowed unless the actor's role has `right`."""
    if not may(actor, right):
        raise NotAllowed(f"Your role ({actor.role}) may not {right.value}; ask a supervisor or an administrator.")


def scope(actor: Actor) -> Scope:
    """How far the actor sees in calls, tasks and states of people."""
    if actor.role == "admin":
        return "all"
    if actor.role == "supervisor":
        return "team" if actor.team else "all"
    return "own"


def shown_number(actor: Actor, e164: str | None) -> str | None:
    """A telephone number as the actor may see it; extensions and short numbers are nobody's secret."""
    if e164 is None or not actor.masked or len(e164) < 8:
        return e164
    return f"{e164[:4]}{HIDDEN * (len(e164) - 6)}{e164[-2:]}"


def visible_calls(actor: Actor, statement: Narrowed) -> Narrowed:
    """Narrow a select on the table `calls` to what the actor may see."""
    return statement.where(calls_of(actor))


def visible_clients(actor: Actor, statement: Narrowed) -> Narrowed:
    """Narrow a select on the table `clients`: who may see clients at all sees every one of them."""
    require(actor, Right.CLIENTS)
    return statement


def visible_tasks(actor: Actor, statement: Narrowed, *, queues: Collection[str] = (), few: bool = False) -> Narrowed:
    """Narrow a select on the table `tasks`; `queues` are those whose callbacks are the actor's too.

    `few`: other conditions name a few tasks, so that the database should not look for all those of the actor.
    """
    mine = tasks_of(actor, queues)
    return statement.where(func.coalesce(mine, false()) if few else mine)


def visible_evaluations(actor: Actor, statement: Narrowed) -> Narrowed:
    """Narrow a select on the table `evaluations` to what the actor may see."""
    return statement.where(evaluations_of(actor))


def evaluations_of(actor: Actor) -> ColumnElement[bool]:
    """The condition behind `visible_evaluations`: one's own score once it is released, one's own work, one's reach.

    A draft is its grader's alone, and so is what he gave in a round of calibration: others see it there.
    """
    rows = _table("evaluations")
    mine = and_(rows.c.subject_id == actor.user_id, rows.c.state == "released", rows.c.calibration_id.is_(None))
    if not may(actor, Right.SCORE):
        return mine
    done = and_(rows.c.state != "draft", rows.c.calibration_id.is_(None), rows.c.subject_id != actor.user_id)
    reach = scope(actor)
    within = done if reach == "all" else and_(done, _belongs(actor, reach, rows.c.subject_id))
    return or_(mine, rows.c.grader_id == actor.user_id, within)


def calls_of(actor: Actor) -> ColumnElement[bool]:
    """The condition on the table `calls` behind `visible_calls`."""
    reach = scope(actor)
    if reach == "all":
        return true()
    calls, parts, clients = _table("calls"), _table("call_operators"), _table("clients")
    part = and_(parts.c.began == calls.c.began, parts.c.call_id == calls.c.id)
    mine = _belongs(actor, reach, parts.c.user_id)
    conditions = [
        _belongs(actor, reach, calls.c.operator_id),
        exists(select(parts.c.call_id).where(part, mine).correlate(calls)),
        exists(
            select(clients.c.id)
            .where(clients.c.id == calls.c.client_id, _belongs(actor, reach, clients.c.owner_id))
            .correlate(calls)
        ),
    ]
    if reach == "team":
        # What rang at nobody we know (given up in the queue, say) is for every supervisor to see.
        conditions.append(~exists(select(parts.c.call_id).where(part, parts.c.user_id.is_not(None)).correlate(calls)))
    return or_(*conditions)


def tasks_of(actor: Actor, queues: Collection[str] = ()) -> ColumnElement[bool]:
    """The condition on the table `tasks` behind `visible_tasks`."""
    reach = scope(actor)
    if reach == "all":
        return true()
    tasks = _table("tasks")
    nobodys: ColumnElement[bool] = tasks.c.owner_id.is_(None)
    if reach == "own":
        nobodys = and_(nobodys, or_(tasks.c.queue.is_(None), tasks.c.queue.in_(sorted(queues))))
    nobodys = and_(nobodys, or_(tasks.c.team.is_(None), tasks.c.team == actor.team))
    # Who works in a queue sees its callbacks whoever holds them, so that he knows that somebody does.
    shared = and_(tasks.c.kind == "callback", tasks.c.queue.in_(sorted(queues)))
    return or_(_belongs(actor, reach, tasks.c.owner_id), nobodys, shared)


def _belongs(actor: Actor, reach: Scope, user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    if reach == "own":
        return user_id == actor.user_id
    team = select(User.id).where(or_(User.team == actor.team, User.id == actor.user_id))
    return user_id.in_(team)


def _table(name: str) -> Table:
    # Of slices above this one: whoever asks has imported it, or there would be no select to narrow.
    return Base.metadata.tables[name]
