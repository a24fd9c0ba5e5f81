"""The score form beside a call: sections and questions as they stand, the running total, and what may be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callcrm.quality.forms import Version
from callcrm.quality.questions import NA, Form, Question
from callcrm.quality.scoring import Answer, Answers, Score, percent, score, value_of, wants_comment
from webui import scorewords, show
from webui.i18n import _, ngettext
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer's button; `key` is the digit that presses it."""

    value: str
    word: str
    checked: bool
    key: str


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question as it stands. `says`: what is wrong with it; `hint`: what "No" does; `lost`: it earned nothing."""

    key: str
    text: str
    help: str
    mark: Mark | None
    choices: tuple[Choice, ...]
    long: bool
    comment: str
    at_s: float | None
    at: str
    asked: bool
    rule: str
    silent: bool
    says: str
    hint: str
    said: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section with its weight, and the points that it has so far."""

    key: str
    title: str
    weight: int
    points: str
    questions: tuple[QuestionView, ...]


@dataclass(frozen=True, slots=True)
class BandView:
    """A stretch of the scale, in per cent."""

    x: float
    width: float
    word: str
    upto: int


@dataclass(frozen=True, slots=True)
class Total:
    """The foot of the form: points so far, how far they can still go, and where that lies."""

    points: str
    best: str
    now: float
    may: float
    left: str
    band: Mark | None
    bands: tuple[BandView, ...]
    fatal: str
    compliance: str
    said: str
    final: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A filled form, to be read or to be filled in."""

    sections: tuple[SectionView, ...]
    total: Total
    complete: bool


def sheet_of(form: Form, answers: Answers, bad: Mapping[str, str] | None = None) -> Sheet:
    """The form as it is filled in so far; `bad`: what was refused, by question."""
    found = score(form, answers)
    points = {one.key: (one.ends, one.weight, one.open) for one in found.sections}
    sections = []
    for section in form.sections:
        ends, weight, waits = points[section.key]
        shown = scorewords.points(percent(ends.low * weight)) if ends.counts else "—"
        views = tuple(_question(one, answers, found, (bad or {}).get(one.key, "")) for one in section.questions)
        untouched = waits and not any(value_of(one.key, answers) for one in section.questions)
        sections.append(SectionView(section.key, section.title, section.weight, "…" if untouched else shown, views))
    return Sheet(tuple(sections), total_of(form, found), found.complete)


def _question(question: Question, answers: Answers, found: Score, wrong: str) -> QuestionView:
    answer = answers.get(question.key, Answer())
    values = question.answers()
    choices = tuple(
        Choice(value, scorewords.answer(question, value), value == answer.value, _key(question, n, value))
        for n, value in enumerate(values, start=1)
    )
    silent = wants_comment(question, answers)
    fatal = _("“%(answer)s” makes the whole score 0 and is told to the supervisors.")
    worst = "no" if question.wanted == "yes" else "yes"
    at = show.duration(answer.at_s) if answer.at_s is not None else ""
    return QuestionView(
        key=question.key,
        text=question.text,
        help=question.help,
        mark=scorewords.severity(question.severity),
        choices=choices,
        long=question.kind == "choice" and sum(len(one.word) for one in choices) > 26,
        comment=answer.comment,
        at_s=answer.at_s,
        at=at,
        asked=question.key in found.asked,
        rule=question.comment,
        silent=silent,
        says=scorewords.fault(wrong),
        hint=fatal % {"answer": scorewords.answer(question, worst if question.kind == "yes_no" else values[0])}
        if question.severity == "fatal"
        else "",
        said=scorewords.answer(question, answer.value) if answer.value else _("No answer"),
    )


def _key(question: Question, n: int, value: str) -> str:
    """Its digit: the number itself where it is one, else its place; 0 is N/A."""
    if value == NA:
        return "0"
    if question.kind == "range" and len(value) == 1 and value != "0":
        return value
    return str(n) if n < 10 and question.kind != "range" else ""


def total_of(form: Form, found: Score) -> Total:
    """The foot of the form."""
    now, best = found.total, found.best
    judged = found.complete or found.fatal or bool(now)  # a form that was just opened says nothing of the operator
    where = form.band(now) if now is not None and judged else None
    fatal = ""
    if found.fatal:
        was = scorewords.points(found.earned)
        fatal = _("Fatal error: the whole score is 0 instead of %(points)s.") % {"points": was}
    law = scorewords.points(found.complied) if any(one.compliance for one in form.sections) else ""
    mark = scorewords.band(form, where.name) if where else None
    return Total(
        points=scorewords.points(now),
        best=scorewords.points(best),
        now=now or 0.0,
        may=best or 0.0,
        left=_left(found),
        band=mark,
        bands=_bands(form),
        fatal=fatal,
        compliance=law,
        said=_("%(points)s of 100") % {"points": scorewords.points(now)} + (f", {mark.word}" if mark else ""),
        final=found.complete,
    )


def _left(found: Score) -> str:
    if found.open:
        n = len(found.open)
        ends = {"low": scorewords.points(found.total), "high": scorewords.points(found.best), "n": n}
        return ngettext("%(n)s left: ends at %(low)s to %(high)s", "%(n)s left: ends at %(low)s to %(high)s", n) % ends
    if found.silent:
        n = len(found.silent)
        return ngettext("%(n)s comment is missing", "%(n)s comments are missing", n) % {"n": n}
    return _("All questions are answered") if found.whole.counts else _("Nothing counts: every answer is N/A")


def _bands(form: Form) -> tuple[BandView, ...]:
    found, begin = [], 0
    for one in form.bands:
        found.append(BandView(begin, one.upto - begin, scorewords.band_word(one.name), one.upto))
        begin = one.upto
    return tuple(found)


def read(form: Mapping[str, str]) -> dict[str, Answer]:
    """What a score form sent: `a.KEY` the answer, `c.KEY` the comment, `t.KEY` the second that it speaks of."""
    keys = {name[2:] for name in form if name[:2] in ("a.", "c.", "t.")}
    return {key: Answer(form.get(f"a.{key}", ""), form.get(f"c.{key}", ""), _second(form, key)) for key in keys}


def _second(form: Mapping[str, str], key: str) -> float | None:
    try:
        return float(form[f"t.{key}"]) if form.get(f"t.{key}") else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Docked:
    """What stands right of a call's story. `how`: fill (a form to fill in), read, or none published (empty).

    `forms` and `operators`: what may be chosen before the first answer: code, word.
    """

    how: str
    call: str
    asked: Version | None = None
    sheet: Sheet | None = None
    evaluation_id: int = 0
    version: int = 0
    operator_id: int = 0
    operator: str = ""
    comment: str = ""
    calibration_id: int = 0
    corrects: int = 0
    blind: bool = False
    saved: Any = None
    forms: Sequence[tuple[str, str]] = ()
    operators: Sequence[tuple[str, str]] = ()
    says: str = ""
    next: bool = False
    template: str = "quality/docked.html"

    @property
    def title(self) -> str:
        """What the form is called among the page's parts."""
        return _("Score")
