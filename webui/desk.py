"""The live sheet as the templates show it: one person's pop of one call, with everything in its fixed order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from callcrm.accounts.policy import Actor, shown_number
from callcrm.calls import today
from callcrm.kernel import clock, numbers
from callcrm.push import present, views
from callcrm.push.present import PresentPop
from callcrm.push.shapes import PopClient
from callcrm.push.views import CallView
from webui import show, words
from webui.acting import Acts
from webui.i18n import _
from webui.parts import Parts
from webui.words import Mark
from webui.writing import Writing

#: What a browser may tell of a pop that the table has not got yet.
TOLD = frozenset({"offered", "answered", "wrapup", "withdrawn", "closed"})
#: How it tells of its other pops; and the longest such text that is read.
SAID = ("pop", "call", "state", "phone")
MOST_SAID, MOST_WORD = 4000, 200
HINTS = ("open", "pop", "call", "state", "reason", "by", "phone", "said")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several people who share a number."""

    id: int
    name: str
    more: str


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is open with this client, or a call before this one."""

    icon: str
    word: str
    href: str
    more: str = ""
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class OtherPop:
    """Another call of the same person, in the stack."""

    pop: str
    call: str
    state: str
    direction: str
    title: str
    line: str


@dataclass(frozen=True, slots=True)
class Named:
    """The card that the call is linked to."""

    id: int
    name: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The live call."""

    pop: str
    call: str
    state: str
    direction: str
    since: datetime
    phone: str
    title: str
    number: str | None
    match: Mark
    line_label: str
    client: Named | None = None
    client_id: int | None = None
    said_name: str = ""
    role: str = ""
    organisation: str = ""
    tags: tuple[str, ...] = ()
    do_not_call: bool = False
    chosen: bool = False
    choices: tuple[Choice, ...] = ()
    called: str | None = None
    queue: str = ""
    waited_s: float | None = None
    pressure: str = ""
    held: bool = False
    rings_at: int = 1
    gone: str = ""
    open: tuple[Item, ...] = ()
    others: tuple[OtherPop, ...] = ()
    owed_by: str = ""
    acts: Acts | None = None
    queue_name: str | None = None
    writing: Writing = field(default_factory=Writing)
    until: datetime | None = None
    after: str = ""


async def pops_of(parts: Parts, actor: Actor) -> list[PresentPop]:
    """This person's pops as the table has them."""
    async with parts.database.glance() as db:
        return await present.present(db, actor.user_id)


def active(pops: Sequence[PresentPop], wish: str = "") -> PresentPop | None:
    """The one that is open: the wished one, else the talk, else what rings, else the newest wrap-up."""
    order = {"answered": 0, "offered": 1, "wrapup": 2}
    wished = next((pop for pop in pops if pop.id == wish), None)
    return wished or min(pops, key=lambda pop: order.get(pop.state, 3), default=None)


def split(pops: Sequence[PresentPop], policy: str, wish: str = "") -> tuple[list[PresentPop], list[PresentPop]]:
    """What opens itself on this person's screen, and what waits in the strip until he opens it."""
    quiet = [pop for pop in pops if pop.id != wish and waits(pop, policy)]
    return [pop for pop in pops if pop not in quiet], quiet


def waits(pop: PresentPop, policy: str) -> bool:
    """Whether the person wants to open such a pop himself, and has not yet."""
    if pop.opened_at is not None or pop.state == "withdrawn":
        return False
    return policy == "hand" or (policy == "answered" and pop.state == "offered")


def hint_of(query: Mapping[str, str]) -> dict[str, str]:
    """What the browser was just told, from the parameters of its address, as `told` takes it."""
    return {name: query[name][: MOST_SAID if name == "said" else MOST_WORD] for name in HINTS if query.get(name)}


def told(pops: list[PresentPop], hint: Mapping[str, str], phone: str = "") -> list[PresentPop]:
    """The same with what the browser was just told: the table lags the socket by a moment.

    `hint`: `pop`, `call`, `state`, `reason`, `by`, `phone` of the pop that is meant; `said`: the others (JSON: lists of
    pop, call, state and phone).
    """
    for one in _said(hint.get("said", "")):
        pops = told(pops, one, phone)
    pop, call, state = hint.get("pop", ""), hint.get("call", ""), hint.get("state", "")
    if not pop or not call or state not in TOLD:
        return pops
    if state == "closed":
        return [one for one in pops if one.id != pop]
    known = next((one for one in pops if one.id == pop), None)
    base = known or PresentPop(pop, call, state, clock.now(), hint.get("phone", phone))
    fresh = replace(base, state=state, reason=hint.get("reason", ""), answered_by=hint.get("by", ""))
    return [fresh, *(one for one in pops if one.id != pop)]


