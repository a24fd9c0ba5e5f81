"""Sound files for the tests, made as PBXes make them."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def tone(seconds: float, level: float = 0.5, hertz: float = 440.0, rate: int = RATE) -> np.ndarray:
    """One lane of a sine."""
    at = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hertz * at) * level * 32767).astype(np.int16)


def write(path: Path, *lanes: np.ndarray, rate: int = RATE, **how: str) -> Path:
    """A file of these lanes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack(lanes, axis=1), rate, **how)
    return path
