"""The call log, each call's story, and what people write of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Actor, Right, scope
from callcrm.calls import queries, xraykeeping, xrayreading
from callcrm.calls.log import CallLine, Filters, LegLine, NoteLine, WholeCall
from callcrm.kernel import clock, numbers
from callcrm.kernel.errors import Invalid
from callcrm.kernel.paging import Wanted
from webui import blind, coretexts, docking, paging, review, rows, show, soundfigures, soundlog, words, writing
from webui.i18n import _
from webui.paging import Tab
from webui.parts import Parts
from webui.routes import Routes
from webui.show import duration
from webui.soundlog import Heard
from webui.visit import Visit, as_id
from webui.words import Mark

routes = Routes()
LONG_HOLD_S = 60.0


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is chosen from a list."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]


@routes.route("GET", "/calls", right=Right.CALLS)
async def calls(request: web.Request) -> web.StreamResponse:
    """The log under the address's filters."""
    visit = Visit(request)
    query, wrong = visit.query, {}
    if q := query.pop("q", ""):
        return visit.away(_searched(q, visit.parts.settings.clients.country, query))
    try:
        soundlog.bounded(query, visit.actor)
        filters = filters_of(query)
        async with visit.parts.database.read() as db:
            found = await queries.call_log(db, visit.actor, filters, Wanted(cursor=query.get("cursor", "")))
        items, following = found.items, found.next
    except Invalid as error:
        coretexts.translated(error)
        items, following, wrong = (), None, error.fields or {"": str(error)}
    by_sound = soundlog.is_shown(query)
    return await visit.page(
        "calls/list.html",
        rows=[rows.call_view(visit.parts, call) for call in items],
        tabs=tabs(query),
        chips=await chips(visit.parts, visit.actor, query),
        query=query,
        filtered=bool({*query} - {"cursor", "view"}),
        by_sound=by_sound,
        heads=soundlog.heads(query) if by_sound else (),
        heard=await _heard(visit.parts, items) if by_sound else {},
        waiting=await _unheard(visit.parts) if by_sound else 0,
        other=paging.address("/calls", query, view="sound") if not by_sound else _without_sound(query),
        wrong=wrong,
        figures=(),
        page=paging.place("/calls", query, following),
        here=paging.address("/calls", query, cursor=query.get("cursor", "")),
    )


async def _heard(parts: Parts, items: Sequence[CallLine]) -> dict[str, Heard]:
    """What the sound tells of these calls, as their rows show it."""
    async with parts.database.read() as db:
        found = await xrayreading.of_calls(db, [call.id for call in items])
    return {call.id: soundlog.heard(found.get(call.id)) for call in items}


async def _unheard(parts: Parts) -> int:
    """How many recordings are still to be looked through, as far as it is worth counting."""
    async with parts.database.read() as db:
        return await xraykeeping.waiting(db)


def _without_sound(query: Mapping[str, str]) -> str:
    """The address of the usual columns, under the filters that they know."""
    kept = {name: value for name, value in query.items() if name not in soundlog.NAMES}
    return paging.address("/calls", kept, show="" if soundlog.is_shown(kept) else kept.get("show", ""))


def filters_of(query: Mapping[str, str]) -> Filters:
    """The address's parameters as filters; Invalid names the one that cannot be."""
    saved = query.get("show", "")
    return Filters(
        since=day_of(query.get("since"), "since"),
        until=day_of(query.get("until"), "until", end=True),
        direction=query.get("direction"),
        missed=True if query.get("missed") == "yes" else None,
        client=as_id(query["client"]) if "client" in query else None,
        operator=as_id(query["operator"]) if "operator" in query else None,
        queue=query.get("queue"),
        pbx=query.get("pbx"),
        number=_number(query.get("number")),
        owed=saved == "owed",
        unlinked=saved == "unlinked",
        unsaid=saved == "unsaid",
        transferred=saved == "transferred",
        held_s=LONG_HOLD_S if saved == "held" else None,
        heard=saved if saved in dict(soundlog.saved()) else None,
        silence_s=soundlog.least(query, "silence"),
        overlap_s=soundlog.least(query, "overlap"),
        first_word_s=soundlog.least(query, "word"),
        sort=soundlog.sort_of(query),
    )


def _searched(q: str, country: str, query: Mapping[str, str]) -> str:
    """Where a search leads: a number narrows the log, a call's id opens it, a name is looked for among clients."""
    number = numbers.parse(q, country)
    if number.key:
        return paging.address("/calls", query, number=number.key)
    return paging.address("/clients", {}, q=q)


def _number(typed: str | None) -> str | None:
    return numbers.parse(typed).key or typed if typed else None


