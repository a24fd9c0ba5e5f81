"""What people write of a call, its disposition, and who the client was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcrm import house
from callcrm.accounts.policy import Right
from callcrm.calls import notes, queries
from callcrm.calls.log import NoteLine
from callcrm.calls.rows import Context
from callcrm.kernel.writer import Unit
from callcrm.tasks import following
from webui.routes import Routes
from webui.visit import Visit, as_id

routes = Routes()
#: Texts that a browser sent without hearing of them again.
TRIED = 3


@routes.route("GET", "/calls/{id}/notes", right=Right.CALLS)
async def written(request: web.Request) -> web.StreamResponse:
    """What everybody wrote of a call, as it is now: for a sheet that is open while others write."""
    visit = Visit(request)
    return web.json_response(await _written(visit, request.match_info["id"][:40]))


@dataclass(frozen=True, slots=True)
class Sent:
    """A saving: the text, what it was made from, what was sent before without an answer; None is not meant."""

    text: str | None
    base: str
    tried: tuple[str, ...]
    disposition: str | None

    @classmethod
    def read(cls, posted: Mapping[str, object], tried: Sequence[object]) -> "Sent":
        """From a form; a disposition that it shows as it was before (`was`) is not meant."""
        given = {name: value for name, value in posted.items() if isinstance(value, str)}
        chosen = given.get("disposition")
        meant = chosen if chosen is None or given.get("was") != chosen else None
        before = tuple(one for one in tried if isinstance(one, str))[:TRIED]
        return cls(given.get("text"), given.get("base", ""), before, meant if meant is None else meant.strip())


@routes.route("POST", "/calls/{id}/note", right=Right.CALLS)
async def note(request: web.Request) -> web.StreamResponse:
    """Save text and disposition, or one of them; a browser's module gets JSON, a form goes back to the call."""
    visit = Visit(request)
    call_id, posted = request.match_info["id"][:40], await request.post()
    merged = await _save(visit, call_id, Sent.read(posted, posted.getall("tried", [])))
    if posted.get("back"):
        return visit.away(f"/calls/{call_id}")
    return web.json_response({**await _written(visit, call_id), "merged": merged})


async def _save(visit: Visit, call_id: str, sent: Sent) -> bool:
    """Both in one unit, so that one never stands without the other; whether another's text was merged in."""
    async with visit.parts.database.read() as db:
        call = (await queries.whole_call(db, visit.actor, call_id)).call
    allowed = {*visit.parts.settings.dispositions.of(call.queue), *([call.disposition] if call.disposition else [])}

    async def work(unit: Unit) -> bool:
        merged = False
        if sent.text is not None:
            saved = await notes.note(unit, visit.actor, call_id, sent.text, sent.base, tried=sent.tried)
            merged = saved.merged
        if sent.disposition is not None:
            await notes.set_disposition(unit, visit.actor, call_id, sent.disposition or None, allowed=allowed)
        return merged

    return await visit.do(work, "note")


async def _written(visit: Visit, call_id: str) -> dict[str, Any]:
    """One's own text and version, the others' with their names, and what came of the call."""
    async with visit.parts.database.read() as db:
        seen = await queries.written(db, visit.actor, call_id)
    mine = next((one for one in seen.notes if one.user_id == visit.actor.user_id), None)
    return {
        "text": mine.text if mine else "",
        "version": mine.version if mine else 0,
        "disposition": seen.disposition or "",
        "by": next((one.person for one in reversed(seen.notes) if _chose(one, seen.disposition, visit)), ""),
        "others": [
            {"user": one.user_id, "person": one.person, "text": one.text}
            for one in seen.notes
            if one.user_id != visit.actor.user_id and one.text
        ],
    }


def _chose(one: NoteLine, disposition: str | None, visit: Visit) -> bool:
    """Whether a colleague chose what came of the call."""
    return one.user_id != visit.actor.user_id and bool(disposition) and one.disposition == disposition


@routes.route("POST", "/calls/{id}/client", right=Right.CLIENTS)
async def client(request: web.Request) -> web.StreamResponse:
    """Say who it was; remembered for the number."""
    visit = Visit(request)
    call_id, form = request.match_info["id"][:40], await visit.form()
    await link(visit, call_id, as_id(form.get("client", "")))
    if "HX-Request" in request.headers or "json" in request.headers.get("Accept", ""):
        return web.json_response({})
    return visit.away(f"/calls/{call_id}")


async def link(visit: Visit, call_id: str, client_id: int) -> None:
    """File a call with a client."""
    async with visit.parts.database.read() as db:
        seen = (await queries.whole_call(db, visit.actor, call_id)).call.client_id
    context = Context(house.sites(visit.parts.settings))
    await visit.do(
        lambda unit: notes.choose_client(
            unit, visit.actor, call_id, client_id, context, seen=seen, after=[following.relink]
        ),
        "choose client",
    )
