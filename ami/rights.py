"""What our manager user may do at a PBX, learned from its first answers, and the mend in words."""

import asyncio
import re
from dataclasses import dataclass

from ami import actions
from ami.errors import AmiError, Expired, PbxRefused
from ami.messages import Message, first
from ami.session import Session

#: FullyBooted comes with the log-in, if class system is read.
_BOOTED_S = 1.0

#: Class under `write=`, the actions that show whether it is there (any of them), and what lacks without it.
_CLASSES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("reporting", ("CoreShowChannels",), "the calls in progress cannot be asked for"),
    ("call", ("Hangup", "Redirect"), "no transfer, parking or hanging up from the desk"),
    ("originate", ("Originate",), "no click-to-call"),
    ("agent", ("QueuePause", "QueueAdd"), "no pausing in queues"),
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the user may: `allowed` actions (None: not known), the Asterisk's `version`, and `missing` classes.

    `missing` are words such as `write=originate`; `lacking` says what does not work without each.
    """

    version: str = ""
    allowed: frozenset[str] | None = None
    missing: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def blind(self) -> bool:
        """Whether the calls in progress cannot be seen, so that no log of calls can be trusted."""
        return self.allowed is not None and "CoreShowChannels" not in self.allowed

    @property
    def mend(self) -> str:
        """What to do in manager.conf, and why."""
        wanted = [
            f"{key}={','.join(kinds)}"
            for key in ("read", "write")
            if (kinds := [name.partition("=")[2] for name in self.missing if name.startswith(key)])
        ]
        return f"add {' and '.join(wanted)} to it in manager.conf ({'; '.join(self.lacking)}), then `manager reload`"

    def may(self, action: str) -> bool:
        """Whether an action may be used, as far as is known."""
        return self.allowed is None or action in self.allowed


async def survey(session: Session, timeout: float = 5.0) -> Rights:
    """Ask what we may. What the PBX does not answer in time stays unknown rather than missing."""
    allowed = await _allowed(session, timeout)
    missing: list[str] = []
    lacking: list[str] = []
    for name, signs, loss in _CLASSES:
        queues_there = name != "agent" or (allowed is not None and "QueueStatus" in allowed)
        if allowed is not None and queues_there and not allowed.intersection(signs):
            missing.append(f"write={name}")
            lacking.append(loss)
    if not await _booted(session):
        missing.append("read=system")
        lacking.append("a restart of Asterisk is not told")
    return Rights(await _version(session, allowed, timeout), allowed, tuple(missing), tuple(lacking))


async def _allowed(session: Session, timeout: float) -> frozenset[str] | None:
    try:
        response = (await session.ask(actions.list_commands(), timeout))[0]
    except (Expired, PbxRefused):
        return None
    return frozenset(response) - {"Response", "ActionID"}


async def _version(session: Session, allowed: frozenset[str] | None, timeout: float) -> str:
    if allowed is not None and "CoreSettings" not in allowed:
        return ""
    response: Message = {}
    try:
        response = (await session.ask(actions.core_settings(), timeout))[0]
    except AmiError:
        pass
    return re.split(r"[+~]", first(response, "AsteriskVersion")[:100])[0]


async def _booted(session: Session) -> bool:
    for _ in range(round(_BOOTED_S / 0.02)):
        if session.protocol.booted or session.protocol.closed:
            return True
        await asyncio.sleep(0.02)
    return False