def day_of(text: str | None, name: str, *, end: bool = False) -> datetime | None:
    """A day of the reader's calendar as a moment: its first one, or that of the next day."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("A day is written like 2026-01-31."), {name: _("A day is written like 2026-01-31.")}) from None
    begin = datetime.combine(day, time(), show.here(clock.now()).tzinfo)
    return begin + timedelta(days=1) if end else begin


def tabs(query: Mapping[str, str]) -> list[Tab]:
    """The saved filters; each keeps the others."""
    known = (
        ("", _("All")),
        ("owed", _("Missed, not called back")),
        ("unlinked", _("Unlinked")),
        ("unsaid", _("No disposition")),
        ("held", _("Long hold")),
        ("transferred", _("Transferred")),
        *soundlog.saved(),
    )
    now = query.get("show", "")
    return [Tab(paging.address("/calls", query, show=code), word, code == now) for code, word in known]


async def chips(parts: Parts, actor: Actor, query: Mapping[str, str]) -> list[Chip]:
    """What can be chosen from; people only by who sees other people's calls."""
    ways = tuple((code, words.direction(code).word) for code in queries.DIRECTIONS)
    names = tuple((name, queue.label or name) for name, queue in sorted(parts.settings.queues.items()))
    found = [Chip(name, label, query.get(name, ""), values) for name, label, values in _sound_choices(query)]
    found += [
        Chip("direction", _("Way"), query.get("direction", ""), ways),
        Chip("missed", _("Missed"), query.get("missed", ""), (("yes", _("only missed")),)),
        Chip("queue", _("Queue"), query.get("queue", ""), names),
    ]
    if scope(actor) != "own":
        async with parts.database.read() as db:
            people = tuple((str(one.id), one.shown) for one in await accounts.names(db))
        found.append(Chip("operator", _("Person"), query.get("operator", ""), people))
    return found


def _sound_choices(query: Mapping[str, str]) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    return soundlog.choices() if soundlog.is_shown(query) else []


async def _whole(visit: Visit) -> WholeCall:
    async with visit.parts.database.read() as db:
        return await queries.whole_call(db, visit.actor, visit.request.match_info["id"][:40])


@routes.route("GET", "/calls/{id}/legs", right=Right.CALLS)
async def legs(request: web.Request) -> web.StreamResponse:
    """A row with its legs below it, or without."""
    visit = Visit(request)
    whole = await _whole(visit)
    view = rows.call_view(visit.parts, whole.call)
    by_sound = request.query.get("view") == "sound"
    more: dict[str, Any] = {
        "call": view,
        "by_sound": by_sound,
        "heard": await _heard(visit.parts, [whole.call]) if by_sound else {},
    }
    if request.query.get("closed"):
        return visit.part("calls/closed.html", **more)
    return visit.part("calls/legs.html", **more, legs=[_leg(leg) for leg in whole.legs])


def _leg(leg: LegLine) -> dict[str, Any]:
    """A leg as a row: what it did is its mark."""
    if leg.side == "operator":
        mark = Mark("talking", "phone-call", _("Talked")) if leg.talk_s else Mark("", "bell", _("Rang"))
    else:
        mark = Mark(
            "", "cable" if leg.side == "trunk" else "list-tree", _("Trunk") if leg.side == "trunk" else _("PBX")
        )
    who = f"{leg.person}, {_('phone')} {leg.who}" if leg.person else leg.who or ""
    said = _("Not answered here") if leg.side == "operator" and leg.answered_at is None else ""
    return {
        "at": leg.at,
        "mark": mark,
        "who": who,
        "channel": leg.channel,
        "ring_s": leg.ring_s,
        "talk_s": leg.talk_s,
        "words": said,
    }


@routes.route("GET", "/calls/{id}", right=Right.CALLS)
async def call(request: web.Request) -> web.StreamResponse:
    """One call as its story; `?t=` is a second of the call, with `&n=` one of that recording."""
    visit = Visit(request)
    whole = await _whole(visit)
    dock = await docking.docked(visit, whole)
    whole = blind.blinded(whole) if dock and dock.blind else whole
    line, told = whole.call, await review.told_of(visit, whole)
    return await visit.page(
        "calls/story.html",
        call=rows.call_view(visit.parts, line),
        told=told,
        begin_s=review.asked_second(told, visit.query),
        silent=[one for one in told.sounds if not one.playable],
        no_sound="" if told.sounds else no_sound(line),
        notes=[note for note in whole.notes if note.text or note.disposition],
        mine=own_note(whole.notes, visit.actor),
        entries=writing.entries(visit.parts.settings.dispositions, line.queue, line.disposition or ""),
        facts=facts(line),
        figures=await soundfigures.of_story(visit.parts, line),
        dock=dock,
        quality=await docking.standing(visit, line, dock),
    )


def no_sound(line: CallLine) -> str:
    """Why a call without recordings has none."""
    if line.answered_at is None:
        return _("No sound: nobody talked.")
    if line.ended_at is None:
        return _("No sound yet: the call goes on.")
    return _("No sound: the PBX reported no recording of this call. MixMonitor may be off for this line.")


def own_note(notes: tuple[NoteLine, ...], actor: Actor) -> str:
    """What this person wrote, to go on with."""
    return next((note.text for note in notes if note.user_id == actor.user_id), "")


def facts(line: CallLine) -> list[tuple[str, str]]:
    """What a supervisor or an administrator looks for."""
    found = [
        (_("Outcome"), rows.fate_of(line) or words.outcome(line.outcome) or "—"),
        (_("In all"), duration(line.total_s)),
        (_("On hold"), duration(line.hold_s)),
        (_("Number called"), show.tel(line.called) if line.called else "—"),
        (_("PBX"), line.pbx),
        (_("Channel"), line.channel),
        (_("Unique id"), line.uniqueid),
        (_("Call id"), line.id),
    ]
    return [(word, value) for word, value in found if value and value != "—"]
