"""Rows of one conversation: those of one Linkedid, and those that share a channel.

Without a Linkedid (a stock Master.csv has none) the shared channels alone must do, and the two halves of a Local pair.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from callcrm.calls.cdrs.row import Row, age

#: Names of channels come again after a restart of the PBX: rows so far apart are not of the same channel.
APART_S = 5.0
#: What a wrong time zone can be off by, and how far the first row may begin from what the Uniqueid says.
_ZONE_S, _NEAR_S, _FURTHEST_S = 900.0, 120.0, 27 * 3600.0


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one conversation in order, and the Uniqueid of its first channel."""

    root: str
    rows: tuple[Row, ...]

    @property
    def ids(self) -> frozenset[str]:
        """Every Uniqueid and Linkedid in it."""
        return frozenset(one for row in self.rows for one in (row.uniqueid, row.linkedid))

    @property
    def start(self) -> float:
        return self.rows[0].start

    @property
    def end(self) -> float:
        return max(row.end for row in self.rows)

    @property
    def whole(self) -> bool:
        """Whether the first channel's own row is there: a PBX writes it when that channel is over."""
        return any(row.uniqueid == self.root for row in self.rows)


def groups(rows: Iterable[Row], outside: Callable[[str], bool]) -> list[Group]:
    """The conversations in order of beginning; `outside` tells a channel of an outside line.

    Times that are off by whole quarters of an hour (the zone is set wrong) are put right by the Uniqueid.
    """
    ordered = sorted(set(rows), key=lambda row: row.order)
    parts = _Parts(len(ordered))
    linked: dict[str, int] = {}
    for n, row in enumerate(ordered):
        parts.join(n, linked.setdefault(row.linkedid, n))
    _by_channels(ordered, parts)
    found: dict[int, list[Row]] = defaultdict(list)
    for n, row in enumerate(ordered):
        found[parts.of(n)].append(row)
    made = [_corrected(Group(_root(rows, outside), tuple(rows))) for rows in found.values()]
    return sorted(made, key=lambda group: (group.start, group.root))


class _Parts:
    """What belongs together (union-find)."""

    def __init__(self, count: int) -> None:
        self._of = list(range(count))

    def of(self, n: int) -> int:
        while self._of[n] != n:
            self._of[n] = self._of[self._of[n]]
            n = self._of[n]
        return n

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.of(one), self.of(other)))
        self._of[other] = one


def pair(channel: str) -> str:
    """A channel's name, of a half of a Local pair that of the pair."""
    return channel[:-2] if channel.startswith("Local/") and channel.endswith((";1", ";2")) else channel


def _by_channels(rows: Sequence[Row], parts: _Parts) -> None:
    using: dict[str, list[int]] = defaultdict(list)
    for n, row in enumerate(rows):
        for channel in {pair(one) for one in (row.channel, row.dstchannel) if one}:
            using[channel].append(n)
    for numbers in using.values():
        until = rows[numbers[0]].end
        for before, n in pairwise(numbers):
            if rows[n].start - until <= APART_S:
                parts.join(before, n)
            until = max(until, rows[n].end)


def _root(rows: Sequence[Row], outside: Callable[[str], bool]) -> str:
    """The whole has the client; of two such, or none, it is the older, as in the call model."""
    with_client = {row.linkedid for row in rows if outside(row.channel) or outside(row.dstchannel)}
    first: dict[str, float] = {}
    for row in rows:
        first.setdefault(row.linkedid, row.start)
    return min(first, key=lambda one: (one not in with_client, age(one) or (first[one], 0), one))


def off(row: Row) -> float:
    """Seconds by which a channel's first row is off what its Uniqueid says, as a wrong zone makes it; else 0.0."""
    told = age(row.uniqueid)
    if told is None:
        return 0.0
    apart = told[0] - row.start
    by = round(apart / _ZONE_S) * _ZONE_S
    return by if abs(apart - by) <= _NEAR_S and abs(by) <= _FURTHEST_S else 0.0


def _corrected(group: Group) -> Group:
    by = next((off(row) for row in group.rows if row.uniqueid == group.root), 0.0)
    if not by:
        return group
    moved = (
        replace(row, start=row.start + by, end=row.end + by, answer=None if row.answer is None else row.answer + by)
        for row in group.rows
    )
    return Group(group.root, tuple(moved))
