"""Whom we talk with: persons, organisations, their numbers and mails, consents, custom fields, changes, merges.

Growing tables have their time in the key.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class Organisation(Base):
    """A company that people call from. `search` is what it is found by: its words, in folded case.

    `deleted_at`: its card is closed; `merged_into` the organisation that it was merged into. A closed one has no
    people: they were handed to that other one, or belong to none until it is restored.
    """

    __tablename__ = "organisations"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    note: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[Any]] = mapped_column(Json, default=list)
    addresses: Mapped[list[Any]] = mapped_column(Json, default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    search: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(Key)


class Client(Base):
    """A person who calls. `name` is empty until somebody names him; `said_name` is what the line said.

    `search` is what he is found by: names, job, mails, addresses and custom fields, in folded case
    (SQLite folds ASCII only). `birthday` is YYYY-MM-DD or empty; `custom` the values of the fields that
    the administrator defined, by their keys; `merged_into` the card that this one was merged into.
    """

    __tablename__ = "clients"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="", index=True)
    said_name: Mapped[str] = mapped_column(String(200), default="")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    job: Mapped[str] = mapped_column(String(100), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    language: Mapped[str] = mapped_column(String(10), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    birthday: Mapped[str] = mapped_column(String(10), default="")
    tags: Mapped[list[Any]] = mapped_column(Json, default=list)
    addresses: Mapped[list[Any]] = mapped_column(Json, default=list)
    custom: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    note: Mapped[str] = mapped_column(default="")
    do_not_call: Mapped[bool] = mapped_column(default=False)
    search: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    changed_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = mapped_column(Key)


class ClientNumber(Base):
    """A number of one person or of one organisation.

    `e164` with plus (empty when it is no telephone number), `national` the national
    significant number, `tail` its last seven digits for the "maybe" step, `raw` as it came.
    `backwards` is the number from its end, by which its last digits are found.
    """

    __tablename__ = "client_numbers"
    __table_args__ = (CheckConstraint("(client_id IS NULL) <> (organisation_id IS NULL)", name="one_owner"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    e164: Mapped[str] = mapped_column(String(20), default="", index=True)
    national: Mapped[str] = mapped_column(String(20), default="", index=True)
    tail: Mapped[str] = mapped_column(String(8), default="", index=True)
    backwards: Mapped[str] = mapped_column(String(20), default="", server_default=text("''"), index=True)
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


class ClientMail(Base):
    """A mail address of one person or of one organisation, in the order that people gave them (`place`).

    `folded` is what it is compared by.
    """

    __tablename__ = "client_mails"
    __table_args__ = (CheckConstraint("(client_id IS NULL) <> (organisation_id IS NULL)", name="one_owner"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    place: Mapped[int] = mapped_column(default=0)
    address: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(200), index=True)


class Consent(Base):
    """What a person agreed to: `purpose` what for, `how` he gave it, and when he took it back, if he did."""

    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(60))
    how: Mapped[str] = mapped_column(String(200), default="")
    given_at: Mapped[datetime]
    noted_by: Mapped[int | None] = mapped_column(Key)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_how: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_by: Mapped[int | None] = mapped_column(Key)


class CustomField(Base):
    """A field that the administrator added to the cards of persons or of organisations (`what`).

    `kind`: text, number, date, choice (one of `choices`) or flag. Values stand in the cards' `custom` under
    `key`, which never changes; a deleted definition keeps them until it is purged.
    """

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("what", "key"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    what: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(10))
    choices: Mapped[list[Any]] = mapped_column(Json, default=list)
    required: Mapped[bool] = mapped_column(default=False)
    help: Mapped[str] = mapped_column(String(300), default="")
    place: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class CardChange(Base):
    """One field of one card, changed once: what it was (`old`), what it became (`new`), by whom.

    `what` is client or organisation, `which` its id; `field` a column's name, `custom.KEY`, or number,
    consent, person, merge, card.
    """

    __tablename__ = "card_changes"
    __table_args__ = (Index(None, "what", "which", "at"),)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    what: Mapped[str] = mapped_column(String(20))
    which: Mapped[int] = mapped_column(Key)
    user_id: Mapped[int | None] = mapped_column(Key)
    field: Mapped[str] = mapped_column(String(60))
    old: Mapped[Any] = mapped_column(Json, nullable=True)
    new: Mapped[Any] = mapped_column(Json, nullable=True)


class CardNote(Base):
    """What somebody wrote down of a client or an organisation besides any call; taken away it stays restorable."""

    __tablename__ = "card_notes"
    __table_args__ = (Index(None, "client_id", "at"), Index(None, "organisation_id", "at"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[int | None] = mapped_column(Key)
    organisation_id: Mapped[int | None] = mapped_column(Key)
    user_id: Mapped[int | None] = mapped_column(Key)
    text: Mapped[str] = mapped_column(default="")
    removed_at: Mapped[datetime | None]


class _Merged:
    """One card merged into another, with all it takes to undo it.

    `moved`: the keys of the rows that were handed over, by table; `before` and `after`: the kept card's
    changed fields.
    """

    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kept_id: Mapped[int] = mapped_column(Key)
    gone_id: Mapped[int] = mapped_column(Key)
    user_id: Mapped[int | None] = mapped_column(Key)
    moved: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(Key)


class Merge(_Merged, Base):
    """One person's card merged into another's."""

    __tablename__ = "merges"
    __table_args__ = (Index(None, "kept_id"), Index(None, "gone_id"))


class OrganisationMerge(_Merged, Base):
    """One organisation merged into another; a table of its own, so that no person's file ever holds a firm's."""

    __tablename__ = "organisation_merges"
    __table_args__ = (Index(None, "kept_id"), Index(None, "gone_id"))


class NotTheSame(Base):
    """Two cards that somebody said are two people, so that nobody asks again; `low_id` is the smaller id."""

    __tablename__ = "not_the_same"
    low_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True, autoincrement=False)
    high_id: Mapped[int] = mapped_column(ForeignKey("clients.id"), primary_key=True, autoincrement=False)
    said_by: Mapped[int | None] = mapped_column(Key)
    said_at: Mapped[datetime]


class OrganisationsApart(Base):
    """Two organisations that somebody said are two, so that nobody asks again; `low_id` is the smaller id."""

    __tablename__ = "organisations_apart"
    low_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    high_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True, autoincrement=False)
    said_by: Mapped[int | None] = mapped_column(Key)
    said_at: Mapped[datetime]
