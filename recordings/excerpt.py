"""A stretch of a sound file as a WAV of its own: whoever is given it hears these seconds and no others."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from recordings.sound import BadSound, blocks_of

#: Longer ones are not cut: what is held in memory stays small.
LONGEST_S = 600.0
_BLOCK = 1 << 16


def excerpt(path: Path, begin_s: float, end_s: float) -> bytes:
    """The seconds from `begin_s` to `end_s`, with all lanes, as 16 bit WAV; shorter where the file ends before.

    Blocks: use it in a thread. Raises BadSound (in words) for what cannot be read, is too long, or has no such seconds.
    """
    if not 0 <= begin_s < end_s <= begin_s + LONGEST_S:
        raise BadSound("This stretch is empty or too long to be cut.")
    try:
        with soundfile.SoundFile(path) as file:
            samples = _samples(file, round(begin_s * file.samplerate), round(end_s * file.samplerate))
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise BadSound("The recording is no sound that can be read.") from error
    if not len(samples):
        raise BadSound("The recording ends before this stretch begins.")
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format="WAV", subtype="PCM_16")
    return made.getvalue()


def _samples(file: soundfile.SoundFile, begin: int, end: int) -> NDArray[Any]:
    """The frames; what cannot be sought in (GSM) is read from its beginning, a block at a time."""
    if file.seekable():
        file.seek(min(begin, file.frames))
        return np.asarray(file.read(end - begin, dtype="int16", always_2d=True))
    kept, at = [np.empty((0, file.channels), dtype=np.int16)], 0
    for block in blocks_of(file, _BLOCK):
        kept.append(block[max(0, begin - at) : max(0, end - at)])
        at += len(block)
        if at >= end:
            break
    return np.concatenate(kept)
