"""Facts: what truly happened, in the past tense, as ids.

Facts are the channel between the parts of callcrm, which may be other processes:
they are stored with a position per stream, in the same transaction as the rows
they speak of. They hold ids only; names, numbers and texts lie in rows that can
be erased.
"""

from dataclasses import dataclass
from datetime import datetime

Ids = dict[str, str | int | None]

KINDS: dict[str, str] = {
    "call.began": "A call was seen for the first time: call.",
    "call.ringing": "An operator's phone began to ring: call, pbx, extension, user.",
    "call.stopped_ringing": "An operator's phone rings no more, unanswered: call, pbx, extension, user.",
    "call.answered": "An operator and the client talk: call, pbx, extension, user.",
    "call.left": "An operator no longer has part in the call, which goes on: call, pbx, extension, user.",
    "call.changed": "Something else of the call changed (queue, hold, transfer, parked, recording): call.",
    "call.ended": "The call is over: call.",
    "call.linked": "The call's client was chosen or corrected: call, client.",
    "call.noted": "A note or a disposition was written: call, user.",
    "recording.changed": "A recording has another state: call, n.",
    "client.created": "A card was opened: client.",
    "client.changed": "A card was changed: client.",
    "organisation.changed": "An organisation was opened or changed: organisation.",
    "pop.closed": "A person put a pop away after his wrap-up: pop, call, user.",
    "task.created": "A task was opened: task, owner.",
    "task.reminded": "A person's reminder of a task fell due, sleeps or was put away: task, user.",
    "task.changed": "A task has another state, owner, due time or attempt: task, owner.",
    "operator.changed": "A person's account, phone or shift changed: user; or only his state did: user, state.",
    "phone.paused": "A phone's place in a queue was paused or opened at the PBX: pbx, extension.",
    "queue.changed": "A queue's callers or members changed: pbx, queue.",
    "evaluation.changed": "An evaluation was submitted, released, disputed or answered: evaluation, user, act.",
    "coaching.changed": "A coaching list was given, taken back, heard or changed: list, user, act.",
    "review.changed": "A call to review was drawn, taken, let go, skipped or put back: review, user (whose call).",
    "link.changed": "The link to a PBX has another state: pbx.",
    "command.wanted": "A PBX command was asked for: command, pbx.",
    "command.changed": "A PBX command was sent, done, refused or expired: command, pbx.",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened.

    `stream` is `pbx:NAME` for what a PBX told and `desk` for what people did;
    `position` counts up within it without gaps; `at` is aware UTC.
    """

    kind: str
    at: datetime
    ids: Ids
    stream: str = ""
    position: int = 0
