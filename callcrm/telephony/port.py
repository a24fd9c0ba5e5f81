"""What callcrm asks of a phone system, whatever its kind; and how the web asks for it through the database.

A wish is a row of `commands` (`want`), carried out by the listener of that PBX: once, in time, or
not at all. Its result is a sentence, told with the fact `command.changed`.
"""

import uuid
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import insert

from callcrm.kernel.errors import CallcrmError, Invalid
from callcrm.kernel.tables import Command
from callcrm.kernel.writer import Unit

#: Each kind of command and the fields it takes; those with a `?` may be left out.
KINDS: dict[str, tuple[str, ...]] = {
    "dial": ("extension", "number", "name?", "channel?"),
    "cancel_dial": ("dial", "channel"),
    "hang_up": ("channel",),
    "blind_transfer": ("channel", "to"),
    "attended_transfer": ("channel", "to"),
    "complete_transfer": ("channel",),
    "cancel_transfer": ("channel",),
    "swap_transfer": ("channel",),
    "park": ("channel", "extension"),
    "hold": ("channel", "extension"),
    "fetch": ("extension", "space", "number?", "name?"),
    "pause": ("extension", "queue?", "reason?"),
    "unpause": ("extension", "queue?"),
    "pause_recording": ("channel",),
    "resume_recording": ("channel",),
}

#: Seconds after which a command that was not sent yet is not sent any more.
EXPIRES_S = 10.0


class Refused(CallcrmError):
    """The phone system did not do it, or nobody can know; the sentence says why."""


class Gone(Refused):
    """The line that was meant is no longer there, or not yet."""


class PhoneSystem(Protocol):
    """One phone system as callcrm uses it. Each command gives a sentence for a person, or raises Refused with one."""

    @property
    def name(self) -> str:
        """The PBX's name in the settings."""

    async def dial(
        self, extension: str, number: str, *, token: str, name: str = "", channel: str = "", timeout: float = 5.0
    ) -> str:
        """Ring the operator's phone, and once he takes it, the number; the result comes later, with `token`.

        `channel`: the id that the operator's line gets, so that it can be ended at once.
        """

    async def fetch(
        self, extension: str, space: str, *, token: str, number: str = "", name: str = "", timeout: float = 5.0
    ) -> str:
        """Ring the operator's phone, and once he takes it, give him whom is parked; the result comes with `token`."""

    async def hang_up(self, channel: str, *, timeout: float = 5.0) -> str:
        """End one party's line; Gone when it is no longer there."""

    async def blind_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Hand on whom this operator's line talks with."""

    async def attended_transfer(self, channel: str, to: str, *, timeout: float = 5.0) -> str:
        """Call a colleague from this operator's line while the client waits."""

    async def complete_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """The colleague takes the client; this operator's line ends."""

    async def cancel_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """Back to the client who waits."""

    async def swap_transfer(self, channel: str, *, timeout: float = 5.0) -> str:
        """Talk with the other of the two; the one who was talked with waits."""

    async def park(self, channel: str, extension: str, *, timeout: float = 5.0) -> str:
        """Park a party where any phone can fetch it; this operator's rings when nobody does."""

    async def hold(self, channel: str, extension: str, *, timeout: float = 5.0) -> str:
        """Keep a party waiting with music for this operator, whose phone rings when it was too long."""

    async def pause(self, extension: str, queue: str = "", reason: str = "", *, timeout: float = 5.0) -> str:
        """Give an operator no calls of a queue (or of any)."""

    async def unpause(self, extension: str, queue: str = "", *, timeout: float = 5.0) -> str:
        """Give an operator calls again."""

    async def pause_recording(self, channel: str, *, timeout: float = 5.0) -> str:
        """Leave a gap in the recording."""

    async def resume_recording(self, channel: str, *, timeout: float = 5.0) -> str:
        """Record again."""


async def want(
    unit: Unit,
    pbx: str,
    kind: str,
    args: dict[str, Any],
    *,
    wanted_by: int | None,
    expires_s: float = EXPIRES_S,
    call_id: str | None = None,
    command: str = "",
) -> str:
    """Ask for a command in this unit; its id. Invalid when the kind or its fields are none.

    `call_id`: the call it is about. `command`: an id of the asker's, so that asking twice is asking once.
    """
    fields = KINDS.get(kind)
    if fields is None:
        raise Invalid(f"There is no command {kind!r}.")
    allowed = {field.rstrip("?") for field in fields}
    needed = {field for field in fields if not field.endswith("?")}
    wrong = dict.fromkeys(args.keys() - allowed, "is not known")
    wrong |= {field: "is missing" for field in needed if not args.get(field)}
    wrong |= {field: "must be a short text" for field, value in args.items() if not _short(value)}
    if wrong:
        raise Invalid(f"The command {kind} cannot be taken: {', '.join(f'{k} {v}' for k, v in wrong.items())}.", wrong)
    command = command or uuid.uuid4().hex
    await unit.db.execute(
        insert(Command).values(
            id=command,
            pbx=pbx,
            kind=kind,
            args=args,
            call_id=call_id,
            wanted_by=wanted_by,
            wanted_at=unit.now,
            expires_at=unit.now + timedelta(seconds=expires_s),
            state="wanted",
            changed_at=unit.now,
        )
    )
    unit.fact("command.wanted", command=command, pbx=pbx)
    return command


def _short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 200