def _said(text: str) -> list[dict[str, str]]:
    """What a browser says of its other pops; nothing of what it did not hear from us."""
    try:
        listed = json.loads(text) if 0 < len(text) <= MOST_SAID else []
    except (ValueError, RecursionError):
        return []
    rows = [one for one in listed if isinstance(one, list)] if isinstance(listed, list) else []
    texts = [one for one in rows if len(one) == len(SAID) and all(_is_word(word) for word in one)]
    return [dict(zip(SAID, one, strict=True)) for one in texts]


def _is_word(word: object) -> bool:
    return isinstance(word, str) and word.isprintable()


async def call_views(parts: Parts, ids: Sequence[str]) -> dict[str, CallView]:
    """The calls behind pops, with the cards that their numbers may belong to."""
    async with parts.database.read() as db:
        return await views.with_parties(db, await views.calls(db, list(ids)))


def basics(parts: Parts, actor: Actor, pop: PresentPop, view: CallView) -> Sheet:
    """The sheet from the pop and its call alone; what is open and what was noted is added by the page."""
    card = next((one for one in view.clients if one.id == view.client_id), None)
    number = shown_number(actor, view.number)
    label = line_label(parts, view)
    step = "chosen" if view.match.get("remembered") else str(view.match.get("step") or "none")
    return Sheet(
        pop=pop.id,
        call=view.id,
        state=pop.state,
        direction=view.direction,
        since=since(pop, view),
        phone=pop.extension,
        title=title(view, card, number),
        number=number,
        match=words.match(step),
        line_label=label,
        client=Named(card.id, card.name) if card else None,
        client_id=view.client_id,
        said_name=view.said_name,
        role=", ".join(part for part in ((card.job, card.organisation) if card else ()) if part),
        organisation=view.clients[0].organisation if view.clients else "",
        tags=tuple(card.tags) if card else (),
        do_not_call=bool(card and card.do_not_call),
        chosen=step == "chosen" or len(view.clients) < 2,
        choices=tuple(choice(one) for one in view.clients),
        called=view.called,
        queue=queue_label(parts, view.queue),
        waited_s=_waited(pop, view),
        held=view.state == "held",
        rings_at=max(1, len(view.parties)),
        gone=gone(pop),
        queue_name=view.queue,
    )


def since(pop: PresentPop, view: CallView) -> datetime:
    """What the clock in the head counts from."""
    if pop.state == "wrapup":
        return view.ended_at or pop.closed_at or clock.now()
    if pop.state == "answered":
        return pop.answered_at or view.answered_at or pop.at
    return pop.at


def title(view: CallView, card: PopClient | None, number: str | None) -> str:
    """Who it is, as well as it is known."""
    if card and card.name:
        return card.name
    if view.said_name:
        return view.said_name
    if view.direction == "internal":
        return view.operator or _("A colleague")
    return _("Unknown caller") if number else _("Number withheld")


def line_label(parts: Parts, view: CallView) -> str:
    """The number called, by the name that people gave it."""
    line = parts.settings.lines.get(view.called or "")
    if line and line.label:
        return line.label
    return {"outbound": _("Calling out"), "internal": _("Inside the house")}.get(
        view.direction, numbers.shown(view.called or "") or _("Line")
    )


def queue_label(parts: Parts, queue: str | None) -> str:
    """A queue by the name that people gave it."""
    named = parts.settings.queues.get(queue or "")
    return (named.label if named else "") or queue or ""


def gone(pop: PresentPop) -> str:
    """Why the pop goes, in a sentence."""
    if pop.reason in ("elsewhere", "picked_up"):
        by = pop.answered_by
        return _("Answered by %(who)s") % {"who": by} if by else _("Answered elsewhere")
    if pop.reason == "given_up":
        return _("The caller gave up")
    return _("It rings no more")


def choice(one: PopClient) -> Choice:
    """A card that the number may belong to."""
    return Choice(one.id, one.name, ", ".join(part for part in (one.job, one.organisation) if part))


def _waited(pop: PresentPop, view: CallView) -> float | None:
    if view.direction != "inbound":
        return None
    return max(0.0, ((view.answered_at or pop.at) - view.at).total_seconds())


async def figures_of(parts: Parts, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Today's own figures, for the strip; nothing for who has no phone."""
    if not actor.extensions:
        return ()
    midnight = show.here(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    async with parts.database.glance() as db:
        own = await today.own(db, actor, midnight)
    return (
        (_("Answered"), str(own.answered)),
        (_("Missed"), str(own.missed)),
        (_("Talk"), show.duration(own.talk_s)),
        (_("Average"), show.duration(own.average_s)),
    )
