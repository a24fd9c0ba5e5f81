"""The pops that are present, in memory and in the table: memory answers at once, the table survives.

What changed is written a moment later, many pops in one unit. After a restart the table gives
the pops back and the facts since the oldest open call are folded over them again.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import RowMapping, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls.tables import Pop as PopRow
from callcrm.kernel.facts import Fact
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit
from callcrm.push.pop import CallGist, Pop, Step, steps

Outer = TypeVar("Outer")
Inner = TypeVar("Inner")

PRESENT = ("offered", "answered", "wrapup")
#: Who never puts his wrap-ups away keeps the newest of them.
WRAPUPS = 5
#: Pops that came to their end stay in mind this long: what belongs to them may come late.
LINGER = timedelta(seconds=60)
#: A pop older than this is of a call that nobody ended; it is not brought back.
OLDEST = timedelta(hours=12)


@dataclass(slots=True)
class Times:
    """When one pop was sent, painted and opened; `late_page`: to a page that was not open yet when it rang."""

    sent_at: datetime | None = None
    painted_at: datetime | None = None
    opened_at: datetime | None = None
    late_page: bool = False


class PopBook:
    """Pops by call and by person."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[int, Pop]] = {}
        self._people: dict[int, dict[str, Pop]] = {}
        self._pops: dict[str, Pop] = {}
        self._times: dict[str, Times] = {}
        self._changed: set[str] = set()
        self._timed: set[str] = set()
        self.woken = asyncio.Event()

    def apply(self, fact: Fact, gist: CallGist) -> list[Step]:
        """Fold one fact in; what the person must be told comes back."""
        moved = steps(self._calls.get(str(fact.ids.get("call")), {}), fact, gist)
        for step in moved:
            self._keep(step.pop)
            if step.message == "pop.ended":
                self._bound_wrapups(step.pop.user)
        return [step for step in moved if step.message]

    def get(self, pop: str) -> Pop | None:
        """The pop of this id, while it is in mind."""
        return self._pops.get(pop)

    def of_call(self, call: str) -> list[Pop]:
        """All pops of one call."""
        return list(self._calls.get(call, {}).values())

    def knows(self, call: str) -> bool:
        """Whether anybody has a pop of this call."""
        return call in self._calls

    def present(self, user: int) -> list[Pop]:
        """What this person has on his screen, oldest first."""
        pops = [pop for pop in self._people.get(user, {}).values() if pop.state in PRESENT]
        return sorted(pops, key=lambda pop: pop.at)

    def state(self, user: int) -> str | None:
        """talking, ringing, or None when no call is with him."""
        states = {pop.state for pop in self._people.get(user, {}).values()}
        return "talking" if "answered" in states else "ringing" if "offered" in states else None

    def times(self, pop: str) -> Times:
        """The pop's times, to be set through `timed`."""
        return self._times.setdefault(pop, Times())

    def timed(self, pop: str) -> None:
        """A time of this pop was set: write it soon."""
        self._timed.add(pop)
        self.woken.set()

    @property
    def unsaved(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._changed or self._timed)

    def _keep(self, pop: Pop) -> None:
        self._calls.setdefault(pop.call, {})[pop.user] = pop
        self._people.setdefault(pop.user, {})[pop.id] = pop
        self._pops[pop.id] = pop
        self._changed.add(pop.id)
        self.woken.set()

    def _bound_wrapups(self, user: int) -> None:
        wrapups = [pop for pop in self._people.get(user, {}).values() if pop.state == "wrapup"]
        for pop in sorted(wrapups, key=lambda pop: pop.at)[:-WRAPUPS]:
            self._drop(pop)

    def forget(self, now: datetime) -> None:
        """Let go of pops that came to their end a while ago, and of those that never did."""
        for pop in list(self._pops.values()):
            over = pop.closed_at is not None and pop.state not in PRESENT and now - pop.closed_at > LINGER
            if (over or now - pop.at > OLDEST) and pop.id not in self._changed:
                self._drop(pop)

    def _drop(self, pop: Pop) -> None:
        _forget(self._calls, pop.call, pop.user)
        _forget(self._people, pop.user, pop.id)
        self._pops.pop(pop.id, None)
        self._times.pop(pop.id, None)

    def take(self) -> "Batch":
        """What is to be written now."""
        pops = [self._pops[key] for key in self._changed if key in self._pops]
        times = [(self._pops[key], self.times(key)) for key in self._timed if key in self._pops]
        self._changed, self._timed = set(), set()
        return Batch(pops, times)

    def put_back(self, batch: "Batch") -> None:
        """What could not be written is to be written later."""
        self._changed |= {pop.id for pop in batch.pops}
        self._timed |= {pop.id for pop, _ in batch.times}
        self.woken.set()

    async def restore(self, db: AsyncConnection, now: datetime) -> None:
        """Bring back the pops that were present."""
        columns = PopRow.__table__.columns
        found = await db.execute(select(*columns).where(PopRow.state.in_(PRESENT), PopRow.at > now - OLDEST))
        for pop in (from_row(row) for row in found.mappings()):
            self._keep(pop)
        self._changed.clear()


