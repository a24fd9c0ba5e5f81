"""What the sound itself tells: figures of each recording, and of each call from all its recordings.

Seconds, dBFS (0 is the loudest that a file can hold), shares of all talk from 0 to 1. A file of one lane tells
`lanes`, `seconds` and the silences only. The words are those of `recordings.xray`.
"""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from callcrm.kernel.schema import Base, String

#: The few calls that a saved filter of the call log shows, in the very words of their indexes.
SILENT = "longest_silence_s >= 20"
TALKOVER = "overlap_s >= 10"
LATE = "operator_first_word_s >= 5"
ONESIDED = "operator_share >= 0.8"
FAULTY = "fault IS NOT NULL"
#: Columns that the call log can be sorted by.
SORTED = ("longest_silence_s", "overlap_s", "operator_share", "operator_first_word_s")


class _Figures:
    """What a recording's row and a call's have alike; `client_` and `operator_` are the two lanes."""

    lanes: Mapped[int | None]
    overlaps: Mapped[int | None]
    seconds: Mapped[float | None]
    silence_s: Mapped[float | None]
    longest_silence_s: Mapped[float | None]
    overlap_s: Mapped[float | None]
    client_talk_s: Mapped[float | None]
    client_first_word_s: Mapped[float | None]
    client_loudness_db: Mapped[float | None]
    client_peak_db: Mapped[float | None]
    client_clipped_s: Mapped[float | None]
    operator_talk_s: Mapped[float | None]
    operator_first_word_s: Mapped[float | None]
    operator_loudness_db: Mapped[float | None]
    operator_peak_db: Mapped[float | None]
    operator_clipped_s: Mapped[float | None]
    longest_silence_at_s: Mapped[float | None]


class RecordingXray(_Figures, Base):
    """One recording looked through. `error` says in a sentence why it could not be; `talk`: `spans.packed`.

    Moments within it (`longest_silence_at_s`, first words) count from the recording's beginning.
    """

    __tablename__ = "recording_xrays"
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(String(300), default="")
    talk: Mapped[bytes | None] = mapped_column(LargeBinary)


def _some(name: str, where: str) -> Index:
    return Index(f"ix_xrays_{name}", "at", sqlite_where=text(where), postgresql_where=text(where))


class Xray(_Figures, Base):
    """One call, from all its recordings; `at` is the call's. `longest_silence_at_s` counts from the call's beginning.

    First words count from the beginning of the sound, which is when the two were connected.
    `fault`: client_silent, operator_silent, silent (nobody is heard), clipped or faint.
    """

    __tablename__ = "xrays"
    __table_args__ = (
        Index(None, "at"),
        *(Index(None, name, "at") for name in SORTED),
        _some("silent", SILENT),
        _some("talkover", TALKOVER),
        _some("late", LATE),
        _some("onesided", ONESIDED),
        _some("faulty", FAULTY),
    )
    began: Mapped[datetime] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    at: Mapped[datetime]
    made_at: Mapped[datetime]
    client_share: Mapped[float | None]
    operator_share: Mapped[float | None]
    fault: Mapped[str | None] = mapped_column(String(20))
