"""What happened in a call, in words and in order: the list beside its lanes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from webui import words
from webui.i18n import _
from webui.lanes import Did, Gap, Part
from webui.ruler import Axis
from webui.show import duration
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, so many seconds into the call."""

    offset: float
    mark: Mark
    words: str


def events(axis: Axis, parts: Sequence[Part], call: Mapping[str, Any], gaps: Sequence[Gap] = ()) -> list[Event]:
    """What happened, in order. `call`: direction, line, queue, transfers, parked, hold_s, voicemail, ended[_by]."""
    found = [Event(0, words.direction(str(call["direction"])), _beginning(call))]
    for part in parts:
        found += _of_part(axis, part)
        found += [event for did in part.did if (event := _did(axis, part, did)) is not None]
    names = {part.who: part.shown for part in parts if part.who}
    found += [_transfer(axis, one, names) for one in call.get("transfers") or []]
    found += [_gap(axis, gap) for gap in gaps]
    kinds = {did.kind for part in parts for did in part.did}
    found += _undated(call, kinds, max((event.offset for event in found), default=0.0))
    if call.get("ended"):
        said = words.ended_by(call.get("ended_by"), str(call["direction"]))
        found.append(Event(axis.seconds, Mark("", "phone-off", _("Ended")), said))
    return sorted(found, key=lambda event: event.offset)


def _undated(call: Mapping[str, Any], kinds: set[str], last: float) -> Iterable[Event]:
    """What is known without its moment, of calls that were written before moments were kept: at the end."""
    if call.get("parked") and "parked" not in kinds:
        yield Event(last, Mark("hold", "square-parking", _("Parked")), _parked(call["parked"]))
    if call.get("hold_s") and "hold" not in kinds:
        held = _("On hold for %(time)s in all") % {"time": duration(call["hold_s"])}
        yield Event(last, Mark("hold", "pause", _("Hold")), held)
    if call.get("voicemail") and "voicemail" not in kinds:
        yield Event(last, Mark("", "voicemail", _("Voicemail")), _("Left a voice message"))


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
    who = {"who": part.shown, "phone": part.who, "time": duration(part.talk_s)}
    if part.aside:
        if part.ring_s and part.answered_at is not None:
            mark = Mark("info", "circle-question-mark", _("Asked"))
            yield Event(axis.offset(part.answered_at), mark, _("%(who)s was asked for %(time)s") % who)
        return
    asked = any(did.kind == "asked" for did in part.did)
    if part.ring_s and part.answered_at is None and not asked:
        rang = Mark("", "bell", _("Rang"))
        yield Event(axis.offset(part.at), rang, _("Rang at %(who)s, not answered there") % who)
    elif part.answered_at is not None:
        talk = Mark("talking", "phone-call", _("Talked"))
        yield Event(axis.offset(part.answered_at), talk, _("%(who)s answered, phone %(phone)s") % who)


def _did(axis: Axis, part: Part, did: Did) -> Event | None:
    """A hold, a wait or a question of one line; whom somebody asked is told once, by who asked."""
    length = duration(((did.until or axis.end) - did.at).total_seconds())
    said = {"who": part.shown, "time": length, "other": did.name or did.who or "?"}
    at = axis.offset(did.at)
    if did.kind == "hold":
        return Event(at, Mark("hold", "pause", _("Hold")), _("%(who)s put the call on hold for %(time)s") % said)
    if did.kind == "queue":
        return Event(at, Mark("", "users", _("Queue")), _("Into the queue %(other)s, waited %(time)s") % said)
    if did.kind == "asked" and not part.ring_s:
        mark = Mark("info", "circle-question-mark", _("Asked"))
        return Event(at, mark, _("%(who)s asked %(other)s for %(time)s") % said)
    if did.kind == "parked":
        mark = Mark("hold", "square-parking", _("Parked"))
        return Event(at, mark, _("Parked for %(time)s, place %(other)s") % said)
    if did.kind == "voicemail":
        return Event(at, Mark("", "voicemail", _("Voicemail")), _("Left a voice message"))
    return None


def _gap(axis: Axis, gap: Gap) -> Event:
    mark = Mark("", "credit-card", _("Not recorded"))
    said = {"time": duration(((gap.until or axis.end) - gap.at).total_seconds()), "why": gap.why}
    if gap.why:
        return Event(axis.offset(gap.at), mark, _("Recording paused for %(time)s: %(why)s") % said)
    return Event(axis.offset(gap.at), mark, _("Recording paused for %(time)s") % said)


def _transfer(axis: Axis, one: Mapping[str, Any], people: Mapping[str, str]) -> Event:
    mark = Mark("", "phone-forwarded", _("Transferred"))
    who, to = str(one.get("from") or one.get("from_") or "?"), str(one.get("to") or "?")
    names = {"from": people.get(who, who), "to": people.get(to, to)}
    kinds = {
        "blind": _("%(from)s transferred to %(to)s without asking"),
        "attended": _("%(from)s transferred to %(to)s after asking"),
    }
    said = kinds.get(str(one.get("kind")), _("Passed on from %(from)s to %(to)s")) % names
    offset = _moment(axis, one.get("at"))
    return Event(offset, mark, said if one.get("answered") else _("%(said)s; not answered there") % {"said": said})


def _moment(axis: Axis, at: object) -> float:
    """A transfer's moment as its row has it (RFC 3339), in seconds; of older rows also seconds, of whatever clock."""
    if isinstance(at, str):
        try:
            return axis.offset(datetime.fromisoformat(at))
        except ValueError:
            return 0.0
    if isinstance(at, int | float) and at < 1e7:
        return axis.offset(axis.begin + timedelta(seconds=at))
    return min(axis.seconds, max(0.0, at - axis.begin.timestamp())) if isinstance(at, int | float) else 0.0


def _parked(parked: Mapping[str, Any]) -> str:
    who = {"by": parked.get("by") or "?", "to": parked.get("retrieved_by") or "?"}
    if parked.get("retrieved_by"):
        return _("Parked by %(by)s, taken back by %(to)s") % who
    if parked.get("timed_out"):
        return _("Parked by %(by)s, came back by itself") % who
    return _("Parked by %(by)s; the caller gave up") % who if parked.get("given_up") else _("Parked by %(by)s") % who
