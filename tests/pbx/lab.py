"""Phones on a running instance, and what truly happened in each call, from the phones' side."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.pbx.ami import AmiDesk
from tests.pbx.instance import Instance, password
from tests.pbx.leg import Leg
from tests.pbx.phone import Phone

#: Each phone sounds a pitch of its own (Hz), so that a recording tells who spoke.
PITCHES = {
    "trunk": 1000,
    "101": 400,
    "102": 500,
    "103": 600,
    "104": 700,
    "105": 800,
    "106": 1200,
    "107": 1350,
    "108": 1500,
    "109": 1700,
    "110": 1900,
}


@dataclass
class Truth:
    """One call as its phones saw it; words are those of a call, `more` what applies besides."""

    direction: str
    client: str | None
    called: str
    rang: list[str]
    answered_by: list[str]
    wait_s: float
    total_s: float
    talk_s: float
    more: dict[str, Any] = field(default_factory=dict)


class Lab:
    """Operators' phones and the provider's side of the trunk.

    async with Lab(instance) as lab:
        operator = await lab.operator("101")
        client = await lab.trunk.call("74950000101", caller="79161234567")
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.phones: dict[str, Phone] = {}
        self.truths: list[Truth] = []

    async def __aenter__(self) -> "Lab":
        it = self.instance
        self.began = time.time()
        self._files = set(it.recordings.rglob("*.wav"))
        self.ami = await AmiDesk().open(it.host, it.ami_port, "full", it.users["full"])
        self.trunk = await self._phone("trunk", "", it.trunk_host, it.trunk_port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(phone.close() for phone in self.phones.values()))
        await self.ami.close()

    async def operator(self, number: str) -> Phone:
        """A registered phone of an operator."""
        phone = await self._phone(number, password(number), "127.0.0.1", 0)
        await phone.register()
        # Queues learn of it a moment after the registration's answer.
        await asyncio.sleep(0.2)
        return phone

    async def operators(self, *numbers: str) -> list[Phone]:
        return [await self.operator(number) for number in numbers]

    async def _phone(self, user: str, secret: str, host: str, port: int) -> Phone:
        pbx = self.instance.host, self.instance.sip_port
        phone = Phone(user, secret, pbx, host, port, PITCHES.get(user, 440))
        self.phones[user] = await phone.open()
        return phone

    def new_recordings(self) -> list[Path]:
        """Files that came since the lab began."""
        return sorted(set(self.instance.recordings.rglob("*.wav")) - self._files)

    def tell(
        self, direction: str, client: str | None, called: str, leg: Leg, operators: list[tuple[str, Leg]], **more: Any
    ) -> Truth:
        """Writes one call down. `leg`: the caller's; `operators`: each phone that rang or talked, with its leg."""
        talked = sorted((part for part in operators if part[1].answered), key=lambda part: part[1].answered or 0)
        end = leg.ended or time.monotonic()
        first = talked[0][1].answered if talked else None
        truth = Truth(
            direction,
            client,
            called,
            rang=more.pop("rang", [user for user, _ in operators]),
            answered_by=more.pop("answered_by", [user for user, _ in talked]),
            wait_s=more.pop("wait_s", (first or end) - leg.began),
            total_s=end - leg.began,
            talk_s=more.pop("talk_s", sum(part.talk_s for _, part in talked)),
            more=more,
        )
        self.truths.append(truth)
        return truth
