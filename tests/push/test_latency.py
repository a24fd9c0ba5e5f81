"""Figures of pops for the administrator: how long they took, and which never stood on a screen."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.calls.tables import Pop
from callcrm.kernel.database import Database
from callcrm.kernel.upsert import upsert
from callcrm.kernel.writer import Unit, Writer
from callcrm.push.latency import figures, latencies, percentile
from tests.people import OLGA, hire

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


def row(
    n: int, sent: float | None, painted: float | None, closed: float | None = None, *, late: bool = False
) -> dict[str, object]:
    """A pop, so many minutes ago; the rest is seconds after it."""
    at = NOW - timedelta(minutes=n)
    after = {"sent_at": sent, "painted_at": painted, "closed_at": closed}
    times = {name: None if s is None else at + timedelta(seconds=s) for name, s in after.items()}
    return {"at": at, "id": f"pop{n}", "call_id": f"call{n}", "user_id": OLGA.user_id, "late_page": late, **times}


async def test_what_was_painted_is_measured_and_what_never_was_is_named(writer: Writer, database: Database) -> None:
    await hire(writer)
    rows = [row(1, 0.01, 0.04), row(2, 0.01, 0.06), row(3, 0.02, None), row(4, None, None), row(5, 0.01, None, 0.5)]
    rows += [row(60 * 25, 0.01, 9.0), row(6, 8.0, 8.1, late=True), row(7, 9.0, None, late=True)]

    async def keep(unit: Unit) -> None:
        await upsert(unit.db, Pop, rows)

    await writer.do(keep, name="pops")
    async with database.read() as db:
        seen = await latencies(db, NOW)
    assert (seen.pops, seen.painted, seen.late, seen.unpainted, seen.unsent) == (7, 3, 1, 1, 2)
    assert (seen.median_s, seen.p95_s) == (pytest.approx(0.04), pytest.approx(0.06))
    assert [(one.call, one.person, one.sent) for one in seen.named] == [
        ("call3", "Olga Bondar", True),
        ("call4", "Olga Bondar", False),
        ("call7", "Olga Bondar", False),
    ]


def test_of_nothing_nothing_is_told() -> None:
    assert figures([]).median_s is None


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_reached_by_so_many(values: list[float], share: int) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) * 100 >= share * len(ordered)
    assert sum(value < found for value in ordered) * 100 < share * len(ordered)


def test_a_clock_that_went_back_makes_no_negative_times() -> None:
    told = row(1, 0.0, -5.0) | {"person": "Olga"}
    assert figures([SimpleNamespace(**told)]).median_s == 0.0
