"""Who works here: accounts, their phones, sessions and tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Key, String


class User(Base):
    """An account; `role` is operator, supervisor or admin; `masked` hides the middle of numbers from him.

    `pop`: when a call opens itself on his screen: ringing (also None), answered, or hand (only by his own key).
    `density` is None (comfortable), compact or roomy; `single_keys` False switches single-key shortcuts off.
    """

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    full_name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[str] = mapped_column(String(20))
    team: Mapped[str] = mapped_column(String(100), default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(10), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    theme: Mapped[str] = mapped_column(String(10), default="system")
    pop: Mapped[str | None] = mapped_column(String(10))
    density: Mapped[str | None] = mapped_column(String(10))
    single_keys: Mapped[bool | None]
    active: Mapped[bool] = mapped_column(default=True)
    masked: Mapped[bool] = mapped_column(default=False)
    on_shift_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Phone(Base):
    """An extension of one PBX, and the person who sits at it: `user_id`, whoever's it is.

    `owner_id`: whose it is when nobody else sits there, empty for a phone of nobody's; `seated_at`: since when the
    person of `user_id` sits there for his shift.
    """

    __tablename__ = "phones"
    __table_args__ = (UniqueConstraint("pbx", "extension"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100))
    extension: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    first: Mapped[bool] = mapped_column(default=True)
    owner_id: Mapped[int | None] = mapped_column(Key)
    seated_at: Mapped[datetime | None]


class Session(Base):
    """A browser that is signed in; the key is the SHA-256 of its cookie."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(300), default="")


class Token(Base):
    """An API token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignIn(Base):
    """One try to sign in, for the throttle."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "name", "at"), Index(None, "address", "at"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(64))
    succeeded: Mapped[bool]
