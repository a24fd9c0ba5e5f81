"""Makes the demo's voices anew: `python -m callcrm.demo.make_voices`. Needs espeak-ng, which nothing else does."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from callcrm.demo.phrases import PHRASES, file_name

RATE = 8000
#: espeak-ng's voice, pitch and words a minute of each side.
VOICES = {
    ("en", "operator"): ("en-gb+f2", 55, 165),
    ("en", "client"): ("en-us+m3", 38, 155),
    ("ru", "operator"): ("ru+f2", 55, 165),
    ("ru", "client"): ("ru+m3", 38, 155),
}


def speak(espeak: str, text: str, voice: str, pitch: int, pace: int) -> NDArray[np.float32]:
    """A phrase as 8 kHz samples, without the silence around it, at an even level."""
    command = [espeak, "-v", voice, "-p", str(pitch), "-s", str(pace), "--stdout", text]
    wave = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    samples = _narrow(samples, rate)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[loud[0] : loud[-1] + 1]
    level = float(np.sqrt(np.mean(samples**2)))
    even: NDArray[np.float32] = np.clip(samples * (0.11 / level), -0.95, 0.95).astype(np.float32)
    return even


def _narrow(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Down to a telephone's rate, by cutting the spectrum: what lies above would fold back as noise."""
    spectrum = np.fft.rfft(samples)
    count = len(samples) * RATE // rate
    shorter = np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(samples))
    return shorter.astype(np.float32)


def main(folder: Path) -> None:
    """Write every phrase to `folder`."""
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        sys.exit("make_voices: espeak-ng is not installed: apt-get install espeak-ng")
    folder.mkdir(exist_ok=True)
    for language, sides in PHRASES.items():
        for side, purposes in sides.items():
            for purpose, texts in purposes.items():
                for n, text in enumerate(texts, 1):
                    samples = speak(espeak, text, *VOICES[language, side])
                    target = folder / file_name(language, side, purpose, n)
                    soundfile.write(target, samples, RATE, format="OGG", subtype="OPUS", compression_level=0.97)


if __name__ == "__main__":
    main(Path(__file__).parent / "voices")
