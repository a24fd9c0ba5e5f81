"""Peaks of a sound file for drawing, a lane a channel; read in blocks, so that memory stays the same for any length."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from recordings.sound import BadSound, blocks_of, measure

#: Bars of a drawing; a bar stands for at least this many samples.
BARS = 1200
_LEAST_SAMPLES = 40
_BLOCK_BARS = 64
_HEAD = struct.Struct("<4sBBHf")
_MAGIC = b"pk1\0"


@dataclass(frozen=True, slots=True)
class Peaks:
    """Peaks of each lane from 0 to 255 (full scale), and how long the sound is in seconds."""

    lanes: tuple[bytes, ...]
    seconds: float

    def to_bytes(self) -> bytes:
        """The compact form that a row keeps: a head of twelve bytes, then the lanes one after the other."""
        count = len(self.lanes[0]) if self.lanes else 0
        return _HEAD.pack(_MAGIC, len(self.lanes), 0, count, self.seconds) + b"".join(self.lanes)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Peaks":
        """Back from the compact form; raises ValueError when it is none."""
        if len(data) < _HEAD.size:
            raise ValueError("these are no peaks")
        magic, lanes, _, count, seconds = _HEAD.unpack_from(data)
        body = data[_HEAD.size :]
        if magic != _MAGIC or len(body) != lanes * count:
            raise ValueError("these are no peaks")
        return cls(tuple(body[n * count : (n + 1) * count] for n in range(lanes)), seconds)


def peaks_of(path: Path, bars: int = BARS) -> Peaks:
    """The loudest sample of each stretch, a lane a channel; at most `bars` stretches. Raises BadSound or OSError."""
    measure(path)
    try:
        with soundfile.SoundFile(path) as file:
            samples = max(_LEAST_SAMPLES, -(-len(file) // bars))
            found = [_loudest(block, samples) for block in blocks_of(file, samples * _BLOCK_BARS)]
            seconds, channels = len(file) / file.samplerate, file.channels
    except soundfile.LibsndfileError as error:
        raise BadSound("The sound breaks off within the file.") from error
    whole = np.concatenate(found) if found else np.zeros((0, channels), np.uint8)
    return Peaks(tuple(whole[:, lane].tobytes() for lane in range(channels)), seconds)


def _loudest(block: NDArray[np.int16], samples: int) -> NDArray[np.uint8]:
    """Bars of one block: (frames, lanes) to (bars, lanes) of 0…255."""
    rest = -len(block) % samples
    if rest:
        block = np.concatenate([block, np.zeros((rest, block.shape[1]), np.int16)])
    # One lane after the other in memory: the reductions then run over neighbours, which is many times faster.
    lanes = np.ascontiguousarray(block.T).reshape(block.shape[1], -1, samples)
    high = np.maximum(lanes.max(axis=2).astype(np.int32), -lanes.min(axis=2).astype(np.int32))
    result: NDArray[np.uint8] = np.minimum(255, high // 128).astype(np.uint8).T
    return result
