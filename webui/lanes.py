"""The swim-lanes of one call: menu, queue, every phone that rang, parking, voicemail. Pure: from legs to places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webui.i18n import _
from webui.ruler import Axis, Bar
from webui.words import Mark

#: What comes before the queue and the phones is a lane from this many seconds on.
GREETING_S = 2.0
#: What is left of a question beside the hold that it was asked in is told from this many seconds on.
GLANCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Did:
    """What a line did besides ringing and talking; the kinds are those of `callcrm.calls.call.Stretch`."""

    kind: str
    at: datetime
    until: datetime | None
    who: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One phone's or trunk's part, as the log has it; `aside`: of a consultation that moved no client."""

    side: str
    who: str
    name: str
    at: datetime | None
    ring_s: float | None
    answered_at: datetime | None
    talk_s: float | None
    channel: str = ""
    cause: int | None = None
    did: tuple[Did, ...] = ()
    aside: bool = False

    @property
    def shown(self) -> str:
        """The person's name, else his number."""
        return self.name or self.who


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that was not recorded, for card data say."""

    at: datetime
    until: datetime | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """The menu, a queue, a phone, the parking place."""

    name: str
    more: str
    bars: tuple[Bar, ...]

    @property
    def said(self) -> str:
        """The lane in words, for who cannot see it."""
        return f"{self.name}: " + ", ".join(bar.said for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Course:
    """What the lanes are made of besides the parts: `queues` gives a queue's label by its name."""

    direction: str = "inbound"
    queue: str = ""
    waited_s: float | None = None
    queues: Mapping[str, str] | None = None
    gaps: tuple[Gap, ...] = ()


Times = tuple[datetime, datetime]


def lanes(axis: Axis, parts: Sequence[Part], course: Course) -> list[Lane]:
    """From top to bottom in the order in which a caller meets them."""
    found = [*_menu(axis, parts, course), *_queues(axis, parts, course)]
    phones: dict[str, list[Part]] = {}
    for part in parts:
        if part.side == "operator":
            phones.setdefault(part.who or part.channel, []).append(part)
    found += [_phone(axis, who, mine, course.gaps) for who, mine in phones.items()]
    found += [_outside(axis, part) for part in _outer(parts, course)]
    return [lane for lane in [*found, *_places(axis, parts)] if lane.bars]


def _menu(axis: Axis, parts: Sequence[Part], course: Course) -> Iterable[Lane]:
    """What the caller heard before anybody was called for him; the PBX does not say what it was."""
    if course.direction != "inbound":
        return
    firsts = [part.at for part in parts if part.side == "operator" and not part.aside and part.at]
    firsts += [did.at for part in parts for did in part.did if did.kind in ("queue", "voicemail")]
    until = min(firsts, default=axis.end)
    if course.queue and not any(did.kind == "queue" for part in parts for did in part.did):
        return
    if (until - axis.begin).total_seconds() >= GREETING_S:
        mark = Mark("", "list-tree", _("Menu, greeting"))
        yield Lane(_("Menu"), _("Before any phone rang"), (axis.bar(axis.begin, until, mark),))


def _queues(axis: Axis, parts: Sequence[Part], course: Course) -> Iterable[Lane]:
    waits: dict[str, list[Bar]] = {}
    mark = Mark("", "users", _("Waited"))
    for part in parts:
        for did in part.did:
            if did.kind == "queue":
                waits.setdefault(did.who, []).append(axis.bar(did.at, did.until or axis.end, mark))
    if not waits and course.queue and course.waited_s:
        until = axis.begin + timedelta(seconds=min(course.waited_s, axis.seconds))
        waits[course.queue] = [axis.bar(axis.begin, until, mark)]
    for name, bars in waits.items():
        yield Lane((course.queues or {}).get(name, name), _("Queue"), tuple(bars))


def _outer(parts: Sequence[Part], course: Course) -> list[Part]:
    """Outside lines besides the caller's: whom we called, and where he was handed on to."""
    found = [part for part in parts if part.side == "trunk"]
    return found[1:] if course.direction == "inbound" else found


def _outside(axis: Axis, part: Part) -> Lane:
    talks = [(part.answered_at, part.answered_at + _span(part.talk_s))] if part.answered_at else []
    bars = [*_rang(axis, part), *(axis.bar(*talk, _talked()) for talk in talks)]
    return Lane(part.who or part.channel, _("Outside line"), tuple(bars))


