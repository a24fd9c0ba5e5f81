"""Rows of the call log as people and programs see them: plain, frozen, numbers masked where the account is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """An operator's part in a call: `person` is the account's name as people know it, or empty."""

    extension: str
    user_id: int | None
    person: str
    rang: bool
    answered: bool
    ring_s: float | None
    talk_s: float | None


@dataclass(frozen=True, slots=True)
class RecordingLine:
    """A recording of a call: its number within it, how it stands, and when the PBX began it, where it told.

    `first_lane`: of two lanes, whose the first one is, the client's or the operator's.
    """

    n: int
    file: str
    state: str
    cause: str
    seconds: float | None
    channels: int | None
    size: int | None
    at: datetime | None = None
    first_lane: str = "client"


@dataclass(frozen=True, slots=True)
class CallLine:
    """One conversation, one line.

    `client_number` is E.164 (masked for some), `client_raw` as the trunk wrote it; `client_name` is the card's
    name, `said_name` what the line said. `called` is the line: its E.164 is the key of its label.
    `rang`, `talks`, `transfers`, `parked`, `pickup` are as in the contract's replay.
    """

    id: str
    pbx: str
    direction: str
    state: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    client_number: str | None
    client_raw: str | None
    client_id: int | None
    client_name: str
    said_name: str
    organisation_id: int | None
    organisation: str
    match: dict[str, Any]
    called: str | None
    caller: str | None
    operator: str | None
    operator_id: int | None
    operator_name: str
    queue: str | None
    outcome: str | None
    why: str | None
    missed: bool
    ended_by: str | None
    wait_s: float | None
    talk_s: float | None
    hold_s: float | None
    total_s: float | None
    click_to_call: bool
    client_ring_s: float | None
    voicemail: str | None
    serves: str | None
    rang: list[Any]
    talks: list[Any]
    transfers: list[Any]
    parked: dict[str, Any] | None
    pickup: dict[str, Any] | None
    channel: str
    uniqueid: str
    note_line: str
    disposition: str | None
    parts: tuple[Part, ...] = ()
    recordings: tuple[RecordingLine, ...] = ()

    @property
    def answered_by(self) -> list[str]:
        """The extensions that talked, in order."""
        return [talk["operator"] for talk in self.talks]


@dataclass(frozen=True, slots=True)
class StretchLine:
    """What a leg did besides ringing and talking (the kinds are those of `call.Stretch`); `until` None: still."""

    kind: str
    who: str
    person: str
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class LegLine:
    """One party's channel of a call."""

    n: int
    channel: str
    side: str
    who: str | None
    person: str
    at: datetime | None
    ring_s: float | None
    answered_at: datetime | None
    talk_s: float | None
    cause: int | None
    up_at: datetime | None = None
    stretches: tuple[StretchLine, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteLine:
    """What one person wrote of a call."""

    user_id: int
    person: str
    text: str
    disposition: str | None
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What people said of a call: its disposition, and a note each, the oldest first."""

    disposition: str | None
    notes: tuple[NoteLine, ...]


@dataclass(frozen=True, slots=True)
class WholeCall:
    """A call with everything that is known of it; `aside`: lines of consultations in it that moved no client."""

    call: CallLine
    legs: tuple[LegLine, ...]
    notes: tuple[NoteLine, ...]
    aside: tuple[LegLine, ...] = ()


#: A call that was missed longer ago is nobody's debt any more, unless an earlier time is asked for.
OWED_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the call log is asked for; None means all.

    `client` is a card's id, `organisation` that of the people and numbers of one, `number` an E.164;
    `operator` an account's id, `extension` a phone; `noted`: somebody wrote something of it.
    The rest are the log's saved filters: `owed` (missed since OWED_FOR or `since`, and nobody talked with him after),
    `unlinked` (no card), `unsaid` (answered, without disposition), `transferred`, `held_s` (held longer).

    What the sound tells: `heard` is a saved filter (silent, talkover, late, onesided, faulty); at least so long was the
    longest silence (`silence_s`), talking at once (`overlap_s`) and the wait for the operator's first word
    (`first_word_s`), and so large his share of all talk. `sort`: by this figure of the sound, the largest first.
    """

    since: datetime | None = None
    until: datetime | None = None
    direction: str | None = None
    missed: bool | None = None
    client: int | None = None
    organisation: int | None = None
    number: str | None = None
    operator: int | None = None
    extension: str | None = None
    queue: str | None = None
    pbx: str | None = None
    live: bool | None = None
    owed: bool = False
    unlinked: bool = False
    unsaid: bool = False
    noted: bool = False
    transferred: bool = False
    held_s: float | None = None
    heard: str | None = None
    silence_s: float | None = None
    overlap_s: float | None = None
    first_word_s: float | None = None
    operator_share: float | None = None
    sort: str | None = None
