"""Calibration: rounds in which several graders score one call, how far apart they are, and who is strict or mild."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from callcrm.accounts.policy import Right
from callcrm.calls import queries as calls
from callcrm.kernel.errors import Invalid
from callcrm.quality import calibration, forms, spread
from callcrm.quality.calibration import Grade, WholeRound
from callcrm.quality.questions import Form, Question
from callcrm.quality.scorable import Subject
from callcrm.quality.scoring import Answers, score
from webui import rows, scorewords
from webui.i18n import _
from webui.routes import Routes
from webui.visit import Visit, as_id
from webui.words import Mark

routes = Routes()
BASE = "/quality/calibration"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one grader answered, with his comment in the tooltip."""

    word: str
    comment: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question over the graders."""

    text: str
    mark: Mark | None
    cells: tuple[Cell, ...]
    spread: str
    far: bool
    mixed: bool


@routes.route("GET", BASE, right=Right.SCORE)
async def listing(request: web.Request) -> web.StreamResponse:
    """The rounds, and how each grader differs from the others."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found = await calibration.rounds(db, visit.actor)
        drifts = await calibration.drifts(db, visit.actor)
    ordered = sorted(drifts.items(), key=lambda one: -one[1].off)
    return await visit.page("quality/rounds.html", rounds=found, drifts=ordered, signed=_signed)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{scorewords.points(abs(value))}"


@routes.route("GET", BASE + "/new", right=Right.SCORE)
async def blank(request: web.Request) -> web.StreamResponse:
    """Who is asked to score the call of the address."""
    visit = Visit(request)
    return await _new(visit, visit.query, {})


async def _new(visit: Visit, typed: Mapping[str, str], bad: Mapping[str, str], status: int = 200) -> web.Response:
    call_id = typed.get("call", "")[:40]
    async with visit.parts.database.read() as db:
        whole = await calls.whole_call(db, visit.actor, call_id) if call_id else None
        known = await forms.offered(db, visit.actor, whole.call.queue if whole else None)
        people = await calibration.who_can(db, visit.actor)
    talked = [one for one in whole.call.parts if one.answered and one.user_id is not None] if whole else []
    return await visit.page(
        "quality/round_new.html",
        call=rows.call_view(visit.parts, whole.call) if whole else None,
        forms=[(f"{one.form_id}:{one.n}", f"{one.name}, {one.n}") for one in known],
        operators=[(str(one.user_id), one.person or one.extension) for one in talked],
        people=people,
        chosen={typed[name] for name in typed if name.startswith("grader.")},
        typed=typed,
        bad=bad,
        status=status,
    )


@routes.route("POST", BASE + "/new", right=Right.SCORE)
async def begin(request: web.Request) -> web.StreamResponse:
    """Ask the graders."""
    visit = Visit(request)
    form = await visit.form()
    form_id, _sign, n = form.get("form", "").partition(":")
    subject = Subject(form.get("call", "")[:40], as_id(form.get("operator", "")), as_id(form_id), as_id(n))
    graders = [as_id(value) for name, value in form.items() if name.startswith("grader.")]
    try:
        key = await visit.do(
            lambda unit: calibration.begin(unit, visit.actor, subject, graders, form.get("note", "")), "begin round"
        )
    except Invalid as error:
        return await _new(visit, form, error.fields or {"graders": str(error)}, 422)
    return visit.away(f"{BASE}/{key}", done=_("The graders see the round in their list."))


@routes.route("GET", BASE + "/{round}", right=Right.SCORE)
async def one(request: web.Request) -> web.StreamResponse:
    """A round: who is done, and, when one's own score is in, how far apart they are."""
    visit = Visit(request)
    async with visit.parts.database.read() as db:
        found = await calibration.whole(db, visit.actor, visit.number("round"))
        asked = await forms.version(db, found.form_id, found.line.form_n)
    done = [grade for grade in found.grades if grade.answers is not None]
    return await visit.page(
        "quality/round.html",
        round=found,
        line=found.line,
        done=done,
        apart=found.apart,
        far=spread.FAR,
        questions=_questions(asked.form, found, done),
        points=scorewords.points,
        signed=_signed,
        may_close=found.line.closed_at is None
        and (found.made_by == visit.actor.user_id or visit.actor.role == "admin"),
    )


def _questions(form: Form, found: WholeRound, done: list[Grade]) -> list[QuestionRow]:
    if not found.shown:
        return []
    given: dict[int, Any] = {
        grade.user_id: (score(form, grade.answers).asked, grade.answers) for grade in done if grade.answers is not None
    }
    made = []
    for row in spread.by_question(form, given):
        question = form.question(row.key)
        if question is None:
            continue
        cells = tuple(_cell(question, value, given[grader][1]) for grader, value in row.values.items())
        shown = "" if row.agree else scorewords.points(row.spread)
        mark = scorewords.severity(question.severity)
        made.append(QuestionRow(question.text, mark, cells, shown, row.spread >= spread.FAR, row.mixed))
    return made


def _cell(question: Question, value: str, answers: Answers) -> Cell:
    if not value:
        return Cell("—", answers[question.key].comment if question.key in answers else "")
    return Cell(scorewords.answer(question, value), answers[question.key].comment)


def _is_admin(visit: Visit) -> bool:
    return visit.actor.role == "admin"


@routes.route("POST", BASE + "/{round}/close", right=Right.SCORE)
async def close(request: web.Request) -> web.StreamResponse:
    """End a round."""
    visit = Visit(request)
    key = visit.number("round")
    await visit.do(lambda unit: calibration.close(unit, visit.actor, key), "close round")
    return visit.away(f"{BASE}/{key}", done=_("The round is closed."))
