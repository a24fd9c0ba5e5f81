"""Words of quality: states of evaluations and disputes, bands, kinds of questions, what the log says."""

from callcrm.quality.queries import EvaluationLine
from callcrm.quality.questions import NA, Form, Question
from webui.i18n import _
from webui.words import Mark

#: A band's look by its place from the top: best, then worse; the lowest is always red.
_TOPS = ("ok", "info", "warn", "late")
_ICONS = {"ok": "badge-check", "info": "check", "warn": "triangle-alert", "late": "octagon-x"}


def points(value: float | None) -> str:
    """A score without a tenth that says nothing; a dash where nothing counted."""
    return "—" if value is None else f"{value:.1f}".removesuffix(".0")


def band(form: Form, name: str) -> Mark | None:
    """A band with the colour and icon of its place: the best green, the lowest red."""
    names = [one.name for one in form.bands]
    if name not in names:
        return None
    from_top = len(names) - 1 - names.index(name)
    lowest = names.index(name) == 0 and len(names) > 1
    state = "late" if lowest else _TOPS[min(from_top, len(_TOPS) - 2)]
    return Mark(state, _ICONS[state], band_word(name))


def band_word(name: str) -> str:
    """The usual bands in the reader's language; others as their house calls them."""
    usual = {"Issue": _("Issue"), "Improve": _("Improve"), "Meets": _("Meets"), "Exceeds": _("Exceeds")}
    return usual.get(name, name)


def state(line: EvaluationLine) -> Mark:
    """How an evaluation stands."""
    if line.replaced_by is not None:
        return Mark("", "undo-2", _("Corrected"))
    if line.disputed:
        return Mark("late", "triangle-alert", _("Disputed"))
    if line.accepted_at is not None:
        return Mark("ok", "badge-check", _("Accepted"))
    if line.state == "draft":
        return Mark("warn", "pencil", _("Draft"))
    if line.state == "submitted":
        return Mark("info", "clock", _("Not released"))
    return Mark("info", "check", _("Seen") if line.seen_at else _("Released"))


def act(code: str) -> str:
    """What somebody did, as the log says it."""
    return {
        "begun": _("began the evaluation"),
        "submitted": _("submitted it"),
        "reopened": _("opened it again"),
        "released": _("released it to the operator"),
        "seen": _("read it"),
        "accepted": _("accepted the score"),
        "disputed": _("disputed the score"),
        "withdrawn": _("withdrew the dispute"),
        "kept": _("answered that the score stays"),
        "corrected": _("corrected the score"),
        "fatal noted": _("took note of the fatal error"),
        "emptied": _("The client was erased: what was written here is emptied, the score stays."),
    }.get(code, code)


def answer(question: Question, value: str) -> str:
    """An answer as it stands on its button."""
    if value in ("yes", "no", NA):
        return {"yes": _("Yes"), "no": _("No"), NA: _("N/A")}[value]
    if question.kind == "choice" and value.isdigit() and 0 < int(value) <= len(question.options):
        return question.options[int(value) - 1].label
    return value


def kind(code: str) -> str:
    """A kind of question."""
    return {"yes_no": _("Yes or no"), "choice": _("Choice with points"), "range": _("Range")}.get(code, code)


def severity(code: str) -> Mark | None:
    """The mark before a critical or fatal question."""
    return {
        "critical": Mark("warn", "triangle-alert", _("Critical")),
        "fatal": Mark("fatal", "octagon-x", _("Fatal")),
    }.get(code)


def comment(code: str) -> str:
    """When a question wants a comment."""
    return {"free": _("not required"), "lost": _("required when points are lost"), "always": _("always required")}.get(
        code, code
    )


def fault(said: str) -> str:
    """What is wrong with an answer, as the scoring says it, in the reader's language."""
    return {
        "an answer is missing": _("An answer is missing."),
        "a comment is required": _("A comment is required."),
        "choose one of the answers": _("Choose one of the answers."),
    }.get(said, said)
