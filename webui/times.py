"""Shift times as people see them: days with their figures, the span that is asked for, and the spells of one day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcrm.kernel import clock
from callcrm.kernel.errors import Invalid
from callcrm.shifts import daily
from callcrm.shifts.daily import Worker
from callcrm.shifts.daytimes import DayTimes, Lived, Span
from callcrm.shifts.states import AVAILABLE, PAUSED, TALKING, WRAPUP
from webui import show
from webui.i18n import _
from webui.parts import Parts
from webui.visit import Visit

PEOPLE = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """The days that are asked for; `bad` says what is wrong with what was typed, and today stands instead."""

    first: date
    last: date
    spans: Sequence[Span]
    bad: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One person's day; `times` is None for somebody who did not work in the whole span."""

    worker: Worker
    times: DayTimes | None = None


def asked(query: Mapping[str, str]) -> Asked:
    """The span of an address: `from` and `to` as days of the reader's zone; today without them."""
    today = show.here(clock.now()).date()
    zone = ZoneInfo(show.zone())
    try:
        first = date.fromisoformat(query["from"]) if query.get("from") else today
        last = date.fromisoformat(query["to"]) if query.get("to") else max(first, today) if query.get("from") else today
        return Asked(first, last, daily.spans(first, last, zone))
    except (ValueError, OverflowError):
        bad = _("A day looks like 2026-01-05.")
    except Invalid:
        bad = _("Choose a span of 1 to %(n)s days, the first day first.") % {"n": daily.MOST_DAYS}
    return Asked(today, today, daily.spans(today, today, zone), bad)


def week_of(day: date) -> tuple[date, date]:
    """Monday to Sunday around a day."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


async def rows(visit: Visit, people: Sequence[Worker], span: Asked) -> list[Row]:
    """A row for each person and day with work in it, and one for each person without any."""
    now, found = clock.now(), list[Row]()
    async with visit.parts.database.read() as db:
        for one in people:
            days = await daily.times(db, one, span.spans, now)
            found += [Row(one, day) for day in days] or [Row(one)]
    return found


def reasons(parts: Parts, found: Sequence[Row]) -> list[str]:
    """The pauses that stand in columns: those of the settings first, then whatever else somebody took."""
    taken = {reason for row in found if row.times for reason in row.times.pauses}
    listed = [one.reason for one in parts.settings.shift.pauses if one.reason in taken]
    return listed + sorted(taken - set(listed))


def state_word(one: Lived) -> str:
    """A spell's state in words."""
    if one.state == PAUSED:
        return _("Paused: %(reason)s") % {"reason": one.reason or _("no reason")}
    return {AVAILABLE: _("Available"), TALKING: _("On a call"), WRAPUP: _("Wrap-up")}.get(one.state, one.state)


def of_all(found: Sequence[Row]) -> DayTimes:
    """The sums of all rows; the occupancy that follows from them."""
    days = [row.times for row in found if row.times]
    pauses: dict[str, float] = {}
    for day in days:
        for reason, seconds in day.pauses.items():
            pauses[reason] = pauses.get(reason, 0.0) + seconds
    return DayTimes(
        day=date.min,
        available_s=sum(day.available_s for day in days),
        talking_s=sum(day.talking_s for day in days),
        wrapup_s=sum(day.wrapup_s for day in days),
        pauses=pauses,
        off_shift_talk_s=sum(day.off_shift_talk_s for day in days),
        shifts=sum(day.shifts for day in days),
    )


def definitions() -> list[tuple[str, str]]:
    """What each column counts, as the page says it."""
    return [
        (
            _("On shift"),
            _(
                "From Start the shift to its end: available, on calls, wrap-up and pauses together. What crosses "
                "midnight is cut there."
            ),
        ),
        (_("Available"), _("Ready for the next call; the ringing of a call counts here.")),
        (
            _("On calls"),
            _(
                "From answering, or from dialling out, to hanging up, with holding and consultations; clients’ and "
                "colleagues’ calls."
            ),
        ),
        (_("Wrap-up"), _("From hanging up until ready again, as the queue’s rule has it.")),
        (_("Pauses"), _("Paused by the person or at the phone, by reason; a pause taken in a call begins after it.")),
        (_("Occupancy"), _("(On calls + wrap-up) ÷ (on calls + wrap-up + available).")),
        (_("Off shift"), _("Talk of a person who had no shift then; in no other figure.")),
    ]


def csv_rows(found: Sequence[Row]) -> list[list[str]]:
    """The rows of a file: seconds as whole numbers, moments with their zone, one column a pause."""
    pauses = sorted({reason for row in found if row.times for reason in row.times.pauses})
    head = [
        "person",
        "team",
        "day",
        "time_zone",
        "begun",
        "ended",
        "on_shift_s",
        "available_s",
        "on_calls_s",
        "wrap_up_s",
    ]
    head += [
        "pauses_s",
        *(f"pause: {reason}" for reason in pauses),
        "occupancy",
        "off_shift_talk_s",
        "shifts",
        "remark",
    ]
    return [head, *(_csv(row.worker, row.times, pauses) for row in found if row.times)]


def _csv(worker: Worker, day: DayTimes, pauses: Sequence[str]) -> list[str]:
    seconds = [day.on_shift_s, day.available_s, day.talking_s, day.wrapup_s, day.pauses_s]
    seconds += [day.pauses.get(reason, 0.0) for reason in pauses]
    moments = [show.here(at).isoformat(timespec="seconds") if at else "" for at in (day.begun, day.ended)]
    occupancy = "" if day.occupancy is None else f"{day.occupancy:.3f}"
    marks = {"begun before midnight": day.before, "goes on after midnight": day.after, "goes on": day.lasts}
    marks |= {"an end was set by a rule": day.unseen}
    remark = "; ".join(word for word, said in marks.items() if said)
    cells = [
        worker.name,
        worker.team,
        day.day.isoformat(),
        show.zone(),
        *moments,
        *(str(round(one)) for one in seconds),
    ]
    return [*cells, occupancy, str(round(day.off_shift_talk_s)), str(day.shifts), remark]


def moment_here(at: datetime | None) -> str:
    """The clock of a moment that may lie on another day."""
    return f"{show.here(at):%H:%M}" if at else ""
