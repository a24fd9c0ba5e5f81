"""The rules of callbacks, pure: which call makes us owe a call, and which call settles it.

One open callback for each caller. A missed inbound call opens it, or adds an attempt to it.
It is settled when a call back is answered, or when the caller gets through, by a call that
was answered after his last missed one began. So the order in which calls become known does
not matter: there is an open callback if, and only if, nobody talked with him since he last
failed to reach us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from callcrm.kernel.calendar import WorkingHours

CALLBACK = "callback"
#: How a call settles a debt.
BY_ITSELF = ("called_back", "got_through")
#: What tells that our own phone was not lifted: the client was never called.
NEVER_CALLED = frozenset({"operator did not pick up"})
#: Missed calls that the caller himself gave up: only these can be given up too soon to count.
_HIS_OWN_DOING = frozenset({None, "", "free", "ivr"})


#: Owners who took it themselves or were given it: they hold it. Others are only proposed, and colleagues may take it.
HOLDS = frozenset({"claimed", "assigned"})


@dataclass(frozen=True, slots=True)
class Promise:
    """When the clock starts (at once, or at the next opening) and when the call back is due, in UTC."""

    starts: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """The promise: `minutes` of working `hours`; calls given up within `short_abandon_s` are marked.

    `line_queues`: the queue of a line (by the number called), for callers who were not let into it.
    `line_hours`, `queue_hours`: the calendars of lines and queues that have their own.
    `owe_short`: whether who gave up at once is owed a call at all. `retry_min`: after the first, second … call
    back in vain the next try is so many working minutes later; the last one stays. `escalate_min`: working
    minutes after a broken promise until a supervisor is told; 0 is never.
    """

    minutes: float = 30.0
    hours: WorkingHours = field(default_factory=WorkingHours)
    short_abandon_s: float = 5.0
    line_queues: Mapping[str, str] = field(default_factory=dict)
    line_hours: Mapping[str, WorkingHours] = field(default_factory=dict)
    queue_hours: Mapping[str, WorkingHours] = field(default_factory=dict)
    owe_short: bool = True
    retry_min: tuple[float, ...] = (15.0, 60.0, 240.0)
    escalate_min: float = 15.0

    def queue(self, queue: str | None, called: str | None) -> str | None:
        """Whose people are to call back."""
        return queue or self.line_queues.get(called or "") or None

    def hours_of(self, queue: str | None, called: str | None) -> WorkingHours:
        """The calendar of the line that was called, else of its queue, else the house's."""
        named = self.line_hours.get(called or "") or self.queue_hours.get(self.queue(queue, called) or "")
        return named or self.hours

    def promise(self, missed_at: datetime, queue: str | None = None, called: str | None = None) -> Promise:
        """What a caller who was missed then is promised."""
        hours = self.hours_of(queue, called)
        return Promise(hours.next_opening(missed_at) or missed_at, hours.due(missed_at, self.minutes))

    def next_try(self, at: datetime, tries: int, queue: str | None = None, called: str | None = None) -> datetime:
        """When to try again after the call back number `tries` was in vain at `at`."""
        minutes = self.retry_min[min(max(tries, 1), len(self.retry_min)) - 1]
        return self.hours_of(queue, called).due(at, minutes)

    def escalates(
        self, due: datetime, asleep_until: datetime | None = None, queue: str | None = None, called: str | None = None
    ) -> datetime | None:
        """When a supervisor is to be told; not while the call back sleeps. None: never."""
        if not self.escalate_min:
            return None
        broken = due if asleep_until is None else max(due, asleep_until)
        return self.hours_of(queue, called).due(broken, self.escalate_min)


def held(owner_id: int | None, owner_why: str) -> bool:
    """Whether somebody holds it, so that nobody else calls this caller meanwhile."""
    return owner_id is not None and owner_why in HOLDS


def fate(*, state: str, closed_why: str | None, due: datetime | None, closed_at: datetime | None, now: datetime) -> str:
    """What became of the promise: none, running, kept, broken, by_hand (done without a call of ours) or dropped.

    Kept or broken is told by a call alone: what a person says to have done is counted apart.
    """
    if due is None:
        return "none"
    if state == "open":
        return "broken" if due < now else "running"
    if closed_why not in BY_ITSELF:
        return "dropped" if state == "dropped" else "by_hand"
    return "kept" if closed_at is not None and closed_at <= due else "broken"


@dataclass(frozen=True, slots=True)
class Story:
    """What the rules must know of a call: moments are aware, `answered_at` is the first talk of the two sides."""

    direction: str
    at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    missed: bool = False
    outcome: str | None = None
    why: str | None = None
    ended_by: str | None = None
    wait_s: float | None = None


def owes(call: Story) -> bool:
    """Whether the caller must be called back: he failed to reach us, whatever the reason."""
    return call.direction == "inbound" and call.missed and call.ended_at is not None and call.answered_at is None


def settles(call: Story) -> str:
    """Why the debt is settled by this call: called_back, got_through, or empty when it is not."""
    if call.answered_at is None or call.missed:
        return ""
    return {"outbound": "called_back", "inbound": "got_through"}.get(call.direction, "")


def settles_since(call: Story, last_missed: datetime | None) -> bool:
    """Whether he talked with us after his last try began."""
    return call.answered_at is not None and (last_missed is None or last_missed <= call.answered_at)


def tried_in_vain(call: Story) -> bool:
    """Whether we called him and did not reach him."""
    over = call.direction == "outbound" and call.ended_at is not None and call.answered_at is None
    return over and call.outcome not in NEVER_CALLED


def short_abandon(call: Story, rules: Rules) -> bool:
    """Whether he gave up so soon that he may not have meant to call."""
    if call.wait_s is None or call.ended_by != "caller" or call.why not in _HIS_OWN_DOING:
        return False
    return call.wait_s < rules.short_abandon_s


def owner(client_owner: int | None, last_operator: int | None) -> tuple[int | None, str]:
    """Who is to call back, and why he: the client's owner, else who last talked with him, else the queue's people."""
    if client_owner is not None:
        return client_owner, "client_owner"
    if last_operator is not None:
        return last_operator, "last_operator"
    return None, "queue"
