"""The form editor's fields: a form as they are filled, and what was typed as a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callcrm.quality.questions import COMMENTS, KINDS, SEVERITIES, Band, Condition, Form, Option, Question, Section
from webui.i18n import _


@dataclass
class Posted:
    """What was typed, read field by field; what cannot be read keeps what was there, and is told."""

    form: Mapping[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, held: int, low: int, high: int, place: str) -> int:
        """A whole number between two others."""
        typed = self.form.get(name)
        if typed is None:
            return held
        if typed.isascii() and typed.isdigit() and len(typed) < 6 and low <= int(typed) <= high:
            return int(typed)
        said = {"typed": typed, "low": low, "high": high}
        self.wrong[place] = _("“%(typed)s” is no whole number from %(low)s to %(high)s.") % said
        return held

    def one_of(self, name: str, held: str, known: tuple[str, ...]) -> str:
        """A code from a list."""
        typed = self.form.get(name, held)
        return typed if typed in known else held

    def text(self, name: str, held: str, length: int) -> str:
        """A line of text."""
        return " ".join(self.form.get(name, held).split())[:length]


def read(form: Form, typed: Mapping[str, str]) -> tuple[Form, dict[str, str]]:
    """The form with what was typed in the editor, and what is wrong by place."""
    posted = Posted(typed)
    sections = tuple(_section(posted, section) for section in form.sections)
    values: dict[str, Any] = {
        "sections": sections,
        "critical_times": posted.number("critical_times", form.critical_times, 1, 10, "more"),
        "dispute_days": posted.number("dispute_days", form.dispute_days, 0, 365, "more"),
        "release": posted.one_of("release", form.release, ("submit", "hand")),
        "blind": typed.get("blind", "no") == "yes" if "release" in typed else form.blind,
        "queues": tuple(_lines(typed["queues"], ",")) if "queues" in typed else form.queues,
        "bands": _bands(posted, form.bands),
    }
    return form.model_copy(update=values), posted.wrong


def _section(posted: Posted, held: Section) -> Section:
    name = f"s.{held.key}."
    if name + "title" not in posted.form:
        return held
    questions = tuple(_question(posted, question) for question in held.questions)
    values = {
        "title": posted.text(name + "title", held.title, 80),
        "weight": posted.number(name + "weight", held.weight, 0, 100, held.key),
        "compliance": posted.form.get(name + "law") == "yes",
        "questions": questions,
    }
    return held.model_copy(update=values)


def _question(posted: Posted, held: Question) -> Question:
    name = f"q.{held.key}."
    if name + "text" not in posted.form:
        return held
    values: dict[str, Any] = {
        "text": posted.text(name + "text", held.text, 300),
        "help": posted.text(name + "help", held.help, 500),
        "kind": posted.one_of(name + "kind", held.kind, KINDS),
        "points": posted.number(name + "points", held.points, 1, 100, held.key),
        "severity": posted.one_of(name + "severity", held.severity, SEVERITIES),
        "comment": posted.one_of(name + "comment", held.comment, COMMENTS),
        "wanted": posted.one_of(name + "wanted", held.wanted, ("yes", "no")),
        "na": posted.form.get(name + "na") == "yes",
        "low": posted.number(name + "low", held.low, 0, 100, held.key),
        "high": posted.number(name + "high", held.high, 0, 100, held.key),
        "options": _options(posted, held),
        "when": _condition(posted, held),
    }
    return held.model_copy(update=values)


def _condition(posted: Posted, held: Question) -> Condition | None:
    """On which question it depends, and at which of its answers; another question's answers are chosen anew."""
    on = posted.form.get(f"q.{held.key}.on", "")
    if not on:
        return None
    before = held.when is not None and held.when.question == on
    prefix = f"q.{held.key}.at."
    chosen = tuple(name.removeprefix(prefix) for name in posted.form if name.startswith(prefix))
    return Condition(question=on, answers=chosen if before else ())


def _options(posted: Posted, held: Question) -> tuple[Option, ...]:
    typed = posted.form.get(f"q.{held.key}.options")
    if typed is None:
        return held.options
    found = []
    for line in _lines(typed, "\n"):
        label, _sign, number = line.rpartition("=")
        if not label.strip() or not number.strip().isascii() or not number.strip().isdigit() or len(number) > 5:
            posted.wrong[held.key] = _("Write each answer and its points like: Client chose = 2")
            return held.options
        found.append(Option(label=label.strip()[:80], points=min(int(number), 1000)))
    return tuple(found[:20])


def _bands(posted: Posted, held: tuple[Band, ...]) -> tuple[Band, ...]:
    typed = posted.form.get("bands")
    if typed is None:
        return held
    found = []
    for line in _lines(typed, "\n"):
        name, _sign, upto = line.rpartition("=")
        number = upto.strip()
        if not name.strip() or not number.isascii() or not number.isdigit() or int(number[:4]) > 100:
            posted.wrong["bands"] = _("Write each band and where it ends like: Meets = 75")
            return held
        found.append(Band(name=name.strip()[:40], upto=int(number)))
    return tuple(found[:20])


def _lines(text: str, sign: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").split(sign) if line.strip()]


def options_text(question: Question) -> str:
    """The answers of a choice as they are typed."""
    return "\n".join(f"{option.label} = {option.points}" for option in question.options)


def bands_text(form: Form) -> str:
    """The bands as they are typed."""
    return "\n".join(f"{band.name} = {band.upto}" for band in form.bands)


def usual() -> Form:
    """What many houses begin with, in the reader's language."""
    opening = (
        Question(key="q1", text=_("Greeted with the name of the line and the own name")),
        Question(key="q2", text=_("Found the need with open questions"), kind="range", points=2),
    )
    law = (
        Question(key="q3", text=_("Said that the call is recorded"), na=False),
        Question(key="q4", text=_("Card number kept out of the recording"), severity="fatal", comment="lost"),
    )
    solved = (
        Question(key="q5", text=_("Offer fits what the client asked"), kind="range", points=4),
        Question(key="q6", text=_("Next step with a date"), points=3),
    )
    talked = (
        Question(key="q7", text=_("Asked before putting on hold"), severity="critical", comment="lost"),
        Question(key="q8", text=_("Calm, clear, not over the client"), kind="range", points=2),
    )
    return Form(
        sections=(
            Section(key="s1", title=_("Opening"), weight=15, questions=opening),
            Section(key="s2", title=_("Compliance"), weight=25, compliance=True, questions=law),
            Section(key="s3", title=_("Resolution"), weight=35, questions=solved),
            Section(key="s4", title=_("Communication"), weight=25, questions=talked),
        )
    )
