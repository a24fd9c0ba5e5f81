"""Quality for programs: forms with their versions, evaluations with answers and scores, disputes."""

from typing import Any

from callcrm.accounts.policy import Right, may, require
from callcrm.kernel.paging import Wanted
from callcrm.quality import disputes, evaluations, forms, queries
from callcrm.quality.disputes import DisputeLine
from callcrm.quality.forms import Version
from callcrm.quality.queries import EvaluationLine, Filters
from callcrm.quality.scoring import percent, score, share
from webui.api.endpoint import Asked
from webui.api.operations import api
from webui.api.qualityshapes import (
    Dispute,
    DisputePage,
    DisputesQuery,
    Evaluation,
    EvaluationPage,
    EvaluationsQuery,
    EvaluationStep,
    FormVersion,
    FormVersionPage,
    QualityAnswer,
    QualityForm,
    QualityFormPage,
    SectionResult,
    WholeEvaluation,
)


@api.operation("GET", "/forms", "Quality forms", right=Right.SCORE, answer=QualityFormPage)
async def list_forms(asked: Asked[None, None]) -> QualityFormPage:
    """Every form, those in use first."""
    async with asked.parts.database.read() as db:
        found = await forms.listed(db, asked.actor)
    return QualityFormPage(items=[_named(QualityForm, line) for line in found])


@api.operation("GET", "/forms/{id}", "A form's versions, newest first", right=Right.SCORE, answer=FormVersionPage)
async def get_form(asked: Asked[None, None]) -> FormVersionPage:
    """What each version asks."""
    async with asked.parts.database.read() as db:
        found = await forms.versions(db, asked.actor, asked.number("id"))
    return FormVersionPage(items=[_version(one) for one in found])


@api.operation("GET", "/forms/{id}/versions/{n}", "One version of a form", right=Right.SCORE, answer=FormVersion)
async def get_form_version(asked: Asked[None, None]) -> FormVersion:
    """What it asks: sections, questions, bands."""
    async with asked.parts.database.read() as db:
        return _version(await forms.version(db, asked.number("id"), asked.number("n")))


@api.operation(
    "GET",
    "/evaluations",
    "Evaluations, the last changed first; an operator is given his own, once they are released",
    right=Right.CALLS,
    query=EvaluationsQuery,
    answer=EvaluationPage,
)
async def list_evaluations(asked: Asked[EvaluationsQuery, None]) -> EvaluationPage:
    """A page of the evaluations that the asker may see."""
    query = asked.query
    show = query.show
    if not may(asked.actor, Right.SCORE):
        if show not in ("", "own"):
            require(asked.actor, Right.SCORE)
        show = "own"
    filters = Filters(
        show,
        operator=query.operator,
        grader=query.grader,
        form=query.form,
        call=query.call,
        since=query.since,
        until=query.until,
    )
    async with asked.parts.database.read() as db:
        page = await queries.evaluation_list(db, asked.actor, filters, Wanted(query.limit, query.cursor))
    return EvaluationPage(items=[_evaluation(line) for line in page.items], next=page.next)


@api.operation(
    "GET",
    "/evaluations/{id}",
    "One evaluation with its questions, answers, scores, disputes and log",
    right=Right.CALLS,
    answer=WholeEvaluation,
)
async def get_evaluation(asked: Asked[None, None]) -> WholeEvaluation:
    """That its operator has read it is noted, as on its page."""
    key = asked.number("id")
    async with asked.parts.database.read() as db:
        found = await queries.whole(db, asked.actor, key)
    if found.line.subject_id == asked.actor.user_id and found.line.seen_at is None:
        await asked.parts.writer.do(lambda unit: evaluations.see(unit, asked.actor, key), name="see score")
        async with asked.parts.database.read() as db:
            found = await queries.whole(db, asked.actor, key)
    return _whole(found)


@api.operation(
    "GET",
    "/disputes",
    "Disputes of scores, the newest first; an operator is given his own",
    right=Right.CALLS,
    query=DisputesQuery,
    answer=DisputePage,
)
async def list_disputes(asked: Asked[DisputesQuery, None]) -> DisputePage:
    """A page of the disputes of evaluations that the asker may see."""
    query = asked.query
    async with asked.parts.database.read() as db:
        page = await disputes.listed(db, asked.actor, Wanted(query.limit, query.cursor), state=query.state)
    return DisputePage(items=[_named(Dispute, line) for line in page.items], next=page.next)


def _whole(found: queries.WholeEvaluation) -> WholeEvaluation:
    form, answers, line = found.asked.form, found.answers, found.line
    now = score(form, answers)
    given = []
    for question in form.questions():
        answer = answers.get(question.key)
        part = share(question, answer.value) if answer and answer.value and question.key in now.asked else None
        said = {"value": answer.value, "comment": answer.comment, "at_s": answer.at_s} if answer else {"value": ""}
        given.append(
            QualityAnswer(
                question=question.key,
                asked=question.key in now.asked,
                share=None if part is None else float(part),
                **said,
            )
        )
    sections = [
        SectionResult(
            section=one.key,
            score=percent(one.ends.low) if one.ends.counts and not one.open else None,
            weight=percent(one.weight),
        )
        for one in now.sections
    ]
    return WholeEvaluation(
        evaluation=_evaluation(line),
        asks=form,
        answers=given,
        sections=sections,
        comment=found.comment,
        disputes=[_dispute(one, line) for one in found.disputes],
        log=[_named(EvaluationStep, step) for step in found.log],
    )


def _evaluation(line: EvaluationLine) -> Evaluation:
    """A draft that is scored blind does not say whose call it is, as on its page."""
    same = [name for name in Evaluation.model_fields if name not in ("call_at", "operator_id", "operator")]
    values: dict[str, Any] = {name: getattr(line, name) for name in same}
    if not line.hidden:
        values |= {"operator_id": line.subject_id, "operator": line.operator}
    return Evaluation(call_at=line.began, **values)


def _dispute(one: DisputeLine, line: EvaluationLine) -> Dispute:
    own = ("id", "state", "opened_at", "said", "answered_at", "answer", "new_evaluation_id")
    return Dispute(
        **{name: getattr(one, name) for name in own},
        evaluation_id=line.id,
        call_id=line.call_id,
        operator_id=line.subject_id,
        operator=line.operator,
        questions=list(one.questions),
        answered_by=one.answered_name,
    )


def _version(one: Version) -> FormVersion:
    same = ("form_id", "n", "name", "state", "at", "by")
    return FormVersion(**{name: getattr(one, name) for name in same}, asks=one.form)


def _named(shape: Any, line: Any) -> Any:
    return shape(**{name: getattr(line, name) for name in shape.model_fields})
