"""What the push messages carry in `data`: plain shapes, documented field by field.

Moments are RFC 3339 UTC with milliseconds, numbers E.164 (or masked), durations seconds.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


def rfc3339(moment: datetime) -> str:
    """A moment as it goes out: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]
Direction = Literal["inbound", "outbound", "internal"]
OperatorState = Literal["off", "available", "paused", "ringing", "talking", "wrapup"]
PopState = Literal["offered", "answered", "wrapup", "closed", "withdrawn"]
PopReason = Literal["", "elsewhere", "given_up", "stopped", "picked_up", "folded"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PopClient(_Data):
    """A card that the number may belong to."""

    id: int
    name: str = Field(description="Empty for a card that nobody has named yet.")
    organisation: str = ""
    job: str = ""
    tags: list[str] = []
    owner_id: int | None = None
    do_not_call: bool = False


class PopMatch(_Data):
    """Why these cards are shown: the step of the ladder, and the same in words."""

    step: str
    words: str = ""
    remembered: bool = Field(default=False, description="Somebody chose this person for the number before.")


class PopDebt(_Data):
    """An open callback task of this caller."""

    task: int
    attempts: int
    since: Moment
    due_at: Moment | None = None
    owner_id: int | None = None
    owner_name: str = Field(default="", description="Who is to call back.")
    owner_why: str = Field(default="", description="claimed or assigned: he holds it; else he is proposed.")
    queue: str | None = Field(default=None, description="Whose people are to call back while nobody has it.")
    version: int = 1


class PopLine(_Data):
    """The number that the client called, and what it is called by people."""

    number: str
    label: str = ""


class PopData(_Data):
    """One screen-pop as it stands now; every `pop.*` message carries all of it."""

    pop: str = Field(description="The pop's id: one per person per call.")
    call: str
    state: PopState
    reason: PopReason = Field(default="", description="Why it was withdrawn.")
    answered_by: str = Field(default="", description="Who answered elsewhere, as a name or an extension.")
    direction: Direction
    number: str | None = Field(default=None, description="E.164, or masked for who may not see it; null when withheld.")
    shown: str = Field(default="", description="The number as a person reads it, in the format of its own country.")
    said_name: str = Field(default="", description="The name that came with the call.")
    clients: list[PopClient] = []
    match: PopMatch | None = None
    line: PopLine | None = None
    queue: str = ""
    queue_label: str = ""
    waited_s: float | None = Field(default=None, description="From the call's beginning to the ringing, in seconds.")
    began: Moment
    ring_since: Moment | None = None
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    phone: str = Field(default="", description="The operator's extension that rings or talks.")
    debt: PopDebt | None = Field(default=None, description="The callback that is owed to this caller.")


class CallData(_Data):
    """The row of the call log that changed."""

    call: str
    pbx: str
    direction: Direction
    state: str = Field(description="waiting, ringing, talking, held, parked, ended; or folded: see `into`.")
    into: str | None = Field(
        default=None, description="The call that this one turned out to be part of; its row is gone."
    )
    at: Moment
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    number: str | None = None
    client: int | None = None
    client_name: str = ""
    called: str | None = None
    queue: str | None = None
    operator: str | None = None
    rang: list[str] = Field(default=[], description="Extensions that rang and did not answer.")
    missed: bool = False
    outcome: str | None = None
    disposition: str | None = None


class TaskData(_Data):
    """A task or callback as it stands now."""

    task: int
    kind: str
    state: str
    title: str = ""
    client: int | None = None
    client_name: str = ""
    number: str | None = None
    queue: str | None = None
    owner: int | None = None
    due_at: Moment | None = None
    attempts: int = 0
    closed_why: str | None = None
    version: int
    owner_why: str = Field(default="", description="claimed or assigned: the owner holds it; else he is proposed.")
    promised_from: Moment | None = Field(default=None, description="When the clock starts: after hours, late.")
    snoozed_until: Moment | None = None
    next_try_at: Moment | None = Field(default=None, description="When to try again after a call back in vain.")
    escalated_at: Moment | None = Field(default=None, description="When the supervisors were told that it is overdue.")
    caller: str = Field(default="", description="How a call with this person stands now: waiting, ringing, talking …")
    call: str | None = Field(default=None, description="That call.")


class ReminderData(_Data):
    """A reminder of one's own as it stands: due (it stands in the strip), asleep until `again_at`, or gone."""

    task: int
    state: Literal["due", "asleep", "gone"]
    kind: str = ""
    title: str = ""
    client_name: str = ""
    due_at: Moment | None = None
    again_at: Moment | None = None


class OperatorData(_Data):
    """A person's state: off (not on shift), available, paused, ringing, talking or wrapup."""

    operator: int
    name: str
    state: OperatorState
    reason: str = Field(default="", description="Of a pause.")
    since: Moment | None = Field(default=None, description="Since when; of one who rings, since when he did not.")
    on_shift_since: Moment | None = None


class QueuePlace(_Data):
    """A place in a queue, as the PBX tells it."""

    extension: str
    operator: int | None = Field(default=None, description="Who sits at that phone now.")
    name: str = ""
    state: str = Field(description="free, busy, ringing, offline or unknown.")
    paused: bool = False
    reason: str = Field(default="", description="Of the pause, as the PBX has it.")


class QueueData(_Data):
    """Who waits in a queue now, and who is there to answer."""

    pbx: str
    queue: str
    label: str = ""
    waiting: int
    longest_since: Moment | None = Field(default=None, description="Since when the first of them waits.")
    free: int = Field(default=0, description="Members who are free and not paused.")
    paused: int = Field(default=0, description="Members who are paused.")
    members: int = Field(default=0, description="All members.")
    places: list[QueuePlace] = Field(default=[], description="Each member, for who sees everybody's state.")


class LinkData(_Data):
    """How the link to a PBX stands, with a sentence for a person."""

    pbx: str
    state: str
    words: str = ""
    since: Moment | None = None


class EvaluationData(_Data):
    """A score that changed; what stands in it is read from its page."""

    evaluation: int
    call: str
    operator: int = Field(description="Whose part in the call is scored.")
    operator_name: str = ""
    state: Literal["draft", "submitted", "released"]
    act: str = Field(
        default="",
        description="submitted, released, reopened, accepted, noted, disputed, withdrawn, kept or corrected.",
    )
    disputed: bool = Field(default=False, description="An open dispute waits for an answer.")
    replaces: int | None = Field(default=None, description="The evaluation that it corrects after a dispute.")
    replaced_by: int | None = None


class CoachingData(_Data):
    """A coaching list that changed."""

    list: int
    act: str = Field(description="given, taken_back, heard or changed.")
    operator: int | None = Field(default=None, description="To whom it was given, or who heard a moment.")
    title: str = Field(default="", description="Of a list that was given.")


class ReviewData(_Data):
    """What is to be reviewed next changed: one drawn call, or a whole draw; not whose call it is."""

    review: int | None = None
    state: str = ""
    taken_by: int | None = Field(default=None, description="Who has it open.")


class HelloData(_Data):
    """Whom the socket was opened for."""

    user: int
    name: str
    role: str


class RefetchData(_Data):
    """More was missed than can be told: read the page again."""

    why: str


Data = (
    PopData
    | CallData
    | TaskData
    | ReminderData
    | OperatorData
    | QueueData
    | LinkData
    | EvaluationData
    | CoachingData
    | ReviewData
    | HelloData
    | RefetchData
)
