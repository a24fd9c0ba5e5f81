"""What a person's day went to, pure: spells → one row of figures a day, each of which can be counted again.

A shift is an unbroken run of spells; a run of talk alone is no shift, but a call that was taken off shift. What
crosses midnight is cut there; a spell that lasts counts up to now. So for each day

    on shift = available + on calls + wrap-up + pauses

to the second, and `off_shift_talk_s` stands beside it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from callcrm.shifts.states import AVAILABLE, PAUSED, TALKING, WRAPUP

#: Spells of one shift follow on each other; clocks may differ by so much.
_SEAM = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Lived:
    """A spell as it is stored: `ended` empty while it lasts; `unseen`: nobody saw its end, a rule set it."""

    began: datetime
    ended: datetime | None
    state: str
    reason: str = ""
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A day of the calendar somewhere: from its midnight to the next."""

    day: date
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DayTimes:
    """One person's day in seconds. `begun`, `ended`: of the first shift's beginning and the last one's end that day.

    `before`: that shift had begun before midnight; `after`: it went on after it; `lasts`: it goes on now. `unseen`:
    an end of that day was set by a rule. `pauses`: seconds by reason.
    """

    day: date
    begun: datetime | None = None
    ended: datetime | None = None
    before: bool = False
    after: bool = False
    lasts: bool = False
    unseen: bool = False
    shifts: int = 0
    available_s: float = 0.0
    talking_s: float = 0.0
    wrapup_s: float = 0.0
    pauses: dict[str, float] = field(default_factory=dict)
    off_shift_talk_s: float = 0.0

    @property
    def pauses_s(self) -> float:
        """All pauses."""
        return sum(self.pauses.values())

    @property
    def on_shift_s(self) -> float:
        """The whole time at work."""
        return self.available_s + self.talking_s + self.wrapup_s + self.pauses_s

    @property
    def handling_s(self) -> float:
        """Time that calls took: talk (with holding) and wrap-up."""
        return self.talking_s + self.wrapup_s

    @property
    def occupancy(self) -> float | None:
        """Handling ÷ (handling + available); None while there was neither."""
        ready = self.handling_s + self.available_s
        return self.handling_s / ready if ready else None


def runs(spells: Iterable[Lived]) -> Iterator[list[Lived]]:
    """Spells in the order of their beginnings, as unbroken runs."""
    run: list[Lived] = []
    for one in spells:
        if run and (run[-1].ended is None or one.began - run[-1].ended > _SEAM):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def is_shift(run: Sequence[Lived]) -> bool:
    """Whether a run is more than calls that were taken off shift."""
    return any(one.state != TALKING for one in run)


def of_day(known: Sequence[Sequence[Lived]], span: Span, now: datetime) -> DayTimes | None:
    """The figures of one day from the runs that touch it, or any more; None when nothing of the day is there."""
    until = min(span.until, now)
    touching = [run for run in known if run[0].began < until and (run[-1].ended or now) > span.since]
    shifts = [run for run in touching if is_shift(run)]
    if not touching:
        return None
    seconds: dict[tuple[str, str], float] = {}
    for run in shifts:
        for one in run:
            key = (one.state, one.reason if one.state == PAUSED else "")
            seconds[key] = seconds.get(key, 0.0) + _within(one, span.since, until, now)
    off = sum(_within(one, span.since, until, now) for run in touching if run not in shifts for one in run)
    return _figures(span, shifts, seconds, off, now)


def _figures(
    span: Span, shifts: Sequence[Sequence[Lived]], seconds: dict[tuple[str, str], float], off: float, now: datetime
) -> DayTimes:
    begun = shifts[0][0].began if shifts else None
    ended = shifts[-1][-1].ended if shifts else None
    lasts = bool(shifts) and ended is None and now < span.until
    after = bool(shifts) and (ended or now) > span.until
    return DayTimes(
        day=span.day,
        begun=begun,
        ended=None if after else ended,
        before=begun is not None and begun < span.since,
        after=after,
        lasts=lasts,
        unseen=any(one.unseen and span.since <= (one.ended or now) < span.until for run in shifts for one in run),
        shifts=len(shifts),
        available_s=seconds.get((AVAILABLE, ""), 0.0),
        talking_s=seconds.get((TALKING, ""), 0.0),
        wrapup_s=seconds.get((WRAPUP, ""), 0.0),
        pauses={reason: value for (state, reason), value in sorted(seconds.items()) if state == PAUSED},
        off_shift_talk_s=off,
    )


def _within(one: Lived, since: datetime, until: datetime, now: datetime) -> float:
    return max(0.0, (min(one.ended or now, until) - max(one.began, since)).total_seconds())


def clipped(spells: Iterable[Lived], span: Span, now: datetime) -> list[tuple[Lived, float]]:
    """The spells of a day with the seconds that each counts there: the rows behind its figures."""
    until = min(span.until, now)
    counted = ((one, _within(one, span.since, until, now)) for one in spells)
    return [(one, seconds) for one, seconds in counted if seconds > 0]
