"""Answers between their row, the form and a person: JSON of the row ⇄ answers, and what a score writes to its row."""

from collections.abc import Mapping
from typing import Any

from callcrm.kernel.errors import Invalid
from callcrm.quality.questions import Form
from callcrm.quality.scoring import Answer, Answers, Score, share

COMMENT_LENGTH = 2000
#: No call is longer than this, in seconds.
LONGEST_S = 48 * 3600.0


def answers_of(row: Mapping[str, Any]) -> dict[str, Answer]:
    """The answers as they were kept."""
    return {
        key: Answer(str(kept.get("value", "")), str(kept.get("comment", "")), kept.get("at_s"))
        for key, kept in row.items()
    }


def as_row(answers: Answers) -> dict[str, Any]:
    """The answers as they are kept: without those that say nothing."""
    return {
        key: {"value": one.value, "comment": one.comment, "at_s": one.at_s}
        for key, one in answers.items()
        if one.value or one.comment
    }


def checked(form: Form, answers: Answers) -> dict[str, Answer]:
    """What was sent, as the form takes it. Raises Invalid with the questions that are wrong."""
    wrong: dict[str, str] = {}
    kept: dict[str, Answer] = {}
    for key, answer in answers.items():
        question = form.question(key)
        if question is None:
            continue  # of another version of the form
        try:
            if answer.value:
                share(question, answer.value)
        except ValueError:
            wrong[key] = "choose one of the answers"
        if len(answer.comment) > COMMENT_LENGTH:
            wrong[key] = f"a comment has at most {COMMENT_LENGTH} characters"
        kept[key] = Answer(answer.value, answer.comment.strip(), _second(answer.at_s))
    if wrong:
        raise Invalid("Some answers cannot be taken.", wrong)
    return kept


def _second(at_s: float | None) -> float | None:
    return round(at_s, 1) if at_s is not None and 0 <= at_s <= LONGEST_S else None


def figures(form: Form, found: Score) -> dict[str, Any]:
    """The columns of a finished evaluation that its score fills."""
    band = form.band(found.total) if found.total is not None else None
    return {
        "score": found.total,
        "earned": found.earned,
        "compliance": found.complied,
        "band": band.name if band else "",
        "fatal": len(found.fatal),
        "critical": len(found.critical),
    }
