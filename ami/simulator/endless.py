"""Calls without end: some in the background at a pace, and always one for the favourite operator."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from ami.simulator.trace import load

if TYPE_CHECKING:
    from ami.simulator.pbx import DemoPbx


class Endless:
    """Two loops; each plays what the free operators can play now and never waits for a certain one."""

    def __init__(self, pbx: "DemoPbx", calls_per_minute: float, dice: Random) -> None:
        self._pbx = pbx
        self._pause = 60.0 / calls_per_minute / pbx.speed
        self._dice = dice

    async def background(self) -> None:
        """Calls at random distances, first those with which the story opens."""
        opening = list(self._pbx.story.opening)
        while True:
            await self._pbx.wanted.wait()
            name = opening.pop(0) if opening else ""
            begun = self._begin([name] if name else self._pbx.story.some_calls(self._dice))
            short = 0.3 if opening else self._dice.uniform(0.5, 1.5)
            await asyncio.sleep(self._pause * short if begun else 0.5 / self._pbx.speed)

    def _begin(self, names: list[str], lead: str = "") -> bool:
        favourite = frozenset({self._pbx.story.favourite} - {""} - {lead})
        for name in names:
            trace = load(name)
            if lead and not trace.operators:
                continue
            cast = self._pbx.casting.operators(trace, lead=lead, without=favourite)
            if cast is not None:
                self._pbx.perform(trace, cast, self._pbx.casting.people(trace))
                return True
        return False

    async def favourite(self) -> None:
        """A call for the favourite whenever he is free and has rested."""
        story = self._pbx.story
        while True:
            await self._pbx.wanted.wait()
            rested = self._pbx.now() - self._pbx.recent.get(story.favourite, 0.0)
            busy = self._pbx.casting.busy | self._pbx.casting.reserved
            if story.favourite not in busy and rested > story.rest_s / self._pbx.speed:
                self._begin(story.some_calls(self._dice), lead=story.favourite)
            await asyncio.sleep(0.5 / self._pbx.speed)
