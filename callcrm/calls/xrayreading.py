"""Reading what the sound tells: figures of calls for who has seen that he may see them, and the log's keys by them.

The call log finds its rows among the figures, which have indexes for it, and only then reads the calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, exists, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.calls import reach, xrays
from callcrm.calls.log import Filters
from callcrm.calls.tables import CallRow
from callcrm.calls.xraytables import FAULTY, LATE, ONESIDED, SILENT, SORTED, TALKOVER, RecordingXray, Xray
from callcrm.kernel.errors import Invalid
from callcrm.kernel.prepared import Prepared
from callcrm.kernel.schema import Moment
from recordings.xray import Spans

#: The saved filters by sound, each with the words of its index.
SAVED = {"silent": SILENT, "talkover": TALKOVER, "late": LATE, "onesided": ONESIDED, "faulty": FAULTY}
#: Filters by a figure: the column, and from what value on the index of a saved filter holds all of them.
_AT_LEAST = {
    "silence_s": ("longest_silence_s", 20.0, SILENT),
    "overlap_s": ("overlap_s", 10.0, TALKOVER),
    "operator_share": ("operator_share", 0.8, ONESIDED),
    "first_word_s": ("operator_first_word_s", 5.0, LATE),
}
#: In a shorter span of time its calls are sorted; in a longer one the index of the figure is followed.
_SHORT = timedelta(days=3)
_COLUMNS = Xray.__table__.columns
_KEY = and_(Xray.began == CallRow.began, Xray.call_id == CallRow.id)


@dataclass(frozen=True, slots=True)
class XrayLine:
    """The figures of a call, as `xraytables.Xray` has them; `call_id` says of which."""

    call_id: str
    lanes: int
    seconds: float
    silence_s: float
    longest_silence_s: float
    longest_silence_at_s: float
    overlaps: int | None
    overlap_s: float | None
    client_share: float | None
    operator_share: float | None
    client_talk_s: float | None
    operator_talk_s: float | None
    client_first_word_s: float | None
    operator_first_word_s: float | None
    client_loudness_db: float | None
    operator_loudness_db: float | None
    client_clipped_s: float | None
    operator_clipped_s: float | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A recording that was looked through: each lane's spans of voice, or in `error` why there are none."""

    n: int
    error: str
    seconds: float | None
    talk: tuple[Spans, ...]

    def silences(self, least_s: float) -> list[tuple[float, float]]:
        """Stretches of the recording in which nobody talks."""
        return xrays.silences(self.talk, self.seconds, least_s) if self.seconds and self.talk else []


_OF_CALLS = Prepared(
    select(*(_COLUMNS[one.name] for one in fields(XrayLine))).where(
        Xray.call_id.in_(bindparam("ids", expanding=True, type_=Xray.call_id.type))
    )
)


async def of_calls(db: AsyncConnection, ids: Sequence[str]) -> dict[str, XrayLine]:
    """The figures of these calls, as far as they are known."""
    if not ids:
        return {}
    return {row.call_id: XrayLine(*row) for row in await _OF_CALLS.all(db, {"ids": ids})}


async def of_recordings(db: AsyncConnection, call_id: str) -> dict[int, Looked]:
    """A call's recordings that were looked through, by number."""
    columns = (RecordingXray.n, RecordingXray.error, RecordingXray.seconds, RecordingXray.talk)
    rows = await db.execute(select(*columns).where(RecordingXray.call_id == call_id))
    return {row.n: Looked(row.n, row.error, row.seconds, xrays.unpacked(row.talk)) for row in rows}


def asked(filters: Filters) -> bool:
    """Whether the filters ask for what the sound tells. Raises Invalid."""
    return bool(conditions(filters) or filters.sort)


