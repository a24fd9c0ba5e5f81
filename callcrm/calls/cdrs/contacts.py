"""Whom the client's line had to do with: each row that has it on one side, and who was on the other.

Behind a Local channel stands whoever its other half called, or was called by; that row knows better when he answered.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from callcrm.calls.cdrs.row import Row

#: A chain of Local pairs (a queue's member, follow-me, a ring group) is no longer than this.
_DEEPEST = 8
#: The PBX may have answered itself in the first moment, whole seconds apart or not: then nobody knows when he did.
_AT_ONCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Contact:
    """The client's line and `channel`: called, or calling; since when and until when it may have been.

    `answered`: they talked; `since`: from when on, None where that is not known; so with `rung` and `lifted`, when the
    phone began to ring and was lifted. `row` has the client's line in it, `own` is the row that tells of the other
    party (the same, but for what stands behind a Local pair).
    """

    channel: str
    start: float
    end: float
    answered: bool
    since: float | None
    lifted: float | None
    rung: float | None
    calling: bool
    row: Row
    own: Row

    @property
    def earliest(self) -> float:
        """From when on they may have talked."""
        return self.since if self.since is not None else max(self.start, self.row.answer or self.start)


def other_half(channel: str) -> str:
    """`Local/x;1` of `Local/x;2`; empty for what is no half of a Local pair."""
    if not channel.startswith("Local/"):
        return ""
    return {";1": channel[:-1] + "2", ";2": channel[:-1] + "1"}.get(channel[-2:], "")


class Channels:
    """The rows of one conversation by the channels in them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._by: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            for channel in {row.channel, row.dstchannel} - {""}:
                self._by[channel].append(row)

    def of(self, channel: str) -> list[Row]:
        """The rows that have it on either side."""
        return self._by.get(channel, [])

    def began(self, channel: str) -> list[Row]:
        """The rows of the channel itself, which say what it dialled."""
        return [row for row in self.of(channel) if row.channel == channel]

    def behind(self, channel: str, depth: int = 0) -> list[tuple[str, Row | None]]:
        """The parties behind a channel, each with the row that tells of it: itself, unless it is a half of a Local."""
        half = other_half(channel)
        if not half:
            return [(channel, None)]
        found: list[tuple[str, Row | None]] = []
        for row in self.of(half) if depth < _DEEPEST else ():
            further = _across(row, half)
            deeper = self.behind(further, depth + 1) if further else []
            found += [(one, own or row) for one, own in deeper if one not in (channel, half)]
        return found

    def met(self, channel: str) -> list[tuple[str, Row | None]]:
        """The same for the other side of a row; a Local pair of which there is no further row stands for itself."""
        if other_half(channel) and not self.of(other_half(channel)):
            return [(channel, None)]
        return self.behind(channel) if channel else []


def _across(row: Row, channel: str) -> str:
    return row.dstchannel if row.channel == channel else row.channel


def contacts(client: str, channels: Channels) -> list[Contact]:
    """Whom the client's line had to do with, in order; one party once, however many rows there are of it."""
    found: dict[str, Contact] = {}
    for row in channels.of(client):
        further = _across(row, client)
        for party, own in channels.met(further):
            if party != client:
                one = _contact(client, party, row, own or row, channels)
                found[party] = _joined(found[party], one) if party in found else one
    return _since_the_others_stopped(sorted(found.values(), key=lambda one: (one.start, one.channel)), channels)


def _contact(client: str, party: str, row: Row, own: Row, channels: Channels) -> Contact:
    answered, calling = row.answered and own.answered, row.dstchannel == client
    behind = own is not row and own.dstchannel == party
    known = own.answer is not None and (own.answer - own.start >= _AT_ONCE_S or (behind and own.answer > own.start))
    # Who calls the client from behind a Local pair lifted his own phone then: when the client did, stands nowhere.
    lifted = own.answer if answered and known and not (calling and behind) else None
    since = None if lifted is None else max(row.start, lifted)
    rung = own.start if _begins_with_ringing(own, lifted, channels) else None
    return Contact(party, row.start, row.end, answered, since, lifted, rung, calling, row, own)


def _begins_with_ringing(own: Row, lifted: float | None, channels: Channels) -> bool:
    """A channel's first row begins with the channel: a menu, or the wait in a queue, may come before the ringing."""
    first = channels.began(own.channel)[0].start == own.start and not other_half(own.channel)
    return not first or (own.lastapp == "dial" and own.answer == lifted)


def _joined(one: Contact, other: Contact) -> Contact:
    """Two rows of the same two lines are one talk.

    Where a Local pair made way between them, the row without it says when the client was on the line: before, a
    colleague may have asked.
    """
    first = one if one.answered or not other.answered else other
    since = first.since
    if one.answered and other.answered and since is not None and other.own is other.row and one.own is not one.row:
        since = max(since, other.start)
    return replace(first, start=min(one.start, other.start), end=max(one.end, other.end), since=since)


def _since_the_others_stopped(found: list[Contact], channels: Channels) -> list[Contact]:
    """Phones that rang together fall silent when one is lifted: that tells when it was.

    A phone whose own row says that nobody lifted it did not talk, whatever the client's row says: somebody else
    picked the call up.
    """
    heard = [_unlifted(one, channels) for one in found]
    stopped = [(one, _stopped(one, heard) if one.answered else None) for one in heard]
    return [one if at is None else replace(one, since=at, lifted=at) for one, at in stopped]


def _unlifted(one: Contact, channels: Channels) -> Contact:
    own = [row for row in channels.began(one.channel) if row.outgoing_line]
    if not own or any(row.disposition != "NO ANSWER" for row in own):
        return one
    return replace(one, answered=False, since=None, lifted=None, end=max(one.end, own[-1].end), own=own[0])


def _stopped(one: Contact, heard: Iterable[Contact]) -> float | None:
    ends = [
        other.end
        for other in heard
        if not other.answered and abs(other.start - one.start) <= 1.0 and one.earliest <= other.end < one.end
    ]
    return max(ends, default=None)
