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
#: What tells that our own phone was not lifted: the client was never called.
NEVER_CALLED = frozenset({"operator did not pick up"})
#: Missed calls that the caller himself gave up: only these can be given up too soon to count.
_HIS_OWN_DOING = frozenset({None, "", "free", "ivr"})


@dataclass(frozen=True, slots=True)
class Rules:
    """The promise: `minutes` of working `hours`; calls given up within `short_abandon_s` are marked.

    `line_queues`: the queue of a line (by the number called), for callers who were not let into it.
    """

    minutes: float = 30.0
    hours: WorkingHours = field(default_factory=WorkingHours)
    short_abandon_s: float = 5.0
    line_queues: Mapping[str, str] = field(default_factory=dict)

    def due(self, missed_at: datetime) -> datetime:
        """When the call back is due."""
        return self.hours.due(missed_at, self.minutes)

    def queue(self, queue: str | None, called: str | None) -> str | None:
        """Whose people are to call back."""
        return queue or self.line_queues.get(called or "") or None


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
