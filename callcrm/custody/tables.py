"""What is known of each sound that was taken into custody, and of sound files that no call told of."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String

#: Of the strays that somebody may still place, in the very words of their index.
OPEN = "state = 'open'"


class KeptSound(Base):
    """A sound file that was checked, by the PBX and the name that it told of, so that it stays when calls are merged.

    `state`: checked (its bytes are known, it stays in the PBX's folder), kept (it lies in the vault), waiting (it could
    not be kept yet, `trouble` says why), damaged (its bytes are no longer those that were kept), gone (no file there).
    `place`: pbx, folder or bucket; `name` is its name there. `form`: the file's suffix. `key_id`: the key that it is
    encrypted with, else empty. `sha256` is the PBX's file's, `kept_sha256` that of the sound as it is kept (decrypted).
    `size`: bytes of the sound as it is kept (decrypted), `stored` as it lies there. `original`: there or removed.
    """

    __tablename__ = "kept_sounds"
    __table_args__ = (Index(None, "state", "verify_at"),)
    pbx: Mapped[str] = mapped_column(String(100), primary_key=True)
    file: Mapped[str] = mapped_column(String(500), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(String(10), default="pbx")
    name: Mapped[str] = mapped_column(String(500), default="")
    form: Mapped[str] = mapped_column(String(10), default="")
    key_id: Mapped[str] = mapped_column(String(16), default="")
    sha256: Mapped[str] = mapped_column(String(64), default="")
    kept_sha256: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int | None] = mapped_column(Key)
    stored: Mapped[int | None] = mapped_column(Key)
    original: Mapped[str] = mapped_column(String(10), default="there")
    trouble: Mapped[str] = mapped_column(String(300), default="")
    tries: Mapped[int] = mapped_column(default=0)
    kept_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    verify_at: Mapped[datetime | None]


class StraySound(Base):
    """A sound file in a PBX's folder that no call told of.

    `state`: open, linked (to the call named by `call_id`, `n`; `how`: by whom or by the rule), or dismissed.
    `guesses`: calls that it may belong to, best first: call, points (0…100), why (codes of reasons), at.
    """

    __tablename__ = "stray_sounds"
    __table_args__ = (
        Index("uq_stray_sounds_file", "pbx", "file", unique=True),
        Index("ix_stray_sounds_open", "changed_at", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    pbx: Mapped[str] = mapped_column(String(100))
    file: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(10), default="open")
    size: Mapped[int] = mapped_column(Key)
    seconds: Mapped[float | None]
    changed_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    guesses: Mapped[list[Any]] = mapped_column(Json, default=list)
    began: Mapped[datetime | None]
    call_id: Mapped[str | None] = mapped_column(String(40))
    n: Mapped[int | None]
    replaced: Mapped[str] = mapped_column(String(500), default="")
    how: Mapped[str] = mapped_column(String(20), default="")
    by: Mapped[int | None] = mapped_column(Key)
    settled_at: Mapped[datetime | None]
