"""The recording of a live call as its operator sees it: recorded, paused with the seconds left, or why not."""

from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts.policy import Actor
from callcrm.custody import pausing
from callcrm.custody.pausing import Gap, Paused
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, NotFound
from webui.i18n import _
from webui.parts import Parts

#: What was refused is said so long.
SAID_S = 30.0


@dataclass(frozen=True, slots=True)
class Taping:
    """One line of the sheet. `state`: recording, asked, paused or refused; `why` is empty when it may be pressed.

    `until`: when it goes on by itself; `bad`: what must be known before the client says his card number.
    """

    call: str
    state: str
    says: str
    act: str
    word: str
    why: str = ""
    until: datetime | None = None
    bad: str = ""

    @property
    def changing(self) -> bool:
        """The PBX has not answered yet."""
        return self.state == "asked"


async def taping_of(parts: Parts, actor: Actor, call: str) -> Taping | None:
    """How the recording of a call stands; None where there is nothing to pause."""
    async with parts.database.read() as db:
        try:
            found = await pausing.standing(db, actor, call)
        except NotFound:
            return None
    return None if found.refused in ("over", "not_talking", "not_recorded", "not_yours") else view(found)


def view(found: Paused) -> Taping:
    """The same in words."""
    why, gap = refusal(found.refused), found.gap
    if gap is None or not found.active:
        bad = _refused(gap) if gap is not None else ""
        state = "refused" if bad else "recording"
        return Taping(found.call, state, _("This call is recorded"), "pause", _("Pause recording"), why, bad=bad)
    if gap.state == "asked":
        return Taping(found.call, "asked", _("The PBX is asked not to record…"), "resume", _("Record again"))
    if gap.state == "closing":
        return Taping(found.call, "asked", _("The PBX is asked to record again…"), "resume", _("Record again"))
    says = _("Not recorded now; it goes on by itself in")
    return Taping(found.call, "paused", says, "resume", _("Record again"), until=gap.resume_at, bad=_late(gap))


def _refused(gap: Gap) -> str:
    """That the last wish did not come about, for a while."""
    if gap.state != "refused" or gap.ended_at is None or not gap.words:
        return ""
    if (clock.now() - gap.ended_at).total_seconds() > SAID_S:
        return ""
    return _("The recording was NOT paused, so let no card number be said: %(why)s") % {"why": gap.words}


def _late(gap: Gap) -> str:
    return gap.words if gap.resume_at < clock.now() or gap.words else ""


def refusal(code: str) -> str:
    """Why a recording cannot be paused, in words; empty when it can."""
    return {
        "": "",
        "over": _("The call is over."),
        "no_link": _("The PBX is not reached at present."),
        "no_right": _("The PBX does not let callcrm do this (MixMonitorMute): see PBX for the right that is missing."),
        "not_talking": _("There is nobody on the line yet."),
        "not_yours": _("You are not in this call now."),
        "not_recorded": _("The PBX reported no recording of this call."),
        "not_paused": _("The recording is not paused."),
    }.get(code, _("This cannot be done now."))


async def act(parts: Parts, actor: Actor, call: str, name: str, *, seconds: float = 0.0, reason: str = "") -> Gap:
    """Pause or resume. Conflict in the reader's language when it cannot be done now."""
    length = seconds or parts.settings.law.pause_s
    try:
        if name == "resume":
            return await parts.writer.do(lambda unit: pausing.resume(unit, actor, call), name="resume recording")
        return await parts.writer.do(
            lambda unit: pausing.pause(unit, actor, call, seconds=length, reason=reason), name="pause recording"
        )
    except Conflict as error:
        raise Conflict(refusal(str(error.current)), error.current) from None
