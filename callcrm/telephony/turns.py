"""Whose turn it is to be written: what a person waits for goes first, the rest is gathered. Pure.

A phone that rings or is answered moves a pop: its turn comes at once, and it overtakes what waits of other calls.
Everything else waits a moment for more of its call, so that a call costs few units. Changes of one call, of one
client and of calls that were folded into one another stay in order, and go together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: Seconds that a change waits for more of its call; what is not named here waits for nothing.
PATIENT = {
    "call.began": 0.01,
    "call.changed": 0.12,
    "call.left": 0.03,
    "call.stopped_ringing": 0.03,
    "call.ended": 0.03,
}
#: Who waits longer than this many seconds is behind a database that is slow: then strictly in order, many at a time.
#: So what was overtaken is never older than this.
BEHIND_S = 1.0
#: After an urgent turn the others leave the processor to the pop that is told now.
QUIET_S = 0.006


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be written together. `urgent`: somebody waits for it at this moment. `in_order`: nothing overtook."""

    changes: list[Any]
    urgent: bool = False
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    change: Any
    since: float
    due: float
    line: int
    keys: frozenset[str]

    @property
    def hurried(self) -> bool:
        """Whether it waits for nothing."""
        return self.due == self.since


class Turns:
    """Changes that wait; times are seconds of one clock, `line` counts the raw events that had come."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: list[_Waiting] = []
        self._quiet_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, changes: Iterable[Any], now: float, line: int = 0) -> None:
        """Changes that came now."""
        for change in changes:
            due = now + PATIENT.get(getattr(change, "kind", ""), 0.0)
            self._waiting.append(_Waiting(change, now, due, line, _keys(change)))

    @property
    def due(self) -> float | None:
        """When the next turn comes; None while nothing waits."""
        return min((self._due(one) for one in self._waiting), default=None)

    def _due(self, one: _Waiting) -> float:
        return one.due if one.hurried else max(one.due, self._quiet_until)

    @property
    def oldest_line(self) -> int | None:
        """The raw event that the oldest waiting change came with; None while nothing waits."""
        return min((one.line for one in self._waiting), default=None)

    def take(self, now: float, *, everything: bool = False) -> Turn:
        """What is to be written now, in the order of coming; `everything`: do not wait for more."""
        if not self._waiting:
            return Turn([])
        if everything or len(self._waiting) > self._most or now - self._waiting[0].since > BEHIND_S:
            return Turn(self._give(self._waiting[: self._most]), in_order=True)
        due = [one for one in self._waiting if self._due(one) <= now]
        hurried = [one for one in due if one.hurried]
        if hurried:
            self._quiet_until = now + QUIET_S
        return Turn(self._give(self._with_kin(hurried or due[:1])), urgent=bool(hurried))

    def _with_kin(self, chosen: Sequence[_Waiting]) -> list[_Waiting]:
        """These and all that must not be overtaken by them."""
        keys = frozenset[str]().union(*(one.keys for one in chosen))
        while True:
            kin = [one for one in self._waiting if not keys.isdisjoint(one.keys)]
            wider = keys.union(*(one.keys for one in kin))
            if wider == keys:
                return kin
            keys = wider

    def _give(self, taken: list[_Waiting]) -> list[Any]:
        gone = {id(one) for one in taken}
        self._waiting = [one for one in self._waiting if id(one) not in gone]
        return [one.change for one in taken]


def _keys(change: Any) -> frozenset[str]:
    """What must stay in order: the call, what was folded into it, and the client."""
    call = getattr(change, "call", None)
    names = {f"call {getattr(call, 'id', '')}", *(f"call {one}" for one in getattr(change, "was", ()))}
    client = getattr(call, "client", None)
    return frozenset(names | {f"client {client}"} if client else names)
