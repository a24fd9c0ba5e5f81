"""Waveforms as SVG paths: one closed shape a lane in a box of 1000 × 28, so that no style is needed."""

from functools import lru_cache
from itertools import pairwise

from recordings.waveform import Peaks

WIDTH, HEIGHT = 1000, 28
#: So many points are enough for any screen; a page with ten players stays small.
POINTS = 240


@lru_cache(maxsize=256)
def paths(peaks: bytes) -> tuple[str, ...]:
    """A path for each lane; stereo lies one above the other. Nothing for what is no drawing."""
    try:
        lanes = Peaks.from_bytes(peaks).lanes
    except ValueError:
        return ()
    tall = HEIGHT / max(1, len(lanes))
    return tuple(_lane(lane, tall * n + tall / 2, tall / 2 - 0.6) for n, lane in enumerate(lanes[:2]))


@lru_cache(maxsize=64)
def lanes(peaks: bytes) -> tuple[str, ...]:
    """The same with each lane in a box of its own, for the story of a call."""
    try:
        found = Peaks.from_bytes(peaks).lanes
    except ValueError:
        return ()
    return tuple(_lane(lane, HEIGHT / 2, HEIGHT / 2 - 1) for lane in found[:2])


def _lane(lane: bytes, middle: float, reach: float) -> str:
    """Upper edge from left to right, lower edge back: thin where it is silent, never nothing."""
    loudest = max(lane, default=0) or 1
    points = _fewer(lane)
    step = WIDTH / max(1, len(points) - 1)
    heights = [max(0.35, reach * point / loudest) for point in points]
    above = " ".join(f"{n * step:.0f},{middle - high:.1f}" for n, high in enumerate(heights))
    below = " ".join(f"{n * step:.0f},{middle + high:.1f}" for n, high in reversed(list(enumerate(heights))))
    return f"M{above} {below}Z" if points else ""


def _fewer(lane: bytes) -> list[int]:
    if len(lane) <= POINTS:
        return list(lane)
    edges = [n * len(lane) // POINTS for n in range(POINTS + 1)]
    return [max(lane[begin:end]) for begin, end in pairwise(edges)]
