"""One's own state as the strip shows it: what one does since when, what the PBX says to it, what one may choose."""

from dataclasses import dataclass
from datetime import datetime

from callcrm import house
from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Actor
from callcrm.shifts import queries as shifts
from callcrm.shifts.agreement import Agreement
from callcrm.shifts.queries import NOBODY, Stand
from webui import words
from webui.desk import Sheet, queue_label
from webui.i18n import _
from webui.parts import Parts
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class PauseChoice:
    """A reason for a pause; `key` takes it while the menu is open, `here` marks the present one."""

    reason: str
    key: str
    limit_s: int
    here: bool


@dataclass(frozen=True, slots=True)
class Me:
    """Own state. `limit_s`: seconds after which it is too long (0: never); `later`: the pause that follows;
    `pbx`: what to say of the PBX, if anything.
    """

    mark: Mark
    since: datetime | None
    code: str
    on_shift: bool
    limit_s: int = 0
    later: str = ""
    pbx: str = ""
    pbx_short: str = ""
    again: bool = False
    pauses: tuple[PauseChoice, ...] = ()


async def me_of(parts: Parts, actor: Actor, sheet: Sheet | None) -> Me:
    """Read it."""
    async with parts.database.glance() as db:
        since_when = await accounts.on_shift_since(db, actor.user_id)
        stand = await shifts.standing(db, actor.user_id)
        agreed = await shifts.agreed(db, actor.user_id)
    on_shift = since_when is not None
    if on_shift and stand is NOBODY:
        stand = Stand("available", since=since_when)
    code, since = _now(stand, sheet)
    rules = house.shift_rules(parts.settings)
    pauses = tuple(
        PauseChoice(reason, str(n) if n < 10 else "", round(limit * 60), reason == stand.pause)
        for n, (reason, limit) in enumerate(rules.pauses.items(), 1)
    )
    short, sentence = said_of_pbx(parts, stand, agreed) if on_shift else ("", "")
    return Me(
        mark=words.person(code, stand.reason),
        since=since,
        code=code,
        on_shift=on_shift,
        limit_s=_limit(code, stand, rules.pauses.get(stand.reason, 0.0)),
        later=stand.pause if code not in ("paused", "off") else "",
        pbx=sentence,
        pbx_short=short,
        again=bool(sentence) and not stand.at_phone,
        pauses=pauses,
    )


def _now(stand: Stand, sheet: Sheet | None) -> tuple[str, datetime | None]:
    """The state; what rings, and a talk that the kept states do not know yet, is told by the sheet."""
    if sheet is not None and stand.state != "talking":
        if sheet.state == "answered" or (sheet.state == "offered" and sheet.direction == "outbound"):
            return "talking", sheet.since
        if sheet.state == "offered":
            return "ringing", sheet.since
    return stand.state, stand.since


def _limit(code: str, stand: Stand, minutes: float) -> int:
    if code == "wrapup" and stand.until is not None and stand.since is not None:
        return round((stand.until - stand.since).total_seconds())
    return round(minutes * 60) if code == "paused" else 0


def said_of_pbx(parts: Parts, stand: Stand, agreed: Agreement) -> tuple[str, str]:
    """In short and in a sentence, when the PBX does not have it as we do; both empty when all is well."""
    if stand.at_phone:
        return _("at the phone"), _("The pause was taken at the phone, not here: the PBX gives you no calls.")
    if agreed.well:
        return "", ""
    queues = ", ".join(queue_label(parts, name) for name in agreed.queues)
    if stand.wanted:
        sentence = _("The PBX still gives you calls of %(queues)s.") % {"queues": queues}
        short = _("PBX: not paused")
    else:
        sentence = _("The PBX still has you paused in %(queues)s.") % {"queues": queues}
        short = _("PBX: still paused")
    return short, f"{sentence} {agreed.message}".strip()
