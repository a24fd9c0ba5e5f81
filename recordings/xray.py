"""What can be said of a conversation from its sound alone: who talked how long, silences, talking at once, loudness.

Plain signal processing. The sound is cut into frames of FRAME_S; a frame holds voice where its level is well above
the lane's own noise. Words are joined over short pauses, clicks are dropped. A file of two lanes (client, operator)
tells the sides apart; of one lane only what all of them did together.

Levels are decibels below full scale (dBFS, 0 is the loudest that the file can hold).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from recordings.sound import BadSound, blocks_of, measure

FRAME_S = 0.02
#: Pauses within a sentence, shorter than this, are talk; sounds shorter than the second are clicks.
PAUSE_S, CLICK_S = 0.3, 0.08
#: Two who talk at once for less than this only meet at the end of a turn.
OVERLAP_S = 0.2
#: Voice is this much above the noise; but what is louder than the upper bound is never noise, or below the lower voice.
ABOVE_DB, LOWEST_DB, HIGHEST_DB = 12.0, -50.0, -32.0
_NOISE_PERCENT = 15
_NOTHING_DB = -90.0
#: A sample this near to full scale is clipped; so many of them in a frame make it one.
_CLIPPED_AT, _CLIPPED_SAMPLES = 32_700, 3
_BLOCK_FRAMES = 2000

Mask = NDArray[np.bool_]
Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One lane. `share`: its part of all talk (0…1). `talk`: begin, end of each stretch of voice.

    `first_word_s`: from the first moment that counts; None when it never spoke.
    """

    talk_s: float
    share: float
    first_word_s: float | None
    loudness_db: float | None
    peak_db: float
    clipped_s: float
    talk: Spans


@dataclass(frozen=True, slots=True)
class Xray:
    """A whole conversation, times in seconds. `silence_s`: nobody talked; `longest_silence`: begin and length of one.

    `overlaps`: how often both talked at once, `overlap_s` how long in all; None for a file of one lane.
    """

    seconds: float
    sides: tuple[Side, ...]
    silence_s: float
    longest_silence: tuple[float, float]
    overlaps: int | None
    overlap_s: float | None


def xray_of(path: Path, without: Sequence[tuple[float, float]] = ()) -> Xray:
    """Look through a sound file, in blocks: memory grows by some hundred bytes a second.

    Stretches `without` (begin, end in seconds) count for nothing, neither as talk nor as silence: before the answer,
    on hold, while recording was paused. Raises BadSound or OSError.
    """
    sound = measure(path)
    try:
        with soundfile.SoundFile(path) as file:
            frame = max(1, round(file.samplerate * FRAME_S))
            parts = list(_levels(file, frame))
            seconds, step = len(file) / file.samplerate, frame / file.samplerate
    except soundfile.LibsndfileError as error:
        raise BadSound("The sound breaks off within the file.") from error
    if not parts:
        return Xray(0.0, (), 0.0, (0.0, 0.0), None, None)
    power, peaks, clipped = (np.concatenate(one) for one in zip(*parts, strict=True))
    level = 10 * np.log10(np.maximum(power, 10 ** (_NOTHING_DB / 10)))
    counts = _counting(len(level), step, without)
    voices = [voice_in(level[:, lane], step) & counts for lane in range(sound.channels)]
    first = float(counts.argmax() * step)
    spoken = [float(voice.sum() * step) for voice in voices]
    sides = tuple(
        Side(
            talk_s=round(spoken[lane], 2),
            share=round(spoken[lane] / (sum(spoken) or 1.0), 4),
            first_word_s=round(float(voice.argmax() * step) - first, 2) if voice.any() else None,
            loudness_db=round(float(10 * np.log10(power[voice, lane].mean() + 1e-12)), 1) if voice.any() else None,
            peak_db=round(float(20 * np.log10(max(int(peaks[:, lane].max()), 1) / 32768)), 1),
            clipped_s=round(float((clipped[:, lane] & counts).sum() * step), 2),
            talk=tuple((round(begin * step, 2), round(end * step, 2)) for begin, end in _runs(voice)),
        )
        for lane, voice in enumerate(voices)
    )
    return _together(seconds, sides, voices, counts, step)


def _counting(frames: int, step: float, without: Sequence[tuple[float, float]]) -> Mask:
    """Which frames count."""
    counts = np.ones(frames, bool)
    for begin, end in without:
        counts[max(0, round(begin / step)) : max(0, round(end / step))] = False
    return counts


def _together(seconds: float, sides: tuple[Side, ...], voices: list[Mask], counts: Mask, step: float) -> Xray:
    quiet = _runs(~np.logical_or.reduce(voices) & counts)
    begin, end = max(quiet, key=lambda run: run[1] - run[0], default=(0, 0))
    both = [run for run in _runs(np.logical_and.reduce(voices)) if (run[1] - run[0]) * step >= OVERLAP_S]
    at_once = sum(end - begin for begin, end in both) * step
    return Xray(
        seconds=round(seconds, 2),
        sides=sides,
        silence_s=round(sum(end - begin for begin, end in quiet) * step, 2),
        longest_silence=(round(begin * step, 2), round((end - begin) * step, 2)),
        overlaps=len(both) if len(voices) > 1 else None,
        overlap_s=round(at_once, 2) if len(voices) > 1 else None,
    )


def _levels(
    file: soundfile.SoundFile, frame: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]]:
    """Power (mean square about the frame's mean, full scale is 1), peak and clipping: each (frames, lanes)."""
    for block in blocks_of(file, frame * _BLOCK_FRAMES):
        rest = -len(block) % frame
        whole = np.concatenate([block, np.zeros((rest, block.shape[1]), np.int16)]) if rest else block
        lanes = np.ascontiguousarray(whole.T).reshape(whole.shape[1], -1, frame)
        scaled = lanes.astype(np.float32) / 32768
        peak = np.maximum(lanes.max(axis=2).astype(np.int32), -lanes.min(axis=2).astype(np.int32))
        loud = peak >= _CLIPPED_AT
        clipped = np.zeros_like(loud)
        if loud.any():
            clipped[loud] = (np.abs(lanes[loud].astype(np.int32)) >= _CLIPPED_AT).sum(axis=1) >= _CLIPPED_SAMPLES
        yield scaled.var(axis=2).T, peak.T, clipped.T


def voice_in(level: NDArray[np.floating], step: float) -> Mask:
    """Which frames of a lane hold voice, from their levels in dBFS; `step` is a frame's length in seconds."""
    heard = level[level > _NOTHING_DB + 1]
    if not len(heard):
        return np.zeros(len(level), bool)
    noise = float(np.percentile(heard, _NOISE_PERCENT))
    loud = level > min(HIGHEST_DB, max(LOWEST_DB, noise + ABOVE_DB))
    return _without_short(~_without_short(~loud, PAUSE_S / step), CLICK_S / step)


def _without_short(mask: Mask, least: float) -> Mask:
    """The mask without stretches of fewer frames than `least`; but a stretch at either end of the file stays."""
    kept = mask.copy()
    for begin, end in _runs(mask):
        if end - begin < least and begin > 0 and end < len(mask):
            kept[begin:end] = False
    return kept


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """Begin and end of each stretch of true frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
