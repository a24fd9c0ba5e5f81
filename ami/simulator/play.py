"""One play of a trace: when each of its events happens, and who is in it."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from random import Random

from ami.messages import Message
from ami.simulator.names import Counters, Names
from ami.simulator.story import Person, Story
from ami.simulator.trace import Trace

#: A pause shorter than this is the machine's, not a person's: it is never stretched.
_PERSONS_PAUSE = 0.9


class Play:
    """A trace with its cast: `operators` maps recorded extensions to those who play, `clients` numbers to people.

    `began` (seconds since the epoch) is when the first event happens, `offsets` when each of the others does
    after it; at `speed` 10 ten seconds of the recording take one.
    """

    def __init__(
        self,
        trace: Trace,
        story: Story,
        counters: Counters,
        operators: Mapping[str, str],
        clients: Mapping[str, Person],
        *,
        began: float,
        speed: float = 1.0,
        dice: Random,
        extra: Mapping[str, str] | None = None,
        clicked: str = "Click to call",
    ) -> None:
        self.trace = trace
        self.operators = operators
        self.clients = clients
        self.began = began
        self.extra = dict(extra or {})
        self.offsets = _offsets(trace, story, speed, dice)
        self.uniqueids: set[str] = set()
        self._at = began
        self._live: Callable[[], float] | None = None
        self._over = asyncio.Event()
        self._cut = False
        self.names = Names(counters, story, operators, clients, clock=self._now, moment=self._moment, clicked=clicked)

    @property
    def seconds(self) -> float:
        """How long the whole play lasts."""
        return self.offsets[-1]

    def events(self) -> Iterator[tuple[int, float, Message]]:
        """Step, moment and event, one after the other, as fast as asked for: for calls of the past."""
        for n, step in enumerate(self.trace.steps):
            self._at = self.began + self.offsets[n]
            yield n, self._at, self._rendered(step.render(self.names))

    async def run(self, put: Callable[[Message], None], freed: Callable[[str], None], now: Callable[[], float]) -> None:
        """Play it in its time: `put` each event, tell each operator who has no more part in it by `freed`."""
        self._live = now
        last = {actual: self.trace.last_step_of(recorded) for recorded, actual in self.operators.items()}
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            for n, step in enumerate(self.trace.steps):
                pause = start + self.offsets[n] - loop.time()
                if pause > 0.0005:
                    await asyncio.sleep(pause)
                if self._cut:
                    return
                put(self._rendered(step.render(self.names)))
                for operator in [one for one, at in last.items() if at <= n]:
                    del last[operator]
                    freed(operator)
        finally:
            for operator in last:
                freed(operator)
            self._over.set()

    def cut(self) -> None:
        """Play no further event: somebody outside the trace ended the call."""
        self._cut = True

    async def over(self) -> None:
        """Return when the play has ended."""
        await self._over.wait()

    def _now(self) -> float:
        return self._live() if self._live else self._at

    def _rendered(self, message: Message) -> Message:
        if message.get("Event") == "OriginateResponse":
            message.update(self.extra)
        if message.get("Event") == "Newchannel":
            self.uniqueids.add(str(message["Uniqueid"]))
        return message

    def _moment(self, second: int) -> float:
        """When a second of the recorded PBX's clock falls in this play."""
        at = float(second - self.trace.epoch)
        steps, offsets = self.trace.steps, self.offsets
        n = bisect_right(steps, at, key=lambda step: step.at)
        if n <= 0:
            return self.began
        if n >= len(steps):
            return self.began + offsets[-1]
        share = (at - steps[n - 1].at) / max(1e-9, steps[n].at - steps[n - 1].at)
        return self.began + offsets[n - 1] + share * (offsets[n] - offsets[n - 1])


def _offsets(trace: Trace, story: Story, speed: float, dice: Random) -> list[float]:
    talk, wait = dice.uniform(*story.talk), dice.uniform(*story.wait)
    offsets, total = [0.0], 0.0
    for before, step in zip(trace.steps, trace.steps[1:], strict=False):
        pause = step.at - before.at
        longer = (talk if before.talking else wait) if pause > _PERSONS_PAUSE else 1.0
        total += pause * longer / speed
        offsets.append(total)
    return offsets
