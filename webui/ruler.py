"""The time axis that everything of a call lies under: seconds as places in per cent. Pure."""

from dataclasses import dataclass
from datetime import datetime

from webui.i18n import _
from webui.show import duration
from webui.words import Mark

#: Distances between marks on the axis, in seconds; the first that gives at most eight of them is taken.
STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICKS = 8
#: Narrower than this, in per cent, nothing is seen; narrower than the others a bar has no word, or no icon.
LEAST, WORDED, ICONED = 0.6, 9.0, 2.6


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lane, in per cent of the call; `from_s` is its beginning in seconds."""

    x: float
    width: float
    mark: Mark
    length: str
    title: str
    from_s: float = 0.0

    @property
    def worded(self) -> bool:
        """Wide enough for its words."""
        return self.width >= WORDED

    @property
    def iconed(self) -> bool:
        """Wide enough for its icon."""
        return self.width >= ICONED

    @property
    def said(self) -> str:
        """It in words, with its beginning."""
        return _("%(what)s at %(time)s") % {"what": self.title, "time": duration(self.from_s)}


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis."""

    x: float
    word: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From the call's beginning to its end."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length; never nothing."""
        return max(1.0, (self.end - self.begin).total_seconds())

    def offset(self, moment: datetime) -> float:
        """Seconds from the beginning, within the call."""
        return min(self.seconds, max(0.0, (moment - self.begin).total_seconds()))

    def share(self, seconds: float) -> float:
        """Per cent of the call."""
        return round(100 * min(self.seconds, max(0.0, seconds)) / self.seconds, 3)

    def ticks(self) -> list[Tick]:
        """At most eight marks."""
        step = next((step for step in STEPS if self.seconds / step <= TICKS), STEPS[-1])
        return [Tick(self.share(n * step), duration(n * step)) for n in range(int(self.seconds // step) + 1)]

    def bar(self, begin: datetime, end: datetime, mark: Mark, more: str = "") -> Bar:
        """A stretch; at least wide enough to be seen. Its length is told as it was, its place is within the call."""
        from_s, to_s = self.offset(begin), self.offset(end)
        length = duration((end - begin).total_seconds())
        title = " ".join(word for word in (mark.word, length, more) if word)
        return Bar(self.share(from_s), max(LEAST, self.share(to_s - from_s)), mark, length, title, from_s)
