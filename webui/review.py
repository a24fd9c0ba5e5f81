"""A call's story as its page and its player show it: read once, put under one axis."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from callcrm.calls import pins, xrayreading
from callcrm.calls.log import CallLine, LegLine, StretchLine, WholeCall
from callcrm.calls.pins import PinLine
from callcrm.calls.xrayreading import Looked
from callcrm.custody import pausing
from callcrm.kernel import clock
from webui import deck, lanes, rows, sounds, story, waves
from webui.deck import Deck, PinView
from webui.i18n import _
from webui.lanes import Course, Did, Gap, Lane, Part
from webui.parts import Parts
from webui.ruler import Axis
from webui.sounds import Sound
from webui.visit import Visit


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that stands under a call's ruler."""

    call: str
    axis: Axis
    lanes: Sequence[Lane]
    events: Sequence[story.Event]
    sounds: Sequence[Sound]
    deck: Deck
    pins: Sequence[PinView]


async def told_of(visit: Visit, whole: WholeCall) -> Told:
    """The story of a call that this person may see, with the sounds and pins that he may hear and see."""
    line, parts = whole.call, visit.parts
    async with parts.database.read() as db:
        gaps = [_gap(one) for one in await pausing.gaps_of(db, line.id) if one.begins_at is not None]
        found = await pins.of_call(db, visit.actor, line.id)
        looked = await xrayreading.of_recordings(db, line.id) if line.recordings else {}
    heard = _quieted((await sounds.sounds_of(parts, visit.actor, [line])).get(line.id, ()), looked)
    axis = Axis(line.at, line.ended_at or clock.now())
    now = axis.end if line.ended_at is None else None
    parties = [_party(leg, now) for leg in whole.legs] + [_party(leg, now, aside=True) for leg in whole.aside]
    labels = {name: one.label or name for name, one in parts.settings.queues.items()}
    wait = line.wait_s if line.direction == "inbound" else None
    queue = labels.get(line.queue or "", line.queue or "")
    course = Course(line.direction, queue, wait, labels, tuple(gaps))
    return Told(
        line.id,
        axis,
        lanes.lanes(axis, parties, course),
        story.events(axis, parties, _words(parts, line, queue), gaps),
        heard,
        deck.deck_of(axis, heard, parties, gaps, _colleagues(line)),
        deck.pins_of(axis, heard, found),
    )


def _quieted(heard: Sequence[Sound], looked: Mapping[int, Looked]) -> tuple[Sound, ...]:
    """With the silences of those recordings that were looked through: of talk, not of sound (music is none)."""
    return tuple(
        replace(one, quiet=tuple(looked[one.n].silences(waves.SILENCE_S)))
        if one.n in looked and looked[one.n].talk
        else one
        for one in heard
    )


def _colleagues(line: CallLine) -> tuple[str, str] | None:
    """Of an internal call the two by name, for neither is a client: who called, who answered."""
    if line.direction != "internal":
        return None
    people = {part.extension: part.person or part.extension for part in line.parts}
    both = line.caller or "", next(iter(line.answered_by), line.called) or ""
    return people.get(both[0], both[0]), people.get(both[1], both[1])


async def pinned(visit: Visit, whole: WholeCall) -> list[PinView]:
    """Only the pins, for the part of the page that changed."""
    line = whole.call
    async with visit.parts.database.read() as db:
        found: list[PinLine] = await pins.of_call(db, visit.actor, line.id)
    heard = (await sounds.sounds_of(visit.parts, visit.actor, [line])).get(line.id, ())
    return deck.pins_of(Axis(line.at, line.ended_at or clock.now()), heard, found)


def asked_second(told: Told, query: Mapping[str, str]) -> float:
    """The second of the call that the address asks for; with a recording's number, a second of that."""
    try:
        second = float(query.get("t", "0"))
    except ValueError:
        return 0.0
    if not math.isfinite(second):
        return 0.0
    places = {str(one.n): one.place for one in told.sounds}
    place = places.get(query.get("n", ""))
    return round(min(told.axis.seconds, max(0.0, place.call_s(second) if place else second)), 2)


def _gap(gap: pausing.Gap) -> Gap:
    return Gap(gap.begins_at or gap.asked_at, gap.ended_at, gap.reason)


def _party(leg: LegLine, now: datetime | None, *, aside: bool = False) -> Part:
    """`now`: the end of what goes on, where the call does."""
    talk_s = leg.talk_s
    if talk_s is None and now is not None and leg.answered_at is not None and leg.cause is None:
        talk_s = (now - leg.answered_at).total_seconds()
    return Part(
        side=leg.side,
        who=leg.who or "",
        name=leg.person,
        at=leg.at,
        ring_s=leg.ring_s,
        answered_at=leg.answered_at,
        talk_s=talk_s,
        channel=leg.channel,
        cause=leg.cause,
        did=tuple(_did(one) for one in leg.stretches),
        aside=aside,
    )


def _did(one: StretchLine) -> Did:
    return Did(one.kind, one.at, one.until, one.who, one.person)


def _words(parts: Parts, line: CallLine, queue: str) -> dict[str, Any]:
    return {
        "direction": line.direction,
        "line": rows.line(parts, line) or line.called or _("us"),
        "queue": queue,
        "transfers": line.transfers,
        "parked": line.parked,
        "hold_s": line.hold_s,
        "voicemail": line.voicemail,
        "ended": line.ended_at is not None,
        "ended_by": line.ended_by,
    }
