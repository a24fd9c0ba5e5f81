# ruff: noqa: RUF012 - pydantic copies defaults for each instance
"""What the API gives of quality: forms, evaluations, disputes, what is to be reviewed, coaching lists."""

from typing import Literal

from pydantic import AwareDatetime, Field

from callcrm.push.shapes import Moment
from callcrm.quality.questions import Form
from webui.api.endpoint import Shape
from webui.api.shapes import Id, ListQuery

EvaluationState = Literal["draft", "submitted", "released"]
DisputeState = Literal["open", "kept", "corrected", "withdrawn"]


class QualityForm(Shape):
    """A quality form: its newest published version, its draft, and how many evaluations stand on it."""

    id: int
    name: str
    published: int | None = Field(default=None, description="The number of the version that is scored on now.")
    draft: int | None = None
    used: int
    retired_at: Moment | None = None


class QualityFormPage(Shape):
    """All forms, those in use first."""

    items: list[QualityForm]
    next: str | None = None


class FormVersion(Shape):
    """One version of a form; a published one never changes."""

    form_id: int
    n: int
    name: str
    state: Literal["draft", "published"]
    at: Moment = Field(description="When it was published, or the draft last changed.")
    by: str
    asks: Form


class FormVersionPage(Shape):
    """A form's versions, the newest first."""

    items: list[FormVersion]
    next: str | None = None


class EvaluationsQuery(ListQuery):
    """Filters of the evaluations."""

    show: Literal["", "mine", "waiting", "disputed", "fatal", "own"] = Field(
        default="",
        description="Left out: all but drafts and one's own scores (an operator: those that he was given). mine: own "
        "drafts; waiting: submitted, not released; disputed; fatal: not taken note of; own: given to the asker.",
    )
    call: str | None = Field(default=None, max_length=40, description="A call's id.")
    operator: Id | None = Field(default=None, description="The account's id of who is scored.")
    grader: Id | None = Field(default=None, description="The account's id of who scores.")
    form: Id | None = Field(default=None, description="A form's id.")
    since: AwareDatetime | None = Field(default=None, description="Of calls not before this moment.")
    until: AwareDatetime | None = Field(default=None, description="Of calls before this moment.")


class Evaluation(Shape):
    """One grader's score of one operator's part in a call; scores are per cent, null until it was submitted."""

    id: int
    call_id: str
    call_at: Moment = Field(description="When the call began, in whole seconds.")
    form_id: int
    form_n: int
    form_name: str
    operator_id: int | None = Field(default=None, description="Null in a draft that is scored blind.")
    operator: str = ""
    grader_id: int
    grader: str
    state: EvaluationState
    score: float | None = None
    earned: float | None = Field(default=None, description="As if nothing were fatal.")
    compliance: float | None = None
    band: str = ""
    fatal: int = Field(default=0, description="How many fatal questions failed.")
    critical: int = 0
    blind: bool = False
    calibration_id: int | None = Field(default=None, description="Given in a round of calibration: counts nowhere.")
    replaces_id: int | None = Field(default=None, description="The evaluation that it corrects after a dispute.")
    replaced_by: int | None = None
    disputed: bool = Field(default=False, description="An open dispute waits for an answer.")
    created_at: Moment
    changed_at: Moment
    submitted_at: Moment | None = None
    released_at: Moment | None = None
    seen_at: Moment | None = Field(default=None, description="When its operator last had something new in it and read.")
    accepted_at: Moment | None = None
    fatal_seen_at: Moment | None = None
    version: int


class EvaluationPage(Shape):
    """A page of evaluations, the last changed first."""

    items: list[Evaluation]
    next: str | None = None


class QualityAnswer(Shape):
    """What was answered to one question of the form."""

    question: str = Field(description="Its key in the form.")
    asked: bool = Field(description="False: its condition does not hold, so it counts nowhere.")
    value: str = Field(description="yes or no, a choice's number (from 1), a number of the range, na; empty: open.")
    share: float | None = Field(default=None, description="0 to 1 of its points; null where it does not count.")
    comment: str = ""
    at_s: float | None = Field(default=None, description="The second of the call that it speaks of.")


class SectionResult(Shape):
    """A section's own score, and the part of the whole that it stands for, in per cent."""

    section: str
    score: float | None = None
    weight: float


