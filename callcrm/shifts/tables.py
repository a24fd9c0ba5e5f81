"""What people do now, and what they did: one row a spell, with its beginning in the key."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class Standing(Base):
    """What one person does now. `mind` is what it was found from, `asked` the PBX commands that go with it (by id)."""

    __tablename__ = "standings"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12), default="off")
    reason: Mapped[str] = mapped_column(String(60), default="")
    since: Mapped[datetime]
    mind: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    asked: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class OperatorState(Base):
    """A spell: available, paused (with its reason), talking or wrapup; `ended` is empty while it lasts.

    `how`: unseen when nobody saw the end and a rule set it.
    """

    __tablename__ = "operator_states"
    __table_args__ = (Index(None, "user_id", "began"),)
    began: Mapped[datetime] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(60), default="")
    ended: Mapped[datetime | None]
    how: Mapped[str] = mapped_column(String(12), default="")


class ReaderPosition(Base):
    """How far a reader of the facts has dealt with each stream, written with what it made of them."""

    __tablename__ = "reader_positions"
    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    stream: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int] = mapped_column(Key)
