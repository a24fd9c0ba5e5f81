"""The PBXes' queues as they are now: who waits, and who sits in them."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, String


class QueueRow(Base):
    """One queue of one PBX: how many wait, since when the first of them, and how many members there are."""

    __tablename__ = "queues"
    pbx: Mapped[str] = mapped_column(String(100), primary_key=True)
    queue: Mapped[str] = mapped_column(String(100), primary_key=True)
    waiting: Mapped[int] = mapped_column(default=0)
    longest_since: Mapped[datetime | None]
    members: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]


class QueueMember(Base):
    """A place in a queue. `state`: free, busy, ringing, offline or unknown; `paused_at`: when `paused` last changed."""

    __tablename__ = "queue_members"
    __table_args__ = (Index(None, "pbx", "extension"),)
    pbx: Mapped[str] = mapped_column(String(100), primary_key=True)
    queue: Mapped[str] = mapped_column(String(100), primary_key=True)
    interface: Mapped[str] = mapped_column(String(150), primary_key=True)
    extension: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(12), default="unknown")
    paused: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(60), default="")
    paused_at: Mapped[datetime]
