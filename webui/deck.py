"""The player of a call: its tracks, the two voices under one ruler, what is shaded there, and the pins."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from callcrm.calls.pins import PinLine
from callcrm.calls.stretches import Stretch
from webui import waves
from webui.i18n import _
from webui.lanes import Gap, Part
from webui.ruler import LEAST, Axis
from webui.show import duration
from webui.sounds import Sound

#: From when to when, in seconds.
Span: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch behind the voices, in per cent; `kind` is silence, hold or gap."""

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording's drawing within a voice's row, in per cent; `begin`, `part`: what of the path it shows."""

    x: float
    width: float
    path: str
    begin: float = 0.0
    part: float = waves.WIDTH


@dataclass(frozen=True, slots=True)
class Voice:
    """One party's row: the client's, the operator's, or both in one where the file has one lane."""

    name: str
    kind: str
    said: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class PinView:
    """A pin on the ruler and in the list: `number` is its place among the call's, `call_s` its second of the call."""

    number: int
    x: float
    call_s: float
    pin: PinLine

    @property
    def said(self) -> str:
        """It in words."""
        about = {"n": self.number, "time": duration(self.call_s), "text": self.pin.text}
        return _("Pin %(n)s at %(time)s: %(text)s") % about


@dataclass(frozen=True, slots=True)
class Deck:
    """What the player's template and module are given."""

    seconds: float
    tracks: tuple[Sound, ...]
    voices: tuple[Voice, ...]
    shades: tuple[Shade, ...]

    @property
    def data(self) -> list[dict[str, Any]]:
        """The tracks for the browser: seconds of the call, and the silences in seconds of the recording."""
        return [
            {
                "n": one.n,
                "from": round(one.place.from_s, 2),
                "to": round(_end(one), 2),
                "cuts": [list(cut) for cut in one.place.cuts],
                "quiet": [list(span) for span in one.silences],
            }
            for one in self.tracks
        ]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of shades that there are, for the legend."""
        return frozenset(shade.kind for shade in self.shades)


def deck_of(
    axis: Axis,
    sounds: Sequence[Sound],
    parts: Sequence[Part],
    gaps: Sequence[Gap],
    names: tuple[str, str] | None = None,
) -> Deck:
    """The player of those recordings that can be heard; `names` of the two who talk, where they are colleagues."""
    tracks = tuple(sorted((one for one in sounds if one.playable), key=lambda one: (one.place.from_s, one.n)))
    others = list(_others(axis, parts, gaps))
    shades = [*_silences(axis, tracks, [span for span, _kind, _word in others])] if tracks else []
    shades += [_shade(axis, *span, kind, word) for span, kind, word in others] if tracks else []
    voices = _voices(axis, tracks, names or (_("Client"), _("Operator")))
    return Deck(axis.seconds, tracks, tuple(voices), tuple(shades))


def pins_of(axis: Axis, sounds: Iterable[Sound], pins: Sequence[PinLine]) -> list[PinView]:
    """The pins in the order of the call."""
    places = {one.n: one.place for one in sounds}
    nowhere = Stretch(0.0, 0.0)
    placed = sorted(
        ((places.get(pin.n, nowhere).call_s(pin.at_s), pin.id, pin) for pin in pins), key=lambda one: one[:2]
    )
    return [PinView(n, axis.share(at), round(at, 2), pin) for n, (at, _id, pin) in enumerate(placed, 1)]


def _voices(axis: Axis, tracks: Sequence[Sound], names: tuple[str, str]) -> Iterable[Voice]:
    """Recordings one after the other share their rows; those that hold the same time have rows of their own."""
    rows: list[list[Sound]] = []
    for track in tracks:
        lanes = len(track.lanes)
        for row in rows:
            if len(row[-1].lanes) == lanes and row[-1].place.to_s <= track.place.from_s + 0.5:
                row.append(track)
                break
        else:
            rows.append([track])
    for row in rows:
        drawn = [track.lanes for track in row]
        for lane in range(max((len(paths) for paths in drawn), default=0)):
            pieces = tuple(
                piece
                for track, paths in zip(row, drawn, strict=True)
                if lane < len(paths)
                for piece in _pieces(axis, track, paths[lane])
            )
            name = _("Sound") if len(drawn[0]) == 1 else names[lane]
            yield _voice(name, "mine" if len(drawn[0]) == 1 or lane else "theirs", row, pieces)


def _voice(name: str, kind: str, row: Sequence[Sound], pieces: tuple[Piece, ...]) -> Voice:
    quiet = [end - begin for track in row for begin, end in track.silences]
    words = _("%(n)s silences, the longest %(time)s") % {"n": len(quiet), "time": duration(max(quiet, default=0.0))}
    return Voice(name, kind, f"{name}: {words}", pieces)


def _pieces(axis: Axis, track: Sound, path: str) -> Iterable[Piece]:
    """A recording's drawing, apart where something of the call was left out."""
    seconds = track.seconds or 0.0
    edges = [0.0, *(at for at, _left in track.place.cuts if at < seconds), seconds]
    for begin, end in pairwise(edges):
        x = axis.share(track.place.call_s(begin))
        width = max(LEAST, min(100.0 - x, 100 * (end - begin) / axis.seconds))
        part = waves.WIDTH / seconds if seconds else 0.0
        yield Piece(x, width, path, round(begin * part, 1), round((end - begin) * part, 1) or waves.WIDTH)