def _phone(axis: Axis, who: str, parts: Sequence[Part], gaps: Sequence[Gap]) -> Lane:
    name = next((part.name for part in parts if part.name), who)
    talks = [talk for part in parts if not part.aside for talk in _talk_of(part)]
    holds = [(did.at, did.until or axis.end) for part in parts for did in part.did if did.kind == "hold"]
    asked = [(_with(did), (did.at, did.until or axis.end)) for part in parts for did in part.did if did.kind == "asked"]
    asked += [("", talk) for part in parts if part.aside for talk in _talk_of(part)]
    muted = [(gap.at, gap.until or axis.end) for gap in gaps]
    bars = [bar for part in parts for bar in _rang(axis, part)]
    bars += [axis.bar(*one, Mark("hold", "pause", _("Hold"))) for one in _joined(holds)]
    for whom, times in asked:
        mark = Mark("info", "circle-question-mark", _("Asked"))
        rest = [one for one in _without([times], holds) if (one[1] - one[0]).total_seconds() >= GLANCE_S]
        bars += [axis.bar(*one, mark, whom) for one in rest]
    silent = [one for talk in talks for one in _within(muted, talk)]
    bars += [axis.bar(*one, Mark("", "credit-card", _("Not recorded"))) for one in _without(silent, holds)]
    taken = [*holds, *(times for _whom, times in asked), *silent]
    bars += [axis.bar(*one, _talked()) for one in _without(talks, taken)]
    word = _("Phone %(who)s") % {"who": who} if name != who else _("Phone")
    more = word if talks or not asked else _("%(phone)s, asked") % {"phone": word}
    return Lane(name, more, tuple(sorted(bars, key=lambda bar: bar.x)))


def _talk_of(part: Part) -> list[Times]:
    return [(part.answered_at, part.answered_at + _span(part.talk_s))] if part.answered_at and part.talk_s else []


def _with(did: Did) -> str:
    return _("with %(who)s") % {"who": did.name or did.who} if did.name or did.who else ""


def _rang(axis: Axis, part: Part) -> Iterable[Bar]:
    if part.at is not None and part.ring_s:
        answered = part.answered_at is not None or any(did.kind == "asked" for did in part.did)
        mark = Mark("ringing", "bell-ring", _("Rang")) if answered else Mark("", "bell", _("Rang, not answered"))
        yield axis.bar(part.at, part.at + _span(part.ring_s), mark)


def _places(axis: Axis, parts: Sequence[Part]) -> Iterable[Lane]:
    known = {
        "parked": (_("Parking"), Mark("hold", "square-parking", _("Parked"))),
        "voicemail": (_("Voicemail"), Mark("", "voicemail", _("Voice message"))),
    }
    for kind, (name, mark) in known.items():
        did = [one for part in parts for one in part.did if one.kind == kind]
        if did:
            more = _("Place %(place)s") if kind == "parked" else _("Box %(place)s")
            bars = tuple(axis.bar(one.at, one.until or axis.end, mark) for one in did)
            yield Lane(name, more % {"place": did[0].who} if did[0].who else "", bars)


def _talked() -> Mark:
    return Mark("talking", "phone-call", _("Talked"))


def _span(seconds: float | None) -> timedelta:
    return timedelta(seconds=min(max(0.0, seconds or 0.0), 1e6))


def _within(times: Iterable[Times], whole: Times) -> list[Times]:
    """The parts of `times` that lie within `whole`."""
    cut = [(max(begin, whole[0]), min(end, whole[1])) for begin, end in times]
    return [one for one in cut if one[1] > one[0]]


def _joined(times: Iterable[Times]) -> list[Times]:
    """The same without overlaps, in order."""
    found: list[Times] = []
    for begin, end in sorted(times):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > begin:
            found.append((begin, end))
    return found


def _without(times: Iterable[Times], taken: Iterable[Times]) -> list[Times]:
    """What is left of `times` when `taken` is cut out."""
    left = _joined(times)
    for begin, end in _joined(taken):
        pieces = [piece for one in left for piece in ((one[0], min(one[1], begin)), (max(one[0], end), one[1]))]
        left = [one for one in pieces if one[1] > one[0]]
    return left
