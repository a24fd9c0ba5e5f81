"""What a quality form asks: sections with weights, questions of three kinds, conditions, bands. Pure.

A form is kept as JSON (`Form.model_dump(mode="json")`). A draft may be unfinished; `faults` says what keeps it
from being published. An answer is a word: "yes" or "no", the number of a choice (from 1), a number of the range,
or "na".
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["yes_no", "choice", "range"]
Severity = Literal["", "critical", "fatal"]
Comment = Literal["free", "lost", "always"]
KINDS: tuple[Kind, ...] = ("yes_no", "choice", "range")
SEVERITIES: tuple[Severity, ...] = ("", "critical", "fatal")
COMMENTS: tuple[Comment, ...] = ("free", "lost", "always")
NA = "na"
#: The most of each, so that a form stays one that a person can fill in.
SECTIONS, QUESTIONS, OPTIONS, STEPS, BANDS = 12, 60, 9, 11, 6


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Option(_Part):
    """One answer of a choice, and its points."""

    label: str = Field(default="", max_length=80)
    points: int = Field(default=0, ge=0, le=1000)


class Condition(_Part):
    """A question is asked only when another, earlier one has one of these answers."""

    question: str
    answers: tuple[str, ...] = ()


class Question(_Part):
    """One question. `points` is its weight within the section; a critical one weighs more, a failed fatal one is all.

    `wanted`: which answer to a yes/no earns the points. `na`: whether it may be not applicable. `comment`: whether
    one is required: never, when points are lost, or always.
    """

    key: str
    text: str = Field(default="", max_length=300)
    help: str = Field(default="", max_length=500)
    kind: Kind = "yes_no"
    points: int = Field(default=1, ge=1, le=100)
    options: tuple[Option, ...] = ()
    low: int = Field(default=1, ge=0, le=100)
    high: int = Field(default=5, ge=0, le=100)
    wanted: Literal["yes", "no"] = "yes"
    na: bool = True
    comment: Comment = "free"
    severity: Severity = ""
    when: Condition | None = None

    def answers(self) -> tuple[str, ...]:
        """Every answer that it takes, in the order in which they are shown."""
        if self.kind == "yes_no":
            words: tuple[str, ...] = ("yes", "no")
        elif self.kind == "choice":
            words = tuple(str(n) for n in range(1, len(self.options) + 1))
        else:
            words = tuple(str(n) for n in range(self.low, self.high + 1))
        return (*words, NA) if self.na else words


class Section(_Part):
    """Questions that share a weight (per cent of the whole); `compliance`: they make the separate score, too."""

    key: str
    title: str = Field(default="", max_length=80)
    weight: int = Field(default=0, ge=0, le=100)
    compliance: bool = False
    questions: tuple[Question, ...] = ()


class Band(_Part):
    """A word for scores up to and including `upto`."""

    name: str = Field(default="", max_length=40)
    upto: int = Field(default=100, ge=0, le=100)


USUAL_BANDS = tuple(
    Band(name=name, upto=upto) for name, upto in (("Issue", 25), ("Improve", 50), ("Meets", 75), ("Exceeds", 100))
)


class Form(_Part):
    """What a version of a form asks, and what is done with its scores.

    `critical_times`: so many times its points a critical question weighs. `release`: whether a submitted
    evaluation goes to the operator at once or when a supervisor releases it. `dispute_days`: so long he may
    dispute it (0: always). `blind`: the grader does not see whose call it is. `queues`: of which calls it is
    the form that is offered first (none: of all).
    """

    sections: tuple[Section, ...] = ()
    bands: tuple[Band, ...] = USUAL_BANDS
    critical_times: int = Field(default=2, ge=1, le=10)
    release: Literal["submit", "hand"] = "submit"
    dispute_days: int = Field(default=14, ge=0, le=365)
    blind: bool = False
    queues: tuple[str, ...] = ()

    def questions(self) -> Iterator[Question]:
        """Every question, in order."""
        for section in self.sections:
            yield from section.questions

    def question(self, key: str) -> Question | None:
        """One question by its key."""
        return next((question for question in self.questions() if question.key == key), None)

    def band(self, score: float) -> Band | None:
        """The band of a score; a score between two whole numbers belongs to the nearer one."""
        whole = int(score + 0.5)
        return next((band for band in self.bands if whole <= band.upto), None)


def faults(form: Form) -> dict[str, str]:
    """What keeps a form from being published, by place: section key, question key, `sections`, `bands`."""
    wrong: dict[str, str] = {}
    if sum(section.weight for section in form.sections) != 100:
        total = sum(section.weight for section in form.sections)
        wrong["sections"] = f"The weights of the sections are {total} % together; make them 100 %."
    if not 0 < len(form.sections) <= SECTIONS:
        wrong["sections"] = f"A form has 1 to {SECTIONS} sections; add one."
    if len(list(form.questions())) > QUESTIONS:
        wrong["sections"] = f"A form has at most {QUESTIONS} questions; take some away."
    if said := _of_bands(form.bands):
        wrong["bands"] = said
    earlier: dict[str, Question] = {}
    for section in form.sections:
        if not section.title or not section.questions or not section.weight:
            wrong[section.key] = "A section needs a title, a weight and a question."
        for question in section.questions:
            if said := _of_question(question, earlier):
                wrong[question.key] = said
            earlier[question.key] = question
    return wrong


def _of_bands(bands: tuple[Band, ...]) -> str:
    ends = [band.upto for band in bands]
    if not 0 < len(bands) <= BANDS or not all(band.name for band in bands):
        return f"Give 1 to {BANDS} bands, each with a name."
    if ends != sorted(set(ends)) or ends[-1] != 100:
        return "Each band must end above the one before, and the last at 100."
    return ""


def _of_question(question: Question, earlier: Mapping[str, Question]) -> str:
    if not question.text:
        return "Write what is asked."
    if question.kind == "range" and not 1 <= question.high - question.low < STEPS:
        return f"A range goes up, over 2 to {STEPS} numbers."
    if question.kind == "choice":
        labels = [option.label for option in question.options]
        if not 2 <= len(labels) <= OPTIONS or not all(labels) or len(set(labels)) < len(labels):
            return f"A choice has 2 to {OPTIONS} answers, each with a text of its own."
        if len({option.points for option in question.options}) < 2:
            return "The answers of a choice must differ in points."
    return _of_condition(question, earlier)


def _of_condition(question: Question, earlier: Mapping[str, Question]) -> str:
    if question.when is None:
        return ""
    other = earlier.get(question.when.question)
    if other is None:
        return "The question that it depends on must stand before it."
    if not question.when.answers or not set(question.when.answers) <= set(other.answers()):
        return "Say at which answers of the other question it is asked."
    return ""
