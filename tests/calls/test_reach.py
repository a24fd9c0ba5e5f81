"""One person's calls are the same whether the log or his own part in it is read, page by page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from callcrm.accounts.policy import Actor
from callcrm.calls import queries, reach
from callcrm.calls.log import Filters
from callcrm.calls.tables import CallOperator, CallRow
from callcrm.calls.xraytables import Xray
from callcrm.clients.tables import Client
from callcrm.kernel.database import Database
from callcrm.kernel.paging import Wanted
from callcrm.kernel.writer import Unit, Writer
from tests.people import ADAM, OLGA, RUSLAN, hire

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
COUNT = 160
#: How much the PBX's clock is ahead of ours.
AHEAD = timedelta(minutes=11)


@pytest.fixture(autouse=True)
async def log(writer: Writer) -> None:
    """Calls of two people, some missed, some of the same second, some with a client whose card is Olga's.

    Some were on hold, and of some it is known how they sound.
    """
    await hire(writer)
    dice = Random(7)

    async def fill(unit: Unit) -> None:
        moments = {"created_at": unit.now, "changed_at": unit.now}
        await unit.db.execute(insert(Client), [{"id": 1, "owner_id": OLGA.user_id, **moments}])
        calls: list[dict[str, Any]] = []
        parts: list[dict[str, Any]] = []
        sounds: list[dict[str, Any]] = []
        for n in range(COUNT):
            at = FIRST + timedelta(seconds=20 * (n // 3), milliseconds=dice.randrange(1000))
            key = {"began": at.replace(microsecond=0) + AHEAD, "id": f"{dice.getrandbits(64):016x}"}
            who = dice.choice((OLGA, RUSLAN, None))
            row = {"pbx": "office", "uniqueid": str(n), "direction": "inbound", "at": at, "ended_at": at}
            row |= {"missed": who is None, "client_id": 1 if dice.random() < 0.2 else None}
            row |= {"hold_s": 90 * dice.random() if dice.random() < 0.5 else None}
            calls.append({**key, **row, "operator_id": who.user_id if who else None})
            if dice.random() < 0.6:
                heard = {"longest_silence_s": 40 * dice.random(), "fault": dice.choice((None, "clipped"))}
                sounds.append({"began": key["began"], "call_id": key["id"], "at": at, "made_at": unit.now, **heard})
            for phone in dice.sample(("101", "102", "103"), dice.randrange(0, 3)):
                user = {"101": OLGA.user_id, "103": OLGA.user_id, "102": RUSLAN.user_id}[phone]
                parts.append({"began": key["began"], "call_id": key["id"], "extension": phone, "user_id": user})
        await unit.db.execute(insert(CallRow), calls)
        await unit.db.execute(insert(CallOperator), parts)
        await unit.db.execute(insert(Xray), sounds)

    await writer.do(fill, name="fill")


async def ids(database: Database, actor: Actor, filters: Filters, limit: int) -> list[str]:
    """Every page of the log."""
    found: list[str] = []
    cursor: str | None = ""
    async with database.read() as db:
        while cursor is not None:
            page = await queries.call_log(db, actor, filters, Wanted(limit, cursor))
            found += [line.id for line in page.items]
            cursor = page.next
    return found


FILTERS = (
    Filters(),
    Filters(missed=True),
    Filters(operator=OLGA.user_id),
    Filters(extension="102"),
    Filters(since=FIRST + timedelta(minutes=4), until=FIRST + timedelta(minutes=11)),
    Filters(operator=RUSLAN.user_id, until=FIRST + timedelta(minutes=11), missed=False),
    Filters(owed=True, since=FIRST + timedelta(minutes=2)),
    Filters(missed=False, until=FIRST + timedelta(minutes=13)),
    Filters(held_s=30.0),
    Filters(held_s=60.0, since=FIRST + timedelta(minutes=4)),
    Filters(heard="silent"),
    Filters(heard="faulty", missed=False, until=FIRST + timedelta(minutes=13)),
    Filters(heard="faulty", since=FIRST + timedelta(minutes=4), until=FIRST + timedelta(minutes=11)),
    Filters(heard="silent", operator=RUSLAN.user_id),
    Filters(heard="faulty", extension="101"),
    Filters(silence_s=30.0, held_s=10.0),
    Filters(silence_s=5.0, extension="102"),
)


@pytest.mark.parametrize("actor", [OLGA, ADAM, replace(OLGA, user_id=99)], ids=["own", "all", "nothing"])
async def test_what_is_read_by_parts_is_what_the_log_holds(
    database: Database, monkeypatch: pytest.MonkeyPatch, actor: Actor
) -> None:
    by_parts = [await ids(database, actor, one, 9) for one in FILTERS]
    with monkeypatch.context() as plain:
        plain.setattr(reach, "_parts", lambda *_: [])
        whole = [await ids(database, actor, one, 200) for one in FILTERS]
    assert by_parts == whole
    assert [len(found) for found in whole] == ([0] * len(FILTERS) if actor.user_id == 99 else [len(f) for f in whole])
    assert all(whole) or actor.user_id == 99


async def test_a_page_is_whole_where_many_calls_are_of_one_second(database: Database) -> None:
    found = await ids(database, OLGA, Filters(), 2)
    assert len(found) == len(set(found)) == len(await ids(database, OLGA, Filters(), 200))
