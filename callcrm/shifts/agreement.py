"""Whether the PBX has it as we do, pure: what we want, what became of asking for it, and what the PBX says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: An answer of the PBX and its event are not quite of one moment.
SOON = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Wish:
    """A command for one of his phones: wanted, sent, done, refused or expired."""

    state: str
    message: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """What the PBX says of one of his places in queues."""

    queue: str
    paused: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """`code`:

    none       he is in no queue, so there is nothing to pause
    open       he is to get calls, and does
    agreed     he is to get none, and does not
    asking     the PBX was asked a moment ago
    refused    it was not done, `message` says why; `queues` are those that are otherwise than wanted
    differs    nothing failed, but in these `queues` it is otherwise
    """

    code: str
    message: str = ""
    queues: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nobody has to do anything."""
        return self.code in ("none", "open", "agreed", "asking")


def agreement(wanted: bool, wishes: Sequence[Wish], places: Sequence[Place], now: datetime) -> Agreement:
    """How it stands between us and the PBX."""
    if not places:
        return Agreement("none")
    unlike = [one for one in places if one.paused != wanted]
    others = tuple(sorted({one.queue for one in unlike}))
    if any(wish.state in ("wanted", "sent") for wish in wishes):
        return Agreement("asking")
    if not others:
        return Agreement("agreed" if wanted else "open")
    failed = next((wish for wish in wishes if wish.state in ("refused", "expired")), None)
    if failed is not None:
        return Agreement("refused", failed.message, others)
    done = max((wish.changed_at for wish in wishes), default=None)
    if done is not None and now - done < SOON and all(one.changed_at <= done for one in unlike):
        return Agreement("asking")
    return Agreement("differs", queues=others)
