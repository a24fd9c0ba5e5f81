"""Which score form stands right of a call's story: a blank one, one's draft, one of a round, or one to be read.

`?score=new` (with `&form=` and `&operator=`) is one's own, `?score=r5` that of a round, `?score=12` an evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callcrm.accounts.policy import Right, may
from callcrm.calls.log import CallLine, WholeCall
from callcrm.quality import calibration, forms, queries, sampling
from callcrm.quality.calibration import WholeRound
from callcrm.quality.forms import Version
from callcrm.quality.queries import EvaluationLine, WholeEvaluation
from webui import blind, scoresheet, scorewords
from webui.i18n import _
from webui.scoresheet import Docked
from webui.visit import Visit, as_id


async def docked(visit: Visit, whole: WholeCall) -> Docked | None:
    """The form that the address asks for; None without one, or for who scores nothing."""
    asked = visit.query.get("score", "")
    if asked.isascii() and asked.isdigit():
        found = await _of_evaluation(visit, whole.call, as_id(asked))
    elif not asked or not may(visit.actor, Right.SCORE):
        return None
    elif asked[0] == "r":
        found = await _of_round(visit, whole.call, as_id(asked[1:]))
    else:
        found = await _own(visit, whole.call)
    if found is None or found.how != "fill" or found.calibration_id or found.corrects:
        return found
    async with visit.parts.database.read() as db:
        return replace(found, next=bool(await sampling.waiting(db, visit.actor, limit=1, besides=[whole.call.id])))


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a call's quality beside its story: its scores, and whether it may be scored from here."""

    lines: Sequence[tuple[EvaluationLine, str]]
    may_score: bool


async def standing(visit: Visit, call: CallLine, dock: Docked | None) -> Standing | None:
    """The scores of a call that this person may see; None while he fills a form in, for it should be his own view."""
    if dock is not None and dock.how == "fill":
        return None
    async with visit.parts.database.read() as db:
        lines = await queries.of_call(db, visit.actor, call.id)
    free = may(visit.actor, Right.SCORE) and not _why_not(call, _operators(visit, call))
    return Standing([(line, scorewords.points(line.score)) for line in lines], free) if lines or free else None


async def _of_evaluation(visit: Visit, call: CallLine, evaluation_id: int) -> Docked | None:
    async with visit.parts.database.read() as db:
        found = await queries.whole(db, visit.actor, evaluation_id)
    return _opened(visit, call, found) if found.line.call_id == call.id else None


def _opened(visit: Visit, call: CallLine, found: WholeEvaluation) -> Docked:
    line = found.line
    mine = line.grader_id == visit.actor.user_id and line.state == "draft"
    form = found.asked.form
    sheet = scoresheet.sheet_of(form, found.answers, _missing(visit, found) if mine else {})
    return Docked(
        how="fill" if mine else "read",
        call=call.id,
        asked=found.asked,
        sheet=sheet,
        evaluation_id=line.id,
        version=line.version,
        operator_id=line.subject_id,
        operator=line.operator,
        comment=found.comment,
        calibration_id=line.calibration_id or 0,
        corrects=line.replaces_id or 0 if mine else 0,
        blind=mine and line.blind and line.replaces_id is None,
        saved=line.changed_at if mine else None,
    )


def _missing(visit: Visit, found: WholeEvaluation) -> dict[str, str]:
    """What keeps it from being submitted, where that was tried."""
    from callcrm.quality.scoring import score

    if "check" not in visit.query:
        return {}
    now = score(found.asked.form, found.answers)
    return dict.fromkeys(now.open, "an answer is missing") | dict.fromkeys(now.silent, "a comment is required")


async def _of_round(visit: Visit, call: CallLine, round_id: int) -> Docked | None:
    async with visit.parts.database.read() as db:
        asked: WholeRound = await calibration.whole(db, visit.actor, round_id)
        version = await forms.version(db, asked.form_id, asked.line.form_n)
        own = next((one for one in asked.grades if one.user_id == visit.actor.user_id), None)
        done = await queries.whole(db, visit.actor, own.evaluation_id) if own and own.evaluation_id else None
    if asked.line.call_id != call.id or own is None:
        return None
    if done is not None:
        return _opened(visit, call, done)
    if asked.line.closed_at is not None:
        return _none(call, "closed", _("This round of calibration is closed."))
    operators = [(str(asked.subject_id), asked.line.operator)]
    return replace(_blank(call, version, str(asked.subject_id), operators), calibration_id=round_id)


async def _own(visit: Visit, call: CallLine) -> Docked:
    """One's own draft or score of this call, or a blank form."""
    wanted, who = visit.query.get("form", ""), visit.query.get("operator", "")
    async with visit.parts.database.read() as db:
        known = await queries.of_call(db, visit.actor, call.id)
        offered = await forms.offered(db, visit.actor, call.queue)
        mine = _mine(visit, known, wanted, who)
        if mine is not None:
            return _opened(visit, call, await queries.whole(db, visit.actor, mine.id))
    operators = _operators(visit, call)
    if why := _why_not(call, operators):
        return _none(call, "not now", why)
    if not offered:
        return _none(call, "no form", _("There is no published quality form yet."))
    version = next((one for one in offered if str(one.form_id) == wanted), offered[0])
    operator = next((code for code, _word in operators if code == who), _usual(call, operators))
    choices = [(str(one.form_id), one.name) for one in offered]
    return replace(_blank(call, version, operator, operators), forms=choices)


def _mine(visit: Visit, known: Sequence[EvaluationLine], form: str, operator: str) -> EvaluationLine | None:
    """One's own evaluation of this call on this form and of this operator; a draft first."""
    own = [
        line
        for line in known
        if line.grader_id == visit.actor.user_id
        and line.calibration_id is None
        and line.replaces_id is None
        and form in ("", str(line.form_id))
        and operator in ("", str(line.subject_id))
    ]
    return next((line for line in own if line.state == "draft"), own[0] if own else None)


def _operators(visit: Visit, call: CallLine) -> list[tuple[str, str]]:
    """Who talked in this call, but for oneself."""
    talked = [part for part in call.parts if part.answered and part.user_id not in (None, visit.actor.user_id)]
    return list({str(part.user_id): part.person or part.extension for part in talked}.items())


def _why_not(call: CallLine, operators: Sequence[tuple[str, str]]) -> str:
    if call.ended_at is None:
        return _("The call goes on; it can be scored when it is over.")
    if not operators:
        return _("Nobody whom you could score talked in this call.")
    return ""


def _usual(call: CallLine, operators: Sequence[tuple[str, str]]) -> str:
    codes = [code for code, _word in operators]
    return str(call.operator_id) if str(call.operator_id) in codes else codes[0]


def _blank(call: CallLine, version: Version, operator: str, operators: Sequence[tuple[str, str]]) -> Docked:
    found = Docked(
        how="fill",
        call=call.id,
        asked=version,
        sheet=scoresheet.sheet_of(version.form, {}),
        operator_id=int(operator),
        operator=dict(operators).get(operator, ""),
        blind=version.form.blind,
        operators=operators,
    )
    if not found.blind:
        return found
    return replace(found, operator="", operators=[(code, blind.letter(n)) for n, (code, _w) in enumerate(operators)])


def _none(call: CallLine, how: str, why: str) -> Docked:
    return Docked(how=how, call=call.id, says=why)
