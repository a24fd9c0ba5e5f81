"""How answers become a score. Pure, and exact: fractions until something is shown.

A question earns a share of its points, a section the share of its questions' points, the whole the share of its
sections' weights. What is not applicable or not asked counts in neither sum, so that its weight falls to the
others; a section of which nothing counts gives its weight to the other sections. A critical question weighs
`critical_times` its points. A failed fatal one makes the whole 0; what would have been earned stays known.
The separate compliance score is that of the compliance sections alone, whatever was fatal.

While questions are open there are two ends: `low` as if each of them failed, `high` as if each was answered best.
No answer that is still possible, N/A included, leads outside of them, but for a fatal error.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from callcrm.quality.questions import NA, Form, Question, Section

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to one question; "" while it is open. `at_s`: the second of the call that it speaks of."""

    value: str = ""
    comment: str = ""
    at_s: float | None = None


Answers = Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Ends:
    """A share of 1 between the worst and the best that it can still become; `counts` says whether there is one."""

    low: Fraction
    high: Fraction
    counts: bool = True


@dataclass(frozen=True, slots=True)
class SectionScore:
    """A section: its share, and the points of the whole that it stands for after weights were given on."""

    key: str
    ends: Ends
    weight: Fraction
    open: int


@dataclass(frozen=True, slots=True)
class Score:
    """The whole. `asked`: keys of the questions that are asked now; `open` of them without an answer;
    `silent`: answered, but a comment is required; `fatal`, `critical`: failed ones."""

    whole: Ends
    compliance: Ends
    sections: tuple[SectionScore, ...]
    asked: frozenset[str]
    open: tuple[str, ...]
    silent: tuple[str, ...]
    fatal: tuple[str, ...]
    critical: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether it can be submitted."""
        return not self.open and not self.silent

    @property
    def earned(self) -> float | None:
        """Per cent as if nothing were fatal; None where nothing counts."""
        return percent(self.whole.low) if self.whole.counts else None

    @property
    def total(self) -> float | None:
        """Per cent; 0 after a fatal error, None where nothing counts."""
        return 0.0 if self.fatal else self.earned

    @property
    def best(self) -> float | None:
        """Per cent, the most that can still be reached."""
        if not self.whole.counts and not self.fatal:
            return None
        return 0.0 if self.fatal else percent(self.whole.high)

    @property
    def complied(self) -> float | None:
        """Per cent of the compliance sections; None where there is nothing of it."""
        return percent(self.compliance.low) if self.compliance.counts else None


def percent(share: Fraction) -> float:
    """A share as per cent with one decimal, halves up."""
    exact = share * 100
    return float((Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.1"), ROUND_HALF_UP))


def share(question: Question, value: str) -> Fraction | None:
    """What part of its points an answer earns; None for N/A. Raises ValueError for an answer that it does not take."""
    if value not in question.answers():
        raise ValueError(f"{question.key}: {value!r} is none of {', '.join(question.answers())}")
    if value == NA:
        return None
    if question.kind == "yes_no":
        return _ONE if value == question.wanted else _ZERO
    if question.kind == "range":
        return Fraction(int(value) - question.low, question.high - question.low)
    points = [option.points for option in question.options]
    return Fraction(points[int(value) - 1], max(points) or 1)


def score(form: Form, answers: Answers) -> Score:
    """The score of what has been answered so far."""
    asked = _asked(form, answers)
    possible = _asked(form, answers, possibly=True)
    sections = tuple(_section(form, section, answers, asked, possible) for section in form.sections)
    parts = list(zip(sections, form.sections, strict=True))
    given = [question for question in form.questions() if question.key in asked]
    failed = [question for question in given if _failed(question, answers)]
    return Score(
        whole=_together((each.ends, Fraction(section.weight)) for each, section in parts),
        compliance=_together((each.ends, Fraction(section.weight)) for each, section in parts if section.compliance),
        sections=_weighed(sections, form),
        asked=asked,
        open=tuple(question.key for question in given if not value_of(question.key, answers)),
        silent=tuple(question.key for question in given if wants_comment(question, answers)),
        fatal=tuple(question.key for question in failed if question.severity == "fatal"),
        critical=tuple(question.key for question in failed if question.severity == "critical"),
    )


def value_of(key: str, answers: Answers) -> str:
    """The answer to a question, "" while there is none."""
    return answers[key].value if key in answers else ""


def wants_comment(question: Question, answers: Answers) -> bool:
    """Whether its answer still lacks the comment that the form requires."""
    answer = answers.get(question.key, Answer())
    if not answer.value or answer.comment.strip() or question.comment == "free":
        return False
    earned = share(question, answer.value)
    return question.comment == "always" or (earned is not None and earned < 1)


def _failed(question: Question, answers: Answers) -> bool:
    value = value_of(question.key, answers)
    return bool(value) and share(question, value) == 0


def _asked(form: Form, answers: Answers, *, possibly: bool = False) -> frozenset[str]:
    """The questions whose conditions hold; `possibly`: also those whose conditions are still open."""
    found: set[str] = set()
    for question in form.questions():
        if question.when is None:
            found.add(question.key)
        elif question.when.question in found:
            said = value_of(question.when.question, answers)
            if said in question.when.answers or (possibly and not said):
                found.add(question.key)
    return frozenset(found)


def _section(
    form: Form, section: Section, answers: Answers, asked: frozenset[str], possible: frozenset[str]
) -> SectionScore:
    parts: list[tuple[Ends, Fraction]] = []
    for question in section.questions:
        if question.key not in possible:
            continue
        weight = Fraction(question.points * (form.critical_times if question.severity == "critical" else 1))
        value = value_of(question.key, answers) if question.key in asked else ""
        parts.append((_ends(question, value), weight))
    waiting = sum(1 for q in section.questions if q.key in asked and not value_of(q.key, answers))
    return SectionScore(section.key, _together(parts), _ZERO, waiting)


def _ends(question: Question, value: str) -> Ends:
    if not value:
        return Ends(_ZERO, _ONE)
    earned = share(question, value)
    return Ends(_ZERO, _ZERO, False) if earned is None else Ends(earned, earned)


def _together(parts: Iterable[tuple[Ends, Fraction]]) -> Ends:
    """The weighted mean of what counts."""
    counted = [(ends, weight) for ends, weight in parts if ends.counts and weight]
    total = sum((weight for _ends, weight in counted), _ZERO)
    if not total:
        return Ends(_ZERO, _ZERO, False)
    low = sum((ends.low * weight for ends, weight in counted), _ZERO) / total
    return Ends(low, sum((ends.high * weight for ends, weight in counted), _ZERO) / total)


def _weighed(sections: tuple[SectionScore, ...], form: Form) -> tuple[SectionScore, ...]:
    """Each section with the share of the whole that it stands for."""
    weights = {section.key: Fraction(section.weight) for section in form.sections}
    total = sum((weights[each.key] for each in sections if each.ends.counts), _ZERO)
    return tuple(
        SectionScore(each.key, each.ends, weights[each.key] / total if each.ends.counts and total else _ZERO, each.open)
        for each in sections
    )
