"""How far graders are apart: of one call by question, and over many calls by grader. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from callcrm.quality.questions import NA, Form
from callcrm.quality.scoring import Answers, percent, share, value_of

#: From so many points on (of 100) graders are too far apart over a question or a call.
FAR = 25.0


@dataclass(frozen=True, slots=True)
class Apart:
    """Scores of one call: `off` is each grader's distance from the mean, `deviation` their standard deviation."""

    mean: float
    low: float
    high: float
    deviation: float
    off: Mapping[int, float]

    @property
    def spread(self) -> float:
        """From the lowest to the highest."""
        return round(self.high - self.low, 1)


@dataclass(frozen=True, slots=True)
class QuestionApart:
    """One question: what each grader answered ("" for one who was not asked), and how far apart that is in per cent.

    `mixed`: some found it not applicable, or were not asked, and others scored it.
    """

    key: str
    values: Mapping[int, str]
    spread: float
    mixed: bool

    @property
    def agree(self) -> bool:
        """Whether all said the same."""
        return len(set(self.values.values())) < 2


@dataclass(frozen=True, slots=True)
class Drift:
    """A grader over `calls` rounds: `bias` above (mild) or below (strict) the others' mean, `off` without sign."""

    calls: int
    bias: float
    off: float


def apart(scores: Mapping[int, float]) -> Apart | None:
    """How far the scores of one call are apart; None when there are fewer than two."""
    if len(scores) < 2:
        return None
    mean = sum(scores.values()) / len(scores)
    deviation = sqrt(sum((score - mean) ** 2 for score in scores.values()) / len(scores))
    off = {grader: round(score - mean, 1) for grader, score in scores.items()}
    return Apart(round(mean, 1), min(scores.values()), max(scores.values()), round(deviation, 1), off)


def by_question(form: Form, given: Mapping[int, tuple[frozenset[str], Answers]]) -> list[QuestionApart]:
    """Each question over the graders; `given`: by grader, what he was asked and what he answered."""
    return [_question(form, key, given) for key in (question.key for question in form.questions())]


def _question(form: Form, key: str, given: Mapping[int, tuple[frozenset[str], Answers]]) -> QuestionApart:
    question = form.question(key)
    assert question is not None
    values = {grader: value_of(key, said) if key in asked else "" for grader, (asked, said) in given.items()}
    counted = [share(question, value) for value in values.values() if value and value != NA]
    shares = [one for one in counted if one is not None]
    spread = percent(max(shares) - min(shares)) if shares else 0.0
    return QuestionApart(key, values, spread, 0 < len(shares) < len(values))


def drift(rounds: Iterable[Mapping[int, float]]) -> dict[int, Drift]:
    """Each grader against the mean of the others, over the rounds in which he had company."""
    found: dict[int, list[float]] = {}
    for scores in rounds:
        for grader, score in scores.items():
            others = [other for key, other in scores.items() if key != grader]
            if others:
                found.setdefault(grader, []).append(score - sum(others) / len(others))
    return {
        grader: Drift(len(off), round(sum(off) / len(off), 1), round(sum(map(abs, off)) / len(off), 1))
        for grader, off in found.items()
    }
