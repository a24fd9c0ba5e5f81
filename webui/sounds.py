"""Recordings as players: the drawing, the address, or in words why there is no sound."""

from dataclasses import dataclass

from callcrm.accounts.policy import Actor, Right, may
from callcrm.calls import heard
from callcrm.calls.log import CallLine
from webui import waves, words
from webui.i18n import _
from webui.parts import Parts
from webui.rows import PLAYABLE
from webui.words import Mark


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording on a page; shares are the place of its sound on the call's axis, in per cent."""

    playable: bool
    src: str
    seconds: float | None
    paths: tuple[str, ...]
    lanes: tuple[str, ...]
    mark: Mark
    words: str
    from_share: float = 0.0
    of_share: float = 100.0


async def sounds_of(parts: Parts, actor: Actor, calls: list[CallLine]) -> dict[str, tuple[Sound, ...]]:
    """The recordings of these calls, by call."""
    allowed = may(actor, Right.LISTEN)
    async with parts.database.read() as db:
        drawn = await heard.drawings(db, [call.id for call in calls if call.recordings]) if allowed else {}
    return {call.id: tuple(_sounds(call, drawn, allowed)) for call in calls if call.recordings}


def _sounds(call: CallLine, drawn: dict[tuple[str, int], bytes], allowed: bool) -> list[Sound]:
    found = []
    for one in call.recordings:
        mark = words.recording(one.state, one.cause)
        peaks = drawn.get((call.id, one.n), b"")
        said = one.cause or mark.word
        if not allowed:
            said = _("This recording is not yours to hear.")
        playable = allowed and one.state in PLAYABLE
        begin, length = _place(call, one.seconds)
        src = f"/calls/{call.id}/recordings/{one.n}"
        found.append(
            Sound(playable, src, one.seconds, waves.paths(peaks), waves.lanes(peaks), mark, said, begin, length)
        )
    return found


def _place(call: CallLine, seconds: float | None) -> tuple[float, float]:
    """A recording begins when the two talk, for that is what MixMonitor hears; it ends with the call or before."""
    total = call.total_s or ((call.ended_at - call.at).total_seconds() if call.ended_at else 0)
    if not total or not seconds:
        return 0.0, 100.0
    begin = max(0.0, total - seconds)
    if call.answered_at is not None:
        begin = min(begin, max(0.0, (call.answered_at - call.at).total_seconds()))
    return round(100 * begin / total, 3), round(max(0.6, min(100 - 100 * begin / total, 100 * seconds / total)), 3)
