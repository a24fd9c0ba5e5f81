"""The same rows whatever order, repetition or process the changes come in."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcrm.calls import service
from callcrm.calls.call import Change, Sound
from callcrm.calls.tables import CallOperator, CallRecording, CallRow, LegRow
from callcrm.clients.tables import Client
from callcrm.kernel.database import Database
from callcrm.kernel.writer import Writer
from tests.calls import making
from tests.calls.making import T0, answered_life, missed_life, outbound_life, rows

PEOPLE = making.context(("101", 7), ("102", 8))


async def record(writer: Writer, *changes: Change) -> list[service.Recorded]:
    return await writer.do(lambda unit: service.record(unit, changes, PEOPLE), name="test")


#: The examples of one test share its database: each has calls of its own.
TAGS = itertools.count(1)


def _lives(tag: str) -> list[list[Change]]:
    """Lives of four calls that go on at once; one of them is folded into another at its end."""
    other = {"client": "79261112233"}
    consult = making.call(f"{tag}x", T0 + 8, direction="internal", client=None, caller="101", called="102")
    first = answered_life(f"{tag}a", T0, recordings=(Sound("a.wav"),))
    first[-1] = replace(first[-1], was=(f"{tag}x",))
    return [
        [*first[:-1], making.began(consult), *making.rings(consult, "102"), first[-1]],
        missed_life(f"{tag}b", T0 + 3),
        answered_life(f"{tag}c", T0 + 6, **other),
        outbound_life(f"{tag}d", T0 + 9, to="79261112233"),
    ]


async def _state(database: Database, tag: str) -> list[Any]:
    found: list[Any] = []
    for table in (CallRow, LegRow, CallOperator, CallRecording):
        for row in await rows(database, table):
            key = row.get("call_id") or row["id"]
            if key.startswith(tag):
                cleaned = {k: v for k, v in row.items() if k not in ("client_id", "match", "check_at", "uniqueid")}
                found.append({**cleaned, "call_id": key.removeprefix(tag), "id": "", "channel": ""})
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_any_interleaving_and_any_number_of_restarts_give_the_same_rows(
    writer: Writer, database: Database, data: st.DataObject
) -> None:
    tag = f"{next(TAGS)}-"
    lives = _lives(tag)
    plan: list[Change] = []
    places = [0] * len(lives)
    while any(place < len(life) for place, life in zip(places, lives, strict=True)):
        n = data.draw(st.sampled_from([i for i, life in enumerate(lives) if places[i] < len(life)]))
        plan.append(lives[n][places[n]])
        again = data.draw(st.sampled_from([0, 0, 0, 1, 3, 99]))
        places[n] = max(0, places[n] + 1 - again) if data.draw(st.booleans()) and len(plan) < 80 else places[n] + 1
    while plan:
        size = data.draw(st.integers(1, 6))
        await record(writer, *plan[:size])
        plan = plan[size:]
    straight = f"{next(TAGS)}s-"
    for life in _lives(straight):
        await record(writer, *life)
    assert await _state(database, tag) == await _state(database, straight)


async def test_two_first_calls_from_one_number_at_once_give_one_card(database: Database) -> None:
    """Two processes with a writer each, as listener and web are."""

    class Deaf:
        def publish(self, facts: Sequence[Any]) -> None:
            """Nobody listens."""

    async with Writer(database, Deaf()) as one, Writer(database, Deaf()) as other:
        await asyncio.gather(
            *(record(w, *missed_life(f"{n}", T0 + n)) for n, w in enumerate([one, other] * 10)),
        )
    assert len(await rows(database, Client)) == 1
    assert len(await rows(database, CallRow)) == 20
