"""Sound into a smaller form, and the look back: whether the new file holds what the old one does.

FLAC keeps every sample; Opus keeps what people hear in about a tenth of the bytes. Both are read by every present
browser. Blocks, in constant memory: use a thread.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from recordings.sound import BadSound, blocks_of
from recordings.vault.errors import VaultError, of_os

Form = Literal["flac", "opus"]

#: What a lossless FLAC of 16 bits holds; GSM and the telephone's laws decode to so much.
_SIXTEEN = frozenset({"PCM_16", "PCM_U8", "PCM_S8", "ULAW", "ALAW", "GSM610", "IMA_ADPCM", "MS_ADPCM", "G721_32"})
_OPUS_RATES = frozenset({8000, 12000, 16000, 24000, 48000})
_FORMATS = {"flac": "FLAC", "opus": "OGG"}
_SECONDS = 8
#: Loudness of the two is compared over stretches of this length; it may differ by this part of the whole.
_STRETCH_S, _DIFFERENCE = 0.25, 0.25
#: Below this nobody hears anything (of 32768).
_FLOOR = 60.0


class Unfit(VaultError):
    """This sound cannot be put into that form; told in one sentence."""

    passes = False


def convert(source: Path, target: Path, form: Form) -> None:
    """Write the sound of `source` to `target`. Raises Unfit, BadSound and VaultError (no room, no right)."""
    try:
        with soundfile.SoundFile(source) as old:
            subtype = _subtype(old, form)
            how = {"samplerate": old.samplerate, "channels": old.channels, "subtype": subtype}
            kind = "int32" if subtype == "PCM_24" else "int16"
            try:
                with soundfile.SoundFile(target, "w", format=_FORMATS[form], **how) as new:
                    for block in blocks_of(old, old.samplerate * _SECONDS, kind):
                        new.write(block)
            except (soundfile.LibsndfileError, AssertionError) as error:
                raise _unwritten(target) from error
    except soundfile.LibsndfileError as error:
        raise BadSound("The sound breaks off within the file.") from error


def _unwritten(target: Path) -> VaultError:
    """libsndfile does not say why: a disk that is full tells it to whoever writes again."""
    try:
        with target.open("ab", buffering=0) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        return of_os(error, target.parent)
    return VaultError("The new file could not be written; it is tried again by itself.")


def _subtype(old: soundfile.SoundFile, form: Form) -> str:
    if form == "opus":
        if old.samplerate not in _OPUS_RATES or old.channels > 2:
            raise Unfit(f"Opus holds no sound of {old.samplerate} samples a second on {old.channels} lanes.")
        return "OPUS"
    if old.subtype not in _SIXTEEN and old.subtype != "PCM_24":
        raise Unfit(f"FLAC would not hold every sample of this sound ({old.subtype}).")
    return "PCM_24" if old.subtype == "PCM_24" else "PCM_16"


def same_sound(old: Path, new: Path, form: Form) -> bool:
    """Whether `new` holds the sound of `old`: every sample of it (FLAC), or all of it as heard (Opus)."""
    try:
        with soundfile.SoundFile(old) as one, soundfile.SoundFile(new) as other:
            if (one.channels, one.samplerate) != (other.channels, other.samplerate):
                return False
            return _same_samples(one, other) if form == "flac" else _same_loudness(one, other)
    except soundfile.LibsndfileError:
        return False


def _same_samples(one: soundfile.SoundFile, other: soundfile.SoundFile) -> bool:
    return len(one) == len(other) and all(np.array_equal(*pair) for pair in _pairs(one, other, "int32"))


def _same_loudness(one: soundfile.SoundFile, other: soundfile.SoundFile) -> bool:
    """Both as long, and each lane as loud in the same stretches."""
    rate = one.samplerate
    if abs(len(one) - len(other)) > rate * 0.1:
        return False
    found = [(_loudness(a, rate), _loudness(b, rate)) for a, b in _pairs(one, other, "int16")]
    if not found:
        return True
    mine, theirs = (np.concatenate(side) for side in zip(*found, strict=True))
    apart = np.sqrt(np.mean((mine - theirs) ** 2, axis=0))
    whole = np.sqrt(np.mean(mine**2, axis=0))
    return bool(np.all(apart <= _DIFFERENCE * whole + _FLOOR))


def _pairs(
    one: soundfile.SoundFile, other: soundfile.SoundFile, kind: str
) -> Iterator[tuple[NDArray[np.integer], NDArray[np.integer]]]:
    """Blocks of both side by side, cut to the shorter one at the end."""
    frames = one.samplerate * _SECONDS
    while True:
        a, b = (file.read(frames, dtype=kind, always_2d=True) for file in (one, other))
        length = min(len(a), len(b))
        if not length:
            return
        yield a[:length], b[:length]


def _loudness(block: NDArray[np.integer], rate: int) -> NDArray[np.float64]:
    """Root mean square of each stretch: (frames, lanes) to (stretches, lanes)."""
    stretch = round(rate * _STRETCH_S)
    rest = -len(block) % stretch
    whole = np.concatenate([block, np.zeros((rest, block.shape[1]), block.dtype)]) if rest else block
    power = whole.astype(np.float64).reshape(-1, stretch, whole.shape[1]) ** 2
    result: NDArray[np.float64] = np.sqrt(power.mean(axis=1))
    return result
