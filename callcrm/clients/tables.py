"""Whom we talk with: persons, organisations, their numbers, and whom a shared number was said to be."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class Organisation(Base):
    """A company that people call from. `search` is what it is found by: its words, in folded case."""

    __tablename__ = "organisations"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    note: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[Any]] = mapped_column(Json, default=list)
    search: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]


class Client(Base):
    """A person who calls. `name` is empty until somebody names him; `said_name` is what the line said.

    `search` is what he is found by: names, job and mail address, in folded case (SQLite folds ASCII only).
    """

    __tablename__ = "clients"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="", index=True)
    said_name: Mapped[str] = mapped_column(String(200), default="")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    job: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str] = mapped_column(String(200), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    language: Mapped[str] = mapped_column(String(10), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    tags: Mapped[list[Any]] = mapped_column(Json, default=list)
    note: Mapped[str] = mapped_column(default="")
    do_not_call: Mapped[bool] = mapped_column(default=False)
    search: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class ClientNumber(Base):
    """A number of one person or of one organisation.

    `e164` with plus (empty when it is no telephone number), `national` the national
    significant number, `tail` its last seven digits for the "maybe" step, `raw` as it came.
    """

    __tablename__ = "client_numbers"
    __table_args__ = (CheckConstraint("(client_id IS NULL) <> (organisation_id IS NULL)", name="one_owner"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    e164: Mapped[str] = mapped_column(String(20), default="", index=True)
    national: Mapped[str] = mapped_column(String(20), default="", index=True)
    tail: Mapped[str] = mapped_column(String(8), default="", index=True)
    raw: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20), default="")
    label: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime]


class NumberChoice(Base):
    """Who a shared number was said to be, the last time somebody chose."""

    __tablename__ = "number_choices"
    e164: Mapped[str] = mapped_column(String(20), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    chosen_by: Mapped[int | None] = mapped_column(Key)
    chosen_at: Mapped[datetime]
