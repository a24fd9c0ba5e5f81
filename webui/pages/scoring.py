"""Scoring a call: the draft is saved as it is filled in, submitted when it is complete, thrown away when not wanted."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from callcrm.kernel.writer import Unit
from callcrm.quality import disputes, evaluations, forms
from callcrm.quality.evaluations import Saved
from callcrm.quality.scorable import Subject
from webui import scoresheet, show
from webui.i18n import _
from webui.routes import Routes
from webui.templating import render
from webui.visit import Visit, as_id

routes = Routes()


@routes.route("POST", "/quality/calls/{call}/draft", right=Right.SCORE)
async def draft(request: web.Request) -> web.StreamResponse:
    """Keep what is filled in; answers with the new total, and which questions are asked now."""
    visit = Visit(request)
    form = await visit.form()
    saved = await _save(visit, form)
    async with visit.parts.database.read() as db:
        asked = await forms.version(db, as_id(form.get("form", "")), as_id(form.get("n", "")))
    sheet = scoresheet.sheet_of(asked.form, scoresheet.read(form))
    said: dict[str, Any] = {
        "evaluation": saved.id,
        "version": saved.version,
        "total": render("quality/total_part.html", {"total": sheet.total}),
        "sums": {section.key: section.points for section in sheet.sections},
        "asked": sorted(saved.score.asked),
        "silent": saved.score.silent,
        "open": saved.score.open,
        "saved": _("Saved %(at)s") % {"at": show.at_time(clock.now(), seconds=True).striptags()},
    }
    return web.json_response(said)


async def _save(visit: Visit, form: Mapping[str, str]) -> Saved:
    call_id, answers = visit.request.match_info["call"][:40], scoresheet.read(form)
    comment, version = form.get("comment", ""), as_id(form.get("version") or "0")
    if form.get("evaluation"):
        key = as_id(form["evaluation"])
        return await visit.do(
            lambda unit: evaluations.save_id(unit, visit.actor, key, answers, comment, version=version), "save score"
        )
    subject = _subject(call_id, form)
    return await visit.do(lambda unit: evaluations.save(unit, visit.actor, subject, answers, comment), "begin score")


def _subject(call_id: str, form: Mapping[str, str]) -> Subject:
    operator, form_id, n = (as_id(form.get(name, "")) for name in ("operator", "form", "n"))
    return Subject(call_id, operator, form_id, n, as_id(form["calibration"]) if form.get("calibration") else None)


@routes.route("POST", "/quality/calls/{call}/submit", right=Right.SCORE)
async def submit(request: web.Request) -> web.StreamResponse:
    """Keep what is filled in, then finish it; what is missing is told beside its question."""
    visit = Visit(request)
    form, call_id = await visit.form(), request.match_info["call"][:40]
    saved = await _save(visit, form)

    async def finish(unit: Unit) -> dict[str, Any]:
        follows = [disputes.corrected]
        return await evaluations.submit(unit, visit.actor, saved.id, version=saved.version, after=follows)

    try:
        row = await visit.do(finish, "submit score")
    except Invalid as error:
        why = "" if error.fields.keys() - {"said"} else str(error)
        return visit.away(f"/calls/{call_id}?score={saved.id}&check=1#score", done=why)
    if form.get("then") == "next":
        return visit.away(f"/quality/next/open?besides={call_id}", done=_said(row))
    if row["calibration_id"]:
        return visit.away(f"/quality/calibration/{row['calibration_id']}", done=_("Submitted; here is the round."))
    return visit.away(f"/calls/{call_id}?score={saved.id}", done=_said(row))


def _said(row: Mapping[str, Any]) -> str:
    if row["state"] == "released":
        return _("Submitted and released to the operator.")
    return _("Submitted; the operator sees it when it is released.")


@routes.route("POST", "/quality/evaluations/{evaluation}/drop", right=Right.SCORE)
async def drop(request: web.Request) -> web.StreamResponse:
    """Throw one's own draft away."""
    visit = Visit(request)
    key, call_id = visit.number("evaluation"), (await visit.form()).get("call", "")
    await visit.do(lambda unit: evaluations.drop(unit, visit.actor, key), "drop score")
    return visit.away(f"/calls/{call_id}" if call_id else "/quality?show=mine", done=_("The draft is thrown away."))
