"""The writer's queue: bounded, urgent units first, otherwise in order."""

import asyncio
import time
from collections import deque
from typing import Any

from callcrm.kernel.unit import Job

#: After the beginning of an urgent unit the others wait so many seconds: its own few, and those of the pop it moves.
REST_S = 0.005


class Waiting:
    """Jobs that wait to be written; `put` waits while there are `most`."""

    def __init__(self, most: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._some = asyncio.Event()
        self._urgent: deque[Job[Any]] = deque()
        self._others: deque[Job[Any]] = deque()
        self._ended = False
        self._rest_until = 0.0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    async def put(self, job: Job[Any]) -> None:
        """One more."""
        await self._room.acquire()
        (self._urgent if job.urgent else self._others).append(job)
        self._some.set()

    def end(self) -> None:
        """No more will be put; what waits is handed out still."""
        self._ended = True
        self._some.set()

    async def next_group(self, most: int) -> list[Job[Any]]:
        """What is to be written together, at most so many; nothing after the end.

        Urgent ones go by themselves: they do not wait for what the others take. Who gave up is passed over.
        """
        while True:
            while not len(self) and not self._ended:
                self._some.clear()
                await self._some.wait()
            if not len(self):
                return []
            if not self._urgent and await self._rested():
                continue
            urgent = bool(self._urgent)
            group = self._take(self._urgent or self._others, most)
            if group:
                self._rest_until = time.monotonic() + REST_S if urgent else 0.0
                return group

    async def _rested(self) -> bool:
        """Whether it waited: right after an urgent unit the processor is left to what it was urgent for."""
        pause = self._rest_until - time.monotonic()
        if pause <= 0 or self._ended:
            return False
        self._some.clear()
        alarm = asyncio.get_running_loop().call_later(pause, self._some.set)
        await self._some.wait()
        alarm.cancel()
        return True

    def drain(self) -> list[Job[Any]]:
        """Everything that is left."""
        return self._take(self._urgent, len(self._urgent)) + self._take(self._others, len(self._others))

    def _take(self, jobs: deque[Job[Any]], most: int) -> list[Job[Any]]:
        group: list[Job[Any]] = []
        while jobs and len(group) < most:
            job = jobs.popleft()
            self._room.release()
            if not job.done.done():
                group.append(job)
        return group