def of_calls_alone(filters: Filters) -> Filters:
    """The filters without what is asked of the figures: sound, order, and the time, which the figures know as well."""
    plain = replace(filters, since=None, until=None, sort=None, heard=None, silence_s=None, overlap_s=None)
    return replace(plain, first_word_s=None, operator_share=None)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """What the filters ask of the figures, as conditions on the table `xrays`. Raises Invalid."""
    if filters.sort is not None and filters.sort not in SORTED:
        raise Invalid(f"Calls can be sorted by {', '.join(SORTED)}.", {"sort": "unknown"})
    if filters.heard is not None and filters.heard not in SAVED:
        raise Invalid(f"Of sounds there are the filters {', '.join(SAVED)}.", {"heard": "unknown"})
    found: list[ColumnElement[bool]] = []
    for name, (column, _enough, _index) in _AT_LEAST.items():
        least = getattr(filters, name)
        if least is not None:
            # Only what the rows are sorted by is to be found by its index.
            figure: Any = _COLUMNS[column] if column == filters.sort else reach.Shy(_COLUMNS[column])
            found.append(figure >= least)
    # Texts stay as they are, so that their indexes are known again.
    return [*(text(one) for one in _words(filters)), *found]  # type: ignore[list-item]


def is_rare(filters: Filters) -> bool:
    """Whether an index knows each of the few calls that sound so: sooner looked through than a person's own years."""
    return bool(_words(filters)) and filters.client is None and filters.number is None


def _words(filters: Filters) -> list[str]:
    """Those of the conditions that an index has in these very words."""
    words = [SAVED[filters.heard]] if filters.heard is not None else []
    for name, (_column, enough, index) in _AT_LEAST.items():
        least = getattr(filters, name)
        words += [index] if least is not None and least >= enough else []
    return list(dict.fromkeys(words))


def has(filters: Filters) -> ColumnElement[bool]:
    """That a call has such a sound, for statements that find the calls by other indexes."""
    return exists(select(Xray.call_id).where(_KEY, *conditions(filters)).correlate(CallRow))


def found_first(
    filters: Filters,
    rest: Sequence[ColumnElement[bool]],
    limit: int,
    after: Sequence[Any],
    among: Subquery | None = None,
) -> Select[*tuple[Any, ...]]:
    """A page's keys and what they are sorted by (`ordering`), found among the figures, or `among` a few calls' keys.

    `rest`: conditions on the calls themselves. `after`: the values that the last row of the page before was sorted by.
    """
    order = ordering(filters)
    keys = select(Xray.began, *order).join(CallRow, _KEY).where(*conditions(filters), *rest)
    if among is not None:
        keys = keys.join(among, and_(among.c.began == CallRow.began, among.c.id == CallRow.id))
    by_time = filters.sort is None or _is_short(filters)
    at: Any = Xray.at if by_time and among is None else reach.Shy(Xray.at)
    if filters.since is not None:
        keys = keys.where(at >= literal(filters.since, Moment()))
    if filters.until is not None:
        keys = keys.where(at < literal(filters.until, Moment()))
    if after:
        keys = keys.where(_after(order, after))
    first: Any = reach.Shy(order[0]) if among is not None or (filters.sort is not None and by_time) else order[0]
    if filters.sort is not None:
        keys = keys.where(order[0].is_not(None))
    return keys.order_by(first.desc(), *(one.desc() for one in order[1:])).limit(limit)


def _after(order: Sequence[Any], after: Sequence[Any]) -> ColumnElement[bool]:
    values = [literal(value, column.type) for column, value in zip(order, after, strict=True)]
    return tuple_(*order) < tuple_(*values)


def ordering(filters: Filters) -> list[Any]:
    """The columns of `xrays` that the rows are sorted by, all descending; the last is the call's id."""
    return [*([_COLUMNS[filters.sort]] if filters.sort else []), Xray.at, Xray.call_id]


def place_kinds(filters: Filters) -> tuple[type, ...]:
    """The types of what a page's place (its cursor) holds."""
    return (float, datetime, str) if filters.sort else (datetime, str)


def _is_short(filters: Filters) -> bool:
    if filters.since is None:
        return False
    until = filters.until or datetime.now(filters.since.tzinfo)
    return until - filters.since <= _SHORT
