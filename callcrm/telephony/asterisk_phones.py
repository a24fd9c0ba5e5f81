"""Asterisk as a PhoneSystem: each wish becomes an action, each refusal a sentence."""

from collections.abc import Callable
from functools import partial

from ami import actions
from ami.actions import Action, DialRules
from ami.connection import Connection
from ami.errors import AmiError, BadCommand, Expired, PbxRefused
from callcrm.telephony.members import Members
from callcrm.telephony.port import Refused

_REASONS = {
    "No such channel": "that line is no longer there",
    "Channel not found": "that line is no longer there",
    "Channel does not exist": "that line is no longer there",
    "Permission denied": "its manager user may not do this; see what `callcrm check` says of it",
    "Extension does not exist": "there is no such extension in the dialplan",
}


class AsteriskPhones:
    """Commands for one Asterisk through its connection; `rules` say what may be dialled and from which context."""

    def __init__(self, connection: Connection, rules: DialRules, members: Members) -> None:
        self._connection, self._rules, self._members = connection, rules, members

    @property
    def name(self) -> str:
        """The PBX's name in the settings."""
        return self._connection.settings.name

    async def dial(self, extension: str, number: str, *, token: str, name: str = "", timeout: float = 5.0) -> str:
        """Ring the operator's phone, and once he takes it, the number; the result comes later, with `token`."""
        await self._do(
            lambda: actions.originate(self._rules, extension, number, action_id=token, caller_name=name), timeout
        )
        return f"Your phone {extension} rings; {number} is called when you pick up."

    async def hang_up(self, channel: str, *, timeout: float = 5.0) -> str:
        """End one party's line."""
        await self._do(lambda: actions.hangup(channel), timeout)
        return "The line was ended."

    async def blind_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Hand on whom this operator's line talks with."""
        await self._do(lambda: actions.blind_transfer(channel, self._rules.context, to), timeout)
        return f"The call was handed on to {to}."

    async def attended_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Call a colleague from this operator's line while the client waits."""
        await self._do(lambda: actions.attended_transfer(channel, self._rules.context, to), timeout)
        return f"{to} is being called; hang up to hand the call on."

    async def cancel_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """Back to the client who waits."""
        await self._do(lambda: actions.cancel_attended_transfer(channel), timeout)
        return "The transfer was cancelled."

    async def park(self, channel: str, announce_to: str = "", *, timeout: float = 5.0) -> str:
        """Park a party; `announce_to` rings when nobody fetches it."""
        await self._do(lambda: actions.park(channel, announce_to=announce_to or None), timeout)
        return "The call was parked."

    async def hold(self, channel: str, *, timeout: float = 5.0) -> str:
        """Let an operator's phone put its party on hold."""
        await self._do(lambda: actions.pjsip_notify(channel, "hold"), timeout)
        return "The phone was told to hold the call."

    async def resume(self, channel: str, *, timeout: float = 5.0) -> str:
        """Let an operator's phone take its party back."""
        await self._do(lambda: actions.pjsip_notify(channel, "talk"), timeout)
        return "The phone was told to take the call back."

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
            raise Refused(f"PBX {self.name} did not do it: {why}.") from error
        except Expired as error:
            unsure = " It may have been done all the same." if error.sent else ""
            raise Refused(f"{error}{unsure}") from error
        except AmiError as error:
            unsure = " It may have been done all the same." if getattr(error, "sent", False) else ""
            raise Refused(f"{error}{unsure}") from error
