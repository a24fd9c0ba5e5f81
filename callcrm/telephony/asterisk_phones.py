"""Asterisk as a PhoneSystem: each wish becomes an action, each refusal a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ami import actions
from ami.actions import Action, DialRules
from ami.connection import Connection
from ami.errors import AmiError, BadCommand, Expired, PbxRefused
from callcrm.telephony.members import Members
from callcrm.telephony.port import Gone, Refused

_GONE = "that line is no longer there"
_REASONS = {
    "No such channel": _GONE,
    "Channel not found": _GONE,
    "Channel does not exist": _GONE,
    "Cannot set mute flag": "nothing is recorded on that line",
    "Permission denied": "its manager user may not do this; see what `callcrm check` says of it",
    "Extension does not exist": "there is no such extension in the dialplan",
}


@dataclass(frozen=True, slots=True)
class Parking:
    """Where callers are parked, how long one who is held waits there (seconds), and the code that swaps two talks."""

    lot: str = "default"
    hold_s: int = 600
    swap_code: str = "*4"


class AsteriskPhones:
    """Commands for one Asterisk through its connection; `rules` say what may be dialled and from which context."""

    def __init__(
        self, connection: Connection, rules: DialRules, members: Members, parking: Parking | None = None
    ) -> None:
        self._connection, self._rules, self._members = connection, rules, members
        self._parking = parking or Parking()

    @property
    def name(self) -> str:
        """The PBX's name in the settings."""
        return self._connection.settings.name

    async def dial(
        self, extension: str, number: str, *, token: str, name: str = "", channel: str = "", timeout: float = 5.0
    ) -> str:
        """Ring the operator's phone, and once he takes it, the number; the result comes later, with `token`."""
        build = partial(
            actions.originate,
            self._rules,
            extension,
            number,
            action_id=token,
            caller_name=name,
            channel_id=channel or None,
        )
        await self._do(build, timeout)
        return f"Your phone {extension} rings; {number} is called when you pick up."

    async def fetch(
        self, extension: str, space: str, *, token: str, number: str = "", name: str = "", timeout: float = 5.0
    ) -> str:
        """Ring the operator's phone, and once he takes it, give him whom is parked; the result comes with `token`."""
        build = partial(
            actions.fetch_parked,
            self._rules,
            extension,
            space,
            action_id=token,
            lot=self._parking.lot,
            caller_name=name,
            caller_number=number,
        )
        await self._do(build, timeout)
        return f"Your phone {extension} rings; lift it to have the client back."

    async def hang_up(self, channel: str, *, timeout: float = 5.0) -> str:
        """End one party's line; Gone when it is no longer there."""
        await self._do(lambda: actions.hangup(channel), timeout)
        return "The line was ended."

    async def blind_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Hand on whom this operator's line talks with."""
        await self._do(lambda: actions.blind_transfer(channel, self._rules.context, to), timeout)
        return f"The call was handed on to {to}."

    async def attended_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Call a colleague from this operator's line while the client waits."""
        await self._do(lambda: actions.attended_transfer(channel, self._rules.context, to), timeout)
        return f"{to} is being called; the client hears music."

    async def complete_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """Asterisk joins the two whom an operator has called and kept, once he hangs up."""
        await self._do(lambda: actions.hangup(channel), timeout)
        return "The two were joined."

    async def cancel_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """Back to the client who waits."""
        await self._do(lambda: actions.cancel_attended_transfer(channel), timeout)
        return "The transfer was cancelled; you talk with the client."

    async def swap_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """No action swaps; Asterisk's own feature code does, as if it were pressed on the phone."""
        for digit in self._parking.swap_code:
            await self._do(partial(actions.press, channel, digit), timeout)
        return "You talk with the other one now."

    async def park(self, channel: str, extension: str, *, timeout: float = 5.0) -> str:
        """Park a party where any phone can fetch it; this operator's rings when nobody does."""
        await self._do(partial(self._parked, channel, extension, None), timeout)
        return "The call was parked; any phone can fetch it."

    async def hold(self, channel: str, extension: str, *, timeout: float = 5.0) -> str:
        """A stock Asterisk holds for nobody from outside: the party is parked, for longer than others."""
        await self._do(partial(self._parked, channel, extension, self._parking.hold_s), timeout)
        return "The client hears music; your phone is free. Resume rings it."

    def _parked(self, channel: str, extension: str, seconds: int | None) -> Action:
        phone = self._rules.channel.replace("{extension}", extension)
        return actions.park(channel, announce_to=phone, lot=self._parking.lot, timeout_s=seconds)

    async def pause(self, extension: str, queue: str = "", reason: str = "", *, timeout: float = 5.0) -> str:
        """Give an operator no calls of a queue (or of any)."""
        count = await self._pause(extension, queue, reason, paused=True, timeout=timeout)
        return f"{extension} gets no calls from {count} {'queue' if count == 1 else 'queues'} now."

    async def unpause(self, extension: str, queue: str = "", *, timeout: float = 5.0) -> str:
        """Give an operator calls again."""
        count = await self._pause(extension, queue, "", paused=False, timeout=timeout)
        return f"{extension} gets calls from {count} {'queue' if count == 1 else 'queues'} again."

    async def pause_recording(self, channel: str, *, timeout: float = 5.0) -> str:
        """Leave a gap in the recording."""
        await self._do(lambda: actions.mix_monitor_mute(channel, muted=True), timeout)
        return "The recording is paused."

    async def resume_recording(self, channel: str, *, timeout: float = 5.0) -> str:
        """Record again."""
        await self._do(lambda: actions.mix_monitor_mute(channel, muted=False), timeout)
        return "The recording goes on."

    async def _pause(self, extension: str, queue: str, reason: str, *, paused: bool, timeout: float) -> int:
        places = self._members.of(extension, queue)
        if not places:
            raise Refused(f"{extension} is in no queue{' ' + queue if queue else ''} of PBX {self.name}.")
        for name, interface in places:
            build = partial(actions.queue_pause, interface, paused=paused, queue=name, reason=reason)
            await self._do(build, timeout)
        return len(places)

    async def _do(self, build: Callable[[], Action], timeout: float) -> None:
        try:
            await self._connection.send(build(), timeout)
        except BadCommand as error:
            raise Refused(f"Not done: {error}") from error
        except PbxRefused as error:
            why = next((words for said, words in _REASONS.items() if said in error.reason), error.reason)
            kind = Gone if why == _GONE else Refused
            raise kind(f"PBX {self.name} did not do it: {why}.") from error
        except Expired as error:
            unsure = " It may have been done all the same." if error.sent else ""
            raise Refused(f"{error}{unsure}") from error
        except AmiError as error:
            unsure = " It may have been done all the same." if getattr(error, "sent", False) else ""
            raise Refused(f"{error}{unsure}") from error
