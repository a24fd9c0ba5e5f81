# ruff: noqa: RUF012 - pydantic copies defaults for each instance
"""What the API takes and gives; a call has the words of `callcrm replay`, with E.164 and RFC 3339."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator

from callcrm.push.shapes import Moment
from webui.api.endpoint import Shape

Direction = Literal["inbound", "outbound", "internal"]
Text = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Long = Annotated[str, StringConstraints(max_length=20_000)]
Phone = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Least = Annotated[float | None, Field(ge=0, le=86_400)]
Id = Annotated[int, Field(ge=1, lt=2**63)]


class ListQuery(Shape):
    """What every list takes."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str = Field(default="", max_length=500, description="`next` of the page before.")


class CallsQuery(ListQuery):
    """Filters of the call log."""

    since: datetime | None = Field(default=None, description="Not before this moment (with time zone).")
    until: datetime | None = Field(default=None, description="Before this moment (with time zone).")
    direction: Direction | None = None
    missed: bool | None = None
    client: str | None = Field(default=None, max_length=80, description="A card's id, or a number (E.164).")
    operator: str | None = Field(default=None, max_length=100, description="An account's name, or an extension.")
    queue: str | None = Field(default=None, max_length=100)
    pbx: str | None = Field(default=None, max_length=100)
    silence_s: Least = Field(default=None, description="The longest silence is at least so long.")
    overlap_s: Least = Field(default=None, description="Both talked at once for at least so long in all.")
    first_word_s: Least = Field(default=None, description="So long at least the operator's first word was waited for.")
    operator_share: float | None = Field(default=None, ge=0, le=1, description="At least this part of all talk is his.")

    @field_validator("since", "until")
    @classmethod
    def _aware(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("write the time zone, such as 2026-01-01T00:00:00Z (in an address, + is %2B)")
        return moment


class Rang(Shape):
    """An operator's phone that rang."""

    operator: str
    ring_s: float | None = None
    at: str | None = None


class Talk(Shape):
    """An operator's time with the client."""

    operator: str
    talk_s: float | None = None
    at: str | None = None


class Transfer(Shape):
    """The client was handed on."""

    kind: str
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    answered: bool = False
    consult_s: float | None = None
    talk_s: float | None = None
    at: str | None = None


class Recording(Shape):
    """A recording of a call; its sound is at `/calls/{id}/recordings/{n}`."""

    n: int
    file: str
    state: str = Field(
        description="writing, present, late, empty, partial, missing, paused, deleted or unknown; `cause` says why."
    )
    cause: str = ""
    seconds: float | None = None
    channels: int | None = None
    size: int | None = None
    from_s: float | None = Field(default=None, description="Where in the call it begins.")
    to_s: float | None = Field(default=None, description="Where in the call it ends.")
    operators: list[str] = Field(default=[], description="Whose talk it holds.")
    first_lane: str = Field(
        default="client",
        description="Of two lanes, whose voice the first (left) one holds: client or operator; the caller stands for "
        "the client of an internal call.",
    )


class Xray(Shape):
    """What the sound tells of a conversation: seconds, shares of all talk (0 to 1), dBFS.

    What only two lanes tell is null where the recording has one.
    """

    lanes: int
    seconds: float = Field(description="Of sound that was looked through.")
    silence_s: float = Field(description="Nobody talked, in all.")
    longest_silence_s: float
    longest_silence_at_s: float = Field(description="Where in the call it begins.")
    overlaps: int | None = Field(default=None, description="How often both talked at once.")
    overlap_s: float | None = None
    client_share: float | None = None
    operator_share: float | None = None
    client_talk_s: float | None = None
    operator_talk_s: float | None = None
    client_first_word_s: float | None = None
    operator_first_word_s: float | None = None
    client_loudness_db: float | None = None
    operator_loudness_db: float | None = None
    client_clipped_s: float | None = None
    operator_clipped_s: float | None = None
    fault: str | None = Field(
        default=None, description="client_silent, operator_silent, silent, clipped or faint: what is wrong with it."
    )


class Leg(Shape):
    """One party's channel."""

    channel: str
    side: str
    who: str | None = None
    person: str = ""
    at: Moment | None = None
    ring_s: float | None = None
    answered_at: Moment | None = None
    talk_s: float | None = None
    cause: int | None = None


class Note(Shape):
    """What one person wrote of a call."""

    user: int
    person: str
    text: str
    disposition: str | None = None
    version: int
    changed_at: Moment


class Call(Shape):
    """One conversation as the client experienced it."""

    id: str
    pbx: str
    direction: Direction
    state: str
    at: Moment
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    client: str | None = Field(default=None, description="E.164.")
    client_raw: str | None = Field(default=None, description="As the trunk wrote it.")
    client_id: int | None = None
    client_name: str = ""
    organisation: str = ""
    name: str | None = Field(default=None, description="The name that came with the call.")
    called: str | None = None
    caller: str | None = None
    operator: str | None = None
    queue: str | None = None
    rang: list[Rang] = []
    talks: list[Talk] = []
    answered_by: list[str] = []
    wait_s: float | None = None
    talk_s: float | None = None
    hold_s: float | None = None
    total_s: float | None = None
    missed: bool
    outcome: str | None = None
    why: str | None = None
    ended_by: str | None = None
    transfers: list[Transfer] = []
    parked: dict[str, Any] | None = None
    pickup: dict[str, Any] | None = None
    click_to_call: bool = False
    client_ring_s: float | None = None
    voicemail: str | None = None
    serves: str | None = None
    channel: str = Field(default="", description="The caller's.")
    recordings: list[Recording] = []
    xray: Xray | None = Field(default=None, description="Null until its recordings were looked through.")
    disposition: str | None = None
    note_line: str = ""


class WholeCall(Call):
    """A call with its legs and notes."""

    legs: list[Leg] = []
    notes: list[Note] = []


class CallPage(Shape):
    """A page of the call log, newest first."""

    items: list[Call]
    next: str | None = None


class Command(Shape):
    """A wish to the PBX: wanted, sent, done, refused, expired or cancelled; `message` is for a person."""

    id: str
    pbx: str
    kind: str
    number: str = ""
    extension: str = ""
    state: str
    message: str = ""
    wanted_at: Moment
    expires_at: Moment


class OperatorPhone(Shape):
    """A phone of a person."""

    pbx: str
    extension: str


class Operator(Shape):
    """A person who works here."""

    id: int
    name: str
    full_name: str
    role: str
    team: str
    on_shift_since: Moment | None = None
    state: str = Field(default="off", description="off, available, paused, talking or wrapup.")
    reason: str = Field(default="", description="Of a pause.")
    since: Moment | None = Field(default=None, description="Since when he is in this state.")
    phones: list[OperatorPhone] = []


class OperatorPage(Shape):
    """Everybody whom the asker may see."""

    items: list[Operator]
    next: str | None = None


class QueueMember(Shape):
    """A place in a queue, as the PBX tells it."""

    extension: str
    operator: int | None = Field(default=None, description="Who sits at that phone now.")
    name: str = ""
    state: str = Field(description="free, busy, ringing, offline or unknown.")
    paused: bool = False
    reason: str = Field(default="", description="Of the pause, as the PBX has it.")


class Queue(Shape):
    """A queue: who waits in it now, who sits in it, and who gets its callbacks."""

    name: str
    label: str = ""
    pbx: str = ""
    waiting: int = 0
    longest_since: Moment | None = None
    people: list[str] = []
    members: list[QueueMember] = Field(default=[], description="As far as the asker sees people's states.")


class QueuePage(Shape):
    """All queues."""

    items: list[Queue]
    next: str | None = None


class Pbx(Shape):
    """A PBX, and how the link to it stands."""

    name: str
    state: str
    words: str
    since: Moment | None = None
    seen_at: Moment | None = None
    version: str = ""


class PbxPage(Shape):
    """All PBXes."""

    items: list[Pbx]
    next: str | None = None
