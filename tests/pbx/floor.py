"""A call centre at work on a real Asterisk: clients call; operators answer, miss, hold, hand on, call out."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from random import Random

from tests.pbx.errors import LabError
from tests.pbx.lab import Lab
from tests.pbx.leg import Leg
from tests.pbx.phone import Phone
from tests.pbx.scenarios import MENU, SALES, SUPPORT, line_of

#: What goes wrong when the other side hangs up in the middle of something: nothing that matters here.
CUT_SHORT = (LabError, TimeoutError, AssertionError)


@dataclass(frozen=True)
class Caller:
    """Somebody who calls, and what the line says of him."""

    number: str
    name: str = ""


class Floor:
    """Phones that live by themselves on a lab.

    `callers`: who may call in or be called; `operators`: whose phones are staffed;
    `pace_s`: the mean time between two calls; `busiest`: how many calls at once at most.
    """

    def __init__(
        self,
        lab: Lab,
        callers: list[Caller],
        operators: tuple[str, ...] = ("101", "102", "103", "104", "105"),
        pace_s: float = 8,
        busiest: int = 4,
        seed: int | None = None,
    ) -> None:
        self.lab, self.callers, self.operators = lab, callers, operators
        self.pace_s, self.busiest = pace_s, busiest
        self.calls = 0
        self._dice = Random(seed)

    async def run(self) -> None:
        """Works until it is cancelled."""
        phones = await self.lab.operators(*self.operators)
        async with asyncio.TaskGroup() as group:
            for phone in phones:
                group.create_task(self._staff(group, phone), name=f"operator-{phone.user}")
            group.create_task(self._city(group), name="city")
            group.create_task(self._clients(group), name="clients")
            group.create_task(self._outbound(group, phones), name="outbound")

    # ---- clients -----------------------------------------------------------------------
    async def _clients(self, group: asyncio.TaskGroup) -> None:
        """Now and then somebody calls."""
        while True:
            if self._live() < self.busiest:
                group.create_task(_quietly(self._call_in(self._dice.choice(self.callers))), name="client")
            await asyncio.sleep(self._dice.expovariate(1 / self.pace_s) + 1)

    async def _call_in(self, caller: Caller) -> None:
        number = self._dice.choices((SALES, SUPPORT, MENU, line_of(self._dice.choice(self.operators))), (6, 4, 1, 2))[0]
        patience_s = self._dice.uniform(6, 30)
        hidden = self._dice.random() < 0.04
        headers = {"Privacy": "id"} if hidden else None
        leg = await self.lab.trunk.call(
            number, caller="anonymous" if hidden else caller.number, name=caller.name, headers=headers
        )
        self.calls += 1
        if number == MENU:
            await leg.talking()
            await asyncio.sleep(self._dice.uniform(3, 6))
            await leg.press(self._dice.choice("12"))
        with contextlib.suppress(TimeoutError):
            await leg.over(patience_s + self._dice.uniform(5, 40))
        leg.hang_up()

    async def _city(self, group: asyncio.TaskGroup) -> None:
        """People in the city, called by operators: most pick up."""
        while True:
            with contextlib.suppress(TimeoutError):
                leg = await self.lab.trunk.incoming(3600)
                group.create_task(_quietly(self._picked_up(leg)), name="city-phone")

    async def _picked_up(self, leg: Leg) -> None:
        await asyncio.sleep(self._dice.uniform(2, 6))
        chance = self._dice.random()
        if leg.ended or chance > 0.9:
            return
        if chance > 0.8:
            leg.reject()
            return
        leg.answer()
        with contextlib.suppress(TimeoutError):
            await leg.over(self._dice.uniform(8, 30))
        leg.hang_up()

    # ---- operators ------------------------------------------------------------------------
    async def _staff(self, group: asyncio.TaskGroup, phone: Phone) -> None:
        """An operator at his phone: takes what rings, one at a time."""
        while True:
            with contextlib.suppress(TimeoutError):
                leg = await phone.incoming(3600)
                group.create_task(_quietly(self._take(phone, leg)), name=f"take-{phone.user}")

    async def _take(self, phone: Phone, leg: Leg) -> None:
        if self._talks(phone):
            leg.reject()
            return
        await asyncio.sleep(self._dice.uniform(2, 6))
        if leg.ended or self._talks(phone) or self._dice.random() < 0.12:
            return  # answered elsewhere, or nobody at the desk: it rings on
        leg.answer()
        await asyncio.sleep(self._dice.uniform(4, 10))
        await self._serve(phone, leg)
        with contextlib.suppress(TimeoutError):
            await leg.over(self._dice.uniform(5, 30))
        leg.hang_up()

    async def _serve(self, phone: Phone, leg: Leg) -> None:
        """What may happen within a call: nothing, holding, handing on, asking a colleague."""
        act = self._dice.choices(("", "hold", "hand on", "ask"), (7, 2, 1, 1))[0]
        if leg.ended or not act:
            return
        if act == "hold":
            await leg.hold()
            await asyncio.sleep(self._dice.uniform(2, 6))
            await leg.unhold()
            return
        free = [user for user in self.operators if user != phone.user and not self._talks(self.lab.phones[user])]
        if not free:
            return
        if act == "hand on":
            await leg.transfer(self._dice.choice(free))
        else:
            await self._ask_colleague(phone, leg, self._dice.choice(free))

    async def _ask_colleague(self, phone: Phone, leg: Leg, colleague: str) -> None:
        await leg.hold()
        asking = await phone.call(colleague)
        try:
            await asking.talking(15)
            await asyncio.sleep(self._dice.uniform(3, 6))
            if not (leg.ended or asking.ended):
                await leg.join(asking)
        except TimeoutError:
            asking.hang_up()
            await leg.unhold()

    async def _outbound(self, group: asyncio.TaskGroup, phones: list[Phone]) -> None:
        """Now and then an operator with nothing to do calls somebody."""
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / (4 * self.pace_s)) + 5)
            free = [phone for phone in phones if not self._talks(phone)]
            if free and self._live() < self.busiest:
                group.create_task(_quietly(self._call_out(self._dice.choice(free))), name="call-out")

    async def _call_out(self, phone: Phone) -> None:
        leg = await phone.call(self._dice.choice(self.callers).number)
        self.calls += 1
        with contextlib.suppress(TimeoutError):
            await leg.over(self._dice.uniform(20, 45))
        leg.hang_up()

    # ---- the whole ---------------------------------------------------------------------------
    def _talks(self, phone: Phone) -> bool:
        return any((leg.answered or leg.outgoing) and not leg.ended for leg in phone.legs.values())

    def _live(self) -> int:
        """Calls that go on; ended dialogs are forgotten on the way."""
        for phone in self.lab.phones.values():
            phone.forget_ended()
        return len(self.lab.trunk.legs)


async def _quietly(doing: Awaitable[None]) -> None:
    """One call that goes wrong is no reason to close the shop."""
    with contextlib.suppress(*CUT_SHORT):
        await doing
