"""Coaching lists for pages: moments with their times, and what was typed as seconds."""

import re

from callcrm.kernel.errors import Invalid
from callcrm.quality.coached import ListLine, MomentLine
from callcrm.quality.pots import HEARD
from webui import coretexts, words
from webui.i18n import _, ngettext
from webui.show import duration

_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5})(?:[.,](\d{1,2}))?")


def seconds_of(typed: str, name: str) -> float:
    """`1:23`, `1:02:03`, `83` or `83.5` as seconds. Raises Invalid for the field `name`."""
    found = _TIME.fullmatch(typed.strip())
    if found is None:
        said = _("write minutes and seconds, such as 1:23")
        raise Invalid(said, {name: said})
    hours, minutes, seconds, part = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds) + float(f"0.{part or 0}")


def typed_time(seconds: float) -> str:
    """Seconds as they are typed: 1:23, with tenths where there are some."""
    whole = int(seconds)
    tenths = round((seconds - whole) * 10)
    if tenths == 10:
        whole, tenths = whole + 1, 0
    return duration(whole) + (f".{tenths}" if tenths else "")


def playable(moment: MomentLine) -> bool:
    """Whether its recording can be heard."""
    return moment.state in HEARD


def silent(moment: MomentLine) -> str:
    """Why a moment has no sound, in words; empty where it has."""
    return "" if playable(moment) else coretexts.said(moment.cause) or words.recording(moment.state).word


def of_what(moment: MomentLine) -> str:
    """Whose call a moment is of, as far as the listener may know."""
    if moment.own:
        return _("Your own call")
    return moment.operator or _("A colleague’s call")


def heard_words(line: ListLine) -> str:
    """How much of a list somebody heard."""
    return _("%(n)s of %(of)s heard") % {"n": line.heard, "of": line.moments}


def size_words(line: ListLine) -> str:
    """How long a list is."""
    count = ngettext("%(n)s moment", "%(n)s moments", line.moments) % {"n": line.moments}
    return f"{count}, {duration(line.seconds)}"
