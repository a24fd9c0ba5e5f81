"""Coaching: lists of moments that play in a row; made and given by who scores calls, heard by whom they are for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts import queries as accounts
from callcrm.accounts.policy import Right, may, scope
from callcrm.calls import pins
from callcrm.custody import opening
from callcrm.kernel.errors import Conflict, Invalid, NotFound
from callcrm.kernel.writer import Unit
from callcrm.quality import coached, coaching
from callcrm.quality.coaching import Stretch
from recordings import BadSound, NotSatisfiable, part_of
from recordings.excerpt import excerpt
from webui import coaching as words
from webui.i18n import _, ngettext
from webui.pages.soundlaw import spans_in
from webui.paging import Tab
from webui.routes import Routes
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()
BASE = "/quality/coaching"


@routes.route("GET", BASE, right=Right.CALLS)
async def lists(request: web.Request) -> web.StreamResponse:
    """The lists that were given to this person, and for who scores calls all that he may change."""
    visit = Visit(request)
    return await _lists(visit)


async def _lists(
    visit: Visit, typed: Mapping[str, str] | None = None, bad: Mapping[str, str] | None = None
) -> web.Response:
    away = visit.query.get("show") == "away"
    async with visit.parts.database.read() as db:
        found = await coached.lists(db, visit.actor, away=away and may(visit.actor, Right.SCORE))
    tabs = [Tab(BASE, _("In use"), not away), Tab(f"{BASE}?show=away", _("Put away"), away)]
    return await visit.page(
        "quality/coaching.html",
        lists=found,
        makes=may(visit.actor, Right.SCORE),
        tabs=tabs,
        typed=typed or {},
        bad=bad or {},
        say=words,
        status=422 if bad else 200,
    )


@routes.route("POST", BASE, right=Right.SCORE)
async def make(request: web.Request) -> web.StreamResponse:
    """A new list."""
    visit, form = Visit(request), await Visit(request).form()
    try:
        key = await visit.do(
            lambda unit: coaching.make(unit, visit.actor, form.get("title", ""), form.get("note", "")), "coaching list"
        )
    except Invalid as error:
        return await _lists(visit, form, _told(error))
    return visit.away(f"{BASE}/{key}", done=_("Now add moments to it, from the page of a call."))


# ---- adding a moment -------------------------------------------------------------------------------
@routes.route("GET", BASE + "/add", right=Right.SCORE)
async def blank(request: web.Request) -> web.StreamResponse:
    """A form for a moment: of a call (`call`, `n`, `t` seconds of the recording), or of a comment (`pin`)."""
    visit = Visit(request)
    typed = {name: visit.query.get(name, "") for name in ("call", "n", "pin", "words", "list")}
    if typed["pin"]:
        return await _add_page(visit, await _of_pin(visit, as_id(typed["pin"])) | {"list": typed["list"]})
    at = words.seconds_of(visit.query.get("t", "0"), "from")
    typed |= {"from": words.typed_time(max(0.0, at - coaching.BEFORE_S)), "n": typed["n"] or "0"}
    return await _add_page(visit, typed | {"to": words.typed_time(at + coaching.AFTER_S)})


async def _of_pin(visit: Visit, pin_id: int) -> dict[str, str]:
    async with visit.parts.database.read() as db:
        pin = (await pins.by_id(db, visit.actor, [pin_id])).get(pin_id)
    if pin is None:
        raise NotFound(_("This comment is gone, or not yours to see."))
    stretch = coaching.around(pin)
    return {
        "call": pin.call_id,
        "n": str(pin.n),
        "pin": str(pin.id),
        "words": pin.text[: coaching.WORDS],
        "from": words.typed_time(stretch.from_s),
        "to": words.typed_time(stretch.to_s),
    }


async def _add_page(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str] | None = None) -> web.Response:
    async with visit.parts.database.read() as db:
        mine = [one for one in await coached.lists(db, visit.actor) if one.mine]
    choices = [(str(one.id), one.title) for one in mine] + [("", _("A new list"))]
    return await visit.page(
        "quality/moment.html",
        typed={"list": choices[0][0]}
        | {name: value for name, value in typed.items() if value or name != "list" or bad},
        bad=bad or {},
        choices=choices,
        status=422 if bad else 200,
    )


@routes.route("POST", BASE + "/add", right=Right.SCORE)
async def add(request: web.Request) -> web.StreamResponse:
    """Put a moment at the end of a list, or of a new one."""
    visit, form = Visit(request), await Visit(request).form()

    async def work(unit: Unit) -> int:
        key = as_id(form["list"]) if form.get("list") else 0
        if not key:
            key = await coaching.make(unit, visit.actor, form.get("title", ""))
        await coaching.add_moment(unit, visit.actor, key, _stretch(form), form.get("words", ""), pin_id=_pin(form))
        return key

    try:
        key = await visit.do(work, "coaching moment")
    except Invalid as error:
        return await _add_page(visit, form, _told(error))
    return visit.away(f"{BASE}/{key}", done=_("The moment is in the list."))


def _stretch(form: Mapping[str, str]) -> Stretch:
    begin, end = (words.seconds_of(form.get(name, ""), name) for name in ("from", "to"))
    return Stretch(form.get("call", "")[:40], as_id(form.get("n") or "0"), begin, end)


def _pin(form: Mapping[str, str]) -> int | None:
    return as_id(form["pin"]) if form.get("pin") else None


# ---- one list --------------------------------------------------------------------------------------
@routes.route("GET", BASE + "/{list}", right=Right.CALLS)
async def one(request: web.Request) -> web.StreamResponse:
    """A list: its moments play in a row; who made it changes and gives it here."""
    visit = Visit(request)
    return await _list_page(visit, visit.number("list"))


async def _list_page(
    visit: Visit, key: int, bad: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> web.Response:
    async with visit.parts.database.read() as db:
        line = await coached.one_list(db, visit.actor, key)
        moments = await coached.moments(db, visit.actor, line)
        listeners = await coached.listeners(db, key) if line.mine else []
        people = await accounts.people(db) if line.mine else []
    has = {one.user_id for one in listeners}
    reach = [one for one in people if scope(visit.actor) == "all" or one.team == visit.actor.team]
    removed = visit.query.get("removed", "")
    return await visit.page(
        "quality/list.html",
        list=line,
        moments=moments,
        listeners=listeners,
        people=[one for one in reach if one.id not in has],
        next=next((one for one in moments if one.seen_at is None and words.playable(one)), None),
        removed=int(removed) if removed.isascii() and removed.isdigit() else 0,
        bad=bad or {},
        typed=typed or {},
        say=words,
        status=422 if bad else 200,
    )


@routes.route("POST", BASE + "/{list}", right=Right.SCORE)
async def change(request: web.Request) -> web.StreamResponse:
    """Another name or note."""
    visit, form = Visit(request), await Visit(request).form()
    key, version = visit.number("list"), as_id(form.get("version") or "0")
    said = (form.get("title", ""), form.get("note", ""))
    return await _act(visit, lambda unit: coaching.change(unit, visit.actor, key, *said, version=version), _("Saved."))


@routes.route("POST", BASE + "/{list}/give", right=Right.SCORE)
async def give(request: web.Request) -> web.StreamResponse:
    """Give the list to people."""
    visit = Visit(request)
    posted = await request.post()
    ids = [as_id(value) for value in posted.getall("people", []) if isinstance(value, str)]
    key = visit.number("list")
    try:
        given = await visit.do(lambda unit: coaching.give(unit, visit.actor, key, ids), "give coaching list")
    except Invalid as error:
        return await _list_page(visit, key, _told(error))
    said = ngettext("Given to %(n)s person.", "Given to %(n)s people.", given) % {"n": given}
    return visit.away(f"{BASE}/{key}", done=said)


@routes.route("POST", BASE + "/{list}/take-back", right=Right.SCORE)
async def take_back(request: web.Request) -> web.StreamResponse:
    """Take the list back from somebody."""
    visit, form = Visit(request), await Visit(request).form()
    key, who = visit.number("list"), as_id(form.get("person", ""))
    return await _act(visit, lambda unit: coaching.take_back(unit, visit.actor, key, who), _("Taken back."))


@routes.route("POST", BASE + "/{list}/away", right=Right.SCORE)
async def put_away(request: web.Request) -> web.StreamResponse:
    """Put the list away."""
    visit = Visit(request)
    key = visit.number("list")
    said = _("Put away: nobody is shown this list any more. You can bring it back.")
    return await _act(visit, lambda unit: coaching.put_away(unit, visit.actor, key), said)


@routes.route("POST", BASE + "/{list}/back", right=Right.SCORE)
async def bring_back(request: web.Request) -> web.StreamResponse:
    """Bring the list back."""
    visit = Visit(request)
    key = visit.number("list")
    return await _act(visit, lambda unit: coaching.bring_back(unit, visit.actor, key), _("The list is back."))


@routes.route("POST", BASE + "/{list}/moments/{moment}", right=Right.SCORE)
async def change_moment(request: web.Request) -> web.StreamResponse:
    """Other seconds or words; or `act`: up, down, remove, restore."""
    visit, form = Visit(request), await Visit(request).form()
    moment, actor = visit.number("moment"), visit.actor
    acts: dict[str, Callable[[Unit], Awaitable[Any]]] = {
        "up": lambda unit: coaching.move(unit, actor, moment, up=True),
        "down": lambda unit: coaching.move(unit, actor, moment, up=False),
        "remove": lambda unit: coaching.remove(unit, actor, moment),
        "restore": lambda unit: coaching.restore(unit, actor, moment),
    }
    if (act := form.get("act", "")) in acts:
        said = {"remove": _("Taken out of the list."), "restore": _("The moment is back.")}.get(act, _("Moved."))
        return await _act(visit, acts[act], said, f"?removed={moment}" if act == "remove" else "")

    async def save(unit: Unit) -> None:
        span = (words.seconds_of(form.get("from", ""), "from"), words.seconds_of(form.get("to", ""), "to"))
        await coaching.change_moment(unit, actor, moment, span, form.get("words", ""))

    return await _act(visit, save, _("Saved."))


async def _act(visit: Visit, work: Callable[[Unit], Awaitable[Any]], said: str, query: str = "") -> web.Response:
    """Do it, and back to the list; what cannot be taken is told there in words."""
    to = f"{BASE}/{visit.number('list')}"
    try:
        await visit.do(work, "coaching")
    except Invalid as error:
        said = next(iter(_told(error).values()), str(error))
        return await _list_page(visit, visit.number("list"), {"": said})
    except Conflict:
        said = _("Somebody else changed this list meanwhile; look again.")
    return visit.away(to + query, done=said)


# ---- hearing ---------------------------------------------------------------------------------------
@routes.route("GET", BASE + "/{list}/moments/{moment}/sound", right=Right.LISTEN)
async def sound(request: web.Request) -> web.StreamResponse:
    """The seconds of a moment, and none of what is around them."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        moment = await coached.moment(db, visit.actor, visit.number("moment"))
        lying = await opening.sound_of(db, moment.call_id, moment.n)
    try:
        async with visit.parts.opener.local(lying) as path:
            data = await asyncio.to_thread(excerpt, path, moment.from_s, moment.to_s)
    except (BadSound, OSError) as error:
        raise NotFound(str(error) if isinstance(error, BadSound) else _("The recording cannot be read.")) from error
    try:
        part = part_of(len(data), request.headers.get("Range"))
    except NotSatisfiable as error:
        return web.Response(status=416, headers={"Content-Range": str(error)})
    if part.begin == 0:
        address = request[ADDRESS]
        await visit.do(lambda unit: coached.note_listening(unit, visit.actor, moment, address), "listening")
    headers = {"Cache-Control": "private, no-store", "Accept-Ranges": "bytes"}
    if not part.whole:
        headers["Content-Range"] = part.content_range
    return web.Response(
        body=data[part.begin : part.end],
        status=200 if part.whole else 206,
        content_type="audio/wav",
        headers=headers,
    )


