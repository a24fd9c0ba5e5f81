"""Receipts: a browser says that it painted a pop; one that nobody painted in a second is sent once more."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from callcrm.kernel import clock
from callcrm.push import metrics
from callcrm.push.book import PopBook
from callcrm.push.pop import Pop

log = structlog.get_logger(__name__)

PAINT_S = 1.0
#: Message ids under which a pop went out lately, so that a receipt may name either.
REMEMBERED = 5000


class Receipts:
    """Times of pops. `resend` sends a pop as it stands now once more."""

    def __init__(self, book: PopBook, resend: Callable[[Pop], None], paint_s: float = PAINT_S) -> None:
        self._book = book
        self._resend = resend
        self.paint_s = paint_s
        self._due: deque[tuple[float, str]] = deque()
        self._woken = asyncio.Event()
        self._messages: dict[str, str] = {}

    def shown(self, pop: Pop, message: str, *, late_page: bool = True) -> None:
        """A pop went out under this message id to somebody who came later, or who was there (not `late_page`)."""
        self._messages[message] = pop.id
        while len(self._messages) > REMEMBERED:
            del self._messages[next(iter(self._messages))]
        times = self._book.times(pop.id)
        if times.sent_at is None:
            times.sent_at, times.late_page = clock.now(), late_page
            self._book.timed(pop.id)

    def sent(self, pop: Pop, message: str, happened: datetime, *, first: bool, seen: bool) -> None:
        """A pop happened and went out under this message id; `seen` is whether anybody had a socket for it."""
        if first:
            metrics.OFFERED.inc()
        if not seen:
            metrics.UNSEEN.inc(first)
            return
        self.shown(pop, message, late_page=not first)
        if not first:
            return
        metrics.EVENT_TO_SENT.observe(max(0.0, (clock.now() - happened).total_seconds()))
        self._due.append((asyncio.get_running_loop().time() + self.paint_s, pop.id))
        self._woken.set()

    def _pop(self, user: int, named: str) -> Pop | None:
        """The person's own pop under its id or a message's; what is somebody else's is nobody's."""
        pop = self._book.get(self._messages.get(named, named))
        return pop if pop is not None and pop.user == user else None

    def painted(self, user: int, named: str) -> None:
        """A browser painted it; the first of several tabs counts."""
        pop = self._pop(user, named)
        if pop is None:
            return
        times = self._book.times(pop.id)
        if times.painted_at is not None:
            return
        times.painted_at = clock.now()
        self._book.timed(pop.id)
        metrics.PAINTED.inc()
        if times.sent_at is not None:
            took = (times.painted_at - times.sent_at).total_seconds()
            metrics.OFFERED_TO_PAINTED.observe(max(0.0, took))
            log.debug("pop painted", call=pop.call, user=user, took_ms=round(took * 1000, 1))

    def opened(self, user: int, named: str) -> None:
        """A person opened it."""
        pop = self._pop(user, named)
        if pop is None or self._book.times(pop.id).opened_at is not None:
            return
        self._book.times(pop.id).opened_at = clock.now()
        self._book.timed(pop.id)

    async def watch(self) -> None:
        """Send once more what nobody painted in time; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._due:
                self._woken.clear()
                await self._woken.wait()
            due, key = self._due[0]
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            self._due.popleft()
            pop = self._book.get(key)
            if pop is None or pop.state not in ("offered", "answered"):
                continue
            if self._book.times(key).painted_at is None:
                metrics.RESENT.inc()
                log.info("pop sent again: nobody painted it", call=pop.call, user=pop.user)
                self._resend(pop)