def _end(track: Sound) -> float:
    """The second of the call where a recording ends, as long as its sound is."""
    return max(track.place.to_s, track.place.call_s(track.seconds or 0.0))


def _shade(axis: Axis, begin: float, end: float, kind: str, word: str) -> Shade:
    title = f"{word} {duration(end - begin)}"
    return Shade(axis.share(begin), axis.share(end) - axis.share(begin), kind, title)


def _left(begin: float, end: float, shaded: Sequence[Span]) -> Iterable[Span]:
    """What is left of a silence beside what is shaded as something else, where that is long enough to tell."""
    for one, other in [*sorted(shaded), (end, end)]:
        if min(one, end) - begin >= waves.SILENCE_S:
            yield begin, min(one, end)
        begin = max(begin, other)


def _silences(axis: Axis, tracks: Sequence[Sound], shaded: Sequence[Span]) -> Iterable[Shade]:
    """Within a recording where nobody is heard, and where there is no recording."""
    for track in tracks:
        cuts = [(track.place.call_s(at) - left, track.place.call_s(at)) for at, left in track.place.cuts]
        for begin, end in track.silences:
            for one, other in _left(track.place.call_s(begin), track.place.call_s(end), [*shaded, *cuts]):
                yield _shade(axis, one, other, "silence", _("Silence"))
        for begin, end in cuts:
            yield _shade(axis, begin, end, "silence", _("No recording"))
    places = [one.place for one in tracks]
    edges = [(0.0, 0.0), *((one.from_s, max(one.to_s, one.from_s)) for one in places), (axis.seconds, axis.seconds)]
    for (_begin, end), (begin, _end) in pairwise(edges):
        if begin - end >= 1.0:
            yield _shade(axis, end, begin, "silence", _("No recording"))


def _others(axis: Axis, parts: Sequence[Part], gaps: Sequence[Gap]) -> Iterable[tuple[Span, str, str]]:
    """Holds, parking and gaps: from when to when, of which kind, in what word."""
    words: Mapping[str, str] = {"hold": _("Hold"), "parked": _("Parked")}
    for part in parts:
        for did in part.did:
            if did.kind in words:
                yield (axis.offset(did.at), axis.offset(did.until or axis.end)), "hold", words[did.kind]
    for gap in gaps:
        yield (axis.offset(gap.at), axis.offset(gap.until or axis.end)), "gap", _("Not recorded")
