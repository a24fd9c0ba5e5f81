"""What is written together: a call that begins waits a moment for the phone that rings for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

from sqlalchemy import func, select

from callcrm.kernel.tables import RawEvents
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony.scribe import Scribe, Troubles
from callcrm.telephony.turns import PATIENT


@dataclass
class Changed:
    """A change, as far as the scribe looks at it."""

    kind: str
    line: int = 0
    call: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="a", client=None))


async def written(writer: Writer, *steps: str | float) -> list[list[str]]:
    """The kinds of each unit when changes come in these steps; a number is a pause in seconds."""
    units: list[list[str]] = []

    async def record(unit: Unit, changes: Sequence[Changed]) -> None:
        units.append([change.kind for change in changes])

    scribe = Scribe("office", writer, record, Troubles("office"))
    running = asyncio.create_task(scribe.run())
    for step in steps:
        if isinstance(step, str):
            scribe.add([Changed(step)])
        else:
            await asyncio.sleep(step)
    scribe.end()
    await running
    return units


async def test_a_call_that_begins_is_written_with_the_phone_that_rings(writer: Writer) -> None:
    assert await written(writer, "call.began", 0.0, "call.ringing", 0.5) == [["call.began", "call.ringing"]]


async def test_a_call_that_nothing_follows_is_written_all_the_same(writer: Writer) -> None:
    units = await written(writer, "call.began", 50 * PATIENT["call.began"], "call.ended", 0.5)
    assert units == [["call.began"], ["call.ended"]]


async def test_what_waits_is_written_at_the_end(writer: Writer) -> None:
    assert await written(writer, "call.changed", "call.changed") == [["call.changed", "call.changed"]]


async def test_what_is_written_is_in_the_journal_too(writer: Writer) -> None:
    seen: list[tuple[int, int]] = []
    written = 0

    async def record(unit: Unit, changes: Sequence[Changed]) -> None:
        nonlocal written
        raw = await unit.db.execute(select(func.coalesce(func.sum(RawEvents.count), 0)))
        written += len(changes)
        seen.append((int(raw.scalar_one()), max(change.line for change in changes)))

    scribe = Scribe("office", writer, record, Troubles("office"))
    running = asyncio.create_task(scribe.run())
    for n in range(40):
        scribe.note(float(n), {"Event": "Newstate", "N": str(n)})
        kind = ("call.changed", "call.ringing", "call.ended", "call.answered")[n % 4]
        scribe.add([Changed(kind, n + 1, SimpleNamespace(id=str(n % 7), client=None))])
        await asyncio.sleep(0.013)
    scribe.end()
    await running
    assert written == 40
    assert all(raw >= line for raw, line in seen)
