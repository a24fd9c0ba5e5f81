"""Click to call as people see it: whose phone rings, each step in words, what came of it, and what warns before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from callcrm.accounts.policy import Actor, Line
from callcrm.calls import dialling
from callcrm.calls.dialling import Progress, Rules
from callcrm.calls.warnings import KINDS, DialWarning
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from callcrm.tasks.behind import number_behind
from webui import show, words
from webui.i18n import _
from webui.parts import Parts
from webui.queues import queues_of

#: Fewer digits are an extension or a service number.
_LONGEST_EXTENSION = 5
#: Why the operator's own line ended (Q.850).
_BUSY, _DECLINED = 17, 21


@dataclass(frozen=True, slots=True)
class Step:
    """Where a click to call has got: the mark, what it says, and how each of the two steps stands.

    `phone`, `client`: "now", "done", "failed" or "" (not begun).
    """

    state: str
    icon: str
    word: str
    says: str
    pending: bool = False
    phone: str = ""
    client: str = ""


def phone_of(actor: Actor) -> Line:
    """The first of a person's phones: the one that rings."""
    if not actor.extensions:
        raise Invalid(_("No phone is yours: an administrator gives you one at PBX, Phones."))
    return actor.extensions[0]


def rules_of(parts: Parts, pbx: str) -> Rules:
    """How numbers are read and written for this PBX. Invalid when the settings no longer know it."""
    known = parts.settings.pbx.get(pbx)
    if known is None:
        raise Invalid(_("The PBX %(pbx)s is not in the settings any more.") % {"pbx": pbx})
    country = known.country or parts.settings.clients.country
    return Rules(country, known.dial_numbers, parts.settings.dialling.week)


def dialled_number(parts: Parts, pbx: str, typed: str) -> str:
    """What is dialled for a number in any spelling; Invalid in words."""
    return dialling.number_of(typed, rules_of(parts, pbx))[0]


def callable_number(parts: Parts, actor: Actor, typed: str) -> str:
    """What typing a number in any spelling would call, or an extension; empty for what is neither."""
    if not actor.extensions or not any(c.isdigit() for c in typed):
        return ""
    try:
        number, e164 = dialling.number_of(typed, rules_of(parts, actor.extensions[0].pbx))
    except Invalid:
        return ""
    return number if e164 or (number.isdigit() and len(number) <= _LONGEST_EXTENSION) else ""


def overrides(written: str) -> frozenset[str]:
    """The warnings that a person has seen and overrides, as a form or a program names them."""
    return frozenset(written.split(",")) & frozenset(KINDS)


async def meant(parts: Parts, actor: Actor, number: str, whom: str) -> str:
    """The number to call: as it was typed, or that of the row `whom` names, for who sees it masked.

    `whom`: number:ID, call:ID or task:ID (`callcrm.tasks.behind`). Invalid or NotFound in words.
    """
    if not whom:
        return number
    async with parts.database.read() as db:
        return await number_behind(db, actor, whom, queues_of(parts, actor))


async def place(
    parts: Parts,
    actor: Actor,
    line: Line,
    typed: str,
    *,
    name: str = "",
    override: Collection[str] = (),
    address: str = "",
) -> str:
    """Ask for the call; the dial's id. Warned, Conflict or Invalid when it is not made."""
    asked = dialling.Asked(line, typed, rules_of(parts, line.pbx), name, frozenset(override), address)
    return await dialling.place(parts.writer, actor, asked)


def step_of(found: Progress) -> Step:
    """The step in words; what came of the call wins over what the PBX said of the wish."""
    if found.step == "over":
        return _over(found)
    if found.step == "talking":
        return Step("talking", "phone-call", _("Talking"), _("The client answered."), phone="done", client="done")
    if found.cancelled:
        word = _("Cancelling…")
        return Step("ringing", "phone-off", word, _("The call is being ended."), pending=True, phone="now")
    if found.step == "client":
        says = _("Calling the client…")
        return Step("talking", "phone-outgoing", _("2 of 2"), says, pending=True, phone="done", client="now")
    says = _("Lift your phone %(phone)s: it rings now.") % {"phone": found.extension}
    return Step("ringing", "bell-ring", _("1 of 2"), says, pending=True, phone="now")


def _over(found: Progress) -> Step:
    reached = found.state == "done" or found.outcome not in (None, "operator did not pick up")
    phone = "done" if reached else "failed"
    if found.cancelled and found.outcome != "answered":
        says = _("You cancelled the call.")
        return Step("offline", "phone-off", _("Cancelled"), says, phone=phone, client="failed" if reached else "")
    if not reached:
        return Step("late", "octagon-x", _("Not called"), _not_lifted(found), phone=phone)
    if found.outcome == "answered":
        return Step("kept", "phone-off", _("Over"), _("You talked; the call is over."), phone="done", client="done")
    if found.outcome is None:
        return Step("warn", "triangle-alert", _("No news"), found.message or _("Nothing came of it."), phone=phone)
    return Step("late", "phone-off", _("Over"), _no_client(found.outcome), phone="done", client="failed")


def _not_lifted(found: Progress) -> str:
    """Why the operator's own phone did not come to it; the cause of its line knows better than the wish."""
    values = {"phone": found.extension}
    if found.state == "expired":
        return _("The PBX was not reached in time; nothing was dialled, and nothing will be.")
    if found.cause == _BUSY:
        return _("Your own phone %(phone)s is busy; the client was not called.") % values
    if found.cause == _DECLINED:
        return _("You declined the call at your phone %(phone)s; the client was not called.") % values
    if found.state == "sent":
        return _("Your own phone %(phone)s did not answer; the client was not called.") % values
    return found.message or _("The PBX refused the call.")


def _no_client(outcome: str) -> str:
    """What the PBX says of the client's line."""
    return {
        "busy": _("The client’s line is busy."),
        "no answer": _("The client did not answer."),
        "no such number": _("There is no such number."),
        "rejected": _("The client declined the call."),
        "failed": _("The call could not be put through."),
        "congestion": _("The provider has no free line at present."),
        "operator did not pick up": _("Your own phone was not lifted."),
    }.get(outcome, words.outcome(outcome) or _("The call ended."))


def warning(one: DialWarning) -> str:
    """A warning as a sentence."""
    facts = one.facts
    if one.kind == "do_not_call":
        who = facts.get("name") or _("This client")
        return _("%(who)s asked not to be called.") % {"who": who}
    if one.kind == "night":
        return _night(facts)
    if facts.get("mine"):
        return _("You are in a call with this client already.")
    if facts.get("who"):
        values = {"who": facts["who"], "since": f"{show.here(datetime.fromisoformat(facts['since'])):%H:%M}"}
        return _("%(who)s talks with this client, since %(since)s.") % values
    return _("This client is calling us at this moment, and waits.")


def _night(facts: dict[str, str]) -> str:
    if facts["from"] == facts["until"]:
        text = _("It is %(clock)s with the client: outside the hours for calls.")
        place = f" ({facts['zone']})" if facts.get("zone") else ""
        return text % {"clock": facts["from"] + place}
    values = {"from": facts["from"], "until": facts["until"]}
    return _("It is night with the client: between %(from)s and %(until)s, as far as the number tells.") % values


async def now_calling(parts: Parts, actor: Actor) -> Progress | None:
    """What is under way, for a page that was loaded anew."""
    async with parts.database.read() as db:
        return await dialling.open_dial(db, actor, clock.now())


async def progress(parts: Parts, actor: Actor, dial: str) -> Progress:
    """How far a call of one's own has got."""
    async with parts.database.read() as db:
        return await dialling.progress(db, actor, dial, clock.now())
