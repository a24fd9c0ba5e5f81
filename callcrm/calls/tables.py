"""The call log: one row a conversation, with its legs, people, recordings, notes and pops.

`began` is the whole second in the call's id (the Uniqueid of its first channel), so that the
key (began, id) is the same from stream, replay, snapshot and CDR; `at` is the precise moment.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


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
    """One party's channel within a call, in order of beginning."""

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
    """A sound file of a call; `state` is one of contract's words, `cause` says it to a person."""

    __tablename__ = "recordings"
    __table_args__ = (Index(None, "state", "check_at"), Index(None, "file"))
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
    sent_at: Mapped[datetime | None]
    painted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
