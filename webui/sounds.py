"""Recordings as players: the drawing, the address, or in words why there is no sound."""

from collections.abc import Mapping
from dataclasses import dataclass

from callcrm.accounts.policy import Actor, Right, may
from callcrm.calls import heard
from callcrm.calls.log import CallLine
from callcrm.calls.stretches import Stretch, Told, course, stretches
from webui import coretexts, waves, words
from webui.i18n import _
from webui.parts import Parts
from webui.rows import PLAYABLE
from webui.words import Mark

_NOWHERE = Stretch(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording on a page: `place` is its stretch of the call, `peaks` its stored drawing.

    `quiet`: where nobody talks, in seconds of the recording, once it was looked through.
    """

    n: int
    playable: bool
    src: str
    seconds: float | None
    paths: tuple[str, ...]
    mark: Mark
    words: str
    place: Stretch = _NOWHERE
    size: int | None = None
    peaks: bytes = b""
    first_lane: str = "client"
    quiet: tuple[tuple[float, float], ...] | None = None

    @property
    def silences(self) -> tuple[tuple[float, float], ...]:
        """Where nobody talks; until it was looked through, where the drawing shows next to nothing."""
        return waves.silences(self.peaks) if self.quiet is None else self.quiet

    @property
    def lanes(self) -> tuple[str, ...]:
        """The drawing of each lane, the client's first."""
        return waves.lanes(self.peaks, self.first_lane)


async def sounds_of(parts: Parts, actor: Actor, calls: list[CallLine]) -> dict[str, tuple[Sound, ...]]:
    """The recordings of these calls, by call."""
    allowed = may(actor, Right.LISTEN)
    async with parts.database.read() as db:
        drawn = await heard.drawings(db, [call.id for call in calls if call.recordings]) if allowed else {}
    return {call.id: tuple(_sounds(call, drawn, allowed)) for call in calls if call.recordings}


def _sounds(call: CallLine, drawn: Mapping[tuple[str, int], bytes], allowed: bool) -> list[Sound]:
    places = _places(call)
    found = []
    for one in call.recordings:
        cause = coretexts.said(one.cause)
        mark = words.recording(one.state, cause)
        peaks = drawn.get((call.id, one.n), b"")
        said = (cause or mark.word) if allowed else _("This recording is not yours to hear.")
        sound = Sound(
            n=one.n,
            playable=allowed and one.state in PLAYABLE,
            src=f"/calls/{call.id}/recordings/{one.n}",
            seconds=one.seconds,
            paths=waves.paths(peaks, one.first_lane),
            mark=mark,
            words=said,
            place=places[one.n],
            size=one.size,
            peaks=peaks,
            first_lane=one.first_lane,
        )
        found.append(sound)
    return found


def _places(call: CallLine) -> dict[int, Stretch]:
    """The stretch of the call that each recording holds."""
    told = [Told(one.n, one.at, one.seconds) for one in call.recordings]
    return stretches(course(call.at, call.answered_at, call.ended_at, call.talks), told)
