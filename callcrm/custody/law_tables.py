"""What the law asks of recordings: gaps, retention rules, deletions, holds, listenings, person files, erasures.

Growing tables have their time in the key.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, Json, Key, String


class RecordingGap(Base):
    """A stretch of a call that is not recorded, for card data say.

    `state`: asked → open → closing → closed, or refused (`words` say why, and the recording went on). `channels`:
    the lines that were muted; `pausing` and `resuming`: the commands that did it. `begins_at` and `ended_at`: when the
    PBX obeyed; `resume_at`: when the recording goes on by itself. `ended_how`: hand, time or call (the call ended).
    """

    __tablename__ = "recording_gaps"
    __table_args__ = (Index(None, "call_id"), Index(None, "state", "resume_at"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    pbx: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default="asked")
    reason: Mapped[str] = mapped_column(String(100), default="")
    wanted_by: Mapped[int | None] = mapped_column(Key)
    via: Mapped[str] = mapped_column(String(10), default="")
    channels: Mapped[list[Any]] = mapped_column(Json, default=list)
    pausing: Mapped[list[Any]] = mapped_column(Json, default=list)
    resuming: Mapped[list[Any]] = mapped_column(Json, default=list)
    begins_at: Mapped[datetime | None]
    resume_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_how: Mapped[str] = mapped_column(String(10), default="")
    ended_by: Mapped[int | None] = mapped_column(Key)
    words: Mapped[str] = mapped_column(String(300), default="")


class RetentionRule(Base):
    """How long sounds are kept: of the rules in the order of `place` the first that fits a recording decides.

    An empty `line`, `queue`, `trunk`, `direction` or `tag` fits all. `days` None: kept for ever. Only an `active` rule
    deletes.
    """

    __tablename__ = "retention_rules"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    place: Mapped[int] = mapped_column(default=0)
    line: Mapped[str] = mapped_column(String(80), default="")
    queue: Mapped[str] = mapped_column(String(100), default="")
    trunk: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    direction: Mapped[str] = mapped_column(String(10), default="")
    tag: Mapped[str] = mapped_column(String(60), default="")
    days: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(Key)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(Key)
    deleted_at: Mapped[datetime | None]


class Deletion(Base):
    """A sound that was deleted, or could not be: by which rule (`words`: its terms as they were) or by whom.

    `why`: rule, erasure or hand; `outcome`: deleted or failed, with the `trouble`.
    """

    __tablename__ = "deletions"
    __table_args__ = (Index(None, "call_id"), Index(None, "rule_id", "at"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    why: Mapped[str] = mapped_column(String(10))
    rule_id: Mapped[int | None] = mapped_column(Key)
    words: Mapped[str] = mapped_column(String(300), default="")
    user_id: Mapped[int | None] = mapped_column(Key)
    call_began: Mapped[datetime]
    call_id: Mapped[str] = mapped_column(String(40))
    n: Mapped[int]
    file: Mapped[str] = mapped_column(String(500), default="")
    size: Mapped[int | None] = mapped_column(Key)
    seconds: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(String(10))
    trouble: Mapped[str] = mapped_column(String(300), default="")


class LegalHold(Base):
    """What must not be deleted while it lasts: `what` is call, client or number, `which` its id or E.164."""

    __tablename__ = "legal_holds"
    __table_args__ = (Index(None, "what", "which"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    what: Mapped[str] = mapped_column(String(10))
    which: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(500))
    placed_at: Mapped[datetime]
    placed_by: Mapped[int | None] = mapped_column(Key)
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(Key)
    lifted_why: Mapped[str] = mapped_column(String(300), default="")


class Listening(Base):
    """A recording that somebody heard or took out: from where, which seconds (`spans`), and why when he took it.

    `kind`: listen, download, program (by a token) or coaching (moments of a list that he was given). `spans`: pairs of
    seconds in order, apart from each other; `until`: when the player last told of it.
    """

    __tablename__ = "listenings"
    __table_args__ = (Index(None, "call_id", "n"), Index(None, "user_id", "at"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(Key)
    call_id: Mapped[str] = mapped_column(String(40))
    n: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10), default="listen")
    address: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(String(300), default="")
    spans: Mapped[list[Any]] = mapped_column(Json, default=list)
    heard_s: Mapped[float] = mapped_column(default=0.0)
    until: Mapped[datetime]


class PersonFile(Base):
    """Everything held of one person, packed as a ZIP: `state` is wanted, working, ready, failed or gone.

    `file` is its name in the folder of person files, `sha256` that of its bytes; it is deleted at `expires_at`.
    """

    __tablename__ = "person_files"
    __table_args__ = (Index(None, "state"),)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[int] = mapped_column(Key)
    reason: Mapped[str] = mapped_column(String(300), default="")
    wanted_by: Mapped[int | None] = mapped_column(Key)
    state: Mapped[str] = mapped_column(String(10), default="wanted")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(String(300), default="")
    file: Mapped[str] = mapped_column(String(100), default="")
    size: Mapped[int | None] = mapped_column(Key)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class Erasure(Base):
    """A person who was erased, and the certificate of it: `state` is wanted, working, done, refused or failed.

    `certificate` says what was erased, what was kept and why, without the person's data; `sha256` is that of its text.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index(None, "state"), Index(None, "client_id"))
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[int] = mapped_column(Key)
    reason: Mapped[str] = mapped_column(String(300), default="")
    wanted_by: Mapped[int | None] = mapped_column(Key)
    state: Mapped[str] = mapped_column(String(10), default="wanted")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(String(300), default="")
    certificate: Mapped[dict[str, Any] | None]
    sha256: Mapped[str] = mapped_column(String(64), default="")
    changed_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
