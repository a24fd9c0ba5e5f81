"""The call log, each call's story, and what people write of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Actor, Right, scope
from callcrm.calls import queries
from callcrm.calls.log import CallLine, Filters, LegLine, NoteLine, WholeCall
from callcrm.kernel import clock, numbers
from callcrm.kernel.errors import Invalid
from callcrm.kernel.paging import Wanted
from webui import paging, rows, show, sounds, story, words
from webui.i18n import _
from webui.paging import Tab
from webui.parts import Parts
from webui.routes import Routes
from webui.show import duration
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
        filters = filters_of(query)
        async with visit.parts.database.read() as db:
            found = await queries.call_log(db, visit.actor, filters, Wanted(cursor=query.get("cursor", "")))
        items, following = found.items, found.next
    except Invalid as error:
        items, following, wrong = (), None, error.fields or {"": str(error)}
    return await visit.page(
        "calls/list.html",
        rows=[rows.call_view(visit.parts, call) for call in items],
        tabs=tabs(query),
        chips=await chips(visit.parts, visit.actor, query),
        query=query,
        filtered=bool({*query} - {"cursor"}),
        wrong=wrong,
        figures=(),
        page=paging.place("/calls", query, following),
        here=paging.address("/calls", query, cursor=query.get("cursor", "")),
    )


def filters_of(query: Mapping[str, str]) -> Filters:
    """The address's parameters as filters; Invalid names the one that cannot be."""
    saved = query.get("show", "")
    return Filters(
        since=_day(query.get("since"), "since"),
        until=_day(query.get("until"), "until", end=True),
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
    )


def _searched(q: str, country: str, query: Mapping[str, str]) -> str:
    """Where a search leads: a number narrows the log, a call's id opens it, a name is looked for among clients."""
    number = numbers.parse(q, country)
    if number.key:
        return paging.address("/calls", query, number=number.key)
    return paging.address("/clients", {}, q=q)


def _number(typed: str | None) -> str | None:
    return numbers.parse(typed).key or typed if typed else None


def _day(text: str | None, name: str, *, end: bool = False) -> datetime | None:
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
        ("unsaid", _("No outcome")),
        ("held", _("Long hold")),
        ("transferred", _("Transferred")),
    )
    now = query.get("show", "")
    return [Tab(paging.address("/calls", query, show=code), word, code == now) for code, word in known]


async def chips(parts: Parts, actor: Actor, query: Mapping[str, str]) -> list[Chip]:
    """What can be chosen from; people only by who sees other people's calls."""
    ways = tuple((code, words.direction(code).word) for code in queries.DIRECTIONS)
    names = tuple((name, queue.label or name) for name, queue in sorted(parts.settings.queues.items()))
    found = [
        Chip("direction", _("Way"), query.get("direction", ""), ways),
        Chip("missed", _("Missed"), query.get("missed", ""), (("yes", _("only missed")),)),
        Chip("queue", _("Queue"), query.get("queue", ""), names),
    ]
    if scope(actor) != "own":
        async with parts.database.read() as db:
            people = await accounts.people(db)
        found.append(
            Chip("operator", _("Person"), query.get("operator", ""), tuple((str(p.id), p.shown) for p in people))
        )
    return found


async def _whole(visit: Visit) -> WholeCall:
    async with visit.parts.database.read() as db:
        return await queries.whole_call(db, visit.actor, visit.request.match_info["id"][:40])


@routes.route("GET", "/calls/{id}/legs", right=Right.CALLS)
async def legs(request: web.Request) -> web.StreamResponse:
    """A row with its legs below it, or without."""
    visit = Visit(request)
    whole = await _whole(visit)
    view = rows.call_view(visit.parts, whole.call)
    if request.query.get("closed"):
        return visit.part("calls/closed.html", call=view)
    lines = [_leg(leg) for leg in whole.legs]
    return visit.part("calls/legs.html", call=view, legs=lines)


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
    """One call as its story."""
    visit = Visit(request)
    whole = await _whole(visit)
    line = whole.call
    heard = (await sounds.sounds_of(visit.parts, visit.actor, [line])).get(line.id, ())
    axis = story.Axis(line.at, line.ended_at or clock.now())
    parties = [_party(leg) for leg in whole.legs]
    queue = visit.parts.settings.queues[line.queue].label if line.queue in visit.parts.settings.queues else line.queue
    return await visit.page(
        "calls/story.html",
        call=rows.call_view(visit.parts, line),
        ticks=axis.ticks(),
        lanes=story.lanes(axis, parties, queue or "", line.wait_s if line.direction == "inbound" else None),
        events=story.events(axis, parties, _told(visit.parts, line, queue)),
        sounds=[one for one in heard if one.playable],
        silent=[one for one in heard if not one.playable],
        no_sound="" if heard else no_sound(line),
        notes=[note for note in whole.notes if note.text or note.disposition],
        mine=own_note(whole.notes, visit.actor),
        dispositions=visit.parts.settings.dispositions.of(line.queue),
        facts=facts(line),
    )


def _party(leg: LegLine) -> story.Part:
    return story.Part(
        side=leg.side,
        who=leg.who or "",
        name=leg.person,
        at=leg.at,
        ring_s=leg.ring_s,
        answered_at=leg.answered_at,
        talk_s=leg.talk_s,
        channel=leg.channel,
        cause=leg.cause,
    )


def _told(parts: Parts, line: CallLine, queue: str | None) -> dict[str, Any]:
    return {
        "direction": line.direction,
        "line": rows.line(parts, line) or line.called or _("us"),
        "queue": queue,
        "transfers": line.transfers,
        "parked": line.parked,
        "hold_s": line.hold_s,
        "voicemail": line.voicemail,
        "ended": line.ended_at is not None,
        "ended_by": line.ended_by,
    }


def no_sound(line: CallLine) -> str:
    """Why a call without recordings has none."""
    if line.answered_at is None:
        return _("No sound: nobody talked.")
    if line.ended_at is None:
        return _("No sound yet: the call goes on.")
    return _("No sound: the PBX reported no recording of this call. MixMonitor may be off for this line.")


def own_note(notes: tuple[NoteLine, ...], actor: Actor) -> dict[str, Any]:
    """What this person wrote, to go on with."""
    mine = next((note for note in notes if note.user_id == actor.user_id), None)
    if mine is None:
        return {"text": "", "version": 0, "disposition": None}
    return {"text": mine.text, "version": mine.version, "disposition": mine.disposition}


def facts(line: CallLine) -> list[tuple[str, str]]:
    """What a supervisor or an administrator looks for."""
    found = [
        (_("Fate"), rows.fate_of(line) or words.outcome(line.outcome) or "—"),
        (_("In all"), duration(line.total_s)),
        (_("On hold"), duration(line.hold_s)),
        (_("Number called"), line.called or "—"),
        (_("PBX"), line.pbx),
        (_("Channel"), line.channel),
        (_("Unique id"), line.uniqueid),
        (_("Call id"), line.id),
    ]
    return [(word, value) for word, value in found if value and value != "—"]
