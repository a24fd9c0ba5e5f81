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


class OperatorData(_Data):
    """A person's state: off (not on shift), available, ringing or talking."""

    operator: int
    name: str
    state: Literal["off", "available", "ringing", "talking"]
    on_shift_since: Moment | None = None


class QueueData(_Data):
    """Who waits in a queue now."""

    pbx: str
    queue: str
    label: str = ""
    waiting: int
    longest_since: Moment | None = Field(default=None, description="Since when the first of them waits.")


class LinkData(_Data):
    """How the link to a PBX stands, with a sentence for a person."""

    pbx: str
    state: str
    words: str = ""
    since: Moment | None = None


class HelloData(_Data):
    """Whom the socket was opened for."""

    user: int
    name: str
    role: str


class RefetchData(_Data):
    """More was missed than can be told: read the page again."""

    why: str


Data = PopData | CallData | TaskData | OperatorData | QueueData | LinkData | HelloData | RefetchData
