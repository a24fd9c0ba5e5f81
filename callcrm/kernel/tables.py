"""Tables that belong to no one feature: facts, commands for the PBX, audit, raw events, jobs.

Growing tables have their time in the key, so that they can be partitioned by month.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class Stream(Base):
    """How far each stream of facts has got; the row is the stream's lock."""

    __tablename__ = "streams"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int] = mapped_column(Key, default=0)


class FactRow(Base):
    """One stored fact."""

    __tablename__ = "facts"
    __table_args__ = (Index(None, "stream", "position"),)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40))
    ids: Mapped[dict[str, Any]] = mapped_column(Json)


class Command(Base):
    """A wish to the PBX (dial, hang up, transfer …): asked for by the web, carried out by the listener, once, in time.

    `state`: wanted → sent → done | refused, expired when it was not sent before `expires_at`, or cancelled
    by who asked. `result` holds what a person may read (`message`); `call_id`: the call that it is about.
    """

    __tablename__ = "commands"
    __table_args__ = (Index(None, "pbx", "state"), Index(None, "call_id"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    args: Mapped[dict[str, Any]]
    call_id: Mapped[str | None] = mapped_column(String(40))
    wanted_by: Mapped[int | None] = mapped_column(Key)
    wanted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="wanted")
    result: Mapped[dict[str, Any] | None]
    changed_at: Mapped[datetime]


class Audit(Base):
    """Who did or saw what: every listening, card view, export and change of rights."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "user_id", "at"), Index(None, "what", "which"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(Key)
    act: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(40))
    which: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class RawEvents(Base):
    """A stretch of one PBX's raw AMI events, compressed, kept for some days and re-read after a crash.

    `began`/`until`: when the first and the last of them came; `count`: how many; `body`: zlib.
    """

    __tablename__ = "raw_events"
    began: Mapped[datetime] = mapped_column(primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100), primary_key=True)
    part: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class LinkState(Base):
    """How the link to each PBX stands, for people and for the other processes."""

    __tablename__ = "links"
    pbx: Mapped[str] = mapped_column(String(100), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(String(500), default="")
    since: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    version: Mapped[str] = mapped_column(String(100), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
