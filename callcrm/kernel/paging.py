"""Pages of lists: at most so many rows, and where to go on. The cursor is opaque to who holds it."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from callcrm.kernel.errors import Invalid

MOST = 200
USUAL = 50

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What page is asked for: at most `limit` rows (1 to 200) after `cursor` (empty: from the beginning)."""

    limit: int = USUAL
    cursor: str = ""

    @property
    def rows(self) -> int:
        """How many rows to fetch: one more than asked for tells whether there is a next page."""
        return min(max(self.limit, 1), MOST) + 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows of a list; `next` is the cursor of the following page, None on the last."""

    items: tuple[Item, ...]
    next: str | None = None


def page(
    rows: Sequence[Row], wanted: Wanted, place: Callable[[Row], Sequence[Any]], line: Callable[[Row], Item]
) -> Page[Item]:
    """The page of `rows` (fetched with `wanted.rows`); `place` gives the values that a row is sorted by."""
    kept = rows[: wanted.rows - 1]
    following = encode(place(kept[-1])) if len(rows) > len(kept) and kept else None
    return Page(tuple(line(row) for row in kept), following)


def encode(values: Sequence[Any]) -> str:
    """A cursor from the values that the last row was sorted by."""
    said = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The values in a cursor, of these types (datetime, int, str); raises Invalid for a cursor that is not ours."""
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        return tuple(_read(value, kind) for value, kind in zip(list(said), kinds, strict=True))
    except (ValueError, TypeError, UnicodeError, binascii.Error, RecursionError):
        raise Invalid("This place in the list is unknown; begin at its first page.", {"cursor": "unknown"}) from None


def _read(value: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if type(value) is not kind:
        raise TypeError(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError(value)
    return value
