"""What the sound tells of one call, as the block beside its story says it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcrm.calls import xrayreading
from callcrm.calls.log import CallLine, RecordingLine
from callcrm.calls.stretches import Told, course, stretches
from callcrm.calls.xrayreading import Looked, XrayLine
from webui import coretexts, show, soundlog
from webui.i18n import _, ngettext
from webui.parts import Parts
from webui.rows import PLAYABLE
from webui.words import Mark

#: A side that is clipped for less has only knocked on its microphone.
_CLIPPED_S = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the block; `at_s`: the second of the call that it speaks of."""

    word: str
    value: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The block: its lines, what is wrong with the sound, what else is to be said; `waits`: more comes by itself."""

    lines: Sequence[Figure]
    mark: Mark | None = None
    says: Sequence[str] = ()
    waits: bool = False


def figures_of(call: CallLine, line: XrayLine | None, looked: Mapping[int, Looked]) -> Figures:
    """The figures of a call that the reader may see; without lines where there is no sound."""
    sounds = [one for one in call.recordings if one.state in PLAYABLE]
    waits = call.ended_at is not None and any(one.n not in looked for one in sounds)
    says = list(dict.fromkeys(coretexts.said(one.error) for one in looked.values() if one.error))
    if waits and line is None:
        says.append(_("The sound is being looked through; its figures come by themselves."))
    if line is not None and line.lanes < 2:
        says.append(_("The recording has one lane: who of the two spoke cannot be told."))
    lines = [*(_lines(line) if line else ()), *_recordings(call, sounds)]
    return Figures(lines, soundlog.fault(line.fault) if line else None, says, waits)


async def read(parts: Parts, call: CallLine) -> Figures:
    """The figures of a call that the reader may see, as they are known now."""
    async with parts.database.read() as db:
        line = (await xrayreading.of_calls(db, [call.id])).get(call.id)
        looked = await xrayreading.of_recordings(db, call.id)
    return figures_of(call, line, looked)


async def of_story(parts: Parts, call: CallLine) -> Figures | None:
    """The block beside a call's story; None where there is nothing to tell of a sound."""
    if not call.recordings:
        return None
    found = await read(parts, call)
    return found if found.lines or found.says else None


def _lines(line: XrayLine) -> list[Figure]:
    found = []
    if line.client_share is not None and line.operator_share is not None:
        client, operator = line.client_talk_s, line.operator_talk_s
        found = [
            Figure(_("Client spoke"), f"{soundlog.percent(line.client_share)}, {show.duration(client)}"),
            Figure(_("Operator spoke"), f"{soundlog.percent(line.operator_share)}, {show.duration(operator)}"),
        ]
    if line.longest_silence_s:
        moment = {"long": show.duration(line.longest_silence_s), "at": show.duration(line.longest_silence_at_s)}
        longest = Figure(_("Longest silence"), _("%(long)s at %(at)s") % moment, round(line.longest_silence_at_s, 1))
        found += [longest, Figure(_("Silence in all"), show.duration(line.silence_s))]
    if line.overlaps is not None:
        found.append(Figure(_("Both at once"), _both(line.overlaps, line.overlap_s)))
    return [*found, *_first_words(line), *_levels(line)]


def _both(times: int, seconds: float | None) -> str:
    if not times:
        return _("never")
    said = ngettext("%(n)s time, %(time)s", "%(n)s times, %(time)s", times)
    return said % {"n": times, "time": show.duration(seconds)}


def _first_words(line: XrayLine) -> list[Figure]:
    sides = (
        (_("Operator’s first word"), line.operator_first_word_s),
        (_("Client’s first word"), line.client_first_word_s),
    )
    return [
        Figure(word, _("after %(time)s") % {"time": soundlog.first_word(seconds)})
        for word, seconds in sides
        if seconds is not None
    ]


def _levels(line: XrayLine) -> list[Figure]:
    sides = (
        (_("Client’s loudness"), line.client_loudness_db, line.client_clipped_s),
        (_("Operator’s loudness"), line.operator_loudness_db, line.operator_clipped_s),
    )
    return [Figure(word, _level(loudness, clipped)) for word, loudness, clipped in sides if loudness is not None]


def _level(loudness: float, clipped: float | None) -> str:
    said = f"{round(loudness)} dB".replace("-", "−")
    if clipped and clipped >= _CLIPPED_S:
        return _("%(level)s, too loud for %(time)s") % {"level": said, "time": show.duration(clipped)}
    return said


def _recordings(call: CallLine, sounds: Sequence[RecordingLine]) -> list[Figure]:
    """How whole each recording is, its lanes and its size; of several also which stretch of talk it holds."""
    if len(sounds) == 1:
        return [Figure(_("Recording"), _how(sounds[0]))]
    told = [Told(one.n, one.at, one.seconds) for one in call.recordings]
    places = stretches(course(call.at, call.answered_at, call.ended_at, call.talks), told)
    people = {part.extension: part.person or part.extension for part in call.parts}
    found = []
    for number, one in enumerate(sounds, 1):
        place = places[one.n]
        who = [people.get(extension, extension) for extension in place.operators]
        span = f"{show.duration(place.from_s)}–{show.duration(place.to_s)}"
        said = ", ".join([span, *who, _how(one)])
        found.append(Figure(_("Recording %(n)s") % {"n": number}, said, round(place.from_s, 1)))
    return found


def _how(one: RecordingLine) -> str:
    whole = {"present": _("whole"), "partial": _("in part"), "paused": _("with a pause")}[one.state]
    lanes = _("two lanes") if one.channels == 2 else _("one lane")
    return ", ".join([whole, lanes, *([f"{one.size / 1e6:.1f} MB"] if one.size else [])])
