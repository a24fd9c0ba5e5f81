"""Beside a call's sound: who heard which seconds, taking it out with a reason, where nothing was recorded, holds."""

import json
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.calls import queries
from callcrm.custody import holds, listening, opening, pausing
from callcrm.custody.listening import Spans
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid
from webui import soundbytes
from webui.i18n import _
from webui.routes import Routes
from webui.rows import PLAYABLE
from webui.show import duration
from webui.visit import ADDRESS, Visit, as_id

routes = Routes()
_MOST_SPANS = 200


@routes.route("GET", "/calls/{id}/custody", right=Right.CALLS)
async def custody(request: web.Request) -> web.StreamResponse:
    """The part of a call's story that speaks of the law."""
    visit = Visit(request)
    call = request.match_info["id"][:40]
    async with visit.parts.database.read() as db:
        whole = await queries.whole_call(db, visit.actor, call)
        gaps = await pausing.gaps_of(db, call)
        heard = await listening.of_call(db, call) if may(visit.actor, Right.AUDIT) else []
        held = await holds.of_call(db, call, clock.now()) if may(visit.actor, Right.AUDIT) else []
    sounds = [one for one in whole.call.recordings if one.state in PLAYABLE]
    return visit.part(
        "law/call.html",
        call=call,
        gaps=[gap for gap in gaps if gap.begins_at is not None],
        heard=heard,
        held=held,
        sounds=sounds if may(visit.actor, Right.DOWNLOAD) else [],
        may_audit=may(visit.actor, Right.AUDIT),
        may_hold=may(visit.actor, Right.RETENTION),
        spans_of=spans_of,
    )


def spans_of(spans: tuple[tuple[float, float], ...]) -> str:
    """Seconds that were heard, for a person: 0:00–0:12, 0:40–0:45."""
    return ", ".join(f"{duration(begin)}–{duration(until)}" for begin, until in spans[:8]) + (" …" * (len(spans) > 8))


@routes.route("POST", "/calls/{id}/recordings/{n}/heard", right=Right.LISTEN)
async def heard(request: web.Request) -> web.StreamResponse:
    """The player tells which seconds were heard."""
    visit = Visit(request)
    call, n = request.match_info["id"][:40], as_id(request.match_info["n"])
    spans = spans_in((await visit.form()).get("spans", ""))
    await visit.do(
        lambda unit: listening.hear(unit, visit.actor, call, n, spans, address=request[ADDRESS]), "heard seconds"
    )
    return web.Response(status=204)


def spans_in(text: str) -> Spans:
    """Pairs of seconds, as the player tells them. Raises Invalid for what is none."""
    try:
        told: Any = json.loads(text or "[]")
        return [[float(one[0]), float(one[1])] for one in list(told)[:_MOST_SPANS]]
    except (ValueError, TypeError, IndexError, KeyError, OverflowError):
        raise Invalid(_("These are no seconds."), {"spans": "pairs of seconds"}) from None


@routes.route("POST", "/calls/{id}/recordings/{n}/download", right=Right.DOWNLOAD)
async def download(request: web.Request) -> web.StreamResponse:
    """The sound as a file; the reason stays with who took it."""
    visit = Visit(request)
    call, n = request.match_info["id"][:40], as_id(request.match_info["n"])
    reason = (await visit.form()).get("reason", "")
    async with visit.parts.database.read() as db:
        lying = await opening.heard_sound(db, visit.actor, call, n)
    if len(reason) < listening.SHORTEST_REASON:
        raise Invalid(_("Say what the recording is for: its download is kept with this reason."))
    opened = await visit.parts.opener.open(lying)
    address = request[ADDRESS]
    await visit.do(lambda unit: listening.take_out(unit, visit.actor, call, n, reason, address=address), "download")
    headers = {"Content-Disposition": f'attachment; filename="{call}-{n}{opened.suffix}"'}
    return await soundbytes.answer(request, opened, headers | {"Cache-Control": "private, no-store"})


@routes.route("POST", "/calls/{id}/hold", right=Right.RETENTION)
async def hold(request: web.Request) -> web.StreamResponse:
    """Keep this call, whatever rules and requests say."""
    visit = Visit(request)
    call, form = request.match_info["id"][:40], await visit.form()
    try:
        await visit.do(lambda unit: holds.place(unit, visit.actor, "call", call, form.get("reason", "")), "legal hold")
    except (Conflict, Invalid) as error:
        return visit.away(f"/calls/{call}", done=str(error))
    return visit.away(f"/calls/{call}", done=_("The call is on legal hold: nothing deletes it."))
