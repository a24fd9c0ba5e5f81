"""The call log by what the sound tells: its saved filters, its columns, and what can be sorted and chosen there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from callcrm.accounts.policy import Actor, scope
from callcrm.calls.xrayreading import XrayLine
from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from webui import paging, show
from webui.i18n import _
from webui.words import Mark

#: What can be sorted by, as the address says it and as the log has it.
SORTS = {
    "silence": "longest_silence_s",
    "overlap": "overlap_s",
    "share": "operator_share",
    "word": "operator_first_word_s",
}
#: One person's calls are sorted within so many days, unless the address says otherwise.
DAYS = 92
_LEAST = {"silence": ("10", "20", "30", "60"), "overlap": ("5", "10", "20"), "word": ("3", "5", "10")}
#: What of the address is the sound's.
NAMES = frozenset({"sort", "view", *_LEAST})


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: its word, and where a click leads; `here`: the rows are sorted by it."""

    word: str
    href: str
    here: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A call's figures as its row shows them; `at_s` is where in the call the longest silence begins."""

    silence: str = "—"
    at_s: float | None = None
    overlap: str = "—"
    share: str = "—"
    word: str = "—"
    mark: Mark | None = None


def saved() -> tuple[tuple[str, str], ...]:
    """The saved filters by sound, with their words."""
    return (
        ("silent", _("Long silence")),
        ("talkover", _("Talk-over")),
        ("late", _("Late greeting")),
        ("onesided", _("One-sided")),
        ("faulty", _("Bad sound")),
    )


def is_shown(query: Mapping[str, str]) -> bool:
    """Whether the log shows the columns of sound: for its filters and orders, or because somebody wants them."""
    asked = {"sort", *_LEAST} & {name for name, value in query.items() if value}
    return bool(asked) or query.get("show") in dict(saved()) or query.get("view") == "sound"


def bounded(query: dict[str, str], actor: Actor) -> None:
    """One person's calls are found by his part in them, all of them: a sorting of them begins some months ago."""
    if query.get("sort") and not query.get("since") and (query.get("operator") or scope(actor) == "own"):
        query["since"] = (show.here(clock.now()).date() - timedelta(days=DAYS)).isoformat()


def sort_of(query: Mapping[str, str]) -> str | None:
    """What the rows are sorted by, as the log has it. Raises Invalid."""
    asked = query.get("sort")
    if not asked:
        return None
    if asked not in SORTS:
        raise Invalid(_("The calls cannot be sorted by that."), {"sort": _("The calls cannot be sorted by that.")})
    return SORTS[asked]


def least(query: Mapping[str, str], name: str) -> float | None:
    """A filter by a figure in seconds. Raises Invalid."""
    asked = query.get(name)
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or len(asked) > 5:
        raise Invalid(_("Write whole seconds, such as 20."), {name: _("Write whole seconds, such as 20.")})
    return float(asked)


def choices() -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What can be chosen of the figures: name, label, and values with their words."""
    labels = {"silence": _("Silence"), "overlap": _("Both at once"), "word": _("First word")}
    return [
        (name, labels[name], tuple((value, _("from %(n)s s") % {"n": value}) for value in values))
        for name, values in _LEAST.items()
    ]


def heads(query: Mapping[str, str]) -> list[Head]:
    """The heads of the four columns; a second click leads back to the newest first."""
    words = {
        "silence": _("Longest silence"),
        "overlap": _("Both at once"),
        "share": _("Operator spoke"),
        "word": _("First word"),
    }
    now = query.get("sort", "")
    return [
        Head(word, paging.address("/calls", query, sort="" if code == now else code, view="sound"), code == now)
        for code, word in words.items()
    ]


def heard(line: XrayLine | None) -> Heard:
    """The cells of a call's row."""
    if line is None:
        return Heard()
    both = "—"
    if line.overlaps is not None:
        both = f"{line.overlaps} × {show.duration(line.overlap_s)}" if line.overlaps else _("never")
    return Heard(
        silence=show.duration(line.longest_silence_s),
        at_s=round(line.longest_silence_at_s, 1) if line.longest_silence_s else None,
        overlap=both,
        share=percent(line.operator_share),
        word=first_word(line.operator_first_word_s),
        mark=fault(line.fault),
    )


def percent(share: float | None) -> str:
    """A share of all talk."""
    return "—" if share is None else f"{round(100 * share)} %"


def first_word(seconds: float | None) -> str:
    """How long a side waited before it spoke; tenths count there."""
    return "—" if seconds is None else _("%(n)s s") % {"n": f"{seconds:.1f}"}


def fault(code: str | None) -> Mark | None:
    """What is wrong with the sound."""
    return {
        "client_silent": Mark("warn", "volume-x", _("Client not heard")),
        "operator_silent": Mark("warn", "volume-x", _("Operator not heard")),
        "silent": Mark("warn", "volume-x", _("Nobody heard")),
        "clipped": Mark("warn", "triangle-alert", _("Too loud")),
        "faint": Mark("warn", "triangle-alert", _("Too quiet")),
    }.get(code or "")
