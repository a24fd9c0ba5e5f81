"""Periodic work goes on whatever happens in one turn, and ends when its owner says so."""

import asyncio

from structlog.testing import capture_logs

from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.jobs import periodic, stop


async def test_a_failing_turn_is_logged_once_and_the_next_one_is_taken():
    turns = []

    async def work():
        turns.append(len(turns))
        if len(turns) in (2, 3):
            raise CallcrmError("The disk is full; free some space.")

    with capture_logs() as said:
        task = periodic("sweep", 0.001, work, at_once=True)
        while len(turns) < 6:
            await asyncio.sleep(0.001)
        await stop(task)
    assert task.get_name() == "sweep"
    assert task.cancelled()
    assert [(line["log_level"], line.get("error")) for line in said] == [
        ("error", "The disk is full; free some space."),
        ("info", None),
    ]
