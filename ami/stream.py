"""The bounded stream between a connection and its one reader.

When more than `high` things wait, the connection is asked to read no more (TCP then slows the PBX
down); below `low` it reads on. So at most `high` and one segment's worth is ever kept.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ami.messages import Message


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session: what comes after belongs to it. The reader asks for a snapshot now."""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The link is lost: what happens until the next LoggedIn is not seen."""

    reason: str


#: When it came (seconds since the epoch), and what.
Arrival = tuple[float, Message | LoggedIn | LoggedOut]


class Stream:
    """A bounded queue of arrivals: `put` never waits, `take` does."""

    def __init__(self, high: int, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._high, self._low = high, high // 2
        self._pause, self._resume = pause, resume
        self._items: deque[Arrival] = deque()
        self._some = asyncio.Event()
        self._paused = self._closed = False
        self.peak = self.pauses = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether the connection was asked to read no more."""
        return self._paused

    def put(self, at: float, item: Message | LoggedIn | LoggedOut) -> None:
        """One more arrival."""
        items = self._items
        items.append((at, item))
        if len(items) == 1:
            self._some.set()
        elif len(items) >= self._high and not self._paused:
            self._paused = True
            self.pauses += 1
            self._pause()

    async def take(self, most: int) -> list[Arrival]:
        """What waits, at most so many, in order; empty only when the stream has ended."""
        while not self._items and not self._closed:
            self._some.clear()
            await self._some.wait()
        items = self._items
        self.peak = max(self.peak, len(items))
        taken = [items.popleft() for _ in range(min(most, len(items)))]
        if self._paused and len(items) <= self._low:
            self._paused = False
            self._resume()
        return taken

    def close(self) -> None:
        """Nothing comes any more; what waits can still be taken."""
        self._closed = True
        self._some.set()
