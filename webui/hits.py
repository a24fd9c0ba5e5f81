"""What a search found, as lines of the palette: a word, a remark, where it leads, with what was typed marked in it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup, escape

from callcrm.accounts.policy import HIDDEN
from callcrm.calls.log import CallLine
from callcrm.clients.queries import ClientLine, NumberLine, OrganisationLine
from callcrm.clients.searching import is_number
from callcrm.kernel import clock
from callcrm.kernel.fulltext import folded, words_of
from callcrm.search.finding import NoteHit
from callcrm.tasks.queries import TaskLine
from webui import cards, owed, rows, show, words
from webui.i18n import _
from webui.parts import Parts

_SNIPPET = 70
_LONGEST = 120
_DAYS = (
    re.compile(r"^(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})$"),
    re.compile(r"^(?P<d>\d{1,2})[./](?P<m>\d{1,2})(?:[./](?P<y>\d{4}))?$"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found. `dial`: choosing it calls this number; `number`: whom Ctrl+Enter calls.

    `whom`: the same for who sees the number masked, by the row that has it (number:ID).
    """

    href: str
    icon: str
    word: str | Markup
    more: str | Markup = ""
    dial: str = ""
    number: str = ""
    whom: str = ""


def of_client(line: ClientLine, q: str) -> Hit:
    """A person: name, role, and the number that fits best."""
    view = cards.line_view(line)
    best = _best(line.numbers, q)
    number = (best.number or best.raw) if best else ""
    shown = show.tel(number).striptags() if number else ""
    word = marked(view.name or _("Unknown caller"), q)
    if view.role:
        word += Markup(", ") + marked(view.role, q)
    return Hit(f"/clients/{line.id}", "user-round", word, marked(shown, q), **_callable(best))


def _callable(best: NumberLine | None) -> dict[str, str]:
    """What Ctrl+Enter calls: the number, or the row that has it where it is shown masked."""
    if best is None or not best.number.startswith("+"):
        return {}
    return {"whom": f"number:{best.id}"} if HIDDEN in best.number else {"number": best.number}


def _best(numbers: Sequence[NumberLine], q: str) -> NumberLine | None:
    """The number that was meant, else the first."""
    digits = re.sub(r"\D", "", q) if is_number(q) else ""
    said = [(one.number or one.raw, one) for one in numbers]
    wanted = [one for text, one in said if digits and (digits in text or digits[1:] in text)]
    return next(iter(wanted or numbers), None)


def of_organisation(line: OrganisationLine, q: str) -> Hit:
    """An organisation."""
    best = _best(line.numbers, q)
    number = (best.number or best.raw) if best else ""
    shown = show.tel(number).striptags() if number else ""
    return Hit(f"/organisations/{line.id}", "building", marked(line.name, q), marked(shown, q), **_callable(best))


def of_call(parts: Parts, line: CallLine, q: str) -> Hit:
    """A call: who, what became of it, when."""
    view = rows.call_view(parts, line)
    word = marked(view.title, q) + ", " + escape(view.sentence)
    when = show.at(line.at).striptags()
    more = " · ".join(part for part in (view.more, when) if part)
    icon = words.direction(line.direction, missed=line.missed).icon
    return Hit(f"/calls/{line.id}", icon, word, more)


def of_note(note: NoteHit, q: str) -> Hit:
    """What was written, around the words that were looked for, and of whom."""
    if note.call_id:
        href = f"/calls/{note.call_id}"
    else:
        href = f"/clients/{note.client_id}" if note.client_id else f"/organisations/{note.organisation_id}"
    more = " · ".join(part for part in (note.name[:60], show.day_short(note.at)) if part)
    return Hit(href, "notebook-pen", marked(snippet(note.text, q), q), more)


def of_task(parts: Parts, line: TaskLine, q: str) -> Hit:
    """A task or a callback: what, with whom, until when."""
    view = owed.view(parts, line)
    callback = line.kind == "callback"
    who = view.client_name or (show.tel(view.number).striptags() if view.number else "")
    due = show.at_minute(line.due_at).striptags() if line.due_at and line.state == "open" else ""
    done = "" if line.state == "open" else _("closed")
    more = " · ".join(part for part in (who[:60], due, done) if part)
    href = f"/callbacks?id={line.id}" if callback else f"/tasks?id={line.id}"
    return Hit(href, "phone-outgoing" if callback else "square-check", marked(view.title, q), more)


def fitting(q: str, hits: Iterable[Hit]) -> list[Hit]:
    """Those whose word has every part of what was typed."""
    parts = folded(q).split()
    return [hit for hit in hits if all(part in folded(str(hit.word)) for part in parts)]


def marked(text: str, q: str) -> Markup:
    """The text with what was typed marked in it; digits whatever stands between them."""
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    found = _pattern(q).search(text) if is_number(q) else None
    if found is not None:
        spans = [found.span()]
    elif is_number(q):
        spans = []
    else:
        spans = _spans(text, words_of(q))
    out, at = Markup(""), 0
    for first, last in spans:
        out += escape(text[at:first]) + Markup("<mark>{}</mark>").format(text[first:last])
        at = last
    return out + escape(text[at:])


def _pattern(q: str) -> re.Pattern[str]:
    digits = re.sub(r"\D", "", q)
    return re.compile(r"[\s().-]*".join(digits[1:] if len(digits) == 11 else digits))


def _spans(text: str, wanted: Sequence[str]) -> list[tuple[int, int]]:
    """Where words of the text begin with what was typed, compared as the search compares them."""
    spans = []
    for found in re.finditer(r"\w+", text):
        length = max((len(one) for one in wanted if folded(found[0]).startswith(one)), default=0)
        if length:
            spans.append((found.start(), min(found.end(), found.start() + length)))
    return spans


def snippet(text: str, q: str) -> str:
    """The stretch of a long text around the first word that was looked for, on one line."""
    line = " ".join(text.split())
    spans = _spans(line, words_of(q))
    first = spans[0][0] if spans else 0
    begin = max(0, min(first - _SNIPPET // 3, len(line) - _SNIPPET))
    cut = line[begin : begin + _SNIPPET]
    return ("…" if begin else "") + cut + ("…" if begin + _SNIPPET < len(line) else "")


def day_of(q: str, today: date) -> date | None:
    """The day that was typed: 2026-11-20, 20.11.2026, 20.11, today or yesterday in the reader's language."""
    said = q.strip().casefold()
    if said in ("today", _("today").casefold()):
        return today
    if said in ("yesterday", _("yesterday").casefold()):
        return today - timedelta(days=1)
    for form in _DAYS:
        if found := form.match(said):
            return _day(int(found["y"] or today.year), int(found["m"]), int(found["d"]), today)
    return None


def _day(year: int, month: int, day: int, today: date) -> date | None:
    try:
        found = date(year, month, day)
        return found if found <= today else date(year - 1, month, day)
    except ValueError:
        return None


def of_day(day: date) -> Hit:
    """The calls of a day."""
    shown = show.day_short(datetime(day.year, day.month, day.day, 12, tzinfo=show.here(clock.now()).tzinfo))
    return Hit(f"/calls?since={day}&until={day}", "phone", _("Calls of %(day)s") % {"day": shown}, day.isoformat())
