"""Changing a form that is not published yet: sections and questions come, go and change places. Pure.

Each gives a new form; what is asked for and cannot be done (the first moved up) gives the form as it was.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from callcrm.quality.questions import Condition, Form, Question, Section

Item = TypeVar("Item", Section, Question)


def add_section(form: Form) -> Form:
    """An empty section at the end; it takes what is left of 100 %."""
    left = max(0, 100 - sum(section.weight for section in form.sections))
    key = _fresh("s", [section.key for section in form.sections])
    return _with(form, (*form.sections, Section(key=key, weight=left)))


def add_question(form: Form, section: str) -> Form:
    """An empty question at the end of a section."""
    key = _fresh("q", [question.key for question in form.questions()])

    def add(one: Section) -> Section:
        new = Question(key=key)
        return one.model_copy(update={"questions": (*one.questions, new)}) if one.key == section else one

    return _with(form, tuple(add(one) for one in form.sections))


def remove(form: Form, key: str) -> Form:
    """Take a section or a question away; conditions that stood on it go with it."""
    kept = tuple(
        section.model_copy(update={"questions": tuple(one for one in section.questions if one.key != key)})
        for section in form.sections
        if section.key != key
    )
    there = {question.key for section in kept for question in section.questions}
    return changed(_with(form, kept), lambda one: _free(one, there))


def move(form: Form, key: str, step: int) -> Form:
    """A section or a question one place up (-1) or down (1); a question at an end goes on into the next section."""
    if any(section.key == key for section in form.sections):
        return _with(form, _moved(form.sections, key, step))
    at = next((n for n, section in enumerate(form.sections) if any(one.key == key for one in section.questions)), None)
    if at is None:
        return form
    here = form.sections[at].questions
    place = [one.key for one in here].index(key) + step
    if 0 <= place < len(here):
        inside = form.sections[at].model_copy(update={"questions": _moved(here, key, step)})
        return _with(form, (*form.sections[:at], inside, *form.sections[at + 1 :]))
    return _across(form, at, key, step)


def changed(form: Form, change: Callable[[Question], Question]) -> Form:
    """The form with every question changed."""
    sections = (
        section.model_copy(update={"questions": tuple(change(one) for one in section.questions)})
        for section in form.sections
    )
    return _with(form, tuple(sections))


def depend(question: Question, on: str, answers: Sequence[str]) -> Question:
    """The question asked only when `on` has one of these answers; always when `on` is empty."""
    when = Condition(question=on, answers=tuple(answers)) if on else None
    return question.model_copy(update={"when": when})


def _across(form: Form, at: int, key: str, step: int) -> Form:
    to = at + step
    if not 0 <= to < len(form.sections):
        return form
    sections = list(form.sections)
    one = next(one for one in sections[at].questions if one.key == key)
    rest = tuple(other for other in sections[at].questions if other.key != key)
    there = sections[to].questions
    sections[at] = sections[at].model_copy(update={"questions": rest})
    sections[to] = sections[to].model_copy(update={"questions": (*there, one) if step < 0 else (one, *there)})
    return _with(form, tuple(sections))


def _free(question: Question, there: set[str]) -> Question:
    gone = question.when is not None and question.when.question not in there
    return question.model_copy(update={"when": None}) if gone else question


def _moved(items: tuple[Item, ...], key: str, step: int) -> tuple[Item, ...]:
    listed = list(items)
    at = [item.key for item in listed].index(key)
    to = min(max(at + step, 0), len(listed) - 1)
    listed.insert(to, listed.pop(at))
    return tuple(listed)


def _with(form: Form, sections: tuple[Section, ...]) -> Form:
    return form.model_copy(update={"sections": sections})


def _fresh(letter: str, taken: Sequence[str]) -> str:
    n = len(taken) + 1
    while f"{letter}{n}" in taken:
        n += 1
    return f"{letter}{n}"