def _forget(index: dict[Outer, dict[Inner, Pop]], outer: Outer, inner: Inner) -> None:
    pops = index.get(outer, {})
    pops.pop(inner, None)
    if not pops:
        index.pop(outer, None)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pops and times to be written in one unit."""

    pops: list[Pop]
    times: list[tuple[Pop, Times]]

    async def save(self, unit: Unit) -> None:
        """Write them; doing it twice is the same."""
        await upsert(unit.db, PopRow, [_row(pop) for pop in self.pops])
        if self.times:
            await _SET_TIMES.run(unit.db, [_time_row(pop, times) for pop, times in self.times])


# The first moment stays, whoever writes second, and what was known of its page.
_SET_TIMES = Prepared(
    update(PopRow)
    .where(PopRow.at == bindparam("b_at"), PopRow.id == bindparam("b_id"))
    .values(
        late_page=case(
            (PopRow.sent_at.is_(None), bindparam("b_late", type_=PopRow.late_page.type)), else_=PopRow.late_page
        ),
        sent_at=func.coalesce(PopRow.sent_at, bindparam("b_sent", type_=PopRow.sent_at.type)),
        painted_at=func.coalesce(PopRow.painted_at, bindparam("b_painted", type_=PopRow.painted_at.type)),
        opened_at=func.coalesce(PopRow.opened_at, bindparam("b_opened", type_=PopRow.opened_at.type)),
    ),
    keyed=True,
)


def _time_row(pop: Pop, times: Times) -> dict[str, object]:
    return {
        "b_at": pop.at,
        "b_id": pop.id,
        "b_sent": times.sent_at,
        "b_late": times.late_page,
        "b_painted": times.painted_at,
        "b_opened": times.opened_at,
    }


def _row(pop: Pop) -> dict[str, object]:
    return {
        "at": pop.at,
        "id": pop.id,
        "call_id": pop.call,
        "user_id": pop.user,
        "extension": pop.extension,
        "state": pop.state,
        "reason": pop.reason,
        "answered_by": pop.answered_by,
        "answered_at": pop.answered_at,
        "closed_at": pop.closed_at,
    }


def from_row(row: RowMapping) -> Pop:
    """A stored pop."""
    ringing = frozenset({row["extension"]}) if row["state"] == "offered" else frozenset[str]()
    return Pop(
        id=row["id"],
        call=row["call_id"],
        user=row["user_id"],
        at=row["at"],
        extension=row["extension"],
        state=row["state"],
        reason=row["reason"],
        answered_by=row["answered_by"],
        ringing=ringing,
        answered_at=row["answered_at"],
        closed_at=row["closed_at"],
    )
