"""What somebody owes: tasks, of which a callback is one kind, each try at it, its checklist and its reminders."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Key, String


class Task(Base):
    """A task. A callback has `number` (E.164): one open callback per caller, kept by an index.

    `state`: open, done, dropped. `closed_why`: called_back, got_through, by_hand.
    `owner_id` empty means the people of `queue`; `owner_why`: client_owner, last_operator, queue,
    claimed, assigned, released. `attempts`: how often the caller tried; `last_attempt_at`: when last.
    Its promise runs from `promised_from` (an opening, for who calls after hours) to `due_at`; `next_try_at` is
    when to try again after a call back in vain; `escalated_at` when a supervisor was told that it is overdue.
    Without owner and with `team` it is that team's. `remind_min`: so long before it is due; `remind_at` the
    moment, `reminded_at` when that was told.
    A series: `repeat` is its RRULE, counted on the clock of `repeat_zone` from `repeat_from`, but for the days
    in `repeat_except` (ISO); the next one is made when this one is `repeat_when` (done or due), `occurs_at` is
    this one's place in it (`due_at` may be moved), `follows_id` the one before.
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
        Index(None, "kind", "due_at"),
        Index(None, "kind", "closed_at"),
        Index(None, "kind", "state"),
        Index(
            "ix_tasks_remind_at",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
        Index(
            "ix_tasks_repeats_when_due",
            "due_at",
            sqlite_where=text("repeat_when = 'due'"),
            postgresql_where=text("repeat_when = 'due'"),
        ),
        Index(
            "uq_tasks_follows_id",
            "follows_id",
            unique=True,
            sqlite_where=text("follows_id IS NOT NULL"),
            postgresql_where=text("follows_id IS NOT NULL"),
        ),
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
    promised_from: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    snooze_reason: Mapped[str | None] = mapped_column(String(200))
    closed_reason: Mapped[str | None] = mapped_column(String(200))
    team: Mapped[str | None] = mapped_column(String(100))
    remind_min: Mapped[int | None]
    remind_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    repeat: Mapped[str | None] = mapped_column(String(300))
    repeat_when: Mapped[str | None] = mapped_column(String(10))
    repeat_zone: Mapped[str | None] = mapped_column(String(64))
    repeat_from: Mapped[datetime | None]
    repeat_except: Mapped[list[Any] | None]
    occurs_at: Mapped[datetime | None]
    follows_id: Mapped[int | None] = mapped_column(Key)


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


class TaskAct(Base):
    """What a person did with callbacks, so that he can undo it: `before` has a row for each of them.

    A row of it: id, version (the one that the act made), values (what the changed columns held before).
    """

    __tablename__ = "task_acts"
    __table_args__ = (Index(None, "user_id", "at"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(Key)
    act: Mapped[str] = mapped_column(String(20))
    before: Mapped[list[Any]]
    undone_at: Mapped[datetime | None]


#: Those that repeat when they are due, as the index of these few has it.
WHEN_DUE = Task.repeat_when == literal_column("'due'")


class TaskItem(Base):
    """One line of a task's checklist; `version` keeps two people from ticking past each other."""

    __tablename__ = "task_items"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), index=True)
    place: Mapped[int]
    text: Mapped[str] = mapped_column(String(200))
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(Key)
    version: Mapped[int] = mapped_column(default=1)


class TaskReminder(Base):
    """A reminder that stands in a person's strip since `at`, or sleeps until `again_at`; gone when it is put away."""

    __tablename__ = "task_reminders"
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"), primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False, index=True)
    at: Mapped[datetime]
    again_at: Mapped[datetime | None] = mapped_column(index=True)


class CalendarFeed(Base):
    """A person's secret calendar address: only the SHA-256 of its key is kept."""

    __tablename__ = "calendar_feeds"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
