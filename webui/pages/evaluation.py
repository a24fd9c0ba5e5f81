"""One evaluation: what was scored and why, and what its operator and his supervisors do with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right, may
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from callcrm.kernel.writer import Unit
from callcrm.quality import disputes, evaluations, queries
from callcrm.quality.queries import WholeEvaluation
from webui import scoresheet, scorewords
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit

routes = Routes()
ONE = "/quality/evaluations/{evaluation}"


@routes.route("GET", ONE, right=Right.CALLS)
async def evaluation(request: web.Request) -> web.StreamResponse:
    """The filled form with its log; that its operator has read it is noted."""
    visit = Visit(request)
    found = await _load(visit)
    if found.line.state == "draft":
        # A draft is filled in beside its call; scored blind, it does not say whose it is.
        return visit.away(f"/calls/{found.line.call_id}?score={found.line.id}")
    if found.line.subject_id == visit.actor.user_id and found.line.seen_at is None:
        await visit.do(lambda unit: evaluations.see(unit, visit.actor, found.line.id), "see score")
        found = await _load(visit)
    return await _page(visit, found)


async def _load(visit: Visit) -> WholeEvaluation:
    async with visit.parts.database.read() as db:
        return await queries.whole(db, visit.actor, visit.number("evaluation"))


async def _page(
    visit: Visit, found: WholeEvaluation, *, typed: str = "", bad: str = "", status: int = 200
) -> web.Response:
    line, form = found.line, found.asked.form
    questions = {one.key: one.text for one in form.questions()}
    return await visit.page(
        "quality/evaluation.html",
        status=status,
        line=line,
        asked=found.asked,
        sheet=scoresheet.sheet_of(form, found.answers),
        comment=found.comment,
        mark=scorewords.state(line),
        band=scorewords.band(form, line.band),
        points=scorewords.points,
        disputes=found.disputes,
        disputed=[one for one in found.disputes if one.state == "open"],
        questions=questions,
        log=found.log,
        act_words=scorewords.act,
        can=_can(visit, found),
        until=disputes.until(form, line.released_at) if line.released_at else None,
        said=typed,
        wrong=bad,
    )


def _can(visit: Visit, found: WholeEvaluation) -> dict[str, bool]:
    """What this person may do with it now."""
    line, actor = found.line, visit.actor
    his, scores = line.subject_id == actor.user_id, may(actor, Right.SCORE) and line.subject_id != actor.user_id
    plain = line.state == "released" and line.replaced_by is None
    answered = any(one.state in ("kept", "corrected") for one in found.disputes)
    last = disputes.until(found.asked.form, line.released_at) if line.released_at else None
    free = his and plain and not line.disputed and line.accepted_at is None
    return {
        "accept": free,
        "dispute": free and not answered and (last is None or clock.now() <= last),
        "withdraw": his and line.disputed,
        "answer": scores and line.disputed,
        "release": scores and line.state == "submitted" and line.calibration_id is None,
        "reopen": line.state == "submitted" and line.calibration_id is None and line.grader_id == actor.user_id,
        "note": scores and bool(line.fatal) and line.fatal_seen_at is None and line.calibration_id is None,
        "own": scores and line.grader_id == actor.user_id,
    }


async def _do(request: web.Request, work: Callable[[Unit, Visit, dict[str, str]], Awaitable[Any]], done: str) -> Any:
    visit = Visit(request)
    form = await visit.form()
    try:
        await visit.do(lambda unit: work(unit, visit, form), "evaluation")
    except Invalid as error:
        wrong = error.fields.get("said", str(error))
        return await _page(visit, await _load(visit), typed=form.get("said", ""), bad=wrong, status=422)
    return visit.away(f"/quality/evaluations/{visit.number('evaluation')}", done=done)


def _this(visit: Visit) -> int:
    return visit.number("evaluation")


@routes.route("POST", ONE + "/accept", right=Right.CALLS)
async def accept(request: web.Request) -> web.StreamResponse:
    """The operator takes the score as it is."""
    answer: web.StreamResponse = await _do(
        request, lambda unit, visit, _form: evaluations.accept(unit, visit.actor, _this(visit)), _("Accepted.")
    )
    return answer


@routes.route("POST", ONE + "/dispute", right=Right.CALLS)
async def dispute(request: web.Request) -> web.StreamResponse:
    """The operator objects, to the whole or to some questions."""
    chosen = [str(one) for one in (await request.post()).getall("question", [])]

    async def work(unit: Unit, visit: Visit, form: dict[str, str]) -> None:
        await disputes.dispute(unit, visit.actor, visit.number("evaluation"), form.get("said", ""), chosen)

    answer: web.StreamResponse = await _do(request, work, _("Your supervisors see your objection now."))
    return answer


@routes.route("POST", ONE + "/withdraw", right=Right.CALLS)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """The operator takes his objection back."""
    answer: web.StreamResponse = await _do(
        request, lambda unit, visit, _form: disputes.withdraw(unit, visit.actor, _this(visit)), _("Withdrawn.")
    )
    return answer


@routes.route("POST", ONE + "/keep", right=Right.SCORE)
async def keep(request: web.Request) -> web.StreamResponse:
    """A supervisor answers that the score stays."""

    async def work(unit: Unit, visit: Visit, form: dict[str, str]) -> None:
        await disputes.keep(unit, visit.actor, visit.number("evaluation"), form.get("said", ""))

    answer: web.StreamResponse = await _do(request, work, _("Answered; the score stays."))
    return answer


@routes.route("POST", ONE + "/correct", right=Right.SCORE)
async def correct(request: web.Request) -> web.StreamResponse:
    """A supervisor corrects the score: on the call, with the disputed answers filled in."""
    visit = Visit(request)
    held = (await _load(visit)).line
    draft = await visit.do(lambda unit: disputes.begin_correction(unit, visit.actor, held.id), "correct score")
    return visit.away(f"/calls/{held.call_id}?score={draft}")


@routes.route("POST", ONE + "/release", right=Right.SCORE)
async def release(request: web.Request) -> web.StreamResponse:
    """Show it to its operator."""
    answer: web.StreamResponse = await _do(
        request,
        lambda unit, visit, _form: evaluations.release(unit, visit.actor, [visit.number("evaluation")]),
        _("Released: the operator sees it now."),
    )
    return answer


@routes.route("POST", ONE + "/reopen", right=Right.SCORE)
async def reopen(request: web.Request) -> web.StreamResponse:
    """Back to a draft, on its call."""
    visit = Visit(request)
    held = (await _load(visit)).line
    await visit.do(lambda unit: evaluations.reopen(unit, visit.actor, held.id), "reopen score")
    return visit.away(f"/calls/{held.call_id}?score={held.id}")


@routes.route("POST", ONE + "/note", right=Right.SCORE)
async def note(request: web.Request) -> web.StreamResponse:
    """A supervisor has taken note of the fatal error."""
    answer: web.StreamResponse = await _do(
        request,
        lambda unit, visit, _form: evaluations.note_fatal(unit, visit.actor, visit.number("evaluation")),
        _("Noted."),
    )
    return answer
