"""The call log: one row a conversation, with its legs, people, recordings, notes and pops.

`began` is the whole second in the call's id (the Uniqueid of its first channel), so that the
key (began, id) is the same from stream, replay, snapshot and CDR; `at` is the precise moment.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, TextClause, false, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String

#: Of the calls that were handed on, in the very words of their index.
TRANSFERRED = "transfers <> '[]'"
#: The same for calls that have no card (not said as a plain NULL, or SQLite would take the index of cards and sort),
#: and for talks of which nobody said what came of them.
UNLINKED = "coalesce(calls.client_id, 0) = 0 AND calls.direction <> 'internal'"
UNSAID = "calls.disposition IS NULL AND calls.answered_at IS NOT NULL AND calls.direction <> 'internal'"
_HELD = "hold_s IS NOT NULL"
#: Of the recordings that are still to be taken into the vault.
TO_KEEP = "keep_at IS NOT NULL"
#: Recordings whose fate is known and that were not looked through yet, in the very words of their index. The state is
#: not named bare, or SQLite would take the index of states and sort all that it finds there.
XRAY_DUE = "xrayed_at IS NULL AND check_at IS NULL AND (state || '') IN ('present', 'partial', 'paused')"


def _plain(words: str) -> TextClause:
    """A condition as an index has it: its columns have no table there."""
    return text(words.replace("calls.", ""))


class CallRow(Base):
    """One conversation as the caller experienced it, across queues, transfers and parking."""

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "id"),
        Index(None, "at"),
        Index(None, "client_id", "at"),
        Index(None, "client_number", "at"),
        Index(None, "operator_id", "at"),
        Index(None, "queue", "at"),
        Index(None, "missed", "at"),
        Index(None, "pbx", "ended_at"),
        Index("ix_calls_transferred", "at", sqlite_where=TRANSFERRED, postgresql_where=TRANSFERRED),
        Index("ix_calls_unlinked", "at", sqlite_where=_plain(UNLINKED), postgresql_where=_plain(UNLINKED)),
        Index("ix_calls_unsaid", "at", sqlite_where=_plain(UNSAID), postgresql_where=_plain(UNSAID)),
        Index(
            "ix_calls_held", "at", sqlite_where=text("hold_s IS NOT NULL"), postgresql_where=text("hold_s IS NOT NULL")
        ),
    )
    began: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100))
    uniqueid: Mapped[str] = mapped_column(String(150))
    channel: Mapped[str] = mapped_column(String(200), default="")
    direction: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    client_number: Mapped[str | None] = mapped_column(String(20))
    client_raw: Mapped[str | None] = mapped_column(String(200))
    client_id: Mapped[int | None] = mapped_column(Key)
    match: Mapped[dict[str, Any] | None]
    name: Mapped[str | None] = mapped_column(String(200))
    called: Mapped[str | None] = mapped_column(String(80))
    caller: Mapped[str | None] = mapped_column(String(80))
    operator: Mapped[str | None] = mapped_column(String(80))
    operator_id: Mapped[int | None] = mapped_column(Key)
    queue: Mapped[str | None] = mapped_column(String(100))
    outcome: Mapped[str | None] = mapped_column(String(40))
    why: Mapped[str | None] = mapped_column(String(40))
    missed: Mapped[bool] = mapped_column(default=False)
    ended_by: Mapped[str | None] = mapped_column(String(20))
    wait_s: Mapped[float | None]
    talk_s: Mapped[float | None]
    hold_s: Mapped[float | None]
    total_s: Mapped[float | None]
    click_to_call: Mapped[bool] = mapped_column(default=False)
    client_ring_s: Mapped[float | None]
    voicemail: Mapped[str | None] = mapped_column(String(80))
    serves: Mapped[str | None] = mapped_column(String(40))
    rang: Mapped[list[Any]] = mapped_column(Json, default=list)
    talks: Mapped[list[Any]] = mapped_column(Json, default=list)
    transfers: Mapped[list[Any]] = mapped_column(Json, default=list)
    parked: Mapped[dict[str, Any] | None]
    pickup: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(String(12), default="ended")
    note_line: Mapped[str] = mapped_column(String(200), default="")
    disposition: Mapped[str | None] = mapped_column(String(60))


class LegRow(Base):
    """One party's channel within a call, in order of beginning.

    `stretches`: what it did besides ringing and talking, as `call.Stretch` has it, moments in RFC 3339; None: nothing.
    """

    __tablename__ = "legs"
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(200))
    uniqueid: Mapped[str] = mapped_column(String(150), default="")
    side: Mapped[str] = mapped_column(String(10))
    who: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[datetime | None]
    ring_s: Mapped[float | None]
    answered_at: Mapped[datetime | None]
    talk_s: Mapped[float | None]
    cause: Mapped[int | None]
    up_at: Mapped[datetime | None]
    stretches: Mapped[list[Any] | None]


class CallOperator(Base):
    """An operator's part in a call: rang, talked, or both; what rights and personal logs are asked by."""

    __tablename__ = "call_operators"
    __table_args__ = (Index(None, "user_id", "began"), Index(None, "extension", "began"))
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    extension: Mapped[str] = mapped_column(String(80), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(Key)
    rang: Mapped[bool] = mapped_column(default=False)
    answered: Mapped[bool] = mapped_column(default=False)
    ring_s: Mapped[float | None]
    talk_s: Mapped[float | None]


class CallRecording(Base):
    """A sound file of a call; `state` is one of contract's words, `cause` says it to a person.

    `first_lane`: whose voice the first of two lanes holds, that of who sits at the channel that the PBX recorded:
    client or operator (of an internal call the caller stands for the client).
    `at`: when the PBX began to record, where it told; `xrayed_at`: when it was looked through, whatever came of it.
    `keep_at`: when it is to be checked and taken into the vault.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        Index(None, "state", "check_at"),
        Index(None, "file"),
        Index("ix_recordings_xray_due", "began", sqlite_where=text(XRAY_DUE), postgresql_where=text(XRAY_DUE)),
        Index("ix_recordings_keep_at", "keep_at", sqlite_where=text(TO_KEEP), postgresql_where=text(TO_KEEP)),
    )
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100))
    file: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(10), default="unknown")
    cause: Mapped[str] = mapped_column(String(300), default="")
    seconds: Mapped[float | None]
    channels: Mapped[int | None]
    size: Mapped[int | None] = mapped_column(Key)
    peaks: Mapped[bytes | None] = mapped_column(LargeBinary)
    check_at: Mapped[datetime | None]
    at: Mapped[datetime | None]
    xrayed_at: Mapped[datetime | None]
    keep_at: Mapped[datetime | None]
    first_lane: Mapped[str] = mapped_column(String(10), default="client", server_default="client")


class Pin(Base):
    """A comment pinned to a second of a recording: `at_s` (to `until_s`) counts from the recording's beginning.

    One of an evaluation belongs to its grader alone until `released_at`; one without is seen with the call.
    """

    __tablename__ = "pins"
    __table_args__ = (Index(None, "call_id", "n"), Index(None, "evaluation_id"))
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    n: Mapped[int]
    at_s: Mapped[float]
    until_s: Mapped[float | None]
    text: Mapped[str] = mapped_column(String(), default="")
    author_id: Mapped[int] = mapped_column(Key)
    at: Mapped[datetime]
    evaluation_id: Mapped[int | None] = mapped_column(Key)
    released_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class CallNote(Base):
    """What one person wrote of a call, and the disposition he chose; `version` counts its savings."""

    __tablename__ = "call_notes"
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(String(), default="")
    disposition: Mapped[str | None] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]


class Pop(Base):
    """One screen-pop for one person, and how long each step took.

    `state`: offered → answered → wrapup → closed, or withdrawn (`reason`: elsewhere, given_up, …).
    `late_page`: nobody had a page open when it rang; what was sent and painted, was so to one that came later.
    """

    __tablename__ = "pops"
    __table_args__ = (Index(None, "user_id", "state"), Index(None, "call_id"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int] = mapped_column(Key)
    extension: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(10), default="offered")
    reason: Mapped[str] = mapped_column(String(40), default="")
    answered_by: Mapped[str] = mapped_column(String(80), default="")
    late_page: Mapped[bool] = mapped_column(default=False, server_default=false())
    sent_at: Mapped[datetime | None]
    painted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Dial(Base):
    """A click to call: the wish (`id` is the command's), the line it makes, and until when it counts as under way.

    `channel`: the id that the operator's line gets; `call_id`: the call that comes of it. `over_at`: when the client
    answered or nothing more can come of it; until then the phone takes no second one. `overridden`: kinds of
    warnings that the person had seen.
    """

    __tablename__ = "dials"
    __table_args__ = (
        Index(None, "user_id", "asked_at"),
        Index(
            "uq_dials_open",
            "pbx",
            "extension",
            unique=True,
            sqlite_where=text("over_at IS NULL"),
            postgresql_where=text("over_at IS NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(Key)
    pbx: Mapped[str] = mapped_column(String(100))
    extension: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    client_id: Mapped[int | None] = mapped_column(Key)
    channel: Mapped[str] = mapped_column(String(30))
    call_id: Mapped[str] = mapped_column(String(40))
    overridden: Mapped[list[Any]] = mapped_column(Json, default=list)
    asked_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]
