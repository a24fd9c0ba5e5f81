"""What facts say of people, as events of their states: whose talk began and ended, who put a call away, whom the
PBX gives no calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, select

from callcrm.accounts.tables import Phone, User
from callcrm.calls.tables import CallRow
from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.tables import Command
from callcrm.kernel.writer import Unit
from callcrm.shifts import states
from callcrm.shifts.states import Event, Rules, WrapUpRule
from callcrm.telephony.tables import QueueMember

#: Facts of calls that may change what a person does.
CALLS = frozenset({"call.began", "call.answered", "call.left", "call.ended", "call.changed", "pop.closed"})
_GISTS = Prepared(
    select(CallRow.id, CallRow.direction, CallRow.queue, CallRow.operator_id, CallRow.ended_at).where(
        CallRow.id.in_(bindparam("ids", expanding=True))
    )
)
_PLACE = and_(Phone.pbx == QueueMember.pbx, Phone.extension == QueueMember.extension)
Gist: TypeAlias = Any  # a row of `_GISTS`


@dataclass(frozen=True, slots=True)
class Places:
    """How the PBX has a person's places in queues: `paused` when each of them is."""

    paused: bool
    at: datetime
    reason: str


class Happenings:
    """Reads one batch of facts. `calls`: who has something to do with which call; `told`: whose strip is to be
    read anew although his state stays."""

    def __init__(self, calls: Mapping[str, set[int]], rules: Rules) -> None:
        self._calls = {call: set(users) for call, users in calls.items()}
        self._rules = rules
        self._events: dict[int, list[Event]] = {}
        self._gists: dict[str, Gist] = {}
        self.told: set[int] = set()

    async def of(self, unit: Unit, facts: Sequence[Fact]) -> dict[int, list[Event]]:
        """The events of each person, in order."""
        self._gists = await gists(unit, {str(one.ids.get("call")) for one in facts if one.kind in CALLS})
        for fact in facts:
            self._call(fact)
        people = {one for fact in facts if fact.kind == "operator.changed" and isinstance(one := _user(fact), int)}
        await self._accounts(unit, people)
        await self._phones(unit, facts, people)
        await self._commands(unit, {str(fact.ids.get("command")) for fact in facts if fact.kind == "command.changed"})
        return self._events

    def _add(self, user: int, event: Event) -> None:
        self._events.setdefault(user, []).append(event)

    # ---- calls ---------------------------------------------------------------
    def _call(self, fact: Fact) -> None:
        call, user, gist = str(fact.ids.get("call")), _user(fact), self._gists.get(str(fact.ids.get("call")))
        if fact.ids.get("into"):
            self._fold(call, str(fact.ids["into"]), fact.at)
        elif fact.kind == "call.began" and gist is not None and gist.direction == "outbound" and gist.operator_id:
            self._talk(gist.operator_id, call, fact.at)
        elif fact.kind == "call.answered" and user is not None:
            self._talk(user, call, fact.at)
        elif fact.kind == "call.left" and user is not None:
            self._add(user, states.Left(fact.at, call, self._rule(gist)))
        elif fact.kind == "call.ended":
            for one in sorted(self._calls.get(call, ())):
                self._add(one, states.Left(fact.at, call, self._rule(gist)))
        elif fact.kind == "pop.closed" and user is not None:
            self._add(user, states.Ready(fact.at, call))

    def _talk(self, user: int, call: str, at: datetime) -> None:
        self._calls.setdefault(call, set()).add(user)
        self._add(user, states.Talked(at, call))

    def _fold(self, call: str, into: str, at: datetime) -> None:
        users = self._calls.pop(call, set())
        self._calls.setdefault(into, set()).update(users)
        for user in sorted(users):
            self._add(user, states.Folded(at, call, into))

    def _rule(self, gist: Gist | None) -> WrapUpRule | None:
        """A colleague's call needs no wrap-up, nor does one that is no call of its own any more."""
        return None if gist is None or gist.direction == "internal" else self._rules.of(gist.queue)

    # ---- people --------------------------------------------------------------
    async def _accounts(self, unit: Unit, people: set[int]) -> None:
        """Who is on shift, however that came about."""
        if not people:
            return
        for row in await unit.db.execute(select(User.id, User.on_shift_since).where(User.id.in_(sorted(people)))):
            since = row.on_shift_since
            self._add(row.id, states.Stopped(unit.now) if since is None else states.Started(since))

    async def _phones(self, unit: Unit, facts: Iterable[Fact], people: set[int]) -> None:
        """Whom the PBX gives no calls; also of people who sit at another phone now."""
        told = {(fact.ids.get("pbx"), fact.ids.get("extension")) for fact in facts if fact.kind == "phone.paused"}
        users = set(people)
        if told:
            for row in await unit.db.execute(select(Phone.pbx, Phone.extension, Phone.user_id)):
                if (row.pbx, row.extension) in told:
                    users.add(row.user_id)
        for user, places in (await places_of(unit, users)).items():
            self._add(user, states.PbxSaid(places.at, places.paused, places.reason))
            self.told.add(user)

    async def _commands(self, unit: Unit, commands: set[str]) -> None:
        """Whose pause was done, refused or too late."""
        if not commands:
            return
        pauses = (Command.id.in_(sorted(commands)), Command.kind.in_(("pause", "unpause")))
        for row in await unit.db.execute(select(Command.wanted_by).where(*pauses, Command.wanted_by.is_not(None))):
            self.told.add(int(row.wanted_by))


async def gists(unit: Unit, ids: set[str]) -> dict[str, Gist]:
    """What decides the wrap-up of these calls."""
    return {row.id: row for row in await _GISTS.all(unit.db, {"ids": sorted(ids)})} if ids else {}


async def places_of(unit: Unit, users: Iterable[int]) -> dict[int, Places]:
    """How the PBX has the places of these people; of who has none, that he is not paused."""
    wanted = sorted(users)
    if not wanted:
        return {}
    columns = (Phone.user_id, QueueMember.paused, QueueMember.reason, QueueMember.paused_at)
    statement = select(*columns).join(Phone, _PLACE).where(Phone.user_id.in_(wanted))
    rows: dict[int, list[Any]] = {user: [] for user in wanted}
    for row in await unit.db.execute(statement.order_by(QueueMember.paused_at)):
        rows[row.user_id].append(row)
    return {user: _places(found, unit.now) for user, found in rows.items()}


def _places(rows: Sequence[Any], now: datetime) -> Places:
    if not rows:
        return Places(paused=False, at=now, reason="")
    return Places(all(row.paused for row in rows), min(rows[-1].paused_at, now), rows[-1].reason)


def _user(fact: Fact) -> int | None:
    user = fact.ids.get("user")
    return user if isinstance(user, int) else None
