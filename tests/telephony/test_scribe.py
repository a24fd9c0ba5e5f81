"""What is written together: a call that begins waits a moment for the phone that rings for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony.scribe import GATHER_S, Scribe, Troubles


@dataclass
class Changed:
    """A change, as far as the scribe looks at it."""

    kind: str


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
    units = await written(writer, "call.began", 50 * GATHER_S, "call.ended", 0.5)
    assert units == [["call.began"], ["call.ended"]]


async def test_what_waits_is_written_at_the_end(writer: Writer) -> None:
    assert await written(writer, "call.changed", "call.changed") == [["call.changed", "call.changed"]]
