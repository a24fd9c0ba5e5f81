"""Calls as rows for people: names, words and marks in place of codes and ids."""

from dataclasses import dataclass
from datetime import datetime

from callcrm.calls.log import CallLine, RecordingLine
from callcrm.kernel import numbers
from webui import words
from webui.i18n import _
from webui.parts import Parts
from webui.words import Mark

PLAYABLE = ("present", "partial", "paused")


@dataclass(frozen=True, slots=True)
class CallView:
    """One conversation in a list."""

    id: str
    at: datetime
    direction: str
    state: str
    live: bool
    missed: bool
    title: str
    number: str | None
    client_id: int | None
    line: str
    answered_by: str
    wait_s: float | None
    talk_s: float | None
    outcome: str
    became: str
    recording: Mark | None
    note: str
    sentence: str
    more: str
    disposition: str = ""


def call_view(parts: Parts, call: CallLine) -> CallView:
    """A line of the log in words."""
    by, fate = answered_by(call), fate_of(call)
    return CallView(
        id=call.id,
        at=call.at,
        direction=call.direction,
        state=call.state,
        live=call.ended_at is None and call.state != "ended",
        missed=call.missed,
        title=title(call),
        number=other_end(call),
        client_id=call.client_id,
        line=line(parts, call),
        answered_by=by,
        wait_s=call.wait_s,
        talk_s=call.talk_s,
        outcome=fate or (words.outcome(call.outcome) if call.outcome else ""),
        became=(words.why_missed(call.why) if call.missed else "") or words.outcome(call.outcome),
        recording=recording_mark(call.recordings),
        note=call.note_line,
        sentence=sentence(parts, call, by),
        more=" · ".join(part for part in (call.disposition or fate, words_of_talk(call)) if part),
        disposition=call.disposition or "",
    )


def title(call: CallLine) -> str:
    """Who is at the other end, as well as it is known."""
    if call.client_name or call.said_name:
        return call.client_name or call.said_name
    if call.direction == "internal":
        return call.operator_name or call.caller or _("A colleague")
    return _("Unknown caller") if call.client_number else _("Number withheld")


def other_end(call: CallLine) -> str | None:
    """The number of the other end."""
    if call.direction == "internal":
        return call.called or call.caller or "—"
    return call.client_number or (call.client_raw if call.client_raw and call.client_raw.isdigit() else None)


def line(parts: Parts, call: CallLine) -> str:
    """The line's label, and the queue's."""
    settings = parts.settings
    label = settings.lines[call.called].label if call.called in settings.lines else ""
    queue = settings.queues[call.queue].label if call.queue in settings.queues else ""
    if call.direction == "internal":
        return _("Inside")
    called = (call.called or "") if call.direction == "inbound" else ""
    return label or queue or call.queue or numbers.shown(called)


def answered_by(call: CallLine) -> str:
    """Who talked, in order; or how many phones rang for nothing."""
    people = {part.extension: part.person or part.extension for part in call.parts}
    talked = list(dict.fromkeys(people.get(extension, extension) for extension in call.answered_by))
    if talked:
        return _(", then ").join(talked)
    if call.direction == "outbound":
        return call.operator_name or call.operator or ""
    rang = sum(part.rang for part in call.parts)
    return words.nobody(rang) if call.ended_at is not None else ", ".join(people.values())


def fate_of(call: CallLine) -> str:
    """What became of it, with the reason where one is known."""
    if call.outcome == "answered" or not call.outcome:
        return ""
    reason = words.why(call.why)
    return f"{words.outcome(call.outcome)}, {reason}" if reason else words.outcome(call.outcome)


def words_of_talk(call: CallLine) -> str:
    """How long it was."""
    from webui.show import duration

    return duration(call.talk_s) if call.talk_s else ""


def sentence(parts: Parts, call: CallLine, by: str) -> str:
    """The call in a few words, after the client's name."""
    where = line(parts, call)
    if call.direction == "outbound":
        return _("we called: %(who)s") % {"who": by} if by else _("we called")
    if call.direction == "internal":
        return _("within the house")
    return _("called %(line)s") % {"line": where} if where else _("called us")


def recording_mark(recordings: tuple[RecordingLine, ...]) -> Mark | None:
    """One mark for all recordings of a call: sound when there is any."""
    if not recordings:
        return None
    best = next((one for one in recordings if one.state in PLAYABLE), recordings[0])
    return words.recording_short(best.state)
