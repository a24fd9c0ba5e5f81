"""What somebody owes: tasks, of which a callback is one kind, and each try at it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Key, String


class Task(Base):
    """A task. A callback has `number` (E.164): one open callback per caller, kept by an index.

    `state`: open, done, dropped. `closed_why`: called_back, got_through, by_hand.
    `owner_id` empty means the people of `queue`; `owner_why`: client_owner, last_operator, queue,
    claimed, assigned, released. `attempts`: how often the caller tried; `last_attempt_at`: when last.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index(
            "uq_tasks_open_callback",
            "number",
            unique=True,
            sqlite_where=text("kind = 'callback' AND state = 'open'"),
            postgresql_where=text("kind = 'callback' AND state = 'open'"),
        ),
        Index(None, "state", "due_at"),
        Index(None, "owner_id", "state"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="open")
    title: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(), default="")
    client_id: Mapped[int | None] = mapped_column(Key, index=True)
    number: Mapped[str | None] = mapped_column(String(20))
    pbx: Mapped[str | None] = mapped_column(String(100))
    called: Mapped[str | None] = mapped_column(String(80))
    queue: Mapped[str | None] = mapped_column(String(100))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    owner_why: Mapped[str] = mapped_column(String(20), default="")
    call_id: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(default=0)
    last_attempt_at: Mapped[datetime | None]
    short_abandon: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(Key)
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(Key)
    closed_why: Mapped[str | None] = mapped_column(String(20))
    closed_call_id: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)


class TaskAttempt(Base):
    """One try: a missed call of the client (`kind` missed), or a call back of ours (called), and how it ended.

    `at` is the call's `began`.
    """

    __tablename__ = "task_attempts"
    __table_args__ = (Index(None, "call_id"),)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), primary_key=True, autoincrement=False, index=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    result: Mapped[str] = mapped_column(String(40), default="")
    user_id: Mapped[int | None] = mapped_column(Key)