@routes.route("POST", BASE + "/{list}/moments/{moment}/heard", right=Right.LISTEN)
async def heard(request: web.Request) -> web.StreamResponse:
    """This person heard the moment to its end; or, with `spans`, the player tells which of its seconds he heard."""
    visit, form = Visit(request), await Visit(request).form()
    key = visit.number("moment")
    if "spans" in form:
        spans, address = spans_in(form["spans"]), request[ADDRESS]
        await visit.do(lambda unit: coached.hear(unit, visit.actor, key, spans, address=address), "heard seconds")
        return web.Response(status=204)
    await visit.do(lambda unit: coached.heard(unit, visit.actor, key), "heard")
    if "json" in request.headers.get("Accept", ""):
        return web.json_response({"heard": key})
    return visit.away(f"{BASE}/{visit.number('list')}")


def _told(error: Invalid) -> dict[str, str]:
    """What is wrong with each field, in the reader's language."""
    known = {
        "title": _("Give the list a name of at most %(n)s characters.") % {"n": coaching.TITLE},
        "note": _("At most %(n)s characters.") % {"n": coaching.NOTE},
        "words": _("At most %(n)s characters.") % {"n": coaching.WORDS},
        "list": _("A list has at most %(n)s moments; begin another one.") % {"n": coaching.MOST_MOMENTS},
        "people": _("Choose people from the list; an empty list cannot be given."),
        "from": _("The recording has no such second; write minutes and seconds, such as 1:23."),
        "to": _("A moment ends at least a second and at most 5 minutes after it begins."),
    }
    return {name: known.get(name, why) for name, why in error.fields.items()}