class Dispute(Shape):
    """An operator's objection to his score, and the answer to it."""

    id: int
    evaluation_id: int
    call_id: str
    operator_id: int
    operator: str
    state: DisputeState
    opened_at: Moment
    said: str
    questions: list[str] = Field(default=[], description="Keys of those that he disputes; none: the whole.")
    answered_at: Moment | None = None
    answered_by: str = ""
    answer: str = ""
    new_evaluation_id: int | None = Field(default=None, description="What stands in its place where it was corrected.")


class DisputesQuery(ListQuery):
    """Filters of the disputes."""

    state: DisputeState | None = None


class DisputePage(Shape):
    """A page of disputes, the newest first."""

    items: list[Dispute]
    next: str | None = None


class EvaluationStep(Shape):
    """A line of an evaluation's log."""

    at: Moment
    person: str
    act: str
    said: str = ""


class WholeEvaluation(Shape):
    """An evaluation with what was asked and answered, its disputes and its log."""

    evaluation: Evaluation
    asks: Form
    answers: list[QualityAnswer]
    sections: list[SectionResult]
    comment: str = ""
    disputes: list[Dispute]
    log: list[EvaluationStep]


class ReviewReason(Shape):
    """What tells of a risk in a call: the rule, what was found (seconds, calls or a word), from where on it counts."""

    rule: str = Field(description="long_hold, repeat_caller, talk_over, short_call or complaint.")
    found: float | str
    limit: float | None = None
    times: int = 0


class Review(Shape):
    """A call that was drawn to be reviewed."""

    id: int
    call_id: str
    at: Moment
    week: str = Field(description="The Monday of its week on the house's clock.")
    operator_id: int | None = Field(default=None, description="Null where its form is scored blind and it waits.")
    operator: str = ""
    talk_s: float | None = None
    queue: str | None = None
    by: Literal["lot", "risk"]
    place: int = Field(description="Its place in the draw, of `of` calls in the pot.")
    of: int
    reasons: list[ReviewReason] = []
    state: Literal["waiting", "reviewed", "skipped"]
    reason: str = Field(default="", description="Why it was skipped.")
    taken_by: int | None = Field(default=None, description="Who has it open now.")
    evaluation_id: int | None = None


class ReviewsQuery(Shape):
    """How many of the next calls are wanted."""

    limit: int = Field(default=20, ge=1, le=200)


class ReviewPage(Shape):
    """Calls to review, the next one first."""

    items: list[Review]
    next: str | None = None


class ProgressQuery(Shape):
    """Of which week."""

    week: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$", description="Its Monday; left out: the newest.")


class OperatorProgress(Shape):
    """How far the plan has got with one operator's week."""

    operator_id: int
    operator: str
    lots: int
    risks: int
    reviewed: int
    skipped: int
    left: int


class ProgressPage(Shape):
    """A week's progress by operator, and the weeks that were drawn from."""

    week: str
    weeks: list[str]
    items: list[OperatorProgress]
    next: str | None = None


class CoachingQuery(Shape):
    """Which lists."""

    away: bool = Field(default=False, description="Those that were put away, for who makes lists.")


class CoachingList(Shape):
    """Moments of calls that play in a row; `heard` of its `moments` by the asker, where it was `given` to him."""

    id: int
    title: str
    note: str = ""
    made_by: str
    made_at: Moment
    put_away_at: Moment | None = None
    mine: bool = Field(description="The asker may change it.")
    given: bool
    moments: int
    seconds: float
    heard: int
    people: int = Field(description="How many have it.")
    done: int = Field(description="How many of them heard all of it.")
    version: int


class CoachingPage(Shape):
    """The asker's lists, the newest first."""

    items: list[CoachingList]
    next: str | None = None


class CoachingMoment(Shape):
    """A stretch of a recording. Of a colleague's call, an operator is told neither the call nor whose it is."""

    id: int
    call_id: str | None = None
    n: int
    at: Moment
    operator: str = ""
    from_s: float
    to_s: float
    words: str = ""
    state: str = Field(description="Of its recording, as in a call's recordings.")
    cause: str = ""
    heard_at: Moment | None = Field(default=None, description="When the asker heard it to its end.")


class CoachingListener(Shape):
    """Somebody who has the list."""

    operator_id: int
    operator: str
    given_at: Moment
    given_by: str
    heard: int
    last_at: Moment | None = None


class WholeCoachingList(Shape):
    """A list with its moments in order, and for who made it those who have it."""

    coaching: CoachingList
    moments: list[CoachingMoment]
    people: list[CoachingListener] = []
