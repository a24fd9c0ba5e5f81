"""Waveforms as SVG paths: one closed shape a lane in a box of 1000 × 28, so that no style is needed."""

from functools import lru_cache
from itertools import pairwise

from recordings.waveform import Peaks

WIDTH, HEIGHT = 1000, 28
#: So many points are enough for any screen; a page with ten players stays small.
POINTS = 240
#: The story of a call shows one, over the whole width.
WIDE = 600


@lru_cache(maxsize=256)
def paths(peaks: bytes, first_lane: str = "client") -> tuple[str, ...]:
    """A path for each lane; stereo lies one above the other, the client's above. Nothing for what is no drawing."""
    lanes = _client_first(peaks, first_lane)
    tall = HEIGHT / max(1, len(lanes))
    return tuple(_lane(lane, tall * n + tall / 2, tall / 2 - 0.6) for n, lane in enumerate(lanes[:2]))


@lru_cache(maxsize=64)
def lanes(peaks: bytes, first_lane: str = "client") -> tuple[str, ...]:
    """The same with each lane in a box of its own, for the story of a call."""
    return tuple(_lane(lane, HEIGHT / 2, HEIGHT / 2 - 1, WIDE) for lane in _client_first(peaks, first_lane))


def _client_first(peaks: bytes, first_lane: str) -> tuple[bytes, ...]:
    try:
        found = Peaks.from_bytes(peaks).lanes[:2]
    except ValueError:
        return ()
    return found[::-1] if first_lane == "operator" else found


#: Quieter than this share of the loudest sound, or than this of full scale (255), nobody is heard.
_HEARD_SHARE, _HEARD = 0.06, 4
#: A silence that is shorter than this, in seconds, is a pause for breath.
SILENCE_S = 2.0


@lru_cache(maxsize=64)
def silences(peaks: bytes) -> tuple[tuple[float, float], ...]:
    """From when to when nobody is heard in any lane, in seconds of the recording."""
    try:
        found = Peaks.from_bytes(peaks)
    except ValueError:
        return ()
    loud = [max(bars) for bars in zip(*found.lanes, strict=True)]
    least = max(_HEARD, _HEARD_SHARE * max(loud, default=0))
    step = found.seconds / max(1, len(loud))
    spans, begun = [], None
    for n, level in enumerate([*loud, 256]):
        if level < least and begun is None:
            begun = n
        elif level >= least and begun is not None:
            spans.append((round(begun * step, 2), round(n * step, 2)))
            begun = None
    return tuple(span for span in spans if span[1] - span[0] >= SILENCE_S)


def _lane(lane: bytes, middle: float, reach: float, most: int = POINTS) -> str:
    """Upper edge from left to right, lower edge back: thin where it is silent, never nothing."""
    loudest = max(lane, default=0) or 1
    points = _fewer(lane, most)
    step, fine = WIDTH / max(1, len(points) - 1), int(most > POINTS)
    heights = [max(0.35, reach * point / loudest) for point in points]
    above = " ".join(f"{n * step:.{fine}f},{middle - high:.1f}" for n, high in enumerate(heights))
    below = " ".join(f"{n * step:.{fine}f},{middle + high:.1f}" for n, high in reversed(list(enumerate(heights))))
    return f"M{above} {below}Z" if points else ""


def _fewer(lane: bytes, most: int) -> list[int]:
    if len(lane) <= most:
        return list(lane)
    edges = [n * len(lane) // most for n in range(most + 1)]
    return [max(lane[begin:end]) for begin, end in pairwise(edges)]
