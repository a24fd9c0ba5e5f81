"""The call log narrowed and sorted by what the sound tells agrees with a plain look at all rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from callcrm.accounts.policy import Actor
from callcrm.calls import queries, xrayreading
from callcrm.calls.log import Filters
from callcrm.calls.reach import Shy
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.calls.xrays import packed
from callcrm.calls.xraytables import SORTED, RecordingXray, Xray
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit, Writer
from recordings.xray import Side
from tests.people import ADAM, OLGA, RUSLAN, VERA, hire

FIRST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
FAULTS = (None, None, None, "clipped", "operator_silent")
SAVED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "silent": lambda row: (row["longest_silence_s"] or 0) >= 20,
    "talkover": lambda row: (row["overlap_s"] or 0) >= 10,
    "late": lambda row: (row["operator_first_word_s"] or 0) >= 5,
    "onesided": lambda row: (row["operator_share"] or 0) >= 0.8,
    "faulty": lambda row: row["fault"] is not None,
}


def made(n: int, dice: Random) -> dict[str, Any]:
    """A call of the month, of one of two people; some without figures of the sides."""
    stereo = dice.random() < 0.8
    share = round(dice.random(), 2)
    return {
        "call_id": f"c{n:03}",
        "began": FIRST + timedelta(hours=2 * n),
        "at": FIRST + timedelta(hours=2 * n, seconds=1),
        "queue": dice.choice(("sales", "support")),
        "who": dice.choice((OLGA, RUSLAN)),
        "lanes": 2 if stereo else 1,
        "seconds": 60.0,
        "silence_s": 10.0,
        "longest_silence_at_s": 5.0,
        "longest_silence_s": float(dice.randrange(40)),
        "overlap_s": float(dice.randrange(20)) if stereo else None,
        "overlaps": 3 if stereo else None,
        "operator_share": share if stereo else None,
        "client_share": 1 - share if stereo else None,
        "operator_first_word_s": float(dice.randrange(8)) if stereo else None,
        "fault": dice.choice(FAULTS),
    }


@pytest.fixture
async def month(writer: Writer) -> list[dict[str, Any]]:
    await hire(writer)
    dice = Random(4)
    rows = [made(n, dice) for n in range(120)]

    async def work(unit: Unit) -> None:
        for row in rows:
            key = {"began": row["began"], "call_id": row["call_id"]}
            call = {"began": row["began"], "id": row["call_id"], "pbx": "office", "uniqueid": "1", "at": row["at"]}
            call |= {"direction": "inbound", "queue": row["queue"], "operator_id": row["who"].user_id}
            await unit.db.execute(insert(CallRow).values(**call, state="ended", ended_at=row["at"]))
            part = {"extension": "101", "user_id": row["who"].user_id, "rang": True, "answered": True}
            await unit.db.execute(insert(CallOperator).values(**key, **part))
            figures = {name: value for name, value in row.items() if name not in ("queue", "who")}
            await unit.db.execute(insert(Xray).values(**figures, made_at=unit.now))

    await writer.do(work, name="test")
    return rows


async def log(database: Database, actor: Actor, filters: Filters, limit: int = 23) -> list[str]:
    """All pages of it, one after the other."""
    found: list[str] = []
    cursor = ""
    async with database.read() as db:
        while True:
            page = await queries.call_log(db, actor, filters, Wanted(limit, cursor))
            found += [line.id for line in page.items]
            if page.next is None:
                return found
            cursor = page.next


def expected(rows: list[dict[str, Any]], filters: Filters, whose: Actor | None) -> list[str]:
    def fits(row: dict[str, Any]) -> bool:
        least = {"silence_s": "longest_silence_s", "overlap_s": "overlap_s", "operator_share": "operator_share"}
        return (
            (filters.heard is None or SAVED[filters.heard](row))
            and all(
                getattr(filters, name) is None or (row[column] is not None and row[column] >= getattr(filters, name))
                for name, column in least.items()
            )
            and (filters.queue is None or row["queue"] == filters.queue)
            and (filters.since is None or row["at"] >= filters.since)
            and (filters.until is None or row["at"] < filters.until)
            and (whose is None or row["who"] is whose)
            and (filters.sort is None or row[filters.sort] is not None)
        )

    order = [filters.sort, "at"] if filters.sort else ["at"]
    kept = sorted(filter(fits, rows), key=lambda row: [row[name] for name in order], reverse=True)
    return [row["call_id"] for row in kept]


ASKED = [
    *(Filters(heard=name) for name in SAVED),
    Filters(heard="silent", queue="sales"),
    Filters(silence_s=12.0),
    Filters(silence_s=30.0, overlap_s=5.0),
    Filters(operator_share=0.9, since=FIRST + timedelta(days=2)),
    *(Filters(sort=name) for name in SORTED),
    Filters(sort="overlap_s", heard="silent", queue="support"),
    Filters(sort="longest_silence_s", since=FIRST + timedelta(days=4), until=FIRST + timedelta(days=5)),
    Filters(sort="longest_silence_s", since=FIRST + timedelta(days=1), until=FIRST + timedelta(days=8)),
]


async def test_every_filter_and_order_gives_every_page_as_it_should_be(
    database: Database, month: list[dict[str, Any]]
) -> None:
    for filters in ASKED:
        assert await log(database, VERA, filters) == expected(month, filters, None), filters


async def test_a_person_sees_his_own_under_every_filter(database: Database, month: list[dict[str, Any]]) -> None:
    for filters in ASKED:
        assert await log(database, OLGA, filters) == expected(month, filters, OLGA), filters
        assert await log(database, OLGA, filters, 3) == expected(month, filters, OLGA), filters
        of_ruslan = replace(filters, operator=RUSLAN.user_id)
        assert await log(database, ADAM, of_ruslan) == expected(month, filters, RUSLAN), of_ruslan


async def test_unknown_orders_and_filters_are_told(database: Database) -> None:
    for filters in (Filters(sort="began"), Filters(heard="nothing")):
        with pytest.raises(Invalid):
            await log(database, VERA, filters)


async def test_each_saved_filter_and_order_has_its_index(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url)
    asked = {f"ix_xrays_{code}": Filters(heard=code) for code in SAVED}
    asked |= {f"ix_xrays_{name}_at": Filters(sort=name) for name in SORTED}
    asked |= {"ix_xrays_silent ": Filters(silence_s=25.0), "ix_xrays_at": Filters(silence_s=5.0)}
    day = Filters(sort="overlap_s", since=FIRST, until=FIRST + timedelta(days=1))
    asked |= {"ix_xrays_at ": day, "ix_xrays_overlap_s_at ": replace(day, until=FIRST + timedelta(days=30))}
    async with database.read() as db:
        for index, filters in asked.items():
            keys = xrayreading.found_first(filters, [Shy(CallRow.queue) == "sales"], 51, ())
            told = keys.compile(dialect=db.dialect, compile_kwargs={"literal_binds": True})
            rows = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {told}")
            plan = [str(row.detail) for row in rows]
            assert f"INDEX {index.strip()}" in plan[0], (index, plan)
            # Equal ones are put in order by their ids; a short span is sorted whole.
            whole = any("TEMP B-TREE FOR ORDER BY" in step for step in plan)
            assert whole == (filters is day), (index, plan)
    await database.close()


async def test_figures_and_spans_are_read_for_calls(database: Database, writer: Writer, month: list[Any]) -> None:
    talk = packed([Side(2, 0.5, 0, -20, -3, 0, ((0.0, 2.0),)), Side(3, 0.5, 0, -20, -3, 0, ((9.0, 12.0),))])
    row = {"began": FIRST, "call_id": "c000", "n": 0, "seconds": 20.0, "talk": talk, "error": ""}

    async def work(unit: Unit) -> None:
        await unit.db.execute(insert(RecordingXray).values(**row, made_at=unit.now))

    await writer.do(work, name="test")
    async with database.read() as db:
        found = await xrayreading.of_calls(db, ["c000", "c001", "none"])
        looked = await xrayreading.of_recordings(db, "c000")
        assert await xrayreading.of_calls(db, []) == {}
    assert set(found) == {"c000", "c001"}
    assert found["c000"].longest_silence_s == month[0]["longest_silence_s"]
    assert looked[0].silences(5.0) == [(2.0, 9.0), (12.0, 20.0)]
