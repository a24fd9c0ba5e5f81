"""The pads of a live call as people see them: what may be done, with its key, and why something may not."""

import uuid
from dataclasses import dataclass, replace

from callcrm.accounts.policy import Actor
from callcrm.calls import handling
from callcrm.calls.handling import Panel
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from webui import calling, show
from webui.gaps import Taping, taping_of
from webui.i18n import _
from webui.parts import Parts


@dataclass(frozen=True, slots=True)
class Pad:
    """One button: `why` is empty when it may be pressed; `key` presses it. An act "transfer" opens the list."""

    act: str
    icon: str
    word: str
    key: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Acts:
    """The row of pads of one call, and the sentence above it (`plain`: it says nothing that is not seen anyway).

    `once`: the id that makes a wish of it one wish.
    """

    call: str
    says: str
    pads: tuple[Pad, ...]
    once: str
    doing: bool
    said: str
    plain: bool = False
    taping: Taping | None = None


async def acts_of(parts: Parts, actor: Actor, call: str) -> Acts | None:
    """The pads of a call that goes on; None when it is over or not to be seen."""
    async with parts.database.read() as db:
        try:
            found = await handling.panel(db, actor, call, clock.now())
        except NotFound:
            return None
    if found.state == "ended":
        return None
    return replace(view(found), taping=await taping_of(parts, actor, call))


def view(found: Panel) -> Acts:
    """A panel in words."""
    return Acts(
        call=found.call,
        says=_says(found),
        pads=_pads(found),
        once=uuid.uuid4().hex,
        doing=bool(found.doing),
        said=found.said,
        plain=found.consultation is None and found.state == "talking",
    )


def _says(found: Panel) -> str:
    """Who talks with whom."""
    if found.consultation is not None:
        who = {"who": show.tel(found.consultation.who).striptags() or _("a colleague")}
        if not found.consultation.answered:
            return _("%(who)s is being called; the client waits with music") % who
        if not found.swapped:
            return _("You talk with %(who)s; the client waits with music") % who
        return _("You talk with the client; %(who)s waits") % who
    if found.state == "parked":
        return _("Parked at %(space)s, with music") % {"space": found.space or "?"}
    if found.state == "held":
        return _("On hold on phone %(phone)s") % {"phone": found.extension}
    return _("On phone %(phone)s") % {"phone": found.extension}


def _pads(found: Panel) -> tuple[Pad, ...]:
    if found.consultation is not None:
        wanted = (
            ("complete", "phone-forwarded", _("Hand over"), "F4"),
            ("swap", "arrow-left-right", _("Swap"), "F8"),
            ("cancel", "undo-2", _("Back"), "F2"),
            ("hang_up", "phone-off", _("End"), "F9"),
        )
    elif found.state == "parked":
        wanted = (
            ("fetch", "phone-call", _("Resume"), "F2"),
            ("transfer", "phone-forwarded", _("Transfer"), "F4"),
            ("park", "square-parking", _("Park"), "F8"),
            ("hang_up", "phone-off", _("End"), "F9"),
        )
    else:
        wanted = (
            ("hold", "pause", _("Hold"), "F2"),
            ("transfer", "phone-forwarded", _("Transfer"), "F4"),
            ("park", "square-parking", _("Park"), "F8"),
            ("hang_up", "phone-off", _("End"), "F9"),
        )
    return tuple(Pad(act, icon, word, key, _why(found, act)) for act, icon, word, key in wanted)


def _why(found: Panel, act: str) -> str:
    if act != "transfer":
        return refusal(found, act)
    ask, straight = refusal(found, "attended"), refusal(found, "blind")
    return ask if straight else ""


def refusal(found: Panel, act: str) -> str:
    """Why an act may not be done now, in words; empty when it may."""
    code = found.refused.get(act, "")
    if code == "no_right":
        return _("The PBX does not let callcrm do this (%(actions)s): see PBX for the right that is missing.") % {
            "actions": ", ".join(name for name in handling.ACTS[act][1] if name in found.lacking)
        }
    return {
        "": "",
        "over": _("The call is over."),
        "no_link": _("The PBX is not reached at present."),
        "doing": _("Something is being done with this call at this moment."),
        "not_parked": _("The client is not parked by you."),
        "parked": _("The client is parked: resume first."),
        "not_yours": _("You are not in this call now."),
        "not_talking": _("There is nobody on the line yet."),
        "consulting": _("Somebody is being consulted: hand over or go back first."),
        "not_consulting": _("Nobody is being consulted."),
        "swapped": _("You talk with the client: swap back to the colleague first."),
        "not_answered": _("The colleague has not answered yet."),
    }.get(code, _("This cannot be done now."))


async def act(parts: Parts, actor: Actor, call: str, name: str, *, to: str = "", once: str = "") -> str:
    """Ask for an act; the command's id. Conflict in the reader's language when it may not be done now."""
    target = _target(parts, await _pbx_of(parts, actor, call), to) if to else ""
    try:
        return await parts.writer.do(
            lambda unit: handling.act(unit, actor, call, name, to=target, once=once), name=f"act {name}"[:60]
        )
    except Conflict as error:
        async with parts.database.read() as db:
            found = await handling.panel(db, actor, call, clock.now())
        raise Conflict(refusal(found, name) or str(error), error.current) from None


async def _pbx_of(parts: Parts, actor: Actor, call: str) -> str:
    async with parts.database.read() as db:
        return (await handling.panel(db, actor, call, clock.now())).pbx


def _target(parts: Parts, pbx: str, typed: str) -> str:
    """Where a call may go: a queue's number as the settings have it, or what may be dialled."""
    if any(typed == queue.extension for queue in parts.settings.queues.values() if queue.extension):
        return typed
    try:
        return calling.dialled_number(parts, pbx, typed)
    except Invalid as error:
        raise Invalid(str(error), {"to": "may not be dialled"}) from None
