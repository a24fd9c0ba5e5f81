"""Rings an operator's phone for him, waits for what the PBX says of it, and ends it when he no longer wants it.

Each dial is known to the PBX by an ActionID, with which its result comes, and by the id of the line that it
makes, by which it is ended: also in the moment between being sent and being there.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from ami.messages import Message, first
from callcrm.telephony.port import Gone, PhoneSystem

_TOKEN = "callcrm-"  # noqa: S105 - no secret: the ActionID that a dial's result comes with
#: Asterisk's reasons of an OriginateResponse.
_NOT_TAKEN = {"0": "cannot be reached", "1": "did not answer", "3": "did not answer", "5": "is busy"}
#: Seconds of grace after a phone's ringing time, and between two tries to end a line that is not there yet.
_GRACE_S, _AGAIN_S = 10.0, 0.1

Result = tuple[str, str]


class Dialler:
    """One PBX's phones that ring for callcrm. `hear` takes the events that bring results."""

    def __init__(self, phones: PhoneSystem, *, ring_s: float) -> None:
        self._phones, self._ring_s = phones, ring_s
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._unwanted: set[str] = set()

    def hear(self, message: Message) -> None:
        """An OriginateResponse brings the result."""
        waiting = self._waiting.get(first(message, "ActionID"))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def dial(self, command: str, args: Mapping[str, Any], left: float) -> Result:
        """Originate, then wait for what becomes of the operator's phone: the state of the command, and words."""
        extension, number = args["extension"], args["number"]
        begun = self._phones.dial(**args, token=_TOKEN + command, timeout=left)
        response = await self._rung(command, begun)
        if response is None:
            return "refused", "The PBX did not say what became of the call."
        if first(response, "Response") == "Success":
            return "done", f"Your phone {extension} answered; {number} is being called."
        if command in self._unwanted:
            return "cancelled", f"You cancelled the call; {number} was not called."
        why = _NOT_TAKEN.get(first(response, "Reason"), "cannot be reached")
        return "refused", f"Your phone {extension} {why}; {number} was not called."

    async def fetch(self, command: str, args: Mapping[str, Any], left: float) -> Result:
        """Ring the operator's phone for somebody who is parked."""
        extension = args["extension"]
        response = await self._rung(command, self._phones.fetch(**args, token=_TOKEN + command, timeout=left))
        if response is None:
            return "refused", "The PBX did not say what became of it; the client may still be parked."
        if first(response, "Response") == "Success":
            return "done", f"Your phone {extension} answered; the client is with you."
        why = _NOT_TAKEN.get(first(response, "Reason"), "cannot be reached")
        return "refused", f"Your phone {extension} {why}; the client is still parked."

    async def cancel(self, dial: str, channel: str, left: float) -> Result:
        """End the line of a dial that was sent: now, or as soon as it is there while its result is awaited."""
        self._unwanted.add(dial)
        until = time.monotonic() + left
        while True:
            try:
                await self._phones.hang_up(channel, timeout=max(0.5, until - time.monotonic()))
            except Gone:
                if _TOKEN + dial not in self._waiting:
                    return "done", "The call had ended already."
                if time.monotonic() >= until:
                    raise
                await asyncio.sleep(_AGAIN_S)
            else:
                return "done", "The call was cancelled."

    async def _rung(self, command: str, begun: Awaitable[str]) -> Message | None:
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[_TOKEN + command] = answer
        try:
            await begun
            async with asyncio.timeout(self._ring_s + _GRACE_S):
                response: Message = await answer
                return response
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(_TOKEN + command, None)
