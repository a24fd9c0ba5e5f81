"""A call as its story: lanes under one time axis, and what happened in words. Pure: from legs to places in per cent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from webui import words
from webui.i18n import _, ngettext
from webui.show import duration
from webui.words import Mark

#: Distances between marks on the axis, in seconds; the first that gives at most eight of them is taken.
STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICKS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One phone's or trunk's part, as the log has it."""

    side: str
    who: str
    name: str
    at: datetime | None
    ring_s: float | None
    answered_at: datetime | None
    talk_s: float | None
    channel: str = ""
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lane, in per cent of the call."""

    x: float
    width: float
    mark: Mark
    length: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The queue, or one phone."""

    name: str
    more: str
    bars: tuple[Bar, ...]

    @property
    def said(self) -> str:
        """The lane in words, for who cannot see it."""
        return f"{self.name}: " + ", ".join(bar.title for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis."""

    x: float
    word: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, so many seconds into the call."""

    offset: float
    mark: Mark
    words: str


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

    def bar(self, begin: datetime, seconds: float, mark: Mark) -> Bar:
        """A stretch; at least wide enough to be seen."""
        offset = self.offset(begin)
        length = duration(seconds)
        width = max(0.6, self.share(min(seconds, self.seconds - offset)))
        return Bar(self.share(offset), width, mark, length, f"{mark.word} {length}")


def lanes(axis: Axis, parts: Sequence[Part], queue: str, waited_s: float | None) -> list[Lane]:
    """The queue first, then every phone in the order of its first ring."""
    found = []
    if queue and waited_s:
        waiting = Mark("", "users", _("Waited"))
        found.append(Lane(queue, _("Queue"), (axis.bar(axis.begin, waited_s, waiting),)))
    phones: dict[str, list[Part]] = {}
    for part in parts:
        if part.side == "operator":
            phones.setdefault(part.who or part.channel, []).append(part)
    found += [_phone(axis, who, mine) for who, mine in phones.items()]
    return found


def _phone(axis: Axis, who: str, parts: Sequence[Part]) -> Lane:
    bars = [bar for part in parts for bar in _bars(axis, part)]
    name = next((part.name for part in parts if part.name), who)
    return Lane(name, _("Phone %(who)s") % {"who": who} if name != who else _("Phone"), tuple(bars))


def _bars(axis: Axis, part: Part) -> Iterable[Bar]:
    if part.at is not None and part.ring_s:
        rang = Mark("ringing", "bell-ring", _("Rang")) if part.answered_at else Mark("", "bell", _("Rang"))
        yield axis.bar(part.at, part.ring_s, rang)
    if part.answered_at is not None and part.talk_s is not None:
        yield axis.bar(part.answered_at, part.talk_s, Mark("talking", "phone-call", _("Talked")))


def events(axis: Axis, parts: Sequence[Part], call: Mapping[str, Any]) -> list[Event]:
    """What happened, in order. `call`: direction, line, queue, transfers, parked, hold_s, voicemail, ended[_by]."""
    found = [Event(0, words.direction(str(call["direction"])), _beginning(call))]
    for part in parts:
        found += _of_part(axis, part)
    found += [_transfer(axis, one) for one in call.get("transfers") or []]
    if call.get("parked"):
        found.append(Event(_last(found), Mark("hold", "square-parking", _("Parked")), _parked(call["parked"])))
    if call.get("hold_s"):
        held = _("On hold for %(time)s in all") % {"time": duration(call["hold_s"])}
        found.append(Event(_last(found), Mark("hold", "pause", _("Hold")), held))
    if call.get("voicemail"):
        found.append(Event(_last(found), Mark("", "voicemail", _("Voicemail")), _("Left a voice message")))
    if call.get("ended"):
        found.append(
            Event(
                axis.seconds,
                Mark("", "phone-off", _("Ended")),
                words.ended_by(call.get("ended_by"), str(call["direction"])),
            )
        )
    return sorted(found, key=lambda event: event.offset)


def _last(found: Sequence[Event]) -> float:
    return max((event.offset for event in found), default=0.0)


def _beginning(call: Mapping[str, Any]) -> str:
    queue = call.get("queue")
    if call["direction"] == "inbound":
        return (
            _("Called %(line)s, queue %(queue)s") % {"line": call["line"], "queue": queue}
            if queue
            else _("Called %(line)s") % {"line": call["line"]}
        )
    return _("We called") if call["direction"] == "outbound" else _("Called within the house")


def _of_part(axis: Axis, part: Part) -> Iterable[Event]:
    if part.side != "operator" or part.at is None:
        return
    who = {"who": part.name or part.who, "phone": part.who}
    if part.ring_s and part.answered_at is None:
        rang = Mark("", "bell", _("Rang"))
        yield Event(axis.offset(part.at), rang, _("Rang at %(who)s, not answered there") % who)
    elif part.answered_at is not None:
        talk = Mark("talking", "phone-call", _("Talked"))
        yield Event(axis.offset(part.answered_at), talk, _("%(who)s answered, phone %(phone)s") % who)


def _transfer(axis: Axis, one: Mapping[str, Any]) -> Event:
    mark = Mark("", "phone-forwarded", _("Transferred"))
    at = one.get("at")
    offset = axis.offset(axis.begin + timedelta(seconds=at)) if isinstance(at, int | float) and at < 1e7 else 0.0
    if isinstance(at, int | float) and at >= 1e7:
        offset = min(axis.seconds, max(0.0, at - axis.begin.timestamp()))
    names = {"from": one.get("from") or one.get("from_") or "?", "to": one.get("to") or "?"}
    kinds = {
        "blind": _("%(from)s transferred to %(to)s without asking"),
        "attended": _("%(from)s transferred to %(to)s after asking"),
    }
    said = kinds.get(str(one.get("kind")), _("Passed on from %(from)s to %(to)s")) % names
    return Event(offset, mark, said if one.get("answered") else _("%(said)s; not answered there") % {"said": said})


def _parked(parked: Mapping[str, Any]) -> str:
    who = {"by": parked.get("by") or "?", "to": parked.get("retrieved_by") or "?"}
    if parked.get("retrieved_by"):
        return _("Parked by %(by)s, taken back by %(to)s") % who
    if parked.get("timed_out"):
        return _("Parked by %(by)s, came back by itself") % who
    return _("Parked by %(by)s; the caller gave up") % who if parked.get("given_up") else _("Parked by %(by)s") % who


def legs_in_words(n: int) -> str:
    """How many phones had part."""
    return ngettext("%(n)s phone", "%(n)s phones", n) % {"n": n}
