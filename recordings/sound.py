"""Sound files: what is in them, and pieces cut or mixed out of them.

soundfile decodes (WAV of any law, GSM, FLAC, Ogg, MP3; no ffmpeg needed), pydub cuts and mixes. All of
this blocks: call it in a thread (`recordings.look` keeps a bounded pool).
"""

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

with warnings.catch_warnings():
    # It warns that there is no ffmpeg, which nothing here needs, and of its own old syntax.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

#: pydub holds a whole file in memory; nothing longer is edited.
LONGEST_EDIT_S = 4 * 3600


class BadSound(ValueError):
    """The file cannot be read as sound; told in one sentence."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a sound file holds: `seconds` of `channels` lanes at `rate` samples a second.

    `promised_s` is what its header promises when the file ends earlier; else it equals `seconds`.
    """

    seconds: float
    channels: int
    rate: int
    promised_s: float

    @property
    def truncated(self) -> bool:
        """Whether the file ends before its header says."""
        return self.promised_s - self.seconds > 0.5


def measure(path: Path) -> Sound:
    """Length, lanes and rate, from the header and the file's size. Raises BadSound or OSError."""
    try:
        with soundfile.SoundFile(path) as file:
            frames, rate, channels = len(file), int(file.samplerate), int(file.channels)
    except soundfile.LibsndfileError as error:
        raise BadSound(_words(path, error)) from error
    seconds = frames / rate if rate else 0.0
    return Sound(seconds, channels, rate, max(seconds, _promised(path) or 0.0))


def blocks_of(file: soundfile.SoundFile, frames: int, dtype: str = "int16") -> Iterator[NDArray[Any]]:
    """The sound from here on as (frames, lanes), some frames at a time; also of codings that cannot be sought (GSM)."""
    while len(block := file.read(frames, dtype=dtype, always_2d=True)):
        yield block


def _words(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if not head:
        return "The file is empty."
    if head[:4] in (b"RIFF", b"RIFX") and head[8:12] == b"WAVE":
        return "The WAV header is broken or cut off: the file cannot be played."
    words = str(error).rpartition(":")[2].strip().rstrip(".") or "unknown format"
    return f"The file is no sound that can be read ({words})."


def _promised(path: Path) -> float | None:
    """Seconds that a PCM WAV's header promises; None for anything else, or while its length is not written yet."""
    with path.open("rb") as file:
        head = file.read(512)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, bytes_a_second = 12, 0
    while at + 8 <= len(head):
        kind, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if kind == b"fmt " and at + 20 <= len(head):
            bytes_a_second = struct.unpack_from("<I", head, at + 16)[0]
        if kind == b"data":
            return size / bytes_a_second if bytes_a_second and 0 < size < 0xFFFF_FF00 else None
        at += 8 + size + (size & 1)
    return None


def read_segment(path: Path) -> AudioSegment:
    """A whole file as pydub's segment, decoded without ffmpeg. Raises BadSound, also when it is too long to edit."""
    sound = measure(path)
    if sound.seconds > LONGEST_EDIT_S:
        raise BadSound("The recording is too long to be edited.")
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadSound(_words(path, error)) from error
    return AudioSegment(samples.tobytes(), frame_rate=rate, sample_width=2, channels=samples.shape[1])


def write_segment(segment: AudioSegment, path: Path) -> None:
    """A segment to a file; its suffix chooses the kind (.wav, .flac, .ogg, .mp3)."""
    samples = np.frombuffer(segment.raw_data, dtype=np.int16).reshape(-1, segment.channels)
    soundfile.write(path, samples, segment.frame_rate)


def cut(path: Path, begin_s: float, end_s: float) -> AudioSegment:
    """A stretch of a file."""
    return read_segment(path)[round(begin_s * 1000) : round(end_s * 1000)]


def silence(path: Path, stretches: list[tuple[float, float]]) -> AudioSegment:
    """The whole file with these stretches (begin, end in seconds) made silent: card data, for example."""
    segment = read_segment(path)
    for begin, end in stretches:
        from_ms, to_ms = max(0, round(begin * 1000)), min(len(segment), round(end * 1000))
        if from_ms < to_ms:
            gap = AudioSegment.silent(to_ms - from_ms, segment.frame_rate).set_channels(segment.channels)
            segment = segment[:from_ms] + gap.set_sample_width(segment.sample_width) + segment[to_ms:]
    return segment


def mix_lanes(left: Path, right: Path) -> AudioSegment:
    """Two files of one lane each (client, operator) to one of two; the shorter is filled with silence."""
    lanes = [read_segment(one).set_channels(1) for one in (left, right)]
    rate = max(one.frame_rate for one in lanes)
    length = max(len(one) for one in lanes)
    lanes = [(one + AudioSegment.silent(length - len(one), one.frame_rate)).set_frame_rate(rate) for one in lanes]
    frames = max(one.frame_count() for one in lanes)
    filled = [one._spawn(one.raw_data.ljust(int(frames) * one.sample_width, b"\0")) for one in lanes]
    return AudioSegment.from_mono_audiosegments(*filled)
